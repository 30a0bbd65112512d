"""The cost curve: what a log costs at each size, with the memory that it takes, each in a process of its own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import apart
from figures import CURVE_LINES
from places import Place
from rounds import Part

TRIED_OUT: int = 10_000
"""Larger sizes are left out of a run that is only tried out."""


def point(folder: Path, lines: int, new: Path) -> dict[str, dict[str, float]]:
    """Return what each operation took on a ledger of so many lines.

    Args:
        folder: of the ledger, as `Place.ledger` gives it.
        lines: how many it has.
        new: a folder for what is written.
    """
    beside: Callable[[str], str] = lambda name: str(new / name)  # noqa: E731 - a name for three words
    ledger = str(folder)
    arguments: dict[str, dict[str, Any]] = {
        "append": {"folder": beside("ledger"), "lines": lines},
        "views": {"folder": ledger},
        "receipt": {"folder": ledger},
        "balance": {"folder": ledger},
        "open": {"folder": ledger},
        "replay": {"folder": ledger},
        "audit": {"folder": ledger, "report": beside("full.json")},
        "audit_since": {
            "folder": ledger,
            "since": str(folder.parent / "earlier.json"),
            "report": beside("since.json"),
        },
        "dossier": {"folder": ledger, "to": beside("dossier")},
        "export": {"folder": ledger, "to": beside("export")},
    }
    return {operation: apart.run(operation, **given) for operation, given in arguments.items()}


def measure(place: Place) -> dict[str, float]:
    """The cost curve: ledgers of 10³ to 10⁶ lines written, asked, opened, audited and exported."""
    figures: dict[str, float] = {}
    for lines in CURVE_LINES:
        if place.scale < 1 and lines > TRIED_OUT:
            continue
        ledger = place.ledger(lines)
        with place.folder() as new:
            for operation, took in point(ledger, lines, new).items():
                figures |= {f"curve_{operation}_{lines}_{aspect}": value for aspect, value in took.items()}
    largest = f"curve_audit_{CURVE_LINES[-1]}_mb"
    return figures | ({"audit_memory_mb": figures[largest]} if largest in figures else {})


PART = Part("curve", measure)
