"""A sheet of commands: CSV with a heading for each option, one command a row, read as forms are.

    ref,voucher,programme,holder,face,valid-from
    issue-1,shanghai/v-1,shanghai/c-2026,acme-ai,"1,500,000.00",2026-01-05

Headings are the names of options; one that stands twice is an option given twice, as lists are. An empty cell says
nothing. Rows with one `ref` are one command: their lists are put together, such as the lines of a statement. In a
sheet of several kinds a column `do` says each row's. All that is wrong is found at once, by line and
heading. The text is UTF-8 with or without a byte order mark, or in another encoding that is named.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tallystick.forms.form import Form, form_of, forms

REF: Final = "ref"
"""The heading of the document number, which may be left out."""
KIND: Final = "do"
"""The heading of a row's kind, in a sheet of several."""
ROWS_MAX: Final = 10_000
_FAULTS_MAX: Final = 100
_OTHER_SEPARATORS: Final = ";\t|"


@dataclass(frozen=True, slots=True)
class Row:
    """A command's words: the line of the sheet where they begin, its kind, its document number if it says one."""

    line: int
    form: Form
    ref: str | None
    words: dict[str, list[str]]


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
    return ",".join([REF, *[option.name for option in form.options]])


def read_sheet(form: Form | None, text: str) -> tuple[list[Row], list[SheetFault]]:
    """Return the rows of a sheet, and what is wrong with it as a sheet; what is wrong with the values is the form's.

    Args:
        form: of all rows; None where each row says its kind.
        text: the sheet.
    """
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    rows: list[Row] = []
    faults: list[SheetFault] = []
    headings: list[str] | None = None
    while len(faults) < _FAULTS_MAX:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            faults.append(SheetFault(line, None, f"it is not CSV: {error}"))
            break
        if cells is None:
            break
        if not any(cell.strip() for cell in cells):
            continue
        if headings is None:
            headings = [cell.strip().removeprefix("--") for cell in cells]
            faults += _wrong_headings(form, headings, line)
            if faults:
                break
        elif len(cells) != len(headings):
            faults.append(SheetFault(line, None, f"{len(cells)} cells, and there are {len(headings)} headings"))
        elif len(rows) == ROWS_MAX:
            faults.append(SheetFault(line, None, f"more than {ROWS_MAX:,} commands: make several files of it"))
            break
        else:
            row = _row(form, line, headings, cells)
            if isinstance(row, SheetFault):
                faults.append(row)
            else:
                rows.append(row)
    if headings is None:
        faults.append(SheetFault(1, None, "it is empty: the first line has the headings"))
    elif not rows and not faults:
        faults.append(SheetFault(2, None, "there is no row below the headings"))
    merged, contradictions = _merged(rows)
    return merged, faults + contradictions


def _wrong_headings(form: Form | None, headings: Sequence[str], line: int) -> list[SheetFault]:
    options = [option for one in ([form] if form else forms().values()) for option in one.options]
    lists = {option.name for option in options if option.is_list}
    known = {REF, *(option.name for option in options)} | (set() if form else {KIND})
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


def _row(form: Form | None, line: int, headings: Sequence[str], cells: Sequence[str]) -> Row | SheetFault:
    words: dict[str, list[str]] = {}
    for heading, cell in zip(headings, cells, strict=True):
        if cell.strip():
            words.setdefault(heading, []).append(cell.strip())
    (ref,) = words.pop(REF, [None])
    if form is not None:
        return Row(line, form, ref, words)
    (kind,) = words.pop(KIND, [""])
    found = form_of(kind)
    if found is None:
        return SheetFault(line, KIND, f"there is no kind of command {kind!a:.80}")
    return Row(line, found, ref, words)


def _merged(rows: Sequence[Row]) -> tuple[list[Row], list[SheetFault]]:
    """Return commands of several rows, which have one document number, as one: their lists are put together."""
    merged: list[Row] = []
    first: dict[tuple[str, str], Row] = {}
    faults: list[SheetFault] = []
    for row in rows:
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
