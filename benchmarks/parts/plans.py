"""Usage planned against a log: ten times as many lines stand in it as there are records, half of which it has."""

from pathlib import Path
from time import process_time

import network
from places import Place
from rounds import Part

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

LINES = 200_000
"""In the log; a tenth as many records."""
LINES_EACH = 500


def measure(place: Place) -> dict[str, float]:
    """A month of records planned against a log of ten times as many lines, and that log read."""
    lines = place.count(LINES, least=5_000)
    records = lines // 10
    where = place.ledger(lines, LINES_EACH)
    usage = place.once("usage to plan", lambda: _usage(where, records))
    begin = process_time()
    with read_ledger(where) as reader:
        for data in reader.entries():
            Entry.from_bytes(data)
    between = process_time()
    made = _planned(where, usage)
    end = process_time()
    assert made.records == records
    assert made.records_already_burned == records // 2
    return {"plan_read_cpu_seconds": between - begin, "plan_cpu_seconds": end - between}


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


PART = Part("plans", measure)
