"""What a run leaves behind: the figures as JSON, the run itself beside them, and tables on the console.

bench.json        every key of a list of figures, each with median, low, high, goal, met and some more
bench-run.json    machine, commit, scale, what couldn't be measured and why, and every round's own figures
"""

import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import shown
from figures import Figure
from rich.console import Console
from rich.table import Column, Table
from rounds import Round, summaries


def machine() -> dict[str, Any]:
    """Return what the figures are measured on, and of what."""
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


def run_file(results: Path) -> Path:
    """Return where the run itself is described: beside the figures."""
    return results.with_name(f"{results.stem}-run.json")


def write(
    results: Path, figures: Mapping[str, Figure], run: Mapping[str, Any], rounds: Sequence[Round]
) -> dict[str, dict[str, Any]]:
    """Write what is known so far, and return the figures."""
    summed = summaries(figures, rounds)
    results.parent.mkdir(parents=True, exist_ok=True)
    for path, content in ((results, summed), (run_file(results), {**run, "rounds": [dict(one) for one in rounds]})):
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return summed


def show(console: Console, figures: Mapping[str, Figure], summed: Mapping[str, Mapping[str, Any]]) -> None:
    """Print what was measured, in the tables of the page."""
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
