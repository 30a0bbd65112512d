"""Usage minus what stands: the rest is burned, what shouldn't stand is named, and nothing is burned twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.metered import CONTRACT, DAY, logged, standing, us, used
from tallystick.metering.run import UsageLine
from tallystick.usage.planning import Plan, PlannedLine, WhyReversed, by_spell, plan
from tallystick.usage.splitting import Cuts, within_bounds
from tallystick.usage.standing import LoggedLine, Standing
from tallystick.usage.statements import statements_of
from tallystick.vouchers.quantities import SECOND_US

MONTH_END = 17 * 86_400 - 8 * 3_600  # midnight of 1 April in the network's zone


def planned(usage: list[UsageLine], there: Standing, cuts: Cuts | None = None) -> Plan:
    return plan(by_spell(within_bounds(usage)), there, cuts or Cuts(there.utc_offset_us))


def spans(lines: list[PlannedLine]) -> list[tuple[int, int, int]]:
    """Begin and end in seconds of the day, and the seconds."""
    return [((line.starts_at - DAY) // SECOND_US, (line.ends_at - DAY) // SECOND_US, line.seconds) for line in lines]


def test_what_does_not_stand_is_burned() -> None:
    found = planned([used("heron/1", 0, 100)], standing())
    assert (spans(found.burns), found.reversals) == ([(0, 100, 100)], [])
    assert (found.records, found.records_already_burned) == (1, 0)


def test_what_stands_in_one_line_or_in_parts_is_counted() -> None:
    there = standing(logged("heron/1", 0, 100), logged("heron/2", 0, 40), logged("heron/2", 40, 100))
    found = planned([used("heron/1", 0, 100), used("heron/2", 0, 100)], there)
    assert (found.burns, found.reversals) == ([], [])
    assert (found.records_already_burned, found.already_burned_gpu_milliseconds) == (2, 200_000)


@pytest.mark.parametrize(
    ("usage", "there", "rest"),
    [
        pytest.param(used("heron/1", 0, 100), [(0, 40, 40)], [(40, 100, 60)], id="grew"),
        pytest.param(used("heron/1", 0, 100, seconds=70), [(0, 40, 40)], [(40, 100, 30)], id="grew, suspended since"),
        pytest.param(used("heron/1", 0, 100), [(20, 40, 20)], [(0, 20, 20), (40, 100, 60)], id="around"),
        pytest.param(used("heron/1", 0, 100, seconds=40), [(0, 40, 40)], [], id="suspended ever since"),
        pytest.param(used("heron/1", 0, 40, so_far=True), [(0, 70, 70)], [], id="an earlier export"),
    ],
)
def test_the_rest_is_burned_in_the_time_that_is_free(
    usage: UsageLine, there: list[tuple[int, int, int]], rest: list[tuple[int, int, int]]
) -> None:
    lines = [logged("heron/1", begin, end, seconds=seconds) for begin, end, seconds in there]
    found = planned([usage], standing(*lines))
    assert (spans(found.burns), found.reversals, found.awaiting) == (rest, [], [])


@pytest.mark.parametrize(
    ("usage", "line", "why"),
    [
        pytest.param(used("heron/1", 0, 60), logged("heron/1", 0, 100), WhyReversed.OUTSIDE_RUN, id="shrank"),
        pytest.param(used("heron/1", 0, 60), logged("heron/1", 0, 60, seconds=50), WhyReversed.OTHER_SECONDS, id="s"),
        pytest.param(used("heron/1", 0, 60), logged("heron/1", 0, 60, gpus=2), WhyReversed.OTHER_GPU_MILLI, id="gpus"),
        pytest.param(
            used("heron/1", 0, 60),
            logged("heron/1", 0, 60, contract="cedar-vision/c-7"),
            WhyReversed.OTHER_CONTRACT,
            id="contract",
        ),
    ],
)
def test_what_stands_and_should_not_is_proposed_and_awaited(usage: UsageLine, line: LoggedLine, why: str) -> None:
    """Nothing of the run is burned until the line was taken back; then all of it is."""
    found = planned([usage], standing(line))
    assert ([(one.line, one.why) for one in found.reversals], found.burns) == ([(line, why)], [])
    assert [one.awaits for one in found.awaiting] == [(line.place,)]
    after = planned([usage], standing(reversed_=[line]))
    assert (spans(after.burns), after.reversals) == (spans(found.awaiting), [])


def test_a_line_of_another_item_at_a_runs_time_is_taken_back_first() -> None:
    """A mapping that was mended must not burn the same time again: a job may use two items, and then both are known."""
    wrong = logged("heron/1", 0, 100, item="h100-80g")
    found = planned([used("heron/1", 0, 100), used("heron/1", 200, 300)], standing(wrong))
    assert [(one.line, one.why) for one in found.reversals] == [(wrong, WhyReversed.OTHER_ITEM)]
    assert (spans(found.awaiting), spans(found.burns)) == ([(0, 100, 100)], [(200, 300, 100)])
    assert (found.records, found.records_already_burned) == (2, 0)
    both = [used("heron/1", 0, 100), used("heron/1", 0, 100, item="h100-80g")]
    right = planned(both, standing(wrong))
    assert (spans(right.burns), right.reversals, right.awaiting) == ([(0, 100, 100)], [], [])
    twice = planned([used("heron/1", 0, 100)], standing(wrong, logged("heron/1", 0, 100, place=("s-2", 0))))
    assert ([one.line for one in twice.reversals], twice.burns, twice.awaiting) == ([wrong], [], [])
    elsewhere = planned([used("heron/1", 200, 300)], standing(wrong))
    assert (elsewhere.reversals, spans(elsewhere.burns)) == ([], [(200, 300, 100)])


def test_only_the_part_that_is_wrong_is_taken_back() -> None:
    first, second = logged("heron/1", 0, 50, place=("s-1", 0)), logged("heron/1", 50, 100, place=("s-2", 0))
    found = planned([used("heron/1", 0, 80)], standing(first, second))
    assert [one.line for one in found.reversals] == [second]
    assert spans(found.awaiting) == [(50, 80, 30)]


def test_after_a_seal_a_line_corrects_what_it_lies_within_once_and_else_is_late() -> None:
    """As edition 1 has it: no more GPU-time than the line took, and of the same holder."""
    gone = logged("heron/1", 0, 100)
    there = standing(reversed_=[gone], sealed_until=86_400)
    assert planned([used("heron/1", 0, 60)], there).burns[0].corrects == ("s-1", 0)
    for usage in (used("heron/1", 0, 110), used("heron/1", 0, 60, contract="cedar-vision/c-7")):
        (line,) = planned([usage], there).burns
        assert (line.corrects, line.is_late) == (None, True)
    again = standing(reversed_=[gone], sealed_until=86_400, corrected=["s-1"])
    assert planned([used("heron/1", 0, 60)], again).burns[0].is_late


def test_growth_after_a_seal_is_late_and_the_line_stays() -> None:
    found = planned([used("heron/1", 0, 100)], standing(logged("heron/1", 0, 40), sealed_until=86_400))
    assert (spans(found.burns), [line.is_late for line in found.burns]) == ([(40, 100, 60)], [True])
    assert found.reversals == []


def test_what_ends_after_the_sealed_days_is_an_ordinary_line() -> None:
    (line,) = planned([used("heron/1", 86_000, 87_000)], standing(sealed_until=86_400)).burns
    assert not line.is_late


def test_lines_are_cut_at_the_networks_midnights() -> None:
    there = standing()
    run = used("heron/1", MONTH_END - 90_000, MONTH_END + 10)
    by_month = planned([run], there, Cuts(there.utc_offset_us, "month")).burns
    assert spans(by_month) == [(MONTH_END - 90_000, MONTH_END, 90_000), (MONTH_END, MONTH_END + 10, 10)]
    by_day = planned([run], there, Cuts(there.utc_offset_us, "day")).burns
    assert [line.seconds for line in by_day] == [90_000 - 86_400, 86_400, 10]
    assert sum(line.seconds for line in by_day) == run.seconds


def test_a_suspended_run_is_not_cut_and_that_is_said() -> None:
    there = standing()
    run = used("heron/1", MONTH_END - 100, MONTH_END + 100, seconds=150)
    found = planned([run], there, Cuts(there.utc_offset_us, "month"))
    assert (spans(found.unsplit), len(found.burns)) == ([(MONTH_END - 100, MONTH_END + 100, 150)], 1)


def test_more_than_a_line_holds_is_several() -> None:
    """More than 10,000 GPUs are several names, and more than 366 days several intervals."""
    many = planned([used("heron/1", 0, 10, gpus=25_000)], standing()).burns
    assert [(line.usage.job, line.usage.gpu_milli) for line in many] == [
        ("heron/1:1", 10_000_000),
        ("heron/1:2", 10_000_000),
        ("heron/1:3", 5_000_000),
    ]
    long = planned([used("heron/1", 0, 400 * 86_400)], standing()).burns
    assert [line.seconds for line in long] == [366 * 86_400, 34 * 86_400]


def test_a_reference_follows_from_the_lines_and_what_they_replace() -> None:
    usage = [used(f"heron/{number}", 0, 100) for number in range(3)]
    (first,), (again,) = (list(statements_of(planned(usage, standing()).burns)) for _ in range(2))
    assert first == again
    gone = logged("heron/1", 0, 100)
    (other,) = statements_of(planned(usage, standing(reversed_=[gone])).burns)
    assert (other.lines[0].usage, other.ref == first.ref) == (first.lines[0].usage, False)


def test_statements_are_filled_by_contract() -> None:
    usage = [used(f"heron/{number}", 0, 100) for number in range(1_500)]
    usage += [used("heron/x", 0, 100, contract="cedar-vision/c-7")]
    found = list(statements_of(planned(usage, standing()).burns))
    assert [one.contract for one in found] == [CONTRACT] * (len(found) - 1) + ["cedar-vision/c-7"]
    assert sum(len(one.lines) for one in found) == 1_501
    assert len(found[0].lines) > 500
    assert len({one.ref for one in found}) == len(found)


@given(st.lists(st.tuples(st.integers(1, 50), st.booleans()), min_size=1, max_size=12))
def test_whatever_grows_is_burned_once_each_second(steps: list[tuple[int, bool]]) -> None:
    """Export after export of a run, some of them lost: in the end each second was burned once."""
    lines: list[LoggedLine] = []
    end = 0
    for number, (grown, is_lost) in enumerate(steps):
        end += grown
        if is_lost and number < len(steps) - 1:
            continue
        usage = used("heron/1", 0, end, so_far=number < len(steps) - 1)
        found = planned([usage], standing(*lines))
        assert found.reversals == []
        lines += [
            logged("heron/1", begin, until, seconds=seconds, index=number)
            for begin, until, seconds in spans(found.burns)
        ]
    lines.sort()
    assert sum(line.seconds for line in lines) == end
    assert [lines[0].starts_at, *[line.ends_at for line in lines]] == [
        *[line.starts_at for line in lines],
        us(end),
    ]
