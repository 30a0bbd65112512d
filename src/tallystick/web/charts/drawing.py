"""An SVG drawing as text: the one place of the package that makes Markup.

A drawing has a view box and no size, a title and a description, and classes instead of colours: the stylesheet decides
those, on screen and on paper. All text is escaped here, whatever it is. The same figures give the same bytes.
"""

import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from markupsafe import Markup, escape

Amount = Callable[[int], str]
"""How an amount is written on a chart: fen → `¥1.5M`, `¥150万`."""
Day = Callable[[date], str]
"""How a day is written on an axis."""

WIDTH: Final = 560
"""Of every chart, in the units of its view box: text of 18 of them can be read on a phone."""
ROW: Final = 22
"""The height of a line of text: room for letters of 18 units."""
TONES: Final = ("available", "reserved", "burned", "owed", "paid", "issued", "other")
"""What a part stands for. Each has its colour and its own pattern, so that colour alone tells nothing."""
_HATCHED: Final[dict[str, str]] = {
    "reserved": "M-1 1L1-1M0 6L6 0M5 7L7 5",
    "owed": "M0 3H6",
    "paid": "M1 3H2",
    "issued": "M3 0V6",
    "other": "M0 0L6 6",
}
"""The pattern of a tone, in a square of six units; the others are plain."""
_FIRST_WIDE: Final = "\u2e80"
"""From here on: Chinese, Korean, emoji."""
_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML document may hold."""


@dataclass(frozen=True, slots=True)
class Told:
    """A chart in words: its name, and what it shows in a sentence or two."""

    title: str
    description: str


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a whole: a name, what it stands for (one of `TONES`), an amount (fen, or another whole number)."""

    name: str
    tone: str
    value: int


@dataclass(frozen=True, slots=True)
class Mark:
    """A day that is marked: today, the last day of validity, a day that was sealed."""

    name: str
    day: date


def shortened(text: str, limit: int) -> str:
    """Return text in at most `limit` half-width columns, the rest as `…`. Wide characters count as two."""
    text = " ".join(text.split())
    if columns_of(text) <= limit:
        return text
    columns = 1
    for position, character in enumerate(text):
        columns += columns_of(character)
        if columns > limit:
            return text[:position] + "…"
    return text


def columns_of(text: str) -> int:
    """Return how many half-width columns text takes."""
    return sum(2 if character >= _FIRST_WIDE else 1 for character in text)


def scaled(value: int, whole: int, length: int) -> int:
    """Return tenths of a unit: how far `value` of `whole` reaches on `length` units; never below 0 or beyond it."""
    if whole <= 0:
        return 0
    return min(max(value * length * 10 // whole, 0), length * 10)


def units(tenths: int) -> str:
    """Write tenths of a unit as SVG reads them, as short as can be.

    >>> units(125), units(120), units(-5)
    ('12.5', '12', '-0.5')
    """
    sign, tenths = ("-" if tenths < 0 else ""), abs(tenths)
    return f"{sign}{tenths // 10}" + (f".{tenths % 10}" if tenths % 10 else "")


def ticks(top: int) -> tuple[int, ...]:
    """Return at most six round amounts from 0 on (1, 2 or 5 times a power of ten apart); the last is at least `top`."""
    top, power = max(top, 1), 1
    while True:
        for step in (power, 2 * power, 5 * power):
            if step * 4 >= top:
                return tuple(range(0, -(-top // step) * step + 1, step))
        power *= 10


class Drawing:
    """What is drawn so far. Lengths are whole units, or text from `units`."""

    def __init__(self, kind: str, told: Told, height: int, *, width: int = WIDTH) -> None:
        self._kind, self._told, self._width, self._height = kind, told, width, height
        self._mark = f"{zlib.crc32(_escaped(f'{kind} {told.title} {told.description}').encode()):08x}"
        self._drawn: list[str] = []
        self._axis: dict[str, str | int] = {}
        self._hatches: set[str] = set()

    def add(self, element: str, **attributes: str | int) -> None:
        """Draw an empty element. `class_` is `class`, and `_` in a name is `-`."""
        self._drawn.append(f"<{element}{_attributes(attributes)}/>")

    def write(self, text: str, x: int | str, y: int | str, class_: str = "", *, whole: str = "") -> None:
        """Write text. Where it is a shortened one, `whole` is what it stands for, as a tooltip."""
        tooltip = f"<title>{_escaped(whole)}</title>" if whole and whole != text else ""
        marked = {"class_": class_} if class_ else {}
        self._drawn.append(f"<text{_attributes({'x': x, 'y': y, **marked})}>{tooltip}{_escaped(text)}</text>")

    def fill(self, element: str, tone: str, **attributes: str | int) -> None:
        """Draw an element in a tone: plain, or in its pattern on its colour."""
        tone = tone if tone in TONES else "other"
        if tone in _HATCHED:
            self._hatches.add(tone)
            self.add(element, fill=f"url(#{tone}-{self._mark})", **attributes)
        else:
            self.add(element, class_=f"tone {tone}", **attributes)

    def axis(self, since: date, until: date, left: int, right: int) -> None:
        """Say where which day is, for the script that reads a chart's table out by the pointer."""
        self._axis = {"data-since": str(since), "data-until": str(until), "data-left": left, "data-right": right}

    def legend(self, entries: Sequence[tuple[str, str]], top: int) -> None:
        """Name tones: (name, tone). A tone `line …` stands for a line of that class."""
        columns = _legend_columns(entries)
        for number, (name, tone) in enumerate(entries):
            x, y = number % columns * (WIDTH // columns), top + number // columns * ROW
            if tone.startswith("line "):
                self.add("path", class_=tone, d=f"M{x} {y + 8}h14")
            else:
                self.fill("rect", tone, x=x, y=y + 2, width=14, height=12)
            self.write(shortened(name, 23), x + 20, y + 13, whole=name)

    def markup(self) -> Markup:
        """Return the drawing as an element for an HTML page."""
        hatches = "".join(
            f'<pattern id="{tone}-{self._mark}" width="6" height="6" patternUnits="userSpaceOnUse">'
            f'<rect class="tone {tone}" width="6" height="6"/><path class="hatch" d="{_HATCHED[tone]}"/></pattern>'
            for tone in sorted(self._hatches)
        )
        return Markup(  # noqa: S704 (text and attributes are escaped, one by one, where they are drawn)
            f'<svg xmlns="http://www.w3.org/2000/svg" class="drawing {self._kind}" role="img"'
            f' viewBox="0 0 {self._width} {self._height}"{_attributes(self._axis)}>'
            f"<title>{_escaped(self._told.title)}</title><desc>{_escaped(self._told.description)}</desc>"
            f"{f'<defs>{hatches}</defs>' if hatches else ''}{''.join(self._drawn)}</svg>"
        )


def legend_height(entries: Sequence[tuple[str, str]]) -> int:
    """Return how many units a legend takes."""
    return -(-len(entries) // _legend_columns(entries)) * ROW


def _legend_columns(entries: Sequence[tuple[str, str]]) -> int:
    """Return how many names fit beside each other, in letters of 18 units."""
    longest = max((columns_of(name) for name, _ in entries), default=0)
    return 4 if longest <= 10 else 3 if longest <= 14 else 2


def _escaped(text: str) -> str:
    return str(escape(_NO_XML.sub("\ufffd", text)))


def _attributes(attributes: dict[str, str | int]) -> str:
    return "".join(
        f' {name.rstrip("_").replace("_", "-")}="{_escaped(str(value))}"' for name, value in attributes.items()
    )
