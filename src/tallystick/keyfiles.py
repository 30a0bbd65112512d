"""A private key lies in a file that only its owner can read, that was written whole, and that knows its own name.

The file is one line `vkey: <vkey text>` and a PKCS#8 private key in PEM (RFC 7468), encrypted with a passphrase unless
asked otherwise. OpenSSL passes over what stands before BEGIN, so `openssl pkey -in FILE` reads it as it is.

Writing: a temporary file of mode 0600 in the same folder, synced, then linked to its name, which fails if the name is
taken, so no key is ever overwritten. A crash leaves the whole file or none, at worst with the temporary file beside it.
Only a change of the passphrase renames it over the old file, which holds the same key.
Reading: the mode is asked of the opened file, not of its path, so that it can't be swapped in between; the public key
derived must be the vkey line's.

No passphrase and no key byte gets into a message. The passphrase is stretched by PBKDF2 with few rounds (2,048), which
is what `cryptography` writes: a weak passphrase stays weak. There is no recovery of a lost one.
"""

import errno
import os
import secrets
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, cast

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from tallystick.durable_files import sync_folder
from tallystick.errors import KeyFileError, KeyMalformedError
from tallystick.signing.algorithms import SIGNER, PrivateKey, SignatureAlgorithm
from tallystick.signing.keys import SEED_SIZE, SigningKey, VerifierKey

FILE_SIZE_MAX: Final = 16_384
PASSPHRASE_SIZE_MAX: Final = 1_023  # OpenSSL's own limit

_NO_LINKS: Final = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS)
_VKEY_PREFIX: Final = b"vkey: "
_ENCRYPTED: Final = b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
_PLAIN: Final = b"-----BEGIN PRIVATE KEY-----\n"


def create(
    path: Path,
    name: str,
    passphrase: bytes | None,
    *,
    unencrypted: bool = False,
    algorithm: SignatureAlgorithm = SIGNER,
    seed: bytes | None = None,
) -> VerifierKey:
    """Make a key, keep it in a new file, and return its public half.

    Args:
        path: a file that doesn't exist yet, in a folder that does.
        name: the key's name, `<party>/<label>`.
        passphrase: what encrypts it, 1 to 1,023 bytes; None only together with `unencrypted`.
        unencrypted: keep it in the clear, for tests and demonstrations.
        algorithm: of the key.
        seed: 32 bytes to make the key from instead of fresh randomness, for tests and demonstrations.

    Raises:
        KeyFileError: the file exists or can't be written, or others could read it there; or the passphrase is empty or
            too long.
        KeyMalformedError: an unfit name.
        ValueError: neither or both of a passphrase and `unencrypted`; a seed that is none.
    """
    if (passphrase is None) != unencrypted:
        raise ValueError("give either a passphrase or unencrypted=True")
    private = algorithm.private_key(secrets.token_bytes(SEED_SIZE) if seed is None else seed)
    verifier = SigningKey.of(name, algorithm, private).verifier
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, _encryption(passphrase))
    _write_new(path, _in_file(verifier, pem))
    return verifier


def show(path: Path) -> VerifierKey:
    """Return the public half of the key in a file, which needs no passphrase.

    Raises:
        KeyFileError: as for `load`, as far as it can be told without the passphrase.
    """
    return _split(path)[0]


def is_locked(path: Path) -> bool:
    """Return whether a key file is encrypted; False also of what is no key file, which `load` says.

    Raises:
        KeyFileError: it can't be read, or others could.
    """
    return _ENCRYPTED in _read_private(path)


def is_for_others(path: Path, mode: int) -> bool:
    """Return whether a file of this mode may be opened by others than its owner.

    A credential that systemd hands to its unit is readable by an access list: its mode says so of the group, though the
    group has no right.
    """
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    is_handed_over = folder is not None and path.parent == Path(folder)
    return bool(mode & (stat.S_IRWXO | (stat.S_IWGRP if is_handed_over else stat.S_IRWXG)))


def change_passphrase(path: Path, passphrase: bytes | None, new: bytes | None, *, unencrypted: bool = False) -> None:
    """Encrypt the key in a file with another passphrase; the file is the old one until the new one is durable.

    Args:
        path: the file; links may lead to it, and stay.
        passphrase: what encrypts it; None if it is in the clear.
        new: what is to encrypt it, 1 to 1,023 bytes; None only together with `unencrypted`.
        unencrypted: keep it in the clear.

    Raises:
        KeyFileError: as for `load`; or it can't be written, or the new passphrase is empty or too long.
        ValueError: neither or both of a new passphrase and `unencrypted`.
    """
    if (new is None) != unencrypted:
        raise ValueError("give either a passphrase or unencrypted=True")
    path = Path(os.path.realpath(path))
    verifier, pem = _split(path)
    private = _private_of(path, verifier, pem, passphrase)
    encoded = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, _encryption(new))
    _replace(path, _in_file(verifier, encoded))


def load(path: Path, passphrase: bytes | None) -> SigningKey:
    """Return the key in a file; links may lead to it.

    Args:
        path: the file.
        passphrase: what encrypts it; None if it is in the clear.

    Raises:
        KeyFileError: the file is missing, accessible to others, damaged or not a key file; the passphrase is missing,
            wrong or not needed; or the vkey line is another key's. The text is one line and says what to do.
    """
    verifier, pem = _split(path)
    return SigningKey(verifier, _private_of(path, verifier, pem, passphrase))


