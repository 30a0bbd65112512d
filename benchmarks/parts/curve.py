"""The cost curve: what a log costs at each size, with the memory that it takes, each in a process of its own."""

from pathlib import Path
from typing import Final

import apart
from figures import CURVE_LINES
from places import Place
from rounds import Part

TRIED_OUT: Final = 1_000
"""Larger sizes are left out of a run that is only tried out."""


def arguments_of(ledger: Path, new: Path) -> dict[str, dict[str, str | int]]:
    """Return what each operation on a ledger that is there gets (operations.py), in order.

    Args:
        ledger: its folder, as `Place.ledger` gives it.
        new: a folder for what is written.
    """
    folder = str(ledger)
    return {
        "views": {"folder": folder},
        "receipt": {"folder": folder},
        "balance": {"folder": folder},
        "open": {"folder": folder},
        "replay": {"folder": folder},
        "audit": {"folder": folder, "report": str(new / "full.json")},
        "audit_since": {
            "folder": folder,
            "since": str(ledger.parent / "earlier.json"),
            "report": str(new / "since.json"),
        },
        "dossier": {"folder": folder, "to": str(new / "dossier")},
        "export": {"folder": folder, "to": str(new / "export")},
    }


def measure(place: Place) -> dict[str, float]:
    """The cost curve: ledgers of 10³ to 10⁶ lines written, asked, opened, audited and exported."""
    figures: dict[str, float] = {}
    for lines in CURVE_LINES:
        if place.scale < 1 and lines > TRIED_OUT:
            continue
        ledger = place.ledger(lines)
        with place.folder() as new:
            took = {"append": apart.run("append", folder=str(new / "ledger"), lines=lines, of=lines)}
            took |= {name: apart.run(name, **arguments) for name, arguments in arguments_of(ledger, new).items()}
        for operation, measured in took.items():
            figures |= {f"curve_{operation}_{lines}_{aspect}": value for aspect, value in measured.items()}
    if place.scale < 1 or place.has("of one day"):  # what was measured once is in one round
        return figures
    return figures | place.once("of one day", lambda: _of_one_day(place))


def _of_one_day(place: Place) -> dict[str, float]:
    """The worst case, once: the largest of them with lines that are all remembered to the end."""
    ledger = place.ledger(CURVE_LINES[-1], of_one_day=True)
    with place.folder() as new:
        arguments = arguments_of(ledger, new)
        full, since = [apart.run(name, **arguments[name]) for name in ("audit", "audit_since")]
    return {
        "audit_memory_mb": full["mb"],
        "one_day_audit_cpu_seconds": full["cpu_seconds"],
        "one_day_audit_since_cpu_seconds": since["cpu_seconds"],
    }


PART = Part("curve", measure)
