"""A state that is replayed for its books alone keeps neither what only decisions ask for, nor what only seals do.

Which moments of a job are burned takes as much memory as all else of a large state, and which entries touched an
account takes time. Everything that postings come from is kept.
"""

from typing import Final

from tallystick.vouchers.burns import BurnedLine, Group
from tallystick.vouchers.job_times import JobTimes
from tallystick.vouchers.seals import Touches
from tallystick.vouchers.state import State


def state_for_books(origin: str) -> State:
    """Return the state before entry 0 of the log of an origin, to be replayed for its books."""
    state = State.empty(origin)
    state.job_times = _JobTimesUnasked()
    state.touches = _TouchesUnasked()
    return state


class _NoTouches(Touches):
    """Which entries touched an account; only seals ask, and what they seal is checked by audits."""

    def add(self, index: int) -> None:
        """Keep nothing."""


class _TouchesUnasked(dict[str, Touches]):
    """By account."""

    def get(self, key: str, default: object = None) -> Touches:
        """Return what is kept of an account."""
        return _NO_TOUCHES


_NO_TOUCHES: Final = _NoTouches()


class _TimesUnasked(JobTimes):
    """The burned moments of an item's jobs, of which only decisions ask: they aren't kept, which halves the memory."""

    __slots__ = ()

    def add(self, group: Group) -> None:
        """Take note that there is a statement."""
        self._groups += 1

    def reverse(self, group: Group, line: BurnedLine) -> None:
        """Keep nothing."""

    def forget(self, group: Group) -> None:
        """Take note that a statement isn't remembered any more."""
        self._groups -= 1


class _ItemsUnasked(dict[str, JobTimes]):
    """By item."""

    def setdefault(self, key: str, default: JobTimes | None = None) -> JobTimes:
        """Return what is kept of an item."""
        return super().setdefault(key, _TimesUnasked())


class _JobTimesUnasked(dict[str, dict[str, JobTimes]]):
    """By provider and item."""

    def setdefault(self, key: str, default: dict[str, JobTimes] | None = None) -> dict[str, JobTimes]:
        """Return what is kept of a provider."""
        return super().setdefault(key, _ItemsUnasked())
