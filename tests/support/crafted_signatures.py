"""Signatures that somebody crafted, out of any bytes, and the verdicts on each: all must be the same.

tests/properties/test_ed25519_verdicts.py draws the bytes, and fuzz/run.py changes them:

    byte 0   the key: ordinary, with a part of small order, of small order, misencoded, any bytes
    byte 1   R: the same, or with just the part of small order that makes the equation hold
    byte 2   S: what solves the equation, that and L, 2L ..., 0, any bytes, a flipped bit
    byte 3   now and then another length of the signature, or a long message
    the rest the secrets, the any bytes, and the message
"""

import hashlib
from itertools import product
from typing import Final, NamedTuple
from unittest.mock import patch

from support import ed25519_by_hand as by_hand
from tallystick.errors import SignatureInvalidError
from tallystick.signing import ed25519, libsodium

SECRETS: Final = (1, 2, by_hand.L - 1, int.from_bytes(hashlib.sha512(b"a").digest(), "little") % by_hand.L)
MULTIPLES: Final = tuple(by_hand.times(secret, by_hand.BASE) for secret in SECRETS)
TORSION: Final = tuple(by_hand.times(number, by_hand.of_order_8()) for number in range(8))
SECOND_ENCODINGS: Final = tuple(
    (by_hand.P + y | sign << 255).to_bytes(32, "little") for y in range(19) for sign in (0, 1)
)
HUGE: Final = 70_000


class Crafted(NamedTuple):
    """A public key of 32 bytes, a signature of any length, and a message."""

    public_key: bytes
    signature: bytes
    message: bytes


def crafted(data: bytes) -> Crafted:
    """What any bytes stand for."""
    how_key, how_r, how_s, sizes, *_ = data[:4].ljust(4, b"\0")
    rest = data[4:]
    message = rest[8:] * (HUGE // max(1, len(rest)) if sizes % 16 == 1 else 1)
    secret, nonce = rest[:1].ljust(1)[0] % 4, rest[1:2].ljust(1)[0] % 4
    public_key = _half(how_key, secret, rest)
    r = _half(how_r, nonce, rest[2:])
    if how_r % 8 == 7:
        part = how_key >> 3 & 7 if how_key % 8 in (3, 7) else 0
        r = _fitting(public_key, part, nonce, message) or r
    k = by_hand.challenge(r, public_key, message)
    s = (SECRETS[nonce] + k * SECRETS[secret]) % by_hand.L
    signature = r + _s(how_s, s, rest)
    return Crafted(public_key, (signature * 2)[: sizes >> 1] if sizes % 16 == 3 else signature, message)


def _half(how: int, number: int, rest: bytes) -> bytes:
    match how % 8:
        case 0 | 1 | 2:
            return by_hand.encoded(MULTIPLES[number])
        case 3 | 7:
            return by_hand.encoded(by_hand.add(MULTIPLES[number], TORSION[how >> 3 & 7]))
        case 4:
            return by_hand.encoded(TORSION[how >> 3 & 7])
        case 5:
            return SECOND_ENCODINGS[(how >> 3) * len(SECOND_ENCODINGS) // 32]
        case _:
            return rest[2:34].ljust(32, b"\x05")


def _fitting(public_key: bytes, part: int, nonce: int, message: bytes) -> bytes | None:
    """An R whose part of small order answers the key's, so that the equation holds; None if there is none."""
    for number in range(8):
        r = by_hand.encoded(by_hand.add(MULTIPLES[nonce], TORSION[number]))
        if (by_hand.challenge(r, public_key, message) * part + number) % 8 == 0:
            return r
    return None


def _s(how: int, s: int, rest: bytes) -> bytes:
    match how % 8:
        case 0 | 1 | 2 | 3:
            number = s
        case 4:
            number = s + (1 + how // 8 % 14) * by_hand.L
        case 5:
            number = s ^ 1 << how
        case 6:
            number = (0, 1, by_hand.L - 1, by_hand.L, by_hand.L + 1, 2**252, 2**253, 2**256 - 1)[how >> 3 & 7]
        case _:
            number = int.from_bytes(rest[34:66], "little")
    return (number % 2**256).to_bytes(32, "little")


SEEDS: Final = tuple(bytes([*kinds, 0]) + bytes(range(80)) for kinds in product(range(8), repeat=3))


class Fuzzed(NamedTuple):
    """What fuzz/run.py begins with: one input of each kind of key, R and S."""

    seeds: tuple[bytes, ...]


READERS: Final = {"Ed25519: crafted signatures": Fuzzed(SEEDS)}


def check(_: str, data: bytes) -> None:
    """Assert that the verdicts on what the bytes stand for are the same."""
    verdict_on(crafted(data))


def verdict_on(case: Crafted) -> bool:
    """Compare the verdicts, and return the one that all gave."""
    expected = by_hand.is_documented_as_good(*case)
    assert _accepts(case) == expected
    with patch.object(ed25519, "_libsodium", lambda: None):
        assert _accepts(case) == expected
    assert expected or not libsodium.accepts(*case)
    return expected


def _accepts(case: Crafted) -> bool:
    if ed25519.flaw_of(case.public_key) is not None:
        return False
    try:
        ed25519.verify(*case)
    except SignatureInvalidError:
        return False
    return True
