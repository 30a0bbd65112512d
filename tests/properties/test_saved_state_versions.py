"""The version of saved states follows from the state's form: any change of it is another version, and no other is."""

import dataclasses
import itertools
import json
from collections import deque
from enum import StrEnum
from typing import Annotated, Any, Literal, NamedTuple

import pytest
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from support.scenario import Story, ledger_for
from tallystick.errors import MalformedError
from tallystick.signing import canonical_json
from tallystick.vouchers import burns, saved_state
from tallystick.vouchers.packed_columns import PackedColumns
from tallystick.vouchers.parties import NetworkParameters
from tallystick.vouchers.saved_state import MEANING, SCHEMA_SHA256, StateHeader, version_of
from tallystick.vouchers.schemas import Layout, schema_of
from tallystick.vouchers.state import State

REACHED = json.loads(schema_of(State))["types"]


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Move(NamedTuple):
    """A move."""

    source: Literal["one", "two"]
    amount_fen: int = 0


@dataclasses.dataclass(slots=True)
class Purse:
    """A purse, which may be in another."""

    __pydantic_config__ = ConfigDict(ser_json_bytes="base64")

    owner: str
    moves: deque[Move] = dataclasses.field(default_factory=deque)
    colour: Colour = Colour.RED
    packed: Annotated[bytes, Layout("<HH")] | None = None
    inner: "Purse | None" = None
    sums: dict[str, tuple[int, ...]] = dataclasses.field(default_factory=lambda: {"a": (1, 2)})
    follows: Annotated[object, Field(exclude=True)] = True


def test_a_form_is_described_like_this() -> None:
    """To the byte, on every version of Python and of pydantic."""
    assert schema_of(Purse) == canonical_json.encode(
        {
            "of": "Purse",
            "types": {
                "Purse": {
                    "config": {"ser_json_bytes": "base64"},
                    "fields": [
                        ["owner", "str"],
                        ["moves", {"deque": [{"type": "Move"}]}, {"deque": []}],
                        ["colour", {"enum": [["RED", "red"], ["BLUE", "blue"]]}, {"Colour": "RED"}],
                        ["packed", {"union": ["null", {"layout": ["<HH"], "of": "bytes"}]}, {"null": []}],
                        ["inner", {"union": ["null", {"type": "Purse"}]}, {"null": []}],
                        [
                            "sums",
                            {"dict": ["str", {"tuple": ["int", "..."]}]},
                            {"dict": [{"tuple": ["a", {"tuple": [1, 2]}]}]},
                        ],
                    ],
                },
                "Move": {
                    "config": {},
                    "fields": [["source", {"literal": ["one", "two"]}], ["amount_fen", "int", 0]],
                },
            },
        }
    )


def nested(*fields: Any, config: ConfigDict | None = None, doc: str | None = None) -> type:
    """A dataclass with one of these fields two levels down."""
    leaf = dataclasses.make_dataclass("Leaf", fields, namespace={"__doc__": doc, "__pydantic_config__": config or {}})
    branch = dataclasses.make_dataclass("Branch", [("leaves", dict[str, list[leaf | None]])])  # type: ignore[valid-type]
    return dataclasses.make_dataclass("Root", [("branch", branch)])


class Pair(NamedTuple):
    a: int
    b: int


FIRST = Pair


class Pair(NamedTuple):  # type: ignore[no-redef]
    b: int
    a: int


OTHER_ORDER = Pair


class Pair(NamedTuple):  # type: ignore[no-redef]
    a: int
    b: str


OTHER_TYPE = Pair


class Pair(NamedTuple):  # type: ignore[no-redef]
    a: int
    b: int = 0


WITH_DEFAULT = Pair


