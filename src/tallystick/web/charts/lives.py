"""What happened when, on a strip from the first day to the last; and a line without an axis, for a table's cell."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from markupsafe import Markup

from tallystick.web.charts.drawing import ROW, WIDTH, Day, Drawing, Mark, Told, scaled, shortened, units

_EDGE: Final = 8
_LANE: Final = 24
_SPARK_WIDTH, _SPARK_HEIGHT = 120, 24
LANES_MAX: Final = 12
"""A strip has no more lanes than this: the list beside it has all events."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened on a day, called by its kind: `Reserved`, `Burned`."""

    day: date
    label: str


def life(
    told: Told,
    events: Sequence[Event],
    *,
    since: date,
    until: date,
    day: Day,
    count: Callable[[int], str] = str,
    today: Mark | None = None,
) -> Markup:
    """Draw a lane for each label, in the order in which they first come, with a stroke for each day that it has.

    How many events a lane has in all, as `count` writes it, stands at its end: ten thousand on one day are one stroke.
    Days outside of `since` to `until` are drawn at the edge.
    """
    lanes: dict[str, list[date]] = {}
    for event in events:
        lanes.setdefault(event.label, []).append(event.day)
    drawn = [*lanes.items()][:LANES_MAX]
    days = (until - since).days
    top = ROW if today is not None else 0
    bottom = top + len(drawn) * (_LANE + ROW)
    drawing = Drawing("life", told, bottom + ROW + 6)

    def x(at: date) -> int:
        return _EDGE * 10 + (scaled((at - since).days, days, WIDTH - 2 * _EDGE) if days > 0 else 0)

    for number, (label, at_days) in enumerate(drawn):
        y = top + number * (_LANE + ROW)
        drawing.write(shortened(label, 36), 0, y + 16, whole=label)
        drawing.write(f"× {count(len(at_days))}", WIDTH, y + 16, "value at-end")
        drawing.add("path", class_="grid", d=f"M0 {y + ROW + _LANE // 2}h{WIDTH}")
        strokes = sorted({x(at) for at in at_days})
        drawing.add("path", class_="stroke", d="".join(f"M{units(at)} {y + ROW + 2}v{_LANE - 4}" for at in strokes))
    if today is not None and since <= today.day <= until:
        at = x(today.day)
        side = "at-end" if at > WIDTH * 8 else "at-middle" if at > WIDTH * 2 else ""
        drawing.add("path", class_="line mark", d=f"M{units(at)} {ROW}V{bottom}")
        drawing.write(shortened(today.name, 20), units(at), 16, side, whole=today.name)
    drawing.write(day(since), 0, bottom + ROW, "tick")
    drawing.write(day(until), WIDTH, bottom + ROW, "tick at-end")
    return drawing.markup()


def spark(told: Told, values: Sequence[int]) -> Markup:
    """Draw a line through values at even distances, with a dot at the last; one value is a level line."""
    drawing = Drawing("spark", told, _SPARK_HEIGHT, width=_SPARK_WIDTH)
    if values:
        lowest, highest = min(values), max(values)
        last = max(len(values) - 1, 1)
        points = [
            (
                20 + scaled(number, last, _SPARK_WIDTH - 6),
                (_SPARK_HEIGHT - 3) * 10 - scaled(value - lowest, highest - lowest, _SPARK_HEIGHT - 6),
            )
            for number, value in enumerate([values[0], *values] if len(values) == 1 else values)
        ]
        drawing.add("polyline", class_="line", points=" ".join(f"{units(x)},{units(y)}" for x, y in points))
        drawing.add("circle", class_="dot", cx=units(points[-1][0]), cy=units(points[-1][1]), r="2.5")
    return drawing.markup()
