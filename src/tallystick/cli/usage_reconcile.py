"""usage reconcile: a cluster's records and the log compared, both ways, and claims with a bank's payments.

The status is 0 only if nothing is open: then every run is burned, once, as it ran, and nothing else is.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from tallystick.cli import drafting, kinds, output, parameters
from tallystick.cli.statuses import AS_ASKED, REFUSED
from tallystick.cli.usage_inputs import Files, FormatName, MappingFile
from tallystick.cycle_collection import paused_collection
from tallystick.errors import UsageError
from tallystick.named_files import Kind, NamedFile

if TYPE_CHECKING:
    from tallystick.cli.usage_inputs import Usage
    from tallystick.profile import Profile
    from tallystick.signing.keys import SigningKey
    from tallystick.usage.logs import ProviderLog
    from tallystick.usage.payments import PaymentsCompared, SettledClaim
    from tallystick.usage.reconciling import Window
    from tallystick.usage.standing import Standing
    from tallystick.wire import JsonObject

BANK_FILE_SIZE_MAX: Final = 16_777_216
_BEGINNINGS: Final = (b'{\n  "reconciliation"', b"\xef\xbb\xbflist,job,", b"PK\x03\x04")
REPORT_NOTE: Final = "note/reconciliation/1"
_ENDINGS: Final = (".json", ".csv", ".xlsx")
_REPORT: Final = Kind("a reconciliation", lambda beginning: beginning.startswith(_BEGINNINGS))


def add_commands(group: typer.Typer) -> None:
    """Add the command of this file."""
    group.command("reconcile")(reconcile)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A log that is compared.

    Attributes:
        claims: returns the provider's claims, as lists of claims have them.
    """

    log: "ProviderLog"
    origin: str
    zone: int
    clock: Callable[[], int]
    claims: "Callable[[str], Sequence[JsonObject]]"


def reconcile(
    files: Files,
    format_: FormatName,
    mapping: MappingFile,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="What ended before it isn't compared: a day, a time.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="What ended later isn't compared; a day counts whole.")
    ] = None,
    window: Annotated[
        list[str] | None,
        typer.Option("--window", metavar="TIME..TIME", help="What an export covers, once for each; gaps are open."),
    ] = None,
    payments: Annotated[
        Path | None, typer.Option("--payments", metavar="BANK.csv", help="Compare settled claims with a bank's file.")
    ] = None,
    out: Annotated[
        str | None, typer.Option("--out", "-o", metavar="FILE", help="Write the report: .json, .csv or .xlsx.")
    ] = None,
    sign: Annotated[
        str | None, typer.Option("--sign", metavar="KEY", help="Sign a note of the report's hash: FILE.note.")
    ] = None,
    profile: parameters.ProfileFile = None,
    source: parameters.ProfileSource = None,
    party: parameters.ProfileParty = None,
    passphrase_file: parameters.SignerPassphrase = None,
    passphrase_command: parameters.SignerPassphraseCommand = None,
    policy: parameters.ProfilePolicy = None,
    log_time: parameters.LogTime = None,
    as_json: parameters.AsJsonInFen = False,
) -> int:
    """Compare usage with the log, both ways: what is missing, what differs, what is burned and wasn't used."""
    from tallystick.cli.usage_inputs import read_usage_files
    from tallystick.wire.usage import reconciled

    file = _report_file(out, sign)
    found = drafting.profile_of(profile, source, policy, passphrase_file, passphrase_command, party)
    if found.party is None:
        raise UsageError("which provider's lines are compared? give --party, or write a profile")
    keys = drafting.keys_of(found, ())
    usage = read_usage_files(files, format_, mapping, so_far=True)
    with _asked(found, keys, log_time) as asked:
        compared = _window(from_, until, asked.zone)
        report = _report(asked, usage, found.party, compared)
        report["gaps"] = _gaps(window or (), usage, compared, asked.zone)
        if payments is not None:
            claims = asked.claims(found.party)
            report["payments"] = _payments(claims, payments, compared, asked.zone)
        report["open"] = _open(report)
        _write(report, file, asked, found, None if sign is None else drafting.keys_of(found, (sign,)))
    if as_json:
        output.print_json(reconciled(report))
    else:
        _show(report)
    return REFUSED if report["open"] else AS_ASKED


