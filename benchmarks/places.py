"""Where a run works: folders on the project's own disk, so that fsync is real, and what all rounds share."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

import apart

Made = TypeVar("Made")
LINES_EACH = 200
"""Lines of a statement."""


class Place:
    """A folder for one run, and how much is measured in it.

    Attributes:
        scale: 1 for a run whose figures count, less to try a run out.
        closing: closed with the run: what is started once is entered here.
    """

    def __init__(self, scale: float, below: Path) -> None:
        self.scale = scale
        self.closing = ExitStack()
        self._below = below
        self._made: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self._below.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.close()

    def count(self, how_many: int, least: int = 1) -> int:
        """Return how many of something are measured at this scale."""
        return max(least, int(how_many * self.scale))

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """Give a new folder, deleted afterwards."""
        with tempfile.TemporaryDirectory(dir=self._below, prefix="bench-") as name:
            yield Path(name).resolve()

    def once(self, name: str, make: Callable[[], Made]) -> Made:
        """Return what was made under a name, or make it: it stays until the run ends."""
        if name not in self._made:
            self._made[name] = make()
        made: Made = self._made[name]
        return made

    def has(self, name: str) -> bool:
        """Return whether something was made under a name."""
        return name in self._made

    def kept_folder(self) -> Path:
        """Return a new folder that stays until the run ends."""
        return self.closing.enter_context(self.folder())

    def ledger(self, lines: int, lines_each: int = LINES_EACH, *, of_one_day: bool = False) -> Path:
        """Return the folder of a ledger of so many lines, made once and then read alone.

        It is `<folder>/ledger`; beside it lies the report of an audit of 99 % of it, `<folder>/earlier.json`.

        Args:
            lines: in all.
            lines_each: of a statement.
            of_one_day: all lines are remembered to the end; else time passes (network.py).
        """

        def make() -> Path:
            folder = self.kept_folder()
            grow_and_audit(folder, lines, lines_each, of_one_day=of_one_day)
            return folder / "ledger"

        return self.once(f"ledger of {lines} lines, {lines_each} each, {of_one_day}", make)


def grow_and_audit(folder: Path, lines: int, lines_each: int, *, of_one_day: bool = False) -> dict[str, float]:
    """Make a ledger in `folder/ledger`, and audit it when it has 99 % of its lines; return what writing took.

    The report is `folder/earlier.json`, and its state lies beside it.
    """
    ledger, new, of = str(folder / "ledger"), max(lines_each, lines // 100), 0 if of_one_day else lines
    most = apart.run("append", folder=ledger, lines=lines - new, lines_each=lines_each, of=of)
    apart.run("audit", folder=ledger, report=str(folder / "earlier.json"))
    rest = apart.run("append", folder=ledger, lines=new, lines_each=lines_each, first=lines - new, of=of)
    return {name: max(most[name], rest[name]) if name == "mb" else most[name] + rest[name] for name in most}
