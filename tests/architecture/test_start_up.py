"""What a command doesn't need isn't loaded: in a fresh process, by what is there when it has answered."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.command_line import Desk

ARGUMENTS = {"argparse", "click", "rich", "typer"}
LIBRARIES = {"cryptography", "eventsourcing", "httpx2", "pydantic", "pydantic_settings", "sqlite3", "stamina", "stdnum"}


OF_THE_WRITER = {f"tallystick.ledger.{name}" for name in ("opening", "pending", "settings", "standing_by", "submit")}


def loaded_by(*arguments: object, path: str = "") -> set[str]:
    """The modules that a command has loaded once it has done as asked; `path` is searched for modules too."""
    script = (
        "import sys\n"
        "from tallystick.cli import main\n"
        "status = main(sys.argv[1:])\n"
        "print(*sorted(sys.modules), sep='\\n', file=sys.stderr)\n"
        "sys.exit(status)\n"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([*filter(None, sys.path), path])}
    environment.pop("PYDANTIC_DISABLE_PLUGINS", None)
    words = [sys.executable, "-c", script, *map(str, arguments)]
    run = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
    assert run.returncode == 0, run.stderr
    assert run.stdout
    return set(run.stderr.split())


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_the_first_page_needs_no_library(option: str) -> None:
    """It is there as soon as Python is, and of the package it loads what writes it."""
    loaded = loaded_by(option)
    assert loaded & (ARGUMENTS | LIBRARIES) == set()
    assert {name for name in loaded if name.startswith("tallystick.")} == {
        "tallystick.cli",
        "tallystick.cli.commands",
        "tallystick.cli.first_page",
        "tallystick.cli.statuses",
        "tallystick.cli.streams",
        "tallystick.printing",
        "tallystick.printing.text",
    }


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A small ledger whose views have followed it."""
    desk = Desk(tmp_path_factory.mktemp("desk"))
    desk.found()
    return desk


def test_balances_need_no_writer_no_books_and_no_settings(desk: Desk) -> None:
    """What reads a log loads the stores; tables are drawn without rich, and nothing is asked over HTTP."""
    loaded = loaded_by("balances", desk.ledger)
    assert "tallystick.views" in loaded
    assert loaded & (OF_THE_WRITER | {"asyncio", "httpx2", "pydantic_settings", "rich.console", "stamina"}) == set()
    assert {name for name in loaded if name.startswith(("tallystick.accounting", "tallystick.audit"))} == set()


def test_no_plugin_of_the_library_that_checks_commands_is_loaded(desk: Desk, tmp_path: Path) -> None:
    """To look for one takes longer than to load the library, and it could change what a command is read as."""
    metadata = tmp_path / "shouting-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: shouting\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[pydantic]\nshouting = shouting:plugin\n")
    (tmp_path / "shouting.py").write_text("plugin = None\n")
    loaded = loaded_by("balances", desk.ledger, path=str(tmp_path))
    assert "pydantic" in loaded
    assert "shouting" not in loaded
