"""Rows of an XLSX workbook, after it has been looked at: how much it expands to, how wide it is, where formulas are.

A workbook is a ZIP of XML. What it says that its parts expand to is believed only as far as a limit, and the parts are
unpacked in pieces before anything is read from them; the box around a sheet's cells is limited too, since a reader
holds all of it. A hidden sheet isn't read. Without a name there must be exactly one sheet that isn't hidden.

python-calamine (extra `usage`) reads the cells; it knows the values of formulas as they were last computed, and not
that they are formulas. That is read out of the XML here.
"""

import io
import zipfile
import zlib
from collections.abc import Iterator
from typing import Final, NamedTuple
from xml.parsers import expat

from tallystick.errors import UsageError, UsageFileError
from tallystick.metering.mapping import Mapping
from tallystick.metering.reasons import FileFault

WORKBOOK_BYTES_MAX: Final = 64 * 1024 * 1024
EXPANDED_BYTES_MAX: Final = 512 * 1024 * 1024
PARTS_MAX: Final = 2_000
CELLS_MAX: Final = 20_000_000
"""Of the box around a sheet's cells."""
_PIECE: Final = 1024 * 1024
_RELATION: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships id"
_STRICT_RELATION: Final = "http://purl.oclc.org/ooxml/officeDocument/relationships id"


class Formula(NamedTuple):
    """A cell with a formula.

    Attributes:
        value: what it came to when the workbook was saved.
    """

    value: object


def read_workbook(data: bytes, mapping: Mapping) -> Iterator[tuple[int, list[object]]]:
    """Yield the rows of a workbook's sheet with their numbers, from 1; cells are texts, numbers, dates or formulas.

    Raises:
        UsageFileError: it is no XLSX, larger than what is read, or has several sheets and the mapping names none.
        UsageError: python-calamine isn't installed.
    """
    parts = _checked_parts(data)
    try:
        from python_calamine import CalamineError, CalamineWorkbook, SheetVisibleEnum  # noqa: PLC0415 - an extra
    except ImportError:
        raise UsageError(
            "XLSX needs python-calamine: pip install tallystick[usage], or save the sheet as CSV"
        ) from None
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
        visible = [one.name for one in workbook.sheets_metadata if one.visible is SheetVisibleEnum.Visible]
        name = _sheet_name(visible, mapping.sheet.sheet)
        formulas = _formulas(parts, name)
        sheet = workbook.get_sheet_by_name(name)
        merged = _merged(sheet.merged_cell_ranges)
        top, left = sheet.start or (0, 0)
        rows = sheet.to_python(skip_empty_area=True)
    except (CalamineError, ValueError, OSError) as error:
        raise UsageFileError(FileFault.NOT_PARSABLE_OUTPUT, f"no XLSX that can be read: {_line(error)}") from None
    for at, cells in enumerate(rows, top):
        values = [""] * left + list[object](cells)
        for column, value in enumerate(values):
            if (at, column) in formulas:
                values[column] = Formula(value)
            elif value == "" and (at, column) in merged:
                row, place = merged[at, column]
                values[column] = rows[row - top][place - left] if row >= top and place >= left else ""
        yield at + 1, values


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _sheet_name(visible: list[str], said: str | None) -> str:
    if said is not None:
        if said not in visible:
            what = f"it has no sheet {said!r} that isn't hidden; there are {', '.join(map(repr, visible))[:300]}"
            raise UsageFileError(FileFault.HEADING_MISSING, what)
        return said
    if len(visible) != 1:
        what = f"it has {len(visible)} sheets that aren't hidden: say which in the mapping, as sheet in [sheet]"
        raise UsageFileError(FileFault.HEADING_MISSING, what)
    return visible[0]


def _merged(ranges: object) -> dict[tuple[int, int], tuple[int, int]]:
    """Return for each further cell of merged ones which cell has the value; only within a column."""
    found: dict[tuple[int, int], tuple[int, int]] = {}
    for (top, left), (bottom, right) in ranges if isinstance(ranges, list) else ():
        if left == right and bottom - top < 100_000:
            found.update({(row, left): (top, left) for row in range(top + 1, bottom + 1)})
    return found


# ------------------------------------------------------------------------------------------------ before it is read


