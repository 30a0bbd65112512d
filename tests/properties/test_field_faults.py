"""Whatever is wrong with whichever field of a command, the refusal names the field and speaks in our own words."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from support.editions import NEVER_RECORDED
from tallystick.cli.command_files import read_fields
from tallystick.errors import MalformedError
from tallystick.field_faults import fault_in_words, shown
from tallystick.vouchers.entry import split_entry
from tallystick.vouchers.fields import IN_WORDS
from tallystick.vouchers.rulebook import RULEBOOK, command_text

ENTRIES = sorted((Path(__file__).resolve().parents[1] / "vectors" / "entries").glob("*.txt"))
COMMANDS: dict[str, dict[str, Any]] = {}
for entry in ENTRIES:
    if entry.name[0].isdigit():
        command = json.loads(split_entry(entry.read_bytes())[1].splitlines()[0])
        COMMANDS.setdefault(command["kind"], command)
ODD: list[Any] = [
    *(
        None,
        True,
        False,
        -1,
        0,
        2**53,
        -(2**70),
        1.5,
        "",
        " ",
        "x" * 500,
        "庆阳",
        "A/B",
        "a\nb",
        "2026-13-01",
        "\u202e",
    ),
    *([], [None], [1.5], [1], ["x"] * 2_000, {}, {"a": 1}),
]
LIBRARIES = re.compile(
    r"Input|Value error|should|validation|[Ff]ield required|permitted|pydantic|instance|tuple|discriminator"
    r"|something else|form\b"
)


RULEBOOK_KINDS = {event: kind for kind, event in RULEBOOK.event_kinds.items()}


def test_every_kind_of_command_is_tried() -> None:
    schema = TypeAdapter(RULEBOOK.any_command).json_schema()
    never = {RULEBOOK_KINDS[kind] for kind in NEVER_RECORDED}
    assert COMMANDS.keys() | never == schema["discriminator"]["mapping"].keys()


@pytest.mark.parametrize("kind", sorted(COMMANDS))
def test_a_field_that_is_wrong_is_named_in_our_words(kind: str) -> None:
    """Each with everything that it may not be, and without it."""
    good = COMMANDS[kind]
    for field in good:
        if field == "kind":
            continue
        for odd in ODD:
            try:
                command_text(read_fields(json.dumps(good | {field: odd}).encode(), 0))
            except MalformedError as error:
                said = str(error)
            else:
                continue  # it may be that
            of_log = ("log", "old_vkey") if kind == "log.rekey/1" else ("log",)  # whose name its keys have
            assert said.startswith(of_log if field == "log" else field), said
            assert not LIBRARIES.search(said), said
            assert said.isascii(), said
            assert said.isprintable(), said
            assert len(said) < 300, said
        if not RULEBOOK.rules[kind].model_fields[field].is_required():
            continue
        with pytest.raises(MalformedError, match=f"^{field}: is missing$"):
            command_text({name: value for name, value in good.items() if name != field})


def places_in(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The places of all that is within a JSON value, at any depth."""
    members: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        members = [*value.items()]
    elif isinstance(value, list):
        members = [*enumerate(value)]
    for place, member in members:
        yield (*path, place)
        yield from places_in(member, (*path, place))


def with_other(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    """A JSON value with another one in a place within it."""
    if not path:
        return other
    copied = value.copy()
    copied[path[0]] = with_other(value[path[0]], path[1:], other)
    return copied


@pytest.mark.parametrize("kind", sorted(COMMANDS))
def test_a_value_that_is_wrong_within_a_field_is_named_in_our_words(kind: str) -> None:
    """In rules, items, groups and rows: by its place, or by that of the list whose order it breaks."""
    good = COMMANDS[kind]
    for path in places_in(good):
        if len(path) < 2:
            continue
        place = ".".join(map(str, path))
        for odd in ODD:
            try:
                command_text(read_fields(json.dumps(with_other(good, path, odd)).encode(), 0))
            except MalformedError as error:
                said = str(error)
            else:
                continue  # it may be that
            named = said.partition(": ")[0]
            assert f"{place}.".startswith(f"{named}.") or named.startswith(f"{place}."), (place, said)
            assert not LIBRARIES.search(said), said
            assert said.isascii(), said
            assert said.isprintable(), said
            assert len(said) < 300, said


def patterns(schema: Any) -> set[str]:
    """All regular expressions in a schema."""
    if isinstance(schema, dict):
        own = {schema["pattern"]} if isinstance(schema.get("pattern"), str) else set()
        return own.union(*[patterns(value) for value in schema.values()])
    return set().union(*[patterns(value) for value in schema]) if isinstance(schema, list) else set()


def test_every_pattern_has_its_words() -> None:
    """Neither a refusal nor a finding about an entry's outcome shows a regular expression."""
    types = [TypeAdapter(RULEBOOK.any_command), *RULEBOOK.outcomes.values()]
    assert set().union(*[patterns(one.json_schema(mode="validation")) for one in types]) == set(IN_WORDS)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((None, "null"), (True, "true"), (5, "5"), (-(10**39), f"-{10**39}"), (1.5, "1.5"), ("a", "'a'")),
        (10**40, "an integer of more than 40 digits"),
        (10**5_000, "an integer of more than 40 digits"),
        ("é\x1b", r"'\xe9\x1b'"),
        ("x" * 41, f"'{'x' * 40}'... (41 characters)"),
        *(([1, 2], "a list of 2"), ({}, "an object")),
    ],
    ids=range(12),
)
def test_what_was_given_is_shown_short(value: object, text: str) -> None:
    assert shown(value) == text


def test_a_fault_that_nobody_foresaw_has_words() -> None:
    """Those of the type, or that it is another."""
    for annotation, value, words in (
        (bytes, 5, "must be something else, not 5"),
        (dict[str, int], 5, "must be an object, not 5"),
        (list[int], 5, "must be a list, not 5"),
    ):
        with pytest.raises(ValidationError) as caught:
            TypeAdapter(annotation).validate_python(value, strict=True)
        assert fault_in_words(caught.value.errors()[0]) == words
