"""Ten million lines in statements: what a state keeps of each within the burn window, and what is left after it.

`make bench-state` writes build/state.json; docs/performance.md says what came of it. Statements are decided as a writer
decides them, and not signed. All lines lie within one burn window of 92 days; then the provider hands in a line a day.
"""

import argparse
import gc
import json
import os
import resource
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from simulation.many_lines import BURN_WINDOW_DAYS, LineMemory, ManyLines, memory_of_lines
from tallystick.cycle_collection import paused_collection
from tallystick.vouchers.state import State

RESULTS: Final = Path("build/state.json")
DAYS: Final = 90
LAST_DAY: Final = DAYS + BURN_WINDOW_DAYS + 1
MEASURED: Final = frozenset({*range(9, DAYS + 1, 9), 120, 150, LAST_DAY})


@dataclass(frozen=True)
class Row:
    """The state after a day.

    Attributes:
        seconds: of processor time since the row before, to make, read and decide its lines.
        state_bytes: saved.
        resident_bytes: of the process, now; peak_bytes: at most, so far.
    """

    day: int
    entries: int
    lines: int
    log_bytes: int
    kept: LineMemory
    state_bytes: int
    seconds: float
    resident_bytes: int
    peak_bytes: int


def resident_bytes() -> int:
    """Return the memory of this process that is in use."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def measure(lines: ManyLines, since: float) -> Row:
    """Return what there is now."""
    seconds = time.process_time() - since
    resident = resident_bytes()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1_024
    saved, kept, state = len(lines.state.to_bytes()), memory_of_lines(lines.state), lines.state
    return Row(lines.day, state.size, lines.lines, lines.entry_bytes, kept, saved, seconds, resident, peak)


def show(console: Console, rows: list[Row]) -> None:
    """Print them."""
    table = Table(
        "day", "entries", "lines", "kept", "µs a line", "B a line", "jobs found, MB", "saved MB", "RSS MB", "peak"
    )
    before = 0
    for row in rows:
        new, before = row.lines - before, row.lines
        each = f"{row.seconds / new * 1e6:.1f}", f"{row.kept.total / row.kept.lines:.0f}"
        sizes = row.kept.names_found, row.state_bytes, row.resident_bytes, row.peak_bytes
        counts = (row.day, row.entries, row.lines, row.kept.lines)
        table.add_row(*[f"{count:,}" for count in counts], *each, *[f"{size / 1e6:,.1f}" for size in sizes])
    console.print(table)


def main() -> None:
    """Play, measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=10_000_000, help="in all (default: ten million)")
    parser.add_argument("--statement", type=int, default=500, help="lines of a statement (default: 500)")
    told = parser.parse_args()
    console, lines, rows = Console(width=140), ManyLines(), list[Row]()
    statements = -(-told.lines // (told.statement * DAYS))
    since = time.process_time()
    with paused_collection():
        for day in range(1, LAST_DAY + 1):
            if day <= DAYS:
                lines.play_day(statements, told.statement)
            else:
                lines.play_day(1, 1)
            if day in MEASURED:
                rows.append(measure(lines, since))
                console.print(f"[dim]day {day}: {rows[-1].lines:,} lines, {rows[-1].resident_bytes:,} bytes[/]")
                since = time.process_time()
            if day == DAYS:
                read_seconds = read_again(lines.state)
                since = time.process_time()
    show(console, rows)
    machine = {"cores": os.cpu_count(), "python": sys.version.split()[0]}
    figures = {"machine": machine, "statement": told.statement, "read_seconds": read_seconds}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(figures | {"rows": [asdict(row) for row in rows]}, indent=2) + "\n", encoding="utf-8")
    console.print(f"reading the largest state took {read_seconds:.1f} s; written to {RESULTS}")


def read_again(state: State) -> float:
    """Return what processor time it takes to read a state from its bytes."""
    data = state.to_bytes()
    begin = time.process_time()
    again = State.from_bytes(data)
    seconds = time.process_time() - begin
    assert again.size == state.size
    del again
    gc.collect()
    return seconds


if __name__ == "__main__":
    main()
