"""libsodium may be asked first, because it accepts nothing that OpenSSL refuses; where it would, it isn't asked.

Where PyNaCl isn't installed, these aren't collected (tests/vectors/conftest.py).
"""

from collections.abc import Callable

import pytest

from support import ed25519_by_hand as by_hand
from support.published_signatures import PUBLISHED, VECTORS, openssl_accepts
from support.weak_signatures import GROUP_ORDER
from tallystick.signing import ed25519, libsodium


def test_it_is_asked_first() -> None:
    assert ed25519.verified_by().startswith("libsodium of PyNaCl 1.")
    assert ed25519._libsodium() is libsodium.accepts


def test_libsodium_accepts_nothing_that_openssl_refuses() -> None:
    """On all 914, also those of keys that are refused before: so asking it first adds nothing."""
    of_refused_keys = PUBLISHED["vectors_of_refused_keys"]
    rows = [(bytes.fromhex(key), signature, message) for _, key, signature, message, *_ in VECTORS] + [
        (bytes.fromhex(PUBLISHED["keys_refused"][place]), *rest) for _, place, *rest in of_refused_keys
    ]
    assert len(rows) == 914
    good = 0
    for key, signature, message in rows:
        given = (key, bytes.fromhex(signature), message.encode())
        if libsodium.accepts(*given):
            good += 1
            assert openssl_accepts(*given)
    assert good == 43


def times_the_cofactor(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """What libsodium's development branch checks: 8·S·B = 8·R + 8·k·A."""
    key, r = by_hand.decoded(public_key), by_hand.decoded(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if key is None or r is None or s >= GROUP_ORDER:
        return False
    k = by_hand.challenge(signature[:32], public_key, message)
    left, right = by_hand.times(s, by_hand.BASE), by_hand.add(r, by_hand.times(k, key))
    return by_hand.encoded(by_hand.times(8, left)) == by_hand.encoded(by_hand.times(8, right))


def without_a_bound_on_s(public_key: bytes, signature: bytes, message: bytes) -> bool:
    s = int.from_bytes(signature[32:], "little") % GROUP_ORDER
    return by_hand.verifies(public_key, signature[:32] + s.to_bytes(32, "little"), message)


@pytest.mark.parametrize(
    "verifier", [times_the_cofactor, without_a_bound_on_s, lambda *_: False, lambda *_: True], ids=range(4)
)
def test_a_libsodium_of_another_rule_is_not_used(
    verifier: Callable[[bytes, bytes, bytes], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert libsodium.follows_the_rule()
    monkeypatch.setattr(libsodium, "accepts", verifier)
    assert not libsodium.follows_the_rule()
    assert ed25519._libsodium.__wrapped__() is None
