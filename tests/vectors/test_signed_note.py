"""Published notes and keys give the published bytes, and every known defect is refused. Sources: PROVENANCE.md."""

import base64
import re

import pytest

from tallystick.errors import (
    KeyMalformedError,
    NoteMalformedError,
    SignatureInvalidError,
    SignatureMissingError,
)
from tallystick.signing.keys import COSIGNATURE_ED25519, ED25519, SigningKey, VerifierKey, key_id
from tallystick.signing.note import SIGNATURES_MAX, Note, Signature, add_signatures, open_note, sign_text

C2SP_VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
C2SP_TEXT = b"This is an example message.\n"
C2SP_BASE64 = "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM="
C2SP_LINE = f"— example.com/foo {C2SP_BASE64}\n".encode()
C2SP_NOTE = C2SP_TEXT + b"\n" + C2SP_LINE

GO_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = b"If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
).encode()

LOG_VKEY = "ledger.example/city-a+a51063bf+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c"
WITNESS_VKEY = "witness.example/w1+df1c0a35+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU"
CHECKPOINT = (
    "ledger.example/city-a\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n\n"
    "— ledger.example/city-a "
    "pRBjvwxkWTMgvNLHMei2ENqRjXJmuyQi4V8X7nFp1rOqv6NbgB77JbDMl5+TZIh2qLSuC2Tccz0a8EIY0300ygxvgg0=\n"
    "— witness.example/w1 "
    "3xwKNQAAAABlU/EAYCS5xv4g5XoVBKnHGXW6hoHgy9ZDFVnHTewUQMu7iVX1ubGXWGXxH94X4WCcAeMLf5z7+OTSnOJo3qPwDoDmBw==\n"
).encode()

FIELD_PRIME = 2**255 - 19
CURVE_D = -121665 * pow(121666, -1, FIELD_PRIME) % FIELD_PRIME


def key(vkey: str) -> VerifierKey:
    return VerifierKey.from_text(vkey)


# ---------------------------------------------------------------------------------------------- published answers


@pytest.mark.parametrize(
    ("vkey", "text", "line"), [(C2SP_VKEY, C2SP_TEXT, C2SP_LINE), (GO_VKEY, GO_TEXT, GO_LINE)], ids=["C2SP", "Go"]
)
def test_a_published_note_opens(vkey: str, text: bytes, line: bytes) -> None:
    note, signers = open_note(text + b"\n" + line, [key(vkey)])
    assert note == Note(text, (Signature.from_line(line),))
    assert signers == (key(vkey),)
    assert note.to_bytes() == text + b"\n" + line


def test_signing_gives_the_published_bytes() -> None:
    signer = SigningKey.from_seed("PeterNeumann", GO_SEED)
    assert signer.verifier.to_text() == GO_VKEY
    assert sign_text(GO_TEXT, signer) == GO_TEXT + b"\n" + GO_LINE


def test_signing_is_rfc_8032() -> None:
    """Section 7.1, TEST 1: the empty message."""
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    signer = SigningKey.from_seed("rfc8032", seed)
    assert signer.verifier.public_key.hex() == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    assert signer.sign(b"").hex() == (
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
        "d25bf5f0595bbe24655141438e7a100b"
    )


def test_a_checkpoint_with_a_cosignature_opens_with_the_log_key() -> None:
    log = SigningKey.from_seed("ledger.example/city-a", b"\x01" * 32)
    witness = SigningKey.from_seed("witness.example/w1", b"\x02" * 32, COSIGNATURE_ED25519)
    assert log.verifier.to_text() == LOG_VKEY
    assert witness.verifier.to_text() == WITNESS_VKEY
    note, signers = open_note(CHECKPOINT, [key(LOG_VKEY)])
    assert signers == (key(LOG_VKEY),)
    assert [(line.label, len(line.blob)) for line in note.signatures] == [
        ("ledger.example/city-a+a51063bf", 64),
        ("witness.example/w1+df1c0a35", 8 + 64),
    ]
    assert sign_text(note.text, log) == CHECKPOINT[: CHECKPOINT.index(b"\xe2\x80\x94 witness")]


def test_a_key_id_is_the_published_one() -> None:
    public_key = base64.b64decode("AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")[1:]
    assert key_id("example.com/foo", ED25519, public_key).hex() == "530d903a"
    assert key(C2SP_VKEY).label == "example.com/foo+530d903a"


