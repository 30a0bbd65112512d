"""Ledgers as they were once, and the reports of audits that were made then."""

import shutil
from pathlib import Path

from support.small_ledger import POLICY
from support.tampering import entries_of, forge, opened
from tallystick.audit import Report, audit

OLD = 263
"""A size of the small ledger, with tariffs up to `SIZES`, at which a commit ended."""


def cut_back(ledger: Path, size: int) -> None:
    """Make a ledger what it was when a commit left it at this size."""
    with opened(ledger) as database:
        database.execute("DELETE FROM stored_events WHERE originator_version > ?", (size,))
        database.execute("DELETE FROM tree WHERE position >= ? >> (8 * level)", (size,))
        database.execute("DELETE FROM checkpoints WHERE size > ?", (size,))
        database.execute("DELETE FROM refs WHERE leaf_index >= ?", (size,))
        assert database.execute("SELECT max(size) FROM checkpoints").fetchone() == (size,)


def begin_of(ledger: Path, size: int, folder: Path) -> Path:
    """Write a ledger of the first `size` entries of another, whether or not a commit ended there."""
    shutil.copytree(ledger, folder)
    forge(folder, entries_of(folder)[:size])
    with opened(folder) as database:
        database.execute("DELETE FROM refs WHERE leaf_index >= ?", (size,))
    return folder


def report_on(ledger: Path, file: Path) -> Report:
    """Audit a ledger, which must be clean, and write report and state."""
    report = audit(ledger, POLICY, report_file=file)
    assert report.is_clean, report.findings
    return report