def _checked_parts(data: bytes) -> zipfile.ZipFile:
    """Return a workbook's parts, once all of them have been unpacked in pieces and thrown away."""
    try:
        parts = zipfile.ZipFile(io.BytesIO(data))
        listed = parts.infolist()
        _check_size(len(listed), sum(one.file_size for one in listed))
        expanded = 0
        for one in listed:
            with parts.open(one) as part:
                while piece := part.read(_PIECE):
                    expanded += len(piece)
                    _check_size(len(listed), expanded)
    # zipfile raises all of these of a ZIP that is damaged, encrypted or compressed in another way
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as error:
        raise UsageFileError(FileFault.NOT_PARSABLE_OUTPUT, f"no XLSX that can be read: {_line(error)}") from None
    if "xl/workbook.xml" not in parts.namelist():
        raise UsageFileError(FileFault.NOT_PARSABLE_OUTPUT, "a ZIP, but no XLSX; save the sheet as XLSX or CSV")
    return parts


def _check_size(parts: int, expanded: int) -> None:
    if parts > PARTS_MAX or expanded > EXPANDED_BYTES_MAX:
        what = f"it expands to more than {EXPANDED_BYTES_MAX:,} bytes or {PARTS_MAX:,} parts; save the sheet as CSV"
        raise UsageFileError(FileFault.TOO_LARGE, what)


def _formulas(parts: zipfile.ZipFile, name: str) -> set[tuple[int, int]]:
    """Return which cells of a sheet, from 0, have formulas; refuse the sheet if its cells' box is too large."""
    ids = _attributes(parts, "xl/workbook.xml", "sheet", ("name", _RELATION, _STRICT_RELATION))
    targets = _attributes(parts, "xl/_rels/workbook.xml.rels", "Relationship", ("Id", "Target"))
    relation = next((one[1] or one[2] for one in ids if one[0] == name), "")
    target = next((where for known_as, where in targets if known_as == relation), "")
    path = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
    cells = _Cells()
    parser = _parser()
    parser.StartElementHandler = cells.start
    _parse(parts, path, parser)
    return cells.formulas


class _Cells:
    """What the XML of a sheet says of its cells."""

    def __init__(self) -> None:
        self.formulas = set[tuple[int, int]]()
        self._at = (-1, -1)
        self._rows, self._columns = 0, 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Take the start of an element."""
        kind = tag.rpartition(" ")[2]
        if kind == "row":
            number = attributes.get("r", "")
            self._at = (int(number) - 1 if number.isdecimal() else self._at[0] + 1, -1)
        elif kind == "c":
            place = _place(attributes.get("r", ""))
            self._at = (self._at[0], self._at[1] + 1) if place is None else place
            self._rows, self._columns = max(self._rows, self._at[0] + 1), max(self._columns, self._at[1] + 1)
            if self._rows * self._columns > CELLS_MAX:
                what = f"its cells lie in a box of more than {CELLS_MAX:,}; delete those far away, or save it as CSV"
                raise UsageFileError(FileFault.TOO_LARGE, what)
        elif kind == "f":
            self.formulas.add(self._at)


def _place(reference: str) -> tuple[int, int] | None:
    """Return row and column, from 0, of a reference like AB12."""
    letters = reference.rstrip("0123456789")
    digits = reference[len(letters) :]
    if not 1 <= len(letters) <= 3 or not 1 <= len(digits) <= 7 or not (letters.isascii() and letters.isupper()):
        return None
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(digits) - 1, column - 1


def _attributes(parts: zipfile.ZipFile, path: str, kind: str, names: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Return attributes of all elements of a kind in a part."""
    found = list[tuple[str, ...]]()

    def start(tag: str, attributes: dict[str, str]) -> None:
        if tag.rpartition(" ")[2] == kind:
            found.append(tuple(attributes.get(name, "") for name in names))

    parser = _parser()
    parser.StartElementHandler = start
    _parse(parts, path, parser)
    return found


def _parser() -> expat.XMLParserType:
    parser = expat.ParserCreate(namespace_separator=" ")

    def refuse(*_: object) -> None:
        raise UsageFileError(FileFault.NOT_PARSABLE_OUTPUT, "no XLSX that can be read: its XML declares a type")

    parser.StartDoctypeDeclHandler = refuse
    return parser


def _parse(parts: zipfile.ZipFile, path: str, parser: expat.XMLParserType) -> None:
    try:
        with parts.open(path) as part:
            parser.ParseFile(part)
    except (KeyError, expat.ExpatError) as error:
        what = f"no XLSX that can be read: {path[:80]}: {_line(error)}"
        raise UsageFileError(FileFault.NOT_PARSABLE_OUTPUT, what) from None
