"""A new key, in a file or in a PKCS#11 token: what is asked is asked first, and then it is made."""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tallystick.cli import reading
from tallystick.errors import KeyFileError, UsageError

if TYPE_CHECKING:
    from tallystick.signing.keys import SigningKey, VerifierKey
    from tallystick.token_uris import KeyPlace, TokenUri


@dataclass(frozen=True, slots=True)
class Lock:
    """What locks a new key, as it was said on the command line.

    Attributes:
        passphrase_file, passphrase_command: of the passphrase, or of the token's PIN.
        is_open: whether the key is left unlocked.
    """

    passphrase_file: Path | None = None
    passphrase_command: str | None = None
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that is to be made.

    Attributes:
        name: the key's.
        file: where it goes; None for a token.
        token: the token that it is made in; None for a file.
    """

    name: str
    file: Path | None
    token: "TokenUri | None"
    _secret: bytes | None = field(repr=False)

    def make(self) -> "tuple[VerifierKey, KeyPlace]":
        """Make the key, and return its public half and where it is.

        Raises:
            KeyFileError, KeyTokenError: it can't be made there.
        """
        if self.token is not None:
            from tallystick import token_keys

            return token_keys.create(self.token, self.name, self._pin)
        from tallystick import keyfiles

        assert self.file is not None
        return keyfiles.create(self.file, self.name, self._secret, unencrypted=self._secret is None), self.file

    def load(self, place: "KeyPlace") -> "SigningKey":
        """Return the key that was made, to sign with."""
        if isinstance(place, Path):
            from tallystick import keyfiles

            return keyfiles.load(place, self._secret)
        from tallystick import token_keys

        return token_keys.load(place, self._pin)

    def _pin(self, token: str) -> bytes:
        return reading.ask_pin(token) if self._secret is None else self._secret


def wanted_key(name: str, file: Path | None, token: str | None, lock: Lock) -> NewKey:
    """Return the key that is to be made, with its passphrase, which is asked for if no option says where it is.

    Args:
        name: the key's.
        file: where it goes, if there is no token.
        token: the URI of the token that it is made in.
        lock: what locks it.

    Raises:
        UsageError: options that exclude each other, or no such URI.
        KeyFileError: the file is there, or there is no passphrase to be had.
        OSError: the passphrase file can't be read.
    """
    if token is not None:
        from tallystick.token_uris import TokenUri

        if lock.is_open:
            raise UsageError("--no-passphrase is for key files: a token has a PIN")
        pin = reading.given_passphrase(lock.passphrase_file, lock.passphrase_command)
        return NewKey(name, None, TokenUri.from_text(token), pin)
    assert file is not None
    if file.exists():  # before anybody types a passphrase twice for nothing
        raise KeyFileError(f"{file} exists already, and keys are never overwritten: choose another name")
    secret = reading.new_passphrase(
        str(file), lock.passphrase_file, lock.passphrase_command, no_passphrase=lock.is_open
    )
    return NewKey(name, file, None, secret)


def profile_key(place: "KeyPlace", lock: Lock) -> dict[str, str]:
    """Return what a profile says of a key that lies in its folder, or in a token, and of what unlocks it."""
    said = {"key": place.name if isinstance(place, Path) else place.to_text()}
    if lock.passphrase_file is not None:
        said["passphrase_file"] = str(lock.passphrase_file.absolute())
    if lock.passphrase_command is not None:
        said["passphrase_command"] = lock.passphrase_command
    return said
