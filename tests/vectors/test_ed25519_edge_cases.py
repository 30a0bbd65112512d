"""Signatures on which verifiers differ: we accept what all of them accept, and the answer of each is in the vector."""

from pathlib import Path
from typing import Final

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from support import ed25519_by_hand as by_hand
from support.actors import key_of
from support.published_signatures import PUBLISHED, VECTORS, openssl_accepts
from support.weak_signatures import GROUP_ORDER, IDENTITY, sign_without_nonce
from tallystick.errors import KeyMalformedError, SignatureInvalidError
from tallystick.signing import ed25519
from tallystick.signing.keys import COSIGNATURE_ED25519, ED25519, SigningKey, VerifierKey
from tallystick.signing.note import Note, Signature, open_note
from tallystick.transparency.checkpoint import Checkpoint, open_checkpoint
from tallystick.transparency.cosignature import verify_cosignature
from tallystick.verifying import result_of

REFUSED_BY_SOME: Final = {"low_order_A", "low_order_R", "non_canonical_A", "non_canonical_R", "low_order_residue"}
SEED: Final = bytes(range(32))
MESSAGE: Final = b"a line\n"
# The owner of the key has signed this with r = 0: whatever OpenSSL says, it is refused.
WITHOUT_NONCE: Final = IDENTITY + bytes.fromhex("bc70b242c317b8386d64d5affdea7ae2f804f7df6730b8d9ab2ba43230ef6d0d")


