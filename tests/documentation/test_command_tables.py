"""The tables of commands in docs/ are those that `make docs-tables` writes from the rulebook."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tallystick.vouchers.rulebook import RULES

DOCS = Path(__file__).resolve().parents[2] / "docs"


def run(docs: Path, *options: str) -> subprocess.CompletedProcess[str]:
    script = [sys.executable, str(docs / "site" / "command_tables.py"), *options]
    return subprocess.run(script, capture_output=True, text=True, check=False)


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """A copy of the pages, and of the script."""
    (tmp_path / "docs" / "site").mkdir(parents=True)
    for name in ("rules.md", "formats.md", "site/command_tables.py"):
        shutil.copy(DOCS / name, tmp_path / "docs" / name)
    return tmp_path / "docs"


def test_the_tables_are_the_rulebooks() -> None:
    done = run(DOCS, "--check")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_table_that_differs_is_said_and_written_again(docs: Path) -> None:
    page = docs / "rules.md"
    right = page.read_text("utf-8")
    page.write_text(right.replace("| `redemption.claim/1` | holder, provider |", "| `redemption.claim/1` | holder |"))
    assert page.read_text("utf-8") != right
    done = run(docs, "--check")
    assert done.returncode == 1
    assert done.stderr == f"{page}: a table isn't what the rulebook says; run `make docs-tables`\n"
    assert run(docs).returncode == 0
    assert page.read_text("utf-8") == right
    assert run(docs, "--check").returncode == 0


def test_every_table_is_in_a_page() -> None:
    """None is written for nothing, or lost with its marks."""
    pages = "".join((DOCS / name).read_text("utf-8") for name in ("rules.md", "formats.md"))
    for name in ("forms", "signers", "touches", "reasons", "refusals"):
        assert pages.count(f"<!-- from the rulebook: {name} -->\n|") == 1
    assert pages.count("<!-- end -->") == 5


def test_the_changelog_says_how_many_kinds_there_are() -> None:
    """Of commands, as the rulebook has them."""
    assert f"signed commands of {len(RULES)} kinds" in (DOCS.parent / "CHANGELOG.md").read_text("utf-8")