# ------------------------------------------------------------------------------------------- notes that are refused

DEFECTS = {
    "empty": b"",
    "empty text": b"\n" + C2SP_LINE,
    "no signature": C2SP_TEXT + b"\n",
    "no empty line": C2SP_TEXT + C2SP_LINE,
    "no newline at the end": C2SP_NOTE[:-1],
    "another byte for the newline at the end": C2SP_NOTE[:-1] + b"x",
    "blank line at the end": C2SP_NOTE + b"\n",
    "CRLF": C2SP_NOTE.replace(b"\n", b"\r\n"),
    "tab in the text": C2SP_NOTE.replace(b"an example", b"an\texample"),
    "NUL in the text": C2SP_NOTE.replace(b"an example", b"an\0example"),
    "not UTF-8": C2SP_NOTE.replace(b"example message", b"\xff"),
    "overlong UTF-8": C2SP_NOTE.replace(b"example message", b"\xc0\x80"),
    "surrogate": C2SP_NOTE.replace(b"example message", b"\xed\xa0\x80"),
    "hyphen for a dash": C2SP_NOTE.replace("—".encode(), b"-"),
    "no blank after the dash": C2SP_NOTE.replace("— ".encode(), "—".encode()),
    "two blanks after the dash": C2SP_NOTE.replace("— ".encode(), "—  ".encode()),
    "no name": C2SP_TEXT + b"\n" + f"— {C2SP_BASE64}\n".encode(),
    "plus in the name": C2SP_NOTE.replace(b"example.com/foo", b"example.com+foo"),
    "no-break space in the name": C2SP_NOTE.replace(b"example.com/foo", "example.com\u00a0foo".encode()),
    "ideographic space in the name": C2SP_NOTE.replace(b"example.com/foo", "example.com\u3000foo".encode()),
    "line separator in the name": C2SP_NOTE.replace(b"example.com/foo", "example.com\u2028foo".encode()),
    "next line in the name": C2SP_NOTE.replace(b"example.com/foo", "example.com\u0085foo".encode()),
    "no base64": C2SP_TEXT + b"\n" + "— example.com/foo\n".encode(),
    "empty base64": C2SP_TEXT + b"\n" + "— example.com/foo \n".encode(),
    "base64 without padding": C2SP_NOTE.replace(b"M=\n", b"M\n"),
    "base64 with too much padding": C2SP_NOTE.replace(b"M=\n", b"M==\n"),
    "base64 with padding bits set": C2SP_NOTE.replace(b"M=\n", b"N=\n"),
    "base64 with a stray character": C2SP_NOTE.replace(b"Uw2QOk", b"Uw2*QOk"),
    "base64 of URLs": C2SP_NOTE.replace(b"8srV1", b"8s_V1"),
    "base64 with a blank": C2SP_NOTE.replace(b"8srV1", b"8s rV1"),
    "blank at the end of the line": C2SP_NOTE.replace(b"M=\n", b"M= \n"),
    "base64 of the key id alone": C2SP_TEXT + b"\n" + "— example.com/foo Uw2QOg==\n".encode(),
    "the same key twice": C2SP_NOTE + C2SP_LINE,
    "one line that is no signature": C2SP_NOTE + b"more text\n",
    "too many signatures": C2SP_TEXT
    + b"\n"
    + b"".join(Signature(f"k{i}", b"abcd", b"x").to_line() for i in range(SIGNATURES_MAX + 1)),
    "too large": b"x" * 65_535 + C2SP_NOTE,
}


@pytest.mark.parametrize("data", DEFECTS.values(), ids=DEFECTS.keys())
def test_a_defect_is_refused(data: bytes) -> None:
    with pytest.raises(NoteMalformedError):
        open_note(data, [key(C2SP_VKEY)])


def test_refusals_are_one_line() -> None:
    for name, data in DEFECTS.items():
        with pytest.raises(NoteMalformedError) as caught:
            Note.from_bytes(data)
        assert str(caught.value).isprintable(), name


def test_the_size_limit_is_the_callers() -> None:
    assert Note.from_bytes(C2SP_NOTE, size_max=len(C2SP_NOTE)).to_bytes() == C2SP_NOTE
    with pytest.raises(NoteMalformedError, match="larger"):
        Note.from_bytes(C2SP_NOTE, size_max=len(C2SP_NOTE) - 1)


