"""From a filled form to a signed note: what every command says is filled in, shown in plain words, and signed.

A document's hash is made here, and where the rules want one the nonce beside it: `FILE.nonce`, 32 random bytes, made
once and kept. Who has document and nonce can show what the log has the hash of.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

import os
import secrets
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tallystick import token_uris
from tallystick.cli import output, reading
from tallystick.errors import MalformedError, UsageError
from tallystick.forms.leaves import Surroundings
from tallystick.vouchers.quantities import SECOND_US, format_instant

if TYPE_CHECKING:
    from tallystick.cli import parameters
    from tallystick.cli.places import Place
    from tallystick.forms.form import Fault, Form
    from tallystick.forms.words import Names
    from tallystick.profile import Profile
    from tallystick.signing.keys import SigningKey

DETAILS_SHOWN: Final = 40
"""Lines below a command's sentence; the rest of a long statement is counted."""
_NONCE_SIZE: Final = 32
_YES: Final = ("y", "yes")


@dataclass(frozen=True, slots=True)
class Draft:
    """A command that isn't signed yet: its fields as JSON values, and its text."""

    fields: dict[str, Any]
    text: bytes


def surroundings(zone: int) -> Surroundings:
    """Return what the words of a form depend on, on this machine."""
    return Surroundings(zone, hash_of_file, _text_of)


def hash_of_file(name: str, with_nonce: bool) -> str:
    """Return the hash of a file, and if that is asked for of the nonce beside it, which is made if it isn't there.

    Raises:
        OSError: the file can't be read, or the nonce not written.
    """
    from tallystick.signing.algorithms import SHA256

    data = Path(name).read_bytes()
    return SHA256.of(data + _nonce_of(Path(f"{name}.nonce")) if with_nonce else data)


def _nonce_of(path: Path) -> bytes:
    from tallystick.durable_files import create_private, sync_folder

    try:
        opened = create_private(path, 0o600)
    except FileExistsError:
        nonce = path.read_bytes()
        if len(nonce) < _NONCE_SIZE:
            raise UsageError(f"{path} is no nonce: it has {len(nonce)} bytes, and should have {_NONCE_SIZE}") from None
        return nonce
    nonce = secrets.token_bytes(_NONCE_SIZE)
    with os.fdopen(opened, "wb") as file:
        file.write(nonce)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)
    return nonce


def _text_of(name: str) -> str:
    try:
        return reading.read_file(name).decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"is not UTF-8: byte {error.start} of {name}") from None


def new_ref(at: int) -> str:
    """Return a document number that no other command has: its day and time in UTC, and 32 random bits."""
    stamp = format_instant(at)[:19].replace("-", "").replace(":", "")
    return f"{stamp}-{secrets.token_hex(4)}"


def common_fields(profile: "Profile", place: "Place", ref: str | None, at: int) -> dict[str, str]:
    """Return what every command says.

    Raises:
        UsageError: nobody says for which party; or the log isn't the one that the profile names.
    """
    if profile.party is None:
        raise UsageError("which party gives this command? give --party, or write a profile with `tallystick init`")
    if profile.log is not None and profile.log != place.origin:
        raise UsageError(f"{profile.source} holds the log {place.origin}, and your profile says {profile.log}")
    at -= at % SECOND_US  # a person reads it
    return {"log": place.origin, "party": profile.party, "ref": ref or new_ref(at), "signed_at": format_instant(at)}


def drafted(
    form: "Form", words: Mapping[str, Sequence[str]], common: Mapping[str, str], zone: int
) -> "tuple[Draft | None, list[Fault]]":
    """Return the command that a form was filled in with, or all that is wrong with it.

    Raises:
        OSError: a file that is named can't be read.
    """
    from tallystick.cli.command_files import check_length
    from tallystick.forms.form import Fault
    from tallystick.vouchers.rulebook import command_text

    filled = form.read(words, surroundings(zone))
    faults = form.check(filled, common)
    if faults:
        return None, faults
    fields = {"kind": form.kind} | dict(common) | filled.fields
    try:
        check_length(fields)
        return Draft(fields, command_text(fields)), []
    except MalformedError as error:
        return None, [Fault(None, str(error))]


def show(fields: Mapping[str, Any], zone: int, names: "Names | None") -> None:
    """Show a command in plain words."""
    from tallystick.forms.words import in_words

    words = in_words(fields, zone, names)
    *lines, signed = words.lines()
    output.line(lines[0])
    for line in lines[1 : DETAILS_SHOWN + 1]:
        output.indented(line)
    if len(lines) > DETAILS_SHOWN + 1:
        output.indented(f"  and {len(lines) - DETAILS_SHOWN - 1:,} lines more")
    output.indented(signed)


def confirm(question: str, *, is_agreed: bool) -> bool:
    """Return whether a person says yes.

    Args:
        question: what is asked, on a terminal.
        is_agreed: it was said before.

    Raises:
        UsageError: there is nobody to ask.
    """
    if is_agreed:
        return True
    if not sys.stdin.isatty():
        raise UsageError("no terminal to ask whether that is what you mean: give --yes")
    sys.stdout.flush()
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in _YES


def profile_of(
    file: "parameters.ProfileFile",
    source: "parameters.ProfileSource",
    policy: "parameters.ProfilePolicy",
    passphrase_file: "parameters.SignerPassphrase",
    passphrase_command: "parameters.SignerPassphraseCommand",
    party: "parameters.ProfileParty" = None,
) -> "Profile":
    """Return the profile that holds here, below what options say.

    Raises:
        UsageError: the file isn't there, can't be believed, or something in it is wrong.
    """
    from tallystick import profile

    named = {"source": source, "party": party, "policy": policy}
    return profile.load(file, named | {"passphrase_file": passphrase_file, "passphrase_command": passphrase_command})


def keys_of(profile: "Profile", given: Sequence[str]) -> "Callable[[], list[SigningKey]]":
    """Return what opens the keys that sign, once: those given, or the profile's.

    It raises UsageError if there are none, KeyFileError or KeyTokenError if one can't be opened.
    """

    @cache
    def opened() -> "list[SigningKey]":
        named = list(given) or ([profile.key] if profile.key is not None else [])
        if not named:
            raise UsageError("which key signs this? give --sign-with FILE, or write a profile with `tallystick init`")
        passphrase_file = None if profile.passphrase_file is None else Path(profile.passphrase_file)
        return [
            reading.load_key(token_uris.key_place(name), passphrase_file, profile.passphrase_command) for name in named
        ]

    return opened
