"""What a sheet prints beside its jobs: card-hours of a row, and totals. They are compared, and never burned."""

import re
import unicodedata
from fractions import Fraction
from typing import Final

from tallystick.metering.amounts import amount
from tallystick.metering.remarks import Remarks, list_remark
from tallystick.metering.sheet_cells import number_of_cell, text_of_cell
from tallystick.metering.workbook import Formula

_PART: Final = re.compile(r"小计|\bsub-?\s*total\b", re.IGNORECASE)
_TOTAL: Final = re.compile(r"小计|合计|总计|总和|共计|汇总|累计|\b(?:sub-?\s*|grand\s*)?(?:total|sum)\b", re.IGNORECASE)
_GPU_MS_OF_HOUR: Final = 3_600_000


def is_total(cells: list[object]) -> bool:
    """Whether the first cell of a row that says anything calls it a total."""
    first = next((text for text in map(text_of_cell, cells) if text), "")
    return bool(_TOTAL.search(unicodedata.normalize("NFKC", first)))


class Totals:
    """Sums of a sheet's column of card-hours, as printed and as recomputed."""

    def __init__(self, heading: str, remarks: Remarks) -> None:
        self._heading = heading
        self._remarks = remarks
        self._printed, self._computed = Fraction(0), Fraction(0)
        self._printed_at_part, self._computed_at_part = Fraction(0), Fraction(0)

    def add(self, line: int, cell: object, gpu_milliseconds: int | None) -> None:
        """Take a row's printed card-hours and what its cards, start and end come to, where that can be said."""
        printed = number_of_cell(cell.value if isinstance(cell, Formula) else cell)
        computed = Fraction(gpu_milliseconds or 0, _GPU_MS_OF_HOUR)
        self._computed += computed
        if printed is None:
            return
        self._printed += printed
        if gpu_milliseconds is not None and abs(printed - computed) >= _last_place(cell):
            differs = {"line": line, "printed": text_of_cell(cell), "recomputed_exactly": mixed(computed)}
            list_remark(self._remarks, "card_hours_differ", differs)

    def compare(self, line: int, cells: list[object], place: int) -> None:
        """Compare a row of totals with the rows above it: since the last subtotal, or all."""
        cell = cells[place]
        printed = number_of_cell(cell.value if isinstance(cell, Formula) else cell)
        is_part = any(_PART.search(text_of_cell(one)) for one in cells)
        since = (self._printed - self._printed_at_part, self._computed - self._computed_at_part)
        sums = (since, (self._printed, self._computed)) if is_part else ((self._printed, self._computed), since)
        if printed is not None and printed not in (sums[0][0], sums[1][0]):
            differs = {
                "line": line,
                "column": self._heading,
                "printed": text_of_cell(cell),
                "sum_of_printed_rows": _grouped(sums[0][0]),
                "recomputed_exactly": mixed(sums[0][1]),
            }
            list_remark(self._remarks, "sheet_total_differs", differs)
        self._printed_at_part, self._computed_at_part = self._printed, self._computed


def mixed(number: Fraction) -> str:
    """Return a number exactly: `1495 2/3`."""
    whole, rest = divmod(abs(number), 1)
    sign = "-" if number < 0 else ""
    if not rest:
        return f"{sign}{whole}"
    return f"{sign}{whole} {rest}" if whole else f"{sign}{rest}"


def _grouped(number: Fraction) -> str:
    """Return a sum of decimals as a sheet prints it: `1,495.67`."""
    return f"{float(number):,.6f}".rstrip("0").rstrip(".")


def _last_place(cell: object) -> Fraction:
    """Return one unit of the last place that is printed: what was cut off or rounded is less."""
    text = text_of_cell(cell).replace(",", "")
    places = len(text.partition(".")[2]) if amount(text) is not None else 0
    return Fraction(1, 10 ** min(places, 6))
