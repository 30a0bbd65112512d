"""A format takes its largest size and no more, and what hardly ever comes: a surrogate, two keys that share an id."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from support.actors import Actor
from tallystick.dossiers.balance_proof import LEAF_SIZE_MAX
from tallystick.errors import CheckpointMalformedError, PolicyMalformedError, ReceiptMalformedError
from tallystick.signing import canonical_json
from tallystick.signing.keys import COSIGNATURE_ED25519, ED25519, VerifierKey
from tallystick.signing.note import NOTE_SIZE_MAX, Note
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.transparency.policy import POLICY_SIZE_MAX, LogLine, Policy, PolicyLine, QuorumLine, WitnessLine
from tallystick.transparency.receipt import RECEIPT_SIZE_MAX, Receipt
from tallystick.vouchers.entry import ENTRY_SIZE_MAX, Entry
from tallystick.vouchers.fields import KEYS_MAX
from tallystick.vouchers.outcomes import Claimed, Expired, Nothing, Outcome
from tallystick.vouchers.quantities import INTEGER_MAX
from tallystick.vouchers.rulebook import parse_command
from tallystick.vouchers.rules.claiming import CONTRACTS_MAX
from tallystick.vouchers.rules.endings import ROWS_MAX
from tallystick.vouchers.rules.rule import Event
from tallystick.vouchers.rules.settlement import OFFSETS_MAX

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


ACTOR = Actor("o" * 63, tuple(f"k{number:02}".ljust(31, "k") for number in range(KEYS_MAX)), log="l" * 255)
"""Of the longest names, with as many keys as a party has."""
TREASURERS = [f"{'t' * 63}/k{number:02}".ljust(95, "k") for number in range(KEYS_MAX)]
LONGEST = "\U00020000" * 200
"""As many characters as a reason has, of as many bytes as there are."""


def _ids(party: str, count: int) -> list[str]:
    """Ids of the greatest length, in ascending order."""
    return [f"{party * 63}/{number:064}" for number in range(count)]


def _entry(outcome: Outcome, kind: str, *cosigners: str, **fields: Any) -> bytes:
    """An entry with an outcome, signed by all of the actor's keys and by these, which was read and written again."""
    note = ACTOR.note(kind, INTEGER_MAX // 10**3, *cosigners, ref="r" * 128, **fields)
    command = parse_command(Note.from_bytes(note).text)
    data = Entry.of(Event(INTEGER_MAX, INTEGER_MAX // 10**3, command, outcome, "", ()), note).to_bytes()
    assert len(Note.from_bytes(note).signatures) == KEYS_MAX + len(cosigners)
    assert Entry.from_bytes(data).event.outcome == outcome
    return data


def test_what_expired_at_once_fits_into_an_entry() -> None:
    """With the longest ids, the largest amounts and every key's signature; or what is due could never be booked."""
    reservations = Expired(
        True, tuple([("reservation", name, INTEGER_MAX, "programme") for name in _ids("h", ROWS_MAX)])
    )
    assert len(_entry(reservations, "book.expire")) < ENTRY_SIZE_MAX * 9 // 10
    names = [
        f"{voucher} {contract}" for voucher, contract in zip(_ids("t", ROWS_MAX), _ids("h", ROWS_MAX), strict=True)
    ]
    lots = Expired(True, tuple([("lot", name, INTEGER_MAX, "programme") for name in names]))
    assert len(_entry(lots, "book.expire")) < ENTRY_SIZE_MAX * 9 // 10


def test_what_is_claimed_at_once_fits_into_an_entry() -> None:
    """With the longest ids, the largest amounts and every key's signature; or a claimant could claim nothing."""
    (programme,), contracts = _ids("t", 1), _ids("h", CONTRACTS_MAX)
    claimed = Claimed(INTEGER_MAX, True, tuple([(contract, INTEGER_MAX) for contract in contracts]))
    fields = {
        "claim": _ids("o", 1)[0],
        "programme": programme,
        "last_day": "2026-01-31",
        "evidence_hash": f"sha256:{'0' * 64}",
    }
    assert len(_entry(claimed, "redemption.claim", **fields)) < ENTRY_SIZE_MAX // 4


def test_a_settlement_of_whatever_was_claimed_fits_into_an_entry() -> None:
    """Signed by all keys of an operator and its treasury, with the longest reasons and as many offsets as can be."""
    row = {"paid_fen": INTEGER_MAX, "withheld_fen": INTEGER_MAX, "reason": LONGEST}
    rows = [{"contract": contract} | row for contract in _ids("h", CONTRACTS_MAX)]
    offsets = [{"demand": demand, "amount_fen": INTEGER_MAX} for demand in _ids("t", OFFSETS_MAX)]
    payment = {"amount_fen": INTEGER_MAX, "day": "2026-01-31", "reference": LONGEST}
    said = {"claim": _ids("c", 1)[0], "mandate": _ids("t", 1)[0], "rows": rows, "offsets": offsets, "payment": payment}
    data = _entry(Nothing(), "redemption.settle", *TREASURERS, **said)
    assert ENTRY_SIZE_MAX * 9 // 10 < len(data) < ENTRY_SIZE_MAX


def test_an_account_with_the_longest_name_has_a_leaf_that_a_proof_can_carry() -> None:
    """Of every kind, with the largest amounts."""
    frozen = b"".join([path.read_bytes() for path in (Path(__file__).parent / "entries").glob("*.leaves")])
    leaves = {leaf["account"].partition(" ")[0]: leaf for leaf in map(orjson.loads, frozen.splitlines())}
    assert set(leaves) == {"contract", "holder", "programme", "provider", "treasury", "voucher"}
    for kind, leaf in leaves.items():
        balances = dict.fromkeys(leaf["balances"], INTEGER_MAX)
        widest = leaf | {"account": f"{kind} {_ids('x', 1)[0]}", "balances": balances, "entries": INTEGER_MAX}
        assert len(canonical_json.encode(widest)) < LEAF_SIZE_MAX // 2
