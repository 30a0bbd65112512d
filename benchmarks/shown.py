"""Figures as people read them, on the console and in the page: numbers with units, bounds, whether these are met."""

from collections.abc import Mapping
from typing import Any, Final

from figures import A_SECOND, RATIO, Figure

NOT_MEASURED: Final = "–"
TITLES: Final = {
    "judged": "Goals",
    "limits": "Physical limits",
    "library": "The event library alone",
    "ours": "Tallystick",
    "peers": "Peers",
    "http": "Over HTTP",
    "journals": "Journals",
    "pages": "Pages",
    "usage": "Usage records and plans",
    "curve": "The cost curve",
    "large": "Ten million lines",
}
"""Of each table, in order."""


def number(value: float) -> str:
    """Return a number with three digits that count."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def with_unit(value: float, unit: str) -> str:
    """Return a number with its unit, where it isn't a ratio or a rate."""
    return number(value) if unit in (RATIO, A_SECOND) else f"{number(value)} {unit}"


def bound(figure: Figure, value: float | None) -> str:
    """Return a goal or a floor; empty if there is none."""
    return "" if value is None else f"{'≤' if figure.at_most else '≥'} {with_unit(value, figure.unit)}"


def measured(figure: Figure, result: Mapping[str, Any] | None) -> str:
    """Return the median, and from the lowest to the highest round."""
    if result is None or result["median"] is None:
        return NOT_MEASURED
    middle = with_unit(result["median"], figure.unit)
    if result["low"] == result["high"]:
        return middle
    return f"{middle} ({number(result['low'])} to {number(result['high'])})"


def verdict(result: Mapping[str, Any] | None) -> str:
    """Return what a median comes to: as good as the goal, as the floor, or as neither; empty if nothing is said."""
    if result is None or result["met"] is None:
        return ""
    if result["met"]:
        return "met"
    return "floor met" if result["floor_met"] else "missed"
