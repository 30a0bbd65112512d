"""The log's key is changed step by step; the same command says at every step what is to be done, and does its part.

    ledger rekey SOURCE --next-log-key KEY

(1) the log names no change to that key yet    a note is written that the new key signed, for the network's officers
(2) it does, and both keys sign                settings and the trust policy of a ledger's folder name both
(3) the overlap is over                        settings name the new key alone; the policy keeps the old one's line
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from tallystick.cli import kinds, output, parameters, reading
from tallystick.errors import UsageError
from tallystick.named_files import NamedFile

if TYPE_CHECKING:
    from tallystick.signing.keys import SigningKey, VerifierKey
    from tallystick.sources import WritableSource
    from tallystick.token_uris import KeyPlace
    from tallystick.vouchers.log_keys import LogKeyChange
    from tallystick.vouchers.state import State

OVERLAP_DAYS: Final = 90


def ledger_rekey(
    source: parameters.LedgerSource,
    next_log_key: Annotated[parameters.KeyPlace, parameters.key_option("The key that is to sign from now on.")],
    log_key: parameters.LogKey = None,
    passphrase_file: Annotated[
        Path | None, typer.Option("--passphrase-file", help="Its first line is the next key's passphrase or PIN.")
    ] = None,
    passphrase_command: parameters.PassphraseCommand = None,
    overlap_days: Annotated[
        int, typer.Option(min=0, max=366, help="For so long both keys sign, and policies can be changed.")
    ] = OVERLAP_DAYS,
    note: Annotated[str, parameters.out("Where the note for the network's officers goes; - is stdout.")] = "rekey.note",
    log_time: parameters.LogTime = None,
    force: parameters.Force = False,
) -> None:
    """Change the log's key: do the next step, and say what follows. Give it again after each step.

    First it writes a note that the new key signed, for the network's officers to sign and to be submitted with
    --next-log-key. Once that is recorded it puts both keys into the settings and the trust policy of a ledger's
    folder; when the overlap is over, the new key alone into the settings.
    """
    from tallystick.cli.moments import zone_of

    clock = reading.clock(log_time, lambda: zone_of(source))
    key = reading.load_key(next_log_key, passphrase_file, passphrase_command)
    state = _state_of(source)
    change = state.log_keys[-1] if state.log_keys else None
    if change is None or change.new_vkey != key.verifier.to_text():
        old = change.new_vkey if change is not None else _present_key(source, log_key).to_text()
        out = NamedFile(note, kinds.SIGNED_COMMAND, force=force)
        out.write(_note(state, old, key, overlap_days, clock()))
        _say_what_to_sign(out, source, next_log_key)
        return
    is_over = max(clock(), state.at) >= change.overlap_until
    _settle(source, change, next_log_key, (passphrase_file, passphrase_command), is_over=is_over)


def _state_of(source: "WritableSource") -> "State":
    from tallystick.publishing.reader import read_ledger

    with output.progress("Reading the ledger") as progress, read_ledger(source) as reader:
        return reader.state(progress=progress)


def _present_key(source: "WritableSource", log_key: "KeyPlace | None") -> "VerifierKey":
    """Return the public half of the key that signs now."""
    from tallystick import keyfiles, token_keys
    from tallystick.ledger.settings import load_settings

    place = load_settings(source).log_key if log_key is None else log_key
    return keyfiles.show(place) if isinstance(place, Path) else token_keys.show(place)


def _note(state: "State", old_vkey: str, new: "SigningKey", overlap_days: int, at: int) -> bytes:
    """Return the command, signed by the new key.

    Raises:
        UsageError: the new key is of another name, or the old one.
    """
    from tallystick.signing.note import sign_text
    from tallystick.vouchers.quantities import format_instant
    from tallystick.vouchers.rulebook import command_text

    if state.network is None:
        raise UsageError("this log has no network yet: found it with the key that it is to have")
    if new.name != state.origin:
        raise UsageError(f"the next key is called {new.name}, and the log {state.origin}: its keys have its name")
    if new.verifier.to_text() == old_vkey:
        raise UsageError(f"{new.verifier.label} is the log's key already: give the one that is to follow it")
    fields = {
        "kind": "log.rekey/1",
        "log": state.origin,
        "party": state.network.party,
        "ref": f"log-key-{new.verifier.key_id.hex()}",
        "signed_at": format_instant(at),
        "old_vkey": old_vkey,
        "new_vkey": new.verifier.to_text(),
        "overlap_seconds": overlap_days * 86_400,
    }
    return sign_text(command_text(fields), new)


def _say_what_to_sign(out: NamedFile, source: "WritableSource", next_log_key: "KeyPlace") -> None:
    output.line_about(out, f"{out.name}: the new key signed it; the network's officers sign it too, each with")
    output.line_about(out, f"  tallystick sign {out.name} --key KEY -o {out.name}")
    output.line_about(out, f"then  tallystick submit {source} {out.name} --next-log-key {next_log_key}")
    output.line_about(out, "and the same command as now again")


def _settle(
    source: "WritableSource",
    change: "LogKeyChange",
    next_log_key: "KeyPlace",
    given: "tuple[Path | None, str | None]",
    *,
    is_over: bool,
) -> None:
    """Have the settings and the policy of a ledger's folder follow the log, or say what the environment must say."""
    from tallystick.ledger.settings import change_log_keys
    from tallystick.sources import folder_of
    from tallystick.vouchers.quantities import format_instant

    name = "log_key" if is_over else "next_log_key"
    until = format_instant(change.overlap_until)
    output.line(
        f"entry {change.index} changed the log's key; "
        + (f"since {until} the new one signs alone" if is_over else f"until {until} both sign")
    )
    folder = folder_of(source)
    if folder is None:
        output.line(f"set TALLYSTICK_{name.upper()}={next_log_key} for the writer, and its passphrase beside it")
    else:
        change_log_keys(folder, name, next_log_key, *given)
        output.line(f"{folder / 'ledger.toml'}: {name} = {next_log_key}")
        _add_to_policy(folder, change)
    if is_over:
        output.line("destroy the old key; policies keep its line for what it signed")
    else:
        output.line(f"hand out, as you did the first key, by {until}:\n  log {change.new_vkey}")


def _add_to_policy(folder: Path, change: "LogKeyChange") -> None:
    """Have the folder's trust policy name both keys; other policies are their owners'."""
    from tallystick.durable_files import PRIVATE_MODE, whole_file
    from tallystick.ledger.opening import POLICY
    from tallystick.signing.keys import VerifierKey
    from tallystick.transparency.policy import LogLine, Policy

    path = folder / POLICY
    if not path.exists():
        return
    policy = Policy.from_text(path.read_bytes())
    new = VerifierKey.from_text(change.new_vkey)
    if any(isinstance(line, LogLine) and line.vkey == new for line in policy.lines):
        return
    with whole_file(path, PRIVATE_MODE) as file:
        file.write(Policy((*policy.lines, LogLine(new))).to_text())
    output.line(f"{path}: names both keys")
