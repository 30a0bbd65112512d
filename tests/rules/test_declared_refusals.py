"""A rule declares exactly the refusals that its `decide` can come to, in order of precedence."""

import dis
from collections.abc import Mapping
from types import CodeType, FunctionType

import pytest

from tallystick.vouchers.refusals import Reason
from tallystick.vouchers.rulebook import RULES, described
from tallystick.vouchers.rules.rule import Rule

WITHIN = "tallystick.vouchers.rules"


def reasons_in(function: FunctionType, seen: set[FunctionType], methods: Mapping[str, object]) -> set[Reason]:
    """Every `Reason.X` that a function names, or a function, method or class of the rules that it uses."""
    if function in seen:
        return set()
    seen.add(function)
    found: set[Reason] = set()
    codes = [function.__code__]
    while codes:
        code = codes.pop()
        codes += [one for one in code.co_consts if isinstance(one, CodeType)]
        before = None
        for step in dis.get_instructions(code):
            if before == "Reason" and step.argval in Reason.__members__:
                found.add(Reason[step.argval])
            before = step.argval
            used = function.__globals__.get(step.argval) if step.opname == "LOAD_GLOBAL" else None
            if step.opname in ("LOAD_METHOD", "LOAD_ATTR") and str(step.argval).startswith("_"):
                used = methods.get(step.argval)
            if getattr(used, "__module__", "").startswith(WITHIN):
                parts = [used] if isinstance(used, FunctionType) else list(vars(used).values())
                for part in parts:
                    found |= reasons_in(part, seen, methods) if isinstance(part, FunctionType) else set()
    return found


@pytest.mark.parametrize("rule", RULES)
def test_refusals_are_those_of_the_code(rule: type[Rule]) -> None:
    assert isinstance(rule.decide, FunctionType)
    found = reasons_in(rule.decide, set(), vars(rule))
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
