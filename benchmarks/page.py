"""Writes the tables and the plots of docs/performance.md from `build/bench.json`: `make bench-page`.

A table stands between `<!-- from the bench: NAME -->` and `<!-- end -->`, and what is there is replaced. Every figure
is in one of them, by its key and with its goal; the rest of the page is written by hand. A run that was only tried out
(`--quick`) isn't written. Where there is no such file, as after a figure was added, the page keeps what it says.
"""

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import shown
from figures import ASPECTS, CURVE, CURVE_LINES, FIGURES, LARGE, LARGE_OPERATIONS
from plots import curve_plot, ratio_plot
from results import run_file

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs/performance.md"
RESULTS: Final = ROOT / "build/bench.json"
LARGE_RESULTS: Final = ROOT / "build/bench-large.json"
_TABLE: Final = re.compile(r"(<!-- from the bench: (\w+) -->\n)(.*?)(<!-- end -->\n)", re.DOTALL)

Results = Mapping[str, Mapping[str, Any]]
"""What a run wrote, by key; empty if there was none."""


class Row(NamedTuple):
    """A row of a table.

    Attributes:
        key: of its figure, or the name of its operation.
        fixed: cells that say what it is and its bounds.
        results: cells that a run fills.
    """

    key: str
    fixed: tuple[str, ...]
    results: tuple[str, ...]


def written(page: str, results: Results, large: Results) -> str:
    """Return the page with its tables as the results have them; as it has them itself, where there are none.

    Raises:
        KeyError: it asks for a table that there isn't.
    """
    return _TABLE.sub(lambda match: f"{match[1]}\n{_table(match[2], match[3], results, large)}\n{match[4]}", page)


def _table(name: str, before: str, results: Results, large: Results) -> str:
    """Return a table of the page, as Markdown."""
    of_table = large if name == "large" else results
    head, rows = _curve(results) if name == "curve" else _large(large) if name == "large" else _figures(name, results)
    if not of_table:
        there = {cell: cells for cells in map(_cells, before.splitlines()) for cell in cells[:2]}
        rows = [_kept(row, there) for row in rows]
    lines = [_line(head), re.sub(r"[^|]+", "---", _line(head)), *[_line(row.fixed + row.results) for row in rows]]
    return "".join(f"{line}\n" for line in lines)


def _kept(row: Row, there: Mapping[str, Sequence[str]]) -> Row:
    """Return a row with the results that the page has."""
    cells = there.get(f"`{row.key}`", ())
    is_same = len(cells) == len(row.fixed) + len(row.results)
    return row._replace(results=tuple(cells[-len(row.results) :])) if is_same else row


def _figures(name: str, results: Results) -> tuple[Sequence[str], list[Row]]:
    """Return head and a row for each figure of a table, with its bounds if any of them has one."""
    figures = [one for one in FIGURES.values() if one.table == name]
    if name not in shown.TITLES:
        raise KeyError(name)
    are_judged = any(one.goal is not None for one in figures)
    rows = []
    for one in figures:
        bounds = (shown.bound(one, one.goal), shown.bound(one, one.floor)) if are_judged else ()
        measured = (shown.measured(one, results.get(one.key)),)
        said = (shown.verdict(results.get(one.key)),) if are_judged else ()
        rows.append(Row(one.key, (one.says, f"`{one.key}`", *bounds), measured + said))
    return ("what", "key", "goal", "floor", "measured", "") if are_judged else ("what", "key", "measured"), rows


def _curve(results: Results) -> tuple[Sequence[str], list[Row]]:
    """Return head and a row for each operation: processor time, time and memory at each size."""
    rows = [
        Row(name, (f"`{name}`", says), tuple(_point(f"curve_{name}_{lines}", results) for lines in CURVE_LINES))
        for name, says in CURVE.items()
    ]
    return ("operation", "what", *[f"{lines:,} lines" for lines in CURVE_LINES]), rows


def _large(results: Results) -> tuple[Sequence[str], list[Row]]:
    """Return head and a row for each operation, with the bound of its memory."""
    rows = []
    for name, says in LARGE_OPERATIONS.items():
        memory = LARGE[f"large_{name}_mb"]
        fixed = (f"`{name}`", says, shown.bound(memory, memory.goal))
        rows.append(Row(name, fixed, (_point(f"large_{name}", results), shown.verdict(results.get(memory.key)))))
    return ("operation", "what", "memory", "measured", ""), rows


def _point(key: str, results: Results) -> str:
    """Return processor time, time and memory of an operation."""
    cpu, wall, mb = [results.get(f"{key}_{aspect}", {}).get("median") for aspect in ASPECTS]
    if cpu is None or wall is None or mb is None:
        return shown.NOT_MEASURED
    return f"{_duration(cpu)}, {_duration(wall)}, {mb:,.0f} MB"


def _duration(seconds: float) -> str:
    return f"{shown.number(seconds)} s" if seconds >= 1 else f"{shown.number(seconds * 1e3)} ms"


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.removeprefix("|").removesuffix("|").split("|")]


def _line(cells: Iterable[str]) -> str:
    return "|" + "".join(f" {cell} |" if cell else " |" for cell in cells)


def _read(path: Path) -> Results:
    """Return the results of a run that counts; of none where there is no file.

    Raises:
        SystemExit: it was only tried out.
    """
    if not path.exists():
        return {}
    if json.loads(run_file(path).read_text("utf-8"))["scale"] != 1:
        sys.exit(f"{path} is of a run that was only tried out: run it in full first, or delete it")
    results: Results = json.loads(path.read_text("utf-8"))
    return results


def main() -> None:
    """Write the page and the plots."""
    results, large = _read(RESULTS), _read(LARGE_RESULTS)
    PAGE.write_text(written(PAGE.read_text("utf-8"), results, large), "utf-8")
    if not results:
        sys.exit(f"there is no {RESULTS}: the tables keep what they have, and the plots stay")
    for name, plot in (("bench-ratios", ratio_plot(results)), ("bench-curve", curve_plot({**results, **large}))):
        (PAGE.parent / f"{name}.svg").write_text(plot, "utf-8")


if __name__ == "__main__":
    main()
