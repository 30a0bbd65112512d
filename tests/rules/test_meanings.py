"""Every field of every command says what it means, and nothing is said of a field that there isn't."""

import pytest

from tallystick.forms import building
from tallystick.forms.building import Option
from tallystick.forms.form import COMMON, forms
from tallystick.forms.leaves import Leaf
from tallystick.forms.records import Part
from tallystick.vouchers import meanings, rulebook
from tallystick.vouchers.rulebook import RULEBOOK


def described() -> list[Option | Part]:
    """Every option, and every field of an object in one."""
    found: list[Option | Part] = []
    for form in forms().values():
        for option in form.options:
            found.append(option)
            if not isinstance(option.shape, Leaf):
                found += option.shape.all_parts()
    return found


def test_every_field_has_a_meaning() -> None:
    """In a phrase: no capital, no full stop, short enough for a line of help."""
    found = described()
    assert len(found) > 250
    assert [one.name for one in found if not 2 < len(one.meaning) <= 80] == []
    assert [one.meaning for one in found if one.meaning[0].isupper() or one.meaning.endswith(".")] == []


def test_nothing_is_said_of_a_field_that_there_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """A meaning that no form and no list of the rules asks for is one of a field that was renamed."""
    asked = set()

    def meaning_of(model: str, name: str) -> str:
        own = (model, name)
        asked.add(own if own in meanings.all_meanings() else ("", name))
        return meanings.meaning_of(model, name)

    monkeypatch.setattr(building, "meaning_of", meaning_of)
    monkeypatch.setattr(rulebook, "meaning_of", meaning_of)
    rulebook.described()
    for rule in RULEBOOK.rules.values():
        building.options_of(rule, COMMON)
    assert meanings.all_meanings() - asked == set()
