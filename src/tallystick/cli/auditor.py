"""What an auditor and the holder of a receipt do: audit a log, verify a receipt, get one.

    audit SOURCE --trust POLICY        replays everything and names what is wrong; trusts the policy and nothing else
    audit SOURCE --trust POLICY --since REPORT    replays what is new since an earlier audit
    audit SOURCE --trust POLICY --receipts DIR    also holds the log to the receipts that it gave before
    audit SOURCE --trust POLICY --segments        from each of an export's saved states on at once: the same report
    audit SOURCE --trust POLICY --patterns        also shows what no rule can refuse (patterns.py), after the verdict
    verify FILE.tlog-proof --trust POLICY    proves offline that one entry is in the log
    verify SOURCE INDEX --trust POLICY       proves the same from the log itself
    verify SOURCE --hashes --trust POLICY    proves that an export has the files of its checkpoint (export_hashes.py)
    verify FILE --trust POLICY               proves offline what an account held when the books were sealed,
                                             or (dossier.py) all that happened to it
    receipt SOURCE INDEX -o FILE       gets such a proof

A SOURCE is a ledger folder, a ledger in a PostgreSQL database (postgresql://…), an exported folder, or the URL of one.

Status 1 means that something was found; 2 that the audit couldn't be made, so nothing is said about the log.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

import shlex
import sys
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tallystick.cli import (
    dossier,
    export_hashes,
    kinds,
    output,
    over_http,
    parameters,
    patterns_shown,
    proofs_of_balance,
    reading,
    streams,
)
from tallystick.cli.statuses import REFUSED
from tallystick.errors import UsageError
from tallystick.forms.amounts import yuan
from tallystick.named_files import NamedFile
from tallystick.printing.text import gpu_hours

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from tallystick.audit.report import CompromisedKey, Report, Totals
    from tallystick.audit.segments import SegmentWorkers
    from tallystick.sources import Source
    from tallystick.transparency.receipt import Receipt


ALL = "all"
"""The row of sums."""
_ENTRIES_SHOWN = 20
"""Of those that a compromised key signed; the report has more."""


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(audit)
    app.command()(verify)
    app.command()(receipt)


def audit(
    source: parameters.ReadSource,
    trust: parameters.Trust,
    report: Annotated[
        str | None, typer.Option(help="Also write the report (JSON) there, and the state beside it if it is clean.")
    ] = None,
    since: Annotated[
        Path | None, typer.Option(help="Go on from the report of an earlier audit: read what is new.")
    ] = None,
    receipts: Annotated[
        list[Path] | None,
        typer.Option(help="A receipt that the log gave before, or a folder of them: it must still hold. Repeatable."),
    ] = None,
    patterns: Annotated[
        bool, typer.Option("--patterns", help="Also show what no rule can refuse, after the verdict, which stays.")
    ] = False,
    fail_on: Annotated[
        patterns_shown.FailOn | None, typer.Option(help="Look for patterns; status 1 if one is as grave or graver.")
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=INTEGER", help="Let a pattern begin elsewhere; docs/patterns.md lists all. Repeatable."
        ),
    ] = None,
    segments: parameters.Segments = False,
    workers: parameters.Workers = None,
    dask: parameters.Dask = None,
    force: parameters.Force = False,
    as_json: parameters.AsJson = False,
    key: parameters.LoginKey = None,
    passphrase_file: parameters.LoginPassphrase = None,
    passphrase_command: parameters.PassphraseCommand = None,
    wide: parameters.Wide = False,
) -> None:
    """Replay the log and confirm every number, or name the first entry that is wrong; status 1 if anything is found."""
    from tallystick.audit import audit as run_audit
    from tallystick.audit.earlier import ReportPlace
    from tallystick.wire.json_text import escaped_json

    watch = patterns_shown.watch(parameter or (), is_asked=patterns or fail_on is not None)
    policy = reading.read_policy(trust)
    place = None if report is None else ReportPlace(report, force=force)  # before anything takes long
    to_stdout = place is not None and place.report.is_standard_output
    if to_stdout and as_json:
        raise UsageError("--json and a report on standard output exclude each other: give one")
    read_from = over_http.logged_in(source, over_http.Login(key, passphrase_file, passphrase_command))
    with _segment_workers(workers, segments, dask) as where, output.progress("Auditing") as progress:
        found = run_audit(
            read_from,
            policy,
            since=since,
            receipts=receipts or (),
            report_file=place,
            processes=workers,
            progress=progress,
            observer=watch,
            segments=where,
            notice=streams.say,
        )
    if as_json:
        output.data(escaped_json(found.to_bytes().decode()).encode())
    else:
        with redirect_stdout(sys.stderr) if to_stdout else nullcontext():
            _print_report(found, source, wide=wide)
            if watch is not None:
                patterns_shown.print_seen(watch, is_clean=found.is_clean)
    if not found.is_clean or (watch is not None and patterns_shown.fails(watch, fail_on)):
        raise typer.Exit(REFUSED)


def _segment_workers(
    workers: int | None, segments: bool, dask: str | None
) -> "AbstractContextManager[SegmentWorkers | None]":
    """Return where segments are audited: nowhere, here, in processes, or on other machines."""
    if dask is not None:
        if not segments or workers is not None:
            raise UsageError("--dask has its own workers and audits segments: give --segments, and no --workers")
        from tallystick.audit.dask_workers import DaskWorkers

        return DaskWorkers(dask)
    from tallystick.audit.segment_processes import SegmentProcesses
    from tallystick.audit.segments import InTurn
    from tallystick.verifying import default_processes

    if not segments:
        return nullcontext()
    count = default_processes() if workers is None else workers
    return nullcontext(InTurn()) if count == 1 else SegmentProcesses(count)


def verify(
    file: Annotated[
        str, typer.Argument(metavar="FILE.tlog-proof", help="A receipt, - is stdin; before INDEX a SOURCE.")
    ],
    trust: parameters.Trust,
    index: Annotated[int | None, typer.Argument(help="An entry of a SOURCE, instead of one in a receipt.")] = None,
    hashes: Annotated[
        bool,
        typer.Option("--hashes", help="Of an export, all its files: that they are those of the checkpoint. No rules."),
    ] = False,
    as_json: parameters.AsJson = False,
    key: parameters.LoginKey = None,
    passphrase_file: parameters.LoginPassphrase = None,
    passphrase_command: parameters.PassphraseCommand = None,
    wide: parameters.Wide = False,
) -> None:
    """Prove what a file says, with no ledger and no network: a receipt, balance or dossier; or of a source an entry."""
    from tallystick.cli.entries import print_entry
    from tallystick.dossiers.balance_proof import is_balance_proof
    from tallystick.transparency.receipt import Receipt, verify_receipt
    from tallystick.wire.entries import entry
    from tallystick.wire.proven import proven_entry

    policy = reading.read_policy(trust)
    login = over_http.Login(key, passphrase_file, passphrase_command)
    if hashes:
        if index is not None:
            raise UsageError("--hashes is of all entries: leave INDEX out")
        export_hashes.verify(over_http.logged_in(reading.source_of(file), login), policy, as_json=as_json)
        return
    if index is None:
        if dossier.is_dossier_file(file):  # before it is read: a dossier may be large
            dossier.verify(file, policy, as_json=as_json, wide=wide)
            return
        data = reading.read_file(file)
        if is_balance_proof(data):
            proofs_of_balance.verify(data, policy, as_json=as_json)
            return
        proof = Receipt.from_bytes(data)
    else:
        proof = _receipt_from(reading.source_of(file), index, login)
    if proof.entry is None:
        raise UsageError(f"{file} carries no entry, so it proves nothing by itself; ask for a receipt with one")
    checkpoint = verify_receipt(proof, proof.entry, policy)
    # Only now are the bytes worth reading: they are what the log signed for.
    said = proven_entry(checkpoint, entry(proof.index, proof.entry))
    if as_json:
        output.print_json(said)
        return
    output.line(f"proven: entry {proof.index} of {checkpoint.origin}, in its tree of {checkpoint.size:,} entries")
    print_entry(said["entry"], [("root", said["checkpoint"]["root"])], wide=wide)


def _receipt_from(source: "Source", index: int, login: over_http.Login) -> "Receipt":
    """Return the receipt of an entry of a source, which it proves; who signed the checkpoint isn't verified."""
    from tallystick.publishing.reader import read_ledger

    with over_http.served(source, login) as service:
        if service is not None:
            return service.questions.receipt_by(index)
    with read_ledger(source) as reader:
        return reader.receipt(index)


