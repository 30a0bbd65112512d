"""Lines are cut at the network's days or months, at ends of what may be spent, and at what a line may hold.

The parts of a line have its seconds in all. A line whose run was suspended for a part of its time isn't cut: when that
was isn't known, so it can't be said how much of it is whose.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal, NamedTuple

from tallystick.metering.run import UsageLine
from tallystick.vouchers.quantities import DAY_US, GPU_MILLI_MAX, SECOND_US, SECONDS_BURNED_MAX, day_after

Every = Literal["day", "month"]
_LONGEST_US: Final = SECONDS_BURNED_MAX * SECOND_US


class Piece(NamedTuple):
    """A part of a run: its interval (µs), and the seconds for which something was held in it."""

    starts_at: int
    ends_at: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Cuts:
    """Where lines are cut.

    Attributes:
        utc_offset_us: of the network, whose days these are.
        every: a day or a month; None: nowhere.
    """

    utc_offset_us: int = 0
    every: Every | None = None

    def within(self, starts_at: int, ends_at: int) -> Iterator[int]:
        """Yield the instants (µs) at which an interval is cut, ascending; none is its end."""
        if self.every is None:
            return
        day = (starts_at + self.utc_offset_us) // DAY_US
        while True:
            day += 1
            cut = day * DAY_US - self.utc_offset_us
            if cut >= ends_at:
                return
            if self.every == "day" or day_after(day - 1)[2] == 1:
                yield cut


def pieces_of(piece: Piece, cuts: Cuts) -> tuple[list[Piece], bool]:
    """Return the parts of a piece, and whether it was cut everywhere where it should be."""
    if cuts.every is None and piece.ends_at - piece.starts_at <= _LONGEST_US:
        return [piece], True
    where = list(cuts.within(piece.starts_at, piece.ends_at))
    where += range(piece.starts_at + _LONGEST_US, piece.ends_at, _LONGEST_US)
    return cut_at(piece, where)


def cut_at(piece: Piece, where: Iterable[int]) -> tuple[list[Piece], bool]:
    """Return the parts of a piece that is cut at some instants (µs), and false where it can't be cut."""
    inside = sorted({at for at in where if piece.starts_at < at < piece.ends_at})
    if not inside:
        return [piece], True
    if piece.seconds * SECOND_US != piece.ends_at - piece.starts_at:
        return [piece], False
    ends = [piece.starts_at, *inside, piece.ends_at]
    return [Piece(begin, end, (end - begin) // SECOND_US) for begin, end in pairwise(ends)], True


def within_bounds(usage: Iterable[UsageLine]) -> Iterator[UsageLine]:
    """Yield usage as lines can hold it: more GPUs than one holds are several, `<job>:1` and so on, of the same time."""
    for one in usage:
        if one.gpu_milli <= GPU_MILLI_MAX:
            yield one
            continue
        left, number = one.gpu_milli, 0
        while left:
            number += 1
            held = min(left, GPU_MILLI_MAX)
            yield one._replace(job=f"{one.job}:{number}", gpu_milli=held)
            left -= held
