"""GPU-time by the hour, held against what the provider says that it has installed.

A line is spread evenly over its interval, to the thousandth of a GPU. Kept, by provider and item: by hour what begins
and ends in it, which one line changes in two places however long it is, and 28 bytes a line so that the entries of the
worst hour can be named. Both go once an hour is two burn windows old: nothing can be burned or taken back in it then.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from operator import floordiv, mul, sub
from struct import iter_unpack, pack
from typing import Final

from tallystick.patterns.parameters import Parameters
from tallystick.patterns.pattern import Certainty, Entries, Pattern, Seen, Severity
from tallystick.patterns.statement import Lines
from tallystick.printing.text import gpu_hours
from tallystick.vouchers.burns import BurnedLine
from tallystick.vouchers.quantities import SECOND_US, format_instant
from tallystick.vouchers.rules.capacity import CapacityDeclare
from tallystick.vouchers.state import State

HOUR_SECONDS: Final = 3_600
HOUR_US: Final = HOUR_SECONDS * SECOND_US
NEVER: Final = 2**62
CHUNK_LINES: Final = 2**16
# Two sums in one integer, so that a line needs half as many steps: above, GPU-thousandths that begin, less those that
# end; below, and signed too, the sum of each times its instant (microseconds).
_UPPER: Final = 2**112
_HALF: Final = _UPPER // 2


class _Chunk:
    """Lines in the order of their entries, as packed columns; one that was taken back stands there again, as less."""

    def __init__(self) -> None:
        self.entries = bytearray()  # twice the index, and one more if all of the intervals were burned
        self.starts = bytearray()
        self.ends = bytearray()
        self.gpu_milli = bytearray()
        self.last_end = 0

    def __len__(self) -> int:
        return len(self.gpu_milli) // 4

    def add(
        self, index: int, starts: Sequence[int], ends: Sequence[int], gpu_milli: Sequence[int], *, is_exact: bool
    ) -> None:
        """Add lines of one entry."""
        count = len(starts)
        self.entries += pack("<q", 2 * index + is_exact) * count
        self.starts += pack(f"<{count}q", *starts)
        self.ends += pack(f"<{count}q", *ends)
        self.gpu_milli += pack(f"<{count}i", *gpu_milli)
        self.last_end = max(self.last_end, *ends)

    def within(self, start: int, stop: int) -> Iterator[tuple[int, int, int, int]]:
        """Yield, of each line of which a part lies within a time, entry, start, end and GPU-thousandths."""
        times = [[value for (value,) in iter_unpack("<q", one)] for one in (self.entries, self.starts, self.ends)]
        gpu_milli = [value for (value,) in iter_unpack("<i", self.gpu_milli)]
        for row in zip(*times, gpu_milli, strict=True):
            if row[1] < stop and row[2] > start:
                yield row


@dataclass(slots=True)
class _Worst:
    """The hour that is furthest over its capacity."""

    hour: int
    used: int
    capacity: int
    is_exact: bool
    entries: Entries


@dataclass(slots=True)
class _Use:
    """What a provider burned of one item.

    Attributes:
        changes: by hour, both sums of what begins and ends in it.
        gpu_milli: at the end of the hour that was judged last.
        judged_until: the first hour that isn't judged yet.
        over: hours over the capacity, so far.
    """

    changes: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    chunks: list[_Chunk] = field(default_factory=list)
    gpu_milli: int = 0
    judged_until: int = -NEVER
    over: int = 0
    over_gpu_milliseconds: int = 0
    worst: _Worst | None = None

    def add(self, index: int, lines: Lines) -> None:
        """Take in lines of an entry."""
        lengths = list(map(sub, lines.ends, lines.starts))
        burned = list(map(mul, lines.seconds, repeat(SECOND_US)))
        gpu_milli = lines.gpu_milli
        is_exact = lengths == burned
        if not is_exact:
            gpu_milli = list(map(floordiv, map(mul, gpu_milli, burned), lengths))
        self._change(lines.starts, lines.ends, gpu_milli)
        self._chunk().add(index, lines.starts, lines.ends, gpu_milli, is_exact=is_exact)

    def take_back(self, index: int, line: BurnedLine) -> None:
        """Take a line out again, as an entry says."""
        starts, ends = (line.starts_at,), (line.ends_at,)
        gpu_milli = (-(line.gpu_milli_seconds * SECOND_US // (line.ends_at - line.starts_at)),)
        self._change(starts, ends, gpu_milli)
        self._chunk().add(index, starts, ends, gpu_milli, is_exact=False)

    def _change(self, starts: Sequence[int], ends: Sequence[int], gpu_milli: Sequence[int]) -> None:
        changes = self.changes
        for starts_at, ends_at, some in zip(starts, ends, gpu_milli, strict=True):
            changes[starts_at // HOUR_US] += some * (_UPPER + starts_at)
            changes[ends_at // HOUR_US] -= some * (_UPPER + ends_at)

    def _chunk(self) -> _Chunk:
        if not self.chunks or len(self.chunks[-1]) >= CHUNK_LINES:
            self.chunks.append(_Chunk())
        return self.chunks[-1]

    def judge(self, declared: "_Declared", item: str, until: int) -> None:
        """Judge the hours before one, which nothing changes any more."""
        hours = {self.judged_until, *self.changes, *declared.hours()}
        ordered = sorted([hour for hour in hours if self.judged_until <= hour < until])
        worst: tuple[int, int, int] | None = None
        for hour, following in zip(ordered, [*ordered[1:], until], strict=False):
            used = self._used_in(hour)
            installed = declared.gpu_milli(item, hour)
            if installed is None:
                continue
            most = installed * HOUR_SECONDS
            # The hours up to the next one in which anything begins or ends are all the same.
            for place, amount, count in (
                (hour, used, 1),
                (hour + 1, self.gpu_milli * HOUR_SECONDS, following - hour - 1),
            ):
                if amount > most and count > 0:
                    self.over += count
                    self.over_gpu_milliseconds += (amount - most) * count
                    if worst is None or amount - most > worst[1] - worst[2]:
                        worst = (place, amount, most)
        if worst is not None:
            self._note_worst(*worst)
        self.judged_until = max(self.judged_until, until)
        self.chunks = [chunk for chunk in self.chunks if chunk.last_end > until * HOUR_US]

    def _used_in(self, hour: int) -> int:
        """Return the GPU-milliseconds of an hour, the one after those that were asked for before."""
        both = self.changes.pop(hour, 0)
        below = (both + _HALF) % _UPPER - _HALF
        change = (both - below) // _UPPER
        self.gpu_milli += change
        return (self.gpu_milli * HOUR_US - (below - change * hour * HOUR_US)) // SECOND_US

    def _note_worst(self, hour: int, used: int, capacity: int) -> None:
        """Name the entries of an hour, if none was further over before."""
        if self.worst is not None and used - capacity <= self.worst.used - self.worst.capacity:
            return
        start, stop = hour * HOUR_US, (hour + 1) * HOUR_US
        rows = [row for chunk in self.chunks for row in chunk.within(start, stop)]
        taken_back = Counter([(starts, ends, -gpu_milli) for _, starts, ends, gpu_milli in rows if gpu_milli < 0])
        entries, exact = Entries(), 0
        for entry, starts_at, ends_at, gpu_milli in rows:
            if gpu_milli <= 0:
                continue
            if taken_back[starts_at, ends_at, gpu_milli]:
                taken_back[starts_at, ends_at, gpu_milli] -= 1
                continue
            entries.add(entry // 2)
            if entry % 2:
                exact += gpu_milli * (min(stop, ends_at) - max(start, starts_at)) // SECOND_US
        self.worst = _Worst(hour, used, capacity, exact > capacity, entries)


class _Declared:
    """What a provider says that it has: by the hour from which on, how many of each item."""

    def __init__(self, declared: Iterable[tuple[int, dict[str, int]]]) -> None:
        self._declared = list(declared)

    def add(self, hour: int, installed: dict[str, int]) -> None:
        """Add the newest declaration."""
        self._declared.append((hour, installed))

    def hours(self) -> list[int]:
        """Return the hours from which on something else holds."""
        return [hour for hour, _ in self._declared]

    def gpu_milli(self, item: str, hour: int) -> int | None:
        """Return how much is installed in an hour, in thousandths of a GPU; None: nothing was declared by then."""
        for starts, installed in reversed(self._declared):
            if starts <= hour:
                return installed.get(item, 0) * 1_000
        return None


class CapacityWatch:
    """Every provider's GPU-time by the hour."""

    def __init__(self, parameters: Parameters) -> None:
        """Nothing was burned yet."""
        self._parameters = parameters
        self._declared: dict[str, _Declared] = {}
        self._uses: dict[tuple[str, str], _Use] = {}

    def declare(self, command: CapacityDeclare, state: State) -> None:
        """Take in what a provider declares."""
        before = self._declared.get(command.party)
        if before is None:
            self._declared_by(command.party, state)
        else:
            hour = state.start_of(command.first_day) // HOUR_US
            before.add(hour, {one.item: one.installed for one in command.capacity})

    def add(self, provider: str, index: int, lines: Lines, state: State) -> None:
        """Take in accepted lines."""
        use = self._uses.get((provider, lines.item))
        if use is None:
            use = self._uses[provider, lines.item] = _Use()
            self._declared_by(provider, state)
        use.add(index, lines)

    def take_back(self, provider: str, index: int, line: BurnedLine) -> None:
        """Take a line out again, as an entry says."""
        use = self._uses.get((provider, line.item))
        if use is not None:  # else it is of before the entries that are looked at
            use.take_back(index, line)

    def judge(self, until: int) -> None:
        """Judge all hours that end by a time (microseconds), after which nothing changes them."""
        for (provider, item), use in self._uses.items():
            use.judge(self._declared[provider], item, until // HOUR_US)

    def seen(self) -> Iterator[Seen]:
        """Judge all that is left, and yield what was over."""
        self.judge(NEVER)
        for (provider, item), use in self._uses.items():
            if use.worst is not None:
                yield self._seen(provider, item, use, use.worst)

    def _declared_by(self, provider: str, state: State) -> None:
        if provider not in self._declared:
            known = [(state.start_of(day) // HOUR_US, dict(items)) for day, items in state.capacities.get(provider, ())]
            self._declared[provider] = _Declared(known)

    def _seen(self, provider: str, item: str, use: _Use, worst: _Worst) -> Seen:
        over = worst.used - worst.capacity
        severity = Severity.WARNING
        if over * 100 <= worst.capacity * self._parameters.capacity_note_percent:
            severity = Severity.NOTE
        elif over * 100 >= worst.capacity * self._parameters.capacity_alarm_percent:
            severity = Severity.ALARM
        hour = format_instant(worst.hour * HOUR_US)[:16] + "Z"
        return Seen(
            Pattern.CAPACITY_EXCEEDED,
            severity,
            Certainty.CERTAIN if worst.is_exact else Certainty.LIKELY,
            "these jobs ran through all of their intervals"
            if worst.is_exact
            else "jobs that paused are spread evenly over their intervals",
            (provider,),
            (f"item {item}",),
            worst.entries.shown,
            {
                "entries": worst.entries.count,
                "hours_over": use.over,
                "hour_gpu_milliseconds": worst.used,
                "capacity_gpu_milliseconds": worst.capacity,
                "over_gpu_milliseconds": use.over_gpu_milliseconds,
            },
            f"{provider} burned {gpu_hours(worst.used)} GPU-hours of {item} in the hour from {hour} and declared "
            f"{gpu_hours(worst.capacity)}; it is over in {use.over:,} hours",
        )
