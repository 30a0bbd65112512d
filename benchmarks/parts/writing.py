"""What the writer does: statements on one core, on SQLite and PostgreSQL, and single commands from many submitters.

All notes are signed before the clock runs.
"""

import os
import threading
import time

import network
from parts import postgres
from places import LINES_EACH, Place
from rounds import Part

from tallystick.ledger import Ledger

PROCESSES = os.cpu_count() or 1


def measure_statements(place: Place) -> dict[str, float]:
    """Burn lines in signed statements of 200, decided and durable on SQLite, in one process and one thread."""
    with place.folder() as where, network.founded_ledger(where) as ledger:
        return {"statement_lines": _lines_a_second(ledger, place.count(400))}


def measure_postgres(place: Place) -> dict[str, float]:
    """The same on PostgreSQL, with fsync on."""
    with network.founded_database(postgres.fresh_database(place)) as ledger:
        return {"postgres_statement_lines": _lines_a_second(ledger, place.count(400))}


def _lines_a_second(ledger: Ledger, how_many: int) -> float:
    notes = network.statements(how_many, LINES_EACH)
    begin = time.perf_counter()
    ledger.submit(notes)
    seconds = time.perf_counter() - begin
    assert ledger.state.size == network.FOUNDING_ENTRIES + how_many
    return how_many * LINES_EACH / seconds


def measure_single_commands(place: Place) -> dict[str, float]:
    """Single-line signed commands by submitters at once: 4 that hand in 256 each, and 64 that send one by one."""
    count = place.count(6_000, least=512)
    return {
        "single_commands_batched": _commands_a_second(place, count, 4, 256),
        "single_commands_alone": _commands_a_second(place, count, 64, 1),
    }


def _commands_a_second(place: Place, count: int, submitters: int, at_once: int) -> float:
    notes = network.statements(count, 1)
    with place.folder() as where, network.founded_ledger(where, verify_processes=PROCESSES) as ledger:
        ledger.submit(network.statements(64, 1))  # the pool is up

        def submit_share(number: int) -> None:
            share = notes[number::submitters]
            for first in range(0, len(share), at_once):
                ledger.submit(share[first : first + at_once])

        threads = [threading.Thread(target=submit_share, args=(number,)) for number in range(submitters)]
        begin = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - begin
        assert ledger.state.size == network.FOUNDING_ENTRIES + 64 + count
    return count / seconds


PARTS = (
    Part("statements", measure_statements),
    Part("postgres_statements", measure_postgres, postgres.missing),
    Part("single_commands", measure_single_commands),
)
