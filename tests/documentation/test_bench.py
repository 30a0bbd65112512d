"""The bench writes every figure that there is, and docs/performance.md names each with its goal."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/performance.md"


@pytest.fixture(autouse=True)
def _benchmarks_importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")


def test_a_run_of_a_part_has_every_key(tmp_path: Path) -> None:
    """What wasn't measured is null; what was lies within its spread."""
    from figures import FIGURES

    out = tmp_path / "bench.json"
    words = [sys.executable, "benchmarks/run.py", "--quick", "--rounds", "2", "--only", "hashing", "--out", str(out)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(["tests", *sys.path])}
    subprocess.run(words, cwd=ROOT, env=environment, check=True, capture_output=True)
    results = json.loads(out.read_text("utf-8"))
    assert [*results] == [*FIGURES]
    assert all({"median", "low", "high", "goal", "met"} <= set(one) for one in results.values())
    assert {key for key, one in results.items() if one["median"] is not None} == {"sha256_large_mb", "sha256_entry_mb"}
    assert all(one["low"] <= one["median"] <= one["high"] for one in results.values() if one["median"] is not None)
    assert all(one["met"] is None for one in results.values() if one["median"] is None)
    run = json.loads((tmp_path / "bench-run.json").read_text("utf-8"))
    assert len(run["rounds"]) == 2


def test_rounds_are_interleaved_and_ratios_are_of_a_round(tmp_path: Path) -> None:
    """Each part once a round, every second round backwards; a ratio is no ratio of medians."""
    from figures import Figure
    from places import Place
    from rounds import Part, interleaved, summary

    seen: list[str] = []
    values = {"ours": iter([10.0, 30.0, 2.0]), "theirs": iter([1.0, 10.0, 2.0])}

    def part(name: str) -> Part:
        def measure(_: Place) -> dict[str, float]:
            seen.append(name)
            return {name: next(values[name])}

        return Part(name, measure)

    with Place(1.0, tmp_path) as place:
        *_, rounds = interleaved([part("ours"), part("theirs")], 3, place, lambda *_: None)
    assert seen == ["ours", "theirs", "theirs", "ours", "ours", "theirs"]
    ratio = Figure("ratio", "", "×", "judged", goal=4.0, floor=3.0, quotient=("ours", "theirs"))
    result = summary(ratio, rounds)
    assert (result["low"], result["median"], result["high"]) == (1.0, 3.0, 10.0)
    assert (result["met"], result["floor_met"]) == (False, True)


def test_every_part_of_a_figure_is_there() -> None:
    """And each part has figures."""
    from figures import FIGURES
    from measured import PARTS

    parts = {part.name for part in PARTS}
    assert {one.part for one in FIGURES.values() if one.quotient is None} == parts
    assert {key for one in FIGURES.values() for key in one.quotient or ()} <= set(FIGURES)


def test_the_page_names_every_figure_with_its_goal() -> None:
    """Its tables are those that `make bench-page` writes, but for what was measured."""
    from figures import ASPECTS, CURVE, CURVE_LINES, FIGURES, LARGE_OPERATIONS
    from page import written

    text = PAGE.read_text("utf-8")
    assert written(text, {}, {}) == text, "a table isn't what benchmarks/figures.py says; run `make bench-page`"
    told = {cell.strip("`") for cells in _rows(text) for cell in cells[:2]}
    curve = {f"curve_{one}_{lines}_{aspect}" for one in CURVE for lines in CURVE_LINES for aspect in ASPECTS}
    assert {*FIGURES} - told == curve
    assert all(f"`curve_<operation>_<lines>_{aspect}`" in text for aspect in ASPECTS)
    assert {*CURVE, *LARGE_OPERATIONS} <= {cells[0].strip("`") for cells in _rows(text)}


def _rows(page: str) -> list[list[str]]:
    """Return the cells of every row of the tables that the bench writes."""
    tables = [part.partition("<!-- end -->")[0] for part in page.split("<!-- from the bench: ")[1:]]
    lines = [line for table in tables for line in table.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_what_was_measured_stands_in_the_page() -> None:
    """Until a run gives something else."""
    from page import written

    table = "<!-- from the bench: judged -->\n<!-- end -->\n"
    result = {"median": 7.0, "low": 6.5, "high": 7.25, "met": True, "floor_met": True}
    first = written(table, {"statement_lines_to_library": result}, {})
    assert "| ≥ 6 | ≥ 4 | 7 (6.5 to 7.25) | met |" in first
    assert written(first, {}, {}) == first
    second = written(first, {"statement_lines_to_library": result | {"median": 3.0, "met": False}}, {})
    assert "| ≥ 6 | ≥ 4 | 3 (6.5 to 7.25) | floor met |" in second
