"""A format takes its largest size and no more, and what hardly ever comes: a surrogate, two keys that share an id."""

import pytest

from support.actors import Actor
from tallystick.errors import CheckpointMalformedError, PolicyMalformedError, ReceiptMalformedError
from tallystick.signing.keys import COSIGNATURE_ED25519, ED25519, VerifierKey
from tallystick.signing.note import NOTE_SIZE_MAX, Note
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.transparency.policy import POLICY_SIZE_MAX, LogLine, Policy, PolicyLine, QuorumLine, WitnessLine
from tallystick.transparency.receipt import RECEIPT_SIZE_MAX, Receipt
from tallystick.vouchers.entry import ENTRY_SIZE_MAX, Entry
from tallystick.vouchers.fields import KEYS_MAX
from tallystick.vouchers.outcomes import Expired
from tallystick.vouchers.quantities import INTEGER_MAX
from tallystick.vouchers.rulebook import parse_command
from tallystick.vouchers.rules.endings import ROWS_MAX
from tallystick.vouchers.rules.rule import Event

HEAD = b"log\n8\n" + b"A" * 43 + b"=\n"


def test_a_checkpoint_is_as_large_as_a_note() -> None:
    """To the byte."""
    largest = HEAD + b"x" * (NOTE_SIZE_MAX - len(HEAD) - 1) + b"\n"
    assert Checkpoint.from_text(largest).to_text() == largest
    with pytest.raises(CheckpointMalformedError, match="larger than 65535"):
        Checkpoint.from_text(largest[:-1] + b"x\n")


def test_a_policy_has_a_largest_size() -> None:
    """To the byte, comments among them."""
    largest = b"quorum none\n#".ljust(POLICY_SIZE_MAX - 1, b"x") + b"\n"
    assert Policy.from_text(largest) == Policy((QuorumLine("none"),))
    with pytest.raises(PolicyMalformedError, match="larger than 65535"):
        Policy.from_text(b"#" + largest)


def test_a_receipt_of_the_largest_size_is_looked_into() -> None:
    """A larger one is refused unread."""
    with pytest.raises(ReceiptMalformedError, match="begins with"):
        Receipt.from_bytes(bytes(RECEIPT_SIZE_MAX))


@pytest.mark.parametrize("code", [0xD800, 0xD801, 0xDBFF, 0xDC80, 0xDFFE, 0xDFFF], ids=hex)
def test_a_checkpoint_has_no_lone_surrogate(code: int) -> None:
    """The first and the last among them; their neighbours are characters like any other."""
    character = chr(code)
    for parts in ((character, 0, bytes(32)), ("log", 0, bytes(32), (f"x{character}",))):
        with pytest.raises(CheckpointMalformedError, match="no line of a checkpoint"):
            Checkpoint(*parts)
    assert Checkpoint.from_text(Checkpoint("\ud7ff\ue000", 0, bytes(32)).to_text()).origin == "\ud7ff\ue000"


def _twins(name: str, algorithm: int, *numbers: int) -> list[VerifierKey]:
    keys = [VerifierKey(name, algorithm, number.to_bytes(32, "little")) for number in numbers]
    assert keys[0] != keys[1]
    assert keys[0].label == keys[1].label
    return keys


LOGS = _twins("log.example/a", ED25519, 114_745, 173_191)
WITNESSES = _twins("witness.example/w1", COSIGNATURE_ED25519, 20_200, 91_737)


@pytest.mark.parametrize(
    "lines",
    [[LogLine(key) for key in LOGS], [WitnessLine(f"w{number}", key) for number, key in enumerate(WITNESSES)]],
    ids=["logs", "witnesses"],
)
def test_two_keys_that_share_name_and_id_are_not_trusted_together(lines: list[PolicyLine]) -> None:
    """An id has 32 bits, so twins are found in a second; a line of one would be held against the other."""
    for line in lines:
        assert Policy((line, QuorumLine("none"))).lines[0] == line
    with pytest.raises(PolicyMalformedError, match="is listed twice"):
        Policy((*lines, QuorumLine("none")))


def test_what_expired_at_once_fits_into_an_entry() -> None:
    """With the longest ids, the largest amounts and every key's signature; or what is due could never be booked."""
    actor = Actor("o" * 63, tuple(f"k{number:02}".ljust(31, "k") for number in range(KEYS_MAX)), log="l" * 255)
    note = actor.note("book.expire", INTEGER_MAX // 10**3, ref="r" * 128)
    ids = [f"{'h' * 63}/{number:064}" for number in range(ROWS_MAX)]
    outcome = Expired(False, tuple([("reservation", name, INTEGER_MAX, "programme") for name in ids]))
    command = parse_command(Note.from_bytes(note).text)
    data = Entry.of(Event(INTEGER_MAX, INTEGER_MAX // 10**3, command, outcome, "", ()), note).to_bytes()
    assert len(Note.from_bytes(note).signatures) == KEYS_MAX
    assert Entry.from_bytes(data).event.outcome == outcome
    assert len(data) < ENTRY_SIZE_MAX * 9 // 10
