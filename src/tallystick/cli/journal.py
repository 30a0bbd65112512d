"""A treasury's accountant takes the log's postings over: as a journal for hledger or beancount, or as a table.

journal SOURCE --format hledger -o FILE        also beancount
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from tallystick.cli import kinds, output, over_http, parameters, reading
from tallystick.cli.booked import open_booked
from tallystick.errors import UsageError
from tallystick.named_files import NamedFile

if TYPE_CHECKING:
    from tallystick.accounting.chart import Chart
    from tallystick.accounting.journal import Part, Period


class JournalFormat(StrEnum):
    """How a journal is written."""

    HLEDGER = "hledger"
    BEANCOUNT = "beancount"


_KINDS: Final = {JournalFormat.HLEDGER: kinds.HLEDGER_JOURNAL, JournalFormat.BEANCOUNT: kinds.BEANCOUNT_JOURNAL}


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
    lines: Annotated[bool, typer.Option("--lines", help="GPU-time line by line, each with its job.")] = False,
    as_of: parameters.AsOf = None,
    force: parameters.Force = False,
    key: parameters.LoginKey = None,
    passphrase_file: parameters.LoginPassphrase = None,
    passphrase_command: parameters.PassphraseCommand = None,
) -> None:
    """Write the log's postings as a journal, for an accounting program."""
    from tallystick.accounting.journal import Journal

    out = NamedFile(file, _KINDS[format_], force=force)
    made = Journal(_chart(accounts), _period(first_day, last_day), by_line=lines)
    with open_booked(source, over_http.Login(key, passphrase_file, passphrase_command), as_of) as booked:
        with booked.entries() as entries, out.open() as opened:
            for text in _TEXTS[format_](made.parts(entries), booked.reader.origin):
                opened.write(text.encode())
        output.line_about(out, f"{file}: {made.transactions:,} transactions, {booked.as_of}")


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


def _hledger(parts: "Iterable[Part]", origin: str) -> "Iterator[str]":
    from tallystick.accounting.hledger import hledger_journal

    return hledger_journal(parts, origin)


def _beancount(parts: "Iterable[Part]", origin: str) -> "Iterator[str]":
    from tallystick.accounting.beancount import beancount_journal

    return beancount_journal(parts, origin)


_TEXTS: Final = {JournalFormat.HLEDGER: _hledger, JournalFormat.BEANCOUNT: _beancount}
