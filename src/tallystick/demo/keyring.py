"""Every party's keys are really made, and kept as encrypted key files in one folder.

    keys/passphrase                         one for all of them, mode 0600
    keys/log.pem                            the log's own (log-2.pem before it is, log-1.pem afterwards)
    keys/shanghai-treasury/officer-1.pem    a party's, named as its key is

Only a demonstration keeps all keys in one place.
"""

import os
import secrets
from pathlib import Path
from typing import Final

from tallystick import keyfiles
from tallystick.signing.keys import SigningKey

PASSPHRASE: Final = "passphrase"  # noqa: S105 - a file's name
LOG_KEY: Final = "log.pem"
NEXT_LOG_KEY: Final = "log-2.pem"
FIRST_LOG_KEY: Final = "log-1.pem"


class Keyring:
    """The keys of all parties; a party signs with those that it has put to use.

    Attributes:
        log_key, next_log_key: the log's, once they are made.
    """

    log_key: SigningKey
    next_log_key: SigningKey

    def __init__(self, folder: Path) -> None:
        """Make the folder, which must not be there, and the passphrase."""
        self._folder = folder
        folder.mkdir(mode=0o700)
        self.passphrase_file = folder / PASSPHRASE
        self.log_key_file = folder / LOG_KEY
        self.next_log_key_file = folder / NEXT_LOG_KEY
        self._passphrase = secrets.token_urlsafe(24).encode()
        file = os.open(self.passphrase_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "wb") as stream:
            stream.write(self._passphrase + b"\n")
        self._in_use: dict[str, tuple[SigningKey, ...]] = {}

    def create_log_key(self, origin: str) -> SigningKey:
        """Return a new key that signs checkpoints; its name is the log's origin."""
        self.log_key = self._create(self.log_key_file, origin)
        return self.log_key

    def create_next_log_key(self, origin: str) -> SigningKey:
        """Return a new key that will sign checkpoints in the place of the first."""
        self.next_log_key = self._create(self.next_log_key_file, origin)
        return self.next_log_key

    def retire_first_log_key(self) -> None:
        """Let the next key have the first one's place, also by its file's name."""
        self.log_key_file.rename(self._folder / FIRST_LOG_KEY)
        self.next_log_key_file.rename(self.log_key_file)

    def create(self, party: str, label: str) -> SigningKey:
        """Return a new key of a party; the party doesn't sign with it yet."""
        folder = self._folder / party
        folder.mkdir(mode=0o700, exist_ok=True)
        return self._create(folder / f"{label}.pem", f"{party}/{label}")

    def use(self, party: str, *keys: SigningKey) -> None:
        """Let a party sign with these keys from now on."""
        self._in_use[party] = keys

    def keys_of(self, party: str) -> tuple[SigningKey, ...]:
        """Return the keys that a party signs with."""
        return self._in_use[party]

    def _create(self, path: Path, name: str) -> SigningKey:
        keyfiles.create(path, name, self._passphrase)
        return keyfiles.load(path, self._passphrase)
