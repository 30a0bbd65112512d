"""Functions fit on a screen, modules in 400 lines; functions that don't are listed, and the list only gets shorter."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINES_MAX = 70
# file::function -> its lines. An entry may shrink and go; it may not grow, and none may be added without a reason.
MODULE_LINES_MAX = 400
LONGER_FOR_NOW: dict[str, int] = {}


def function_lengths() -> dict[str, int]:
    """Lines of every function of the package and of the benchmarks, signature and docstring included."""
    lengths: dict[str, int] = {}
    for path in sorted(path for folder in ("src", "benchmarks") for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                name = f"{path.relative_to(ROOT)}::{node.name}"
                lengths[name] = max(lengths.get(name, 0), node.end_lineno - node.lineno + 1)
    return lengths


def test_no_function_is_longer_than_a_screen() -> None:
    """A longer one hides a second function."""
    longer = {name: lines for name, lines in function_lengths().items() if lines > LINES_MAX}
    assert {name: lines for name, lines in longer.items() if lines > LONGER_FOR_NOW.get(name, 0)} == {}


def test_the_list_of_longer_ones_is_tight() -> None:
    """What became shorter is written down, so that it can't grow back."""
    lengths = function_lengths()
    assert {name: lengths.get(name) for name in LONGER_FOR_NOW} == LONGER_FOR_NOW
    assert all(lines > LINES_MAX for lines in LONGER_FOR_NOW.values())


def test_no_module_is_longer_than_it_may_be() -> None:
    """One that is holds two things: it is split by what it holds."""
    modules = sorted((ROOT / "src").rglob("*.py"))
    lengths = {str(path.relative_to(ROOT)): path.read_text("utf-8").count("\n") for path in modules}
    assert {name: lines for name, lines in lengths.items() if lines > MODULE_LINES_MAX} == {}
