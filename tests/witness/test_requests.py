"""A request to a witness has one canonical encoding, and what isn't in it is refused before anything is believed."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.witnesses import History
from tallystick.errors import MalformedError
from tallystick.signing.keys import COSIGNATURE_ED25519, SigningKey
from tallystick.signing.note import NOTE_SIZE_MAX
from tallystick.transparency.checkpoint import Checkpoint, sign_checkpoint
from tallystick.transparency.merkle import leaf_hash, root_of
from tallystick.transparency.policy import Policy
from tallystick.witness.cosigner import Witness
from tallystick.witness.request import REQUEST_SIZE_MAX, AddCheckpoint
from tallystick.witness.state import WitnessState

LOG = History(9)
NOTE = LOG.note(8)
HASH = b"q" * 43 + b"="
HASH_LINE = b"qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo=\n"
GOOD = b"old 3\n" + HASH_LINE + b"\n" + NOTE

MALFORMED = {
    "nothing": b"",
    "no empty line": b"old 3\n" + HASH_LINE,
    "no old line": b"\n" + NOTE,
    "another word": GOOD.replace(b"old ", b"Old ", 1),
    "two spaces": GOOD.replace(b"old ", b"old  ", 1),
    "a sign": GOOD.replace(b"old 3", b"old +3", 1),
    "a minus": GOOD.replace(b"old 3", b"old -3", 1),
    "leading zeros": GOOD.replace(b"old 3", b"old 003", 1),
    "an underscore": GOOD.replace(b"old 3", b"old 3_0", 1),
    "another digit": GOOD.replace(b"old 3", "old ३".encode(), 1),
    "beyond 2^63": GOOD.replace(b"old 3", b"old 9223372036854775808", 1),
    "no size": GOOD.replace(b"old 3", b"old ", 1),
    "a byte order mark": b"\xef\xbb\xbf" + GOOD,
    "other newlines": GOOD.replace(b"\n", b"\r\n"),
    "a blank before": b" " + GOOD,
    "a short hash": GOOD.replace(HASH_LINE, b"qqqqqqqq\n"),
    "stray padding bits": GOOD.replace(HASH_LINE, HASH + b"\n"),
    "no padding": GOOD.replace(HASH_LINE, HASH_LINE[:-2] + b"\n"),
    "the other alphabet": GOOD.replace(HASH_LINE, b"_" + HASH_LINE[1:]),
    "junk in base64": GOOD.replace(HASH_LINE, b"q!" + HASH_LINE[2:]),
    "64 hashes": GOOD.replace(HASH_LINE, HASH_LINE * 64),
    "a hash and a blank": GOOD.replace(HASH_LINE, HASH_LINE[:-1] + b" \n"),
    "no checkpoint": GOOD[: -len(NOTE)],
    "a checkpoint without signature": GOOD[: GOOD.rindex("— ".encode())],
    "more after the checkpoint": GOOD + b"x",
    "a control character": GOOD[:-20] + b"\x07" + GOOD[-20:],
    "no UTF-8": GOOD[:-20] + b"\xff" + GOOD[-20:],
    "too large": GOOD + b"x" * (REQUEST_SIZE_MAX - len(GOOD) + 1),
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
def test_another_encoding_is_refused(body: bytes) -> None:
    """By one error, whatever it is."""
    with pytest.raises(MalformedError):
        AddCheckpoint.from_bytes(body)


def test_every_truncation_is_refused() -> None:
    """No prefix of a request is one."""
    for stop in range(len(GOOD)):
        with pytest.raises(MalformedError):
            AddCheckpoint.from_bytes(GOOD[:stop])


def test_the_good_one_is_read() -> None:
    """The table above starts from a request that is one."""
    assert AddCheckpoint.from_bytes(GOOD).to_bytes() == GOOD
    assert AddCheckpoint.from_bytes(GOOD.replace(HASH_LINE, HASH_LINE * 63)).proof == (b"\xaa" * 32,) * 63


@given(st.integers(0, 2**63 - 1), st.lists(st.binary(min_size=32, max_size=32), max_size=63))
def test_what_is_written_is_read_again(old_size: int, proof: list[bytes]) -> None:
    """Both directions give the same."""
    request = AddCheckpoint(old_size, tuple(proof), NOTE)
    data = request.to_bytes()
    assert AddCheckpoint.from_bytes(data) == request
    assert AddCheckpoint.from_bytes(data).to_bytes() == data


@given(st.data())
def test_a_changed_byte_is_read_exactly_or_refused(data: st.DataObject) -> None:
    """Whatever is read gives its own bytes again."""
    place = data.draw(st.integers(0, len(GOOD) - 1))
    changed = GOOD[:place] + bytes([data.draw(st.integers(0, 255))]) + GOOD[place + 1 :]
    try:
        read = AddCheckpoint.from_bytes(changed)
    except MalformedError:
        return
    assert read.to_bytes() == changed


def test_the_largest_request_fits() -> None:
    """A note as large as notes may be, with the longest proof and size."""
    note = NOTE + "— x ".encode()
    padding = b"AAAA" * ((NOTE_SIZE_MAX - len(note) - 1) // 4)
    request = AddCheckpoint(2**63 - 1, (b"h" * 32,) * 63, note + padding + b"\n")
    assert AddCheckpoint.from_bytes(request.to_bytes()) == request


@pytest.mark.parametrize(
    ("old_size", "proof", "note"),
    [(-1, (), NOTE), (2**63, (), NOTE), (1, (b"short",), NOTE), (1, (b"h" * 32,) * 64, NOTE), (1, (), b"no note")],
)
def test_what_no_body_can_say_is_refused(old_size: int, proof: tuple[bytes, ...], note: bytes) -> None:
    """A request that is made is one that can be written."""
    with pytest.raises(MalformedError):
        AddCheckpoint(old_size, proof, note)


VECTOR_LOG = SigningKey.from_seed("ledger.example/city-a", b"\x01" * 32)
VECTOR_LEAVES = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
VECTOR_PROOF = b"""\
ApjRIpBtz8EIkstTpzmS/FufST6kybrbJ7eRtBJ6f+c=
B1Bqhf2d0vEg62lPhgEeW7RmLlxBWmKRcDPUqWJEh+c=
+sVCA+fMaWzw38tCySodnbr3CtnmIfS9jZhmLwDjwSU=
a0eq8p7jwq+a+Im8H7klTavTEXfxYjLdaqsDXKOb9uQ=
"""
VECTOR_NOTE = """\
ledger.example/city-a
8
XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=

