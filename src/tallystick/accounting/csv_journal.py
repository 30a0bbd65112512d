r"""A journal as CSV (RFC 4180): comma, `"` where need be, lines that end in CR LF, UTF-8.

Spreadsheets need the byte order mark, programs don't. A text that a spreadsheet would take for a formula has a `'` in
front, as in all CSV here; numbers are numbers, also negative ones, and days are like 2026-01-05.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

from tallystick.accounting.table import Cell, Column, Row
from tallystick.printing.csv_bytes import BYTE_ORDER_MARK, guarded
from tallystick.vouchers.quantities import format_day

_ROWS_AT_ONCE: Final = 512


def csv_table(
    columns: Sequence[Column], rows: Iterable[Row], *, has_byte_order_mark: bool = False, is_guarded: bool = True
) -> Iterator[str]:
    """Yield the text of a table, piece by piece.

    Args:
        columns: its heading.
        rows: its cells.
        has_byte_order_mark: for spreadsheets.
        is_guarded: no cell is a formula; else texts are as they are, for programs that know no formulas.
    """
    days = [place for place, column in enumerate(columns) if column.type == "day"]
    texts = [place for place, column in enumerate(columns) if column.type == "text"] if is_guarded else []

    def written(row: Row) -> list[Cell]:
        cells = list(row)
        for place in days:
            day = cells[place]
            cells[place] = format_day(day) if isinstance(day, int) else None
        for place in texts:
            text = cells[place]
            if text is not None:
                cells[place] = guarded(str(text))
        return cells

    yield BYTE_ORDER_MARK if has_byte_order_mark else ""
    yield _lines([[column.name for column in columns]])
    left = iter(rows)
    while some := list(islice(left, _ROWS_AT_ONCE)):
        yield _lines([written(row) for row in some])


def _lines(rows: list[list[Cell]] | list[list[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue()
