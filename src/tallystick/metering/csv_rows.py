"""Rows of a CSV file by its headings: streamed, bounded, UTF-8 with or without a byte order mark.

A row that has more cells than headings, or fewer, isn't one that can be read; empty lines are no rows. A quotation mark
that is never closed, a field or line that is too long, and a heading that stands twice refuse the file.
"""

import codecs
import csv
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple, TypeVar

from tallystick.errors import UsageFileError
from tallystick.metering.reasons import FileFault, SkipReason
from tallystick.metering.run import Skipped

Outcome = TypeVar("Outcome")
ROW_LENGTH_MAX: Final = 1024 * 1024
"""Characters of a row, line breaks inside quotation marks included."""
_UTF8_BOM: Final = b"\xef\xbb\xbf"
_OTHER_BOMS: Final = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


class Row(NamedTuple):
    """A row of a table.

    Attributes:
        line: where it ends in the file, from 1.
        cells: as many as there are headings; None if the row has another number.
    """

    line: int
    cells: list[str] | None


class Table(NamedTuple):
    """The headings of a file, and its rows, which are read as they are asked for."""

    headings: list[str]
    rows: Iterator[Row]

    def columns(self, needed: Iterable[str], *, may_miss: Iterable[str] = ()) -> dict[str, int | None]:
        """Return where columns stand; None where one of those that may be missing is.

        Raises:
            UsageFileError: one that is needed is missing, or one stands twice.
        """
        return columns(self.headings, needed, may_miss=may_miss)


def read_table(chunks: Iterable[bytes]) -> Table:
    """Return the table of a CSV file whose first line that isn't empty has the headings.

    Raises:
        UsageFileError: it has no heading, isn't UTF-8, or is no CSV; the last two also while its rows are read.
    """
    rows = read_rows(decoded_lines(chunks))
    for _, cells in rows:
        headings = [cell.strip() for cell in cells]
        if any(headings):
            return Table(headings, _fitting(rows, len(headings)))
    raise UsageFileError(FileFault.HEADING_MISSING, "the file is empty; its first line must name the columns")


class Cells:
    """The cells of a row, by their headings."""

    __slots__ = ("_cells", "_nothing", "_places")

    def __init__(self, places: dict[str, int | None], cells: list[str], nothing: str = "") -> None:
        self._places = places
        self._cells = cells
        self._nothing = nothing

    def __call__(self, name: str) -> str:
        """Return a cell without spaces around it; empty where a column that may be missing is, or nothing is said."""
        place = self._places[name]
        text = "" if place is None else self._cells[place].strip()
        return "" if text.lower() == self._nothing else text


def records_of(
    table: Table, places: dict[str, int | None], read: Callable[[int, Cells], Outcome], nothing: str = ""
) -> Iterator[Outcome | Skipped]:
    """Yield what `read` makes of each row, from its line and its cells.

    Args:
        table: whose rows are read.
        places: of its columns.
        read: what is asked.
        nothing: a word that says nothing, in small letters.
    """
    for row in table.rows:
        if row.cells is None:
            why = "it has more or fewer cells than there are headings"
            yield Skipped(SkipReason.UNREADABLE, row.line, why=why)
        else:
            yield read(row.line, Cells(places, row.cells, nothing))


def columns(headings: list[str], needed: Iterable[str], *, may_miss: Iterable[str] = ()) -> dict[str, int | None]:
    """Return where columns stand among headings; None where one of those that may be missing is.

    Raises:
        UsageFileError: one that is needed is missing, or one stands twice.
    """
    found: dict[str, int | None] = {}
    needed = tuple(needed)
    for name in (*needed, *may_miss):
        if headings.count(name) > 1:
            raise UsageFileError(FileFault.COLUMN_TWICE, f"{name!r} is the heading of two columns")
        found[name] = headings.index(name) if name in headings else None
    missing = [name for name in needed if found[name] is None]
    if missing:
        raise UsageFileError(FileFault.COLUMN_MISSING, f"{', '.join(missing)}: export the file with these columns")
    return found


def read_rows(lines: Iterable[str], delimiter: str = ",") -> Iterator[tuple[int, list[str]]]:
    """Yield the line that each row ends in, and its cells.

    Raises:
        UsageFileError: it isn't CSV, or a row is too long.
    """
    length = 0

    def counted() -> Iterator[str]:
        nonlocal length
        for line in lines:
            length += len(line)
            if length > ROW_LENGTH_MAX:
                raise UsageFileError(
                    FileFault.TOO_LARGE, f"the row that ends in line {reader.line_num + 1} is too long"
                )
            yield line

    reader = csv.reader(counted(), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            length = 0
            yield reader.line_num, cells
    except csv.Error as error:
        where = f"line {reader.line_num}"
        if "field limit" in str(error):
            what = f"the field that ends in or after {where} is too long; is a quotation mark missing?"
            raise UsageFileError(FileFault.TOO_LARGE, what) from None
        raise UsageFileError(FileFault.NOT_PARSABLE_OUTPUT, f"{where} is no CSV: {error}") from None


def decoded_lines(chunks: Iterable[bytes], encoding: str = "utf-8") -> Iterator[str]:
    """Yield the lines of a text with their ends, without a byte order mark.

    Raises:
        UsageFileError: it isn't in that encoding, or a line is too long.
    """
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    rest, at, is_first = "", 0, True
    for chunk in _with_end(chunks):
        piece = chunk
        if is_first and encoding == "utf-8":
            _check_encoding(chunk)
            piece = chunk.removeprefix(_UTF8_BOM)
        is_first = False
        text = _decoded(decoder, piece, at, encoding, is_last=not chunk)
        at += len(chunk)
        lines = (rest + text).split("\n")
        rest = lines.pop()
        if len(rest) > ROW_LENGTH_MAX:
            raise UsageFileError(FileFault.TOO_LARGE, f"a line has more than {ROW_LENGTH_MAX:,} characters")
        for line in lines:
            yield f"{line}\n"
    if rest:
        yield rest


def _with_end(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the first three bytes at least in one piece, then the rest, then an empty piece."""
    head = b""
    pieces = iter(chunks)
    for piece in pieces:
        head += piece
        if len(head) >= len(_UTF8_BOM):
            break
    if head:
        yield head
    for piece in pieces:
        if piece:
            yield piece
    yield b""


def _check_encoding(head: bytes) -> None:
    for bom, name in _OTHER_BOMS.items():
        if head.startswith(bom):
            raise UsageFileError(FileFault.ENCODING_UNKNOWN, f"it is {name}; save it as UTF-8")


def _decoded(decoder: codecs.IncrementalDecoder, chunk: bytes, at: int, encoding: str, *, is_last: bool) -> str:
    try:
        return decoder.decode(chunk, is_last)
    except UnicodeDecodeError as error:
        name = encoding.upper()
        detail = f"byte {at + error.start + 1} or one just before it isn't {name}; save it as UTF-8"
        raise UsageFileError(FileFault.ENCODING_UNKNOWN, detail) from None


def _fitting(rows: Iterator[tuple[int, list[str]]], width: int) -> Iterator[Row]:
    for line, cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > width and not any(cells[width:]):
            del cells[width:]
        yield Row(line, cells if len(cells) == width else None)
