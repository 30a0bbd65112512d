"""XLSX: dates with float noise, hidden sheets, merged cells, formulas, and workbooks that are made to harm."""

import builtins
import io
import zipfile
from datetime import datetime
from typing import Any

import pytest
import xlsxwriter

from support.usage_formats import Read, read
from tallystick.errors import UsageError, UsageFileError
from tallystick.metering import workbook

MAPPING = """
cluster = "guian"
time_zone = "Asia/Shanghai"
[[account]]
name = "birch"
contract = "birch-ai/c-1"
[[gpu]]
source = "a100"
item = "a100-80g"
"""
HEADING = ["客户", "订单号", "型号", "卡数", "开始", "结束", "卡时"]
DAY = [datetime(2026, 1, 1), datetime(2026, 1, 2)]


class Book:
    """A workbook in the making."""

    def __init__(self) -> None:
        self.data = io.BytesIO()
        self.book = xlsxwriter.Workbook(self.data, {"in_memory": True, "remove_timezone": True})
        self.time = self.book.add_format({"num_format": "yyyy/m/d h:mm:ss"})

    def sheet(self, *rows: list[Any], name: str | None = None, above: int = 0) -> Any:
        """Add a sheet with our heading and rows."""
        sheet = self.book.add_worksheet(name)
        sheet.write_row(above, 0, HEADING)
        for number, row in enumerate(rows, above + 1):
            for place, value in enumerate(row):
                if isinstance(value, datetime):
                    sheet.write_datetime(number, place, value, self.time)
                else:
                    sheet.write(number, place, value)
        return sheet

    def read(self, mapping: str = MAPPING) -> Read:
        """Return what is read of it."""
        self.book.close()
        return read("sheet", self.data.getvalue(), mapping=mapping)


def row(**changes: Any) -> list[Any]:
    cells = {"客户": "birch", "订单号": "o-1", "型号": "a100", "卡数": 8, "开始": DAY[0], "结束": DAY[1], "卡时": 192}
    return list((cells | changes).values())


@pytest.mark.parametrize(
    ("changes", "held"),
    [
        ({}, (8000, 86_400)),
        ({"卡数": "８"}, (8000, 86_400)),
        ({"卡数": 0.25}, (250, 86_400)),
        (
            {"开始": datetime(2026, 1, 1, 8, 30, 0, 400_000), "结束": datetime(2026, 1, 1, 8, 39, 59, 999_000)},
            (8000, 600),
        ),
        # numbers that no format makes dates of, a third of a second beside the second
        ({"开始": 46023.354166666664, "结束": 46023.36111111111}, (8000, 600)),
        ({"开始": 46023.354170, "结束": 46023.361114}, (8000, 600)),
        ({"开始": "2026/1/1 8:30", "结束": "2026-01-01T00:40:00Z"}, (8000, 600)),
    ],
)
def test_cells_are_read_by_what_they_are(changes: dict[str, Any], held: tuple[int, int]) -> None:
    """Rounded to the second."""
    book = Book()
    book.sheet(row(**changes), above=3)
    assert book.read().held == [("guian/o-1", *held)]


def test_whole_days_end_with_the_day() -> None:
    """Where the mapping says that an end is a day, not a midnight."""
    book = Book()
    book.sheet(row())
    result = book.read(MAPPING + "[sheet]\nwhole_days = true\n")
    assert result.held == [("guian/o-1", 8000, 2 * 86_400)]


def test_a_hidden_sheet_isnt_read() -> None:
    """And of several that aren't hidden, the one that the mapping names."""
    book = Book()
    book.sheet(row(订单号="old"), name="旧").hide()
    book.sheet(row(), name="一月").activate()
    assert book.read().held == [("guian/o-1", 8000, 86_400)]
    book = Book()
    book.sheet(row(), name="一月")
    book.sheet(row(订单号="o-2"), name="二月")
    with pytest.raises(UsageFileError, match="heading_missing: it has 2 sheets that aren't hidden"):
        book.read()
    assert read("sheet", book.data.getvalue(), mapping=MAPPING + '[sheet]\nsheet = "二月"\n').held[0][0] == "guian/o-2"
    with pytest.raises(UsageFileError, match=r"no sheet '三月'.*'一月', '二月'"):
        read("sheet", book.data.getvalue(), mapping=MAPPING + '[sheet]\nsheet = "三月"\n')


def test_a_customer_in_merged_cells_is_that_of_each_row() -> None:
    """As the sheet shows it; an empty cell that isn't merged stays empty."""
    book = Book()
    sheet = book.sheet(row(), row(客户="", 订单号="o-2"), row(客户="", 订单号="o-3"))
    sheet.merge_range("A2:A3", "birch")
    result = book.read()
    assert [job for job, *_ in result.held] == ["guian/o-1", "guian/o-2"]
    assert result.skipped == {"account_unmapped": 1}


