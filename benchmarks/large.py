"""Ten million lines, once: written, opened, asked, exported, audited in one piece and in segments, each by itself.

`make bench-large` writes `build/bench-large.json`, again after each operation: it takes most of an hour. Nothing is
repeated, so low and high are the median. `--lines N` tries it out with fewer. No process may have more than 8 GiB.
"""

import argparse
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import apart
from figures import ASPECTS, LARGE, LARGE_LINES, LARGE_OPERATIONS
from parts.curve import arguments_of
from parts.dask_cluster import cluster
from parts.dask_cluster import missing as dask_missing
from places import LINES_EACH, Place, grow_and_audit
from results import machine, show, write
from rich.console import Console

from tallystick.transparency.merkle import TILE_WIDTH

RESULTS: Final = Path("build/bench-large.json")
SEGMENTS: Final = 16
"""Of the export, some: as many saved states, and entries after the last one."""


Keep = Callable[[str, Mapping[str, float]], None]
"""Takes what an operation took."""


def main() -> int:
    """Write the ledger, do everything to it, and say what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=LARGE_LINES, help=f"how many (default: {LARGE_LINES:,})")
    parser.add_argument("--out", type=Path, default=RESULTS, help=f"where the JSON goes (default: {RESULTS})")
    told = parser.parse_args()
    console = Console()
    run = {"machine": machine(), "lines": told.lines, "scale": told.lines / LARGE_LINES}
    figures: dict[str, float] = {}

    def keep(operation: str, took: Mapping[str, float]) -> None:
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
        audit_in_segments(folder, told.lines // LINES_EACH, keep)
    missing = [name for name in LARGE_OPERATIONS if f"large_{name}_mb" not in figures]
    if missing:
        console.print(f"not measured: {', '.join(missing)}: {dask_missing()}", markup=False)
    summed = write(told.out, LARGE, run, [figures])
    show(console, LARGE, summed)
    return 0 if all(one["met"] is not False for one in summed.values()) else 1


def audit_in_segments(folder: Path, entries: int, keep: Keep) -> None:
    """Export the ledger with saved states, and audit it by two processes and by two Dask workers.

    One of the Dask workers is killed when a third of the time that the processes took has passed. All reports must be
    the same as that of the audit in one piece.
    """
    states = str(folder / "states")
    every = max(TILE_WIDTH, entries // SEGMENTS // TILE_WIDTH * TILE_WIDTH)
    keep("export_states", apart.run("export", folder=str(folder / "ledger"), to=states, states_every=every))
    took = apart.run("audit_segments", folder=states, report=str(folder / "segments.json"), workers=2)
    keep("audit_segments", took)
    reports = ["segments.json"]
    if dask_missing() is None:
        with cluster(folder, 2) as running:
            killing = threading.Timer(took["wall_seconds"] / 3, running.kill_worker)
            killing.start()
            dask = apart.run("audit_dask", folder=states, report=str(folder / "dask.json"), address=running.address)
            killing.cancel()
            used = running.used()
        cpu = dask["cpu_seconds"] + sum(one for one, _ in used)
        keep("audit_dask", {**dask, "cpu_seconds": cpu, "mb": max([dask["mb"], *[most for _, most in used]])})
        reports.append("dask.json")
    whole = (folder / "full.json").read_bytes()
    if any((folder / name).read_bytes() != whole for name in reports):
        raise RuntimeError("a report of segments differs from that of an audit in one piece")


if __name__ == "__main__":
    sys.exit(main())
