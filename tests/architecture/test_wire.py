"""What other programs read is shaped in `wire` alone, and an error has one code there."""

import ast
import inspect
from pathlib import Path

import pytest

from tallystick import errors
from tallystick.errors import NotALedgerError, TallystickError
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.wire.problems import code_of, problem

PACKAGE = Path(errors.__file__).parent
KINDS = [value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, TallystickError)]


def printed_objects(tree: ast.AST) -> list[int]:
    """The lines on which an object is put together in the very call that prints it as JSON."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "print_json"
        and any(isinstance(inner, ast.Dict | ast.BinOp) for argument in node.args for inner in ast.walk(argument))
    ]


def test_the_command_line_prints_what_wire_returns() -> None:
    """A second way to say the same would come apart from the first."""
    commands = sorted((PACKAGE / "cli").rglob("*.py"))
    assert len(commands) > 10
    found = {path.name: printed_objects(ast.parse(path.read_text("utf-8"))) for path in commands}
    assert {name: lines for name, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "source",
    ["output.print_json({'by': by})", "output.print_json({'a': 1} | said)", "output.print_json(said | more)"],
)
def test_an_object_made_elsewhere_is_seen(source: str) -> None:
    """The check above can fail."""
    assert printed_objects(ast.parse(source)) == [1]


def test_every_kind_of_error_has_a_code_and_a_title() -> None:
    assert len(KINDS) > 20
    assert len({code_of(kind) for kind in KINDS}) == len(KINDS)
    assert code_of(NotALedgerError) == "not_a_ledger"
    assert [kind for kind in KINDS if not problem(kind("x"))["title"] or "\n" in problem(kind("x"))["title"]] == []


def test_an_error_as_a_problem() -> None:
    assert problem(NotALedgerError("year is not a ledger")) == {
        "reason": "not_a_ledger",
        "title": "The folder or file holds no ledger, or a damaged one",
        "detail": "year is not a ledger",
    }


def test_a_refusal_as_a_problem() -> None:
    """By the words of the closed list; what is wrong here, or what the reason means."""
    reason = Reason.TARIFF_MISSING
    said = problem(Refusal(reason, "guian has none for 910b"))
    title = {"reason": "tariff_missing", "title": reason.meaning, "transient": True}
    assert said == title | {"detail": "guian has none for 910b"}
    assert problem(Refusal(reason)) == title | {"detail": reason.meaning}


def test_a_code_that_is_a_reason_too_is_the_same_fact() -> None:
    """A note that is none, and a signature that isn't its key's, whoever meets them; a program goes by the code."""
    both = {code_of(kind) for kind in KINDS} & {reason.value for reason in Reason}
    assert both == {"note_malformed", "signature_invalid"}