def receipt(
    source: parameters.ReadSource,
    index: parameters.EntryIndex,
    file: Annotated[str, parameters.out("Where the receipt goes, by custom <index>.tlog-proof; - is stdout.")],
    key: parameters.LoginKey = None,
    passphrase_file: parameters.LoginPassphrase = None,
    passphrase_command: parameters.PassphraseCommand = None,
    force: parameters.Force = False,
) -> None:
    """Write the proof that an entry is in the log; it carries the entry and stays good for ever."""
    out = NamedFile(file, kinds.RECEIPT, force=force)
    login = over_http.Login(key, passphrase_file, passphrase_command)
    data = _receipt_from(source, index, login).to_bytes()
    out.write(data)
    output.line_about(out, f"{file}: entry {index}, {len(data):,} bytes")


def _print_report(report: "Report", source: "Source", *, wide: bool) -> None:
    """Print the verdict, what was audited, the totals and the conservation table, and each finding."""
    from tallystick.findings import FindingCode

    checkpoint = report.checkpoint
    output.line(f"verdict: {report.verdict}")
    if checkpoint is not None:
        log = [("log", checkpoint.origin), ("tree size", f"{checkpoint.size:,}"), ("root", checkpoint.root)]
        if report.since is not None:
            log.append(("read anew", f"from entry {report.since.size:,} on; before it, the earlier report stands"))
        if report.receipts is not None:
            log.append(("receipts", f"{report.receipts:,} held against it"))
        output.fields("", log)
    _print_totals(report.totals, is_clean=report.is_clean, wide=wide)
    for key in report.compromised_keys or ():
        _print_compromised_key(key)
    for finding in report.findings:
        output.line(str(finding))
    of_entries = [finding for finding in report.findings if finding.code is not FindingCode.STATE_DIFFERS]
    indexes = sorted({finding.index for finding in of_entries if finding.index is not None})
    # What to type reads by the store's own schema, which a stranger's may have made into a program.
    if indexes and not any(finding.code is FindingCode.STORE_DAMAGED for finding in report.findings):
        output.to_be_typed(f"to see entry {indexes[0]} for yourself: {_how_to_see(source, indexes[0])}")


