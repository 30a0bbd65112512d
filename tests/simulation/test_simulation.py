"""The simulator: hundreds of worlds in which everything fails and everything holds, and bugs that it must catch."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from simulation.chance import NO_RATES, RATES, Temper
from simulation.planted import PLANTED, RATES_TO_CATCH
from simulation.world import SimulationError, World, run_seed
from support.schedules import schedule

ROOT = Path(__file__).resolve().parents[2]
SEEDS_A_TEST = schedule(6, 10)
SEEDS_TO_MEET_EVERYTHING = 30
SEEDS = schedule(range(SEEDS_TO_MEET_EVERYTHING + 1, SEEDS_TO_MEET_EVERYTHING + 13), range(1, 121))
SEEDS_TO_CATCH_A_BUG = 120
SEEDS_LEFT_ALONE = schedule(8, SEEDS_TO_MEET_EVERYTHING)
"""After so many, what was not met yet is let happen more often."""

# What must come about in these worlds, or the storm is a breeze.
MET = (
    "takes over at",
    "opens the log at",
    "stands by at",
    "WriterFencedError: another writer made checkpoint",
    "WriterFencedError: another writer has this log now",
    "StoreFailedError: the store kept nothing",
    "StoreFailedError: the store can't be reached",
    "committed at [0-9]+ .* is kept",
    "committed at [0-9]+ .* is lost",
    "again entry",
    "ref_reused_for_other_content",
    "signed_too_long_ago",
    "signed_in_the_future",
    "wrote snapshot.json",
    "wrote checkpoint.cosigned",
    "newest (entry|leaf|checkpoint) (gone|garbled)",
    "(entry|leaf|checkpoint|reference) garbled or gone",
    "cut back from",
    "receipt_contradicted",
    r"a failover: (\d+) entries were shown, (?!\1 )",
    "views: begin anew",
    "views: ends: the views' process, in a transaction",
    "views: ends: the views' process, after a transaction",
)
OFTEN = 300
"""Out of a thousand."""
RATES_TO_MEET = {
    "WriterFencedError: another writer made checkpoint": {"usurp": 500, "fail over at a commit": 0},
    "views: begin anew": {"fail over at a commit": 900, "crash after the commit": 300},
}


@pytest.mark.long
@pytest.mark.parametrize("first", SEEDS[::SEEDS_A_TEST])
def test_everything_holds_whatever_fails(first: int) -> None:
    for seed in range(first, first + SEEDS_A_TEST):
        held(seed)


def held(seed: int, rates: Mapping[str, int] = NO_RATES) -> World:
    try:
        world = run_seed(seed, rates=rates)
    except SimulationError as error:
        raise AssertionError("\n".join([str(error), *error.trace[-40:]])) from error
    assert world.disk.image.size() > len(world.judge.founded), f"nothing came of seed {seed}"
    return world


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_bug_is_caught(name: str) -> None:
    for seed in range(1, SEEDS_TO_CATCH_A_BUG + 1):
        try:
            with PLANTED[name]():
                run_seed(seed, rates=RATES_TO_CATCH.get(name, NO_RATES))
        except SimulationError:
            return
    raise AssertionError(f"{SEEDS_TO_CATCH_A_BUG} seeds are well though {name.replace('_', ' ')}")


def test_enough_bugs_are_planted() -> None:
    assert len(PLANTED) >= 12


def test_every_fault_is_met() -> None:
    not_hit, not_met = set(RATES), {*MET}
    for seed in range(1, 2 * SEEDS_TO_MEET_EVERYTHING + 1):
        wanted = [*sorted(not_hit), *[told for told in MET if told in not_met]][:1]
        rates = RATES_TO_MEET.get(wanted[0], {wanted[0]: OFTEN} if wanted[0] in RATES else NO_RATES)
        world = held(seed, rates if seed > SEEDS_LEFT_ALONE else NO_RATES)
        trace = "\n".join(world.trace)
        not_hit -= world.temper.hit
        not_met = {told for told in not_met if not re.search(told, trace)}
        if not not_hit | not_met:
            return
    raise AssertionError(f"faults that no seed met: {sorted(not_hit | not_met)}")


def test_a_seed_gives_one_history() -> None:
    first, second, other = run_seed(7), run_seed(7), run_seed(8)
    assert first.trace == second.trace
    assert first.digest() == second.digest()
    assert first.digest() != other.digest()


def test_a_seed_gives_the_same_history_in_every_process() -> None:
    """Whatever the order of sets and the names of processes: only the seed counts."""
    told = [run_seed(11).digest()]
    for hash_seed in ("1", "2"):
        ran = _simulate("--seed", "11", "--digest", PYTHONHASHSEED=hash_seed)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        told.append(ran.stdout.strip())
    assert len(set(told)) == 1


def test_a_failure_is_told_with_its_seed_and_what_led_to_it() -> None:
    ran = _simulate("--seed", "1", "--planted", "a_burn_is_posted_twice")
    assert ran.returncode == 1
    assert "seed 1, step " in ran.stdout
    assert "client-" in ran.stdout
    again = World(1)
    with PLANTED["a_burn_is_posted_twice"](), pytest.raises(SimulationError) as error:
        again.run()
    assert str(error.value).split(":", maxsplit=1)[0] in ran.stdout
    assert all(line in ran.stdout for line in error.value.trace)


def test_many_seeds_are_run_at_once() -> None:
    ran = _simulate("--seeds", "2", "--first", "5", "--processes", "2", "--steps", "20")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "seeds 5 to 6: 0 failed" in ran.stdout


def test_a_calm_has_no_faults() -> None:
    temper = Temper(1)
    temper.is_calm = True
    assert not any(temper.hits(name) for name in RATES for _ in range(100))


def _simulate(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "simulation", *arguments]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "tests"), **environment}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False)
