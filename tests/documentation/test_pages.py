"""Pages lead to each other: every page is in the index, every link leads somewhere, every path that is named exists."""

import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from documentation.test_code_blocks import blocks_of
from tallystick.cli.lazy_group import LazyGroup

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
INDEX = DOCS / "README.md"
FOLDERS = ("benchmarks", "deploy", "docs", "examples", "fuzz", "mutation", "tests")
PAGES = sorted([*ROOT.glob("*.md"), *(page for folder in FOLDERS for page in (ROOT / folder).rglob("*.md"))])
GLOSSARY = DOCS / "glossary.md"
# Pages that name files of the code, and the folders that a name may be relative to.
NAME_FILES = ("CONTRIBUTING.md", "docs/architecture.md", "docs/glossary.md")
BASES = ("", "src/tallystick", "docs")
LINK = re.compile(r"\]\(([^()\s]+)\)")


class Link(NamedTuple):
    """A relative link of a page."""

    page: str
    target: str


def named(page: Path) -> str:
    """Return a page's path below the project."""
    return page.relative_to(ROOT).as_posix()


def prose_of(text: str) -> str:
    """Return a page without its fenced blocks, which show links and don't have any."""
    lines = text.splitlines()
    for block in blocks_of(text):
        for number in range(block.line - 2, block.line + block.text.count("\n")):
            lines[number] = ""
    return "\n".join(lines)


def links_of(page: Path) -> list[str]:
    """Return the targets of a page's relative links."""
    text = re.sub(r"`[^`\n]*`", "", prose_of(page.read_text("utf-8")))
    return [target for target in LINK.findall(text) if not re.match(r"[a-z]+:", target)]


def anchors_of(text: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them: the second of a name has -1 behind it."""
    anchors: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", prose_of(text), re.MULTILINE):
        shown = LINK.sub("]", heading)
        anchor = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        same = sum(one == anchor or re.fullmatch(rf"{re.escape(anchor)}-\d+", one) is not None for one in anchors)
        anchors.add(f"{anchor}-{same}" if same else anchor)
    return anchors


def broken(page: Path, target: str) -> str | None:
    """Say what is wrong with a link, if anything is."""
    path, _, anchor = target.partition("#")
    there = (page.parent / path).resolve() if path else page
    if not there.exists() or not there.is_relative_to(ROOT):
        return f"{target}: there is no such file"
    if anchor and (there.suffix != ".md" or anchor not in anchors_of(there.read_text("utf-8"))):
        return f"{target}: there is no such heading"
    return None


def terms() -> list[str]:
    """Return the terms of the glossary: what stands in bold at the beginning of an entry."""
    return re.findall(r"^- \*\*([^*]+)\*\*", GLOSSARY.read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_somewhere(page: Path) -> None:
    """To a file of the project, and to a heading where it says one."""
    assert [fault for target in links_of(page) if (fault := broken(page, target))] == []


@pytest.mark.parametrize(
    ("target", "fault"),
    [
        ("rules.md", None),
        ("rules.md#refusals", None),
        ("rules.md#refusal", "rules.md#refusal: there is no such heading"),
        ("gone.md", "gone.md: there is no such file"),
        ("../../outside", "../../outside: there is no such file"),
        ("flow.svg#part", "flow.svg#part: there is no such heading"),
        ("#no-such-heading", "#no-such-heading: there is no such heading"),
    ],
)
def test_a_broken_link_is_seen(target: str, fault: str | None) -> None:
    """The check above can fail."""
    assert broken(INDEX, target) == fault


def test_anchors_are_those_of_the_headings() -> None:
    """Punctuation is dropped, blanks become hyphens, a second heading of one name is numbered, code has no heading."""
    text = "# 3. Notes, and `keys`\n## A [link](b.md)\n## Same\n## Same\n```text\n# no heading\n```\n"
    assert anchors_of(text) == {"3-notes-and-keys", "a-link", "same", "same-1"}


def test_every_page_is_in_the_index() -> None:
    """Each page of docs/ once or more; a decision is in the index of decisions."""
    listed = {(INDEX.parent / target.partition("#")[0]).resolve() for target in links_of(INDEX)}
    assert set(DOCS.glob("*.md")) - {INDEX} - listed == set()
    assert DOCS / "decisions" / "README.md" in listed
    decisions = DOCS / "decisions" / "README.md"
    decided = {(decisions.parent / target).resolve() for target in links_of(decisions)}
    assert set((DOCS / "decisions").glob("0*.md")) - decided == set()


def test_the_glossary_is_in_order_and_each_term_once() -> None:
    """Sorted without regard to case; so a term is found without searching."""
    assert len(terms()) > 40
    assert terms() == sorted(set(terms()), key=str.casefold)


def test_every_term_of_the_glossary_is_used() -> None:
    """Somewhere in README.md or docs/, other than in the glossary; with an s where there are several."""
    pages = [ROOT / "README.md", *(page for page in DOCS.rglob("*.md") if page != GLOSSARY)]
    text = " ".join(" ".join(page.read_text("utf-8") for page in pages).split())
    unused = [term for term in terms() if not re.search(rf"\b{re.escape(term)}", text, re.IGNORECASE)]
    assert unused == []


@pytest.mark.parametrize("page", NAME_FILES)
def test_every_file_that_is_named_exists(page: str) -> None:
    """A path in code with a slash or a Python file's name is a path of the project, or of the package."""
    text = prose_of((ROOT / page).read_text("utf-8"))
    paths = {name for name in re.findall(r"`([\w.\-/]+)`", text) if re.search(r"^[\w.-]+/|\.py$", name)}
    # A kind such as voucher.issue/1 has a slash too.
    paths = {path for path in paths if not re.fullmatch(r"[a-z-]+(\.[a-z-]+)?/\d+", path)}
    assert paths
    missing = sorted(path for path in paths if not any((ROOT / base / path).exists() for base in BASES))
    assert missing == []


@pytest.mark.parametrize("page", NAME_FILES)
def test_every_class_and_constant_that_is_named_exists(page: str) -> None:
    """A name in code that is written like one of Python's is somewhere in the project's Python."""
    text = prose_of((ROOT / page).read_text("utf-8"))
    names = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+|[A-Z]+(?:_[A-Z0-9]+)+)`", text))
    code = "\n".join(path.read_text("utf-8") for folder in ("src", "tests") for path in (ROOT / folder).rglob("*.py"))
    assert [name for name in sorted(names) if not re.search(rf"\b{name}\b", code)] == []


def test_every_command_line_that_is_named_exists() -> None:
    """What stands behind `tallystick` in code is a command, and behind a group's name one of the group."""
    pages = [page for page in PAGES if page.parent.name != "decisions"]
    named_commands = {
        words
        for page in pages
        for words in re.findall(r"`tallystick ([a-z][a-z-]*(?: [a-z][a-z-]*(?:\.[a-z]+)?)*)", page.read_text("utf-8"))
    }
    assert len(named_commands) > 10
    for words in named_commands - {"saved state"}:  # the first line of such a file
        command: Any = LazyGroup(name="tallystick")
        for word in words.split():
            if hasattr(command, "get_command"):
                command = command.get_command(None, word)
                assert command is not None, words
