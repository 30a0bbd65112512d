"""Which Ed25519 keys are refused, and which signatures count: those that every common verifier accepts.

A key is read from strangers, so beyond the format two kinds of points are refused: points of small order, with which
one signature fits nearly any message, and second encodings of a point (y >= 2^255 - 19), which would get one key
admitted twice. Bytes that are no point at all are taken: nothing ever verifies with them.

RFC 8032 leaves open which signatures the owner of a key may craft, and verifiers differ. So R, a signature's first
half, is refused by the same rule: libsodium, Node and others refuse it too, and OpenSSL alone doesn't. The rest is
OpenSSL's: no cofactor, R compared by its bytes, S below the order of the group (docs/decisions/0027).

    1. R of small order or non-canonical      refused
    2. libsodium accepts                      accepted: it is asked first because it takes half of OpenSSL's time
    3. OpenSSL, by `cryptography`, decides    also wherever PyNaCl isn't installed

Step 2 takes nothing away, and it adds nothing as long as libsodium accepts no more than OpenSSL. That holds for its
releases up to 1.0.22. Its development branch multiplies by the cofactor and accepts more, so what is installed is
first given signatures that only another equation accepts; if it takes one, it isn't used (docs/decisions/0161).
"""

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Final

import cryptography
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tallystick.errors import SignatureInvalidError

KEYS_CACHED_MAX: Final = 4_096
POINT_SIZE: Final = 32

_FIELD_PRIME: Final = 2**255 - 19
# The y of the eight points whose order divides 8; two x share each y but 1 and -1.
_Y_OF_ORDER_8: Final = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_SMALL_ORDER_Y: Final = (0, 1, _FIELD_PRIME - 1, _Y_OF_ORDER_8, _FIELD_PRIME - _Y_OF_ORDER_8)
# Every encoding, with either sign of x, of these y and of those from p on: 48.
_REFUSED_POINTS: Final = frozenset(
    (y | sign << 255).to_bytes(POINT_SIZE, "little")
    for y in (*_SMALL_ORDER_Y, *range(_FIELD_PRIME, 2**255))
    for sign in (0, 1)
)


def flaw_of(public_key: bytes) -> str | None:
    """Return what is wrong with a public key of 32 bytes; None if nothing is."""
    return "is a weak or non-canonical point, with which anybody could sign" if public_key in _REFUSED_POINTS else None


def verify(public_key: bytes, signature: bytes, message: bytes) -> None:
    """Return if a signature of a message is a public key's, which has no flaw.

    Raises:
        SignatureInvalidError: it isn't.
    """
    if signature[:POINT_SIZE] in _REFUSED_POINTS:
        raise SignatureInvalidError("its first half is a weak or non-canonical point")
    is_accepted_by_libsodium = _libsodium()
    if is_accepted_by_libsodium is not None and is_accepted_by_libsodium(public_key, signature, message):
        return
    try:
        _public_key(public_key).verify(signature, message)
    except InvalidSignature:
        raise SignatureInvalidError from None


def verified_by() -> str:
    """Return which libraries verify here, in the order in which they are asked, with their versions."""
    openssl = f"cryptography {cryptography.__version__}"
    if _libsodium() is None:
        return openssl
    from tallystick.signing import libsodium  # noqa: PLC0415 - an extra

    return f"libsodium of PyNaCl {libsodium.VERSION}, then {openssl}"


@cache
def _libsodium() -> Callable[[bytes, bytes, bytes], bool] | None:
    """Return what asks libsodium; None if PyNaCl isn't here, or brings a libsodium that decides by another rule."""
    try:
        from tallystick.signing import libsodium  # noqa: PLC0415 - an extra
    except ImportError:
        return None
    return libsodium.accepts if libsodium.follows_the_rule() else None


@lru_cache(KEYS_CACHED_MAX)
def _public_key(public_key: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(public_key)
