"""Small sheets that a treasury writes beside the log: CSV with fixed headings, read whole or refused by line."""

import csv
import io
from collections.abc import Sequence
from typing import Final

from tallystick.accounting.bank_file import decoded
from tallystick.errors import UsageError

_FAULTS_SHOWN: Final = 3


class SheetRow(dict[str, str]):
    """The cells of a row by heading, and the line of the file where it stands."""

    def __init__(self, line: int, cells: dict[str, str]) -> None:
        super().__init__(cells)
        self.line: Final = line


def read_rows(data: bytes, name: str, needed: Sequence[str], optional: Sequence[str] = ()) -> list[SheetRow]:
    """Return the rows of a sheet; empty lines are passed over.

    Args:
        data: the file.
        name: what a person calls it.
        needed: headings that must be there, whose cells must be filled.
        optional: those that may be there.

    Raises:
        UsageError: it is no such sheet; one line.
    """
    try:
        text, _ = decoded(data)
    except UsageError as error:
        raise UsageError(f"{name}: {error}") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        lines = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except csv.Error as error:
        raise UsageError(f"{name}: line {reader.line_num} is not CSV: {error}") from None
    filled = [(line, cells) for line, cells in lines if any(cells)]
    headings = filled[0][1] if filled else []
    if sorted({*headings} | {*optional}) != sorted({*needed, *optional}) or len({*headings}) != len(headings):
        also = f", and may have {', '.join(optional)}" if optional else ""
        raise UsageError(f"{name}: its headings must be {', '.join(needed)}{also}; they are {', '.join(headings)[:80]}")
    rows: list[SheetRow] = []
    faults: list[str] = []
    for line, cells in filled[1:]:
        row = SheetRow(line, dict(zip(headings, cells, strict=False)))
        empty = [heading for heading in needed if not row.get(heading)]
        if len(cells) != len(headings):
            faults.append(f"line {line} has {len(cells)} cells, and there are {len(headings)} headings")
        elif empty:
            faults.append(f"line {line} has no {empty[0]}")
        rows.append(row)
    raise_faults(name, faults)
    return rows


def raise_faults(name: str, faults: Sequence[str]) -> None:
    """Refuse a file of which something is wrong.

    Raises:
        UsageError: something is; one line.
    """
    if faults:
        more = f"; and {len(faults) - _FAULTS_SHOWN:,} more" if len(faults) > _FAULTS_SHOWN else ""
        raise UsageError(f"{name}: " + "; ".join(faults[:_FAULTS_SHOWN]) + more)
