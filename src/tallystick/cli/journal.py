"""A treasury's accountant takes the log's postings over: as a journal for hledger or beancount, or as a table.

journal SOURCE --format hledger -o FILE        also beancount
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

import shutil
from collections.abc import Iterable, Iterator
from enum import StrEnum
from importlib import import_module
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, BinaryIO, Final

import typer

from tallystick.cli import kinds, output, over_http, parameters, reading
from tallystick.cli.booked import Booked, open_booked
from tallystick.errors import UsageError
from tallystick.named_files import NamedFile

if TYPE_CHECKING:
    from tallystick.accounting.chart import Chart, ChartAccount
    from tallystick.accounting.journal import Part, Period
    from tallystick.accounting.postings import BookedEntry


class JournalFormat(StrEnum):
    """How a journal is written."""

    HLEDGER = "hledger"
    BEANCOUNT = "beancount"
    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"
    FOCUS = "focus"


class FocusShare(StrEnum):
    """Whose costs a FOCUS data set has."""

    TREASURY = "treasury"
    HOLDER = "holder"


_KINDS: Final = {
    JournalFormat.HLEDGER: kinds.HLEDGER_JOURNAL,
    JournalFormat.BEANCOUNT: kinds.BEANCOUNT_JOURNAL,
    JournalFormat.CSV: kinds.CSV_JOURNAL,
    JournalFormat.XLSX: kinds.SPREADSHEET_JOURNAL,
    JournalFormat.PARQUET: kinds.PARQUET_JOURNAL,
    JournalFormat.FOCUS: kinds.FOCUS_DATA,
}
_PIECES_AT_ONCE: Final = 16
_OF_BYTES: Final = {JournalFormat.XLSX: "spreadsheet", JournalFormat.PARQUET: "parquet"}
"""Those that a library writes as a file of its own, and the module that has it do so."""


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(journal)


def journal(
    source: parameters.ReadSource,
    format_: Annotated[JournalFormat, typer.Option("--format", help="What reads it.")],
    file: Annotated[str, parameters.out("Where the journal goes; - is stdout.")] = "-",
    first_day: Annotated[
        str | None,
        typer.Option("--from", metavar="DAY", help="Entries from this day on; what lay there before comes first."),
    ] = None,
    last_day: Annotated[str | None, typer.Option("--until", metavar="DAY", help="Entries up to this day.")] = None,
    accounts: Annotated[
        Path | None, typer.Option("--accounts", metavar="FILE", help="Your chart of accounts (TOML): codes and names.")
    ] = None,
    bom: Annotated[bool, typer.Option("--bom", help="Begin CSV with a byte order mark, for spreadsheets.")] = False,
    summed: Annotated[
        bool, typer.Option("--summed", help="GPU-time summed by item and day, not line by line with its jobs.")
    ] = False,
    share: Annotated[
        FocusShare | None,
        typer.Option("--share", help="Of focus: whose costs, the treasury's (as a rule) or holders'."),
    ] = None,
    as_of: parameters.AsOf = None,
    force: parameters.Force = False,
    key: parameters.LoginKey = None,
    passphrase_file: parameters.LoginPassphrase = None,
    passphrase_command: parameters.PassphraseCommand = None,
) -> None:
    """Write the log's postings as a journal, for an accounting program."""
    from tallystick.accounting.journal import Journal

    _check_options(format_, file, bom=bom, summed=summed, accounts=accounts, share=share)
    out, period = NamedFile(file, _KINDS[format_], force=force), _period(first_day, last_day)
    made = Journal(_chart(accounts), period, by_line=not summed)
    with open_booked(source, over_http.Login(key, passphrase_file, passphrase_command), as_of) as booked:
        with booked.entries() as entries, out.open() as opened:
            if format_ is JournalFormat.FOCUS:
                what = _write_focus(share or FocusShare.TREASURY, period, entries, opened, bom=bom)
            elif format_ in _OF_BYTES:
                _write_bytes(format_, made.parts(entries), booked, opened)
            else:
                pieces = _text(format_, made.parts(entries), booked.reader.origin, bom=bom)
                while some := "".join(islice(pieces, _PIECES_AT_ONCE)):
                    opened.write(some.encode())
        if format_ is not JournalFormat.FOCUS:
            what = f"{made.transactions:,} transactions"
        output.line_about(out, f"{file}: {what}, {booked.as_of}")


