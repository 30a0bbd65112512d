"""Measures everything in interleaved rounds, in one run, and writes `build/bench.json`.

    run.py                       five rounds of everything, some 15 minutes on two quiet cores
    run.py --quick               one short round, for trying it out: its figures mean nothing
    run.py --only NAME,…         parts alone, or figures with what they are made of (benchmarks/figures.py)
    run.py --rounds N            more rounds, or fewer

The JSON has every key of figures.py, whatever was measured: `median`, `low`, `high`, `goal`, `met` and some more. It is
written after each round. Beside it, in `bench-run.json`, are the machine, what couldn't be measured and why, and every
round's own figures. docs/performance.md says what is compared with what, and why.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import shown
from figures import FIGURES, Figure
from measured import NOT_YET, chosen
from places import Place
from rich.console import Console
from rich.table import Column, Table
from rounds import Part, Round, interleaved, summaries

ROUNDS: Final = 5
QUICK: Final = 0.01
"""Scale of a run that is only tried out."""
RESULTS: Final = Path("build/bench.json")


def machine() -> dict[str, Any]:
    """Return what the figures were measured on, and of what."""
    git = shutil.which("git")
    asked = [git, "rev-parse", "HEAD"] if git else ["true"]
    commit = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit or None,
        "cores": os.cpu_count(),
        "python": sys.version.split()[0],
        "system": platform.platform(),
    }


def write(results: Path, run: Mapping[str, Any], rounds: Sequence[Round]) -> dict[str, dict[str, Any]]:
    """Write what is known after a round, and return it."""
    summed = summaries(FIGURES, rounds)
    results.parent.mkdir(parents=True, exist_ok=True)
    for path, content in ((results, summed), (run_file(results), {**run, "rounds": [dict(one) for one in rounds]})):
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return summed


def run_file(results: Path) -> Path:
    """Return where the run itself is described: beside the results."""
    return results.with_name(f"{results.stem}-run.json")


def show(console: Console, figures: Mapping[str, Figure], summed: Mapping[str, Mapping[str, Any]]) -> None:
    """Print a table for each table of the page, of what was measured."""
    for name, title in shown.TITLES.items():
        there = [one for one in figures.values() if one.table == name and summed[one.key]["median"] is not None]
        if not there:
            continue
        table = Table(Column(title, overflow="fold"), "measured", "goal", "floor", "")
        for one in there:
            result = summed[one.key]
            bounds = shown.bound(one, one.goal), shown.bound(one, one.floor)
            table.add_row(one.key, shown.measured(one, result), *bounds, shown.verdict(result))
        console.print(table)


def options() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one short round, for trying it out")
    parser.add_argument("--only", action="append", default=[], metavar="NAME,…", help="parts or figures")
    parser.add_argument("--rounds", type=int, default=None, help=f"how many (default: {ROUNDS}, or 1 with --quick)")
    parser.add_argument("--out", type=Path, default=RESULTS, help=f"where the JSON goes (default: {RESULTS})")
    return parser.parse_args()


def main() -> int:
    """Measure, write and print."""
    told = options()
    console = Console()
    try:
        parts = chosen([name for names in told.only for name in names.split(",")])
    except ValueError as error:
        console.print(f"{error}", style="red", markup=False)
        return 2
    missing = {part.name: why for part in parts if (why := part.missing()) is not None}
    if not told.only:
        missing |= NOT_YET
    for name, why in missing.items():
        console.print(f"not measured: {name}: {why}", markup=False)
    there = [part for part in parts if part.name not in missing]
    count = told.rounds or (1 if told.quick else ROUNDS)
    scale = QUICK if told.quick else 1.0
    run = {"machine": machine(), "scale": scale, "missing": missing}

    def begins(number: int, part: Part) -> None:
        console.print(f"[dim]{number}/{count} {part.name}: {part.says}[/]", highlight=False)

    summed = write(told.out, run, [])
    with Place(scale, told.out.parent) as place:
        for rounds in interleaved(there, count, place, begins):
            summed = write(told.out, run, rounds)
    show(console, FIGURES, summed)
    console.print(f"written to {told.out}", markup=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