def _report_file(out: str | None, sign: str | None) -> NamedFile | None:
    """Return where the report goes, if anywhere.

    Raises:
        UsageError: not there, or nothing is written that could be signed.
    """
    if out is not None and Path(out).suffix not in _ENDINGS:
        raise UsageError(f"{out}: a report is written as one of {', '.join(_ENDINGS)}")
    if sign is not None and out is None:
        raise UsageError("--sign signs the hash of a file: say which with -o FILE")
    return None if out is None else NamedFile(out, _REPORT)


@contextmanager
def _asked(profile: "Profile", keys: "Callable[[], Sequence[SigningKey]]", log_time: str | None) -> Iterator[_Asked]:
    """Give the log of a profile: a server's where there is a policy to hold it to, else what can be read whole."""
    from tallystick.cli import reading

    if profile.source is None:
        raise UsageError("which log is compared? give --source, or write a profile with `tallystick init`")
    if profile.is_of_a_service and profile.policy is not None:
        from tallystick.cli.remote_place import RemotePlace

        with closing(RemotePlace(profile, keys, log_time)) as place:
            log = place.provider_log()

            def claims_served(party: str) -> "Sequence[JsonObject]":
                rows: Sequence[JsonObject] = place.client.listed("claim", claimant=party)["rows"]
                return rows

            yield _Asked(log, place.origin, place.zone, place.clock, claims_served)
        return
    from tallystick.cli.moments import zone_in
    from tallystick.publishing.reader import read_ledger
    from tallystick.usage.logs import LogHere

    source = reading.source_of(profile.source)
    with closing(read_ledger(source)) as reader:

        def claims_here(party: str) -> "Sequence[JsonObject]":
            from tallystick.cli.views import open_views
            from tallystick.views.claims import claim_balances

            with open_views(source, None, is_fresh=False) as views:
                return [asdict(row) for row in views.views.ask(partial(claim_balances, claimant=party))]

        zone = zone_in(reader)
        yield _Asked(LogHere(reader), reader.origin, zone, reading.clock(log_time, lambda: zone), claims_here)


def _window(from_: str | None, until: str | None, zone: int) -> "Window":
    from tallystick.usage.reconciling import FOREVER, Window

    begin = -FOREVER if from_ is None else _begin(from_, zone)
    return Window(begin, FOREVER if until is None else _end(until, zone))


def _begin(text: str, zone: int) -> int:
    from tallystick.forms.times import Moment

    return Moment.read(text).instant(lambda: zone)


def _end(text: str, zone: int) -> int:
    from tallystick.forms.times import Moment

    moment = Moment.read(text)
    return moment.last_instant(lambda: zone) + (1 if moment.is_day else 0)


def _report(asked: _Asked, usage: "Usage", provider: str, window: "Window") -> "JsonObject":
    from tallystick.cli.usage_shown import counts_of
    from tallystick.usage.planning import by_spell
    from tallystick.usage.reconciling import FOREVER, reconcile
    from tallystick.usage.report import lists_of

    spells = by_spell(usage.lines)
    found = reconcile(spells, _standing(asked, provider, {job for job, _ in spells}, window), window)
    said = {
        "from": None if window.starts_at == -FOREVER else _instant(window.starts_at),
        "until": None if window.ends_at == FOREVER else _instant(window.ends_at),
    }
    head: JsonObject = {"log": asked.origin, "provider": provider, "command": shlex.join(["tallystick", *sys.argv[1:]])}
    counts = counts_of(usage.reading)
    running = sum(line.so_far for line in {(line.job, line.starts_at): line for line in usage.lines}.values())
    if running:  # they were read as far as they are known, to tell what of them is burned
        counts["skipped"]["still_running"] = counts["skipped"].get("still_running", 0) + running
    return head | {"window": said} | usage.said() | counts | lists_of(found)


def _standing(asked: _Asked, provider: str, jobs: set[str], window: "Window") -> "Standing":
    from tallystick.usage.standing import standing_of

    with output.progress("Reading the log") as progress, paused_collection():
        entries = asked.log.entries(provider, progress)
        return standing_of(entries, provider, jobs, since=window.starts_at)


def _instant(at: int) -> str:
    from tallystick.vouchers.quantities import format_instant

    return format_instant(at)