— ledger.example/city-a pRBjvwxkWTMgvNLHMei2ENqRjXJmuyQi4V8X7nFp1rOqv6NbgB77JbDMl5+TZIh2qLSuC2Tccz0a8EIY0300ygxvgg0=
""".encode()
VECTOR_COSIGNATURE = (
    "— witness.example/w1 "
    "3xwKNQAAAABlU/EAYCS5xv4g5XoVBKnHGXW6hoHgy9ZDFVnHTewUQMu7iVX1ubGXWGXxH94X4WCcAeMLf5z7+OTSnOJo3qPwDoDmBw==\n"
).encode()


def test_a_request_of_known_bytes_gets_the_known_cosignature(tmp_path: Path) -> None:
    """PROVENANCE: another implementation, made from the C2SP texts; the leaves are those of RFC 6962's test data.

    Log seed 0x01 × 32, witness seed 0x02 × 32, time 1,700,000,000.
    """
    key = SigningKey.from_seed("witness.example/w1", b"\x02" * 32, COSIGNATURE_ED25519)
    logs = Policy.for_log(VECTOR_LOG.verifier)
    WitnessState.create(tmp_path / "state.db", key.verifier.to_text())
    state = WitnessState.open(tmp_path / "state.db", key.verifier.to_text())
    with Witness(key, logs, state, lambda: 1_700_000_000) as witness:
        root = root_of([leaf_hash(bytes.fromhex(data)) for data in VECTOR_LEAVES[:3]])
        first = sign_checkpoint(Checkpoint(VECTOR_LOG.name, 3, root), VECTOR_LOG)
        assert witness.add_checkpoint(b"old 0\n\n" + first).status == 200
        answer = witness.add_checkpoint(b"old 3\n" + VECTOR_PROOF + b"\n" + VECTOR_NOTE)
        assert (answer.status, answer.body) == (200, VECTOR_COSIGNATURE)
