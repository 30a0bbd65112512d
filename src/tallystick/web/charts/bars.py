"""Amounts beside each other: bars with their parts, shares of one whole, and ages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from tallystick.web.charts.drawing import (
    ROW,
    WIDTH,
    Amount,
    Drawing,
    Part,
    Told,
    legend_height,
    scaled,
    shortened,
    units,
)

_BAR: Final = 10
_PITCH: Final = ROW + _BAR + 9
BARS_MAX: Final = 60
"""A chart has no more bars than this: the table beside it has all rows."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar: what it is of, and its parts."""

    label: str
    parts: Sequence[Part]

    @property
    def value(self) -> int:
        """All parts together."""
        return sum(part.value for part in self.parts)


def bars(told: Told, rows: Sequence[Bar], *, amount: Amount) -> Markup:
    """Draw a bar for each row, its parts one after another, its label and its sum above it.

    All have one scale. A negative part has no length, and its row says so by its sum. Of more than `BARS_MAX` rows, the
    first are drawn.
    """
    rows = rows[:BARS_MAX]
    tones = dict.fromkeys((part.name, part.tone) for row in rows for part in row.parts)
    legend = [*tones] if len(tones) > 1 else []
    top = legend_height(legend) + (8 if legend else 0)
    drawing = Drawing("bars", told, max(top + len(rows) * _PITCH, 1))
    drawing.legend(legend, 0)
    whole = max((sum(max(part.value, 0) for part in row.parts) for row in rows), default=0)
    for number, row in enumerate(rows):
        y = top + number * _PITCH
        drawing.write(shortened(row.label, 38), 0, y + 16, whole=row.label)
        drawing.write(amount(row.value), WIDTH, y + 16, "value at-end")
        _stack(drawing, row.parts, whole, y + ROW)
    return drawing.markup()


def share_bar(told: Told, parts: Sequence[Part], *, amount: Amount, share: Callable[[int, int], str]) -> Markup:
    """Draw one bar that is all parts together, and below it each part with its amount and its share.

    `share` writes a part of a whole: (part, whole) → `30%`. Where the whole is 0 there is no bar, and no share.
    """
    whole = sum(max(part.value, 0) for part in parts)
    drawing = Drawing("shares", told, max(_BAR + 12 + len(parts) * ROW, 1))
    _stack(drawing, parts, whole, 0)
    for number, part in enumerate(parts):
        y = _BAR + 8 + number * ROW
        drawing.fill("rect", part.tone, x=0, y=y + 2, width=14, height=12)
        drawing.write(shortened(part.name, 26), 20, y + 14, whole=part.name)
        drawing.write(amount(part.value), WIDTH - 90, y + 14, "value at-end")
        drawing.write(share(part.value, whole) if whole else "–", WIDTH, y + 14, "value at-end")
    return drawing.markup()


def ageing(told: Told, classes: Sequence[Part], *, amount: Amount) -> Markup:
    """Draw a bar for each class of age, the youngest first: its name, its amount, its length against the largest."""
    whole = max((part.value for part in classes), default=0)
    drawing = Drawing("ageing", told, max(len(classes) * (ROW + 6), 1))
    for number, part in enumerate(classes):
        y = number * (ROW + 6)
        drawing.write(shortened(part.name, 16), 0, y + 17, whole=part.name)
        drawing.add("path", class_="grid", d=f"M150 {y + 3}v{ROW - 4}")
        drawing.fill("rect", part.tone, x=150, y=y + 4, width=units(scaled(part.value, whole, 300)), height=ROW - 6)
        drawing.write(amount(part.value), WIDTH, y + 17, "value at-end")
    return drawing.markup()


def _stack(drawing: Drawing, parts: Sequence[Part], whole: int, y: int) -> None:
    """Draw parts one after another on the scale on which `whole` is the full width."""
    drawing.add("path", class_="grid zero", d=f"M0 {y}v{_BAR}")
    sum_, x = 0, 0
    for part in parts:
        sum_ += max(part.value, 0)
        end = scaled(sum_, whole, WIDTH)
        if end > x:
            drawing.fill("rect", part.tone, x=units(x), y=y, width=units(end - x), height=_BAR)
        x = end
