"""A request to a witness has one spelling, and what isn't in it is refused before anything is believed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.witnesses import History
from tallystick.errors import MalformedError
from tallystick.signing.note import NOTE_SIZE_MAX
from tallystick.witness.request import REQUEST_SIZE_MAX, AddCheckpoint

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
def test_another_spelling_is_refused(body: bytes) -> None:
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
