"""What an audit does: single-line entries, lines of statements, and segments of these by workers of their own."""

import time
from pathlib import Path

import network
from places import LINES_EACH, Place
from rounds import Part

from support.burning import LOG_KEY
from tallystick.audit import audit
from tallystick.transparency.policy import Policy

SINGLE_ENTRIES = 12_000
STATEMENT_LINES = 300_000
POLICY = Policy.for_log(LOG_KEY.verifier)


def audited_seconds(folder: Path) -> float:
    """Return how long an audit of a ledger that is clean takes, on all cores."""
    begin = time.perf_counter()
    report = audit(folder, POLICY)
    seconds = time.perf_counter() - begin
    assert report.verdict == "clean", report.findings[:3]
    return seconds


def measure_single(place: Place) -> dict[str, float]:
    """Entries of one line audited from the ledger's folder, on two cores."""
    entries = place.count(SINGLE_ENTRIES, least=1_000)
    folder = place.ledger(entries, 1)
    return {"audit_single_entries": (entries + network.FOUNDING_ENTRIES) / audited_seconds(folder)}


def measure_statements(place: Place) -> dict[str, float]:
    """Lines of statements audited from the ledger's folder, on two cores."""
    lines = place.count(STATEMENT_LINES, least=LINES_EACH)
    return {"audit_statement_lines": lines / audited_seconds(place.ledger(lines))}


PARTS = (Part("audit_single", measure_single), Part("audit_statements", measure_statements))
