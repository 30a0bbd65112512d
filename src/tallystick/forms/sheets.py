"""A sheet of commands: CSV with a heading for each option, one command a row, read as forms are.

    ref,voucher,programme,holder,face,valid-from
    issue-1,shanghai/v-1,shanghai/c-2026,acme-ai,"1,500,000.00",2026-01-05

Headings are the names of options; one that stands twice is an option given twice, as lists are. An empty cell says
nothing. Rows with one `ref` are one command: their lists are put together, such as the lines of a statement. What is
wrong is all found at once, by line and heading. The text is UTF-8 with or without a byte order mark, or in another
encoding that is named.

In a sheet of several kinds a first column `do` says each row's, and a row that begins with `do` has headings again, for
the rows below it. So all that a party does in one go is one sheet, with what others prepared for it:

    do,note
    cosign,../holder/admission.note
    do,voucher,programme,holder,face,valid-from
    voucher.issue,shanghai/v-1,shanghai/c-2026,acme-ai,"1,500,000.00",2026-01-05

`cosign` adds a signature to a note in a file, `inbox sign` to one that waits at the service. A column `prepare` that
says `yes` leaves a row's note for others to sign.
"""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from tallystick.forms.form import Form, form_of, forms

REF: Final = "ref"
"""The heading of the document number, which may be left out."""
KIND: Final = "do"
"""The heading of a row's kind, in a sheet of several; a row that begins with it has headings."""
NOTE: Final = "note"
"""The heading of a note that others signed: a file, or what waits at the service."""
PREPARE: Final = "prepare"
"""The heading of whether a row's note is left for others to sign: yes or no."""
COSIGN: Final = "cosign"
INBOX_SIGN: Final = "inbox sign"
ROWS_MAX: Final = 10_000
_FAULTS_MAX: Final = 100
_OTHER_SEPARATORS: Final = ";\t|"


@dataclass(frozen=True, slots=True)
class Row:
    """A command's words.

    Attributes:
        line: of the sheet, where they begin.
        form: of its kind.
        ref: its document number, if it says one.
        words: by option.
        is_left: whether its note is left for others to sign.
    """

    line: int
    form: Form
    ref: str | None
    words: dict[str, list[str]]
    is_left: bool = False


@dataclass(frozen=True, slots=True)
class NoteRow:
    """A note that others signed, and that is to be signed too.

    Attributes:
        line: of the sheet.
        note: a file; or of a note that waits at the service, its id's beginning or PARTY/REF.
        is_waiting: whether it waits at the service.
        is_left: whether it is left there for more to sign.
    """

    line: int
    note: str
    is_waiting: bool
    is_left: bool = False


@dataclass(frozen=True, slots=True)
class SheetFault:
    """What is wrong, in which line, counted from 1, and under which heading; none: with the line as a whole."""

    line: int
    heading: str | None
    words: str

    def __str__(self) -> str:
        """Return all of it in one line."""
        where = f"line {self.line}" if self.heading is None else f"line {self.line}, {self.heading}"
        return f"{where}: {self.words}"


def text_of(data: bytes, encoding: str = "utf-8") -> str:
    """Return a sheet's text.

    Raises:
        ValueError: it isn't in that encoding, or there is no such one.
    """
    try:
        return data.decode("utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ValueError(
            f"byte {error.start} (line {line}) is not {encoding}: save it as CSV UTF-8, or name its encoding, "
            "such as --encoding gb18030"
        ) from None
    except LookupError:
        raise ValueError(f"there is no encoding {encoding!a:.40}; gb18030 is one") from None


def template(form: Form) -> str:
    """Return the heading line of a kind's sheet."""
    return ",".join([REF, *_headings(form)])


def template_of(given: Sequence[Form]) -> str:
    """Return a sheet of several kinds to be filled in: for each its headings, and a row that says the kind."""
    lines = []
    for form in given:
        headings = _headings(form)
        lines += [",".join([KIND, *headings]), form.kind.partition("/")[0] + "," * len(headings)]
    return "\n".join(lines)


def _headings(form: Form) -> list[str]:
    return [option.name for option in form.options]


def read_sheet(form: Form | None, text: str) -> tuple[list[Row | NoteRow], list[SheetFault]]:
    """Return the rows of a sheet, and what is wrong with it as a sheet; what is wrong with the values is the form's.

    Args:
        form: of all rows; None where each row says its kind.
        text: the sheet.
    """
    reading = _Reading(form)
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    while not reading.is_over:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            reading.faults.append(SheetFault(line, None, f"it is not CSV: {error}"))
            break
        if cells is None:
            break
        if any(cell.strip() for cell in cells):
            reading.take(line, [cell.strip() for cell in cells])
    if reading.headings is None:
        reading.faults.append(SheetFault(1, None, "it is empty: the first line has the headings"))
    elif not reading.rows and not reading.faults:
        reading.faults.append(SheetFault(2, None, "there is no row below the headings"))
    merged, contradictions = _merged(reading.rows)
    return merged, reading.faults + contradictions


