"""The ledger that is measured: the founded network of the tests, and as many signed statements as a measurement wants.

Everything is made before the clock runs.
"""

from itertools import count
from pathlib import Path

from support.burning import LOG_KEY, NOW, Clock, burn_note, founding_notes, skip_jobs
from tallystick.ledger import Ledger, create_ledger
from tallystick.sources import AnySource, parse_source
from tallystick.vouchers.quantities import DAY_US

FOUNDING_ENTRIES = len(founding_notes())

DAYS = 260
"""From the first line of a log in which time passes to its last: a statement is remembered for 92 of them."""

_statements = count()


def statements(how_many: int, lines_each: int, at: int | None = None) -> list[bytes]:
    """Return signed statements of new one-hour jobs on eight cards: of one day, or ended an hour before `at`."""
    return [burn_note(f"bench-{next(_statements)}", lines_each, at=at) for _ in range(how_many)]


def instant_of(line: int, lines: int) -> int:
    """Return when a line of a log comes whose lines are spread over `DAYS`."""
    return NOW + DAYS * DAY_US * line // lines


def skip(how_many: int, lines: int) -> None:
    """Pass over statements, and their jobs, that another process has made of the same ledger."""
    skip_jobs(lines)
    for _ in range(how_many):
        next(_statements)


def founded_ledger(folder: Path, *, verify_processes: int = 0, clock: Clock | None = None) -> Ledger:
    """Return a new ledger in a folder, founded and ready to burn; it goes on by the clock, which stands at `NOW`."""
    return _founded(folder, verify_processes, clock)


def founded_database(url: str) -> Ledger:
    """Return a new ledger in a PostgreSQL database, founded and ready to burn."""
    return _founded(parse_source(url), 0)


def _founded(source: AnySource, verify_processes: int, clock: Clock | None = None) -> Ledger:
    clock = Clock() if clock is None else clock
    genesis, *rest = founding_notes()
    ledger = create_ledger(source, genesis, LOG_KEY, clock=clock, verify_processes=verify_processes)
    ledger.submit(rest)
    clock.at = NOW
    return ledger
