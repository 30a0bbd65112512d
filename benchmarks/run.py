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
import sys
from pathlib import Path
from typing import Final

from figures import FIGURES
from measured import chosen
from places import Place
from results import machine, show, write
from rich.console import Console
from rounds import Part, interleaved

ROUNDS: Final = 5
QUICK: Final = 0.01
"""Scale of a run that is only tried out."""
RESULTS: Final = Path("build/bench.json")


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
    for name, why in missing.items():
        console.print(f"not measured: {name}: {why}", markup=False)
    there = [part for part in parts if part.name not in missing]
    count = told.rounds or (1 if told.quick else ROUNDS)
    scale = QUICK if told.quick else 1.0
    run = {"machine": machine(), "scale": scale, "missing": missing}

    def begins(number: int, part: Part) -> None:
        console.print(f"[dim]{number}/{count} {part.name}: {part.says}[/]", highlight=False)

    summed = write(told.out, FIGURES, run, [])
    with Place(scale, told.out.parent) as place:
        for rounds in interleaved(there, count, place, begins):
            summed = write(told.out, FIGURES, run, rounds)
    show(console, FIGURES, summed)
    console.print(f"written to {told.out}", markup=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
