"""Usage planned against a log: ten times as many lines stand in it as there are records, half of which it has."""

import os
import resource
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from statistics import median
from time import process_time

import network

from support.burning import NOW
from tallystick.cycle_collection import paused_collection
from tallystick.metering.run import UsageLine
from tallystick.publishing import read_ledger
from tallystick.usage.planning import Plan, by_spell, plan
from tallystick.usage.splitting import Cuts
from tallystick.usage.standing import standing_of
from tallystick.usage.statements import statements_of
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.quantities import SECOND_US
from tallystick.vouchers.rules.burning import TimeBurn

LINES = int(os.environ.get("TALLYSTICK_USAGE_LINES", "200000"))
"""In the log; a tenth as many records. The goal is of 1,000,000."""
LINES_EACH = 500
CEILINGS = {"a month planned against its log, to reading the log": 2.0}


def measure(folder: Callable[[], AbstractContextManager[Path]], lines: int) -> dict[str, float]:
    """A month of records planned against a log of ten times as many lines, and that log read."""
    records = lines // 10
    with folder() as where:
        with network.founded_ledger(where) as ledger:
            for _ in range(0, lines, 20 * LINES_EACH):
                ledger.submit(network.statements(20, LINES_EACH))
        usage = _usage(where, records)
        read_seconds, plan_seconds = [], []
        for _ in range(3):
            begin = process_time()
            with read_ledger(where) as reader:
                for data in reader.entries():
                    Entry.from_bytes(data)
            read_seconds.append(process_time() - begin)
            begin = process_time()
            made = _planned(where, usage)
            plan_seconds.append(process_time() - begin)
        assert made.records == records
        assert made.records_already_burned == records // 2
    return {
        "CPU seconds to read the log": median(read_seconds),
        "CPU seconds to plan against it": median(plan_seconds),
        "MiB of memory at most": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024,
    }


def compared(figures: dict[str, float]) -> dict[str, float]:
    """Return the ratio that counts."""
    ratio = figures["CPU seconds to plan against it"] / figures["CPU seconds to read the log"]
    return {"a month planned against its log, to reading the log": ratio}


def _planned(where: Path, usage: list[UsageLine]) -> Plan:
    spells = by_spell(usage)
    with read_ledger(where) as reader, paused_collection():  # as the command does
        standing = standing_of(reader.entries(), "provider", {job for job, _ in spells})
    made = plan(spells, standing, Cuts(standing.utc_offset_us))
    assert sum(len(one.lines) for one in statements_of(made.burns)) == len(made.burns)
    return made


def _usage(where: Path, records: int) -> list[UsageLine]:
    """Return records of which the log has every second one."""
    known: list[UsageLine] = []
    with read_ledger(where) as reader:
        for data in reader.entries(network.FOUNDING_ENTRIES):
            command = Entry.from_bytes(data).event.command
            assert isinstance(command, TimeBurn)
            for item, line in command.lines():
                if len(known) < records // 2:
                    times = (line.starts_at, line.ends_at, line.seconds)
                    known.append(UsageLine(command.contract, item, line.job, line.gpu_milli, *times, len(known) + 1))
    one = known[0]
    begin = NOW - 7_200 * SECOND_US
    new = [
        one._replace(job=f"new/{number}", starts_at=begin, ends_at=begin + 600 * SECOND_US, seconds=600)
        for number in range(records - len(known))
    ]
    return known + new
