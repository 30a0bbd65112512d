"""Operators' sheets, CSV or XLSX: one row an order or a job, under headings of the operator's own.

Cards × (end − start) is computed; card-hours and totals that the sheet prints are compared and said, not burned. A row
that is a total is no job. A cell with a formula isn't taken where a job is made of it: what it came to depends on cells
that this reader doesn't see.
"""

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Final

from tallystick.errors import UsageFileError
from tallystick.metering.amounts import count_milli, seconds_held
from tallystick.metering.csv_rows import decoded_lines, read_rows
from tallystick.metering.encodings import HEAD_BYTES_MAX, encoding_of
from tallystick.metering.instants import SECOND_US, Interval, interval
from tallystick.metering.json_text import canonical, joined
from tallystick.metering.mapping import Mapping, SheetColumn
from tallystick.metering.reasons import FileFault, SkipReason
from tallystick.metering.remarks import Remarks, list_remark, note_untyped
from tallystick.metering.run import Device, Payer, Run, Skipped
from tallystick.metering.sheet_cells import (
    has_wall_time,
    is_going_on,
    is_nothing,
    number_of_cell,
    text_of_cell,
    times_of_cell,
)
from tallystick.metering.sheet_headings import ROWS_ABOVE_MAX, Places, find_heading
from tallystick.metering.sheet_totals import Totals, is_total
from tallystick.metering.workbook import WORKBOOK_BYTES_MAX, Formula, read_workbook

_ZIP: Final = b"PK"
_OLE: Final = b"\xd0\xcf\x11\xe0"
_DELIMITERS: Final = (",", "\t", ";", "|")
_OF_A_JOB: Final[tuple[SheetColumn, ...]] = ("job", "gpus", "from", "to", "seconds", "hours")

_Rows = Iterator[tuple[int, list[object]]]


def read_sheet(chunks: Iterable[bytes], mapping: Mapping, remarks: Remarks) -> Iterator[Run | Skipped]:
    """Yield what each row of a sheet is.

    Raises:
        UsageFileError: it is no CSV or XLSX that is read, its columns aren't found, or the cluster or the zone that it
            needs isn't said.
        UsageError: it is XLSX, and python-calamine isn't installed.
    """
    pieces = iter(chunks)
    head = b""
    for piece in pieces:
        head += piece
        if len(head) >= HEAD_BYTES_MAX:
            break
    if head.startswith(_OLE):
        what = "an old .xls, or a file with a password; save it as .xlsx without one, or as CSV"
        raise UsageFileError(FileFault.NOT_PARSABLE_OUTPUT, what)
    is_text = not head.startswith(_ZIP)
    if not is_text:
        data = joined(chain([head], pieces), WORKBOOK_BYTES_MAX, "save the sheet as CSV")
        above, rows = _with_heading(read_workbook(data, mapping), mapping)
    else:
        above, rows = _csv(head, pieces, mapping, remarks)
    sheet = _Sheet(above, mapping, remarks, is_text=is_text)
    for line, cells in rows:
        record = sheet.read(line, cells)
        if record is not None:
            yield record


def _csv(head: bytes, rest: Iterator[bytes], mapping: Mapping, remarks: Remarks) -> tuple["_Heading", _Rows]:
    encoding = encoding_of(head, is_whole=len(head) < HEAD_BYTES_MAX, said=mapping.sheet.encoding)
    if encoding not in remarks.setdefault("encodings", []):
        remarks["encodings"].append(encoding)
    lines = decoded_lines(chain([head], rest), encoding)
    first = list(islice(lines, ROWS_ABOVE_MAX))
    fault: UsageFileError | None = None
    for delimiter in _DELIMITERS:
        try:
            _with_heading(_cells(iter(first), delimiter), mapping)
        except UsageFileError as error:
            fault = error if fault is None or error.fault != FileFault.HEADING_MISSING else fault
            continue
        return _with_heading(_cells(chain(first, lines), delimiter), mapping)
    raise fault or UsageFileError(FileFault.HEADING_MISSING, "the file is empty")


