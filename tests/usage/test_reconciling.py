"""Usage and log compared: each run and each line is in one list, whatever is wrong with it."""

import random

from support.metered import logged, standing, used
from tallystick.metering.run import UsageLine
from tallystick.usage.planning import by_spell
from tallystick.usage.reconciling import Reconciliation, Window, reconcile
from tallystick.usage.standing import LoggedLine

H100 = "h100-80g"
CEDAR = "cedar-vision/c-7"


def compared(usage: list[UsageLine], lines: list[LoggedLine], window: Window | None = None) -> Reconciliation:
    return reconcile(by_spell(usage), standing(*lines), window or Window())


def test_both_ways() -> None:
    """One job of each kind."""
    usage = [
        used("heron/1", 0, 1_000, gpus=2),
        used("heron/2", 0, 500, item=H100),
        used("heron/3", 0, 600, gpus=4, item=H100, contract=CEDAR, holder="cedar-vision"),
        used("heron/4", 0, 100),
        used("heron/6", 0, 300),
        used("heron/7", 0, 100),
        used("heron/8", 0, 900, so_far=True),
        used("heron/9", 0, 600),
    ]
    lines = [
        logged("heron/1", 0, 1_000, gpus=2),
        logged("heron/3", 0, 600, seconds=540, gpus=4, item=H100, contract=CEDAR),
        logged("heron/4", 0, 40),
        logged("heron/4", 40, 100, place=("s-2", 0)),
        logged("heron/5", 0, 250),
        logged("heron/7", 0, 100, contract=CEDAR),
        logged("heron/8", 0, 600),
        logged("heron/9", 0, 600),
        logged("heron/9", 3_600, 4_200, place=("s-4", 0)),
    ]
    found = compared(usage, lines)
    assert [(one.usage.job, len(one.lines)) for one in found.matched] == [
        ("heron/1", 1),
        ("heron/4", 2),
    ]
    assert [one.job for one in found.missing_in_ledger] == ["heron/2", "heron/6"]
    assert [one.job for one in found.missing_in_usage] == ["heron/5"]
    assert [(one.one.usage.job, *one.differences) for one in found.differs] == [
        ("heron/3", ("seconds", 600, 540)),
        ("heron/7", ("holder", "birch-ai", "cedar-vision")),
    ]
    (more,) = found.burned_more_than_used
    assert (more.job, [line.place for line in more.extra], len(more.runs)) == ("heron/9", [("s-4", 0)], 1)
    assert (more.usage_gpu_milliseconds, more.ledger_gpu_milliseconds) == (600_000, 1_200_000)
    ((running, (burned,)),) = found.still_running
    assert (running.job, burned.gpu_milliseconds) == ("heron/8", 600_000)
    assert found.is_open
    assert sum(totals.usage for totals in found.by.values()) == sum(
        one.gpu_milliseconds for one in usage if not one.so_far
    )
    assert sum(totals.ledger for totals in found.by.values()) == sum(line.gpu_milliseconds for line in lines)
    assert sum(totals.fee_fen for totals in found.by.values()) == 900


def test_each_thing_that_differs_is_named_with_both_values() -> None:
    def differing(usage: UsageLine, *lines: LoggedLine) -> list[tuple[object, ...]]:
        (found,) = compared([usage], list(lines)).differs
        return [tuple(one) for one in found.differences]

    assert differing(used("heron/1", 0, 60), logged("heron/1", 0, 60, gpus=2)) == [("gpu_milli", 1_000, 2_000)]
    assert differing(used("heron/1", 0, 60), logged("heron/1", 0, 60, contract="birch-ai/c-2")) == [
        ("contract", "birch-ai/c-1", "birch-ai/c-2")
    ]
    assert differing(used("heron/1", 0, 60), logged("heron/1", 0, 60, item=H100)) == [("item", "a100-80g", H100)]
    assert differing(used("heron/1", 60, 120), logged("heron/1", 0, 90)) == [
        ("from", "2026-03-15T00:01:00Z", "2026-03-15T00:00:00Z"),
        ("seconds", 60, 90),
    ]
    assert differing(used("heron/1", 0, 60), logged("heron/1", 0, 30)) == [("seconds", 60, 30)]


def test_a_run_is_compared_in_the_window_in_which_it_ends() -> None:
    """With its lines, wherever these end; so nothing is compared twice, or never."""
    usage = [used("heron/1", 0, 100), used("heron/2", 0, 200), used("heron/3", 0, 300)]
    lines = [
        logged("heron/1", 0, 100),
        logged("heron/2", 0, 90),
        logged("heron/2", 90, 200),
        logged("heron/3", 0, 150),
        logged("heron/3", 150, 300),
        logged("heron/4", 0, 80),
    ]
    from support.metered import us

    found = compared(usage, lines, Window(us(101), us(201)))
    assert [one.usage.job for one in found.matched] == ["heron/2"]
    assert not found.is_open
    assert found.outside_window == {"records": 2, "lines": 4}
    first = compared(usage, lines, Window(us(0), us(101)))
    assert ([one.usage.job for one in first.matched], [one.job for one in first.missing_in_usage]) == (
        ["heron/1"],
        ["heron/4"],
    )


def test_whatever_is_changed_in_a_log_is_found() -> None:
    """A log that agrees, with one line dropped, doubled or changed: exactly that is open."""
    chance = random.Random(7)
    for _ in range(50):
        usage = [used(f"heron/{number}", 0, 100 + number, gpus=1 + number % 3) for number in range(20)]
        lines = [
            logged(one.job, 0, one.seconds, gpus=one.gpu_milli // 1_000, place=("s", number))
            for number, one in enumerate(usage)
        ]
        assert not compared(usage, lines).is_open
        place = chance.randrange(20)
        line = lines[place]
        how = chance.choice(["dropped", "doubled", "shorter", "more"])
        if how == "dropped":
            del lines[place]
        elif how == "doubled":
            lines.append(logged(line.job, 5_000, 5_100, place=("other", 0)))
        elif how == "shorter":
            lines[place] = line._replace(seconds=line.seconds - 1)
        else:
            lines[place] = line._replace(gpu_milli=line.gpu_milli + 1)
        found = compared(usage, lines)
        of_job = {
            "dropped": [one.job for one in found.missing_in_ledger],
            "doubled": [one.job for one in found.burned_more_than_used],
            "shorter": [one.one.usage.job for one in found.differs],
            "more": [one.one.usage.job for one in found.differs],
        }[how]
        assert of_job == [f"heron/{place}"]
        assert len(found.matched) == 19