def _in_file(verifier: VerifierKey, pem: bytes) -> bytes:
    return b"%s%s\n%s" % (_VKEY_PREFIX, verifier.to_text().encode(), pem)


def _split(path: Path) -> tuple[VerifierKey, bytes]:
    """Return the vkey that a key file says, and its private key in PEM.

    Raises:
        KeyFileError: as for `load`.
    """
    first_line, newline, pem = _read_private(path).partition(b"\n")
    if not newline or not first_line.startswith(_VKEY_PREFIX) or not pem.startswith((_ENCRYPTED, _PLAIN)):
        raise KeyFileError(f"{path} is not a key file: a line 'vkey: ...' and then a PKCS#8 private key in PEM")
    try:
        return VerifierKey.from_text(first_line.removeprefix(_VKEY_PREFIX).decode()), pem
    except (KeyMalformedError, UnicodeDecodeError) as error:
        raise KeyFileError(f"{path} has a bad vkey line: {error}") from None


def _private_of(path: Path, verifier: VerifierKey, pem: bytes, passphrase: bytes | None) -> PrivateKey:
    """Return the private key, which must be the one that the file says."""
    private = _decrypt(path, pem, passphrase, verifier.kind)
    if SigningKey.of(verifier.name, verifier.kind, private).verifier != verifier:
        raise KeyFileError(f"the vkey line of {path} does not belong to the private key below it")
    return private


def _encryption(passphrase: bytes | None) -> KeySerializationEncryption:
    if passphrase is None:
        return NoEncryption()
    if not 0 < len(passphrase) <= PASSPHRASE_SIZE_MAX:
        raise KeyFileError(f"a passphrase has 1 to {PASSPHRASE_SIZE_MAX} bytes, not {len(passphrase)}")
    return BestAvailableEncryption(passphrase)


def _decrypt(path: Path, pem: bytes, passphrase: bytes | None, kind: SignatureAlgorithm) -> PrivateKey:
    encrypted = pem.startswith(_ENCRYPTED)
    if encrypted and not passphrase:
        raise KeyFileError(f"{path} is encrypted: give its passphrase")
    if not encrypted and passphrase is not None:
        raise KeyFileError(f"{path} is not encrypted: give no passphrase, or lock it with `tallystick key passphrase`")
    try:
        private = load_pem_private_key(pem, passphrase)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # their texts are about OpenSSL, not about the file
        trouble = "cannot be decrypted: the passphrase is wrong, or it is damaged" if encrypted else "is damaged"
        raise KeyFileError(f"{path} {trouble}") from None
    if not isinstance(private, kind.private_type):
        raise KeyFileError(f"{path} holds a private key that is not {kind.name}'s")
    return cast(PrivateKey, private)


def _read_private(path: Path) -> bytes:
    try:
        # Not blocking: opening a named pipe would otherwise wait for a writer for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise KeyFileError(f"there is no key file {path}") from None
    except OSError as error:
        raise KeyFileError(f"cannot read the key file {path}: {error.strerror}") from None
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise KeyFileError(f"{path} is not a file")
        if is_for_others(path, mode):
            raise KeyFileError(f"others may open {path} (mode {stat.S_IMODE(mode):04o}): chmod 600 {path}")
        data = os.read(descriptor, FILE_SIZE_MAX + 1)
    finally:
        os.close(descriptor)
    if len(data) > FILE_SIZE_MAX:
        raise KeyFileError(f"{path} is not a key file: it is larger than {FILE_SIZE_MAX} bytes")
    return data


def _write_new(path: Path, data: bytes) -> None:
    if str(path) in ("-", "."):
        raise KeyFileError(f"a key goes into a file, and {path} is none: give a file's name")
    if not path.parent.exists():
        raise KeyFileError(f"cannot write the key file {path}: there is no folder {path.parent}")
    try:
        with _aside(path, data) as temporary:
            os.link(temporary, path)  # a rename would replace a key that is there
        sync_folder(path.parent)
    except FileExistsError:
        raise KeyFileError(f"{path} exists already, and a key is never overwritten: choose another name") from None
    except OSError as error:
        trouble = "its file system has no hard links" if error.errno in _NO_LINKS else error.strerror
        raise KeyFileError(f"cannot write the key file {path}: {trouble}") from None


def _replace(path: Path, data: bytes) -> None:
    try:
        with _aside(path, data) as temporary:
            owner = path.stat()
            if (owner.st_uid, owner.st_gid) != (os.geteuid(), os.getegid()):
                os.chown(temporary, owner.st_uid, owner.st_gid)
            temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise KeyFileError(f"cannot write the key file {path}, which is as it was: {error.strerror}") from None


@contextmanager
def _aside(path: Path, data: bytes) -> Iterator[Path]:
    """Give the path of a durable file beside a key's, of mode 0600, which is gone at the end unless it was moved.

    Raises:
        KeyFileError: others could read a key there.
        OSError: it can't be written.
    """
    descriptor, temporary = tempfile.mkstemp(prefix=".key-", dir=path.parent)  # O_EXCL, mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            # Asked before a byte of it is written: there are file systems that can't keep anybody out.
            mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
            if mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise KeyFileError(
                    f"{path} would be open to others (mode {mode:04o}): the file system of {path.parent} has no "
                    "permissions; keep keys on one that has"
                )
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        yield Path(temporary)
    finally:
        Path(temporary).unlink(missing_ok=True)
