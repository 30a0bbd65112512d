"""All parts, in the order in which a round goes through them: what is compared stands near what it is compared with."""

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from figures import FIGURES
from parts import (
    auditing,
    curve,
    exports,
    journal,
    library,
    limits,
    others,
    over_http,
    pages,
    plans,
    processes,
    receipts,
    segments,
    usage_records,
    writing,
)
from rounds import Part

PARTS: Final[Sequence[Part]] = (
    *limits.PARTS,
    *library.PARTS,
    *writing.PARTS,
    *others.PARTS,
    *auditing.PARTS,
    *segments.PARTS,
    exports.PART,
    receipts.PART,
    processes.PART,
    curve.PART,
    *journal.PARTS,
    pages.PART,
    over_http.PART,
    usage_records.PART,
    plans.PART,
)


def chosen(names: Collection[str]) -> list[Part]:
    """Return the parts of these names, and those that the figures of these names need; all, if there is no name.

    Raises:
        ValueError: nothing is called that.
    """
    if not names:
        return [*PARTS]
    wanted: set[str] = set()
    for name in names:
        wanted |= {name} if name in _names() else set(_parts_of(name))
    return [part for part in PARTS if part.name in wanted]


def _names() -> set[str]:
    return {part.name for part in PARTS}


def _parts_of(key: str) -> Iterable[str]:
    """Yield the parts that measure what a figure is made of."""
    figure = FIGURES.get(key)
    if figure is None:
        raise ValueError(
            f"{key} is neither a part ({', '.join(sorted(_names()))}) nor a figure (benchmarks/figures.py)"
        )
    if figure.quotient is None:
        yield figure.part
        return
    for one in figure.quotient:
        yield from _parts_of(one)
