"""What two logs burned at the same moments is found as by comparing each line with each."""

from collections.abc import Iterator
from contextlib import closing
from itertools import combinations
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from tallystick.audit.network_report import FindingsTogether
from tallystick.audit.used_twice import compare
from tallystick.audit.uses import Uses
from tallystick.findings import FindingCode
from tallystick.vouchers.burns import pack_lines
from tallystick.vouchers.quantities import SECOND_US

ORIGINS = ("a", "b", "c")
SPAN = 12
"""Seconds in which all lines lie, so that they meet."""


class Line(NamedTuple):
    """A line of a log, in seconds; each statement has one provider and one item."""

    log: int
    provider: str
    item: str
    entry: int
    number: int
    job: str
    starts: int
    ends: int
    is_reversed: bool


@st.composite
def lines_of_logs(draw: st.DrawFn) -> list[Line]:
    """Lines of three logs; within one of them those of a job that stand never overlap, as the rules have it."""
    lines: list[Line] = []
    for log in range(len(ORIGINS)):
        burned: set[tuple[str, str, str, int]] = set()
        for entry in range(draw(st.integers(0, 4))):
            provider, item = draw(st.sampled_from("PQ")), draw(st.sampled_from(("x", "y")))
            for number in range(draw(st.integers(1, 3))):
                starts = draw(st.integers(0, SPAN - 1))
                job, ends = draw(st.sampled_from(("j", "k"))), starts + draw(st.integers(1, SPAN))
                is_reversed = draw(st.integers(0, 3)) == 0
                moments = {(provider, item, job, moment) for moment in range(starts, ends)}
                if is_reversed or burned.isdisjoint(moments):
                    burned |= set() if is_reversed else moments
                    lines.append(Line(log, provider, item, entry, number, job, starts, ends, is_reversed))
    return lines


def groups_of(lines: list[Line]) -> Iterator[tuple[object, ...]]:
    """The rows that an audit writes down of them."""
    for log, entry in sorted({(line.log, line.entry) for line in lines}):
        own = [line for line in lines if (line.log, line.entry) == (log, entry)]
        starts, ends = [one.starts * SECOND_US for one in own], [one.ends * SECOND_US for one in own]
        ones = [1] * len(own)
        packed = pack_lines([one.number for one in own], [False] * len(own), starts, ends, ones, ones, ones)
        yield own[0].provider, own[0].item, log, entry, " ".join(one.job for one in own), packed


@given(lines_of_logs())
def test_what_overlaps_in_two_logs_is_found(lines: list[Line]) -> None:
    stand = [line for line in lines if not line.is_reversed]
    expected = {
        ((ORIGINS[one.log], one.entry), (ORIGINS[other.log], other.entry))
        for one, other in combinations(stand, 2)
        if one.log < other.log
        and (one.provider, one.item, one.job) == (other.provider, other.item, other.job)
        and max(one.starts, other.starts) < min(one.ends, other.ends)
    }
    findings = FindingsTogether()
    with closing(Uses()) as uses:
        uses.add("groups", groups_of(lines))
        uses.add("taken_back", [(line.log, line.entry, line.number) for line in lines if line.is_reversed])
        compare(uses, ORIGINS, findings)
    found = findings.in_order()
    assert {one.code for one in found} <= {FindingCode.JOB_TIME_IN_TWO_LOGS}
    assert {tuple([(place.log, place.index) for place in one.places]) for one in found} == expected
