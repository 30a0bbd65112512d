"""docs/formats.md says what the code does: its tables of commands, events and outcomes are compared with it."""

import dataclasses
import re
from pathlib import Path
from typing import Any

from tallystick.vouchers import rulebook
from tallystick.vouchers.rules.accreditations import PriceLimit
from tallystick.vouchers.rules.applications import Declarations
from tallystick.vouchers.rules.burn_lines import Corrected, LineGroup, LineOptions
from tallystick.vouchers.rules.capacity import InstalledItem
from tallystick.vouchers.rules.contracts import ItemPrice
from tallystick.vouchers.rules.gates import GateFields
from tallystick.vouchers.rules.officers import OfficersFields
from tallystick.vouchers.rules.programme_rules import CapFields, ClaimFields, ProrationFields, RulesFields, ShareFields
from tallystick.vouchers.rules.rule import Rule
from tallystick.vouchers.rules.settlement import Offset, PaymentFields, SettledRow

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


OBJECTS: dict[str, Any] = {
    "officers": OfficersFields,
    "rules": RulesFields,
    "shares": ShareFields,
    "cap": CapFields,
    "claims": ClaimFields,
    "proration": ProrationFields,
    "gates": GateFields,
    "items provider.accredit/1": PriceLimit,
    "items contract.sign/1 contract.amend/1": ItemPrice,
    "groups": LineGroup,
    "capacity": InstalledItem,
    "corrects": Corrected,
    "declarations": Declarations,
    "rows redemption.settle/1": SettledRow,
    "offsets": Offset,
    "payment": PaymentFields,
}
"""By the fields, and the commands, that the table of objects names."""
UNIONS = {"record"}
"""Objects of one form or another."""


def test_every_object_within_a_field() -> None:
    """With exactly its fields; what is left out where there is nothing has a default."""
    said = {" ".join(names(row[0])): names(row[1]) for row in table("| field | fields of each object |")}
    assert {name: set(fields) for name, fields in said.items() if name not in UNIONS} == {
        name: set(fields_within(type_)) for name, type_ in OBJECTS.items()
    }
    (options,) = [row for row in table("| place | value | |") if row[1] == "options"]
    assert set(fields_within(LineOptions)) == {f"{name}?" for name in names(options[2])}


def fields_within(type_: Any) -> list[str]:
    """The fields of a class of commands' objects, with a ? where they may be left out."""
    if hasattr(type_, "model_fields"):
        return [name + "?" * (not field.is_required()) for name, field in type_.model_fields.items()]
    return [one.name + "?" * (one.default is not dataclasses.MISSING) for one in dataclasses.fields(type_)]


def test_every_field_has_a_form() -> None:
    """In the table of values, or in that of outcomes; and no other has. Rows have a table of their own."""
    rows = table("| command | event | fields | outcome |")
    objects = table("| field | fields of each object |")
    own = {name.rstrip("?") for row in rows for name in names(row[2])} | set(Rule.model_fields) - {"kind"}
    own |= {name.rstrip("?") for row in objects for name in names(row[1])} - {"type", "tariff", "accreditation"}
    own |= {name.rstrip("?") for name in fields_within(LineOptions)}
    first, second = FORMATS.partition("And in outcomes:")[::2]
    assert first
    formed = {name for row in table("| fields | value |") for name in names(row[0])}
    assert formed - own == set()
    # Objects and rows, of which other tables say what they have.
    held = {name for row in objects for name in names(row[0]) if "/" not in name}
    assert own - formed == (held - {"items"}) | {"lines"}
    outcomes = {name for row in rows for name in names(row[3])}
    described = re.findall(r"^\| ((?:`\w+`[^|]*)) \|", second.partition("\n## ")[0], re.MULTILINE)
    assert {name for cell in described for name in names(cell) if "/" not in name} == outcomes
