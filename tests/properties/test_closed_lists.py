"""Every closed list is a `CodedEnum`, and is read in one way."""

import ast
import pickle
import re
from collections import Counter
from enum import Enum
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest

import tallystick
from tallystick.coded_enum import CodedEnum
from tallystick.errors import MalformedError

for _module in walk_packages(tallystick.__path__, "tallystick."):
    if not _module.name.endswith("__main__"):
        import_module(_module.name)

LISTS = sorted(CodedEnum.__subclasses__(), key=lambda one: one.__name__)


def every_enum(kind: type[Enum]) -> set[type[Enum]]:
    """The classes below a class."""
    return {one for below in kind.__subclasses__() for one in {below, *every_enum(below)}}


@pytest.mark.parametrize("codes", LISTS)
def test_a_member_is_its_code_and_has_a_meaning(codes: type[CodedEnum]) -> None:
    assert Counter(one.value for one in codes).most_common(1)[0][1] == 1
    for one in codes:
        assert (one.value, str(one), f"{one}") == (one.name.lower(),) * 3
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", one)
        assert len(one.meaning) > len("no claim")
        assert codes.from_code(one.value) is one
        assert pickle.loads(pickle.dumps(one)) is one


@pytest.mark.parametrize("codes", LISTS)
@pytest.mark.parametrize("text", ["bad_mood", "", "STORE_DAMAGED", "Reason.KEY_UNKNOWN", "é" * 1_000])
def test_a_word_that_is_not_on_a_list_raises_one_error(codes: type[CodedEnum], text: str) -> None:
    with pytest.raises(MalformedError, match=f"is none of the codes in {codes.__name__}$") as raised:
        codes.from_code(text)
    assert len(str(raised.value)) < 600
    assert str(raised.value).isascii()


def test_no_enum_has_meanings_of_its_own() -> None:
    """What has a code and a meaning is a closed list."""
    enums = {one for one in every_enum(Enum) if one.__module__.startswith("tallystick.")} - {CodedEnum, *LISTS}
    assert {one for one in enums if any(hasattr(member, "meaning") for member in one)} == set()
    assert len(LISTS) > 1


def test_a_code_that_an_error_begins_with_is_on_a_list() -> None:
    """An error that says what a finding or a refusal says has its name."""
    codes = {one.value for codes in LISTS for one in codes}
    texts = [
        node.value
        for path in Path(tallystick.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    named = {text.partition(":")[0] for text in texts if re.match("[a-z]+(_[a-z]+)+: ", text)}
    assert "history_rewritten" in named
    assert named - codes == set()
