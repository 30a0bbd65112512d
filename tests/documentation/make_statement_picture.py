"""Make the picture that docs/statements.md shows: `python tests/documentation/make_statement_picture.py`.

It is of the small ledger that tests are made on, so that it is the same wherever it is made.
"""

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PICTURE = ROOT / "docs" / "statement.png"


def make() -> None:
    """Write it."""
    sys.path.insert(0, str(ROOT / "tests"))
    from support.small_ledger import write_small_ledger
    from tallystick.accounting.log_place import place_in
    from tallystick.accounting.statement import make_statement
    from tallystick.accounting.statement_cells import Period
    from tallystick.accounting.statement_pages import Typesetter
    from tallystick.accounting.statement_words import StatementWords
    from tallystick.publishing import read_ledger
    from tallystick.views import followed_views

    with tempfile.TemporaryDirectory() as folder:
        ledger = Path(folder) / "ledger"
        write_small_ledger(ledger)
        with followed_views(ledger, is_fresh=True) as views, read_ledger(ledger) as reader:
            place = place_in(reader, views.size)
            words = StatementWords("zh")
            statement = make_statement("programme", "shanghai/compute-2026", views, place, words, Period())
    PICTURE.write_bytes(Typesetter().pictures(statement, dots_per_inch=75)[0])


if __name__ == "__main__":
    make()
