"""Every member of every closed list that pages show has a name or a meaning in both languages."""

import dataclasses
import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

import tallystick.views
from tallystick import errors
from tallystick.findings import FindingCode
from tallystick.patterns import Certainty, Parameters, Pattern, Severity
from tallystick.views.lists import LISTS, ListKind
from tallystick.views.questions import Questions
from tallystick.vouchers import fields
from tallystick.vouchers.refusals import Reason
from tallystick.vouchers.rulebook import EVENT_KINDS, RULEBOOK, RULES
from tallystick.vouchers.rules.mandates import MandatedKind
from tallystick.web.pages.cells import OF_THINGS
from tallystick.web.pages.closed_lists import closed_lists
from tallystick.web.pages.page import CellKind
from tallystick.web.pages.words import Words, words_in
from tallystick.wire.problems import code_of
from tallystick.wire.statuses import HttpReason

ENGLISH, CHINESE = words_in("en"), words_in("zh")
VIEWS = sorted(Path(tallystick.views.__file__).parent.glob("*.py"))
_ERRORS = [one for one in vars(errors).values() if inspect.isclass(one) and issubclass(one, errors.TallystickError)]
_STATES = re.compile(r"^ +(?:status|standing): (.+?)(?:\.$|\.\n|\n +\w+: )", re.MULTILINE | re.DOTALL)


def states() -> set[str]:
    """What views say that a thing's state can be: in the description of the field."""
    said = [found for path in VIEWS for found in _STATES.findall(path.read_text("utf-8"))]
    return {code for text in said for code in re.findall(r"`([a-z_]+)`", text)} - {"until"}


def members() -> set[str]:
    """The names of the fields of all that the views answer."""
    asked = [one for name, one in vars(Questions).items() if inspect.isfunction(one) and not name.startswith("_")]
    hints = [get_type_hints(one).get("return") for one in asked]
    found: set[type] = set()
    for hint in (*hints, *(listing.row for listing in LISTS.values())):
        found |= set(_dataclasses(hint, found))
    return {field.name for kind in found for field in dataclasses.fields(kind)}


def fields_of_entries() -> set[str]:
    """The names of the fields of all commands and outcomes."""
    found: set[str] = set()
    for schema in (
        *(rule.model_json_schema() for rule in RULES),
        *(outcome.json_schema(mode="serialization") for outcome in RULEBOOK.outcomes.values()),
    ):
        found |= set(_properties(schema))
    return found


