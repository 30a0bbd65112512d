"""beancount: double-entry accounting in Python and C, which recomputes balances from its file whenever it is asked.

How: the journal that `tallystick journal --format beancount` writes of 20,000 lines in statements of 200 is there;
beancount's loader reads it and its `realization` sums each account. Its cache of what it read before is off. Against
it stand `tallystick balances` from the log and from views, as beside hledger; processor time, with the program's start.

beancount checks that each transaction balances, that accounts are open, and the balances that the journal asserts. It
verifies no signature and knows no rules; nor do our balances, which believe the log.
"""

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from peers.journals import Journal
from peers.programs import cpu_seconds_to_run

FIGURES: Final = {
    "beancount_lines": ("a second of CPU", "beancount: lines of a journal recomputed to balances"),
    "beancount_to_log": ("×", "beancount's time for them / `tallystick balances --by account`, from the log"),
    "beancount_to_views": ("×", "beancount's time for them / `tallystick balances`, from views that have followed"),
}
_BALANCES: Final = """
import os, sys
os.environ["BEANCOUNT_DISABLE_LOAD_CACHE"] = "1"
from beancount import loader
from beancount.core import realization
entries, errors, _ = loader.load_file(sys.argv[1])
assert not errors, errors[:3]
for account in realization.iter_children(realization.realize(entries)):
    print(account.account, account.balance)
"""


def available() -> str | None:
    """Return why it can't be measured here."""
    return None if find_spec("beancount") else "beancount isn't installed: make bench installs what tests need"


def measure(folder: Path, scale: float) -> dict[str, float]:
    """Balances of a journal recomputed by beancount, and by `tallystick balances`."""
    journal = Journal(folder, scale, "beancount")
    seconds = cpu_seconds_to_run([sys.executable, "-P", "-c", _BALANCES, str(journal.path)], folder / "shown")
    return {
        "beancount_lines": journal.lines / seconds,
        "beancount_to_log": seconds / journal.cpu_seconds_from_log(),
        "beancount_to_views": seconds / journal.cpu_seconds_from_views(),
    }