@pytest.fixture(params=["as installed", "cryptography alone"], autouse=True)
def libraries(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test of this file, with what is installed and as if PyNaCl weren't."""
    if request.param == "cryptography alone":
        monkeypatch.setattr(ed25519, "_libsodium", lambda: None)
        assert ed25519.verified_by().startswith("cryptography ")


def accepts(key: VerifierKey, signature: bytes, message: bytes) -> bool:
    try:
        key.verify(signature, message)
    except SignatureInvalidError:
        return False
    return True


def test_the_published_vectors_have_our_answers() -> None:
    """We accept what libsodium, dalek's strict verification and Node 26 do: nothing that one of them refuses."""
    assert len(VECTORS) == 388
    for number, public_key, signature, message, flags, accepted in VECTORS:
        assert accepted == REFUSED_BY_SOME.isdisjoint(flags), number
        key = VerifierKey("published", ED25519, bytes.fromhex(public_key))
        assert accepts(key, bytes.fromhex(signature), message.encode()) == accepted, number
    assert sum(accepted for *_, accepted in VECTORS) == 43


def test_openssl_alone_accepts_more() -> None:
    """What the rule is for."""
    differ = [
        flags
        for _, key, signature, message, flags, accepted in VECTORS
        if openssl_accepts(bytes.fromhex(key), bytes.fromhex(signature), message.encode()) != accepted
    ]
    assert len(differ) == 43
    assert all("low_order_R" in flags for flags in differ)


def test_plain_integers_give_our_answers() -> None:
    """Those of RFC 8032, which share nothing with either library."""
    for number, key, signature, message, _, accepted in VECTORS:
        given = (bytes.fromhex(key), bytes.fromhex(signature), message.encode())
        assert by_hand.is_documented_as_good(*given) == accepted, number


def test_the_other_published_keys_are_refused() -> None:
    assert len(PUBLISHED["keys_refused"]) == 14
    for public_key in PUBLISHED["keys_refused"]:
        with pytest.raises(KeyMalformedError):
            VerifierKey("published", ED25519, bytes.fromhex(public_key))


def test_a_signature_without_a_nonce_is_refused() -> None:
    key = SigningKey.from_seed("owner", SEED).verifier
    assert sign_without_nonce(SEED, MESSAGE) == WITHOUT_NONCE
    Ed25519PublicKey.from_public_bytes(key.public_key).verify(WITHOUT_NONCE, MESSAGE)
    with pytest.raises(SignatureInvalidError, match="owner"):
        key.verify(WITHOUT_NONCE, MESSAGE)


@pytest.mark.parametrize("high_bit", [0, 1 << 255])
@pytest.mark.parametrize("y", [0, 1, 2**255 - 20, 2**255 - 19, 2**255 - 18, 2**255 - 1])
def test_no_r_of_small_order_and_none_non_canonical_gets_as_far_as_the_equation(y: int, high_bit: int) -> None:
    """Whatever S is."""
    key = SigningKey.from_seed("owner", SEED).verifier
    r = (y | high_bit).to_bytes(32, "little")
    for s in (bytes(32), WITHOUT_NONCE[32:]):
        with pytest.raises(SignatureInvalidError, match="first half"):
            key.verify(r + s, MESSAGE)


def test_s_is_below_the_order_of_the_group() -> None:
    """S + L, S + 2L … solve the same equation; so does no S of a good signature with a bit above."""
    signer = SigningKey.from_seed("owner", SEED)
    good = signer.sign(MESSAGE)
    s = int.from_bytes(good[32:], "little")
    assert s < GROUP_ORDER
    assert accepts(signer.verifier, good, MESSAGE)
    for other in range(s + GROUP_ORDER, 2**256, GROUP_ORDER):
        assert not accepts(signer.verifier, good[:32] + other.to_bytes(32, "little"), MESSAGE)


@pytest.mark.parametrize("size", [0, 1, 31, 32, 63, 65, 128])
def test_a_signature_of_another_length_is_refused(size: int) -> None:
    signer = SigningKey.from_seed("owner", SEED)
    with pytest.raises(SignatureInvalidError):
        signer.verifier.verify((signer.sign(MESSAGE) * 2)[:size], MESSAGE)


@pytest.mark.parametrize("cut", [0, 63, 65])
def test_what_was_cut_elsewhere_is_refused(cut: int) -> None:
    """Signature and message in one piece, as libsodium wants them, are the same bytes for every cut."""
    signer = SigningKey.from_seed("owner", SEED)
    whole = signer.sign(MESSAGE) + MESSAGE
    with pytest.raises(SignatureInvalidError):
        signer.verifier.verify(whole[:cut], whole[cut:])


class TestEveryPath:
    """Each caller that verifies goes through the one function that knows the rule."""

    def test_notes_and_checkpoints(self) -> None:
        log = SigningKey.from_seed("log.example/a", SEED)
        text = Checkpoint(log.name, 1, bytes(32)).to_text()
        line = Signature(log.name, log.verifier.key_id, sign_without_nonce(SEED, text))
        note = Note(text, (line,)).to_bytes()
        with pytest.raises(SignatureInvalidError):
            open_note(note, [log.verifier])
        with pytest.raises(SignatureInvalidError):
            open_checkpoint(note, log.verifier)

    def test_cosignatures(self) -> None:
        witness = SigningKey.from_seed("witness.example/w", SEED, COSIGNATURE_ED25519).verifier
        text = Checkpoint("log.example/a", 1, bytes(32)).to_text()
        signed = sign_without_nonce(SEED, b"cosignature/v1\ntime 7\n" + text)
        line = Signature(witness.name, witness.key_id, (7).to_bytes(8, "big") + signed)
        with pytest.raises(SignatureInvalidError):
            verify_cosignature(text, line, witness)

    def test_processes_that_verify_ahead(self) -> None:
        signer = SigningKey.from_seed("owner", SEED)
        vkey, good = signer.verifier.to_text(), signer.sign(MESSAGE)
        jobs = [(0, 0, len(MESSAGE), vkey, good), (0, 0, len(MESSAGE), vkey, WITHOUT_NONCE)]
        assert result_of(([MESSAGE], 0, jobs)) == (b"", b"\x01\x00")

    def test_nothing_else_verifies(self) -> None:
        """A second caller of the library would be a second rule."""
        source = Path(__file__).resolve().parents[2] / "src"
        users = {path.name for path in source.rglob("*.py") if "Ed25519PublicKey" in path.read_text("utf-8")}
        assert users == {"ed25519.py"}


def test_an_honest_r_is_never_refused() -> None:
    """R = r·B for a hashed r; here of a thousand messages."""
    signer = key_of("shanghai/officer-1")
    for number in range(1_000):
        message = b"%d" % number
        assert accepts(signer.verifier, signer.sign(message), message)
        assert signer.sign(message)[:32] != IDENTITY
