"""Fees and shares by hand: integers, truncated, and the figure of an official worked example."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.vouchers.quantities import (
    DAY_US,
    INTEGER_MAX,
    day_of,
    fee_fen,
    parse_day,
    parse_instant,
    share_fen,
    start_of_day,
)

HOUR = 3_600


@pytest.mark.parametrize(
    ("gpu_milli", "seconds", "price_fen", "share_bp", "fee", "share"),
    [
        # 8 GPUs for an hour at 6.00 are 48.00, half of it 24.00
        (8_000, HOUR, 600, 5_000, 48_00, 24_00),
        # one GPU-second at 6.00 is 0.1666… fen: nothing
        (1_000, 1, 600, 5_000, 0, 0),
        # six are one fen, of which half is nothing
        (6_000, 1, 600, 5_000, 1, 0),
        # 599 fen short of the next: truncated, never rounded up
        (1_000, 5_999, 600, 10_000, 999, 999),
        # 33.33 % of 1.00 is 33.33 fen
        (1_000, HOUR, 100, 3_333, 100, 33),
        # 30 % of 3.99 is 1.197
        (1_000, HOUR, 3_99, 3_000, 3_99, 1_19),
        (1_000, HOUR, 600, 0, 6_00, 0),
        # as large as a line can be: 366 days of 10,000 GPUs at 100,000.00
        (10_000_000, 31_622_400, 10_000_000, 10_000, 878_400_000_000_000, 878_400_000_000_000),
    ],
)
def test_a_fee_and_a_share_of_it(
    gpu_milli: int, seconds: int, price_fen: int, share_bp: int, fee: int, share: int
) -> None:
    """Worked out by hand."""
    assert fee_fen(gpu_milli * seconds, price_fen) == fee
    assert share_fen(fee, share_bp) == share
    assert fee <= INTEGER_MAX


def test_nannings_worked_example() -> None:
    """A published example of Nanning's 2025 rules: 200,000 yuan settled, 305 of 729 days count, 30 %: 25,102 yuan.

    In units of 10,000 yuan it is 305/729 × 20 = 8.3676…, truncated to 4 decimals, × 30 % = 2.51028, truncated: 2.5102.
    Four decimals of 10,000 yuan are whole yuan. Days are end less beginning, as everywhere here. A ledger that only
    truncates to the fen says 25,102.80: a programme says how an invoice is truncated (`proration`).
    """
    window = parse_day("2025-12-31") - parse_day("2025-03-01")
    contract = parse_day("2026-12-31") - parse_day("2025-01-01")
    assert (window, contract) == (305, 729)
    base_yuan = 200_000 * window // contract
    assert base_yuan == 83_676
    assert share_fen(base_yuan * 100, 3_000) == 25_102_80
    assert share_fen(base_yuan * 100, 3_000) // 100 == 25_102
    # both ends counted, or no truncation on the way, would be wrong
    assert share_fen(200_000 * (window + 1) // (contract + 1) * 100, 3_000) // 100 != 25_102


@given(st.integers(1, 10_000_000 * 31_622_400), st.integers(1, 10_000_000), st.integers(0, 10_000))
def test_truncation_never_gives_more_and_loses_less_than_a_fen(
    gpu_milli_seconds: int, price: int, share_bp: int
) -> None:
    """Against exact fractions."""
    fee = fee_fen(gpu_milli_seconds, price)
    part = share_fen(fee, share_bp)
    assert 0 <= Fraction(gpu_milli_seconds * price, 3_600_000) - fee < 1
    assert 0 <= Fraction(fee * share_bp, 10_000) - part < 1
    assert part <= fee


@pytest.mark.parametrize(
    ("instant", "utc_offset_seconds", "day"),
    [
        ("2026-01-31T15:59:59.999999Z", 28_800, "2026-01-31"),
        ("2026-01-31T16:00:00.000000Z", 28_800, "2026-02-01"),
        ("2026-01-31T23:59:59.999999Z", 0, "2026-01-31"),
        ("2026-02-01T04:59:59.999999Z", -18_000, "2026-01-31"),
    ],
)
def test_the_day_of_an_instant_is_the_networks(instant: str, utc_offset_seconds: int, day: str) -> None:
    """⌊(t + offset) / 24 h⌋."""
    assert day_of(parse_instant(instant), utc_offset_seconds) == parse_day(day)


@given(st.integers(-(10**17), 10**17), st.integers(-50_400, 50_400))
def test_an_instant_lies_on_its_day(instant: int, utc_offset_seconds: int) -> None:
    """From its start, to before the next one's."""
    start = start_of_day(day_of(instant, utc_offset_seconds), utc_offset_seconds)
    assert start <= instant < start + DAY_US
