"""What README.md and docs/postgresql.md tell a newcomer to type works where nothing is installed but Python and make.

`make test-system` runs this: it installs packages anew, in folders of its own.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from documentation.test_code_blocks import PATH, README, runs_whole
from support.fresh_clone import ROOT, copy_of_the_project

pytestmark = pytest.mark.system


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh clone, which is the current folder."""
    folder = copy_of_the_project(tmp_path / "clone")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def newcomer(tmp_path: Path) -> dict[str, str]:
    """What a newcomer has: this machine's settings, and a `python3`, without the environment that runs the tests."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "python3").symlink_to(sys._base_executable)  # type: ignore[attr-defined]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL", "MAKE"))}
    return kept | {"PATH": os.pathsep.join([str(programs), PATH])}


def test_the_readme_works_word_by_word(clone: Path, newcomer: dict[str, str]) -> None:
    assert runs_whole(README, clone, newcomer)
    assert not (clone / ".venv/bin/pytest").exists()


def test_postgresql_needs_what_its_page_says(clone: Path, newcomer: dict[str, str]) -> None:
    told = re.findall(r"`(\S*pip install [^`]*)`", (ROOT / "docs" / "postgresql.md").read_text("utf-8"))
    assert told
    subprocess.run(["make", ".venv/.installed"], cwd=clone, env=newcomer, check=True)
    newcomer |= {"PATH": os.pathsep.join([str(clone / ".venv/bin"), newcomer["PATH"]])}
    for command in told:
        subprocess.run(["/bin/sh", "-euc", command], cwd=clone, env=newcomer, check=True)
    tried = subprocess.run([".venv/bin/python", "-c", "import psycopg, psycopg_pool"], cwd=clone, check=False)
    assert tried.returncode == 0
