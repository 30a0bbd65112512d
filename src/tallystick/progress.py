"""How far long work is: one form of it, for all that works long and all that shows it."""

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with how many entries are done and how many there are."""
