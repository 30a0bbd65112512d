"""Every command has a form: what it says can be typed, and what is typed becomes that command and no other."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydantic import StringConstraints

from support.schedules import schedule
from tallystick.forms.building import Option
from tallystick.forms.form import COMMON, Form, forms
from tallystick.forms.leaves import Leaf, Surroundings, core_and_notes
from tallystick.forms.records import Grouped, Part, Record
from tallystick.vouchers.quantities import format_day, format_instant, format_second
from tallystick.vouchers.rulebook import RULEBOOK, command_text

Json = dict[str, Any]
VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "entries"
ZONES = (28_800, 0, -12_600)


def commands_of_the_story() -> dict[str, list[Json]]:
    """The commands of the vectors by kind: nobody made them from a form."""
    found = defaultdict(list)
    for path in sorted(VECTORS.glob("[0-9]*.txt")):
        command = json.loads(path.read_bytes().split(b"\n")[1])
        found[command["kind"]].append(command)
    adopted = {"kind": "rules.adopt/1", "edition": 1}  # no log can adopt an edition yet
    found["rules.adopt/1"].append({name: found["network.found/1"][0].get(name) for name in COMMON} | adopted)
    return found


STORY = commands_of_the_story()


def typed(form: Form, command: Json, surroundings: Surroundings) -> dict[str, list[str]]:
    """A command as its form has it, by option."""
    words = defaultdict(list)
    for option, text in form.write(command, surroundings):
        words[option].append(text)
    return words


def common_of(command: Json) -> dict[str, str]:
    return {name: command[name] for name in COMMON if name != "kind"}


def through_the_form(form: Form, command: Json, zone: int) -> bytes:
    """The text of the command that a form gives which was filled in with what a command says."""
    surroundings = Surroundings(zone)
    words = typed(form, command, surroundings)
    filled = form.read(words, surroundings)
    assert form.check(filled, common_of(command)) == [], (words, command)
    again = {"kind": form.kind} | common_of(command) | filled.fields
    assert typed(form, again, surroundings) == words
    return command_text(again)


def test_the_story_has_every_command() -> None:
    """So the next test leaves none out."""
    assert set(STORY) == set(forms()) == set(RULEBOOK.rules)
    assert len(STORY) == 46


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("kind", [*RULEBOOK.rules])
def test_what_a_command_says_can_be_typed_and_is_read_as_the_same(kind: str, zone: int) -> None:
    """Form → command → the same bytes to sign, at the network's own offset and at others."""
    for command in STORY[kind]:
        assert through_the_form(forms()[kind], command, zone) == command_text(command)


# ----------------------------------------------------------------------------------------------- random commands

INSTANTS = st.integers(0, 253_402_300_799_999_999)
TEXTS = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=40) | st.sampled_from(
    ['say "a=b", c=d', ",x=1", '"', "a,b=c", " a ", "paid,reason=none", "1,500.00", "=", 'x,"y=z"']
)
VKEYS = [vkey for command in STORY["party.admit/1"] for vkey in command["keys"]]


def values_of(leaf: Leaf) -> st.SearchStrategy[Any]:
    """Values of a leaf, by the model's type alone."""
    core, notes = core_and_notes(leaf.type_)
    patterns = [str(one.pattern) for one in notes if isinstance(one, StringConstraints) and one.pattern]
    if core is bool:
        return st.just(True) if leaf.is_flag else st.booleans()
    if leaf.choices:
        return st.sampled_from(leaf.choices)
    if leaf.metavar == "TIME":
        return INSTANTS.map(format_instant if core is int else format_second)
    if leaf.metavar == "DAY":
        return st.integers(0, 2_932_896).map(format_day)
    if core is int:
        low, high = leaf.limits
        return st.integers(1 if low is None else low, 2**53 - 1 if high is None else high)
    if "HASH" in leaf.metavar:
        return st.binary(min_size=32, max_size=32).map(lambda digest: f"sha256:{digest.hex()}")
    if leaf.metavar == "FILE":
        return st.just("a log\n5\nroot\n\n— key line\n")
    if leaf.metavar == "VKEY" or not patterns:
        return st.sampled_from(VKEYS)
    return TEXTS if "x00" in patterns[0] else st.from_regex(patterns[0], fullmatch=True)


@st.composite
def changed(draw: st.DrawFn, form: Form) -> Json:
    """A command of the story, some of it replaced by other values, left out, or said more often."""
    command: Json = json.loads(json.dumps(draw(st.sampled_from(STORY[form.kind]))))
    for option in form.options:
        holder: Any = command
        for name in option.path[:-1]:
            holder = holder.get(name, {})
        if option.path[-1] not in holder or draw(st.booleans()):
            continue
        if not option.is_needed and draw(st.booleans()):
            del holder[option.path[-1]]
        else:
            holder[option.path[-1]] = draw(other_value(option, holder[option.path[-1]]))
    return command


def other_value(option: Option, value: Any) -> st.SearchStrategy[Any]:
    """Another value for an option, or for each of its list."""
    shape = option.shape
    if isinstance(shape, Grouped):
        parts = shape.inner.parts[:5]
        rows = st.tuples(*[values_of(part.leaf) for part in parts]).map(list)
        return st.lists(rows, min_size=1, max_size=3).map(
            lambda lines: [group | {shape.inner_name: group[shape.inner_name] + lines} for group in value]
        )
    one = values_of(shape) if isinstance(shape, Leaf) else None
    if not option.is_list:
        return one if one is not None else other_record(shape, value)
    each = one if one is not None else st.sampled_from(value).flatmap(lambda some: other_record(shape, some))
    lists = st.lists(each, min_size=1, max_size=3, unique_by=lambda some: json.dumps(some, sort_keys=True))
    key = shape.order if isinstance(shape, Record) else None
    return lists.map(lambda some: sorted(some, key=key)) if option.is_sorted else lists


def other_record(record: Any, value: Json) -> st.SearchStrategy[Json]:
    """An object with other values of the fields that it has."""
    assert isinstance(record, Record)
    if record.others is not None:
        return other_record(record.others[value[record.tag]], value)
    said = {part.path[0]: part for part in record.parts if part.path[0] in value and len(part.path) == 1}
    return st.fixed_dictionaries({name: st.just(value[name]) | other_part(part) for name, part in said.items()})


def other_part(part: Part) -> st.SearchStrategy[Any]:
    values = values_of(part.leaf)
    return st.lists(values, min_size=1, max_size=3, unique=True).map(sorted) if part.is_list else values


@pytest.mark.long
@pytest.mark.parametrize("kind", [*RULEBOOK.rules])
@settings(
    max_examples=schedule(10, 150),
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
@given(data=st.data(), zone=st.integers(-50_400, 50_400))
def test_any_command_can_be_typed_and_is_read_as_the_same(kind: str, data: st.DataObject, zone: int) -> None:
    """Whatever values its fields have, within the model's own bounds."""
    form = forms()[kind]
    command = data.draw(changed(form))
    try:
        text = command_text(command)
    except ValueError:
        assume(False)
    assert through_the_form(form, command, zone) == text