def _print_compromised_key(key: "CompromisedKey") -> None:
    """Print of which entries a person should ask who signed them."""
    shown = ", ".join(map(str, key.entries[:_ENTRIES_SHOWN]))
    more = f" and {key.signed - _ENTRIES_SHOWN:,} more" if key.signed > _ENTRIES_SHOWN else ""
    signed = f"since then it signed entries {shown}{more}" if key.entries else "it signed nothing since then"
    since = output.readable("since", key.since)
    output.line(f"to be reviewed: {key.key}, compromised since {since} as entry {key.said_index} says: {signed}")


def _print_totals(totals: "Totals", *, is_clean: bool, wide: bool) -> None:
    """Print what was counted, where all that was issued is, and where every envelope is; each adds up on the page."""
    from tallystick.audit.report import ProgrammeTotals

    of_what = "" if is_clean else ", of what could be replayed"
    hours = gpu_hours(totals.gpu_milliseconds_burned), gpu_hours(totals.gpu_milliseconds_refused)
    lines = (
        ["accepted", f"{totals.burn_lines_accepted:,}", hours[0]],
        ["refused", f"{totals.burn_lines_refused:,}", hours[1]],
    )
    output.table(
        f"lines of statements{of_what}; one that was reversed stays accepted", ["", "lines ", "GPU-hours "], lines
    )
    parts = {name: getattr(totals, f"{name}_fen") for name in ("available", "reserved", "burned", "expired", "revoked")}
    sum_fen = sum(parts.values())
    output.table(
        f"where all that was issued is{of_what}, in yuan; burned is net of reversals, whatever became of it",
        ["", "yuan "],
        [
            *[(name, yuan(amount_fen)) for name, amount_fen in parts.items()],
            ("together", yuan(sum_fen)),
            ("issued", yuan(totals.issued_fen)),
            ("adds up", _yes(sum_fen == totals.issued_fen)),
        ],
    )
    books = {name: book.model_dump() for name, book in totals.programmes.items()}
    if len(books) > 1:
        books[ALL] = {name: sum(book[name] for book in books.values()) for name in ProgrammeTotals.model_fields}
    output.rows(
        f"conservation: where every envelope is{of_what}, in yuan; unclaimed is burned and not claimed yet",
        [{"programme": name} | book | {"adds_up": _adds_up(book)} for name, book in books.items()],
        columns=["programme", *ProgrammeTotals.model_fields, "adds_up"],
        headings=output.PROGRAMME_HEADINGS,
        wide=wide,
    )


def _adds_up(book: dict[str, int]) -> bool:
    return book["envelope_fen"] == sum(amount for account, amount in book.items() if account != "envelope_fen")


def _yes(value: bool) -> str:
    return output.readable("", value)


def _how_to_see(source: "Source", index: int) -> str:
    """Return what to type to read an entry with other people's software."""
    from tallystick.sources import DATABASE, LedgerDatabase, LedgerFolder

    where = f"WHERE originator_version = {index + 1}"
    if isinstance(source, LedgerDatabase):
        question = f"convert_from(state, 'UTF8') FROM tallystick.stored_events {where}"
        return f'psql -At {shlex.quote(str(source))} -c "SELECT {question}"'
    if isinstance(source, LedgerFolder):
        question = f"CAST(state AS TEXT) FROM stored_events {where}"
        return f'sqlite3 -readonly {shlex.quote(str(source.folder / DATABASE))} "SELECT {question}"'
    return f"it is number {index % 256}, from 0, in bundle {index // 256} below {str(source).rstrip('/')}/tile/entries"
