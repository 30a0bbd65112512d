"""What is wrong with an option of patterns is said in one line, before anything is read."""

from pathlib import Path

import pytest

from support import command_line


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--parameter", "last_days=3"), "--parameter is of patterns: give --patterns too"),
        (("--patterns", "--parameter", "last_day=3"), "'last_day' is no parameter of patterns; there are "),
        (("--fail-on", "note", "--parameter", "last_days=x"), "'last_days=x' must be last_days=INTEGER, of 1 to "),
        (("--fail-on", "loud"), "'loud' is not one of 'note', 'warning', 'alarm'"),
    ],
)
def test_a_wrong_option_is_named(options: tuple[str, ...], said: str, tmp_path: Path) -> None:
    """Status 2, and nothing on standard output."""
    ran = command_line.run("audit", tmp_path, "--trust", tmp_path / "none", *options)
    assert (ran.status, ran.out) == (2, "")
    assert said in ran.err
    assert ran.err.count("\n") == 1
