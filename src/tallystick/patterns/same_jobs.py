"""The same GPU-time billed twice: one job under two names at one provider, or at two providers.

Two lines are the same where item, quantity and interval are, to the second. Kept: a digest of each line, with the
statement that it is of, for a burn window, in which another can follow. Where a digest comes again, the earlier line is
looked up in the state, which remembers as long; one that was taken back doesn't count.
The parts of one job look the same, and so do whole days that are rented: what is on such a grid, of one series of
names, or there more often than a few times is a note.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Final

from tallystick.patterns.parameters import Parameters
from tallystick.patterns.pattern import Certainty, Entries, Pattern, Seen, Severity
from tallystick.patterns.statement import Lines
from tallystick.printing.text import gpu_hours
from tallystick.vouchers.burns import BurnedLine, Statement
from tallystick.vouchers.quantities import DAY_US, SECOND_US
from tallystick.vouchers.state import State

LOOKED_UP_MAX: Final = 20_000
"""Of the lines that came again so many are looked up; a log of nothing else is seen by them."""
GPU_HOUR: Final = 3_600_000
"""In GPU-milliseconds."""
Made = tuple[str, str]
"""A statement: its provider and reference."""
Interval = tuple[str, int, int, int]
"""Item, start and end (microseconds), and GPU-thousandths."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A line that is the same as another one: where it is, and what it says."""

    provider: str
    ref: str
    index: int
    contract: str
    line: BurnedLine


@dataclass(slots=True)
class _Same:
    """Two lines of one interval."""

    interval: Interval
    lines: tuple[_Line, _Line]


_Pair = dict[int, _Same]
"""All that is the same under two contracts, or under one, and that nobody took back; by the object's own id."""


