"""Many seeds, in one process or several; what came of them is told in the order of the seeds."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Final

from simulation.world import SimulationError, World

SEEDS_A_TASK: Final = 5

Outcome = tuple[int, str, list[str]]
"""A seed; why it failed, empty if it didn't; and then its trace."""


def outcomes(first: int, seeds: int, steps: int, processes: int) -> Iterator[Outcome]:
    """Run so many seeds."""
    tasks = [(seed, steps) for seed in range(first, first + seeds)]
    if processes <= 1:
        yield from map(_outcome, tasks)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_outcome, tasks, chunksize=max(1, min(SEEDS_A_TASK, seeds // processes)))


def _outcome(task: tuple[int, int]) -> Outcome:
    seed, steps = task
    world = World(seed, steps)
    try:
        world.run()
    except SimulationError as error:
        return seed, str(error), world.trace
    return seed, "", []
