r"""Every CSV is written here: UTF-8 with a byte order mark, always a heading, no cell that a spreadsheet would obey.

A text that begins as a formula does gets a `'` in front; what isn't printed is shown as `\uXXXX`, so that a cell is
one line. Ids can't begin so, and amounts are bare integers, negative ones too: both are as in the log.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from tallystick.printing.text import escaped

BYTE_ORDER_MARK: Final = "\ufeff"
"""Without it a spreadsheet takes the file for one in the machine's old encoding, GBK under a Chinese Windows."""

# Spreadsheets under Chinese and Japanese systems take the full-width forms for the same.
_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def csv_bytes(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> bytes:
    """Return rows as CSV: comma, `"` where need be, lines that end in a line feed.

    Args:
        columns: the names in the heading, in order.
        rows: a value for each name: text is guarded, None is empty, a tuple's texts have blanks between them, anything
            else is written as it is.
    """
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([[_cell(row[name]) for name in columns] for row in rows])
    return (BYTE_ORDER_MARK + written.getvalue()).encode()


def _cell(value: object) -> object:
    if isinstance(value, tuple):
        value = " ".join(map(str, value))
    return guarded(value) if isinstance(value, str) else value


def guarded(text: str) -> str:
    """Return a text as a cell has it that no spreadsheet obeys."""
    # What spreadsheets skip at the beginning of a cell hides nothing.
    is_formula = text.lstrip().startswith(_FORMULAS) or text.startswith(_FORMULAS)
    return ("'" if is_formula else "") + escaped(text)
