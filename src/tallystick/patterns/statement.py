"""A statement's accepted lines, item by item, as columns: what is done to all lines is done to columns."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tallystick.vouchers.outcomes import Burned
from tallystick.vouchers.rules.burning import TimeBurn


class Lines(NamedTuple):
    """The accepted lines of one item.

    Attributes:
        numbers: in the statement, over all its groups, from 0.
        starts, ends: microseconds.
        evidence: the root over their records, if there is one.
        are_corrections: whether all of them stand for lines that were taken back.
    """

    item: str
    numbers: Sequence[int]
    jobs: Sequence[str]
    gpu_milli: Sequence[int]
    starts: Sequence[int]
    ends: Sequence[int]
    seconds: Sequence[int]
    evidence: str | None
    are_corrections: bool


def accepted_lines(command: TimeBurn, outcome: Burned) -> Iterator[Lines]:
    """Yield the accepted lines of a statement, item by item."""
    refused = {number for number, _ in outcome.refused}
    first = 0
    for group in command.groups:
        lines = group.lines
        numbers: Sequence[int] = range(first, first + len(lines))
        first += len(lines)
        if refused and not refused.isdisjoint(numbers):
            numbers = [number for number in numbers if number not in refused]
            if not numbers:
                continue
            start = first - len(lines)
            lines = tuple([lines[number - start] for number in numbers])
        jobs, gpu_milli, starts, ends, seconds, options = zip(*lines, strict=True)
        corrections = all(one is not None and one.corrects is not None for one in options)
        yield Lines(group.item, numbers, jobs, gpu_milli, starts, ends, seconds, group.evidence_root, corrections)
