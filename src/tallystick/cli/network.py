"""A network begins: its log with entry 0, its first root key, and what each of those who work with them needs.

    network found DIR --origin ORIGIN --name NAME

    DIR/ledger/     the operator's: ledger.db, ledger.toml, trust.policy, keys/log.pem
    DIR/office/     the network's officer's: <party>-root-1.pem, tallystick.toml, trust.policy

The two folders may go to two machines: what both need is the trust policy alone.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

import typer

from tallystick.cli import output, parameters, reading
from tallystick.errors import UsageError

if TYPE_CHECKING:
    from tallystick.signing.keys import SigningKey

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


class _Passphrases(NamedTuple):
    """What locks the two keys; None leaves one unlocked."""

    root: bytes | None
    log: bytes | None
    log_file: Path | None


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    network = typer.Typer(help="Found a network.", no_args_is_help=True, rich_markup_mode=None)
    network.command("found", short_help="Make a network's log and its first key.")(network_found)
    network.callback()(lambda: None)
    app.add_typer(network, name="network")


def network_found(
    folder: Annotated[parameters.Folder, parameters.folder("A new folder, or an empty one.")],
    origin: Annotated[str, typer.Option(help="The log's name: by custom the URL of its service without the scheme.")],
    name: Annotated[str, typer.Option(help="The network's name in words.")],
    party: Annotated[str, typer.Option(help="The id of the party that the network acts as.")] = "national-network",
    url: Annotated[str, typer.Option(help="Where the log will be served.")] = "http://127.0.0.1:8473",
    zone: Annotated[str, typer.Option(help="The offset by whose days the network counts.")] = "+08:00",
    root_vkeys: Annotated[
        list[str] | None,
        typer.Option("--root-vkey", metavar="VKEY", help="A further root key, made elsewhere; once for each."),
    ] = None,
    root_quorum: Annotated[int, typer.Option(min=1, help="How many root keys sign what the network does.")] = 1,
    passphrase_file: Annotated[Path | None, typer.Option(help="Its first line locks the root key.")] = None,
    log_passphrase_file: Annotated[
        Path | None, typer.Option(help="Its first line locks the log's key; the settings remember where it is.")
    ] = None,
    no_passphrase: Annotated[
        bool, typer.Option("--no-passphrase", help="Leave both keys unlocked: a copy of a file is enough to sign.")
    ] = False,
    log_time: parameters.LogTime = None,
) -> None:
    """Make a network: its log with entry 0, the log's key, the first root key, and the trust policy to hand out.

    DIR/ledger goes to the machine that serves the log, DIR/office to the officer who signs for the network. With a
    root quorum above 1, entry 0 needs more signatures: DIR/office/genesis.note is left to be signed by the others, and
    `tallystick ledger create` makes the log of it.
    """
    others = root_vkeys or []
    if root_quorum > len(others) + 1:
        raise UsageError(f"{len(others) + 1} root keys can't make a quorum of {root_quorum}: give more --root-vkey")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not an empty folder: choose another")
    root_seed = secrets.token_bytes(32)
    fields = _fields(origin, name, party, root_quorum, zone)
    at = reading.clock(log_time, lambda: fields["utc_offset_seconds"])()
    genesis = _genesis(fields, at, root_seed, others)
    locks = _Passphrases(
        reading.new_passphrase("the root key", passphrase_file, no_passphrase=no_passphrase),
        reading.new_passphrase("the log's key", log_passphrase_file, no_passphrase=no_passphrase),
        log_passphrase_file,
    )
    ledger, office = folder / LEDGER, folder / OFFICE
    try:
        log_key = _open_office(folder, genesis, root_seed, locks, {"source": url, "zone": zone})
        if root_quorum == 1:
            _found(ledger, genesis, log_key, locks.log_file)
    except BaseException:  # half a network is of no use, and in the next one's way
        for made in (ledger, office):
            shutil.rmtree(made, ignore_errors=True)
        raise
    if root_quorum > 1:
        output.line(f"{folder / OFFICE / GENESIS} is to be signed by {root_quorum - 1} of the other root keys; then:")
        log_file = folder / LEDGER / "keys" / "log.pem"
        output.line(f"tallystick ledger create {folder / LEDGER} --genesis {GENESIS} --log-key {log_file}")
        return
    output.line(f"{folder}: the network of {origin}")
    output.fields("", [("to serve", str(folder / LEDGER)), ("the network's office", str(folder / OFFICE))])


class _Genesis(NamedTuple):
    """Entry 0's note, made at which time, of which log, and by which party."""

    note: bytes
    at: int
    origin: str
    party: str
    is_complete: bool


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


def _genesis(fields: dict[str, Any], at: int, root_seed: bytes, others: list[str]) -> _Genesis:
    """Return entry 0's note, signed by the root key that is made here; nothing is written yet.

    Raises:
        UsageError: a name, an id or a vkey that entry 0 can't hold.
    """
    from tallystick.errors import MalformedError
    from tallystick.ledger.checking import check_notes
    from tallystick.signing.keys import SigningKey
    from tallystick.signing.note import sign_text
    from tallystick.vouchers.quantities import format_instant
    from tallystick.vouchers.refusals import Reason, Refusal
    from tallystick.vouchers.rulebook import command_text
    from tallystick.vouchers.state import State

    origin, party = fields["log"], fields["party"]
    try:
        root = SigningKey.from_seed(f"{party}/root-1", root_seed)
        more = {"signed_at": format_instant(at), "root_keys": [root.verifier.to_text(), *others]}
        note = sign_text(command_text(fields | more), root)
    except MalformedError as error:
        raise UsageError(str(error)) from None
    (answer,) = check_notes(lambda: State.empty(origin), [note], at)
    is_refused = isinstance(answer, Refusal)
    if isinstance(answer, Refusal) and answer.reason is not Reason.SIGNATURES_MISSING:
        raise UsageError(f"the network can't be founded so: {answer}")
    return _Genesis(note, at, origin, party, not is_refused)


def _open_office(
    folder: Path, genesis: _Genesis, root_seed: bytes, locks: _Passphrases, more: dict[str, str]
) -> "SigningKey":
    """Make both folders with their keys, and the office's profile; return the log's key."""
    from tallystick import keyfiles, profile
    from tallystick.ledger.opening import POLICY
    from tallystick.transparency.policy import Policy

    ledger, office = folder / LEDGER, folder / OFFICE
    for made in (ledger / "keys", office):
        made.mkdir(mode=0o700, parents=True)
    root_file, log_file = office / f"{genesis.party}-root-1.pem", ledger / "keys" / "log.pem"
    keyfiles.create(root_file, f"{genesis.party}/root-1", locks.root, unencrypted=locks.root is None, seed=root_seed)
    log = keyfiles.create(log_file, genesis.origin, locks.log, unencrypted=locks.log is None)
    (office / POLICY).write_bytes(Policy.for_log(log).to_text())
    said = {"log": genesis.origin, "party": genesis.party, "key": root_file.name, "policy": POLICY}
    profile.write(office / profile.NAME, said | more)
    if not genesis.is_complete:
        (office / GENESIS).write_bytes(genesis.note)
    return keyfiles.load(log_file, locks.log)


def _found(ledger: Path, genesis: _Genesis, log_key: "SigningKey", passphrase_file: Path | None) -> None:
    from tallystick.ledger.opening import create_ledger
    from tallystick.ledger.settings import write_settings

    with create_ledger(ledger, genesis.note, log_key, clock=lambda: genesis.at):
        write_settings(ledger, log_key.name, ledger / "keys" / "log.pem", passphrase_file)
