"""A statement's groups and rows have one encoding each; any other is refused with the place of what is wrong."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from support.actors import ORIGIN, Json
from tallystick.errors import MalformedError
from tallystick.signing import canonical_json
from tallystick.vouchers.quantities import format_instant, format_second, parse_instant, parse_seconds
from tallystick.vouchers.rulebook import command_text, parse_command
from tallystick.vouchers.rules.burn_lines import BurnLine, Corrected, LineOptions
from tallystick.vouchers.rules.burning import TimeBurn

LAST_SECOND = "9999-12-31T23:59:59Z"
ROW: list[Any] = ["job-1", 8_000, "2026-01-06T01:00:00Z", "2026-01-06T02:00:00Z", 3_600]
SHORT: list[Any] = ["a", 1, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z", 1]
CORRECTS: Json = {"statement": "2026-01", "line": 0}
A_SECOND = "must be a time in whole seconds like 2026-01-05T08:00:00Z, not "
NO_SUCH = "must be a day and a time that there are"
A_JOB = "must be 1 to 128 of a-z, 0-9 and . _ : / @ + = -, the first a letter or digit, not "


def group(*rows: object, item: str = "910b", **more: object) -> Json:
    return {"item": item, "lines": [*rows]} | more


def changed(place: int, value: object) -> list[Any]:
    """The row with another value in a place."""
    return [*ROW[:place], value, *ROW[place + 1 :]]


def statement(groups: object, **more: object) -> Json:
    return {
        "kind": "time.burn/1",
        "log": ORIGIN,
        "party": "guian",
        "ref": "2026-01",
        "signed_at": "2026-01-07T08:00:00.000000Z",
        "contract": "acme/K1",
        "groups": groups,
    } | more


def fault(command: Json) -> str:
    """Why a command is refused."""
    with pytest.raises(MalformedError) as caught:
        parse_command(canonical_json.encode(command) + b"\n")
    return str(caught.value)


@pytest.mark.parametrize(
    ("options", "read"),
    [
        ([], None),
        ([{"pay_available": True}], LineOptions(pay_available=True)),
        ([{"prior_period": True}], LineOptions(prior_period=True)),
        ([{"corrects": CORRECTS, "pay_available": True}], LineOptions(Corrected("2026-01", 0), pay_available=True)),
    ],
    ids=["five values", "pay_available", "prior_period", "corrects"],
)
def test_a_row_is_read_and_written_the_same(options: list[Json], read: LineOptions | None) -> None:
    """Of five values, or six."""
    text = command_text(statement([group(ROW, [*ROW, *options])], all_or_nothing=True))
    command = parse_command(text)
    assert isinstance(command, TimeBurn)
    starts_at, ends_at = [parse_instant(f"2026-01-06T0{hour}:00:00.000000Z") for hour in (1, 2)]
    plain = BurnLine("job-1", 8_000, starts_at, ends_at, 3_600)
    assert [*command.lines()] == [("910b", plain), ("910b", plain._replace(options=read))]
    assert canonical_json.encode(command.model_dump(mode="json", by_alias=True, exclude_none=True)) + b"\n" == text


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ([], ".0: is missing"),
        (ROW[:4], ".4: is missing"),
        ([*ROW, {"pay_available": True}, 1], ": must have at most 6 members, not 7"),
        ([*ROW, {"pay_available": True}, {"pay_available": True}], ": must have at most 6 members, not 7"),
        ([*ROW, {}], ".5: must say something, or be left out"),
        ([*ROW, []], ".5: must be an object, not a list of 0"),
        ([*ROW, 1], ".5: must be an object, not 1"),
        ([*ROW, {"if_short": "drain"}], ".5.if_short: is no field here"),
        ([*ROW, {"pay_available": False}], ".5.pay_available: must be true, or left out"),
        ([*ROW, {"prior_period": False}], ".5.prior_period: must be true, or left out"),
        ([*ROW, {"prior_period": 1}], ".5.prior_period: must be true or false, not 1"),
        (
            [*ROW, {"corrects": CORRECTS, "prior_period": True}],
            ".5: must say corrects or prior_period, not both",
        ),
        ([*ROW, {"corrects": {"statement": "2026-01"}}], ".5.corrects.line: is missing"),
        ([*ROW, {"corrects": CORRECTS | {"line": 1_000}}], ".5.corrects.line: must be less than 1,000, not 1000"),
        ([*ROW, {"corrects": CORRECTS | {"line": -1}}], ".5.corrects.line: must be at least 0, not -1"),
        ([*ROW, {"corrects": CORRECTS | {"line": True}}], ".5.corrects.line: must be an integer, not true"),
        ([*ROW, {"corrects": CORRECTS | {"provider": "a"}}], ".5.corrects.provider: is no field here"),
        ([*ROW, {"corrects": [CORRECTS]}], ".5.corrects: must be an object, not a list of 1"),
        (changed(0, "Job-1"), f".0: {A_JOB}'Job-1'"),
        (changed(0, ""), f".0: {A_JOB}''"),
        (changed(0, "-a"), f".0: {A_JOB}'-a'"),
        (changed(0, "a\n"), rf".0: {A_JOB}'a\n'"),
        (changed(0, "a b"), f".0: {A_JOB}'a b'"),
        (changed(0, "x" * 129), f".0: {A_JOB}'{'x' * 40}'... (129 characters)"),
        (changed(0, 1), ".0: must be text, not 1"),
        (changed(1, "8000"), ".1: must be an integer, not '8000'"),
        (changed(1, True), ".1: must be an integer, not true"),
        (changed(1, 0), ".1: must be at least 1, not 0"),
        (changed(1, 10_000_001), ".1: must be at most 10,000,000, not 10000001"),
        (changed(2, 1_767_661_200), ".2: must be text, not 1767661200"),
        (changed(3, "2026-02-29T01:00:00Z"), f".3: {NO_SUCH}"),
        (changed(2, "2026-01-06T01:00:60Z"), f".2: {NO_SUCH}"),
        (changed(4, 0), ".4: must be at least 1, not 0"),
        (changed(4, 31_622_401), ".4: must be at most 31,622,400, not 31622401"),
        ({"job": "job-1"}, ": must be a list, not an object"),
        ("job-1", ": must be a list, not 'job-1'"),
    ],
    ids=repr,
)
def test_another_row_is_refused(row: object, said: str) -> None:
    """In one line, with the group, the line and the place in it, however many good ones stand before it."""
    assert fault(statement([group(ROW, item="a"), group(ROW, ROW, ROW, row)])) == f"groups.1.lines.3{said}"


@pytest.mark.parametrize(
    "odd",
    [
        *("2026-01-05T08:00:00.000000Z", "2026-01-05T08:00:00.0Z", "2026-01-05T08:00Z", "2026-01-05T08Z"),
        *("2026-01-05t08:00:00z", "2026-01-05 08:00:00Z", "2026-01-05T08:00:00", "2026-01-05T08:00:00+00:00"),
        *("2026-01-05T08:00:00+Z", "20260105T080000Z", "2026-W02-1T08:00:00Z", "2026-1-5T8:0:0Z"),
        *("2026-01-05T24:00:00Z", "1969-12-31T23:59:59Z", "0999-12-31T23:59:59Z", "+026-01-05T08:00:00Z"),
        *(" 2026-01-05T08:00:00Z", "2026-01-05T08:00:00Z\n", "２０２６-01-05T08:00:00Z", ""),
    ],
)
def test_a_jobs_time_has_one_encoding(odd: str) -> None:
    """What some other reader would take for the same, or for a time at all."""
    for place in (2, 3):
        said = fault(statement([group(changed(place, odd))]))
        assert said.startswith(f"groups.0.lines.0.{place}: {A_SECOND}")


@pytest.mark.parametrize("odd", ["2026-02-29", "2026-00-05", "2026-13-01", "2026-01-00", "2026-04-31"])
def test_a_day_that_there_is_not_is_refused(odd: str) -> None:
    assert fault(statement([group(ROW, changed(2, f"{odd}T08:00:00Z"))])) == f"groups.0.lines.1.2: {NO_SUCH}"


@given(st.integers(0, parse_instant("9999-12-31T23:59:59.000000Z") // 1_000_000))
@example(0)
def test_a_second_is_written_and_read_the_same(seconds: int) -> None:
    """From number to text and back; the text is that of the instant without its microseconds."""
    instant = seconds * 1_000_000
    text = format_second(instant)
    assert parse_seconds([text, LAST_SECOND]) == [instant, parse_instant("9999-12-31T23:59:59.000000Z")]
    assert text == format_instant(instant).replace(".000000", "")


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ([], "groups: must have at least 1 member, not 0"),
        ({}, "groups: must be a list, not an object"),
        (group(ROW), "groups: must be a list, not an object"),
        ([ROW], "groups.0: must be an object, not a list of 5"),
        ([{"item": "910b"}], "groups.0.lines: is missing"),
        ([{"lines": [ROW]}], "groups.0.item: is missing"),
        ([group()], "groups.0.lines: must have at least 1 member, not 0"),
        ([group(ROW) | {"lines": ROW}], "groups.0.lines.0: must be a list, not 'job-1'"),
        ([group(ROW, holder="acme")], "groups.0.holder: is no field here"),
        ([group(ROW, evidence_root=f"sha256:{'A' * 64}")], "groups.0.evidence_root: must be sha256: and 64 of 0-9 and"),
        ([group(ROW, evidence_root=1)], "groups.0.evidence_root: must be text, not 1"),
        ([group(ROW, item="A")], "groups.0.item: must be a name of 1 to 63 of a-z, 0-9 and . _ -"),
        ([group(ROW, item="b"), group(ROW, item="a")], "groups: must be in ascending order, each once"),
        ([group(ROW, item="a"), group(ROW, item="a")], "groups: must be in ascending order, each once"),
        ([group(ROW, item=f"a{n:02}") for n in range(65)], "groups: must have at most 64 members, not 65"),
        ([group(*[SHORT] * 501, item=item) for item in "ab"], "groups: must have at most 1,000 lines in all"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_groups_have_one_encoding(groups: object, said: str) -> None:
    """In the order of their items, each once, and closed."""
    assert fault(statement(groups)).startswith(said)


def test_a_statement_has_at_most_a_thousand_lines() -> None:
    """In one group or several."""
    most = [group(*[SHORT] * 500, item=item) for item in "ab"]
    assert isinstance(parse_command(command_text(statement(most))), TimeBurn)
    assert fault(statement([group(*[SHORT] * 1_001)])) == "groups.0.lines: must have at most 1,000 members, not 1,001"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"all_or_nothing": False}, "all_or_nothing: must be true, or left out"),
        ({"all_or_nothing": 1}, "all_or_nothing: must be true or false, not 1"),
        ({"holder": "acme"}, "holder: is no field here"),
        ({"lines": [ROW]}, "lines: is no field here"),
        ({"contract": "acme"}, "contract: must be an id like shanghai-treasury/v-1"),
    ],
    ids=repr,
)
def test_a_statement_is_closed(more: Json, said: str) -> None:
    assert fault(statement([group(ROW)], **more)).startswith(said)
