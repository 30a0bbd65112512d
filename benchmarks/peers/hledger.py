"""hledger: double-entry accounting in Haskell, which recomputes balances from a journal whenever it is asked.

How: the journal that `tallystick journal --format hledger` writes of 20,000 lines in statements of 200 is there;
`hledger balance` reads it and shows every account. Against it stand `tallystick balances --by account`, which reads
the whole log and gives the same accounts, and `tallystick balances`, which asks views that have followed. All are
programs of their own, and what counts is their processor time, their start included.

hledger checks that each transaction balances, and the balances that the journal asserts. It verifies no signature and
knows no rules; nor do our balances, which believe the log: `tallystick audit` is what doesn't.
"""

import shutil
from pathlib import Path
from typing import Final

from peers.journals import Journal
from peers.programs import cpu_seconds_to_run

FIGURES: Final = {
    "hledger_lines": ("a second of CPU", "hledger: lines of a journal recomputed to balances"),
    "hledger_to_log": ("×", "hledger's time for them / `tallystick balances --by account`, from the log"),
    "hledger_to_views": ("×", "hledger's time for them / `tallystick balances`, from views that have followed"),
}


def available() -> str | None:
    """Return why it can't be measured here."""
    return None if shutil.which("hledger") else "hledger isn't installed: it is a package of Debian's"


def measure(folder: Path, scale: float) -> dict[str, float]:
    """Balances of a journal recomputed by hledger, and by `tallystick balances`."""
    journal = Journal(folder, scale, "hledger")
    seconds = cpu_seconds_to_run(["hledger", "-f", str(journal.path), "balance"], folder / "shown")
    return {
        "hledger_lines": journal.lines / seconds,
        "hledger_to_log": seconds / journal.cpu_seconds_from_log(),
        "hledger_to_views": seconds / journal.cpu_seconds_from_views(),
    }
