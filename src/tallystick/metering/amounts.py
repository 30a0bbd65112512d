"""Numbers that sources write, as exact fractions: no rounding before the last step, and none that a float would make.

A number is an integer, a decimal or one with an exponent; NaN, infinities and words aren't. Sheets may also write
full-width digits and separators of thousands, as in `1,234.00`.
"""

import re
import unicodedata
from fractions import Fraction
from math import floor
from typing import Final

CELL_LENGTH_MAX: Final = 64
"""Of the text of a number or an instant: none that is one is longer."""
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]{1,18}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE][+-]?[0-9]{1,2})?", re.ASCII)
_GROUPED: Final = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3}){1,5}(?:\.[0-9]{0,30})?", re.ASCII)


def amount(value: object) -> Fraction | None:
    """Return a number exactly as it was written; None if it isn't one.

    Args:
        value: a text, or a number out of JSON or of a cell. A float is taken as the shortest text that means it.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    text = value.strip() if isinstance(value, str) else repr(value)
    if len(text) <= 18 and text.isascii() and text.isdecimal():
        return Fraction(int(text))  # as the rest would, in a fifth of the time
    if len(text) > CELL_LENGTH_MAX or not _NUMBER.fullmatch(text):
        return None
    return Fraction(text)


def cell_amount(value: object) -> Fraction | None:
    """Return a number as people write it into a sheet: also `１`, `1,234.00`; None if it isn't one."""
    if not isinstance(value, str):
        return amount(value)
    if len(value) > CELL_LENGTH_MAX:
        return None
    text = unicodedata.normalize("NFKC", value).strip()
    return amount(text.replace(",", "") if _GROUPED.fullmatch(text) else text)


def count_milli(count: Fraction) -> int | None:
    """Return a number of devices in thousandths; None if it is no whole number of them."""
    milli = count * 1000
    return milli.numerator if milli.denominator == 1 else None


def seconds_held(seconds: Fraction) -> int:
    """Return whole seconds: what is off by a millisecond at most was rounded by its source; the rest is cut off."""
    nearest = round(seconds)
    return nearest if abs(seconds - nearest) <= Fraction(1, 1000) else floor(seconds)