def _gaps(windows: Sequence[str], usage: "Usage", window: "Window", zone: int) -> "list[JsonObject]":
    """Return the times that no export covers, where it was said what each covers."""
    from tallystick.usage.reconciling import FOREVER
    from tallystick.usage.report import gaps_between

    if not windows:
        return []
    if len(windows) != len(usage.files):
        raise UsageError(
            f"--window is given {len(windows)} times for {len(usage.files)} files: once for each, in order"
        )
    covered = []
    for text in windows:
        begin, dots, end = text.partition("..")
        if not dots:
            raise UsageError(f"--window {text!a:.80} is not TIME..TIME, such as 2026-03-01..2026-03-31")
        covered.append((_begin(begin, zone), _end(end, zone)))
    begin_at = None if window.starts_at == -FOREVER else window.starts_at
    end_at = None if window.ends_at == FOREVER else window.ends_at
    gaps = gaps_between(covered, begin_at, end_at)
    return [{"from": _instant(one.starts_at), "until": _instant(one.ends_at)} for one in gaps]


def _payments(claims: "Sequence[JsonObject]", path: Path, window: "Window", zone: int) -> "JsonObject":
    from tallystick.accounting.bank_file import read_bank_file
    from tallystick.usage.payments import Payment, compare_payments
    from tallystick.usage.report import payments_said

    with path.open("rb") as file:
        data = file.read(BANK_FILE_SIZE_MAX + 1)
    if len(data) > BANK_FILE_SIZE_MAX:
        raise UsageError(f"{path} is larger than {BANK_FILE_SIZE_MAX:,} bytes: make several files of it")
    try:
        bank = read_bank_file(data)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None
    made: list[Payment] = [
        Payment(one.line, one.day, one.amount_fen, (one.reference, one.remittance))
        for one in bank.payments
        if one.is_carried_out
    ]
    found: PaymentsCompared = compare_payments(_settled(claims, window, zone), made)
    return {"name": str(path), "encoding": bank.encoding} | payments_said(found)


def _settled(claims: "Sequence[JsonObject]", window: "Window", zone: int) -> "list[SettledClaim]":
    """Return the claims that are settled, and whose payment has its day in the window."""
    from tallystick.usage.payments import SettledClaim

    found = []
    for row in claims:
        if row["status"] != "settled" or not row["payment_reference"]:
            continue
        if window.has(_begin(row["payment_day"], zone)):
            names = ("claim", "programme", "amount_fen", "payment_fen", "payment_day", "payment_reference")
            found.append(SettledClaim(*[row[name] for name in names]))
    return found


def _open(report: "JsonObject") -> list[str]:
    from tallystick.usage.report import open_in

    return open_in(report)


def _write(
    report: "JsonObject",
    out: NamedFile | None,
    asked: _Asked,
    profile: "Profile",
    keys: "Callable[[], Sequence[SigningKey]] | None",
) -> None:
    """Write the report, and where it is to be signed the note of its hash."""
    if out is None:
        return
    data = _as_file(report, Path(out.name).suffix)
    note = None if keys is None else _note(data, report, asked, profile, keys())
    out.write(data)
    if note is not None:
        NamedFile(f"{out.name}.note", kinds.SIGNED_COMMAND).write(note)


def _as_file(report: "JsonObject", ending: str) -> bytes:
    from tallystick.printing.csv_bytes import csv_bytes
    from tallystick.usage.report import COLUMNS, rows_of
    from tallystick.wire.json_text import json_text
    from tallystick.wire.usage import reconciled

    if ending == ".csv":
        return csv_bytes(COLUMNS, rows_of(report))
    if ending == ".xlsx":
        from tallystick.usage.workbook import workbook

        return workbook(report)
    return f"{json_text(reconciled(report))}\n".encode()


def _note(data: bytes, report: "JsonObject", asked: _Asked, profile: "Profile", keys: "Sequence[SigningKey]") -> bytes:
    """Return the signed note of a report: its hash, whose it is, and what is open."""
    from tallystick.signing import canonical_json
    from tallystick.signing.algorithms import SHA256
    from tallystick.signing.note import sign_text
    from tallystick.vouchers.quantities import SECOND_US

    at = asked.clock()
    said: dict[str, Any] = {
        "kind": REPORT_NOTE,
        "log": asked.origin,
        "party": profile.party,
        "report_hash": SHA256.of(data),
        "open": report["open"],
        "signed_at": _instant(at - at % SECOND_US),
    }
    return sign_text(canonical_json.encode(said) + b"\n", *keys)


def _show(report: "JsonObject") -> None:
    """Print the report for a person."""
    from tallystick.cli.usage_shown import show_reconciliation

    show_reconciliation(report)
