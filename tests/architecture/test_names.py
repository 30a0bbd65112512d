"""Names say what a thing is for; a name that fits anything is refused, and every module says what it guarantees."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BANNED = {
    *("util", "utils", "helper", "helpers", "common", "base", "misc", "shared", "stuff"),
    *("manager", "managers", "service", "services", "handler", "handlers", "processor", "processors"),
}
OF_COMMANDS = {"service_burning", "ServiceBurn"}
"""`service.burn/1` is a command, and its rule and module are called by its kind."""
SOURCES = sorted((ROOT / "src").rglob("*.py"))
EVERYTHING = sorted(
    path for folder in ("src", "tests", "benchmarks", "examples") for path in (ROOT / folder).rglob("*.py")
)


def words(name: str) -> set[str]:
    """The words of a snake_case or CamelCase name, in lower case."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}


def banned_names(path: Path, tree: ast.AST) -> Iterator[str]:
    """Yield the banned names of a file: its own, its folder's and its classes'."""
    names = [path.stem, path.parent.name]
    names += [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    yield from (name for name in names if words(name) & BANNED and name not in OF_COMMANDS)


@pytest.mark.parametrize("name", ["string_utils", "BaseStore", "VoucherManager", "misc", "HTTPService"])
def test_a_banned_name_is_seen(name: str) -> None:
    """The check below can fail."""
    assert words(name) & BANNED


@pytest.mark.parametrize("name", ["basement", "canonical_json", "VoucherIssued", "database"])
def test_a_word_that_only_contains_one_is_let_through(name: str) -> None:
    """Whole words count."""
    assert not words(name) & BANNED


def test_no_module_or_class_has_a_name_that_fits_anything() -> None:
    """Whatever would go into `utils` has a proper home."""
    found = [
        (str(path.relative_to(ROOT)), name)
        for path in EVERYTHING
        for name in banned_names(path, ast.parse(path.read_text("utf-8")))
    ]
    assert found == []


def test_every_module_says_what_it_guarantees() -> None:
    """A docstring, whose first line is one sentence."""
    first_lines = {
        str(path.relative_to(ROOT)): (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").split("\n")[0]
        for path in SOURCES
    }
    assert len(first_lines) > 1
    assert {path: line for path, line in first_lines.items() if not line.endswith(".")} == {}


def test_tests_are_no_packages() -> None:
    """Test files are imported by path, so that two may have the same name."""
    assert [*(ROOT / "tests").rglob("__init__.py")] == []