@pytest.mark.parametrize(
    ("column", "reason"),
    [("卡数", "not_a_number"), ("开始", "unreadable"), ("结束", "unreadable"), ("客户", "unreadable")],
)
def test_a_formula_isnt_taken_where_a_job_is_made_of_it(column: str, reason: str) -> None:
    """Though it has a value that was once computed."""
    book = Book()
    sheet = book.sheet(row(), row(订单号="o-2"))
    sheet.write_formula(1, HEADING.index(column), "=A9", None, 46_024.5)
    result = book.read()
    assert (result.skipped, [job for job, *_ in result.held]) == ({reason: 1}, ["guian/o-2"])
    assert "a formula" in result.reading.named[0].why


def test_formulas_of_card_hours_and_totals_are_compared() -> None:
    """They are no part of what is burned."""
    book = Book()
    sheet = book.sheet(row(), row(订单号="o-2"), ["合计", "", "", "", "", "", ""])
    sheet.write_formula(1, 6, "=D2*24", None, 192)
    sheet.write_formula(3, 6, "=SUM(G2:G3)", None, 385)
    result = book.read()
    assert (result.skipped, len(result.lines)) == ({"aggregate": 1}, 2)
    assert result.remarks["sheet_total_differs"][0]["sum_of_printed_rows"] == "384"


def test_without_the_library_a_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """CSV needs nothing."""
    real = builtins.__import__

    def importing(name: str, *others: Any) -> Any:
        if name == "python_calamine":
            raise ImportError(name)
        return real(name, *others)

    book = Book()
    book.sheet(row())
    monkeypatch.setattr(builtins, "__import__", importing)
    with pytest.raises(UsageError, match=r"pip install tallystick\[usage\]"):
        book.read()


MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def plain(name: str = "", text: str = "") -> bytes:
    """Return a workbook with one part more, or another one."""
    book = Book()
    book.sheet()
    book.book.close()
    data = io.BytesIO()
    with zipfile.ZipFile(book.data) as old, zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as file:
        for part in old.namelist():
            if part != name:
                file.writestr(part, old.read(part))
        if name:
            file.writestr(name, text)
    return data.getvalue()


def sheet_of(rows: str, before: str = "") -> bytes:
    return plain(
        "xl/worksheets/sheet1.xml", f'{before}<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'
    )


def test_a_workbook_that_expands_too_far_is_refused_before_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """By what it says, and by what it does."""
    monkeypatch.setattr(workbook, "EXPANDED_BYTES_MAX", 100_000)
    with pytest.raises(UsageFileError, match="too_large: it expands to more than 100,000 bytes"):
        read("sheet", plain("bomb", "0" * 200_000), mapping=MAPPING)
    lying = plain("bomb", "0" * 200_000).replace((200_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    with pytest.raises(UsageFileError, match="not_parsable_output: no XLSX that can be read"):
        read("sheet", lying, mapping=MAPPING)
    monkeypatch.setattr(workbook, "PARTS_MAX", 2)
    with pytest.raises(UsageFileError, match="too_large"):
        read("sheet", sheet_of(""), mapping=MAPPING)


def test_cells_far_apart_are_refused_before_room_is_made_for_all_between() -> None:
    """Two cells would take hundreds of gigabytes."""
    far = sheet_of('<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')
    with pytest.raises(UsageFileError, match="too_large: its cells lie in a box"):
        read("sheet", far, mapping=MAPPING)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (plain()[:200], "no XLSX that can be read"),
        (plain("xl/worksheets/sheet1.xml", "<worksheet"), "no XLSX that can be read"),
        (sheet_of("&b;", '<!DOCTYPE a [<!ENTITY b "c">]>'), "no XLSX that can be read"),
        (plain("xl/_rels/workbook.xml.rels", "<Relationships/>"), "no XLSX that can be read"),
        (plain("xl/workbook.xml", "not XML"), "no XLSX that can be read"),
        (b"PK\x03\x04 and nothing", "no XLSX that can be read"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "an old .xls, or a file with a password"),
    ],
)
def test_what_is_no_workbook_is_refused_in_one_line(data: bytes, message: str) -> None:
    """Whatever it is instead."""
    with pytest.raises(UsageFileError, match=f"not_parsable_output: {message}") as caught:
        read("sheet", data, mapping=MAPPING)
    assert "\n" not in str(caught.value)


def test_a_zip_of_something_else_is_refused() -> None:
    """As an OpenDocument sheet is."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as file:
        file.writestr("content.xml", "")
    with pytest.raises(UsageFileError, match="a ZIP, but no XLSX"):
        read("sheet", data.getvalue(), mapping=MAPPING)


def test_an_empty_sheet_has_no_heading() -> None:
    """The file is refused."""
    with pytest.raises(UsageFileError, match="heading_missing"):
        read("sheet", sheet_of(""), mapping=MAPPING)
