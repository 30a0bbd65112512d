"""Run seeds: `python -m simulation --seeds 1000`, or one of them with its trace: `python -m simulation --seed 17`."""

import argparse
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from typing import Final

from simulation.chance import NO_RATES
from simulation.planted import PLANTED, RATES_TO_CATCH
from simulation.running import outcomes
from simulation.world import STEPS, SimulationError, World

LINES_SHOWN: Final = 40
SEEDS_BETWEEN_REPORTS: Final = 50


def main() -> int:
    """Return 0 if everything held in every seed."""
    told = _arguments()
    if told.seed is not None:
        return _run_one(told.seed, told.steps, told.planted, digest_only=told.digest)
    began, failed = time.monotonic(), 0
    for done, (seed, why, trace) in enumerate(outcomes(told.first, told.seeds, told.steps, told.processes), 1):
        if why:
            failed += 1
            print(f"\n{why}\n", *trace[-LINES_SHOWN:], sep="\n")
            print(f"\nagain: PYTHONPATH=tests python -m simulation --seed {seed} --steps {told.steps}\n", flush=True)
        if done % SEEDS_BETWEEN_REPORTS == 0:
            print(f"{done} of {told.seeds} seeds, {failed} failed", flush=True)
    last = told.first + told.seeds - 1
    print(f"seeds {told.first} to {last}: {failed} failed, in {time.monotonic() - began:.0f} s")
    return 1 if failed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulation", description="Deterministic simulation of the ledger.")
    parser.add_argument("--seeds", type=int, default=300, help="how many seeds to run (default: 300)")
    parser.add_argument("--first", type=int, default=1, help="the first of them (default: 1)")
    parser.add_argument("--processes", type=int, default=1, help="how many at once (default: 1)")
    parser.add_argument("--steps", type=int, default=STEPS, help=f"how long the storm is (default: {STEPS})")
    parser.add_argument("--seed", type=int, help="run this seed alone, and show everything that happens")
    parser.add_argument("--digest", action="store_true", help="with --seed: show only what tells two runs apart")
    parser.add_argument("--planted", choices=PLANTED, help="with --seed: plant this bug first")
    return parser.parse_args()


def _run_one(seed: int, steps: int, planted: str | None, *, digest_only: bool) -> int:
    world, bug = World(seed, steps, RATES_TO_CATCH.get(planted or "", NO_RATES)), _bug(planted)
    why = None
    with bug:
        try:
            world.run()
        except SimulationError as error:
            why = error
    if not digest_only:
        print(*world.trace, sep="\n")
    print(world.digest())
    if why is not None:
        print(f"\n{why}")
        if why.__cause__ is not None and not digest_only:
            sys.stdout.flush()
            sys.excepthook(type(why.__cause__), why.__cause__, why.__cause__.__traceback__)
        return 1
    return 0


def _bug(planted: str | None) -> AbstractContextManager[None]:
    return nullcontext() if planted is None else PLANTED[planted]()


if __name__ == "__main__":
    sys.exit(main())