class _Reading:
    """A sheet that is read line by line.

    Attributes:
        rows: read so far.
        faults: found so far.
        headings: that stand above the next row; None before the first.
        is_over: whether what follows isn't worth reading.
    """

    def __init__(self, form: Form | None) -> None:
        self._form = form
        self.rows: list[Row | NoteRow] = []
        self.faults: list[SheetFault] = []
        self.headings: list[str] | None = None
        self.is_over = False

    def take(self, line: int, cells: list[str]) -> None:
        """Read a line that isn't empty."""
        if self.headings is None or (self._form is None and cells[0] == KIND):
            headings = [cell.removeprefix("--") for cell in _without_padding(cells, 0)]
            wrong = _wrong_headings(self._form, headings, line)
            self.headings, self.is_over = headings, bool(wrong)
            self.faults += wrong
            return
        if self._form is None:
            cells = _without_padding(cells, len(self.headings))
        if len(cells) != len(self.headings):
            fault = f"{len(cells)} cells, and there are {len(self.headings)} headings"
            self.faults.append(SheetFault(line, None, fault))
        elif len(self.rows) == ROWS_MAX:
            self.faults.append(SheetFault(line, None, f"more than {ROWS_MAX:,} commands: make several files of it"))
            self.is_over = True
        else:
            row = _row(self._form, line, self.headings, cells)
            if isinstance(row, SheetFault):
                self.faults.append(row)
            else:
                self.rows.append(row)
        self.is_over = self.is_over or len(self.faults) >= _FAULTS_MAX


def _without_padding(cells: list[str], length: int) -> list[str]:
    """Return a line as long as its headings: spreadsheets make all lines as long as the longest."""
    while len(cells) > length and not cells[-1]:
        cells = cells[:-1]
    return cells


def _wrong_headings(form: Form | None, headings: Sequence[str], line: int) -> list[SheetFault]:
    options = [option for one in ([form] if form else forms().values()) for option in one.options]
    lists = {option.name for option in options if option.is_list}
    known = {REF, PREPARE, *(option.name for option in options)} | (set() if form else {KIND, NOTE})
    if len(headings) == 1 and any(one in headings[0] for one in _OTHER_SEPARATORS):
        return [SheetFault(line, None, "its cells are not separated by commas: save it as CSV with commas")]
    if form is None and KIND not in headings:
        return [SheetFault(line, None, f"there is no column {KIND!r}, which says each row's kind; or give the kind")]
    faults = []
    for place, heading in enumerate(headings):
        if heading not in known:
            of = f"no option of {form.kind}" if form else "no option of any kind"
            faults.append(SheetFault(line, heading or f"column {place + 1}", f"is {of}"))
        elif heading in headings[:place] and heading not in lists:
            faults.append(SheetFault(line, heading, "is there twice, and can be given once"))
    return faults


def _row(form: Form | None, line: int, headings: Sequence[str], cells: Sequence[str]) -> Row | NoteRow | SheetFault:
    words: dict[str, list[str]] = {}
    for heading, cell in zip(headings, cells, strict=True):
        if cell:
            words.setdefault(heading, []).append(cell)
    (prepare,) = words.pop(PREPARE, ["no"])
    if prepare not in ("yes", "no"):
        return SheetFault(line, PREPARE, "must be yes or no")
    kind = "" if form is not None else words.pop(KIND, [""])[0]
    if kind in (COSIGN, INBOX_SIGN):
        return _note_row(line, kind, words, is_left=prepare == "yes")
    (ref,) = words.pop(REF, [None])
    found = form or form_of(kind)
    if found is None:
        return SheetFault(line, KIND, f"there is no kind of command {kind!a:.80}")
    if NOTE in words:
        return SheetFault(line, NOTE, f"goes with {COSIGN} and {INBOX_SIGN} alone")
    return Row(line, found, ref, words, prepare == "yes")


def _note_row(line: int, kind: str, words: dict[str, list[str]], *, is_left: bool) -> NoteRow | SheetFault:
    (note,) = words.pop(NOTE, [""])
    if not note:
        what = "the file" if kind == COSIGN else "the id, or PARTY/REF,"
        return SheetFault(line, NOTE, f"is missing: {what} of the note to sign")
    if words:
        return SheetFault(line, next(iter(words)), "is said by the note: leave it empty")
    return NoteRow(line, note, kind == INBOX_SIGN, is_left)


def _merged(rows: Iterable[Row | NoteRow]) -> tuple[list[Row | NoteRow], list[SheetFault]]:
    """Return commands of several rows, which have one document number, as one: their lists are put together."""
    merged: list[Row | NoteRow] = []
    first: dict[tuple[str, str], Row] = {}
    faults: list[SheetFault] = []
    for row in rows:
        if isinstance(row, NoteRow):
            merged.append(row)
            continue
        place = (row.form.kind, row.ref or "")
        before = first.get(place)
        if row.ref is None or before is None:
            merged.append(row)
            first[place] = row
            continue
        for name, texts in row.words.items():
            option = row.form.option(name)
            if option is not None and option.is_list:
                before.words.setdefault(name, []).extend(texts)
            elif before.words.setdefault(name, texts) != texts:
                faults.append(SheetFault(row.line, name, f"is another than in line {before.line}, of the same ref"))
    return merged, faults
