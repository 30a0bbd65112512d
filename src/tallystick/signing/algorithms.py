"""The one table of algorithms: what may sign, and what a hash in a field may be made with.

Every key and every hash in a field names its algorithm, so another one is a row more here, and no format changes:

    a vkey            base64(type || public key), the type as C2SP signed-note assigns it; one that it doesn't know is
                      ff, and its public keys begin with a longer identifier
    a signature line  has the key's id, which is a hash of type and public key
    a hash in a field `sha256:` and the digest in lower-case hex

A row more changes what is accepted, so it is of a new edition of the rules (docs/decisions/0081): a log of an earlier
edition is decided without it. What specifications fix to SHA-256 (tree hashes, key ids) isn't looked up here.

Which keys and signatures of Ed25519 are refused is in ed25519.py.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tallystick.errors import KeyMalformedError, MalformedError
from tallystick.field_faults import shown
from tallystick.signing import ed25519

Use = Literal["notes", "cosignatures"]

_UNASSIGNED: Final = 0xFF


class Signer(Protocol):
    """What signs with one private key: a key in memory, or a device that holds it."""

    def sign(self, data: bytes, /) -> bytes:
        """Return the signature of some bytes."""


class PrivateKey(Signer, Protocol):
    """A private key in memory."""

    def public_key(self) -> Any:  # noqa: ANN401 - a library's, each algorithm's own
        """Return its public half, which has `public_bytes_raw`."""

    def private_bytes(self, encoding: Any, format: Any, encryption_algorithm: Any) -> bytes:  # noqa: A002, ANN401
        """Return it encoded, for a key file."""


@dataclass(frozen=True, slots=True)
class SignatureAlgorithm:
    """What a key may be of.

    Attributes:
        type_byte: what names it in a vkey and in a key's id (C2SP signed-note).
        name: for people.
        use: what its keys sign: notes, or a checkpoint's cosignatures.
        key_size: of a public key, in bytes, without the identifier.
        flaw_of: what is wrong with a public key of that size; None if nothing is.
        verify: return if a signature (second) of a message (third) is a public key's (first).
        private_type: the library's class of private keys.
        private_key: the private key of a seed of 32 secret bytes.
        edition: of the rules, from which on commands may name it.
        identifier: what its public keys begin with, where the type is ff.
    """

    type_byte: int
    name: str
    use: Use
    key_size: int
    flaw_of: Callable[[bytes], str | None]
    verify: Callable[[bytes, bytes, bytes], None]
    private_type: type
    private_key: Callable[[bytes], PrivateKey]
    edition: int = 1
    identifier: bytes = b""

    @property
    def prefix(self) -> bytes:
        """What its vkeys begin with in their base64."""
        return bytes([self.type_byte]) + self.identifier


def _ed25519(type_byte: int, name: str, use: Use) -> SignatureAlgorithm:
    size, flaw_of, verify = ed25519.POINT_SIZE, ed25519.flaw_of, ed25519.verify
    private_key = Ed25519PrivateKey.from_private_bytes
    return SignatureAlgorithm(type_byte, name, use, size, flaw_of, verify, Ed25519PrivateKey, private_key)


SIGNER: Final = _ed25519(0x01, "Ed25519", "notes")
"""What a new key is of; root keys and logs' keys are of it in every edition: every version can verify these."""
COSIGNER: Final = _ed25519(0x04, "Ed25519 cosignature", "cosignatures")
"""What a witness's key is of (C2SP tlog-cosignature). It signs another message, with plain Ed25519 too."""
SIGNATURE_ALGORITHMS: Final = {one.prefix: one for one in (SIGNER, COSIGNER)}
"""By what their vkeys begin with in their base64."""


def signature_algorithm(type_byte: int, public_key: bytes) -> SignatureAlgorithm:
    """Return what a key is of.

    Raises:
        KeyMalformedError: of an algorithm that isn't known; the text goes on after the key's name.
    """
    found = SIGNATURE_ALGORITHMS.get(bytes([type_byte]))
    if found is None and type_byte == _UNASSIGNED:
        begin = bytes([type_byte]) + public_key
        found = next((one for prefix, one in SIGNATURE_ALGORITHMS.items() if begin.startswith(prefix)), None)
    if found is None:
        known = ", ".join(f"0x{one.prefix.hex()} ({one.name})" for one in SIGNATURE_ALGORITHMS.values())
        raise KeyMalformedError(f"has algorithm 0x{type_byte:02x}, and known are {known}")
    return found


def names_of(use: Use, edition: int | None = None) -> str:
    """Return the names of what may sign that, as an edition of the rules has them; without one, all."""
    rows = [one for one in SIGNATURE_ALGORITHMS.values() if one.use == use]
    return " or ".join(one.name for one in rows if edition is None or one.edition <= edition)


@dataclass(frozen=True, slots=True)
class HashFunction:
    """A function that a hash in a field may be made with.

    Attributes:
        name: what stands before the colon.
        size: of a digest, in bytes.
        digest: the digest of some bytes.
        edition: of the rules, from which on commands may name it.
    """

    name: str
    size: int
    digest: Callable[[bytes], bytes]
    edition: int = 1

    def of(self, data: bytes) -> str:
        """Return the hash of some bytes, as it stands in a field."""
        return self.to_text(self.digest(data))

    def to_text(self, digest: bytes) -> str:
        """Return a digest as it stands in a field."""
        return f"{self.name}:{digest.hex()}"

    def digest_in(self, text: str) -> bytes:
        """Return the digest of a hash in a field.

        Raises:
            MalformedError: not a hash of this function.
        """
        function, digest = hash_from_text(text)
        if function != self:
            raise MalformedError(f"must begin with {self.name}:, not {shown(text)}")
        return digest


SHA256: Final = HashFunction("sha256", 32, lambda data: hashlib.sha256(data).digest())
"""What the rules make hashes with."""
HASH_FUNCTIONS: Final = {one.name: one for one in (SHA256,)}
"""By name."""


def hash_from_text(text: str, edition: int | None = None) -> tuple[HashFunction, bytes]:
    """Return the function and the digest of a hash in a field.

    Args:
        text: of the field.
        edition: of the rules, whose functions alone are known; without one all are.

    Raises:
        MalformedError: a function that isn't known, or not its digest in lower-case hex.
    """
    name, _, digits = text.partition(":")
    functions = [one for one in HASH_FUNCTIONS.values() if edition is None or one.edition <= edition]
    function = next((one for one in functions if one.name == name), None)
    if function is None:
        known = " or ".join(f"{one.name}:" for one in functions)
        raise MalformedError(f"must begin with the name of a known hash function, {known}, not {shown(text)}")
    if len(digits) != 2 * function.size or digits.strip("0123456789abcdef"):
        raise MalformedError(f"must be {name}: and {2 * function.size} of 0-9 and a-f, not {shown(text)}")
    return function, bytes.fromhex(digits)


def newest_edition() -> int:
    """Return the edition of the rules from which on every algorithm of the table is known."""
    signing = [one.edition for one in SIGNATURE_ALGORITHMS.values()]
    return max([*signing, *[one.edition for one in HASH_FUNCTIONS.values()]])