DIFFERENT: dict[str, type] = {
    "one field": nested(("size", int)),
    "another name": nested(("length", int)),
    "another type": nested(("size", str)),
    "a field more": nested(("size", int), ("at", int)),
    "the other order": nested(("at", int), ("size", int)),
    "a default": nested(("size", int, 0)),
    "another default": nested(("size", int, 1)),
    "a default of None": nested(("size", int, None)),
    "a default that is made": nested(("size", dict[str, int], dataclasses.field(default_factory=dict))),
    "one that is made with something in it": nested(
        ("size", dict[str, int], dataclasses.field(default_factory=lambda: {"a": 0}))
    ),
    "optional": nested(("size", int | None)),
    "true or false": nested(("size", bool)),
    "a list": nested(("size", list[int])),
    "a tuple of one": nested(("size", tuple[int])),
    "a tuple of any length": nested(("size", tuple[int, ...])),
    "a deque": nested(("size", deque[int])),
    "a literal": nested(("size", Literal["a", "b"])),
    "a literal more": nested(("size", Literal["a", "b", "c"])),
    "literal numbers": nested(("size", Literal[0, 1])),
    "literal truth": nested(("size", Literal[False, True])),
    "a layout": nested(("size", Annotated[bytes, Layout("<H")])),
    "another layout": nested(("size", Annotated[bytes, Layout("<Q")])),
    "a layout of text": nested(("size", Annotated[str, Layout("<Q")])),
    "a setting": nested(("size", int), config=ConfigDict(ser_json_bytes="base64")),
    "another setting": nested(("size", int), config=ConfigDict(ser_json_bytes="utf8")),
    "a named tuple": nested(("size", FIRST)),
    "its other order": nested(("size", OTHER_ORDER)),
    "its other type": nested(("size", OTHER_TYPE)),
    "its default": nested(("size", WITH_DEFAULT)),
    "an enumeration": nested(("size", Colour)),
    "another enumeration": nested(("size", StrEnum("Colour", {"RED": "red", "BLUE": "dark"}))),
}


def test_every_change_of_form_is_another_version() -> None:
    """Two levels down, of each against each."""
    versions = {name: version_of(root, 1) for name, root in DIFFERENT.items()}
    same = [pair for pair in itertools.combinations(versions, 2) if versions[pair[0]] == versions[pair[1]]]
    assert same == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (nested(("size", int), doc="A docstring."), nested(("size", int), doc="Another.")),
        (nested(("size", int)), nested(("size", int), ("times", Annotated[object, Field(exclude=True)]))),
        (nested(("size", Literal["a", "b"])), nested(("size", Literal["b", "a"]))),
        (nested(("size", int | str)), nested(("size", str | int))),
    ],
    ids=["a docstring", "what isn't saved", "the order of a literal", "the order of a union"],
)
def test_what_changes_no_byte_is_no_other_version(one: type, other: type) -> None:
    assert schema_of(one) == schema_of(other)


