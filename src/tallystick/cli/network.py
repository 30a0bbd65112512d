"""A network begins: its log with entry 0, its first root key, and what each of those who work with them needs.

    network found DIR --origin ORIGIN --name NAME                 the log and the network's office
    network found DIR … --from SHEET --serve PORT                 and what the network does first, and its service
    network audit NETWORK_SOURCE SOURCE… --trust POLICY           several logs together (network_audit.py)

    DIR/ledger/     the operator's: ledger.db, ledger.toml, trust.policy, keys/log.pem
    DIR/office/     the network's officer's: <party>-root-1.pem, tallystick.toml, trust.policy

The two folders may go to two machines: what both need is the trust policy alone. A key may be in a token instead.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

import shutil
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

import typer

from tallystick.cli import output, parameters, reading
from tallystick.cli.network_audit import network_audit
from tallystick.cli.new_keys import Lock, NewKey, profile_key, wanted_key
from tallystick.cli.statuses import AS_ASKED
from tallystick.errors import UsageError

if TYPE_CHECKING:
    from tallystick.signing.keys import SigningKey
    from tallystick.token_uris import KeyPlace

DAY_SECONDS: Final = 86_400
LEDGER: Final = "ledger"
OFFICE: Final = "office"
GENESIS: Final = "genesis.note"
PERIODS: Final = {
    "clock_skew_seconds": 300,
    "freshness_seconds": 7 * DAY_SECONDS,
    "burn_window_seconds": 92 * DAY_SECONDS,
    "release_grace_seconds": 7 * DAY_SECONDS,
    "tariff_notice_seconds": 30 * DAY_SECONDS,
    "takeover_seconds": 7 * DAY_SECONDS,
    "sealing_grace_seconds": 3 * DAY_SECONDS,
}
"""The periods of a network that is founded by `network found`; entry 0 fixes them (docs/rules.md)."""


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    network = typer.Typer(
        help="Found a network, and audit its logs together.", no_args_is_help=True, rich_markup_mode=None
    )
    network.command("found", short_help="Make a network's log and its first key.")(network_found)
    network.command("audit", short_help="Audit several logs together.")(network_audit)
    app.add_typer(network, name="network")


_RootVkeys = Annotated[
    list[str] | None,
    typer.Option("--root-vkey", metavar="VKEY", help="A further root key, made elsewhere; once for each."),
]
_MemberOf = Annotated[
    str | None,
    typer.Option(
        metavar="ORIGIN", help="The log that this one is a member of: the network's, which has its checkpoints."
    ),
]
_Sheet = Annotated[
    str | None,
    typer.Option("--from", metavar="FILE.csv", help="What the network does first: admissions to cosign, items."),
]
_ServePort = Annotated[
    int | None, typer.Option("--serve", metavar="PORT", min=0, max=65_535, help="Then serve the log on this machine.")
]
_RootToken = Annotated[
    str | None, typer.Option("--token", metavar="URI", help="Make the root key in this PKCS#11 token, not in a file.")
]
_RootPassphrase = Annotated[Path | None, typer.Option("--passphrase-file", help="Its first line locks the root key.")]
_RootCommand = Annotated[
    str | None,
    typer.Option(
        "--passphrase-command", metavar="PROGRAM", help="Prints the root key's passphrase or PIN; run without a shell."
    ),
]
_LogToken = Annotated[
    str | None,
    typer.Option("--log-token", metavar="URI", help="Make the log's key in this PKCS#11 token, not in a file."),
]
_LogPassphrase = Annotated[
    Path | None,
    typer.Option(
        "--log-passphrase-file", help="Its first line locks the log's key; the settings remember where it is."
    ),
]
_LogCommand = Annotated[
    str | None,
    typer.Option(
        "--log-passphrase-command", metavar="PROGRAM", help="Prints the log key's; the settings remember it too."
    ),
]


def network_found(
    folder: Annotated[parameters.Folder, parameters.folder("A new folder, or an empty one.")],
    origin: Annotated[str, typer.Option(help="The log's name: by custom the URL of its service without the scheme.")],
    name: Annotated[str, typer.Option(help="The network's name in words.")],
    party: Annotated[str, typer.Option(help="The id of the party that the network acts as.")] = "national-network",
    url: Annotated[str, typer.Option(help="Where the log will be served.")] = "http://127.0.0.1:8473",
    zone: Annotated[str, typer.Option(help="The offset by whose days the network counts.")] = "+08:00",
    root_vkeys: _RootVkeys = None,
    root_quorum: Annotated[int, typer.Option(min=1, help="How many root keys sign what the network does.")] = 1,
    member_of: _MemberOf = None,
    from_: _Sheet = None,
    serve_on: _ServePort = None,
    yes: parameters.Yes = False,
    token: _RootToken = None,
    passphrase_file: _RootPassphrase = None,
    passphrase_command: _RootCommand = None,
    log_token: _LogToken = None,
    log_passphrase_file: _LogPassphrase = None,
    log_passphrase_command: _LogCommand = None,
    no_passphrase: Annotated[
        bool, typer.Option("--no-passphrase", help="Leave key files unlocked: a copy of one is enough to sign.")
    ] = False,
    log_time: parameters.LogTime = None,
) -> int:
    """Make a network: its log with entry 0, the log's key, the first root key, and the trust policy to hand out.

    DIR/ledger goes to the machine that serves the log, DIR/office to the officer who signs for the network. With a
    root quorum above 1, entry 0 needs more signatures: DIR/office/genesis.note is left to be signed by the others, and
    `tallystick ledger create` makes the log of it.

    With --from a sheet of what the network does first is shown, signed and recorded too, as `tallystick do` does it:
    the admissions that its first treasuries and providers prepared by `join --origin`, and the items. If none of it is
    recorded, nothing is founded.
    """
    others = root_vkeys or []
    _check_asked(folder, root_quorum, len(others), needs_log=from_ is not None or serve_on is not None)
    fields = _fields(origin, name, party, root_quorum, zone)
    if member_of is not None:
        fields["member_of"] = member_of
    at = reading.clock(log_time, lambda: fields["utc_offset_seconds"])()
    _try_genesis(fields, at, others)
    root_lock = Lock(passphrase_file, passphrase_command, no_passphrase and token is None)
    log_lock = Lock(log_passphrase_file, log_passphrase_command, no_passphrase and log_token is None)
    root = wanted_key(f"{party}/root-1", folder / OFFICE / f"{party}-root-1.pem", token, root_lock)
    log = wanted_key(origin, folder / LEDGER / "keys" / "log.pem", log_token, log_lock)
    making = _Making(folder / LEDGER, folder / OFFICE, root, log)
    try:
        made = _open_office(making, fields, at, others, profile_of={"source": url, "zone": zone}, lock=root_lock)
        if root_quorum == 1:
            _found(making, made, log_lock)
        status = AS_ASKED if from_ is None else _do_first(making, made, Path(from_), log_time, is_agreed=yes)
    except BaseException:  # half a network is of no use, and in the next one's way
        _forget(making)
        raise
    if status != AS_ASKED and _forget(making):
        output.notice("nothing was founded")
        return status
    _say(making, made, root_quorum)
    if serve_on is not None:
        from tallystick.cli.serve import ServeOptions, serve_with
        from tallystick.sources import LedgerFolder

        serve_with(LedgerFolder(making.ledger), (made.log_key, None), ServeOptions(port=serve_on, log_time=log_time))
    return status


def _check_asked(folder: Path, root_quorum: int, others: int, *, needs_log: bool) -> None:
    """Refuse what can't be founded as asked.

    Raises:
        UsageError: too few root keys, what needs a log before there is one, or a folder that isn't empty.
    """
    if root_quorum > others + 1:
        raise UsageError(f"{others + 1} root keys can't make a quorum of {root_quorum}: give more --root-vkey")
    if root_quorum > 1 and needs_log:
        raise UsageError("--from and --serve need a log, which a root quorum above 1 makes later")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not an empty folder: choose another")


def _say(making: "_Making", made: "_Made", root_quorum: int) -> None:
    """Say what was made, and what is to be done with it."""
    if root_quorum > 1:
        output.line(f"{making.office / GENESIS} is to be signed by {root_quorum - 1} of the other root keys; then:")
        output.line(f"tallystick ledger create {making.ledger} --genesis {GENESIS} --log-key {made.log_place}")
        return
    output.line(f"{making.ledger.parent}: the network of {made.log_key.name}")
    output.fields("", [("to serve", str(making.ledger)), ("the network's office", str(making.office))])


@dataclass(frozen=True, slots=True)
class _Making:
    """A network in the making: its two folders, and its two keys."""

    ledger: Path
    office: Path
    root: NewKey
    log: NewKey


class _Made(NamedTuple):
    """What was made: entry 0's note, its time, and the keys."""

    genesis: bytes
    at: int
    root_key: "SigningKey"
    log_key: "SigningKey"
    log_place: "KeyPlace"


