"""What is remembered of burned GPU-time: which moments of a job are burned, and what a reversal needs.

Both are bounded by the network's burn window: a line can't reach further back, so older ones are forgotten (evolve.py)
and memory follows the activity within the window, not the length of the log. A busy network has a million lines in
it, of which next to none is ever asked for again: so a statement is kept packed and unpacked when it is asked, and a
job that only one statement has is just a reference to it.
"""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import repeat
from operator import attrgetter
from typing import Annotated, Final, NamedTuple

from pydantic import ConfigDict

from tallystick.vouchers.book import Lot
from tallystick.vouchers.quantities import DAY_US
from tallystick.vouchers.schemas import Layout

BYTES_AS_BASE64: Final = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

_PACKED: Final = struct.Struct("<HHqqq")
_NUMBER: Final = struct.Struct("<H")
_NUMBERS_SIZE: Final = struct.calcsize("<HH")
_INTERVAL: Final = struct.Struct("<qq")

NEVER: Final = 2**63 - 1

Intervals = bytes
"""Burned intervals of one job: for each, start and end in 8 bytes each."""


class BurnedLine(NamedTuple):
    """An accepted line: its number in the command, its interval (microseconds), and what it took from the voucher."""

    number: int
    reservation: str
    job: str
    starts_at: int
    ends_at: int
    from_voucher_fen: int


