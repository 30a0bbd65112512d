"""Others that run beside us here: each is one file of this folder, and none of them is a dependency.

A peer is a module with

    available()             why it can't be measured here, in one line; None if it can
    measure(folder, scale)  one round in an empty folder on the project's disk: its figures by key
    FIGURES                 for each of these keys its unit and what it is, in one line

and nothing else knows its name: `peers()` finds it. A rate is per second of wall time, on a machine that is shared with
the rest of the run; a rate of processor time counts all processes of the peer, its server among them. What a peer needs
is made before its clock runs. Each module's docstring says what the peer does and doesn't check.

`make bench-peers` downloads into build/peers what pip and npm have. What has to be built from source is told by an
environment variable that its module names (docs/performance.md, "Peers").
"""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Final, Protocol, cast

INSTALLED: Final = Path("build/peers")
"""Where `make bench-peers` puts them, relative to the project."""
FOLDER: Final = Path(__file__).resolve().parent


class Peer(Protocol):
    """A module of this folder that measures something."""

    FIGURES: Mapping[str, tuple[str, str]]
    """By key: the unit, and what it is."""

    def available(self) -> str | None:
        """Return why it can't be measured here; None if it can."""

    def measure(self, folder: Path, scale: float) -> dict[str, float]:
        """Do it once; return its figures by key.

        Args:
            folder: empty, on the disk that is measured.
            scale: 1 for figures that count, less to try it out.
        """


def peers() -> dict[str, Peer]:
    """Return every peer by its module's name."""
    names = sorted(found.name for found in iter_modules([str(FOLDER)]))
    modules = {name: import_module(f"{__name__}.{name}") for name in names}
    return {name: cast(Peer, module) for name, module in modules.items() if hasattr(module, "measure")}