def _properties(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
    for inner in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from _properties(inner)


def _dataclasses(hint: object, found: set[type]) -> Iterator[type]:
    for argument in get_args(hint):
        yield from _dataclasses(argument, found)
    if (
        isinstance(hint, type)
        and dataclasses.is_dataclass(hint)
        and hint.__module__ in _VIEW_MODULES
        and hint not in found
    ):
        yield hint
        for inner in get_type_hints(hint).values():
            yield from _dataclasses(inner, found | {hint})


_VIEW_MODULES = {f"tallystick.views.{path.stem}" for path in VIEWS}

SHOWN: list[tuple[str, Callable[[Words], Callable[[str], str]], Iterable[Any]]] = [
    ("commands", lambda words: words.kind, EVENT_KINDS),
    ("events", lambda words: words.kind, EVENT_KINDS.values()),
    ("mandated commands", lambda words: words.kind, get_args(MandatedKind)),
    ("refusals", lambda words: words.reason, Reason),
    ("advice on refusals", lambda words: words.advice, Reason),
    ("again after refusals", lambda words: words.again, set(Reason) - {Reason.ALREADY_RECORDED}),
    ("HTTP's reasons", lambda words: words.reason, HttpReason),
    ("advice on HTTP's reasons", lambda words: words.advice, HttpReason),
    ("errors", lambda words: words.reason, [code_of(one) for one in _ERRORS]),
    ("advice on errors", lambda words: words.advice, [code_of(one) for one in _ERRORS]),
    ("findings", lambda words: words.finding, FindingCode),
    ("patterns", lambda words: words.pattern, Pattern),
    ("meanings of patterns", lambda words: words.pattern_meaning, Pattern),
    ("thresholds of patterns", lambda words: words.parameter_meaning, Parameters.meanings()),
    ("severities", lambda words: words.severity, Severity),
    ("certainties", lambda words: words.certainty, Certainty),
    ("states", lambda words: words.status, states()),
    ("states of vouchers", lambda words: lambda code: words.status(code, "voucher"), ["revoked", "over", "active"]),
    ("roles", lambda words: words.role, get_args(fields.Role)),
    ("purposes", lambda words: words.purpose, get_args(fields.KeyPurpose)),
    ("causes", lambda words: words.cause, get_args(fields.RevocationCause)),
    ("verdicts", lambda words: words.verdict, get_args(fields.Verdict)),
    ("bases of programmes", lambda words: words.basis, get_args(fields.ProgrammeBasis)),
    ("bases of contracts", lambda words: words.basis, get_args(fields.ContractBasis)),
    ("kinds of vouchers", lambda words: words.voucher_kind, get_args(fields.VoucherKind)),
    ("origins", lambda words: words.origin, get_args(fields.ChipOrigin)),
    ("units", lambda words: words.unit, get_args(fields.ItemUnit)),
    ("payees", lambda words: words.payee, get_args(fields.Payee)),
    ("claimants", lambda words: words.payee, get_args(fields.Claimant)),
    ("transfers", lambda words: words.transfer, get_args(fields.TransferPolicy)),
    ("cycles", lambda words: words.cycle, get_args(fields.ClaimCycle)),
    ("counts of days", lambda words: words.day_count, get_args(fields.DayCount)),
    ("acts", lambda words: words.act, get_args(fields.GatedAct)),
    ("subjects", lambda words: words.subject_type, get_args(fields.SubjectType)),
    ("things", lambda words: words.hit, [*get_args(ListKind), "entry"]),
    ("lists", lambda words: words.things, [*get_args(ListKind), "entry"]),
    ("headings", lambda words: words.member, members()),
    ("headings of entries", lambda words: words.member, fields_of_entries()),
]


@pytest.mark.parametrize(("said", "codes"), [one[1:] for one in SHOWN], ids=[one[0] for one in SHOWN])
def test_every_member_is_named_in_both_languages(
    said: Callable[[Words], Callable[[str], str]], codes: Iterable[str]
) -> None:
    english, chinese = said(ENGLISH), said(CHINESE)
    wrong = {
        str(code): (english(code), chinese(code))
        for code in codes
        if not english(code) or not re.search(r"[\u4e00-\u9fff]", chinese(code)) or "`" in english(code) + chinese(code)
    }
    assert wrong == {}


def test_lists_that_are_read_from_elsewhere_are_found() -> None:
    """States from descriptions, headings from types: neither may silently come to nothing."""
    assert {"active", "not_yet_valid", "settled", "in_force", "stands", "issued", "not_yet"} <= states()
    assert {"available_fen", "gpu_milliseconds", "in_words", "quarter", "valid_until", "passes"} <= members()


def test_a_code_of_no_list_is_said_as_it_is() -> None:
    for words in (ENGLISH, CHINESE):
        assert words.reason("no_such_reason") == "no_such_reason"
        assert words.status("no_such_state", "voucher") == "no_such_state"
        assert words.kind("voucher.issue/9") == "voucher.issue/9"
        assert words.member("no_such_fen") == "no such"
        assert words.again("already_recorded") == words.again("no_such_reason") == ""


def test_a_member_with_codes_of_a_list_says_what_they_mean() -> None:
    assert ENGLISH.named("purpose", "meter") == "burning and reversing alone"
    assert (CHINESE.named("role", "treasury"), CHINESE.named("standing", "replaced")) == ("主管财政", "已被替代")
    assert CHINESE.named("claimant", "acme-ai") == "acme-ai"  # of a claim it is a party
    assert CHINESE.named("name", "active") == "active"


def test_a_state_is_called_as_the_kind_of_thing_calls_it() -> None:
    assert [CHINESE.status("revoked", kind) for kind in ("voucher", "key", "party", "")] == [
        *("已收回", "已吊销"),
        *("已撤销", "已撤销"),
    ]
    assert ENGLISH.status("over", "voucher") == "past its validity"


def test_a_table_says_states_as_its_things_call_them() -> None:
    """The kind of a cell is the name of the list that the state is in first."""
    of_cells = {one["status"] for one in OF_THINGS.values() if "status" in one}
    assert of_cells == {name for name in closed_lists() if name.startswith("status of ")} & set(get_args(CellKind))
    assert of_cells >= {"status of key", "status of voucher"}


def test_names_that_a_page_shows_side_by_side_differ() -> None:
    """So no two members of one list are taken for each other."""
    for name in ("kind", "status", "role", "purpose", "thing", "things", "pattern", "severity", "verdict"):
        texts = closed_lists()[name].texts
        for words in (ENGLISH, CHINESE):
            shown = [words.translations.pgettext(name, text) for text in texts.values()]
            doubled = {one for one in shown if shown.count(one) > 1}
            assert doubled <= {"有效"}, name  # of an active thing and of a verdict that stands
