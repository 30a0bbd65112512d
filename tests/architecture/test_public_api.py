"""The public API is one list: what `tallystick.__all__` names, sorted, is all that there is to see."""

import types
from importlib.metadata import version

import tallystick


def test_the_list_is_sorted_and_without_doubles() -> None:
    """A list in order is one that can be read."""
    assert tallystick.__all__ == sorted(set(tallystick.__all__))


def test_every_name_on_the_list_is_there() -> None:
    """A name that doesn't resolve is a promise broken."""
    assert [name for name in tallystick.__all__ if not hasattr(tallystick, name)] == []


def test_nothing_else_is_visible() -> None:
    """What isn't on the list is no promise, so it doesn't show; subpackages are reached by their own names."""
    visible = {
        name
        for name in dir(tallystick)
        if not name.startswith("_") and not isinstance(getattr(tallystick, name), types.ModuleType)
    }
    assert visible == {name for name in tallystick.__all__ if not name.startswith("_")}


def test_the_version_is_the_installed_one() -> None:
    """One place says the version."""
    assert tallystick.__version__ == version("tallystick")
