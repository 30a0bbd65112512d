"""A ledger of burned lines, the journal that `tallystick journal` writes of it, and our own balances of the same."""

import os
import sys
from pathlib import Path
from typing import Final

import network

from peers.programs import cpu_seconds_to_run

LINES: Final = 20_000
LINES_EACH: Final = 200
_TALLYSTICK: Final = (sys.executable, "-P", "-m", "tallystick")


class Journal:
    """A new ledger and its journal.

    Attributes:
        path: the journal.
        lines: burned lines in it, each two postings of GPU-time; money moves once a statement.
    """

    def __init__(self, folder: Path, scale: float, form: str) -> None:
        """Burn the lines, and write the journal for `hledger` or `beancount`."""
        statements = max(1, int(LINES * scale) // LINES_EACH)
        self.lines: Final = statements * LINES_EACH
        self.path: Final = folder / f"journal.{form}"
        self._ledger = folder / "ledger"
        self._shown = folder / "balances"
        with network.founded_ledger(self._ledger, verify_processes=os.cpu_count() or 1) as ledger:
            ledger.submit(network.statements(statements, LINES_EACH))
        self._run("journal", str(self._ledger), "--format", form, "-o", str(self.path))
        self._run("balances", str(self._ledger))  # the views have followed

    def cpu_seconds_from_log(self) -> float:
        """Return how long our balances of the journal's accounts take, read from the whole log."""
        return self._run("balances", str(self._ledger), "--by", "account")

    def cpu_seconds_from_views(self) -> float:
        """Return how long our balances take, asked of views that have followed."""
        return self._run("balances", str(self._ledger))

    def _run(self, *words: str) -> float:
        return cpu_seconds_to_run([*_TALLYSTICK, *words], self._shown)
