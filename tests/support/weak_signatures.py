"""Signatures that the owner of a key can make on purpose, and that only some verifiers refuse.

With r = 0, R is the identity, and S = k·a solves S·B = R + k·A. OpenSSL accepts it; libsodium and Node from 26.5 on
refuse it, and RFC 8032 leaves it open.
"""

import hashlib
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

GROUP_ORDER: Final = 2**252 + 27742317777372353535851937790883648493
IDENTITY: Final = b"\x01" + bytes(31)


def sign_without_nonce(seed: bytes, message: bytes) -> bytes:
    """The signature of a message with r = 0, by the key of an RFC 8032 seed."""
    public_key = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    scalar = int.from_bytes(hashlib.sha512(seed).digest()[:32], "little") & (2**254 - 8) | 2**254
    k = int.from_bytes(hashlib.sha512(IDENTITY + public_key + message).digest(), "little")
    return IDENTITY + (k * scalar % GROUP_ORDER).to_bytes(32, "little")
