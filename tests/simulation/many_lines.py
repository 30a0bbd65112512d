"""A provider whose statements have hundreds of lines, day after day: what a state keeps of lines, and what that takes.

Everything is decided as a writer decides it, and no statement is signed (taking_logs.py).
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Final

from simulation.taking_logs import DecidedLog
from support.actors import ORIGIN, Actor
from support.burning import BEGIN, founding_notes
from tallystick.vouchers.admit import admit, read_note
from tallystick.vouchers.burns import Group
from tallystick.vouchers.evolve import evolve
from tallystick.vouchers.job_times import JobTimes
from tallystick.vouchers.quantities import DAY_US, SECOND_US, format_second
from tallystick.vouchers.refusals import Refusal
from tallystick.vouchers.state import State

BURN_WINDOW_DAYS: Final = 92
HOURS_A_DAY: Final = 24
KEY: Final = "provider/officer-1"


class ManyLines:
    """The founded network of support/burning.py, whose one provider burns under one contract.

    Attributes:
        log: takes the statements.
        day: how many days have been played.
        lines: how many lines were burned.
        entry_bytes: of their entries.
    """

    def __init__(self) -> None:
        self.log = DecidedLog(ORIGIN)
        self.day = 0
        self.lines = 0
        self.entry_bytes = 0
        self._provider = Actor("provider")
        self._jobs = count(4_700_001)
        self._refs = count()
        for data in founding_notes():
            signed = read_note(data, ORIGIN)
            assert not isinstance(signed, Refusal)
            entry = admit(self.log.state, signed, BEGIN)
            assert not isinstance(entry, Refusal)
            evolve(self.log.state, entry.event)

    @property
    def state(self) -> State:
        """The state after the newest statement."""
        return self.log.state

    def play_day(self, statements: int, lines_each: int) -> None:
        """Burn what ran on the next day, an hour on eight cards a line, as soon as it is over."""
        begin = BEGIN + self.day * DAY_US
        self.day += 1
        hours = [format_second(begin + hour * 3_600 * SECOND_US) for hour in range(HOURS_A_DAY + 1)]
        for _ in range(statements):
            rows = [self._line(hours, number % HOURS_A_DAY) for number in range(lines_each)]
            said = {"ref": f"st-{next(self._refs)}", "contract": "holder/k1"}
            groups = [{"item": "ascend-910b", "lines": rows}]
            command = self._provider.command("time.burn", begin + DAY_US, **said, groups=groups)
            outcome = self.log.take(command, (KEY,), begin + DAY_US)
            assert not isinstance(outcome, Refusal), outcome
            assert not outcome.refused
            self.lines += lines_each
        self.entry_bytes += sum([len(entry.data) for entry in self.log.entries])
        self.log.entries.clear()

    def _line(self, hours: list[str], hour: int) -> list[object]:
        return [f"slurm-{next(self._jobs)}.batch", 8_000, hours[hour], hours[hour + 1], 3_600]


@dataclass(frozen=True)
class LineMemory:
    """What a state keeps of the lines that it remembers, in bytes of Python's objects.

    Attributes:
        lines: how many it remembers.
        packed: their numbers, times and fees, in a byte string a statement.
        payments: who paid each, likewise.
        names: the jobs' names, in a text a statement.
        names_found: by which a job is found: a name for itself each, or what stands for it, and the tables.
    """

    lines: int
    packed: int
    payments: int
    names: int
    names_found: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.packed + self.payments + self.names + self.names_found


def memory_of_lines(state: State) -> LineMemory:
    """Return what a state keeps of its lines."""
    statements = [statement for refs in state.statements.values() for statement in refs.values()]
    groups = [group for statement in statements for group in statement.groups]
    return LineMemory(
        sum([len(group.jobs.split()) for group in groups]),
        sum([sys.getsizeof(group.packed) for group in groups]),
        sum([sys.getsizeof(statement.payments) for statement in statements]),
        sum([sys.getsizeof(group.jobs) for group in groups]),
        sum([_size_of(times) for by_item in state.job_times.values() for times in by_item.values()]),
    )


def _size_of(times: JobTimes) -> int:
    """Return the size of what a job is found by; statements are counted elsewhere."""
    return sum(_sizes_within(times, set()))


def _sizes_within(value: object, seen: set[int]) -> Iterator[int]:
    if isinstance(value, Group) or id(value) in seen:
        return
    seen.add(id(value))
    yield sys.getsizeof(value)
    if isinstance(value, dict):
        for pair in value.items():
            for one in pair:
                yield from _sizes_within(one, seen)
    elif isinstance(value, JobTimes):
        for name in JobTimes.__slots__:
            yield from _sizes_within(getattr(value, name), seen)
    elif isinstance(value, list | tuple | set | frozenset):
        for one in value:
            yield from _sizes_within(one, seen)
