"""For every format of `signing`: reading undoes writing, writing undoes reading, and nothing altered is taken."""

import contextlib
from typing import Any

import pytest
import rfc8785
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tallystick.errors import CanonicalJsonError, MalformedError, NoteMalformedError, SignatureInvalidError
from tallystick.signing import canonical_json
from tallystick.signing.keys import COSIGNATURE_ED25519, ED25519, SigningKey, VerifierKey
from tallystick.signing.note import Note, Signature, add_signatures, open_note, sign_text

INTEGER_MAX = 2**53 - 1

characters = st.characters(codec="utf-8")
scalars = st.text(characters) | st.integers(-INTEGER_MAX, INTEGER_MAX) | st.booleans()
field_names = st.text(st.characters(max_codepoint=127))
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(field_names, inner), max_leaves=30)
outside = st.none() | st.floats() | st.integers(INTEGER_MAX + 1) | st.integers(max_value=-INTEGER_MAX - 1) | st.binary()

printable = st.characters(codec="utf-8", exclude_characters="+", exclude_categories=["Cc", "Zs", "Zl", "Zp"])
names = st.text(printable, min_size=1, max_size=30)
seeds = st.binary(min_size=32, max_size=32)
algorithms = st.sampled_from([ED25519, COSIGNATURE_ED25519])
signing_keys = st.builds(SigningKey.from_seed, names, seeds)
lines_of_text = st.text(st.characters(codec="utf-8", exclude_characters=[chr(code) for code in range(0x20)]))
texts = st.lists(lines_of_text, min_size=1).map(lambda lines: "".join(line + "\n" for line in lines).encode())
signatures = st.builds(Signature, names, st.binary(min_size=4, max_size=4), st.binary(min_size=1, max_size=80))
notes = st.builds(
    Note, texts, st.lists(signatures, min_size=1, max_size=5, unique_by=lambda line: line.label).map(tuple)
)


@st.composite
def altered(draw: st.DrawFn, data: bytes) -> bytes:
    """The bytes with one byte set, inserted or removed."""
    index = draw(st.integers(0, len(data) - 1))
    byte = draw(st.binary(max_size=1))
    result = data[:index] + byte + data[index + draw(st.integers(0, 1)) :]
    assume(result != data)
    return result


# ---------------------------------------------------------------------------------------------------- canonical JSON


def same(one: Any, other: Any) -> bool:
    """Equal with equal types: True is not 1."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


@given(values)
@example({"\x7f": 1, "~": 2, "": 3, "\x00": 4})
@example(["\ud7ff\ue000\U0010ffff\u2028\u2029\x7f\x80"])
def test_json_is_rfc_8785_and_reads_back(value: Any) -> None:
    data = canonical_json.encode(value)
    assert data == rfc8785.dumps(value)
    assert same(canonical_json.decode(data), value)


@given(st.data())
def test_json_that_is_read_writes_back(data: st.DataObject) -> None:
    """Near misses of canonical JSON: either refused, or the very bytes of what they were read as."""
    near = data.draw(altered(canonical_json.encode(data.draw(values))))
    with contextlib.suppress(CanonicalJsonError):
        assert canonical_json.encode(canonical_json.decode(near)) == near


@given(st.binary())
def test_json_takes_or_refuses_any_bytes(data: bytes) -> None:
    with contextlib.suppress(CanonicalJsonError):
        assert canonical_json.encode(canonical_json.decode(data)) == data


@given(values, outside, st.booleans())
def test_json_refuses_other_values_wherever_they_are(value: Any, wrong: Any, in_list: bool) -> None:
    deep: Any = [[wrong]] if in_list else {"a": [wrong]}
    for hidden in (wrong, [value, wrong], {"a": value, "b": {"c": [wrong]}}, deep):
        with pytest.raises(CanonicalJsonError):
            canonical_json.encode(hidden)


# --------------------------------------------------------------------------------------------------------------- keys


@given(names, seeds, algorithms)
def test_vkey_reads_back(name: str, seed: bytes, algorithm: int) -> None:
    key = SigningKey.from_seed(name, seed, algorithm).verifier
    assert VerifierKey.from_text(key.to_text()) == key
    assert VerifierKey.from_text(key.to_text()).key_id == key.key_id
    assert key.to_text().startswith(key.label + "+")


@given(st.data())
def test_vkey_that_is_read_writes_back(data: st.DataObject) -> None:
    text = data.draw(signing_keys).verifier.to_text()
    with contextlib.suppress(MalformedError, UnicodeDecodeError):
        near = data.draw(altered(text.encode())).decode()
        assert VerifierKey.from_text(near).to_text() == near


@given(signing_keys, st.binary(), st.data())
def test_a_signature_fits_one_message_and_one_key(signer: SigningKey, message: bytes, data: st.DataObject) -> None:
    signature = signer.sign(message)
    signer.verifier.verify(signature, message)
    other = data.draw(signing_keys.filter(lambda key: key.verifier.public_key != signer.verifier.public_key))
    for key, wrong, text in (
        (signer, signature, message + b"\0"),
        (signer, data.draw(altered(signature)), message),
        (other, signature, message),
    ):
        with pytest.raises(SignatureInvalidError):
            key.verifier.verify(wrong, text)


# -------------------------------------------------------------------------------------------------------------- notes


@given(notes)
def test_note_reads_back(note: Note) -> None:
    assert Note.from_bytes(note.to_bytes()) == note


@given(st.data())
def test_note_that_is_read_writes_back(data: st.DataObject) -> None:
    near = data.draw(altered(data.draw(notes).to_bytes()))
    with contextlib.suppress(NoteMalformedError):
        assert Note.from_bytes(near).to_bytes() == near


@given(signatures)
def test_signature_line_reads_back(signature: Signature) -> None:
    line = signature.to_line()
    assert Signature.from_line(line) == signature
    assert Note.from_bytes(b"\n\n" + line).signatures == (signature,)


@given(st.data())
def test_signature_line_that_is_read_writes_back(data: st.DataObject) -> None:
    near = data.draw(altered(data.draw(signatures).to_line()))
    with contextlib.suppress(NoteMalformedError):
        assert Signature.from_line(near).to_line() == near


@given(texts, st.lists(signing_keys, min_size=1, max_size=3, unique_by=lambda key: key.verifier.label), st.data())
def test_a_signed_note_opens_and_an_altered_text_does_not(
    text: bytes, signers: list[SigningKey], data: st.DataObject
) -> None:
    signed = sign_text(text, *signers)
    keys = tuple(signer.verifier for signer in signers)
    note, found = open_note(signed, keys)
    assert (note.text, found) == (text, keys)
    one_by_one = sign_text(text, signers[0])
    for signer in signers[1:]:
        one_by_one = add_signatures(one_by_one, signer)
    assert one_by_one == signed
    forged = Note(data.draw(altered(text)), note.signatures).to_bytes()
    with pytest.raises((SignatureInvalidError, NoteMalformedError)):
        open_note(forged, keys)
