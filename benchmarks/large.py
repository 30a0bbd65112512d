"""Ten million lines, once: written, opened, asked, audited and exported, each in a process of its own.

`make bench-large` writes `build/bench-large.json`, again after each operation: it takes most of an hour. Nothing is
repeated, so low and high are the median. `--lines N` tries it out with fewer. No process may have more than 8 GiB.
"""

import argparse
import sys
from pathlib import Path
from typing import Final

import apart
from figures import ASPECTS, LARGE, LARGE_LINES, LARGE_OPERATIONS
from parts.curve import arguments_of
from places import LINES_EACH, Place, grow_and_audit
from results import machine, show, write
from rich.console import Console

RESULTS: Final = Path("build/bench-large.json")


def main() -> int:
    """Write the ledger, do everything to it, and say what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=LARGE_LINES, help=f"how many (default: {LARGE_LINES:,})")
    parser.add_argument("--out", type=Path, default=RESULTS, help=f"where the JSON goes (default: {RESULTS})")
    told = parser.parse_args()
    console = Console()
    run = {"machine": machine(), "lines": told.lines, "scale": told.lines / LARGE_LINES}
    figures: dict[str, float] = {}

    def keep(operation: str, took: dict[str, float]) -> None:
        figures.update({f"large_{operation}_{aspect}": took[aspect] for aspect in ASPECTS})
        write(told.out, LARGE, run, [figures])
        console.print(
            f"{operation}: {took['cpu_seconds']:,.1f} s of CPU, {took['wall_seconds']:,.1f} s, {took['mb']:,.0f} MB",
            highlight=False,
        )

    with Place(1.0, told.out.parent) as place, place.folder() as folder:
        keep("append", grow_and_audit(folder, told.lines, LINES_EACH))
        for operation, arguments in arguments_of(folder / "ledger", folder).items():
            keep(operation, apart.run(operation, **arguments))
    missing = [name for name in LARGE_OPERATIONS if f"large_{name}_mb" not in figures]
    if missing:
        console.print(f"not measured in this version: {', '.join(missing)}", markup=False)
    summed = write(told.out, LARGE, run, [figures])
    show(console, LARGE, summed)
    return 0 if all(one["met"] is not False for one in summed.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