def test_as_many_signatures_as_the_limit_are_read() -> None:
    lines = [Signature(f"k{index}", b"abcd", b"x").to_line() for index in range(SIGNATURES_MAX)]
    assert len(Note.from_bytes(b"text\n\n" + b"".join(lines)).signatures) == SIGNATURES_MAX


def test_the_last_empty_line_separates() -> None:
    """A text may have empty lines, and even signature lines of its own."""
    signer = SigningKey.from_seed("a/b", bytes(32))
    for text in (b"\n", b"one\n\n\ntwo\n\n", C2SP_NOTE, b"DEL \x7f and \xc2\x85 are no control characters here\n"):
        note, _ = open_note(sign_text(text, signer), [signer.verifier])
        assert note.text == text


# --------------------------------------------------------------------------------------- who must have signed, and did


def test_a_changed_text_is_found() -> None:
    with pytest.raises(SignatureInvalidError, match=re.escape("example.com/foo+530d903a")):
        open_note(C2SP_NOTE.replace(b"an example", b"no example"), [key(C2SP_VKEY)])


def test_a_signature_of_another_length_is_found() -> None:
    line = Signature.from_line(C2SP_LINE)
    for blob in (line.blob[:-1], line.blob + b"\0"):
        with pytest.raises(SignatureInvalidError):
            open_note(Note(C2SP_TEXT, (Signature(line.name, line.key_id, blob),)).to_bytes(), [key(C2SP_VKEY)])


def test_a_second_encoding_of_a_signature_is_found() -> None:
    """S + L solves the same equation (RFC 8032 section 5.1.7 wants S < L): else a note has two sets of bytes."""
    group_order = 2**252 + 27742317777372353535851937790883648493
    line = Signature.from_line(C2SP_LINE)
    s = int.from_bytes(line.blob[32:], "little") + group_order
    blob = line.blob[:32] + s.to_bytes(32, "little")
    with pytest.raises(SignatureInvalidError):
        key(C2SP_VKEY).verify(blob, C2SP_TEXT)


def test_strangers_are_passed_over() -> None:
    stranger = SigningKey.from_seed("stranger", bytes(32))
    data = add_signatures(C2SP_NOTE, stranger)
    note, signers = open_note(data, [key(C2SP_VKEY)])
    assert signers == (key(C2SP_VKEY),)
    assert len(note.signatures) == 2


def test_only_strangers_are_not_enough() -> None:
    with pytest.raises(SignatureMissingError, match=r"PeterNeumann\+c74f20a3"):
        open_note(C2SP_NOTE, [key(GO_VKEY)])
    with pytest.raises(SignatureMissingError):
        open_note(C2SP_NOTE, [])


def test_a_bad_line_by_a_known_key_spoils_a_good_one() -> None:
    good = SigningKey.from_seed("good", bytes(32))
    bad = Signature(key(GO_VKEY).name, key(GO_VKEY).key_id, bytes(64))
    data = sign_text(C2SP_TEXT, good) + bad.to_line()
    assert open_note(data, [good.verifier])[1] == (good.verifier,)
    with pytest.raises(SignatureInvalidError):
        open_note(data, [good.verifier, key(GO_VKEY)])


def test_the_name_counts_not_the_key_id_alone() -> None:
    """Another name with the key's own id and signature is a stranger."""
    with pytest.raises(SignatureMissingError):
        open_note(C2SP_NOTE.replace(b"example.com/foo", b"example.com/bar"), [key(C2SP_VKEY)])


def test_signers_come_in_the_order_of_the_lines() -> None:
    one, two = SigningKey.from_seed("one", b"1" * 32), SigningKey.from_seed("two", b"2" * 32)
    data = add_signatures(sign_text(C2SP_TEXT, two), one)
    assert data == sign_text(C2SP_TEXT, two, one)
    assert open_note(data, [one.verifier, two.verifier])[1] == (two.verifier, one.verifier)


