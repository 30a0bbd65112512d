"""A journal for hledger written of a log, against hledger's own check of it; and the memory that a long one takes."""

import shutil
import sys
from pathlib import Path

import apart
from places import Place
from rounds import Part

LINES = 100_000
MANY_LINES = 1_000_000


def _written(place: Place, lines: int, to: Path) -> apart.Used:
    """Write the journal of a ledger of so many lines, by a program of its own."""
    ledger = place.ledger(place.count(lines, least=1_000))
    words = ["-m", "tallystick", "journal", str(ledger), "--format", "hledger", "-o", str(to)]
    return apart.program([sys.executable, *words])


def measure(place: Place) -> dict[str, float]:
    """A journal of 100,000 burned lines in statements, and the memory for ten times as many."""
    with place.folder() as where:
        short = _written(place, LINES, where / "short.journal")
        long = _written(place, MANY_LINES, where / "long.journal")
    return {"journal_cpu_seconds": short.cpu_seconds, "journal_mb": short.mb, "journal_million_mb": long.mb}


def measure_check(place: Place) -> dict[str, float]:
    """`hledger check --strict` of the journal of 100,000 lines."""
    journal = place.once("journal", lambda: place.kept_folder() / "j.journal")
    if not journal.exists():
        _written(place, LINES, journal)
    used = apart.program([str(shutil.which("hledger")), "-f", str(journal), "check", "--strict"])
    return {"hledger_check_cpu_seconds": used.cpu_seconds, "hledger_check_mb": used.mb}


def _missing() -> str | None:
    return None if shutil.which("hledger") else "hledger isn't installed"


PARTS = (Part("journal", measure), Part("hledger_check", measure_check, _missing))