def _cells(lines: Iterator[str], delimiter: str) -> _Rows:
    for line, cells in read_rows(lines, delimiter):
        yield line, list[object](cells)


class _Heading:
    """The heading of a sheet: its cells, and which column is what."""

    def __init__(self, cells: list[object], places: Places) -> None:
        self.cells = cells
        self.places = places


def _with_heading(rows: _Rows, mapping: Mapping) -> tuple[_Heading, _Rows]:
    first = list(islice(rows, ROWS_ABOVE_MAX))
    above, places = find_heading(first, mapping.sheet)
    return _Heading(first[above][1], places), chain(first[above + 1 :], rows)


class _Sheet:
    """A sheet whose heading was found."""

    def __init__(self, heading: _Heading, mapping: Mapping, remarks: Remarks, *, is_text: bool) -> None:
        self._is_text = is_text
        self._heading = heading
        self._places = heading.places
        self._mapping = mapping
        self._remarks = remarks
        printed = heading.places.get("gpu_hours")
        self._totals = Totals("" if printed is None else text_of_cell(heading.cells[printed]), remarks)
        if mapping.cluster is None and "cluster" not in heading.places:
            raise UsageFileError(FileFault.CLUSTER_UNKNOWN, "a sheet doesn't name one; say cluster in the mapping")

    def read(self, line: int, cells: list[object]) -> Run | Skipped | None:
        """Return what a row is; None if it is no record: empty, the heading once more, or a note."""
        said = [cell for cell in cells if text_of_cell(cell)]
        if not said or cells == self._heading.cells:
            return None
        cells = cells + [""] * (max(self._places.values()) + 1 - len(cells))
        if all(is_nothing(self._cell(cells, column)) for column in ("from", "to")) and is_total(cells):
            if "gpu_hours" in self._places:
                self._totals.compare(line, cells, self._places["gpu_hours"])
            return Skipped(SkipReason.AGGREGATE, line)
        if self._is_text and any(map(text_of_cell, cells[len(self._heading.cells) :])):
            # a comma that isn't quoted moves all that follows into other columns
            return Skipped(SkipReason.UNREADABLE, line, why="it has more cells than there are headings")
        if len(said) == 1 and all(is_nothing(self._cell(cells, column)) for column in _OF_A_JOB):
            list_remark(self._remarks, "notes", {"line": line, "text": text_of_cell(said[0])[:200]})
            return None
        record = self._job(line, cells)
        if "gpu_hours" in self._places:
            known = record.gpu_milliseconds if isinstance(record, Run) and record.ends_at is not None else None
            self._totals.add(line, self._cell(cells, "gpu_hours"), known)
        return record

    def _cell(self, cells: list[object], column: SheetColumn) -> object:
        place = self._places.get(column)
        return "" if place is None else cells[place]

    def _text(self, cells: list[object], column: SheetColumn) -> str:
        return text_of_cell(self._cell(cells, column))

    def _job(self, line: int, cells: list[object]) -> Run | Skipped:
        account, job = self._text(cells, "account"), self._text(cells, "job")
        if "job" not in self._places:
            job = f"row-{line}"

        def skipped(reason: SkipReason, why: str = "") -> Skipped:
            return Skipped(reason, line, job, 0, why, account)

        of_formula = [column for column in ("job", "account", "gpu") if self._is_formula(cells, column)]
        if not job or of_formula:
            return skipped(SkipReason.UNREADABLE, f"{of_formula[0]} is a formula" if of_formula else "no order or job")
        milli = self._devices_milli(cells)
        if milli is None or milli < 0:
            formula = self._is_formula(cells, "gpus") or self._is_formula(cells, "workers")
            return skipped(SkipReason.NOT_A_NUMBER, "the number of devices" + (" is a formula" if formula else ""))
        if milli == 0:
            return skipped(SkipReason.NO_GPU)
        if is_nothing(self._cell(cells, "from")):
            return skipped(SkipReason.NOT_STARTED)
        spell = self._spell(cells)
        if isinstance(spell, Skipped):
            return spell._replace(line=line, job=job, account=account)
        starts_at, ends_at, seconds = spell
        partition = self._text(cells, "partition")
        kind = self._text(cells, "gpu") or self._mapping.kind_of(partition)
        if not kind:
            note_untyped(self._remarks, milli * seconds, partition=partition)
        said = zip(self._heading.cells, cells, strict=False)
        record = canonical([[text_of_cell(name), text_of_cell(cell)] for name, cell in said])
        payer = Payer(account, self._text(cells, "user"), partition)
        cluster = self._text(cells, "cluster") or self._mapping.cluster or ""
        devices, state = (Device(kind, milli),), self._text(cells, "state")
        return Run(job, starts_at, ends_at, seconds, devices, payer, line, record, cluster, state, is_part=True)

    def _is_formula(self, cells: list[object], column: SheetColumn) -> bool:
        return isinstance(self._cell(cells, column), Formula)

    def _devices_milli(self, cells: list[object]) -> int | None:
        count = number_of_cell(self._cell(cells, "gpus"))
        if count is not None and "workers" in self._places:
            workers = number_of_cell(self._cell(cells, "workers"))
            count = None if workers is None else count * workers
        return None if count is None else count_milli(count)

    def _spell(self, cells: list[object]) -> tuple[int, int | None, int] | Skipped:
        """Return start, end and seconds of a row; an end of None: it goes on."""
        from_cell, to_cell = self._cell(cells, "from"), self._cell(cells, "to")
        for cell in (from_cell, to_cell):
            if self._mapping.zone is None and has_wall_time(cell, self._mapping):
                raise UsageFileError(FileFault.ZONE_MISSING, "say time_zone in the mapping: its times have no offset")
        starts = times_of_cell(from_cell, self._mapping, is_end=False)
        seconds = self._seconds(cells)
        if isinstance(seconds, SkipReason):
            return Skipped(seconds, 0, why="for how long")
        if "to" not in self._places and seconds is not None:
            ends = tuple(start + seconds * SECOND_US for start in starts)
            if len(starts) > 1:
                return Skipped(SkipReason.TIME_AMBIGUOUS, 0)
        elif is_going_on(to_cell):
            if len(starts) != 1:
                return Skipped(SkipReason.TIME_AMBIGUOUS if starts else SkipReason.UNREADABLE, 0, why="its start")
            return starts[0], None, 0
        else:
            ends = times_of_cell(to_cell, self._mapping, is_end=True)
        found = interval(starts, ends, seconds)
        if not isinstance(found, Interval):
            formula = isinstance(from_cell, Formula) or isinstance(to_cell, Formula)
            return Skipped(found, 0, why="a time is a formula" if formula else "its start or end")
        length = (found.ends_at - found.starts_at) // SECOND_US
        if seconds is not None and seconds > length:
            return Skipped(SkipReason.UNREADABLE, 0, why=f"{seconds:,} seconds in an interval of {length:,}")
        return *found, length if seconds is None else seconds

    def _seconds(self, cells: list[object]) -> int | SkipReason | None:
        """Return for how long, where a column says it: seconds; hours only where there is no end."""
        if "seconds" in self._places and not is_nothing(self._cell(cells, "seconds")):
            exact = number_of_cell(self._cell(cells, "seconds"))
        elif "to" not in self._places and "hours" in self._places:
            hours = number_of_cell(self._cell(cells, "hours"))
            exact = None if hours is None else hours * 3600
        else:
            return None
        return SkipReason.NOT_A_NUMBER if exact is None or exact < 0 else seconds_held(exact)