def test_wrong_use_is_a_value_error() -> None:
    witness = SigningKey.from_seed("w", bytes(32), COSIGNATURE_ED25519)
    for misuse in (
        lambda: open_note(C2SP_NOTE, [witness.verifier]),
        lambda: sign_text(C2SP_TEXT, witness),
        lambda: sign_text(C2SP_TEXT),
        lambda: add_signatures(C2SP_NOTE),
        lambda: SigningKey.from_seed("a", bytes(31)),
    ):
        with pytest.raises(ValueError, match=r"Ed25519|no key|32 bytes") as caught:
            misuse()
        assert type(caught.value) is ValueError


@pytest.mark.parametrize("text", [b"", b"no newline", b"a\tb\n", b"\xff\n", b"x" * 65_500 + b"\n"])
def test_what_could_not_be_read_is_not_signed(text: bytes) -> None:
    with pytest.raises(NoteMalformedError):
        sign_text(text, SigningKey.from_seed("a", bytes(32)))


def test_nobody_signs_twice() -> None:
    signer = SigningKey.from_seed("a", bytes(32))
    with pytest.raises(NoteMalformedError, match="two signature lines by a"):
        add_signatures(sign_text(C2SP_TEXT, signer), signer)


# -------------------------------------------------------------------------------------------------------------- keys

PUBLIC_KEY = base64.b64decode("AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")[1:]


def vkey_with_right_id(name: str, algorithm: int, public_key: bytes) -> str:
    encoded = base64.b64encode(bytes([algorithm]) + public_key).decode()
    return f"{name}+{key_id(name, algorithm, public_key).hex()}+{encoded}"


VKEY_DEFECTS = {
    "empty": "",
    "no plus": "example.com/foo",
    "no base64": "example.com/foo+530d903a+",
    "not ASCII": C2SP_VKEY + "é",
    "newline at the end": C2SP_VKEY + "\n",
    "blank before": " " + C2SP_VKEY,
    "another key's id": C2SP_VKEY.replace("530d903a", "530d903b"),
    "upper-case id": C2SP_VKEY.replace("530d903a", "530D903A"),
    "another name": C2SP_VKEY.replace("foo", "bar"),
    "no name": vkey_with_right_id("", ED25519, PUBLIC_KEY),
    "blank in the name": vkey_with_right_id("a b", ED25519, PUBLIC_KEY),
    "control character in the name": vkey_with_right_id("a\x01b", ED25519, PUBLIC_KEY),
    "stray character in the base64": C2SP_VKEY.replace("AekyeR", "Aeky*eR"),
    "ECDSA": vkey_with_right_id("a", 0x02, PUBLIC_KEY),
    "ML-DSA": vkey_with_right_id("a", 0x06, bytes(1312)),
    "31 bytes": vkey_with_right_id("a", ED25519, PUBLIC_KEY[:-1]),
    "33 bytes": vkey_with_right_id("a", ED25519, PUBLIC_KEY + b"\0"),
    "too long": vkey_with_right_id("a" * 5_000, ED25519, PUBLIC_KEY),
}


@pytest.mark.parametrize("vkey", VKEY_DEFECTS.values(), ids=VKEY_DEFECTS.keys())
def test_a_bad_vkey_is_refused(vkey: str) -> None:
    with pytest.raises(KeyMalformedError) as caught:
        VerifierKey.from_text(vkey)
    assert str(caught.value).isprintable()


def test_a_vkey_with_another_keys_id_is_refused_as_such() -> None:
    with pytest.raises(KeyMalformedError, match="does not belong to it"):
        VerifierKey.from_text(C2SP_VKEY.replace("530d903a", "530d903b"))


@pytest.mark.parametrize("name", ["", "a+b", "a b", "a\u2003b", "a\nb", "a\x00", "\ud800"])
def test_a_key_needs_a_fit_name(name: str) -> None:
    with pytest.raises(KeyMalformedError):
        SigningKey.from_seed(name, bytes(32))


def test_a_name_may_be_in_any_script() -> None:
    signer = SigningKey.from_seed("上海/财政-1", bytes(32))
    assert open_note(sign_text(C2SP_TEXT, signer), [signer.verifier])[1] == (signer.verifier,)