class SameJobsWatch:
    """Every line's digest, within the burn window."""

    def __init__(self, parameters: Parameters) -> None:
        """No line was burned yet."""
        self._parameters = parameters
        self._items: dict[str, int] = {}
        self._days: dict[int, dict[int, Made]] = {}
        self._pairs: dict[tuple[str, str], _Pair] = defaultdict(dict)
        self._by_line: dict[tuple[str, str, int], tuple[_Pair, _Same]] = {}
        self._counts: dict[Interval, int] = {}
        self._looked_up = 0
        self._read: dict[Made, dict[tuple[str, int, int], list[BurnedLine]]] = {}

    def add(self, made: Made, lines: Lines, state: State) -> None:
        """Take in accepted lines of a statement that the state has."""
        item = self._items.setdefault(lines.item, len(self._items))
        digests = list(map(hash, zip(repeat(item), lines.gpu_milli, lines.starts, lines.ends, strict=False)))
        first, last = min(lines.ends) // DAY_US, max(lines.ends) // DAY_US
        if first == last:
            self._add(first, digests, range(len(digests)), made, lines, state)
            return
        by_day: dict[int, list[int]] = {}
        for place, ends_at in enumerate(lines.ends):
            by_day.setdefault(ends_at // DAY_US, []).append(place)
        for day, places in by_day.items():
            self._add(day, [digests[place] for place in places], places, made, lines, state)

    def _add(self, day: int, digests: list[int], places: Sequence[int], made: Made, lines: Lines, state: State) -> None:
        """Take in lines that end on a day, counted from 1970; most have no equal, so all are asked for at once."""
        seen = self._days.setdefault(day, {})
        before = len(seen)
        earlier = list(map(seen.setdefault, digests, repeat(made)))
        if len(seen) == before + len(digests):
            return
        counts = Counter(digests)
        for digest, place, one in zip(digests, places, earlier, strict=True):
            is_long = lines.ends[place] - lines.starts[place] >= self._parameters.same_job_seconds * SECOND_US
            if is_long and (one != made or counts[digest] > 1) and not self._look_up(one, made, lines, place, state):
                seen[digest] = made  # the earlier one was taken back
        self._read.clear()

    def _look_up(self, earlier: Made, made: Made, lines: Lines, place: int, state: State) -> bool:
        """Look the earlier line up, note the two if they are two jobs or at two providers, and return whether it is."""
        if self._looked_up >= LOOKED_UP_MAX:
            return True
        self._looked_up += 1
        key = (lines.item, lines.starts[place], lines.ends[place])
        interval = (*key, lines.gpu_milli[place])
        number, job = lines.numbers[place], lines.jobs[place]
        (own,) = [one for one in self._lines_of(made, state).get(key, ()) if one.number == number] or (None,)
        if own is None:
            return True
        for other in self._lines_of(earlier, state).get(key, ()):
            if other.gpu_milli_seconds != own.gpu_milli_seconds or (earlier == made and other.number >= number):
                continue
            if earlier[0] == made[0] and other.job == job:
                continue
            self._note(interval, self._line(earlier, other, state), self._line(made, own, state))
            return True
        return False

    def _lines_of(self, made: Made, state: State) -> dict[tuple[str, int, int], list[BurnedLine]]:
        """Return a statement's lines that weren't taken back, by item and interval."""
        read = self._read.get(made)
        if read is None:
            statement = state.statements.get(made[0], {}).get(made[1])
            read = self._read[made] = {}
            for line in () if statement is None else statement.lines():
                read.setdefault((line.item, line.starts_at, line.ends_at), []).append(line)
            for number in set() if statement is None else statement.reversed_lines:
                for rows in read.values():
                    rows[:] = [one for one in rows if one.number != number]
        return read

    def _line(self, made: Made, line: BurnedLine, state: State) -> _Line:
        statement: Statement = state.statements[made[0]][made[1]]
        return _Line(made[0], made[1], statement.index, statement.contract, line)

    def _note(self, interval: Interval, first: _Line, second: _Line) -> None:
        self._counts[interval] = self._counts.get(interval, 1) + 1
        pair = self._pairs[first.contract, second.contract]
        same = _Same(interval, (first, second))
        pair[id(same)] = same
        for one in (first, second):
            self._by_line[one.provider, one.ref, one.line.number] = (pair, same)

    def take_back(self, provider: str, ref: str, number: int) -> None:
        """Forget what was the same as a line that is taken back."""
        noted = self._by_line.pop((provider, ref, number), None)
        if noted is not None:
            pair, same = noted
            pair.pop(id(same), None)

    def forget(self, until: int) -> None:
        """Forget the lines that ended before a time (microseconds): none can be the same any more."""
        for day in [day for day in self._days if (day + 1) * DAY_US <= until]:
            del self._days[day]

    def seen(self) -> Iterator[Seen]:
        """Yield what is the same, by the two contracts."""
        for (first, second), pair in self._pairs.items():
            if pair:
                yield self._seen(first, second, list(pair.values()))

    def _seen(self, first: str, second: str, same: list[_Same]) -> Seen:
        telling = [one for one in same if self._tells(one)]
        severity = Severity.NOTE
        total = sum(min(line.line.gpu_milli_seconds for line in both.lines) for both in same)
        if telling and total >= self._parameters.same_job_gpu_hours * GPU_HOUR:
            severity = Severity.ALARM if len(telling) >= self._parameters.same_job_alarm else Severity.WARNING
        one, other = same[0].lines
        providers = dict.fromkeys((one.provider, other.provider))
        is_at_two = len(providers) > 1
        entries = Entries(sorted({line.index for both in same for line in both.lines}))
        fee_fen = sum(min(line.line.fee_fen for line in both.lines) for both in same)
        example = f"{one.line.job} of entry {one.index} and {other.line.job} of entry {other.index}"
        contracts = f"under {first}" if first == second else f"under {first} and {second}"
        jobs = "1 job" if len(same) == 1 else f"{len(same):,} jobs"
        return Seen(
            Pattern.JOB_AT_TWO_PROVIDERS if is_at_two else Pattern.JOB_UNDER_TWO_NAMES,
            severity,
            Certainty.LIKELY if telling else Certainty.POSSIBLE,
            "two jobs seldom begin and end in the same seconds with the same cards"
            if telling
            else "whole hours that are rented, and parts of one job, look the same",
            tuple(providers),
            tuple([f"contract {name}" for name in dict.fromkeys((first, second))]),
            entries.shown,
            {"entries": entries.count, "jobs": len(same), "gpu_milliseconds": total, "fee_fen": fee_fen},
            f"{jobs} of {' and '.join(providers)} {contracts}, {gpu_hours(total)} GPU-hours, stand in the log twice "
            f"with the same item, quantity and interval, for example {example}",
        )

    def _tells(self, same: _Same) -> bool:
        """Return whether two lines are hardly the same by chance, or because they are parts of one job."""
        one, other = same.lines
        if self._counts[same.interval] > self._parameters.same_job_usual:
            return False
        if one.provider != other.provider and one.line.job == other.line.job:
            return True
        if one.contract == other.contract and _series(one.line.job) == _series(other.line.job):
            return False
        grid_us = self._parameters.same_job_grid_seconds * SECOND_US
        return bool(one.line.starts_at % grid_us or one.line.ends_at % grid_us)


def _series(job: str) -> str:
    """Return what the names of parts of one job have in common."""
    return "".join([letter for letter in job if letter.isalpha()])