@dataclass(slots=True)
class Statement:
    """The accepted lines of one statement, packed.

    Attributes:
        index, at, text_sha256: its entry, and the SHA-256 (hex) of its text.
        ends_at: when the last of its lines ended.
        reservations: ids, each once.
        jobs: ids by accepted line, joined by blanks (which none can hold).
        packed: for each accepted line number, place of the reservation, start, end, amount: 28 bytes.
        reversed_lines: the numbers of those taken back.
    """

    __pydantic_config__ = BYTES_AS_BASE64

    index: int
    at: int
    text_sha256: str
    holder: str
    ends_at: int
    reservations: tuple[str, ...]
    jobs: Annotated[str, Layout("ids joined by blanks")]
    packed: Annotated[bytes, Layout(_PACKED.format)]
    reversed_lines: list[int]

    def lines(self) -> Iterator[BurnedLine]:
        """Yield the accepted lines, those that were taken back too.

        Raises:
            ValueError: the columns don't fit together, which only damage can bring about.
        """
        rows = _PACKED.iter_unpack(self.packed)
        for job, (number, place, starts_at, ends_at, amount_fen) in zip(self.jobs.split(), rows, strict=True):
            yield BurnedLine(number, self.reservations[place], job, starts_at, ends_at, amount_fen)

    def line(self, number: int) -> BurnedLine | None:
        """Return the accepted line that has this number in the command."""
        return next((line for line in self.lines() if line.number == number), None)

    def taken_fen(self, utc_offset_us: int) -> dict[Lot, int]:
        """Return what the lines took that weren't taken back, by reservation and the network's day.

        Raises:
            struct.error, IndexError: the columns don't fit together, as in `lines`.
        """
        taken_fen: dict[Lot, int] = {}
        for number, place, _, ends_at, amount_fen in _PACKED.iter_unpack(self.packed):
            if number not in self.reversed_lines:
                lot = Lot(self.reservations[place], (ends_at + utc_offset_us) // DAY_US)
                taken_fen[lot] = taken_fen.get(lot, 0) + amount_fen
        return taken_fen

    def unreversed_jobs(self) -> list[str]:
        """Return the jobs of which something is burned, by accepted line."""
        jobs = self.jobs.split()
        return [job for job in jobs if self.intervals_of(job)] if self.reversed_lines else jobs

    def intervals_of(self, job: str) -> Intervals:
        """Return what is burned of a job by the lines that weren't taken back."""
        text, wanted = f" {self.jobs} ", f" {job} "
        intervals = b""
        at = text.find(wanted)
        while at >= 0:
            start = text.count(" ", 0, at) * _PACKED.size
            if _NUMBER.unpack_from(self.packed, start)[0] not in self.reversed_lines:
                intervals += self.packed[start + _NUMBERS_SIZE : start + _NUMBERS_SIZE + _INTERVAL.size]
            at = text.find(wanted, at + 1)
        return intervals


def pack_line(number: int, reservation_place: int, starts_at: int, ends_at: int, from_voucher_fen: int) -> bytes:
    """Return an accepted line as a statement keeps it."""
    return _PACKED.pack(number, reservation_place, starts_at, ends_at, from_voucher_fen)


class JobTimes:
    """What is burned of a provider's jobs; follows from the statements remembered, so it isn't saved with them.

    Of saved statements none is looked into before a line comes that begins before its last line ended: no other can
    overlap, and most lines are of yesterday.
    """

    __slots__ = ("_jobs", "_unread", "_unread_until")
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, saved: Iterable[Statement] = ()) -> None:
        self._jobs: dict[str, Statement | Intervals] = {}  # the statement, as long as no other has the job
        self._unread = {one.index: one for one in sorted(saved, key=attrgetter("ends_at"))}  # by entry, latest end last
        self._unread_until = 0
        self._read(NEVER)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, JobTimes) and self._all() == other._all()

    def __contains__(self, job: str) -> bool:
        return job in self._all()

    def is_burned(self, job: str, starts_at: int, ends_at: int) -> bool:
        """Return whether the interval shares a moment with one of the job that is burned."""
        if starts_at < self._unread_until:
            self._read(starts_at)
        where = self._jobs.get(job)
        return where is not None and overlaps(_intervals(where, job), starts_at, ends_at)

    def add(self, statement: Statement) -> None:
        """Take in a statement."""
        known, jobs = self._jobs, statement.unreversed_jobs()
        if not known.keys().isdisjoint(jobs):
            again = known.keys() & set(jobs)
            known.update({job: _intervals(known[job], job) + statement.intervals_of(job) for job in again})
            jobs = [job for job in jobs if job not in again]
        known.update(zip(jobs, repeat(statement), strict=False))

    def reverse(self, statement: Statement, line: BurnedLine) -> None:
        """Take out a line that the statement has just noted as taken back."""
        if statement.index in self._unread:
            return
        where = self._jobs[line.job]
        if isinstance(where, bytes):
            where = self._jobs[line.job] = _without(where, _INTERVAL.pack(line.starts_at, line.ends_at))
        if not _intervals(where, line.job):
            del self._jobs[line.job]

    def forget(self, statement: Statement) -> None:
        """Take out a statement that isn't remembered any more."""
        if self._unread.pop(statement.index, None) is not None:
            return
        for job in set(statement.jobs.split()):
            where = self._jobs.get(job)
            if isinstance(where, bytes):
                for interval in _INTERVAL.iter_unpack(statement.intervals_of(job)):
                    where = _without(where, _INTERVAL.pack(*interval))
                self._jobs[job] = where
            if where is statement or where == b"":
                del self._jobs[job]
            # Else the statement's lines of this job were taken back: the job is gone, or another statement's.

    def _read(self, moment: int) -> None:
        """Look into the saved statements that have a line that ended after a moment."""
        while self._unread:
            index = next(reversed(self._unread))
            statement = self._unread[index]
            if statement.ends_at <= moment:
                self._unread_until = statement.ends_at
                return
            self.add(statement)
            del self._unread[index]  # now that it is taken in: one that can't be read stays, and its time isn't free
        self._unread_until = 0

    def _all(self) -> dict[str, list[tuple[int, ...]]]:
        self._read(0)
        return {job: sorted(_INTERVAL.iter_unpack(_intervals(where, job))) for job, where in self._jobs.items()}


def _intervals(where: Statement | Intervals, job: str) -> Intervals:
    return where if isinstance(where, bytes) else where.intervals_of(job)


def with_interval(burned: Intervals, starts_at: int, ends_at: int) -> Intervals:
    """Return the intervals and one more."""
    return burned + _INTERVAL.pack(starts_at, ends_at)


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
