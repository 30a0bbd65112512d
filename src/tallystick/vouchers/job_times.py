"""Which moments of a provider's jobs are burned, found in the statements that are remembered (burns.py)."""

import struct
from collections.abc import Iterable
from operator import attrgetter
from typing import Final

from tallystick.vouchers.burns import BurnedLine, Group, Intervals

JOBS_BETWEEN_CLOSINGS: Final = 65_536
NEVER: Final = 2**63 - 1
_INTERVAL: Final = struct.Struct("<qq")
_END_OF: Final = attrgetter("ends_at")


class JobTimes:
    """What is burned of a provider's jobs on one item; follows from the statements, so it isn't saved with them.

    A statement is read when a line comes that begins before its last line ended: no other can overlap, and most lines
    are of yesterday. So saved statements aren't read before, and those that were are closed again once there are many
    new ones. A table of all jobs of the window would take more memory than all else that is kept of their lines.
    """

    __slots__ = ("_groups", "_jobs", "_jobs_added", "_read", "_unread", "_unread_until")

    def __init__(self, saved: Iterable[Group] = ()) -> None:
        self._jobs: dict[str, Group | Intervals] = {}  # of those read; the group, as long as no other has the job
        self._jobs_added = 0  # since the others were closed
        self._read: dict[int, Group] = {}  # by entry
        self._unread = {one.index: one for one in sorted(saved, key=_END_OF)}  # by entry, latest end last
        self._unread_until = 0
        self._groups = len(self._unread)
        self._read_until(NEVER)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, JobTimes) and self._all() == other._all()

    def __hash__(self) -> int:
        raise TypeError("job times change, and have no hash")

    def __contains__(self, job: str) -> bool:
        return job in self._all()

    @property
    def has_groups(self) -> bool:
        """Whether a statement that is remembered has lines of the item."""
        return self._groups > 0

    def is_burned(self, job: str, starts_at: int, ends_at: int) -> bool:
        """Return whether the interval shares a moment with one of the job that is burned."""
        if starts_at < self._unread_until:
            self._read_until(starts_at)
        where = self._jobs.get(job)
        return where is not None and overlaps(_intervals(where, job), starts_at, ends_at)

    def has(self, job: str, starts_at: int) -> bool:
        """Return whether some of the job is burned that may have ended after an instant."""
        if starts_at < self._unread_until:
            self._read_until(starts_at)
        return job in self._jobs

    def add(self, group: Group) -> None:
        """Take in a statement's lines."""
        self._groups += 1
        self._take(group)
        self._jobs_added += group.jobs.count(" ") + 1
        # Not before as many came as were there: so a line is read again once at most, on the average.
        if self._jobs_added >= max(JOBS_BETWEEN_CLOSINGS, len(self._jobs) // 2):
            self._close()

    def _take(self, group: Group) -> None:
        known, jobs = self._jobs, group.unreversed_jobs()
        if not known.keys().isdisjoint(jobs):
            again = known.keys() & set(jobs)
            known.update({job: _intervals(known[job], job) + group.intervals_of(job) for job in again})
            jobs = [job for job in jobs if job not in again]
        known.update(dict.fromkeys(jobs, group))
        self._read[group.index] = group

    def reverse(self, group: Group, line: BurnedLine) -> None:
        """Take out a line that its group has just noted as taken back."""
        if group.index in self._unread:
            return
        where = self._jobs[line.job]
        if isinstance(where, bytes):
            where = self._jobs[line.job] = _without(where, _INTERVAL.pack(line.starts_at, line.ends_at))
        if not _intervals(where, line.job):
            del self._jobs[line.job]

    def forget(self, group: Group) -> None:
        """Take out a statement's lines that aren't remembered any more."""
        self._groups -= 1
        if self._unread.pop(group.index, None) is not None:
            return
        del self._read[group.index]
        for job in set(group.jobs.split()):
            where = self._jobs.get(job)
            if isinstance(where, bytes):
                for interval in _INTERVAL.iter_unpack(group.intervals_of(job)):
                    where = _without(where, _INTERVAL.pack(*interval))
                self._jobs[job] = where
            if where is group or where == b"":
                del self._jobs[job]
            # Else the statement's lines of this job were taken back: the job is gone, or another statement's.

    def _read_until(self, moment: int) -> None:
        """Look into the saved statements that have a line that ended after a moment."""
        while self._unread:
            group = self._unread[next(reversed(self._unread))]
            if group.ends_at <= moment:
                self._unread_until = group.ends_at
                return
            self._take(group)
            # Now that it is taken in: one that can't be read stays, and its time isn't free. (`del` would leave a hole
            # at the end, and `reversed` walk over all holes each time.)
            self._unread.popitem()
        self._unread_until = 0

    def _close(self) -> None:
        """Drop what was read; it is read again when it is asked for."""
        closed = [*self._read.values()]
        earliest = min([group.ends_at for group in closed])
        while self._unread and self._unread[next(reversed(self._unread))].ends_at > earliest:
            closed.append(self._unread.popitem()[1])
        self._unread.update({group.index: group for group in sorted(closed, key=_END_OF)})
        self._read, self._jobs, self._jobs_added = {}, {}, 0
        self._read_until(NEVER)

    def _all(self) -> dict[str, list[tuple[int, ...]]]:
        self._read_until(0)
        return {job: sorted(_INTERVAL.iter_unpack(_intervals(where, job))) for job, where in self._jobs.items()}


def _intervals(where: Group | Intervals, job: str) -> Intervals:
    return where if isinstance(where, bytes) else where.intervals_of(job)


def overlaps(burned: Intervals, starts_at: int, ends_at: int) -> bool:
    """Return whether the interval shares a moment with one that is burned."""
    for burned_from, burned_to in _INTERVAL.iter_unpack(burned):
        if starts_at < burned_to and burned_from < ends_at:
            return True
    return False


def _without(burned: Intervals, interval: Intervals) -> Intervals:
    for place in range(0, len(burned), _INTERVAL.size):
        if burned[place : place + _INTERVAL.size] == interval:
            return burned[:place] + burned[place + _INTERVAL.size :]
    raise ValueError("no such interval is burned")
