"""Others that can be run beside us: each is a module of `peers/`, measured where `make bench-peers` has installed it.

Such a module has `available() -> str | None`, which says why it can't be measured, and `measure(folder, scale) ->
dict[str, float]`, which does it once in a new folder and returns the figures that figures.py names for it.
"""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from figures import PEERS
from places import Place
from rounds import Part

INSTALL = "`make bench-peers` installs it"


def _module(name: str) -> ModuleType | None:
    found = find_spec("peers") is not None and find_spec(f"peers.{name}") is not None
    return import_module(f"peers.{name}") if found else None


def _missing(name: str) -> str | None:
    module = _module(name)
    if module is None:
        return f"there is no benchmarks/peers/{name}.py"
    why: str | None = module.available()
    return None if why is None else f"{why}; {INSTALL}"


def _measuring(name: str) -> Callable[[Place], dict[str, float]]:
    def measure(place: Place) -> dict[str, float]:
        module = _module(name)
        assert module is not None
        with place.folder() as where:
            figures: dict[str, float] = module.measure(where, place.scale)
            return figures

    measure.__doc__ = f"{name}, a peer."
    return measure


PARTS = tuple(Part(name, _measuring(name), partial(_missing, name)) for name in PEERS)
