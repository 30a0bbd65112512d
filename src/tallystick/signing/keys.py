"""A key is a name and an Ed25519 key; its id binds the two, and nobody can hold a key that verifies everything.

Names, ids and the vkey text are C2SP signed-note's (v1.0.0, "Signatures" and "Verifier keys"):

    key id = SHA-256(name || 0x0A || algorithm || public key)[:4]
    vkey   = <name>+<key id, 8 lower-case hex digits>+<base64(algorithm || public key)>

Two algorithms are known: Ed25519 (0x01) and timestamped Ed25519 cosignatures (0x04, C2SP tlog-cosignature). Both sign
with plain Ed25519 (RFC 8032); what the message is differs, and is the caller's matter.

A key is read from strangers, so beyond the format two kinds of points are refused: points of small order, with which
one signature fits nearly any message, and second encodings of a point (y >= 2^255 - 19), which would get one key
admitted twice. Bytes that are no point at all are taken: nothing ever verifies with them.

RFC 8032 leaves open which signatures the owner of a key may craft, and verifiers differ. So R, a signature's first
half, is refused by the same rule: libsodium, Node and others refuse it too, and OpenSSL alone doesn't. The rest is
OpenSSL's: no cofactor, R compared by its bytes, S below the order of the group (docs/decisions/0027).

Nothing here says whether a key counts, and a key id is a hint: 32 bits collide on demand, so never trust it alone.
"""

import binascii
import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tallystick.errors import KeyMalformedError, SignatureInvalidError

ED25519: Final = 0x01
COSIGNATURE_ED25519: Final = 0x04

KEY_ID_SIZE: Final = 4
PUBLIC_KEY_SIZE: Final = 32
SEED_SIZE: Final = 32
KEY_NAME_LENGTH_MAX: Final = 255
"""Ours: the format knows no limit, but names are remembered, and repeated in refusals."""

_ALGORITHMS: Final = frozenset({ED25519, COSIGNATURE_ED25519})
_VKEY_LENGTH_MAX: Final = 4_096
_KEYS_CACHED_MAX: Final = 4_096

_POINT_SIZE: Final = 32
_FIELD_PRIME: Final = 2**255 - 19
_Y_BITS: Final = 2**255 - 1
# The y of the eight points whose order divides 8; two x share each y but 1 and -1.
_Y_OF_ORDER_8: Final = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_SMALL_ORDER_Y: Final = frozenset({0, 1, _FIELD_PRIME - 1, _Y_OF_ORDER_8, _FIELD_PRIME - _Y_OF_ORDER_8})


@lru_cache(_KEYS_CACHED_MAX)
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
    """A public key and the name that it signs under; `public_key` is 32 bytes.

    Raises:
        KeyMalformedError: an unfit name, an unknown algorithm, or a public key that is not 32 bytes, is a second
            encoding of a point, or has small order.
    """

    name: str
    algorithm: int
    public_key: bytes
    key_id: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_key_name(self.name)
        if self.algorithm not in _ALGORITHMS:
            raise KeyMalformedError(f"key {self.name} has algorithm 0x{self.algorithm:02x}; Ed25519 is 0x01 or 0x04")
        if len(self.public_key) != PUBLIC_KEY_SIZE:
            raise KeyMalformedError(f"key {self.name} has {len(self.public_key)} bytes instead of {PUBLIC_KEY_SIZE}")
        if _is_weak_or_non_canonical(self.public_key):
            raise KeyMalformedError(f"key {self.name} is a weak or non-canonical point, with which anybody could sign")
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
        """Return if the 64 bytes are this key's signature of the message, for every common verifier.

        Raises:
            SignatureInvalidError: they are not.
        """
        if _is_weak_or_non_canonical(signature[:_POINT_SIZE]):
            raise SignatureInvalidError(
                f"the signature by {self.label} does not fit what it signs: "
                "its first half is a weak or non-canonical point"
            )
        try:
            _public_key(self.public_key).verify(signature, message)
        except InvalidSignature:
            raise SignatureInvalidError(f"the signature by {self.label} does not fit what it signs") from None


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key and the name that it signs under. It never shows its seed, and can't be pickled."""

    verifier: VerifierKey
    _private: Ed25519PrivateKey = field(repr=False, compare=False)

    @classmethod
    def from_seed(cls, name: str, seed: bytes, algorithm: int = ED25519) -> Self:
        """Return the key of an RFC 8032 seed of 32 secret bytes.

        Raises:
            KeyMalformedError: an unfit name or an unknown algorithm.
            ValueError: a seed of another length.
        """
        if len(seed) != SEED_SIZE:
            raise ValueError(f"a seed has {SEED_SIZE} bytes")
        private = Ed25519PrivateKey.from_private_bytes(seed)
        return cls(VerifierKey(name, algorithm, private.public_key().public_bytes_raw()), private)

    @property
    def name(self) -> str:
        """The name that it signs under."""
        return self.verifier.name

    def sign(self, message: bytes) -> bytes:
        """Return the 64 bytes of the signature; the same message always gives the same."""
        return self._private.sign(message)


def _is_weak_or_non_canonical(point: bytes) -> bool:
    """Return whether a point's encoding has small order, or a y that isn't below p."""
    y = int.from_bytes(point, "little") & _Y_BITS
    return y >= _FIELD_PRIME or y in _SMALL_ORDER_Y


@lru_cache(_KEYS_CACHED_MAX)
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


@lru_cache(_KEYS_CACHED_MAX)
def _public_key(public_key: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(public_key)
