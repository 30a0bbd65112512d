"""docs/requirements.md: 26 rows, and what they name is in the rulebook."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tallystick.vouchers.refusals import Reason
from tallystick.vouchers.rulebook import RULES, described

PAGE = Path(__file__).resolve().parents[2] / "docs" / "requirements.md"
HEAD = "| no. | asked for | state | how | commands | refusals | tried in |"
STATES = ("enforced", "evidence", "prepared")
REFUSALS = {one["kind"]: {*one["refusals"]} for one in described()["commands"]}
OF_EVERY_COMMAND = {reason.value for reason in Reason} - {name for names in REFUSALS.values() for name in names}


class Requirement(NamedTuple):
    """A row: `commands` and `refusals` are the names in code of those cells."""

    number: int
    asked: str
    state: str
    how: str
    commands: list[str]
    refusals: list[str]
    tried: str


def codes(cell: str) -> list[str]:
    """Return what stands in code."""
    return re.findall(r"`([^`]+)`", cell)


def rows() -> Iterator[Requirement]:
    """Yield the rows of the page's table."""
    _, _, table = PAGE.read_text("utf-8").partition(f"{HEAD}\n|---|---|---|---|---|---|---|\n")
    for line in table.splitlines():
        _, number, asked, state, how, commands, refusals, tried, _ = [cell.strip() for cell in line.split("|")]
        yield Requirement(int(number), asked, state, how, codes(commands), codes(refusals), tried)


ROWS = [*rows()]


def fields_in(schema: Any) -> Iterator[str]:
    """Yield the names of all fields of a JSON schema, and the words that a field may hold."""
    if isinstance(schema, dict):
        yield from schema.get("properties", ())
        yield from schema.get("enum", ())
    for part in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from fields_in(part)


FIELDS = {name for rule in RULES for name in fields_in(rule.model_json_schema())}


def unknown(row: Requirement) -> list[str]:
    """Return what a row names that the rulebook doesn't have: kinds, and reasons that no command of it is answered."""
    kinds = [kind for kind in row.commands if kind not in REFUSALS]
    possible = OF_EVERY_COMMAND.union(*[REFUSALS.get(kind, ()) for kind in row.commands])
    return kinds + [reason for reason in row.refusals if reason not in possible]


def test_there_are_26_requirements() -> None:
    """In their order; only the national cryptography is merely prepared, and names no command."""
    assert [row.number for row in ROWS] == [*range(1, 27)]
    assert {row.state for row in ROWS} == {*STATES}
    assert [row.number for row in ROWS if row.state == "prepared"] == [25]
    assert [row.number for row in ROWS if not row.commands or not row.refusals] == [25]
    assert all(row.asked and row.how and row.tried for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.number)
def test_what_a_row_names_is_in_the_rulebook(row: Requirement) -> None:
    """Its commands are there, and one of them can be refused with each of its reasons."""
    assert unknown(row) == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.number)
def test_fields_that_a_row_names_are_fields(row: Requirement) -> None:
    """What stands in code where it says how, is a field of a command, within one, or a word that one may hold."""
    names = {part for code in codes(row.how) for part in code.split(".")}
    assert names - FIELDS == set()
