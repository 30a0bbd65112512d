"""On whatever somebody crafts, both libraries, one alone and plain integers give one verdict."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support import ed25519_by_hand as by_hand
from support.crafted_signatures import crafted, verdict_on
from support.weak_signatures import GROUP_ORDER
from tallystick.signing.keys import SigningKey

SEED = bytes(range(32))


@given(st.binary(min_size=40, max_size=90))
def test_the_verdicts_are_the_same(data: bytes) -> None:
    verdict_on(crafted(data))


def test_of_every_kind_some_are_good() -> None:
    """Mixed keys and mixed R too: what is compared is more than refusals. All of small order are bad."""
    kinds: dict[tuple[int, int], set[bool]] = {}
    for key, r, part, number in product((0, 3, 4, 5, 6), (0, 3, 4, 5, 6, 7), (1, 5), range(4)):
        data = bytes([key | part << 3, r | part << 3, 0, 0, number, number]) + bytes(40)
        kinds.setdefault((key, r), set()).add(verdict_on(crafted(data)))
    assert {kind for kind, verdicts in kinds.items() if True in verdicts} >= {(0, 0), (0, 7), (3, 7)}
    assert {verdict for (key, r), verdicts in kinds.items() if {key, r} & {4, 5} for verdict in verdicts} == {False}


@pytest.mark.parametrize("size", [0, 1, 70_000])
def test_plain_integers_take_what_the_library_signed(size: int) -> None:
    """RFC 8032's own arithmetic is right, so that agreeing with it means something."""
    signer = SigningKey.from_seed("owner", SEED)
    message = bytes(size)
    signature = signer.sign(message)
    assert by_hand.L == GROUP_ORDER
    assert by_hand.is_documented_as_good(signer.verifier.public_key, signature, message)
    assert not by_hand.is_documented_as_good(signer.verifier.public_key, signature, message + b"x")
