"""A party joins a network: it makes its first key, and an admission for its admitter to sign.

    join DIR --source URL --policy FILE --party ID --role ROLE --name NAME --by ADMITTER

    DIR/<party>-officer-1.pem     its key, unless that is made in a token
    DIR/trust.policy              the policy, as it was given
    DIR/tallystick.toml           its profile
    DIR/admission.note            party.admit, signed by the new key: handed to the admitter, who checks who sends it

The private key never leaves the folder, or the token. The admitter signs with `tallystick cosign admission.note
--send`, or in a sheet. A network that isn't founded yet has no policy: `--origin` says its name instead, so that it can
admit its first parties when it is founded, and the policy is put into the folder then.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from tallystick.cli import output, parameters, reading
from tallystick.cli.new_keys import Lock, profile_key, wanted_key
from tallystick.errors import MalformedError, UsageError

if TYPE_CHECKING:
    from tallystick.signing.keys import SigningKey
    from tallystick.sources import Source

ADMISSION: Final = "admission.note"
POLICY: Final = "trust.policy"


def add_commands(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command()(join)


def join(
    folder: Annotated[parameters.Folder, parameters.folder("A new folder, or an empty one.")],
    source: parameters.JoinedSource,
    party: Annotated[str, typer.Option(help="The id that the party is to have.")],
    role: Annotated[str, typer.Option(help="treasury, provider, auditor, operator, attester or holder.")],
    by: Annotated[str, typer.Option(help="Who admits it: of a holder a treasury, of others the network's party.")],
    policy: Annotated[Path | None, typer.Option(help="The network's trust policy, obtained out of band.")] = None,
    origin: Annotated[
        str | None, typer.Option(help="The log's name, of a network that is yet to be founded and has no policy.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="The party's name in words.")] = None,
    uscc: Annotated[str | None, typer.Option(help="Its unified social credit code.")] = None,
    zone: Annotated[str, typer.Option(help="The network's offset from UTC.")] = "+08:00",
    token: parameters.NewKeyToken = None,
    passphrase_file: parameters.NewKeyPassphrase = None,
    passphrase_command: parameters.PassphraseCommand = None,
    no_passphrase: parameters.NoPassphrase = False,
    log_time: parameters.LogTime = None,
) -> None:
    """Make a party's first key, its profile, and the admission that its admitter is to sign."""
    from tallystick import profile

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not an empty folder: choose another")
    log = _log_of(policy, origin)
    fields = {
        "kind": "party.admit/1",
        "log": log,
        "party": by,
        "admitted": party,
        "role": role,
        **{field: value for field, value in (("name", name), ("uscc", uscc)) if value is not None},
    }
    offset_seconds = _check(fields, party, zone)
    at = reading.clock(log_time, lambda: offset_seconds)()
    lock = Lock(passphrase_file, passphrase_command, no_passphrase)
    key = wanted_key(f"{party}/officer-1", folder / f"{party}-officer-1.pem", token, lock)
    is_new = not folder.exists()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        place = key.make()[1]
        if policy is not None:
            (folder / POLICY).write_bytes(reading.read_file(str(policy)))
        said = {"source": _from_anywhere(source), "log": log, "party": party, "policy": POLICY, "zone": zone}
        profile.write(folder / profile.NAME, said | profile_key(place, lock))
        (folder / ADMISSION).write_bytes(_admission(fields, key.load(place), at))
    except BaseException:  # half a party is of no use, and in the next one's way
        for made in folder.iterdir():
            made.unlink()
        if is_new:
            folder.rmdir()
        raise
    output.line(f"{folder / ADMISSION}: hand it to {by}, who signs it with `tallystick cosign {ADMISSION} --send`")
    if policy is None:
        output.line(f"{folder / POLICY}: put the network's trust policy there, once it is founded")


def _from_anywhere(source: "Source") -> str:
    """Return a source as the profile names it, which has a folder of its own: a folder's path from the root."""
    from tallystick.sources import LedgerDatabase, StaticUrl

    if isinstance(source, StaticUrl):
        return ",".join(source.urls)
    if isinstance(source, LedgerDatabase):
        return source.url
    return str(source.folder.absolute())


def _log_of(policy: Path | None, origin: str | None) -> str:
    """Return the origin of the log that is joined.

    Raises:
        UsageError: neither or both say it, or a policy of several logs, or none.
    """
    if (policy is None) == (origin is None):
        raise UsageError("which network is joined? give its --policy, or the --origin of one that isn't founded yet")
    if policy is None:
        assert origin is not None
        return origin
    names = {line.vkey.name for line in reading.read_policy(policy).logs}
    if len(names) != 1:
        raise UsageError(f"{policy} is of {len(names)} logs: give the policy of the one that is joined")
    return names.pop()


def _check(fields: dict[str, Any], party: str, zone: str) -> int:
    """Return the offset in seconds; refuse before anything is made what an admission or a profile can't say.

    Raises:
        UsageError: a name, an id, a code or an offset that is none.
    """
    from tallystick.forms.amounts import read_offset
    from tallystick.signing.keys import SigningKey

    try:
        offset_seconds = read_offset(zone)
    except ValueError as error:
        raise UsageError(f"--zone {error}") from None
    try:
        _admission(fields, SigningKey.from_seed(f"{party}/officer-1", bytes(32)), 0)
    except MalformedError as error:
        raise UsageError(str(error)) from None
    return offset_seconds


def _admission(fields: dict[str, Any], key: "SigningKey", at: int) -> bytes:
    """Return the admission as the new key signs it."""
    from tallystick.cli.drafting import new_ref
    from tallystick.signing.note import sign_text
    from tallystick.vouchers.quantities import format_instant
    from tallystick.vouchers.rulebook import command_text

    more = {"ref": new_ref(at), "signed_at": format_instant(at), "keys": [key.verifier.to_text()]}
    return sign_text(command_text(fields | more), key)
