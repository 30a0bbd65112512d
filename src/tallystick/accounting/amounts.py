"""Amounts as journals write them: yuan with two decimals, GPU-hours with seven, and no rounding that adds up.

Seven decimals tell every GPU-millisecond from the next. What a journal has of an account after an entry is its whole
GPU-time, rounded once; a posting is the difference of two such, so that no sum is ever off.
"""

from decimal import Decimal
from typing import Final

from tallystick.accounting.accounts import Commodity

DECIMALS: Final[dict[Commodity, int]] = {"CNY": 2, "GPUH": 7}
_GPU_MILLISECONDS_A_UNIT: Final = (9, 25)  # 3,600,000 in an hour, of 10,000,000 units


def gpu_hour_units(gpu_milliseconds: int) -> int:
    """Return GPU-time in ten-millionths of a GPU-hour, rounded to the nearest; a negative one as the positive."""
    milliseconds, units = _GPU_MILLISECONDS_A_UNIT
    rounded = (abs(gpu_milliseconds) * units * 2 + milliseconds) // (2 * milliseconds)
    return rounded if gpu_milliseconds >= 0 else -rounded


def gpu_milliseconds_of(units: int) -> int:
    """Return the GPU-milliseconds that were rounded to so many ten-millionths of a GPU-hour."""
    milliseconds, parts = _GPU_MILLISECONDS_A_UNIT
    exact = (abs(units) * milliseconds * 2 + parts) // (2 * parts)
    return exact if units >= 0 else -exact


def in_text(amount: int, commodity: Commodity) -> str:
    """Return an amount in fen, or in ten-millionths of a GPU-hour, as journals write it: `-1234.50`."""
    places = DECIMALS[commodity]
    digits = f"{amount:0{places + 1 + (amount < 0)}d}"
    return f"{digits[:-places]}.{digits[-places:]}"


def in_decimal(amount: int, commodity: Commodity) -> Decimal:
    """Return the same as a number, with all its decimals."""
    return Decimal(in_text(amount, commodity))
