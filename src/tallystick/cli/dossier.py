"""What is handed to one party: a dossier, the part of the log that concerns it, and what can be seen from it offline.

    dossier SOURCE KIND ID -o FILE     everything that is about a voucher, holder, provider, contract, claim and so on
    verify FILE --trust POLICY         (auditor.py) decides it anew, and prints the book or what is wrong

Status of `verify` is 1 if anything is wrong with a dossier.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

import os
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tallystick.cli import kinds, output, over_http, parameters
from tallystick.cli.statuses import REFUSED
from tallystick.errors import AnswerMalformedError, UsageError
from tallystick.forms.amounts import yuan
from tallystick.named_files import NamedFile

if TYPE_CHECKING:
    from tallystick.dossiers.dossier_report import BookLine, DossierReport, SealSummary
    from tallystick.dossiers.writing import Bound
    from tallystick.sources import Source
    from tallystick.transparency.policy import Policy

_START_SIZE = 64


def add_commands(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(dossier)


def dossier(
    source: parameters.ReadSource,
    what: Annotated[parameters.DossierKind, typer.Argument(help="What it is about.")],
    id_: Annotated[str, typer.Argument(metavar="ID", help="Its id, for example acme-ai/v-1 or guian-cluster.")],
    file: Annotated[str, parameters.out("Where the dossier goes; - is stdout.")],
    since: Annotated[
        str | None,
        typer.Option("--from", metavar="DAY|INDEX", help="Begin at the last seal before that day or entry."),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="DAY|INDEX", help="End with the first seal of that day or after that entry."),
    ] = None,
    force: parameters.Force = False,
    key: parameters.LoginKey = None,
    passphrase_file: parameters.LoginPassphrase = None,
    passphrase_command: parameters.PassphraseCommand = None,
) -> None:
    """Write every entry that is about a voucher, provider, claim and so on, with proofs, into one file."""
    from tallystick.dossiers.things import is_thing
    from tallystick.dossiers.writing import write_dossier

    bounds = _bound(since), _bound(until)
    out = NamedFile(file, kinds.DOSSIER, force=force)
    with over_http.served(source, over_http.Login(key, passphrase_file, passphrase_command)) as service:
        if service is not None:
            data = service.questions.dossier(what.value, id_, since=since, until=until)
            _require_dossier(data, source)
            out.write(data)
            output.line_about(out, f"{file}: the dossier of {what.value} {id_}, {len(data):,} bytes")
            return
    with output.progress("Following the log") as progress, out.open() as opened:
        written = write_dossier(source, f"{what.value} {id_}", opened, *bounds, progress)
    output.line_about(
        out,
        f"{file}: {written.subject:,} entries of {what.value} {id_}, {written.entries - written.subject:,} "
        f"that they depend on, {written.size:,} bytes",
    )
    if written.closing is None:
        why = "a seal has no leaf of it" if is_thing(what.value + " ") else "no seal comes after them"
        output.line_about(out, f"{why}, so nothing proves that they are all")


def _require_dossier(data: bytes, source: "Source") -> None:
    """Refuse what a service gives for a dossier and is none; whether it is right, `verify` says.

    Raises:
        AnswerMalformedError: it is none.
    """
    from tallystick.dossiers.dossier_lines import is_dossier

    if not is_dossier(data[:_START_SIZE]):
        raise AnswerMalformedError(f"{source}: the answer is no dossier")


def is_dossier_file(file: str) -> bool:
    """Return whether a file, or standard input for `-`, begins as a dossier; nothing is used up."""
    from tallystick.dossiers.dossier_lines import is_dossier

    if file == "-":
        stdin = sys.stdin.buffer
        if not stdin.seekable():  # a pipe, which Python buffers; a file may be read and gone back in
            return is_dossier(stdin.peek(_START_SIZE))  # type: ignore[union-attr]
        start = stdin.read(_START_SIZE)
        stdin.seek(-len(start), os.SEEK_CUR)
        return is_dossier(start)
    with Path(file).open("rb") as opened:
        return is_dossier(opened.read(_START_SIZE))


def verify(file: str, policy: "Policy", *, as_json: bool, wide: bool = False) -> None:
    """Examine a dossier, and print the account's book, or what is wrong."""
    from tallystick.dossiers.dossier_lines import read_lines
    from tallystick.dossiers.examining import examine_dossier
    from tallystick.wire.dossiers import dossier as dossier_object

    with nullcontext(sys.stdin.buffer) if file == "-" else Path(file).open("rb") as opened:
        report = examine_dossier(read_lines(opened), policy)
    if as_json:
        output.print_json(dossier_object(report, report.checkpoint, is_sound=report.is_sound))
    else:
        _print(report, wide=wide)
    if not report.is_sound:
        raise typer.Exit(REFUSED)


def _bound(text: str | None) -> "Bound | None":
    from tallystick.dossiers.writing import Bound
    from tallystick.forms.times import index_of
    from tallystick.vouchers.quantities import parse_day

    if text is None:
        return None
    index = index_of(text)
    if index is not None:
        return Bound(index=index)
    try:
        return Bound(day=parse_day(text))
    except ValueError:
        raise UsageError(f"{text!a} is neither a day like 2026-04-01 nor an entry's index") from None


def _print(report: "DossierReport", *, wide: bool) -> None:
    """Print the book; or what is wrong, and then no numbers that could be taken for proved."""
    checkpoint = report.checkpoint
    if not report.is_sound:
        output.line(f"refused: the dossier of {report.account} proves nothing")
        for finding in report.findings:
            output.line(str(finding))
        return
    output.line(f"proven: {report.account} in {checkpoint.origin}, in its tree of {checkpoint.size:,} entries")
    begins = "the beginning of the log" if report.opening is None else _words(report.opening)
    ends = "nothing is proved to be complete" if report.closing is None else f"complete up to {_words(report.closing)}"
    pairs: list[tuple[str, object]] = [
        ("from", begins),
        ("completeness", ends),
        ("entries", f"{report.entries:,} decided anew, {report.dependencies:,} that they depend on"),
    ]
    if report.entries_later:
        pairs.append(("later", f"{report.entries_later:,} of them, not proved to be complete"))
    output.fields("", pairs)
    if report.closing is not None:
        output.record(f"balances at {_words(report.closing)}, in yuan", report.balances)
    if report.entries_later and report.balances_later:
        output.record("balances after the last entry, in yuan", report.balances_later)
    columns = ("entry ", "at", "kind", "party", "ref", "moved, in yuan")
    output.table("the book", columns, [_row(line) for line in report.book], wide=wide)


def _row(line: "BookLine") -> tuple[object, ...]:
    from tallystick.forms.times import utc

    moved = [f"{source} to {to} {yuan(amount_fen)}" for source, to, amount_fen in line.moved]
    if line.lines_refused:
        moved.append(f"{line.lines_refused} lines refused")
    return line.index, utc(line.at), line.kind, line.party, line.ref, ", ".join(moved)


def _words(seal: "SealSummary") -> str:
    from tallystick.vouchers.quantities import format_day

    return f"{seal.seal} (days up to {format_day(seal.last_day)}, entry {seal.index})"
