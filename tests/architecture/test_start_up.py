"""What a command doesn't need isn't loaded: in a fresh process, by what is there when it has answered."""

import subprocess
import sys

import pytest

ARGUMENTS = {"argparse", "click", "rich", "typer"}
LIBRARIES = {"cryptography", "eventsourcing", "httpx2", "pydantic", "pydantic_settings", "sqlite3", "stamina", "stdnum"}


def loaded_by(*arguments: str) -> set[str]:
    """The modules that a command has loaded once it has done as asked."""
    script = (
        "import sys\n"
        "from tallystick.cli import main\n"
        "status = main(sys.argv[1:])\n"
        "print(*sorted(sys.modules), sep='\\n', file=sys.stderr)\n"
        "sys.exit(status)\n"
    )
    run = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False)
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
