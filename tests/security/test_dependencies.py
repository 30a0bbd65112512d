"""docs/dependencies.md has a row for every package that the installed program pulls in, with its locked version."""

import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "dependencies.md").read_text("utf-8")


def is_for_this_system(said: str) -> bool:
    """Return whether what a lock says of a package, from its first line on, lets it be installed here."""
    _, semicolon, marker = said.partition("\n")[0].rstrip(" \\").partition(" ; ")
    return not semicolon or Marker(marker).evaluate()


def locked_in(name: str) -> dict[str, tuple[str, str]]:
    """What a lock pins: each package's version, and all that it says of it (for which systems, which hashes)."""
    text = (ROOT / name).read_text("utf-8")
    return {
        found[1]: (found[2], found[0]) for found in re.finditer(r"^([a-z0-9.-]+)==([^\s;]+)(?:.*\\\n)*.*\n", text, re.M)
    }


CORE, ALL = locked_in("requirements.lock"), locked_in("requirements-test.lock")
RELEASED = locked_in("deploy/requirements.lock")


def walk(requirements: list[str]) -> set[str]:
    """The packages that these requirements pull in on this machine, those of their extras too."""
    found: set[tuple[str, frozenset[str]]] = set()
    todo = [Requirement(one) for one in requirements]
    while todo:
        wanted = todo.pop()
        name, extras = canonicalize_name(wanted.name), frozenset(wanted.extras)
        if (name, extras) in found:
            continue
        found.add((name, extras))
        for text in importlib.metadata.distribution(name).requires or ():
            further = Requirement(text)
            if further.marker is None or any(further.marker.evaluate({"extra": extra}) for extra in extras | {""}):
                todo.append(further)
    return {name for name, _ in found}


PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PROJECT = PYPROJECT["project"]
EXTRAS = PROJECT["optional-dependencies"]
SECTIONS = {
    "At run time": None,
    "For fast verification": "fast",
    "For a service": "serve",
    "For a ledger in PostgreSQL": "postgres",
    "For keys in a token": "pkcs11",
    "For an audit on many machines": "dask",
    "For usage records": "usage",
    "For books": "books",
}


def pulled_in(extra: str | None = None) -> set[str]:
    """The packages of pyproject's dependencies; or what an extra pulls in besides them."""
    core = walk(PROJECT["dependencies"])
    return core if extra is None else walk(EXTRAS[extra]) - core


def section(title: str) -> list[list[str]]:
    """The rows of a section's table, without its head."""
    text = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    assert len(rows) > 2, title
    return rows[2:]


ROWS = {row[0]: row for title in SECTIONS for row in section(title)}
HERE = [name for name in ROWS if is_for_this_system(ALL[name][1])]


def test_the_lock_of_the_core_has_what_the_program_and_its_installation_need_and_no_more() -> None:
    """On this system; `make demo` installs no tests and no linters, what it installs serves and verifies fast."""
    here = {name for name, (_, said) in CORE.items() if is_for_this_system(said)}
    extras = [*EXTRAS["serve"], *EXTRAS["fast"]]
    assert here == walk([*PROJECT["dependencies"], *extras, *PYPROJECT["dependency-groups"]["build"]])


def test_all_locks_say_the_same_of_what_they_share() -> None:
    assert len(CORE) > 20
    assert CORE.items() < ALL.items()
    assert RELEASED.items() < ALL.items()


def test_the_lock_of_a_release_has_the_program_with_every_extra_and_no_more() -> None:
    here = {name for name, (_, said) in RELEASED.items() if is_for_this_system(said)}
    assert here == walk([*PROJECT["dependencies"], *[one for extra in EXTRAS.values() for one in extra]])


@pytest.mark.parametrize("title", SECTIONS)
def test_every_package_has_its_row_in_the_section_of_what_pulls_it_in(title: str) -> None:
    extra = SECTIONS[title]
    assert {row[0] for row in section(title) if row[0] in HERE} == pulled_in(extra)


def test_every_extra_has_its_section() -> None:
    assert {extra for extra in SECTIONS.values() if extra is not None} == set(EXTRAS)


@pytest.mark.parametrize("name", HERE)
def test_a_row_has_the_version_that_is_locked_and_installed(name: str) -> None:
    assert ROWS[name][1] == ALL[name][0] == importlib.metadata.version(name)


@pytest.mark.parametrize("name", HERE)
def test_a_row_says_whether_the_package_is_native(name: str) -> None:
    """Compiled code is what a reader of Python can't review."""
    files = importlib.metadata.files(name) or []
    compiled = [file for file in files if re.search(r"\.(so|pyd|dylib)\b", file.name)]
    assert (ROWS[name][3] != "no") == bool(compiled)


def test_every_package_named_elsewhere_on_the_page_has_a_row() -> None:
    """A mistyped name would be a review of nothing."""
    named = {name for row in section("Advisories looked at") for name in row[0].split(", ")}
    said = PAGE.partition("None was found for ")[2].partition(" in the\n")[0]
    silent = {word for word in re.split(r",\s| or ", said.replace("\n", " ")) if word}
    assert named | silent == set(ROWS) - {"pydantic-core"}
    assert named & silent == set()


def test_what_is_locked_is_not_below_what_the_page_says() -> None:
    """The versions in which an advisory was mended."""
    floors = re.findall(r"([a-z0-9-]+) ([0-9.]+)[,.](?=\s)", PAGE.partition("Not below:")[2].partition("\n")[0] + "\n")
    assert len(floors) == 14
    for name, floor in floors:
        locked = tuple(map(int, ALL[name][0].split(".")))
        assert locked >= tuple(map(int, floor.split(".")))