def _check_options(
    format_: JournalFormat, file: str, *, bom: bool, summed: bool, accounts: Path | None, share: FocusShare | None
) -> None:
    """Refuse what a format doesn't have, before anything takes long.

    Raises:
        UsageError: an option that says nothing here; no file for what is no text.
        ModuleNotFoundError: what writes it isn't installed.
    """
    if format_ in _OF_BYTES:
        import_module(f"tallystick.accounting.{_OF_BYTES[format_]}")
        if file == "-":
            raise UsageError(f"{format_} is no text for standard output: give -o FILE")
    if bom and format_ not in (JournalFormat.CSV, JournalFormat.FOCUS):
        raise UsageError(f"--bom is for CSV, and {format_} has none: leave it out")
    if share is not None and format_ is not JournalFormat.FOCUS:
        raise UsageError(f"--share is for focus, and {format_} has all accounts: leave it out")
    for option, is_given in (("--summed", summed), ("--accounts", accounts is not None)):
        if is_given and format_ is JournalFormat.FOCUS:
            raise UsageError(f"focus has lines and no accounts: leave {option} out")


def _write_focus(
    share: FocusShare, period: "Period", entries: "Iterator[BookedEntry]", opened: BinaryIO, *, bom: bool
) -> str:
    """Write a FOCUS data set, and say how much there was."""
    from tallystick.accounting.csv_journal import csv_table
    from tallystick.accounting.focus import FocusRows
    from tallystick.accounting.focus_columns import FOCUS_COLUMNS

    rows = FocusRows(share.value, period)
    made = (charge.row() for charge in rows.of(entries))
    for text in csv_table(FOCUS_COLUMNS, made, has_byte_order_mark=bom):
        opened.write(text.encode())
    return f"{rows.charges:,} charges"


def _text(format_: JournalFormat, parts: "Iterable[Part]", origin: str, *, bom: bool) -> "Iterator[str]":
    """Return the text of a journal, piece by piece."""
    match format_:
        case JournalFormat.HLEDGER:
            from tallystick.accounting.hledger import hledger_journal

            return hledger_journal(parts, origin)
        case JournalFormat.BEANCOUNT:
            from tallystick.accounting.beancount import beancount_journal

            return beancount_journal(parts, origin)
    from tallystick.accounting.csv_journal import csv_table
    from tallystick.accounting.table import COLUMNS, rows_of

    return csv_table(COLUMNS, rows_of(parts), has_byte_order_mark=bom)


def _write_bytes(format_: JournalFormat, parts: "Iterable[Part]", booked: Booked, opened: BinaryIO) -> None:
    """Write a journal that a library makes as a file of its own."""
    from tallystick.accounting.table import COLUMNS, rows_of

    with TemporaryDirectory(prefix="tallystick-") as folder:
        path = Path(folder) / format_
        if format_ is JournalFormat.PARQUET:
            from tallystick.accounting.parquet import write_parquet

            write_parquet(path, COLUMNS, rows_of(parts))
        else:
            from tallystick.accounting.spreadsheet import write_spreadsheet

            balances: dict[ChartAccount, int] = {}
            about = {"origin": booked.reader.origin, "entries": str(booked.size), "as of": booked.as_of}
            write_spreadsheet(path, rows_of(parts, balances), balances, about)
        with path.open("rb") as file:
            shutil.copyfileobj(file, opened)


def _period(first_day: str | None, last_day: str | None) -> "Period":
    from tallystick.accounting.journal import Period
    from tallystick.forms.times import read_day

    period = Period(*[None if day is None else read_day(day) for day in (first_day, last_day)])
    if period.first_day is not None and period.last_day is not None and period.first_day > period.last_day:
        raise UsageError(f"--from {first_day} is after --until {last_day}")
    return period


def _chart(file: Path | None) -> "Chart":
    from tallystick.accounting.chart import Chart, chart_from_toml

    return Chart() if file is None else chart_from_toml(reading.read_file(str(file)), str(file))
