"""Amounts as people write them: yuan with two decimals, per cent, GPUs, durations; integers inside, never floats.

    1,500,000.00   1500000          yuan; in commands fen
    70%            12.5%   0.01%    per cent; basis points
    8              0.5              GPUs; thousandths
    31d   1d12h    90m    45s       a duration; seconds
    +08:00         -03:30           an offset from UTC; seconds

Each function that reads raises ValueError with what was expected, in words.
"""

import re
from typing import Final

_DIGITS_MAX: Final = 16
"""Of an integer: 2^53 − 1 has as many."""
_WHOLE: Final = r"([0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)"
_YUAN: Final = re.compile(rf"(-?){_WHOLE}(?:\.([0-9]{{2}}))?", re.ASCII)
_PER_CENT: Final = re.compile(r"([0-9]+)(?:\.([0-9]{1,2}))? ?%", re.ASCII)
_GPUS: Final = re.compile(rf"{_WHOLE}(?:\.([0-9]{{1,3}}))?", re.ASCII)
_INTEGER: Final = re.compile(rf"(-?){_WHOLE}", re.ASCII)
_UNITS: Final = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_DURATION: Final = re.compile("".join(rf"(?:([0-9]+){unit})?" for unit in _UNITS), re.ASCII)
_OFFSET: Final = re.compile(r"([+-])([0-9]{2}):([0-5][0-9])(?::([0-5][0-9]))?", re.ASCII)


def yuan(fen: int) -> str:
    """Return an amount in fen as yuan: 123456 is `1,234.56`."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100:,}.{abs(fen) % 100:02d}"


def read_yuan(text: str) -> int:
    """Return the fen of an amount in yuan, with two decimals or none, thousands set apart by commas or not."""
    found = _YUAN.fullmatch(text)
    if found is None:
        raise ValueError("must be an amount in yuan with two decimals or none, like 1,500,000.00 or 1500000")
    sign, whole, decimals = found.groups()
    fen = _integer(whole) * 100 + int(decimals or 0)
    return -fen if sign else fen


def per_cent(basis_points: int) -> str:
    """Return basis points as per cent: 7000 is `70%`, 1250 is `12.5%`."""
    return f"{_decimal(basis_points, 2)}%"


def read_per_cent(text: str) -> int:
    """Return the basis points of a percentage."""
    found = _PER_CENT.fullmatch(text)
    if found is None:
        raise ValueError("must be per cent with at most two decimals, like 70% or 12.5%")
    return _integer(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))


def gpus(gpu_milli: int) -> str:
    """Return thousandths of a GPU as GPUs: 8000 is `8`, 500 is `0.5`."""
    return _decimal(gpu_milli, 3)


def read_gpus(text: str) -> int:
    """Return the thousandths of a number of GPUs."""
    found = _GPUS.fullmatch(text)
    if found is None:
        raise ValueError("must be a number of GPUs with at most three decimals, like 8 or 0.5")
    return _integer(found[1]) * 1_000 + int((found[2] or "").ljust(3, "0"))


def duration(seconds: int) -> str:
    """Return seconds as days, hours, minutes and seconds: 90061 is `1d1h1m1s`, 0 is `0s`."""
    parts = []
    for unit, size in _UNITS.items():
        number, seconds = divmod(seconds, size)
        if number:
            parts.append(f"{number}{unit}")
    return "".join(parts) or "0s"


def read_duration(text: str) -> int:
    """Return the seconds of a duration."""
    found = _DURATION.fullmatch(text)
    if found is None or not text:
        raise ValueError("must be a duration with its units, like 31d, 1d12h, 90m or 45s")
    return sum(_integer(number) * size for number, size in zip(found.groups(), _UNITS.values(), strict=True) if number)


def offset(seconds: int) -> str:
    """Return an offset from UTC in seconds as `+08:00`."""
    minutes, rest = divmod(abs(seconds), 60)
    sign = "-" if seconds < 0 else "+"
    return f"{sign}{minutes // 60:02d}:{minutes % 60:02d}" + (f":{rest:02d}" if rest else "")


def read_offset(text: str) -> int:
    """Return the seconds of an offset from UTC; `Z` and `UTC` are none."""
    if text in ("Z", "UTC"):
        return 0
    found = _OFFSET.fullmatch(text.removeprefix("UTC"))
    if found is None:
        raise ValueError("must be an offset from UTC like +08:00")
    sign, hours, minutes, seconds = found.groups()
    total = int(hours) * 3_600 + int(minutes) * 60 + int(seconds or 0)
    return -total if sign == "-" else total


def read_integer(text: str) -> int:
    """Return a whole number, thousands set apart by commas or not."""
    found = _INTEGER.fullmatch(text)
    if found is None:
        raise ValueError("must be a whole number")
    number = _integer(found[2])
    return -number if found[1] else number


def _integer(digits: str) -> int:
    digits = digits.replace(",", "")
    if len(digits.lstrip("0")) > _DIGITS_MAX:
        raise ValueError(f"must have at most {_DIGITS_MAX} digits")
    return int(digits)


def _decimal(number: int, decimals: int) -> str:
    """Return an integer of decimal fractions without the zeros at its end."""
    whole, part = divmod(number, 10**decimals)
    return f"{whole}.{part:0{decimals}d}".rstrip("0").rstrip(".")