def add_points(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    """Affine addition on edwards25519, RFC 8032 section 5.1.4."""
    (x1, y1), (x2, y2) = one, other
    cross = CURVE_D * x1 * x2 * y1 * y2
    x = (x1 * y2 + y1 * x2) * pow(1 + cross, -1, FIELD_PRIME)
    y = (y1 * y2 + x1 * x2) * pow(1 - cross, -1, FIELD_PRIME)
    return x % FIELD_PRIME, y % FIELD_PRIME


def square_root(square: int) -> int | None:
    root = pow(square, (FIELD_PRIME + 3) // 8, FIELD_PRIME)
    for candidate in (root, root * pow(2, (FIELD_PRIME - 1) // 4, FIELD_PRIME) % FIELD_PRIME):
        if candidate * candidate % FIELD_PRIME == square % FIELD_PRIME:
            return candidate
    return None


def point_with_y(y: int) -> tuple[int, int] | None:
    x = square_root((y * y - 1) * pow(CURVE_D * y * y + 1, -1, FIELD_PRIME))
    return None if x is None else (x, y)


def points_of_small_order() -> set[tuple[int, int]]:
    """Any point times the prime order of the base point lies among the eight; find one that generates them all."""
    prime_order = 2**252 + 27742317777372353535851937790883648493
    for y in range(2, 100):
        point = point_with_y(y)
        if point is None:
            continue
        torsion, doubled = (0, 1), point
        for bit in range(prime_order.bit_length()):
            if prime_order >> bit & 1:
                torsion = add_points(torsion, doubled)
            doubled = add_points(doubled, doubled)
        found = {(0, 1)}
        multiple = torsion
        while multiple not in found:
            found.add(multiple)
            multiple = add_points(multiple, torsion)
        if len(found) == 8:
            return found
    raise AssertionError("no generator among the small points")


def test_keys_of_small_order_are_refused() -> None:
    points = points_of_small_order()
    assert len(points) == 8
    for x, y in points:
        for sign in {x & 1, 0, 1}:  # x = 0 is also written with a sign, against RFC 8032
            with pytest.raises(KeyMalformedError, match="anybody could sign"):
                VerifierKey("weak", ED25519, (y | sign << 255).to_bytes(32, "little"))


def test_a_key_of_small_order_would_fit_any_message() -> None:
    """What the refusal is for: OpenSSL takes this forgery, which needs no private key."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    identity = b"\x01" + bytes(31)
    forged = identity + bytes(32)
    for message in (b"pay 1 fen\n", b"pay 1,000,000 fen\n"):
        Ed25519PublicKey.from_public_bytes(identity).verify(forged, message)
    with pytest.raises(KeyMalformedError):
        VerifierKey.from_text(vkey_with_right_id("forger", ED25519, identity))


@pytest.mark.parametrize("y", [FIELD_PRIME, FIELD_PRIME + 1, FIELD_PRIME + 3, 2**255 - 1])
def test_a_second_encoding_of_a_point_is_refused(y: int) -> None:
    with pytest.raises(KeyMalformedError):
        VerifierKey("non-canonical", ED25519, y.to_bytes(32, "little"))


def test_bytes_that_are_no_point_never_verify() -> None:
    off_curve = next(y for y in range(2, 100) if point_with_y(y) is None)
    nobody = VerifierKey("nobody", ED25519, off_curve.to_bytes(32, "little"))
    for signature in (bytes(64), b"\x01" + bytes(63), Signature.from_line(C2SP_LINE).blob):
        with pytest.raises(SignatureInvalidError):
            nobody.verify(signature, C2SP_TEXT)


def test_two_keys_with_one_name_and_id_are_not_confused() -> None:
    """Ids are 32 bits, so a collision can be made; here it is made by force."""
    one = SigningKey.from_seed("a", b"1" * 32).verifier
    other = SigningKey.from_seed("a", b"2" * 32).verifier
    object.__setattr__(other, "key_id", one.key_id)
    with pytest.raises(ValueError, match="another key has its name and id"):
        open_note(C2SP_NOTE, [one, other])


def test_a_signing_key_shows_no_secret() -> None:
    seed = bytes(range(32))
    signer = SigningKey.from_seed("a", seed)
    for shown in (repr(signer), str(signer), f"{signer}"):
        assert "verifier" in shown
        assert seed.hex() not in shown
        assert repr(seed) not in shown
        assert "rivate" not in shown


def test_a_signing_key_cannot_be_pickled() -> None:
    import pickle

    with pytest.raises(TypeError):
        pickle.dumps(SigningKey.from_seed("a", bytes(32)))
