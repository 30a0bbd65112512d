"""docs/formats.md says what the code does: its tables of commands, events and outcomes are compared with it."""

import dataclasses
import re
from pathlib import Path
from typing import Any

from tallystick.vouchers import rulebook
from tallystick.vouchers.rules.rule import Rule

FORMATS = (Path(__file__).resolve().parents[2] / "docs" / "formats.md").read_text("utf-8")


def table(head: str) -> list[list[str]]:
    """The rows of the table whose head row begins so, cell by cell."""
    rows = FORMATS.partition(f"\n{head}")[2].splitlines()[2:]
    end = next(number for number, row in enumerate(rows) if not row.startswith("|"))
    return [[cell.strip() for cell in row[1:-1].split("|")] for row in rows[:end]]


def names(cell: str) -> list[str]:
    """What is set in code, with the ? of what may be left out."""
    return [name + mark for name, mark in re.findall(r"`([^`]+)`(\??)", cell)]


def fields_of(model: Any, common: frozenset[str]) -> list[str]:
    """A command's own fields, in their order."""
    fields = model.model_fields.items()
    return [name + "?" * (not field.is_required()) for name, field in fields if name not in common]


def test_commands_events_and_outcomes() -> None:
    """Every kind has a row, with exactly its fields."""
    common = frozenset(Rule.model_fields)
    expected = {
        kind: (
            [rule.event_kind],
            fields_of(rule, common),
            [field.name for field in dataclasses.fields(rule.outcome)],
        )
        for kind, rule in rulebook.RULEBOOK.rules.items()
    }
    rows = table("| command | event | fields | outcome |")
    assert {names(row[0])[0]: tuple(map(names, row[1:])) for row in rows} == expected
    assert set(names("".join(row[0] for row in table("| field | |")))) == common


def test_every_field_has_a_form() -> None:
    """In the table of values, or in that of outcomes; and no other has."""
    rows = table("| command | event | fields | outcome |")
    line = FORMATS.partition("Each of the `lines`")[2].partition("What a field may hold")[0]
    own = {name.rstrip("?") for row in rows for name in names(row[2])} | {name.rstrip("?") for name in names(line)}
    own = (own | set(Rule.model_fields)) - {"time.burn/1", "kind"}
    first, second = FORMATS.partition("And in outcomes:")[::2]
    assert first
    formed = {name for row in table("| fields | value |") for name in names(row[0])}
    assert formed - own == set()
    assert own - formed == {"corrects", "declarations", "officers"}  # objects, of which the text says what they have
    outcomes = {name for row in rows for name in names(row[3])}
    described = re.findall(r"^\| ((?:`\w+`[^|]*)) \|", second.partition("\n## ")[0], re.MULTILINE)
    assert {name for cell in described for name in names(cell) if "/" not in name} == outcomes
