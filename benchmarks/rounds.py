"""Rounds: each part is measured once in every round, and a figure is the median of its rounds, with their spread.

    round 1   part a, part b, part c …
    round 2   … part c, part b, part a
    round 3   part a, part b, part c …

So what changes on the machine during a run falls on all parts alike. A ratio is made within a round, of two figures
that were measured there, and the median is of these ratios.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from figures import Figure
from places import Place

Round = Mapping[str, float]
"""What one round came to, by key."""

DIGITS: Final = 5


@dataclass(frozen=True, slots=True)
class Part:
    """What is measured together.

    Attributes:
        name: in the figures' list.
        measure: does it once, and returns its figures by key.
        missing: why it can't be measured here; None if it can.
    """

    name: str
    measure: Callable[[Place], Round]
    missing: Callable[[], str | None] = lambda: None

    @property
    def says(self) -> str:
        """What it does, in one sentence."""
        return (self.measure.__doc__ or "").strip().split("\n")[0]


def interleaved(
    parts: Sequence[Part], rounds: int, place: Place, begins: Callable[[int, Part], None]
) -> Iterable[list[Round]]:
    """Measure all parts, round after round, and yield the rounds so far after each.

    Args:
        parts: in their order; every second round goes from the last to the first.
        rounds: how many.
        place: where they work.
        begins: told of each part of each round (counted from 1) before it begins.
    """
    done: list[Round] = []
    for number in range(1, rounds + 1):
        figures: dict[str, float] = {}
        for part in parts if number % 2 else reversed(parts):
            begins(number, part)
            figures |= part.measure(place)
        done.append(figures)
        yield done


def values_of(figure: Figure, rounds: Iterable[Round]) -> list[float]:
    """Return a figure's value in each round that has it."""
    if figure.quotient is None:
        return [one[figure.key] for one in rounds if figure.key in one]
    over, under = figure.quotient
    return [one[over] / one[under] for one in rounds if over in one and one.get(under)]


def summary(figure: Figure, rounds: Iterable[Round]) -> dict[str, Any]:
    """Return what the JSON has of a figure; `median`, `low`, `high` and `met` are None where it wasn't measured."""
    values = [float(f"{value:.{DIGITS}g}") for value in values_of(figure, rounds)]
    middle = median(values) if values else None
    return {
        "median": middle,
        "low": min(values, default=None),
        "high": max(values, default=None),
        "goal": figure.goal,
        "met": is_within(figure, middle, figure.goal),
        "floor": figure.floor,
        "floor_met": is_within(figure, middle, figure.floor),
        "unit": figure.unit,
        "rounds": len(values),
    }


def is_within(figure: Figure, value: float | None, bound: float | None) -> bool | None:
    """Return whether a value is as good as a bound; None if one of them isn't there."""
    if value is None or bound is None:
        return None
    return value <= bound if figure.at_most else value >= bound


def summaries(figures: Mapping[str, Figure], rounds: Sequence[Round]) -> dict[str, dict[str, Any]]:
    """Return the JSON: every figure of a list, by key.

    Raises:
        ValueError: a part measured something that is in no list.
    """
    unknown = {key for one in rounds for key in one} - set(figures)
    if unknown:
        raise ValueError(f"no figure is called {', '.join(sorted(unknown))}")
    return {key: summary(figure, rounds) for key, figure in figures.items()}