def _fields(origin: str, name: str, party: str, root_quorum: int, zone: str) -> dict[str, Any]:
    """Return entry 0's fields but its root keys.

    Raises:
        UsageError: the zone is none.
    """
    from tallystick.forms.amounts import read_offset
    from tallystick.vouchers.editions import EDITIONS

    try:
        utc_offset_seconds = read_offset(zone)
    except ValueError as error:
        raise UsageError(f"--zone {error}") from None
    return {
        "kind": "network.found/1",
        "log": origin,
        "party": party,
        "ref": "founding",
        "edition": EDITIONS[-1],
        "name": name,
        "currency": "CNY",
        "root_quorum": root_quorum,
        "utc_offset_seconds": utc_offset_seconds,
        **PERIODS,
    }


def _genesis(fields: dict[str, Any], at: int, root: "SigningKey", others: list[str]) -> bytes:
    """Return entry 0's note, signed by the first root key.

    Raises:
        UsageError: a name, an id or a vkey that entry 0 can't hold.
    """
    from tallystick.errors import MalformedError
    from tallystick.ledger.checking import check_notes
    from tallystick.signing.note import sign_text
    from tallystick.vouchers.quantities import format_instant
    from tallystick.vouchers.refusals import Reason, Refusal
    from tallystick.vouchers.rulebook import command_text
    from tallystick.vouchers.state import State

    more = {"signed_at": format_instant(at), "root_keys": [root.verifier.to_text(), *others]}
    try:
        note = sign_text(command_text(fields | more), root)
    except MalformedError as error:
        raise UsageError(str(error)) from None
    (answer,) = check_notes(lambda: State.empty(fields["log"]), [note], at)
    if isinstance(answer, Refusal) and answer.reason is not Reason.SIGNATURES_MISSING:
        raise UsageError(f"the network can't be founded so: {answer}")
    return note