@pytest.mark.parametrize("name", [name for name, form in REACHED.items() if form["fields"]])
def test_a_field_more_anywhere_in_the_state_is_another_version(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In each class that the state is made of, as it is."""
    reached = {cls.__name__: cls for cls in reached_from(State)}
    more: Any = dataclasses.make_dataclass("More", [("more", int, 0)])
    cls: Any = reached[name]
    monkeypatch.setattr(cls, "__dataclass_fields__", cls.__dataclass_fields__ | more.__dataclass_fields__)
    monkeypatch.setattr(cls, "__annotations__", cls.__annotations__ | {"more": int})
    monkeypatch.setattr(cls, "more", 0, raising=False)
    assert version_of(State, MEANING) != SCHEMA_SHA256


def reached_from(*classes: Any) -> list[Any]:
    """The modules of the state's classes have all of them."""
    modules = ("book", "burns", "contracts", "holdings", "parties", "programmes", "redemptions", "seals", "state")
    found = [vars(__import__(f"tallystick.vouchers.{name}", fromlist=["x"])) for name in modules]
    return [
        *classes,
        *(one for names in found for one in names.values() if isinstance(one, type) and dataclasses.is_dataclass(one)),
    ]


def test_meaning_is_part_of_the_version() -> None:
    assert version_of(State, MEANING) == SCHEMA_SHA256 != version_of(State, MEANING + 1)


@pytest.mark.parametrize(
    ("type_", "field", "columns"),
    [("Group", "packed", burns._LINES), ("Statement", "payments", burns._PAYMENTS)],
    ids=["lines", "payments"],
)
def test_the_layout_of_what_is_packed_is_part_of_the_version(type_: str, field: str, columns: PackedColumns) -> None:
    """As the code packs it: the schema says bytes, which another struct would be too."""
    fields = {name: form for name, form, *_ in REACHED[type_]["fields"]}
    assert fields[field] == {"layout": [columns.layout], "of": "bytes"}


class Command(BaseModel):
    """No value of a state's own."""


@pytest.mark.parametrize(
    ("type_", "error"),
    [
        (bytes, r"Leaf\.size: the form of <class 'bytes'>"),
        (object, r"Leaf\.size: the form of <class 'object'>"),
        (float, r"Leaf\.size: the form of"),
        (set[int], r"Leaf\.size: the form of set\[int\]"),
        (Command, r"Leaf\.size: the form of"),
        (dict, r"Leaf\.size: the form of <class 'dict'>"),
        (Annotated[int, Field(ge=0)], r"Leaf\.size: what .* does to the form is not known"),
        (Annotated[int, AfterValidator(abs)], r"Leaf\.size: what .* does to the form is not known"),
        (list[Annotated[int, Field(exclude=True)]], r"Leaf\.size: only a whole field can be left out"),
        (dataclasses.make_dataclass("Branch", [("x", int)]), "two types are called Branch"),
    ],
)
def test_a_form_that_is_not_known_is_refused(type_: Any, error: str) -> None:
    """So a field whose change would go unseen can't be added to the state."""
    with pytest.raises(TypeError, match=error):
        schema_of(nested(("size", type_)))


# ----------------------------------------------------------------------------------------------------------- the header

SAVED = ledger_for(Story("standard", ())).state
DATA = SAVED.to_bytes()
HEADER = StateHeader.of(SAVED, bytes(range(32)), DATA)


def test_a_header_is_written_and_read_the_same() -> None:
    assert StateHeader.from_text(HEADER.to_text()) == HEADER
    assert HEADER.state(DATA) == SAVED


def test_a_header_of_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    text = HEADER.to_text()
    monkeypatch.setattr(saved_state, "SCHEMA_SHA256", "0" * 64)
    with pytest.raises(MalformedError, match="saved by another version"):
        StateHeader.from_text(text)


def test_no_other_text_is_a_header() -> None:
    """A byte changed, lines gone, doubled or moved, other encodings of its numbers."""
    text = HEADER.to_text()
    lines = text.splitlines(keepends=True)
    size = b"\nsize %d\n" % HEADER.size
    odd = [
        *(text[:at] + bytes([text[at] ^ flip]) + text[at + 1 :] for at in range(len(text)) for flip in (1, 0x20, 0x80)),
        *(b"".join(lines[:at] + lines[at + 1 :]) for at in range(len(lines))),
        *(b"".join([*lines[: at + 1], *lines[at:]]) for at in range(len(lines))),
        b"".join([lines[0], *reversed(lines[1:])]),
        *(text.replace(size, b"\nsize %s\n" % other) for other in (b"1_0", b"+10", b" 10", b"010", b"", b"9" * 3_000)),
        text + b"\n",
        text[:-1],
        b"",
        b"\n" * 6,
    ]
    for one in odd:
        try:
            other = StateHeader.from_text(one)
        except MalformedError:
            continue
        assert other.to_text() == one != text
        assert other != HEADER


def test_a_state_is_read_under_its_own_header_alone() -> None:
    for header, data in (
        (HEADER, DATA + b" "),
        (HEADER, b""),
        (dataclasses.replace(HEADER, size=HEADER.size + 1), DATA),
        (dataclasses.replace(HEADER, origin="tallystick.example/other"), DATA),
    ):
        with pytest.raises(MalformedError):
            header.state(data)


def test_parameters_are_values_of_the_states_own() -> None:
    assert REACHED["NetworkParameters"]["fields"] == [
        [one.name, "int"] for one in dataclasses.fields(NetworkParameters)
    ]
