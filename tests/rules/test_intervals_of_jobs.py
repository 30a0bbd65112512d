"""Intervals of a job that touch are still several: each is taken out by itself, and only if it is there."""

import struct
from dataclasses import replace

import pytest

from tallystick.vouchers.burns import BurnedLine, Group, Statement, pack_lines
from tallystick.vouchers.job_times import JobTimes, overlaps


def with_interval(burned: bytes, starts_at: int, ends_at: int) -> bytes:
    """Intervals as they are kept, and one more."""
    return burned + struct.pack("<qq", starts_at, ends_at)


def group_of(index: int, *intervals: tuple[int, int]) -> Group:
    """What a statement has of an item: a line of job `a` for each interval."""
    starts, ends = zip(*intervals, strict=True)
    ones = [1] * len(intervals)
    packed = pack_lines(range(len(intervals)), [False] * len(ones), starts, ends, ones, ones, ones)
    return Group(index, "910b", max(ends), " ".join(["a"] * len(ones)), packed, [])


def line_of(starts_at: int, ends_at: int) -> BurnedLine:
    """Line 0, of job `a`."""
    return BurnedLine(0, "910b", "a", starts_at, ends_at, False, 1, 0, (), 0)


def statement_of(group: Group) -> Statement:
    """A statement of one group, for which nobody paid."""
    return Statement(group.index, group.index, "", "h/k", [group], (), b"", [], [])


def test_an_interval_between_two_others_is_told_from_the_end_of_one_and_the_start_of_the_next() -> None:
    """[1, 3) and [5, 7) lie side by side in memory as 1 3 5 7, which isn't [3, 5)."""
    times = JobTimes()
    first, second = group_of(0, (1, 3), (5, 7)), group_of(1, (3, 5))
    times.add(first)
    times.add(second)
    assert all(times.is_burned("a", moment, moment + 1) for moment in range(1, 7))
    second.reversed_lines.append(0)
    times.reverse(second, line_of(3, 5))
    assert [times.is_burned("a", moment, moment + 1) for moment in range(8)] == [
        *(False, True, True, False, False, True, True, False)
    ]


def test_columns_that_do_not_fit_are_damage() -> None:
    """A job without its numbers, and numbers without their job."""
    whole = group_of(0, (1, 3), (5, 7))
    assert [line.starts_at for line in statement_of(whole).lines()] == [1, 5]
    for damaged in (replace(whole, jobs="a"), replace(whole, packed=whole.packed[: len(whole.packed) // 2])):
        with pytest.raises(ValueError, match="zip"):
            list(statement_of(damaged).lines())


def test_what_is_not_burned_is_not_taken_back() -> None:
    """Where two statements have the job; of the interval, start and end must be right."""
    times = JobTimes()
    first, second = group_of(0, (1, 3)), group_of(1, (5, 7))
    times.add(first)
    times.add(second)
    for line in ((1, 4), (0, 3), (3, 5), (8, 9)):
        with pytest.raises(ValueError, match=r"^no such interval is burned$"):
            times.reverse(first, line_of(*line))
    assert times.is_burned("a", 2, 3)
    assert times.is_burned("a", 6, 7)


def test_forgetting_leaves_what_others_say_of_the_job() -> None:
    """And a job of which nothing is left is gone."""
    times = JobTimes()
    first, second, third = group_of(0, (1, 3), (5, 7)), group_of(1, (3, 5)), group_of(2, (9, 10))
    for one in (first, second, third):
        times.add(one)
    times.forget(first)
    assert [times.is_burned("a", moment, moment + 1) for moment in (1, 3, 4, 5, 9)] == [False, True, True, False, True]
    times.forget(second)
    assert "a" in times
    times.forget(third)
    assert "a" not in times
    assert times == JobTimes()


def test_intervals_that_touch_do_not_overlap() -> None:
    """An end is the first moment that is free again."""
    burned = with_interval(with_interval(b"", 10, 20), 30, 40)
    assert len(burned) == 32
    assert not overlaps(burned, 20, 30)
    assert not overlaps(burned, 0, 10)
    assert not overlaps(burned, 40, 50)
    assert overlaps(burned, 0, 11)
    assert overlaps(burned, 19, 21)
    assert overlaps(burned, 39, 50)
    assert overlaps(burned, 0, 50)
    assert not overlaps(b"", 0, 50)


def test_job_times_are_compared_with_their_like() -> None:
    """By what is burned, read from statements or not."""
    times = JobTimes()
    times.add(group_of(0, (0, 1)))
    assert times == JobTimes([group_of(0, (0, 1))])
    assert times != JobTimes()
    assert times != JobTimes([group_of(0, (0, 2))])
    assert times != {"a": [(0, 1)]}
    assert "a" in JobTimes([group_of(0, (0, 1))])
