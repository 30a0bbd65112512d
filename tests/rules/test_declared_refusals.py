"""A rule declares exactly the refusals that its `decide` can come to, in order of precedence."""

import dis
from collections.abc import Iterator
from types import CodeType, FunctionType

import pytest

from tallystick.vouchers.refusals import Reason
from tallystick.vouchers.rulebook import RULES, described
from tallystick.vouchers.rules.rule import Rule

WITHIN = "tallystick.vouchers.rules"


def reasons_of(rule: type[Rule]) -> set[Reason]:
    """Every `Reason.X` that its `decide` names, or what of the rules can be reached from there.

    That is each function and class that is named, and the methods that somebody calls by their name, of these classes
    and of the rule itself.
    """
    todo: list[object] = [rule.decide]
    seen, classes, called, found = set[FunctionType](), [rule], set[str](), set[Reason]()
    while todo:
        function = todo.pop()
        if isinstance(function, FunctionType) and function not in seen:
            seen.add(function)
            for name, used in _steps(function):
                if name in Reason.__members__:
                    found.add(Reason[name])
                called.add(name)
                if isinstance(used, type) and used not in classes:
                    classes.append(used)
                todo.append(used)
        if not todo:
            methods = [one for cls in classes for name, one in vars(cls).items() if name in called | {"__init__"}]
            functions = [one.fget if isinstance(one, property) else one for one in methods]
            todo = [one for one in functions if isinstance(one, FunctionType) and one not in seen]
    return found


def _steps(function: FunctionType) -> Iterator[tuple[str, object]]:
    """Yield the attributes that a function loads, `Reason.X` among them, and of the rules the globals by name."""
    codes = [function.__code__]
    while codes:
        code = codes.pop()
        codes += [one for one in code.co_consts if isinstance(one, CodeType)]
        before = None
        for step in dis.get_instructions(code):
            used = function.__globals__.get(step.argval) if step.opname == "LOAD_GLOBAL" else None
            if getattr(used, "__module__", "").startswith(WITHIN):
                yield "", used
            if step.opname in ("LOAD_METHOD", "LOAD_ATTR") and (
                step.argval not in Reason.__members__ or before == "Reason"
            ):
                yield step.argval, None
            before = step.argval


@pytest.mark.parametrize("rule", RULES)
def test_refusals_are_those_of_the_code(rule: type[Rule]) -> None:
    found = reasons_of(rule)
    assert found
    assert list(rule.refusals) == [reason for reason in Reason if reason in found]


def test_others_may_be_given_to_every_command() -> None:
    """Those of notes, of time, of signatures and of size, and no other."""
    common = described()["every_command"]["refusals"]
    assert common[0] == "note_too_large"
    assert {"party_unknown", "signature_invalid", "signatures_missing", "entry_too_large"} <= set(common)
    named = {value for one in described()["commands"] for value in one["refusals"]}
    assert named.isdisjoint(common)
    assert named | set(common) == {reason.value for reason in Reason}
