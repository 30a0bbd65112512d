"""Which lines of a log are of which run: by the job's name, the item and the interval, all three exact.

A run's lines are those that overlap it. A line that overlaps two runs is of the one that it overlaps longest, of two
equal ones of the earlier. What overlaps no run of its job is left over.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from tallystick.metering.run import UsageLine
from tallystick.usage.standing import LoggedLine


class Matched(NamedTuple):
    """One run's usage of an item, and its lines in the log in the order of their beginnings."""

    usage: UsageLine
    lines: tuple[LoggedLine, ...]


def matched(
    usages: Sequence[UsageLine], lines: Sequence[LoggedLine]
) -> tuple[tuple[Matched, ...], tuple[LoggedLine, ...]]:
    """Return the runs of one job on one item with their lines, and the lines that are of none.

    Args:
        usages: of the job and item.
        lines: those that stand, in the order of their beginnings.
    """
    if not lines and len(usages) == 1:
        return (Matched(usages[0], ()),), ()
    runs = sorted(usages, key=lambda usage: (usage.starts_at, usage.ends_at))
    if len(runs) == 1 and all(overlap(runs[0], line) for line in lines):
        return (Matched(runs[0], tuple(lines)),), ()
    of_run: Mapping[int, list[LoggedLine]] = {place: [] for place in range(len(runs))}
    left = []
    for line in lines:
        shared, place = max(((overlap(run, line), -place) for place, run in enumerate(runs)), default=(0, 0))
        if shared:
            of_run[-place].append(line)
        else:
            left.append(line)
    return tuple(Matched(run, tuple(of_run[place])) for place, run in enumerate(runs)), tuple(left)


def overlap(usage: UsageLine, line: LoggedLine) -> int:
    """Return how long a run and a line overlap (µs)."""
    return max(0, min(usage.ends_at, line.ends_at) - max(usage.starts_at, line.starts_at))
