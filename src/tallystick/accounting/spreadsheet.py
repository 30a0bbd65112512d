"""A journal as a spreadsheet (XLSX): postings, balances, and what it is of; the same log gives the same bytes.

Numbers and days are numbers and days, in yuan with two decimals; texts are texts, never formulas. Rows are written out
as they come. A sheet has as many rows as a spreadsheet takes; what is more goes on another.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import xlsxwriter

from tallystick.accounting.chart import ChartAccount
from tallystick.accounting.table import BALANCE_COLUMNS, COLUMNS, Cell, Column, ColumnType, Row, balance_rows
from tallystick.printing.text import escaped
from tallystick.vouchers.quantities import format_day

SHEET_ROWS_MAX: Final = 1_048_576
"""With the heading; no spreadsheet takes more."""
_DIGITS_EXACT: Final = 15
"""A spreadsheet keeps no more of a number; one with more is written as text."""
_CREATED: Final = datetime(2000, 1, 1)  # a fixed one: the same journal is the same file
_FORMATS: Final[dict[ColumnType, str]] = {
    "text": "@",
    "whole": "0",
    "yuan": "#,##0.00",
    "gpu_hours": "#,##0.0000000",
    "day": "yyyy-mm-dd",
}


class Workbook:
    """A spreadsheet that is being written."""

    def __init__(self, path: Path, title: str, foot: str = "") -> None:
        """Begin it.

        Args:
            path: of the file, which is made or replaced.
            title: among its properties.
            foot: at the foot of every page that is printed, with the page's number.
        """
        self._foot = f"&L{foot.replace('&', '&&')[:230]}&R&P / &N"
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        self._book: Any = xlsxwriter.Workbook(str(path), options)
        self._book.set_properties({"title": title, "author": "tallystick", "created": _CREATED})
        self._formats = {name: self._book.add_format({"num_format": code}) for name, code in _FORMATS.items()}
        self._heading = self._book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})

    def add_pairs(self, name: str, pairs: Mapping[str, str]) -> None:
        """Add a sheet of names and values."""
        sheet = self._book.add_worksheet(name)
        sheet.set_column(0, 0, 24)
        sheet.set_column(1, 1, 80)
        for number, (called, value) in enumerate(pairs.items()):
            sheet.write_string(number, 0, called, self._heading)
            sheet.write_string(number, 1, escaped(value))

    def add_table(self, name: str, columns: Sequence[Column], rows: Iterable[Row]) -> None:
        """Add a sheet of rows below a heading that stays; more sheets where there are too many rows for one."""
        sheets, number = 0, SHEET_ROWS_MAX
        sheet: Any = None
        for row in rows:
            if number == SHEET_ROWS_MAX:
                sheets += 1
                sheet, number = self._add_sheet(name if sheets == 1 else f"{name} {sheets}", columns), 1
            for place, (column, value) in enumerate(zip(columns, row, strict=True)):
                if value is not None:
                    self._write(sheet, number, place, column.type, value)
            number += 1
        if sheet is None:
            self._add_sheet(name, columns)

    def close(self) -> None:
        """Finish the file."""
        self._book.close()

    def _add_sheet(self, name: str, columns: Sequence[Column]) -> Any:  # noqa: ANN401 - untyped
        sheet = self._book.add_worksheet(name)
        for place, column in enumerate(columns):
            sheet.set_column(place, place, column.width, self._formats[column.type])
        sheet.freeze_panes(1, 0)
        sheet.set_landscape()
        sheet.repeat_rows(0)
        sheet.set_footer(self._foot)
        sheet.set_row(0, 30)
        for place, column in enumerate(columns):
            sheet.write_string(0, place, f"{column.chinese}\n{column.name}", self._heading)
        return sheet

    def _write(self, sheet: Any, number: int, place: int, type_: ColumnType, value: Cell) -> None:  # noqa: ANN401
        format_ = self._formats[type_]
        if type_ == "day" and isinstance(value, int):
            sheet.write_datetime(number, place, date.fromisoformat(format_day(value)), format_)
        elif isinstance(value, Decimal | int) and _fits(value):
            sheet.write_number(number, place, value, format_)
        else:
            sheet.write_string(number, place, escaped(str(value)), format_)


def _fits(value: Decimal | int) -> bool:
    """Return whether a spreadsheet keeps all digits of a number."""
    return len(Decimal(value).normalize().as_tuple().digits) <= _DIGITS_EXACT


def write_spreadsheet(
    path: Path, rows: Iterable[Row], balances: Mapping[ChartAccount, int], about: Mapping[str, str]
) -> None:
    """Write a journal as a spreadsheet.

    Args:
        path: of the file, which is made or replaced.
        rows: of the journal.
        balances: what lies in each account once all rows were taken.
        about: what it is of: names and values.
    """
    book = Workbook(path, f"Journal of the log {about['origin']}")
    book.add_table("分录", COLUMNS, rows)
    book.add_table("余额", BALANCE_COLUMNS, balance_rows(dict(balances)))
    book.add_pairs("说明", about)
    book.close()
