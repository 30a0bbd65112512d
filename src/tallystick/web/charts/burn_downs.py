"""What is left, day by day, against an even pace: stacked steps, a straight line and marks."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final

from markupsafe import Markup

from tallystick.web.charts.drawing import (
    ROW,
    WIDTH,
    Amount,
    Day,
    Drawing,
    Mark,
    Told,
    legend_height,
    scaled,
    shortened,
    ticks,
    units,
)

_LEFT: Final = 84
"""Room for an amount of letters of 18 units."""
_RIGHT: Final = 8
_PLOT_HEIGHT: Final = 190
MARKS_MAX: Final = 4
"""Of more marks, the first are drawn."""
_PLOT_WIDTH: Final = WIDTH - _LEFT - _RIGHT


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of the stack: its name, its tone, and its amount in fen from each day on, in the order of days."""

    name: str
    tone: str
    points: Sequence[tuple[date, int]]


@dataclass(frozen=True, slots=True)
class Pace:
    """An even pace: a straight line from an amount on a day down to 0."""

    name: str
    since: date
    amount: int
    until: date


def burn_down(
    told: Told,
    layers: Sequence[Layer],
    *,
    since: date,
    until: date,
    amount: Amount,
    day: Day,
    upto: date | None = None,
    pace: Pace | None = None,
    marks: Sequence[Mark] = (),
) -> Markup:
    """Draw amounts by day, from `since` to `until`, the first layer lowest; they are known up to `upto` (`until`).

    Every day is as wide as the others, the last too: what it ends with is seen. A mark stands where its day ends. A
    negative amount is drawn as 0. Days beyond the axis are left out: of those before it, the last counts.
    """
    axis = _Axis(since, max(until, since))
    known = min(max(upto or until, since), axis.until)
    stacked = _stacked(layers, axis.since, known)
    levels = [pace.amount if pace else 0, *(height for steps in stacked for _, height in steps)]
    scale = ticks(max(levels))
    legend = [(layer.name, layer.tone) for layer in layers] + ([(pace.name, "line pace")] if pace else [])
    marks = [mark for mark in marks if axis.since <= mark.day <= axis.until][:MARKS_MAX]
    top = legend_height(legend) + len(marks) * ROW + 8
    drawing = Drawing("burn-down", told, top + _PLOT_HEIGHT + ROW + 6)
    drawing.axis(axis.since, axis.until, _LEFT, _LEFT + _PLOT_WIDTH)
    drawing.legend(legend, 0)
    _amounts(drawing, scale, amount, top)
    bottom = (top + _PLOT_HEIGHT) * 10
    for layer, steps in reversed([*zip(layers, stacked, strict=True)]):
        drawing.fill("path", layer.tone, d=_area(axis, steps, known, scale[-1], bottom))
    if pace is not None:
        _line(drawing, axis, pace, scale[-1], bottom)
    _days(drawing, axis, day, top)
    for number, mark in enumerate(marks):
        _mark(drawing, axis, mark, top + _PLOT_HEIGHT, top - 6 - (len(marks) - 1 - number) * ROW)
    return drawing.markup()


@dataclass(frozen=True, slots=True)
class _Axis:
    since: date
    until: date

    def starts(self, day: date) -> int:
        """Return where a day begins, in tenths of a unit."""
        return self.at(day.toordinal())

    def ends(self, day: date) -> int:
        """Return where a day ends."""
        return self.at(day.toordinal() + 1)

    def at(self, midnight: int) -> int:
        """Return where a day begins that is given as its number."""
        first = self.since.toordinal()
        return _LEFT * 10 + scaled(midnight - first, self.until.toordinal() + 1 - first, _PLOT_WIDTH)


def _stacked(layers: Sequence[Layer], since: date, known: date) -> list[list[tuple[date, int]]]:
    """Return of each layer the steps of its upper edge: from each day on, the sum of it and those below."""
    changes = sorted({since, *(at for layer in layers for at, _ in layer.points if since <= at <= known)})
    sums = dict.fromkeys(changes, 0)
    edges = []
    for layer in layers:
        points, position, value = [*layer.points], 0, 0
        for at in changes:
            while position < len(points) and points[position][0] <= at:
                value, position = max(points[position][1], 0), position + 1
            sums[at] += value
        edges.append([*sums.items()])
    return edges


def _area(axis: _Axis, steps: Sequence[tuple[date, int]], known: date, whole: int, bottom: int) -> str:
    """Return the path of an area below steps, in relative lengths: shorter, and exact since all are tenths."""
    heights = [(axis.starts(at), scaled(height, whole, _PLOT_HEIGHT)) for at, height in steps]
    path = [f"M{units(heights[0][0])} {units(bottom)}v{units(-heights[0][1])}"]
    run = heights[0][0]
    for (_, before), (x, height) in pairwise(heights):
        if height != before:
            path.append(f"h{units(x - run)}v{units(before - height)}")
            run = x
    path.append(f"H{units(axis.ends(known))}V{units(bottom)}z")
    return "".join(path)


def _line(drawing: Drawing, axis: _Axis, pace: Pace, whole: int, bottom: int) -> None:
    """Draw the pace from the beginning of its first day to the end of its last, cut off where the axis ends."""
    first, end = pace.since.toordinal(), max(pace.until.toordinal() + 1, pace.since.toordinal() + 1)
    ends = (axis.since.toordinal(), axis.until.toordinal() + 1)

    def point(midnight: int) -> str:
        left = max(pace.amount, 0) * min(max(end - midnight, 0), end - first) // (end - first)
        return f"{units(axis.at(midnight))} {units(bottom - scaled(left, whole, _PLOT_HEIGHT))}"

    since, until = (min(max(midnight, ends[0]), ends[1]) for midnight in (first, end))
    drawing.add("path", class_="line pace", d=f"M{point(since)}L{point(until)}")


def _amounts(drawing: Drawing, scale: Sequence[int], amount: Amount, top: int) -> None:
    for value in scale:
        y = (top + _PLOT_HEIGHT) * 10 - scaled(value, scale[-1], _PLOT_HEIGHT)
        drawing.add("path", class_="grid" if value else "grid zero", d=f"M{_LEFT} {units(y)}h{_PLOT_WIDTH}")
        drawing.write(amount(value), _LEFT - 6, units(y + 40), "tick at-end")


def _days(drawing: Drawing, axis: _Axis, day: Day, top: int) -> None:
    """Write the first day, the last, and two between them where there is room."""
    days, y = (axis.until - axis.since).days, top + _PLOT_HEIGHT
    steps = 3 if days >= 3 else 1
    for number in range(steps + 1 if days else 1):
        at = date.fromordinal(axis.since.toordinal() + days * number // steps)
        is_last = number == steps
        x = axis.ends(at) if is_last else axis.starts(at)
        drawing.add("path", class_="grid", d=f"M{units(x)} {y}v4")
        kind = "tick" if number == 0 else "tick at-end" if is_last else "tick at-middle between"
        drawing.write(day(at), units(x), y + ROW, kind)


def _mark(drawing: Drawing, axis: _Axis, mark: Mark, bottom: int, y: int) -> None:
    """Draw a mark over the plot; its name has a line of its own above it, on the side where there is room."""
    x = axis.ends(mark.day)
    is_right = x > (_LEFT + _PLOT_WIDTH * 2 // 3) * 10
    drawing.add("path", class_="line mark", d=f"M{units(x)} {y - 14}V{bottom}")
    name = shortened(mark.name, 24)
    drawing.write(name, units(x + (-50 if is_right else 50)), y, "at-end" if is_right else "", whole=mark.name)
