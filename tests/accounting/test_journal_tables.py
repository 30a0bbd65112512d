"""A journal as CSV, spreadsheet and Parquet: readers that others wrote find the postings, and numbers in them."""

import csv
import io
import zipfile
from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
import python_calamine

from support.command_line import done, failed, finish, run, start
from tallystick.accounting import booked_entries
from tallystick.accounting.spreadsheet import SHEET_ROWS_MAX, Workbook
from tallystick.accounting.table import COLUMNS, Column
from tallystick.publishing import read_ledger

FORMATS = ("csv", "xlsx", "parquet")
NAMES = [column.name for column in COLUMNS]


@pytest.fixture(scope="module")
def tables(small_ledger: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The small ledger's journal in each format, line by line."""
    folder = tmp_path_factory.mktemp("tables")
    made = {}
    for name in FORMATS:
        made[name] = folder / f"j.{name}"
        assert " transactions, after " in done("journal", small_ledger, "--format", name, "-o", made[name])
    return made


def rows_of_csv(data: bytes) -> list[list[str]]:
    rows = list(csv.reader(io.StringIO(data.decode(), newline="")))
    assert rows[0] == NAMES
    return rows[1:]


def spelled(value: Any) -> str:
    """A value of a spreadsheet or of Parquet as CSV has it."""
    if value is None:
        return ""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def test_csv_adds_up_to_the_balances(small_ledger: Path, tables: dict[str, Path]) -> None:
    """Each account's rows are its balance, each entry's are nothing; every posting and line is there."""
    by_account: dict[str, Decimal] = defaultdict(Decimal)
    by_entry: dict[tuple[str, bool], Decimal] = defaultdict(Decimal)
    rows = [dict(zip(NAMES, row, strict=True)) for row in rows_of_csv(tables["csv"].read_bytes())]
    for row in rows:
        assert bool(row["amount_yuan"]) != bool(row["gpu_hours"])
        amount = Decimal(row["amount_yuan"] or row["gpu_hours"])
        assert amount.as_tuple().exponent == (-2 if row["amount_yuan"] else -7)
        by_account[row["account"]] += amount
        by_entry[row["entry"], bool(row["amount_yuan"])] += amount
    said = run("balances", small_ledger, "--by", "account", "--json").json["balances"]
    assert {row["account"]: Decimal(row["balance"]) for row in said} == by_account
    assert set(by_entry.values()) == {0}
    with read_ledger(small_ledger) as reader:
        entries = list(booked_entries(reader))
    postings = sum(2 * len(one.postings) for one in entries)
    lines = sum(2 * line.is_gpu_time for one in entries for line in one.lines)
    assert len(rows) == postings + lines
    assert {row["job"] for row in rows if row["gpu_hours"]} == {
        line.job for one in entries for line in one.lines if line.is_gpu_time
    }


def test_csv_is_as_rfc_4180_has_it(small_ledger: Path, tables: dict[str, Path]) -> None:
    """CR LF; with a byte order mark, where one is asked for, and then nothing else differs."""
    data = tables["csv"].read_bytes()
    assert data.startswith(b"entry,day,")
    assert data.count(b"\r\n") == data.count(b"\n") == data.count(b"\r")
    assert data.endswith(b"\r\n")
    assert run("journal", small_ledger, "--format", "csv", "--bom").out.encode() == b"\xef\xbb\xbf" + data


def test_parquet_has_the_same_rows(tables: dict[str, Path]) -> None:
    """In the same order, with types of their own."""
    with duckdb.connect() as database:
        found = database.execute("SELECT * FROM read_parquet($1)", [str(tables["parquet"])])
        types = {name: str(type_) for name, type_, *_ in found.description or ()}
        rows = [[spelled(value) for value in row] for row in found.fetchall()]
    assert rows == rows_of_csv(tables["csv"].read_bytes())
    assert types["amount_yuan"].startswith("DECIMAL(18")
    assert types["gpu_hours"].startswith("DECIMAL(24")
    assert (types["entry"], types["day"], types["ref"]) == ("BIGINT", "DATE", "VARCHAR")


def test_a_spreadsheet_has_the_same_rows(small_ledger: Path, tables: dict[str, Path]) -> None:
    """Numbers are numbers and days are days; a second sheet has the balances."""
    book = python_calamine.load_workbook(str(tables["xlsx"]))
    assert book.sheet_names == ["分录", "余额", "说明"]
    heading, *rows = book.get_sheet_by_name("分录").to_python()
    assert [str(name).partition("\n")[2] for name in heading] == NAMES
    expected = rows_of_csv(tables["csv"].read_bytes())
    assert len(rows) == len(expected)
    for row, wanted in zip(rows, expected, strict=True):
        for column, value, text in zip(COLUMNS, row, wanted, strict=True):
            if text == "":
                assert value == ""
            elif column.type == "day":
                assert value == date.fromisoformat(text)
            elif column.type == "text":
                assert value == text
            else:
                assert isinstance(value, float)
                assert Decimal(str(value)) == Decimal(text)
    _, *balances = book.get_sheet_by_name("余额").to_python()
    said = run("balances", small_ledger, "--by", "account", "--json").json["balances"]
    assert [(row[0], Decimal(str(row[3] if row[3] != "" else row[4]))) for row in balances] == [
        (row["account"], Decimal(row["balance"])) for row in said
    ]
    with zipfile.ZipFile(tables["xlsx"]) as parts:
        sheet = parts.read("xl/worksheets/sheet1.xml").decode()
    assert 'state="frozen"' in sheet
    assert "<f>" not in sheet


@pytest.mark.parametrize("name", FORMATS)
def test_two_processes_write_the_same_bytes(
    small_ledger: Path, tables: dict[str, Path], name: str, tmp_path: Path
) -> None:
    """Nothing in it is of the machine, the clock or the order of a set."""
    out = tmp_path / "again"
    environment = {"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C"}
    again = finish(start("journal", small_ledger, "--format", name, "-o", out, env_more=environment))
    assert (again.status, again.err) == (0, "")
    assert out.read_bytes() == tables[name].read_bytes()


def test_titles_of_a_chart_are_no_formulas(small_ledger: Path, tmp_path: Path) -> None:
    """What a chart of accounts says is shown as it is, and nothing is worked out of it."""
    chart = tmp_path / "chart.toml"
    chart.write_text('[default]\ncode = "1"\nname = "@SUM"\n[accounts]\nassets = { code = "2", name = "-2+3" }\n')
    text = run("journal", small_ledger, "--format", "csv", "--accounts", chart).out
    rows = [dict(zip(NAMES, row, strict=True)) for row in rows_of_csv(text.encode())]
    assert {row["name"] for row in rows if row["amount_yuan"]} == {"'@SUM", "'-2+3"}
    assert {row["account"] for row in rows if row["code"] == "2"} == {"assets:2 -2+3"}
    assert any(row["amount_yuan"].startswith("-") for row in rows)
    path = tmp_path / "j.xlsx"
    done("journal", small_ledger, "--format", "xlsx", "-o", path, "--accounts", chart)
    with zipfile.ZipFile(path) as parts:
        assert b"<f>" not in parts.read("xl/worksheets/sheet1.xml")
    _, *shown = python_calamine.load_workbook(str(path)).get_sheet_by_name("分录").to_python()
    assert {row[NAMES.index("name")] for row in shown} == {"@SUM", "-2+3", ""}


def test_a_period_begins_with_what_lay_there(small_ledger: Path) -> None:
    """A row for each account, of no entry."""
    text = run("journal", small_ledger, "--format", "csv", "--from", "2026-01-07").out
    rows = [dict(zip(NAMES, row, strict=True)) for row in rows_of_csv(text.encode())]
    opening = {row["account"]: row for row in rows if not row["entry"]}
    assert {row["kind"] for row in opening.values()} == {"opening balance"}
    before = run("balances", small_ledger, "--by", "account", "--as-of", "2026-01-06", "--json").json["balances"]
    assert {name: Decimal(row["amount_yuan"] or row["gpu_hours"]) for name, row in opening.items()} == {
        row["account"]: Decimal(row["balance"]) for row in before if Decimal(row["balance"])
    }


def test_more_rows_than_a_sheet_takes_go_on_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each with its heading; a number that a spreadsheet would round is a text."""
    assert SHEET_ROWS_MAX == 2**20
    monkeypatch.setattr("tallystick.accounting.spreadsheet.SHEET_ROWS_MAX", 3)
    book = Workbook(tmp_path / "b.xlsx", "t")
    columns = [Column("n", "数", "yuan"), Column("t", "文")]
    long = Decimal("12345678901234.56")
    book.add_table(
        "表", columns, [(Decimal("0.10"), "=1+1"), (long, "+2"), (None, None), (Decimal("-3"), "@x"), (1, "")]
    )
    book.add_table("空", columns, [])
    book.close()
    read = python_calamine.load_workbook(str(tmp_path / "b.xlsx"))
    assert read.sheet_names == ["表", "表 2", "表 3", "空"]
    assert read.get_sheet_by_name("表").to_python()[1:] == [[0.1, "=1+1"], ["12345678901234.56", "+2"]]
    assert read.get_sheet_by_name("表 3").to_python()[1:] == [[1.0, ""]]
    assert len(read.get_sheet_by_name("空").to_python()) == 1


@pytest.mark.parametrize("name", FORMATS)
def test_a_table_replaces_its_own_kind(small_ledger: Path, tmp_path: Path, name: str) -> None:
    """And no other file without --force; nothing is left beside it."""
    path = tmp_path / "j"
    done("journal", small_ledger, "--format", name, "-o", path, "--as-of", 60)
    done("journal", small_ledger, "--format", name, "-o", path)
    failed("journal", small_ledger, "--format", "hledger", "-o", path)
    path.write_bytes(b"PK\x03\x04 and so on PAR1")
    assert "--force" in failed("journal", small_ledger, "--format", name, "-o", path)
    done("journal", small_ledger, "--format", name, "-o", path, "--force")
    assert [one.name for one in tmp_path.iterdir()] == ["j"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["xlsx"], "is no text for standard output: give -o FILE"),
        (["parquet"], "is no text for standard output: give -o FILE"),
        (["hledger", "--bom"], "--bom is for CSV"),
        (["csv", "--share", "holder"], "--share is for focus"),
        (["focus", "--summed"], "leave --summed out"),
        (["focus", "--accounts", "x"], "leave --accounts out"),
        (["focus", "--share", "provider"], "provider"),
        (["xlsx", "-o", "x", "--bom"], "--bom is for CSV"),
    ],
)
def test_what_is_asked_wrongly_is_one_line(small_ledger: Path, words: list[str], complaint: str) -> None:
    assert complaint in failed("journal", small_ledger, "--format", *words)


@pytest.mark.parametrize("fault", ["encrypted", "damaged"])
def test_a_workbook_that_cannot_be_looked_into_is_not_replaced(small_ledger: Path, tmp_path: Path, fault: str) -> None:
    """It may be anybody's."""
    path = tmp_path / "t.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("docProps/core.xml", "Journal of the log x" * 50)
    data = bytearray(path.read_bytes())
    if fault == "encrypted":
        for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            data[data.index(mark) + flags] |= 1
    else:
        data[50:56] = b"\xff" * 6
    path.write_bytes(data)
    assert "--force" in failed("journal", small_ledger, "--format", "xlsx", "-o", path)
    assert path.read_bytes() == data
