"""No module imports, by whatever way, one that imports it: not within a function, and not for a type alone either.

A circle that is put off until a function is called, or drawn only for the type checker, is still two modules that
can't be understood, tested or moved one without the other. Import-linter sees layers; this sees modules.
"""

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src"


def modules_below(source: Path) -> dict[str, Path]:
    """The modules in a source folder, by their dotted names; a package is its `__init__.py`."""
    parts = {path: path.relative_to(source).with_suffix("").parts for path in sorted(source.rglob("*.py"))}
    return {".".join(names[:-1] if names[-1] == "__init__" else names): path for path, names in parts.items()}


def imported_names(tree: ast.AST, package: str) -> Iterator[str]:
    """Yield the dotted name of each thing that is imported anywhere in a module of a package."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def import_graph(source: Path) -> dict[str, set[str]]:
    """Which modules each module imports: `from a import b` is of the module `a.b` if there is one, or else of `a`."""
    modules = modules_below(source)
    graph: dict[str, set[str]] = {}
    for module, path in modules.items():
        package = module if path.name == "__init__.py" else module.rpartition(".")[0]
        tree = ast.parse(path.read_text("utf-8"), str(path))
        names = [*imported_names(tree, package)]
        found = (name if name in modules else name.rpartition(".")[0] for name in names)
        graph[module] = {one for one in found if one in modules}
    return graph


def circle_in(graph: Mapping[str, set[str]]) -> list[str]:
    """The modules of one circle, the first again at the end; none if there is no circle."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_there_is_no_circle() -> None:
    graph = import_graph(SOURCE)
    assert "tallystick.vouchers.state" in graph["tallystick.vouchers.admit"]
    assert circle_in(graph) == []


@pytest.mark.parametrize(
    "back",
    [
        "import package.one",
        "from package import one",
        "from package.one import ONE",
        "from . import one",
        "from .one import ONE",
        "def later():\n    from package.one import ONE",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from package.one import ONE",
        "class Of:\n    def now(self):\n        if self:\n            import package.one as that",
    ],
)
def test_a_circle_is_seen(tmp_path: Path, back: str) -> None:
    """Whatever way the import back is written."""
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "one.py").write_text("from package.two import TWO\nONE = 1\n")
    (package / "two.py").write_text(f"TWO = 2\n{back}\n")
    assert set(circle_in(import_graph(tmp_path))) == {"package.one", "package.two"}


def test_a_package_that_hands_on_its_modules_is_no_circle(tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("from package.one import ONE\n")
    (package / "one.py").write_text("from package import two\nONE = two.TWO\n")
    (package / "two.py").write_text("TWO = 2\n")
    assert circle_in(import_graph(tmp_path)) == []
    (package / "two.py").write_text("from package import ONE\nTWO = ONE\n")
    assert set(circle_in(import_graph(tmp_path))) == {"package", "package.one", "package.two"}