def _try_genesis(fields: dict[str, Any], at: int, others: list[str]) -> None:
    """Refuse what entry 0 can't hold, before anything is made or asked.

    Raises:
        UsageError: a name, an id or a vkey that it can't hold.
    """
    from tallystick.errors import MalformedError
    from tallystick.signing.keys import SigningKey

    try:
        stand_in = SigningKey.from_seed(f"{fields['party']}/root-1", bytes(32))
    except MalformedError as error:
        raise UsageError(str(error)) from None
    _genesis(fields, at, stand_in, others)


def _open_office(
    making: _Making, fields: dict[str, Any], at: int, others: list[str], *, profile_of: dict[str, str], lock: Lock
) -> _Made:
    """Make both folders with their keys, and the office's profile; return what was made."""
    from tallystick import profile
    from tallystick.ledger.opening import POLICY
    from tallystick.transparency.policy import Policy

    for made in (making.ledger / "keys", making.office):
        made.mkdir(mode=0o700, parents=True)
    root_place = making.root.make()[1]
    log, log_place = making.log.make()
    root_key = making.root.load(root_place)
    genesis = _genesis(fields, at, root_key, others)
    (making.office / POLICY).write_bytes(Policy.for_log(log).to_text())
    said = {"log": fields["log"], "party": fields["party"], "policy": POLICY}
    profile.write(making.office / profile.NAME, said | profile_of | profile_key(root_place, lock))
    if fields["root_quorum"] > 1:
        (making.office / GENESIS).write_bytes(genesis)
    return _Made(genesis, at, root_key, making.log.load(log_place), log_place)


def _found(making: _Making, made: _Made, lock: Lock) -> None:
    from tallystick.ledger.opening import create_ledger
    from tallystick.ledger.settings import write_settings

    with create_ledger(making.ledger, made.genesis, made.log_key, clock=lambda: made.at):
        write_settings(making.ledger, made.log_key.name, made.log_place, lock.passphrase_file, lock.passphrase_command)


def _do_first(making: _Making, made: _Made, sheet: Path, log_time: str | None, *, is_agreed: bool) -> int:
    """Do what a sheet says that the network does first, and return the status.

    Raises:
        UsageError: it is no such sheet.
    """
    from tallystick import profile as profiles
    from tallystick.cli import batch
    from tallystick.cli.ledger_place import LedgerPlace
    from tallystick.cli.sheet_lines import Batch
    from tallystick.sources import LedgerFolder

    party = made.root_key.name.partition("/")[0]
    office = profiles.load(
        str(making.office / profiles.NAME), {"source": str(making.ledger.absolute()), "party": party}
    )
    with closing(LedgerPlace(LedgerFolder(making.ledger), log_time, made.log_key)) as place:
        return batch.run(Batch(None, sheet, "utf-8", office, place, lambda: [made.root_key], is_agreed, False, False))


def _forget(making: _Making) -> bool:
    """Remove a network in which nothing was done yet, and return whether it is gone."""
    from tallystick.errors import TallystickError
    from tallystick.publishing import read_ledger

    try:
        with read_ledger(making.ledger) as reader:
            is_used = reader.size > 1
    except (TallystickError, OSError):
        is_used = False
    if not is_used:
        for made in (making.ledger, making.office):
            shutil.rmtree(made, ignore_errors=True)
    return not is_used
