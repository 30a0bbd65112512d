"""A key is a name and a public key of an algorithm; its id binds these, and nobody can hold a key that verifies all.

Names, ids and the vkey text are C2SP signed-note's (v1.0.0, "Signatures" and "Verifier keys"):

    key id = SHA-256(name || 0x0A || algorithm || public key)[:4]
    vkey   = <name>+<key id, 8 lower-case hex digits>+<base64(algorithm || public key)>

Which algorithms there are is in algorithms.py, and which keys and signatures of Ed25519 are refused in ed25519.py.

Nothing here says whether a key counts, and a key id is a hint: 32 bits collide on demand, so never trust it alone.
"""

import binascii
import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Self

from tallystick.errors import KeyMalformedError, SignatureInvalidError
from tallystick.signing.algorithms import (
    COSIGNER,
    SIGNER,
    PrivateKey,
    SignatureAlgorithm,
    Signer,
    signature_algorithm,
)
from tallystick.signing.ed25519 import KEYS_CACHED_MAX

ED25519: Final = SIGNER.type_byte
COSIGNATURE_ED25519: Final = COSIGNER.type_byte

KEY_ID_SIZE: Final = 4
SEED_SIZE: Final = 32
KEY_NAME_LENGTH_MAX: Final = 255
"""Ours: the format knows no limit, but names are remembered, and repeated in refusals."""

_VKEY_LENGTH_MAX: Final = 4_096


@lru_cache(KEYS_CACHED_MAX)
def check_key_name(name: str) -> None:
    """Refuse what a signature line can't carry as a key's name.

    Raises:
        KeyMalformedError: empty, longer than 255 characters, or with a plus, Unicode white space, a control character
            or a lone surrogate.
    """
    if len(name) > KEY_NAME_LENGTH_MAX:
        raise KeyMalformedError(f"key name {name!a:.40}... is longer than {KEY_NAME_LENGTH_MAX} characters")
    # split() cuts at all Unicode white space and drops the empty, so only a non-empty name without any survives whole.
    if "+" in name or name.split() != [name] or (not name.isprintable() and _has_unprintable(name)):
        raise KeyMalformedError(f"key name {name!a:.40} is empty or has a plus, white space or a control character")


def _has_unprintable(name: str) -> bool:
    return any(character < " " or "\ud800" <= character <= "\udfff" for character in name)


def key_id(name: str, algorithm: int, public_key: bytes) -> bytes:
    """Return the 4 bytes that name a key beside its name."""
    return hashlib.sha256(b"%s\n%c%s" % (name.encode(), algorithm, public_key)).digest()[:KEY_ID_SIZE]


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key and the name that it signs under.

    Attributes:
        name: the key's.
        algorithm: its type, a byte.
        public_key: what follows that byte in a vkey.
        key_id: 4 bytes.
        kind: the algorithm, with all that is known of it.

    Raises:
        KeyMalformedError: an unfit name, an unknown algorithm, or a public key of another size, or one that its
            algorithm refuses.
    """

    name: str
    algorithm: int
    public_key: bytes
    key_id: bytes = field(init=False, repr=False, compare=False)
    kind: SignatureAlgorithm = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_key_name(self.name)
        try:
            kind = signature_algorithm(self.algorithm, self.public_key)
        except KeyMalformedError as error:
            raise KeyMalformedError(f"key {self.name} {error}") from None
        size, expected = len(self.public_key), len(kind.identifier) + kind.key_size
        if size != expected:
            raise KeyMalformedError(f"key {self.name} has {size} bytes instead of {expected}")
        flaw = kind.flaw_of(self.public_key[len(kind.identifier) :])
        if flaw is not None:
            raise KeyMalformedError(f"key {self.name} {flaw}")
        object.__setattr__(self, "kind", kind)
        object.__setattr__(self, "key_id", key_id(self.name, self.algorithm, self.public_key))

    @classmethod
    def from_text(cls, vkey: str) -> "VerifierKey":
        """Return the key of a vkey text.

        Raises:
            KeyMalformedError: not a vkey in its canonical encoding, a key id that isn't the key's, or a refused key.
        """
        return _read_vkey(vkey)

    def to_text(self) -> str:
        """Return the vkey text."""
        encoded = binascii.b2a_base64(bytes([self.algorithm]) + self.public_key, newline=False).decode()
        return f"{self.label}+{encoded}"

    @property
    def label(self) -> str:
        """What a person calls the key: `<name>+<key id in 8 hex digits>`."""
        return f"{self.name}+{self.key_id.hex()}"

    def verify(self, signature: bytes, message: bytes) -> None:
        """Return if the bytes are this key's signature of the message, for every common verifier.

        Raises:
            SignatureInvalidError: they are not.
        """
        try:
            self.kind.verify(self.public_key[len(self.kind.identifier) :], signature, message)
        except SignatureInvalidError as error:
            why = f": {error}" if str(error) else ""
            raise SignatureInvalidError(f"the signature by {self.label} does not fit what it signs{why}") from None


@dataclass(frozen=True, slots=True)
class SigningKey:
    """What signs, and the public key that its signatures are of. It never shows its seed, and can't be pickled.

    Attributes:
        verifier: the public half, with the name that it signs under.
    """

    verifier: VerifierKey
    _signer: Signer = field(repr=False, compare=False)

    @classmethod
    def from_seed(cls, name: str, seed: bytes, algorithm: int = ED25519) -> Self:
        """Return the key of a seed of 32 secret bytes, of the algorithm with this type (RFC 8032 for Ed25519).

        Raises:
            KeyMalformedError: an unfit name or an unknown algorithm.
            ValueError: a seed of another length.
        """
        if len(seed) != SEED_SIZE:
            raise ValueError(f"a seed has {SEED_SIZE} bytes")
        kind = signature_algorithm(algorithm, b"")
        return cls.of(name, kind, kind.private_key(seed))

    @classmethod
    def of(cls, name: str, kind: SignatureAlgorithm, private: PrivateKey) -> Self:
        """Return a private key under a name.

        Raises:
            KeyMalformedError: an unfit name.
        """
        public_key = kind.identifier + private.public_key().public_bytes_raw()
        return cls(VerifierKey(name, kind.type_byte, public_key), private)

    @property
    def name(self) -> str:
        """The name that it signs under."""
        return self.verifier.name

    def sign(self, message: bytes) -> bytes:
        """Return the signature; the same message always gives the same."""
        return self._signer.sign(message)


@lru_cache(KEYS_CACHED_MAX)
def _read_vkey(vkey: str) -> VerifierKey:
    if len(vkey) > _VKEY_LENGTH_MAX:
        raise KeyMalformedError(f"a vkey of {len(vkey)} characters is longer than {_VKEY_LENGTH_MAX}")
    name, _, rest = vkey.partition("+")
    shown_id, _, encoded = rest.partition("+")  # base64 may have a plus of its own
    try:
        decoded = binascii.a2b_base64(encoded)
    except ValueError:  # binascii.Error, or characters beyond ASCII
        decoded = b""
    if not decoded:
        raise KeyMalformedError("a vkey is written <name>+<8 hex digits>+<base64>")
    key = VerifierKey(name, decoded[0], decoded[1:])
    if shown_id != key.key_id.hex():
        raise KeyMalformedError(f"the key id {shown_id[:16]!a} in the vkey of {name} does not belong to it")
    if key.to_text() != vkey:  # stray characters or padding bits in the base64
        raise KeyMalformedError(f"the vkey of {name} is not canonical base64")
    return key
