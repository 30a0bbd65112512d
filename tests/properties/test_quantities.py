"""Instants and days have one canonical encoding each, and every value that is read is written back the same."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tallystick.vouchers.quantities import (
    format_day,
    format_instant,
    json_sum,
    parse_day,
    parse_instant,
    parse_json_sum,
)

LAST_INSTANT = "9999-12-31T23:59:59.999999Z"

# What a reader in a hurry would take for the same time.
ODD_INSTANTS = [
    "2026-01-05T08:00:00Z",
    "2026-01-05T08:00:00.000Z",
    "2026-01-05T08:00:00.0000000Z",
    "2026-01-05t08:00:00.000000z",
    "2026-01-05 08:00:00.000000Z",
    "2026-01-05T08:00:00,000000Z",
    "2026-01-05T08:00:00.000000",
    "2026-01-05T08:00:00.000000+00:00",
    "2026-01-05T16:00:00.000000+08:00",
    "2026-01-05T08.00:00.000000Z",
    "2026-01-05T080000.0000000000",
    "20260105T080000.00000000000Z",
    "2026-W02-1T08:00:00.000000Z",
    "2026-005T008:00:00.000000Z0",
    "2026-01-05T24:00:00.000000Z",
    "2026-01-05T08:00:60.000000Z",
    "2026-02-29T08:00:00.000000Z",
    "0000-01-01T00:00:00.000000Z",
    "0999-12-31T23:59:59.999999Z",
    "1969-12-31T23:59:59.999999Z",
    "+026-01-05T08:00:00.000000Z",
    " 026-01-05T08:00:00.000000Z",
    "2026-01-05T08:00:00.00000 Z",
    "2026-01-05T08:00:00.-00000Z",
    "２０２６-01-05T08:00:00.000000Z",
    "2026-01-05T08:00:00.000000Z\n",
    "",
    1767600000000000,
    None,
]
ODD_DAYS = [
    "2026-1-05",
    "2026-01-5",
    "20260105",
    "2026-W02-1",
    "2026-005",
    "2026-02-29",
    "2026-00-01",
    "0000-01-01",
    "+026-01-05",
    "2026/01/05",
    "2026-01-05 ",
    "2026-01-05T00:00:00.000000Z",
    "２０２６-01-05",
    "",
    20458,
    None,
]


def test_a_known_instant() -> None:
    """By hand: 20,458 days and 8 hours after 1970 began."""
    assert parse_instant("1970-01-01T00:00:00.000000Z") == 0
    assert parse_instant("2026-01-05T08:00:00.000001Z") == (20_458 * 86_400 + 8 * 3_600) * 1_000_000 + 1
    assert parse_day("2026-01-05") == 20_458


@given(st.integers(0, parse_instant(LAST_INSTANT)))
@example(parse_instant(LAST_INSTANT))
def test_an_instant_is_written_and_read_the_same(instant: int) -> None:
    """From number to text and back."""
    assert parse_instant(format_instant(instant)) == instant


@given(st.text("0123456789-T:.Z+ ", min_size=25, max_size=29) | st.datetimes().map(lambda one: f"{one.isoformat()}Z"))
@example("0999-12-31T23:59:59.999999Z")
@example("0001-01-01T00:00:00.000000Z")
def test_what_is_read_as_an_instant_is_its_canonical_encoding(text: str) -> None:
    """From text to number and back, from 1970 on; anything else is a ValueError, and no other error."""
    try:
        instant = parse_instant(text)
    except ValueError:
        return
    assert format_instant(instant) == text


@pytest.mark.parametrize("odd", ODD_INSTANTS)
def test_an_odd_instant_is_refused(odd: object) -> None:
    """Each means something to some other reader."""
    with pytest.raises(ValueError, match=r"."):
        parse_instant(odd)


@given(st.integers(parse_day("0001-01-01"), parse_day("9999-12-31")))
@example(parse_day("0001-01-01"))
@example(parse_day("9999-12-31"))
def test_a_day_is_written_and_read_the_same(day: int) -> None:
    """Both directions."""
    assert parse_day(format_day(day)) == day
    assert format_day(parse_day(format_day(day))) == format_day(day)


@pytest.mark.parametrize("odd", ODD_DAYS)
def test_an_odd_day_is_refused(odd: object) -> None:
    """Each means something to some other reader."""
    with pytest.raises(ValueError, match=r"."):
        parse_day(odd)


@pytest.mark.parametrize(
    ("total", "shown"),
    [
        (0, 0),
        (2**53 - 1, 2**53 - 1),
        (1 - 2**53, 1 - 2**53),
        (2**53, "9007199254740992"),
        (-(2**53), "-9007199254740992"),
        (123_724_804_000_000_001, "123724804000000001"),
    ],
)
def test_a_sum_that_readers_of_json_would_round_is_text(total: int, shown: int | str) -> None:
    assert json_sum(total) == shown


@given(st.integers(0, 2**53 + 1_000) | st.integers(2**53 - 1_000, 10**40 - 1))
def test_a_sum_is_read_as_it_was_written(total: int) -> None:
    assert parse_json_sum(json_sum(total)) == total


@given(st.integers(-1_000, 2**60))
def test_no_sum_is_read_in_two_encodings(total: int) -> None:
    read = []
    for value in (total, str(total)):
        try:
            read.append((value, parse_json_sum(value)))
        except ValueError:
            continue
    assert read == ([(json_sum(total), total)] if total >= 0 else [])
