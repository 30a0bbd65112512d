"""Ten years of seventeen cities: the state's size at each year's end, what is in it, and the time to open the log.

`make bench-decade` writes build/decade.json, and docs/decade.svg from it. `--scale 1` is as large as the cities' own
envelopes make it, `--scale 0.1` takes a minute. docs/performance.md says what came of it.

Everything is decided as a writer decides it, but no note is signed: keys' signatures are taken for good ones. At each
year's end the entries are kept in a real ledger folder, with a saved state beside it, and opened as a writer opens it.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from decade_plot import plot
from rich.console import Console
from rich.table import Table

from simulation.city_programmes import read_cities
from simulation.kept_log import KeptLog
from simulation.taking_logs import DecidedLog
from simulation.ten_years import Cities
from support.actors import ORIGIN
from tallystick.vouchers.state import State

YEARS: Final = 10
FIRST_YEAR: Final = 2026
RESULTS: Final = Path("build/decade.json")
PLOT: Final = Path("docs/decade.svg")


@dataclass(frozen=True)
class YearEnd:
    """What there is at the end of a year.

    Attributes:
        log_bytes: of all entries.
        read_seconds: to read the state from its bytes.
        open_seconds: to open the ledger folder as its writer, saved state and all; all seconds are processor time.
        field_bytes: of the state, by field; accounts of its book and kinds of what has left each for itself.
        there: how many of each kind are in the state.
        left: how many of each kind have ended and left.
    """

    year: int
    entries: int
    log_bytes: int
    state_bytes: int
    read_seconds: float
    open_seconds: float
    play_seconds: float
    field_bytes: dict[str, int]
    there: dict[str, int]
    left: dict[str, int]


def seconds_of(work: Callable[[], object]) -> float:
    """Return what processor time some work took, the median of three times."""
    rounds = []
    for _ in range(3):
        begin = time.process_time()
        work()
        rounds.append(time.process_time() - begin)
    return median(rounds)


def fields_of(data: bytes) -> dict[str, Any]:
    """Return the members of a saved state; those of its book and of what has left by themselves."""
    fields: dict[str, Any] = json.loads(data)
    book, left = fields.pop("book"), fields.pop("left")
    fields |= {f"book {account}": accounts for account, accounts in book["balances"].items()}
    fields["book totals"] = book["totals"]
    return fields | {f"left {kind}": ids for kind, ids in left.items()}


def measure(log: DecidedLog, kept: KeptLog, year: int, played: float) -> YearEnd:
    """Measure the end of a year."""
    kept.keep(log)
    data = log.state.to_bytes()
    fields = fields_of(data)
    kinds = ("vouchers", "contracts", "reservations", "applications", "claims", "demands", "programmes", "parties")
    remembered = ("documents", "payments")
    return YearEnd(
        year,
        log.state.size,
        kept.log_bytes,
        len(data),
        seconds_of(lambda: State.from_bytes(data)),
        seconds_of(kept.open),
        played,
        {name: len(json.dumps(value, separators=(",", ":"), ensure_ascii=False)) for name, value in fields.items()},
        {kind: len(fields[kind]) for kind in (*kinds, *remembered)},
        {name.removeprefix("left "): len(ids) for name, ids in fields.items() if name.startswith("left ")},
    )


def show(console: Console, ends: list[YearEnd]) -> None:
    """Print a row a year, and what grows."""
    table = Table("year", "entries", "log MB", "state MB", "vouchers", "ids left", "read s", "open s", "played s")
    for end in ends:
        sizes = f"{end.log_bytes / 1e6:,.1f}", f"{end.state_bytes / 1e6:,.2f}"
        counts = f"{end.there['vouchers']:,}", f"{sum(end.left.values()):,}"
        times = f"{end.read_seconds:.2f}", f"{end.open_seconds:.2f}", f"{end.play_seconds:.0f}"
        table.add_row(str(end.year), f"{end.entries:,}", *sizes, *counts, *times)
    console.print(table)
    first, last = ends[min(2, len(ends) - 1)], ends[-1]
    grown = {name: size - first.field_bytes.get(name, 0) for name, size in last.field_bytes.items()}
    table = Table("field", f"bytes at the end of {last.year}", f"grown since {first.year}")
    for name in sorted(grown, key=lambda name: -grown[name])[:24]:
        table.add_row(name, f"{last.field_bytes[name]:,}", f"{grown[name]:,}")
    console.print(table)


def main() -> None:
    """Play, measure, print, write and plot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="of the cities' own envelopes (default: 1)")
    parser.add_argument("--years", type=int, default=YEARS)
    parser.add_argument("--lines", type=int, default=4, help="lines of a statement (default: 4)")
    parser.add_argument("--plot", action="store_true", help="draw docs/decade.svg too")
    told = parser.parse_args()
    console = Console()
    log = DecidedLog(ORIGIN)
    cities = Cities(log, read_cities(told.scale), FIRST_YEAR, told.lines)
    ends: list[YearEnd] = []
    Path("build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir="build") as folder:
        kept = KeptLog(Path(folder))
        begin = time.process_time()
        for year in cities.years(told.years):
            ends.append(measure(log, kept, year, time.process_time() - begin))
            console.print(f"[dim]{year}: {ends[-1].entries:,} entries, {ends[-1].state_bytes:,} bytes of state[/]")
            begin = time.process_time()
    show(console, ends)
    machine = {"cores": os.cpu_count(), "python": sys.version.split()[0], "system": platform.platform()}
    figures = {"machine": machine, "scale": told.scale, "lines": told.lines, "years": [asdict(end) for end in ends]}
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    console.print(f"written to {RESULTS}")
    if told.plot:
        PLOT.write_text(plot(figures), encoding="utf-8")
        console.print(f"drawn to {PLOT}")


if __name__ == "__main__":
    main()
