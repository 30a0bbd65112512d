"""Algorithms that this version doesn't know, as rows of a later version's table: SM3, and signatures with a domain.

SM3 is the real one. `cryptography` has no SM2; in its place is Ed25519 over a prefixed message, under type ff and an
identifier of its own, as an algorithm is named for which C2SP has no type.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tallystick.errors import SignatureInvalidError
from tallystick.signing import algorithms, keys
from tallystick.signing.algorithms import HashFunction, SignatureAlgorithm
from tallystick.signing.keys import SigningKey
from tallystick.vouchers import editions

_DOMAIN = b"tallystick.example/tests\n"


def _sm3(data: bytes) -> bytes:
    function = hashes.Hash(hashes.SM3())
    function.update(data)
    return function.finalize()


class _PrivateKey:
    """Signs under the domain."""

    def __init__(self, seed: bytes) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)

    def sign(self, data: bytes, /) -> bytes:
        return self._private.sign(_DOMAIN + data) + b"\x01"

    def public_key(self) -> Ed25519PublicKey:
        return self._private.public_key()

    def private_bytes(self, encoding: Any, format: Any, encryption_algorithm: Any) -> bytes:  # noqa: A002
        return self._private.private_bytes(encoding, format, encryption_algorithm)


def _verify(public_key: bytes, signature: bytes, message: bytes) -> None:
    try:
        if signature[-1:] != b"\x01":
            raise InvalidSignature
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature[:-1], _DOMAIN + message)
    except InvalidSignature:
        raise SignatureInvalidError from None


_NO_FLAW: Callable[[bytes], str | None] = lambda _public_key: None  # noqa: E731
SM3 = HashFunction("sm3", 32, _sm3, edition=2)
DOMAIN_KEYS = SignatureAlgorithm(
    *(0xFF, "Ed25519 with a domain", "notes", 32, _NO_FLAW, _verify, _PrivateKey, _PrivateKey),
    edition=2,
    identifier=b"tallystick.example/domain\n",
)


def domain_key(name: str) -> SigningKey:
    """The key of this name, always the same."""
    with later_version():
        return SigningKey.of(name, DOMAIN_KEYS, DOMAIN_KEYS.private_key(_sm3(name.encode())))


@contextmanager
def later_version() -> Iterator[None]:
    """While it lasts, this is a version that knows edition 2 and both algorithms; after it, one that doesn't."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(editions, "EDITIONS", (1, 2))
        patch.setitem(algorithms.HASH_FUNCTIONS, SM3.name, SM3)
        patch.setitem(algorithms.SIGNATURE_ALGORITHMS, DOMAIN_KEYS.prefix, DOMAIN_KEYS)
        yield
    keys._read_vkey.cache_clear()
