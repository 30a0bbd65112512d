"""What is burned of a job is what the statements remembered say, read from them at once, later, or never."""

import struct
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.vouchers.burns import BurnedLine, JobTimes, Statement, overlaps, pack_line, with_interval

JOBS = ("a", "ab", "b")
LINES = st.lists(st.tuples(st.sampled_from(JOBS), st.integers(0, 60), st.integers(1, 9)), max_size=6)


def statement_of(index: int, lines: list[tuple[str, int, int]]) -> Statement:
    """A statement with a line for each job, start and length; numbers have gaps, as after refusals."""
    return Statement(
        index,
        at=100 + index,
        text_sha256="",
        holder="h",
        ends_at=max((start + length for _, start, length in lines), default=0),
        reservations=("h/r1", "h/r2"),
        jobs=" ".join([job for job, _, _ in lines]),
        packed=b"".join(
            [
                pack_line(2 * place, place % 2, start, start + length, 7 * place)
                for place, (_, start, length) in enumerate(lines)
            ]
        ),
        reversed_lines=[],
    )


@dataclass
class Both:
    """Job times, and the statements that they are of."""

    times: JobTimes = field(default_factory=JobTimes)
    statements: list[Statement] = field(default_factory=list)

    def lines(self) -> list[tuple[Statement, BurnedLine]]:
        """What wasn't taken back."""
        return [(one, line) for one in self.statements for line in one.lines() if line.number not in one.reversed_lines]

    def add(self, lines: list[tuple[str, int, int]]) -> None:
        """Add a statement of those lines that overlap nothing, as the rules do."""
        free: list[tuple[str, int, int]] = []
        for job, start, length in lines:
            taken = any(job == other and start < at + more and at < start + length for other, at, more in free)
            if not taken and not self.times.is_burned(job, start, start + length):
                free.append((job, start, length))
        statement = statement_of(self.statements[-1].index + 1 if self.statements else 0, free)
        self.times.add(statement)
        self.statements.append(statement)


@given(st.data())
def test_job_times_are_what_the_statements_say(data: st.DataObject) -> None:
    """Whatever is added, taken back, forgotten, saved and taken up again."""
    both = Both()
    for _ in range(data.draw(st.integers(1, 12))):
        step = data.draw(st.sampled_from(["add", "add", "add", "reverse", "forget", "save"]))
        if step == "add":
            both.add(data.draw(LINES))
        elif step == "reverse" and both.lines():
            statement, line = data.draw(st.sampled_from(both.lines()))
            statement.reversed_lines.append(line.number)
            both.times.reverse(statement, line)
        elif step == "forget" and both.statements:
            both.times.forget(both.statements.pop(0))
        elif step == "save":
            both.times = JobTimes(both.statements)
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
    assert both.times == JobTimes(both.statements)


def test_saved_statements_of_long_ago_are_not_looked_into() -> None:
    """A line that begins after all of a statement's ended can't overlap them: its columns may be anything."""
    odd = statement_of(0, [("a", 10, 5)])
    odd.packed = b""
    times = JobTimes([odd])
    assert not times.is_burned("a", 15, 20)
    with pytest.raises(struct.error):
        times.is_burned("a", 14, 20)


def test_lines_are_unpacked_as_they_were_packed() -> None:
    """By number, and all of them."""
    statement = statement_of(3, [("a", 10, 5), ("b", 20, 1)])
    assert list(statement.lines()) == [BurnedLine(0, "h/r1", "a", 10, 15, 0), BurnedLine(2, "h/r2", "b", 20, 21, 7)]
    assert statement.line(2) == BurnedLine(2, "h/r2", "b", 20, 21, 7)
    assert statement.line(1) is None


def test_intervals_that_touch_do_not_overlap() -> None:
    """Ends are no part of an interval."""
    burned = with_interval(with_interval(b"", 10, 20), 30, 40)
    assert not overlaps(burned, 20, 30)
    assert overlaps(burned, 19, 20)
    assert overlaps(burned, 0, 50)
