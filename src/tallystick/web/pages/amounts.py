"""Amounts, times and counts as a page shows them in its language, exactly: from whole fen, never by a float.

    yuan(150_000_000)                          ¥1,500,000.00
    yuan_short(150_000_000)                    ¥1.5M            ¥150万         where there is little room: charts
    gpu_time(4_444_200_000)                    1,234.500 GPU-hours            1,234.500 卡时
    share(1250)                                12.5%
    day("2026-01-05")                          2026-01-05       2026年1月5日
    instant("2026-01-05T08:00:00.000000Z")     2026-01-05 16:00 2026年1月5日 16:00    in the network's zone

What isn't there (None) is `–`. A number is an integer, or the text of its digits, as JSON has sums beyond 2^53 - 1.
"""

import re
from collections.abc import Callable
from typing import Any, Final, Protocol

from tallystick.forms import amounts, times
from tallystick.forms.speech import Speech
from tallystick.printing.text import gpu_hours
from tallystick.vouchers.quantities import parse_day, parse_instant
from tallystick.web.pages.languages import Language

NOTHING: Final = "–"
_DIGITS: Final = re.compile(r"-?[0-9]{1,40}", re.ASCII)
_FEN_A_YUAN: Final = 100
_LARGE: Final[dict[Language, tuple[tuple[int, str], ...]]] = {
    "en": ((10**9, "bn"), (10**6, "M"), (10**3, "k")),
    "zh": ((10**8, "亿"), (10**4, "万")),
}
"""What large amounts are counted in, in yuan, the largest first."""


class PageSpeech(Speech, Protocol):
    """What of words is needed here."""

    @property
    def language(self) -> Language:
        """Of the page."""


class Amounts:
    """How amounts are shown in a language, and times in the network's zone."""

    def __init__(self, words: PageSpeech, zone: Callable[[], int | None]) -> None:
        """Show amounts.

        Args:
            words: of the language.
            zone: returns the network's offset from UTC in seconds; None while no network is founded.
        """
        self._words: Final = words
        self._zone: Final = zone

    def filters(self) -> dict[str, Callable[[Any], str]]:
        """Return what shows a value, by the name of the template's filter; each takes None too."""
        shown = (
            *(self.yuan, self.yuan_short, self.gpu_time, self.gpus, self.share, self.count),
            *(self.day, self.instant, self.instant_exact, self.duration, self.age),
        )
        return {one.__name__: _or_nothing(one) for one in shown}

    # -- amounts ------------------------------------------------------------------------------------------------------

    def yuan(self, fen: int | str) -> str:
        """Return an amount in fen as yuan."""
        text = amounts.yuan(_integer(fen))
        return f"-¥{text[1:]}" if text.startswith("-") else f"¥{text}"

    def yuan_short(self, fen: int | str) -> str:
        """Return an amount in fen as yuan, to three digits or whole units of what large amounts are counted in."""
        number = _integer(fen)
        sign = "-" if number < 0 else ""
        return f"{sign}¥{_short(abs(number), _LARGE[self._words.language])}"

    def gpu_time(self, gpu_milliseconds: int | str) -> str:
        """Return GPU-milliseconds as GPU-hours, truncated to three decimals."""
        return self._words.gettext("%(hours)s GPU-hours", hours=gpu_hours(_integer(gpu_milliseconds)))

    def gpus(self, gpu_milli: int | str) -> str:
        """Return thousandths of a GPU as GPUs."""
        return amounts.gpus(_integer(gpu_milli))

    def share(self, basis_points: int | str) -> str:
        """Return basis points as per cent."""
        return amounts.per_cent(_integer(basis_points))

    def count(self, number: int | str) -> str:
        """Return a number of things."""
        return f"{_integer(number):,}"

    # -- times --------------------------------------------------------------------------------------------------------

    def day(self, day: str) -> str:
        """Return a day of the network's, given as `2026-01-05`."""
        parse_day(day)
        return self._day(day)

    def instant(self, instant: str) -> str:
        """Return an instant as JSON has it, in the network's zone, to the second or, where that is 0, the minute."""
        day, _, time = times.local(_microseconds(instant), self._offset()).partition("T")
        to_the_second = time[: len("16:00:00")]
        return f"{self._day(day)} {to_the_second.removesuffix(':00')}"

    def instant_exact(self, instant: str) -> str:
        """Return an instant as JSON has it with all its digits, in the network's zone, which is named."""
        day, _, time = times.local(_microseconds(instant), self._offset()).partition("T")
        return f"{self._day(day)} {time} ({self.zone_name()})"

    def zone_name(self) -> str:
        """Return the network's zone, for example `UTC+08:00`."""
        return times.zone_name(self._offset())

    def duration(self, seconds: int | str) -> str:
        """Return seconds as days, hours, minutes and seconds."""
        seconds = _integer(seconds)
        minutes, second = divmod(seconds, 60)
        hours, minute = divmod(minutes, 60)
        days, hour = divmod(hours, 24)
        words = self._words
        parts = (
            words.ngettext("%(num)s day", "%(num)s days", days) if days else "",
            words.ngettext("%(num)s hour", "%(num)s hours", hour) if hour else "",
            words.ngettext("%(num)s minute", "%(num)s minutes", minute) if minute else "",
            words.ngettext("%(num)s second", "%(num)s seconds", second) if second or not seconds else "",
        )
        return " ".join(filter(None, parts))

    def age(self, days: int | str) -> str:
        """Return a number of days."""
        return self._words.ngettext("%(num)s day", "%(num)s days", _integer(days))

    def _day(self, day: str) -> str:
        if self._words.language == "en":
            return day
        year, month, of_month = map(int, day.split("-"))
        return f"{year}年{month}月{of_month}日"

    def _offset(self) -> int:
        return self._zone() or 0


def _or_nothing(shown: Callable[[Any], str]) -> Callable[[Any], str]:
    def shown_or_nothing(value: Any) -> str:  # noqa: ANN401 - what a template has
        return NOTHING if value is None else shown(value)

    return shown_or_nothing


def _integer(value: object) -> int:
    """Return an integer, or what the text of its digits says.

    Raises:
        TypeError: anything else; a float would have lost digits already.
    """
    if type(value) is int:
        return value
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return int(value)
    raise TypeError(f"{value!r:.80} is no integer")


def _microseconds(instant: str) -> int:
    """Return an instant of JSON in microseconds; commands have some without a fraction."""
    return parse_instant(instant if "." in instant else instant.replace("Z", ".000000Z"))


def _short(fen: int, units: tuple[tuple[int, str], ...]) -> str:
    """Return an amount that isn't negative in the largest unit that it reaches, once it is rounded."""
    for place, (size, name) in enumerate(units):
        if fen >= size * _FEN_A_YUAN:
            text = _rounded(fen, size * _FEN_A_YUAN)
            if place and text == f"{units[place - 1][0] // size:,}":
                return f"1{units[place - 1][1]}"
            return f"{text}{name}"
    return amounts.yuan(fen).removesuffix(".00")


def _rounded(fen: int, size: int) -> str:
    """Return how often a size fits, to three digits, or whole beyond them; a half goes to the even neighbour."""
    decimals = max(0, 3 - len(str(fen // size)))
    number, rest = divmod(fen * 10**decimals, size)
    if 2 * rest + number % 2 > size:
        number += 1
    whole, part = divmod(number, 10**decimals)
    return f"{whole:,}" + (f".{part:0{decimals}d}".rstrip("0").rstrip(".") if decimals else "")
