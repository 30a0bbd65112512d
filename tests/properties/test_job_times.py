"""What is burned of a job is what the statements remembered say, read from them at once, later, or never."""

import struct
from dataclasses import dataclass, field
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.vouchers import job_times
from tallystick.vouchers.burns import BurnedLine, Group, Statement, pack_lines, pack_payments
from tallystick.vouchers.job_times import JobTimes, overlaps

JOBS = ("a", "ab", "b")
LINES = st.lists(st.tuples(st.sampled_from(JOBS), st.integers(0, 60), st.integers(1, 9)), max_size=6)


def with_interval(burned: bytes, starts_at: int, ends_at: int) -> bytes:
    """Intervals as they are kept, and one more."""
    return burned + struct.pack("<qq", starts_at, ends_at)


def group_of(index: int, lines: list[tuple[str, int, int]]) -> Group:
    """A group with a line for each job, start and length; numbers have gaps, as after refusals."""
    return Group(
        index,
        item="910b",
        ends_at=max((start + length for _, start, length in lines), default=0),
        jobs=" ".join([job for job, _, _ in lines]),
        packed=pack_lines(
            range(0, 2 * len(lines), 2),
            [bool(place % 2) for place in range(len(lines))],
            [start for _, start, _ in lines],
            [start + length for _, start, length in lines],
            range(0, 1_000 * len(lines), 1_000),
            [60] * len(lines),
            range(0, 7 * len(lines), 7),
        ),
        reversed_lines=[],
    )


def statement_of(*groups: Group) -> Statement:
    """A statement of which line 0 was paid by two reservations and line 2 by the second of them."""
    return Statement(
        3,
        at=103,
        text_sha256="",
        contract="h/K1",
        groups=[*groups],
        reservations=("h/r1", "h/r2"),
        payments=pack_payments([[5], [6, 0, 7]]),
        absorbed=[(2, 9)],
        corrected_lines=[],
    )


@dataclass
class Both:
    """Job times, and the groups that they are of."""

    times: JobTimes = field(default_factory=JobTimes)
    groups: list[Group] = field(default_factory=list)

    def lines(self) -> list[tuple[Group, BurnedLine]]:
        """What wasn't taken back."""
        return [
            (one, line)
            for one in self.groups
            for line in statement_of(one).lines()
            if line.number not in one.reversed_lines
        ]

    def add(self, lines: list[tuple[str, int, int]]) -> None:
        """Add a group of those lines that overlap nothing, as the rules do."""
        free: list[tuple[str, int, int]] = []
        for job, start, length in lines:
            taken = any(job == other and start < at + more and at < start + length for other, at, more in free)
            if not taken and not self.times.is_burned(job, start, start + length):
                free.append((job, start, length))
        group = group_of(self.groups[-1].index + 1 if self.groups else 0, free)
        self.times.add(group)
        self.groups.append(group)


@given(st.data(), st.sampled_from((1, 4, job_times.JOBS_BETWEEN_CLOSINGS)))
def test_job_times_are_what_the_statements_say(data: st.DataObject, between_closings: int) -> None:
    """Whatever is added, taken back, forgotten, closed, saved and taken up again."""
    with patch.object(job_times, "JOBS_BETWEEN_CLOSINGS", between_closings):
        _play(data, Both())


def _play(data: st.DataObject, both: Both) -> None:
    for _ in range(data.draw(st.integers(1, 12))):
        step = data.draw(st.sampled_from(["add", "add", "add", "reverse", "forget", "save"]))
        if step == "add":
            both.add(data.draw(LINES))
        elif step == "reverse" and both.lines():
            group, line = data.draw(st.sampled_from(both.lines()))
            group.reversed_lines.append(line.number)
            both.times.reverse(group, line)
        elif step == "forget" and both.groups:
            both.times.forget(both.groups.pop(0))
        elif step == "save":
            both.times = JobTimes(both.groups)
        job, start, length = (
            data.draw(st.sampled_from(JOBS)),
            data.draw(st.integers(0, 60)),
            data.draw(st.integers(1, 9)),
        )
        expected = any(
            line.job == job and start < line.ends_at and line.starts_at < start + length for _, line in both.lines()
        )
        assert both.times.is_burned(job, start, start + length) == expected
    assert {job for job in JOBS if job in both.times} == {line.job for _, line in both.lines()}
    assert both.times == JobTimes(both.groups)
    assert both.times.has_groups == bool(both.groups)


def test_saved_groups_of_long_ago_are_not_looked_into() -> None:
    """A line that begins after all of a group's ended can't overlap them: its columns may be anything."""
    odd = group_of(0, [("a", 10, 5)])
    odd.packed = b""
    times = JobTimes([odd])
    assert not times.is_burned("a", 15, 20)
    with pytest.raises(struct.error):
        times.is_burned("a", 14, 20)


def test_lines_are_unpacked_as_they_were_packed() -> None:
    """By number, and all of them; with who paid, and what was absorbed."""
    group = group_of(3, [("a", 10, 5), ("b", 20, 1), ("a", 30, 1)])
    statement = statement_of(group)
    first = BurnedLine(0, "910b", "a", 10, 15, False, 0, 0, (("h/r1", 5), ("h/r2", 6)), 0)
    second = BurnedLine(2, "910b", "b", 20, 21, True, 60_000, 7, (("h/r2", 7),), 9)
    third = BurnedLine(4, "910b", "a", 30, 31, False, 120_000, 14, (), 0)
    assert list(statement.lines()) == [first, second, third]
    assert [first.paid_fen, second.paid_fen, third.paid_fen] == [11, 7, 0]
    assert (statement.line(2), statement.line(1)) == (second, None)
    assert (statement.group_of(4), statement.group_of(3)) == (group, None)
    assert group.columns().numbers == (0, 2, 4)
    assert group.intervals_of("a") == with_interval(with_interval(b"", 10, 15), 30, 31)


def test_what_a_statement_took_is_without_what_was_taken_back() -> None:
    """By reservation."""
    group = group_of(3, [("a", 10, 5), ("b", 20, 1)])
    statement = statement_of(group)
    assert statement.taken_fen() == {"h/r1": 5, "h/r2": 13}
    group.reversed_lines.append(0)
    assert statement.reversed_lines == {0}
    assert statement.taken_fen() == {"h/r2": 7}
    assert group.unreversed_jobs() == ["b"]


def test_intervals_that_touch_do_not_overlap() -> None:
    """Ends are no part of an interval."""
    burned = with_interval(with_interval(b"", 10, 20), 30, 40)
    assert not overlaps(burned, 20, 30)
    assert overlaps(burned, 19, 20)
    assert overlaps(burned, 0, 50)
