"""Writes the tables and the plots of docs/performance.md from `build/bench.json`: `make bench-page`.

A table stands between `<!-- from the bench: NAME -->` and `<!-- end -->`, and what is there is replaced. Every figure
is in one of them, by its key and with its goal; the rest of the page is written by hand. A run that was only tried out
(`--quick`) isn't written, and what a run didn't measure keeps no value. `build/bench-large.json` is used where it is.
"""

import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import shown
from figures import ASPECTS, CURVE, CURVE_LINES, FIGURES, LARGE, LARGE_OPERATIONS, Figure
from plots import curve_plot, ratio_plot
from results import run_file

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs/performance.md"
RESULTS: Final = ROOT / "build/bench.json"
LARGE_RESULTS: Final = ROOT / "build/bench-large.json"
_TABLE: Final = re.compile(r"(<!-- from the bench: (\w+) -->\n)(.*?)(<!-- end -->\n)", re.DOTALL)

Results = Mapping[str, Mapping[str, Any]]
"""What a run wrote, by key; empty if there was none."""


def written(page: str, results: Results, large: Results) -> str:
    """Return the page with its tables as the results have them.

    Raises:
        KeyError: it asks for a table that there isn't.
    """
    both = {**results, **large}
    return _TABLE.sub(lambda match: match[1] + "\n" + _table(match[2], both) + "\n" + match[4], page)


def _table(name: str, results: Results) -> str:
    by_name: dict[str, Callable[[Results], str]] = {"curve": _curve, "large": _large}
    if name in by_name:
        return by_name[name](results)
    return _figures([one for one in FIGURES.values() if one.table == name], results)


def _figures(figures: Iterable[Figure], results: Results) -> str:
    """Return a row for each figure."""
    rows = []
    for one in figures:
        result = results.get(one.key)
        bounds = shown.bound(one, one.goal), shown.bound(one, one.floor)
        rows.append((one.says, f"`{one.key}`", *bounds, shown.measured(one, result), shown.verdict(result)))
    if not any(row[2] or row[3] for row in rows):
        return _markdown(("what", "key", "measured"), [(row[0], row[1], row[4]) for row in rows])
    return _markdown(("what", "key", "goal", "floor", "measured", ""), rows)


def _curve(results: Results) -> str:
    """Return a row for each operation: processor time and memory at each size."""
    rows = []
    for operation, says in CURVE.items():
        cells = [_point(f"curve_{operation}_{lines}", results) for lines in CURVE_LINES]
        rows.append((f"`{operation}`", says, *cells))
    return _markdown(("operation", "what", *[f"{lines:,} lines" for lines in CURVE_LINES]), rows)


def _point(key: str, results: Results) -> str:
    cpu, wall, mb = [results.get(f"{key}_{aspect}", {}).get("median") for aspect in ASPECTS]
    if cpu is None or wall is None or mb is None:
        return shown.NOT_MEASURED
    return f"{_duration(cpu)}, {_duration(wall)}, {mb:,.0f} MB"


def _duration(seconds: float) -> str:
    return f"{shown.number(seconds)} s" if seconds >= 1 else f"{shown.number(seconds * 1e3)} ms"


def _large(results: Results) -> str:
    rows = []
    for operation, says in LARGE_OPERATIONS.items():
        memory = LARGE[f"large_{operation}_mb"]
        result = results.get(memory.key)
        cells = _point(f"large_{operation}", results), shown.bound(memory, memory.goal), shown.verdict(result)
        rows.append((f"`{operation}`", says, *cells))
    return _markdown(("operation", "what", "measured", "memory at most", ""), rows)


def _markdown(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [_row(head), re.sub(r"[^|]+", "---", _row(head)), *map(_row, rows)]
    return "".join(f"{line}\n" for line in lines)


def _row(cells: Iterable[str]) -> str:
    return "|" + "".join(f" {cell} |" if cell else " |" for cell in cells)


def _read(path: Path) -> Results:
    """Return the results of a run that counts; of none where there is no file.

    Raises:
        SystemExit: it was only tried out.
    """
    if not path.exists():
        return {}
    if json.loads(run_file(path).read_text("utf-8"))["scale"] != 1:
        sys.exit(f"{path} is of a run that was only tried out: run `make bench` first")
    results: Results = json.loads(path.read_text("utf-8"))
    return results


def main() -> None:
    """Write the page and the plots."""
    results, large = _read(RESULTS), _read(LARGE_RESULTS)
    if not results:
        sys.exit(f"there is no {RESULTS}: run `make bench` first")
    PAGE.write_text(written(PAGE.read_text("utf-8"), results, large), "utf-8")
    for name, plot in (("bench-ratios", ratio_plot(results)), ("bench-curve", curve_plot({**results, **large}))):
        (PAGE.parent / f"{name}.svg").write_text(plot, "utf-8")


if __name__ == "__main__":
    main()
