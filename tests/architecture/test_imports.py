"""The pure core stays pure and the auditor stays independent, beyond what `lint-imports` can see.

Import-linter (contracts in pyproject.toml) says which module imports which. This adds: what the core takes from third
parties, what it calls, and what really is loaded when an auditor starts.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "tallystick"
PURE = ("signing", "vouchers", "transparency", "forms", "wire")
THIRD_PARTIES = {
    "annotated_types",
    "cryptography",
    "nacl",  # where it is installed
    "orjson",
    "pydantic",
    "pydantic_core",
    "stdnum",
    "typing_extensions",
}

# Calls that answer differently on another day or another machine, or that act on the world.
IMPURE_NAMES = {"__import__", "breakpoint", "compile", "eval", "exec", "input", "open", "print"}
IMPURE_METHODS = {
    *("now", "today", "utcnow", "fromtimestamp", "astimezone", "localtime", "monotonic", "perf_counter", "time_ns"),
    *("generate", "urandom", "token_bytes", "uuid1", "uuid4"),
    *("read_bytes", "read_text", "write_bytes", "write_text"),
}
# With a time zone said, these two compute from their arguments alone; without one they ask the system for its own.
PURE_WITH_ARGUMENTS = {"fromtimestamp": 2, "astimezone": 1}


def impure_calls(tree: ast.AST) -> Iterator[str]:
    """Yield each call in `tree` that a pure module may not make, as 'line: name'."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        arguments = len(node.args) + len(node.keywords)
        match node.func:
            case ast.Name(id=name) if name in IMPURE_NAMES:
                yield f"{node.lineno}: {name}"
            case ast.Attribute(attr=name, value=ast.Name(id="time")):
                yield f"{node.lineno}: time.{name}"
            case ast.Attribute(attr=name) if name in IMPURE_METHODS:
                if arguments < PURE_WITH_ARGUMENTS.get(name, sys.maxsize):
                    yield f"{node.lineno}: .{name}"


def imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield (module, name) for each absolute import; `import a.b` gives ('a.b', '')."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from ((node.module or "", alias.name) for alias in node.names)


def pure_modules() -> list[Path]:
    """Every module of the pure core."""
    return [PACKAGE / "errors.py", *(path for name in PURE for path in sorted((PACKAGE / name).rglob("*.py")))]


def parsed(path: Path) -> ast.Module:
    """The syntax tree of one file."""
    return ast.parse(path.read_text("utf-8"), str(path))


def test_the_core_reads_no_clock_and_does_no_io() -> None:
    """The same bytes are decided alike on every machine, for ever: so nothing asks the machine."""
    assert {
        str(path.relative_to(PACKAGE)): calls for path in pure_modules() if (calls := [*impure_calls(parsed(path))])
    } == {}


@pytest.mark.parametrize(
    "source",
    [
        "datetime.now(UTC)",
        "date.today()",
        "time.time()",
        "datetime.fromtimestamp(5)",
        "moment.astimezone()",
        "open('x')",
        "Path('x').read_bytes()",
        "Ed25519PrivateKey.generate()",
        "print(1)",
    ],
)
def test_an_impure_call_is_seen(source: str) -> None:
    """The check above can fail."""
    assert len([*impure_calls(ast.parse(source))]) == 1


@pytest.mark.parametrize("source", ["datetime.fromtimestamp(5, UTC)", "moment.astimezone(UTC)", "re.match('a', 'a')"])
def test_a_pure_call_is_let_through(source: str) -> None:
    """Arithmetic on given times is no clock."""
    assert [*impure_calls(ast.parse(source))] == []


def test_the_core_uses_few_third_parties() -> None:
    """What an auditor has to trust besides Python is this list."""
    known = THIRD_PARTIES | sys.stdlib_module_names | {"tallystick"}
    used = {(path.name, module) for path in pure_modules() for module, _ in imported(parsed(path))}
    assert {(where, module) for where, module in used if module.split(".")[0] not in known} == set()


def test_nothing_inside_imports_the_front_door() -> None:
    """`from tallystick import X` inside the package ties a module to all others, unseen by import-linter."""
    inside = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()} | {"__version__"}
    found = [
        (str(path.relative_to(PACKAGE)), name or module)
        for path in sorted(PACKAGE.rglob("*.py"))
        if path != PACKAGE / "__init__.py"
        for module, name in imported(parsed(path))
        if module == "tallystick" and name not in inside
    ]
    assert found == []


def loaded_with(package: str) -> set[str]:
    """The modules that are there once all of a package was imported, in a fresh process."""
    script = (
        f"import sys, pkgutil, importlib, tallystick.{package} as package\n"
        "for module in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        "    importlib.import_module(module.name)\n"
        "print(*sorted(sys.modules), sep='\\n')\n"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    loaded = set(run.stdout.split())
    assert f"tallystick.{package}" in loaded
    return loaded


@pytest.mark.parametrize("package", ["signing", "vouchers", "transparency", "wire", "audit"])
def test_loading_it_loads_nothing_of_the_writer(package: str) -> None:
    """Not only unimported in the source: in a fresh process the writer's code and its libraries aren't there at all."""
    writer = {"eventsourcing", *(f"tallystick.{name}" for name in ("ledger", "publishing", "views", "cli"))}
    assert loaded_with(package) & writer == set()


def test_loading_the_writer_loads_nothing_that_is_handed_to_others() -> None:
    """Neither by name nor by way of another module."""
    others = {f"tallystick.{name}" for name in ("publishing", "views", "audit", "cli")}
    assert loaded_with("ledger") & others == set()
