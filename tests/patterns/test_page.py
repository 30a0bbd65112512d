"""docs/patterns.md has the closed lists and the parameters as the code has them, and explains each pattern."""

import re
from pathlib import Path

import pytest

from tallystick.errors import UsageError
from tallystick.patterns import Certainty, Parameters, Pattern, Severity
from tallystick.patterns.parameters import PARAMETER_MAX

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "patterns.md").read_text("utf-8")


def table(heading: str) -> list[tuple[str, ...]]:
    """The rows of the table that begins with a heading's cell."""
    body = PAGE.partition(f"| {heading} |")[2].partition("\n\n")[0].splitlines()[2:]
    return [tuple(cell.strip().strip("`") for cell in line.strip("|").split("|")) for line in body]


def test_the_lists_are_the_pages() -> None:
    """In order, with the meanings."""
    assert table("pattern") == [(one.value, one.meaning) for one in Pattern]
    assert table("severity") == [(one.value, one.meaning) for one in Severity]
    assert table("certainty") == [(one.value, one.meaning) for one in Certainty]


def test_the_parameters_are_the_pages() -> None:
    """With their defaults."""
    said = [(name, str(default), meaning) for name, (default, meaning) in Parameters.meanings().items()]
    assert table("parameter") == said


def test_each_pattern_is_explained() -> None:
    """What it looks like, what may be innocent about it, and what to ask next."""
    parts = re.split(r"^### (\w+)\n", PAGE.partition("\n## Parameters")[0], flags=re.MULTILINE)
    assert parts[1::2] == [one.value for one in Pattern]
    for text in parts[2::2]:
        assert re.findall(r"^\*\*([A-Za-z ]+)\.\*\*", text, flags=re.MULTILINE) == [
            "Looks like",
            "May be innocent",
            "Ask next",
        ]


def test_severities_ascend() -> None:
    """A note is the least."""
    assert [one.rank for one in Severity] == [0, 1, 2]


def test_parameters_are_set_by_name() -> None:
    """The others keep their defaults."""
    changed = Parameters().with_values(["last_days=3", f"evidence_days={PARAMETER_MAX}"])
    assert (changed.last_days, changed.evidence_days) == (3, PARAMETER_MAX)
    assert changed.attester_minutes == Parameters().attester_minutes


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("last_day=3", "'last_day' is no parameter of patterns; there are attester_minutes, "),
        ("last_days", "'last_days' must be last_days=INTEGER, of 1 to 2147483647"),
        ("last_days=", "must be last_days=INTEGER"),
        ("last_days=0", "must be last_days=INTEGER"),
        ("last_days=-1", "must be last_days=INTEGER"),
        ("last_days=1.5", "must be last_days=INTEGER"),
        ("last_days=\u0663", "must be last_days=INTEGER"),
        ("last_days=2147483648", "must be last_days=INTEGER"),
        ("last_days=" + "9" * 5_000, "must be last_days=INTEGER"),
    ],
)
def test_a_wrong_parameter_is_named(given: str, said: str) -> None:
    """In one line, with what it may be."""
    with pytest.raises(UsageError) as refused:
        Parameters().with_values([given])
    assert said in str(refused.value)
    assert len(str(refused.value)) < 1_000
