"""Whatever the order of rows and files: the same lines, and counts that add up; also where runs lie in a spool."""

from collections.abc import Iterable, Iterator
from random import Random
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from support.usage_read import HEADING, gpus, read_texts
from tallystick.metering import runs
from tallystick.metering.run import Device, Payer, Run, Skipped

_TIMES = st.sampled_from(["2026-04-07T00:00:00", "2026-04-07T01:00:00", "2026-04-07T02:00:00", "Unknown", "0", "x"])
_ROWS = st.tuples(
    st.sampled_from(["1", "2", "3_1", "2.batch", "4_[1-9]", "", "x"]),
    st.sampled_from(["maple", "linden", "oak", ""]),
    st.sampled_from(["COMPLETED", "RUNNING", "CANCELLED by 7", "FROBNICATED", "?"]),
    _TIMES,
    _TIMES,
    st.sampled_from(["3600", "0", "7200", "-1", ""]),
    st.sampled_from([gpus("a800", 1), gpus("l40", 2), "gres/gpu=3", "cpu=1", "", "gres/gpu=16?"]),
).map("|".join)


@given(st.lists(_ROWS, max_size=12), st.integers(0, 12), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_no_order_of_rows_and_files_changes_the_lines(rows: list[str], cut: int, chance: Random) -> None:
    """Rows may be repeated, wrong, and cut anywhere into two files."""
    shuffled = list(rows)
    chance.shuffle(shuffled)
    one = read_texts("\n".join((HEADING, *rows)))
    other = read_texts("\n".join((HEADING, *shuffled[:cut])), "\n".join((HEADING, *shuffled[cut:])))
    assert (one.lines, one.burned, one.skipped) == (other.lines, other.burned, other.skipped)
    assert one.counts["records"] == sum(bool(row) for row in rows)


_RUNS = st.builds(
    Run,
    job=st.sampled_from(["1", "2", "3"]),
    starts_at=st.integers(0, 2).map(lambda hour: hour * 3_600_000_000),
    ends_at=st.sampled_from([None, 10_800_000_000]),
    seconds=st.integers(0, 2),
    devices=st.sampled_from([(Device("a800", 1000),), (Device("a800", 2000), Device("l40", 1000))]),
    payer=st.builds(Payer, st.sampled_from(["maple", "linden"]), st.sampled_from(["", "u1"])),
    line=st.integers(1, 9),
    record=st.binary(max_size=3),
    cluster=st.sampled_from(["osprey", "heron"]),
    seen_until=st.sampled_from([None, 7_200_000_000]),
)


class _InMemory:
    def keep(self, pieces: Iterable[bytes], /) -> Iterator[bytes]:
        return iter(list(pieces))


@given(st.lists(_RUNS, max_size=20))
@settings(max_examples=30, deadline=None)
def test_a_spool_changes_nothing(records: list[Run]) -> None:
    """Each record is a run or counted, and each run is there once."""
    held = list(runs.one_each(records))
    with mock.patch.object(runs, "RUNS_IN_MEMORY_MAX", 4):
        assert sorted(map(repr, runs.one_each(records, _InMemory()))) == sorted(map(repr, held))
    kept = [(run.cluster, run.job, run.starts_at) for run in held if isinstance(run, Run)]
    assert len(held) == len(records)
    assert kept == sorted(set(kept), key=lambda of: (of[2], of[0], of[1]))
    assert all(run.reason in ("duplicate", "superseded", "conflict") for run in held if isinstance(run, Skipped))
