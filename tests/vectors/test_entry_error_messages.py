"""What is wrong with an entry, a command, a time or a saved state is said in one line that names it.

Each fault is put into a frozen entry (tests/vectors/entries); the lines are compared word for word.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from support.actors import key_of, vkey_of
from tallystick.errors import CanonicalJsonError, EntryMalformedError, MalformedError
from tallystick.signing import canonical_json
from tallystick.signing.keys import COSIGNATURE_ED25519, VerifierKey
from tallystick.vouchers.entry import ENTRY_SIZE_MAX, Entry, Header, split_entry
from tallystick.vouchers.evolve import evolve
from tallystick.vouchers.quantities import Instant, parse_day, parse_instant
from tallystick.vouchers.rulebook import (
    command_text,
    outcome_from_json,
    outcome_to_bytes,
    outcome_to_json,
    parse_command,
)
from tallystick.vouchers.state import State

Case = tuple[Callable[[], object], type[Exception], str]

ENTRIES = {path.name: path.read_bytes() for path in sorted((Path(__file__).parent / "entries").glob("*.txt"))}
ISSUED = ENTRIES["020-voucher.issued.txt"]
HEADER, NOTE = split_entry(ISSUED)
COMMAND = json.loads(NOTE.splitlines()[0])
NOON = "2026-01-05T12:00:00.000000Z"
ORIGIN = "tallystick.example/national"


def _header(**other: Any) -> Callable[[], object]:
    return lambda: Header.from_bytes(canonical_json.encode(json.loads(HEADER) | other))


def _entry(was: bytes, becomes: bytes) -> Callable[[], object]:
    assert was in ISSUED
    return lambda: Entry.from_bytes(ISSUED.replace(was, becomes, 1))


def _command(**other: Any) -> Callable[[], object]:
    return lambda: command_text(COMMAND | other)


def _new(kind: str, **fields: Any) -> Callable[[], object]:
    head = {"kind": kind, "log": ORIGIN, "party": "a", "ref": "1", "signed_at": NOON}
    return lambda: command_text(head | fields)


def _evolve_out_of_turn() -> None:
    evolve(State.empty(ORIGIN), Entry.from_bytes(ISSUED).event)


CASES: list[Case] = [
    (lambda: split_entry(bytes(65_536)), EntryMalformedError, "an entry of 65536 bytes is over 65535"),
    (
        lambda: split_entry(b"{}"),
        EntryMalformedError,
        "an entry is a header line and a note; there is no newline",
    ),
    (lambda: Header.from_bytes(b"{ }"), EntryMalformedError, "header: not canonical JSON from byte 1 on (RFC 8785)"),
    (
        lambda: Header.from_bytes(b"[]"),
        EntryMalformedError,
        "a header has at, index, kind and outcome, and nothing else",
    ),
    (_header(more=1), EntryMalformedError, "a header has at, index, kind and outcome, and nothing else"),
    (_header(index=True), EntryMalformedError, "a header has at, index, kind and outcome, and nothing else"),
    (_header(index=-1), EntryMalformedError, "header: an index counts from 0"),
    (
        _header(at="2026-01-05"),
        EntryMalformedError,
        "header: at must be a time like 2026-01-05T08:00:00.000000Z",
    ),
    (
        _entry(b"voucher.issued/1", b"voucher.imported/1"),
        EntryMalformedError,
        "a command voucher.issue/1 does not make an event voucher.imported/1",
    ),
    (
        _entry(b'"face_fen":3000000', b'"face_fen":0'),
        EntryMalformedError,
        "face_fen: must be at least 1, not 0",
    ),
    (
        _entry("\n\n— ".encode(), "\n— ".encode()),
        EntryMalformedError,
        "a note is a text, an empty line and signature lines",
    ),
    (
        _entry(b'{"valid_until":', b'{"valid_till":'),
        EntryMalformedError,
        "in an outcome of voucher.issued/1, valid_until: is missing",
    ),
    (
        lambda: outcome_from_json("book.expired/1", {"more": 0, "rows": []}),
        ValueError,
        "in an outcome of book.expired/1, more: must be true or false, not 0",
    ),
    (
        lambda: outcome_from_json("book.expired/1", {"more": False, "rows": [["mandate", "a/M", 0, "programme"]]}),
        ValueError,
        "in an outcome of book.expired/1, rows.0: must be of a 'reservation', a 'voucher' or a 'lot'",
    ),
    (
        lambda: outcome_from_json("book.expired/1", {"more": False, "rows": [["voucher", "a/V", 0]]}),
        ValueError,
        "in an outcome of book.expired/1, rows.0.3: is missing",
    ),
    (
        lambda: outcome_from_json("book.expired/1", {"more": False, "rows": [["lot", "a/V", 1, "programme"]]}),
        ValueError,
        "in an outcome of book.expired/1, rows.0.1: must be two ids like shanghai-treasury/v-1, of a voucher and a "
        "contract, and a blank between them, not 'a/V'",
    ),
    (
        lambda: outcome_from_json("book.expired/1", {"more": False, "rows": [["lot", "a/V b/K", 1, "voucher"]]}),
        ValueError,
        "in an outcome of book.expired/1, rows.0.3: must be 'programme', not 'voucher'",
    ),
    (
        lambda: outcome_from_json("redemption.claimed/1", {"amount_fen": 1, "more": False, "rows": [["a/K"]]}),
        ValueError,
        "in an outcome of redemption.claimed/1, rows.0.1: is missing",
    ),
    (
        lambda: outcome_from_json("redemption.claimed/1", {"amount_fen": 1, "more": False}),
        ValueError,
        "in an outcome of redemption.claimed/1, rows: is missing",
    ),
    (
        lambda: outcome_from_json("voucher.suspended/1", {"a": 1}),
        ValueError,
        "an event voucher.suspended/1 has an empty outcome",
    ),
    (lambda: parse_command(b"{}"), CanonicalJsonError, "the text does not end in a newline"),
    (
        _command(kind="voucher.print/1"),
        MalformedError,
        "kind: no command of the closed list is called so",
    ),
    (_command(surprise=1), MalformedError, "surprise: is no field here"),
    (
        _command(**{"x" * 41 + "-": 1}),
        MalformedError,
        f"'{'x' * 40}': is no field here",
    ),
    (_command(**{"a-b": 1}), MalformedError, "'a-b': is no field here"),
    (
        lambda: parse_command(b"{}\n"),
        MalformedError,
        "kind: is missing",
    ),
    (
        lambda: command_text(
            {"kind": "time.burn/1", "log": ORIGIN, "party": "a", "ref": "1", "signed_at": NOON, "contract": "h/K1"}
            | {"groups": [{"item": "910b", "lines": [["job-1"]]}]}
        ),
        MalformedError,
        "groups.0.lines.0.1: is missing",
    ),
    (
        _new("programme.amend/1", programme="a/P", reason="x", closes_at="3000-01-01T00:00:00.000000Z"),
        MalformedError,
        "closes_at: must lie before the year 3000",
    ),
    (lambda: parse_instant(0), ValueError, "must be a time like 2026-01-05T08:00:00.000000Z"),
    (lambda: parse_instant("2026-02-29T08:00:00.000000Z"), ValueError, "must be a day and a time that there are"),
    (lambda: parse_instant("2026-01-05T08:00:60.000000Z"), ValueError, "must be a day and a time that there are"),
    (lambda: parse_day("2026-1-05"), ValueError, "must be a day like 2026-01-05"),
    (lambda: parse_day("2026-02-29"), ValueError, "must be a day that there is, like 2026-01-05"),
    (_evolve_out_of_turn, ValueError, "event 20 after 0 entries"),
    (lambda: State.from_bytes(b"{}"), MalformedError, "not a saved state: 1 faults"),
]

SETTLED = {"contract": "acme/K1", "paid_fen": 1}
OFFSET = {"demand": "shanghai/D1", "amount_fen": 1}
FIELDS: list[tuple[str, str, Any, str]] = [
    (
        "020-voucher.issued.txt",
        "valid_from",
        "2026-01-05",
        "valid_from: must be a time like 2026-01-05T08:00:00.000000Z, not '2026-01-05'",
    ),
    ("001-party.admitted.txt", "keys", ["x"], "keys.0: must be a party's vkey: <party>/<label>"),
    ("001-party.admitted.txt", "maker", False, "maker: must be true, or left out"),
    (
        "014-programme.opened.txt",
        "closes_at",
        "3000-01-01T00:00:00.000000Z",
        "closes_at: must lie before the year 3000",
    ),
    ("014-programme.opened.txt", "rules.rounding_fen", 10, "rules.rounding_fen: must be 1 (fen) or 100 (yuan)"),
    ("014-programme.opened.txt", "rules.shares", [], "rules.shares: must have at least 1 member, not 0"),
    (
        "014-programme.opened.txt",
        "rules.shares",
        [{"share_bp": 1, "items": ["h100", "910b"]}],
        "rules.shares.0.items: must be in ascending order, each once",
    ),
    (
        "014-programme.opened.txt",
        "rules.shares",
        [{"share_bp": 1, "filed": False}],
        "rules.shares.0.filed: must be true, or left out",
    ),
    (
        "014-programme.opened.txt",
        "rules.cap",
        {"group": "A", "holder_fen": 1, "floor_fen": 0},
        "rules.cap.group: must be a word of 1 to 63 of a-z, 0-9, _ and -, the first a letter or digit, not 'A'",
    ),
    (
        "014-programme.opened.txt",
        "rules.claims.cut_off_days",
        0,
        "rules.claims.cut_off_days: must be at least 1, not 0",
    ),
    (
        "014-programme.opened.txt",
        "rules.basis",
        "half",
        "rules.basis: must be 'metered', 'invoiced' or 'both', not 'half'",
    ),
    (
        "017-provider.accredited.txt",
        "items",
        [{"item": "910b", "price_limit_fen": 1}, {"item": "910b", "price_limit_fen": 2}],
        "items: must be in ascending order, each once",
    ),
    ("017-provider.accredited.txt", "items", ["910b"], "items.0: must be an object, not '910b'"),
    ("018-contract.signed.txt", "items", [{"item": "910b"}], "items.0.price_fen: is missing"),
    ("018-contract.signed.txt", "basis", "both", "basis: must be 'metered' or 'invoiced', not 'both'"),
    ("018-contract.signed.txt", "related_party", 0, "related_party: must be true or false, not 0"),
    (
        "018-contract.signed.txt",
        "document_hash",
        "",
        "document_hash: must begin with the name of a known",
    ),
    ("018-contract.signed.txt", "other_support_fen", -1, "other_support_fen: must be at least 0, not -1"),
    ("031-contract.amended.txt", "items_from", None, "items and items_from go together"),
    ("031-contract.amended.txt", "last_day", "2026-02-29", "last_day: must be a day that there is, like 2026-01-05"),
    ("029-time.burned.txt", "groups.0.lines.0.0", "Job-1", "groups.0.lines.0.0: must be 1 to 128 of a-z, 0-9 and"),
    ("075-mandate.given.txt", "operator", "Registry", "operator: must be a name of 1 to 63 of a-z, 0-9 and -"),
    ("075-mandate.given.txt", "kinds", [], "kinds: must have at least 1 member, not 0"),
    ("075-mandate.given.txt", "kinds", ["voucher.issue"], "kinds.0: must be 'redemption.settle/1', "),
    (
        "075-mandate.given.txt",
        "kinds",
        ["voucher.issue/1", "redemption.settle/1"],
        "kinds: must be in ascending order, each once",
    ),
    ("075-mandate.given.txt", "kinds", ["voucher.issue/1"] * 7, "kinds: must have at most 6 members, not 7"),
    ("075-mandate.given.txt", "each_fen", -1, "each_fen: must be at least 0, not -1"),
    ("075-mandate.given.txt", "total_fen", "1", "total_fen: must be an integer, not '1'"),
    ("075-mandate.given.txt", "until", "2026-12-31", "until: must be a time like 2026-01-05T08:00:00.000000Z"),
    (
        "077-voucher.issued.txt",
        "mandate",
        "M1",
        "mandate: must be an id like shanghai-treasury/v-1: a party's name, / and",
    ),
    ("088-reservation.extended.txt", "amount_fen", 0, "amount_fen: must be at least 1, not 0"),
    ("088-reservation.extended.txt", "amount_fen", None, "must add an amount, or say another end"),
    ("092-service.burned.txt", "quantity", 0, "quantity: must be at least 1, not 0"),
    ("092-service.burned.txt", "quantity", 10**9 + 1, "quantity: must be at most 1,000,000,000, not 1000000001"),
    ("092-service.burned.txt", "quantity", None, "must have a quantity, or document_hash and fee_fen"),
    ("092-service.burned.txt", "first_day", "2026-02-29", "first_day: must be a day that there is, like 2026-01-05"),
    ("092-service.burned.txt", "fee_fen", 1, "must have a quantity, or document_hash and fee_fen"),
    ("094-service.burned.txt", "corrects.line", 1_000, "corrects.line: must be less than 1,000, not 1000"),
    ("094-service.burned.txt", "pay_available", False, "pay_available: must be true, or left out"),
    ("094-service.burned.txt", "prior_period", True, "must say corrects or prior_period, not both"),
    ("097-service.burned.txt", "fee_fen", 0, "fee_fen: must be at least 1, not 0"),
    ("097-service.burned.txt", "fee_fen", None, "must have a quantity, or document_hash and fee_fen"),
    (
        "097-service.burned.txt",
        "document_hash",
        "a" * 64,
        "document_hash: must begin with the name of a known",
    ),
    (
        "097-service.burned.txt",
        "document_hash",
        f"sha256:{'A' * 64}",
        "document_hash: must be sha256: and 64 of 0-9 and",
    ),
    (
        "097-service.burned.txt",
        "document_hash",
        f"sha256:{'a' * 63}",
        "document_hash: must be sha256: and 64 of 0-9 and",
    ),
    (
        "097-service.burned.txt",
        "prior_period",
        True,
        "must say corrects or prior_period, not both, and prior_period of",
    ),
    ("106-voucher.imported.txt", "used_fen", -1, "used_fen: must be at least 0, not -1"),
    ("106-voucher.imported.txt", "face_fen", 0, "face_fen: must be at least 1, not 0"),
    ("106-voucher.imported.txt", "evidence_hash", None, "evidence_hash: is missing"),
    ("107-programme.amended.txt", "rules_from", None, "rules and rules_from go together"),
    ("107-programme.amended.txt", "rules", None, "rules and rules_from go together"),
    ("107-programme.amended.txt", "rules_from", "1 May", "rules_from: must be a day like 2026-01-05"),
    ("107-programme.amended.txt", "envelope_fen", 0, "envelope_fen: must be at least 1, not 0"),
    ("107-programme.amended.txt", "rules.basis", "half", "rules.basis: must be 'metered', 'invoiced' or 'both'"),
    ("110-log.rekeyed.txt", "overlap_seconds", 31_622_401, "overlap_seconds: must be at most 31,622,400, not 31622401"),
    ("110-log.rekeyed.txt", "new_vkey", vkey_of("acme/officer-1"), "new_vkey: must be a key of this log's name"),
    ("111-programme.opened.txt", "rules.gates.0.other_side", True, "rules.gates: must have attesters or other_side"),
    ("111-programme.opened.txt", "rules.gates.0.attesters", None, "rules.gates: must have attesters or other_side"),
    ("111-programme.opened.txt", "rules.gates.1.other_side", False, "rules.gates.1.other_side: must be true, or left"),
    ("113-application.filed.txt", "contract", "K5", "contract: must be an id like shanghai-treasury/v-1"),
    ("119-record.withdrawn.txt", "record.party", None, "record.party: is missing"),
    ("121-record.withdrawn.txt", "record.provider", "", "record.provider: must be a name of 1 to 63 of"),
    ("108-book.expired.txt", "rows", [], "rows: is no field here"),
    ("032-redemption.claimed.txt", "last_day", "5 Jan", "last_day: must be a day like 2026-01-05"),
    ("032-redemption.claimed.txt", "first_day", "2026-01-05", "first_day: is no field here"),
    ("033-redemption.settled.txt", "rows", [], "rows: must have at least 1 member, not 0"),
    ("033-redemption.settled.txt", "rows", ["acme/K1"], "rows.0: must be an object, not 'acme/K1'"),
    ("033-redemption.settled.txt", "rows", [SETTLED] * 51, "rows: must have at most 50 members, not 51"),
    ("033-redemption.settled.txt", "rows", [SETTLED] * 2, "rows: must be in ascending order of contracts, each once"),
    ("033-redemption.settled.txt", "rows.0.paid_fen", -1, "rows.0.paid_fen: must be at least 0, not -1"),
    ("033-redemption.settled.txt", "rows.0.paid_fen", None, "rows.0.paid_fen: is missing"),
    ("033-redemption.settled.txt", "rows.0.withheld_fen", 0, "rows.0.withheld_fen: must be at least 1, not 0"),
    ("033-redemption.settled.txt", "rows.0.withheld_fen", None, "rows.0: withheld_fen and reason go together"),
    ("033-redemption.settled.txt", "rows.0.reason", None, "rows.0: withheld_fen and reason go together"),
    (
        "033-redemption.settled.txt",
        "rows.0.contract",
        "K1",
        "rows.0.contract: must be an id like shanghai-treasury/v-1",
    ),
    ("033-redemption.settled.txt", "payment.day", "today", "payment.day: must be a day like 2026-01-05"),
    ("033-redemption.settled.txt", "payment.day", None, "payment.day: is missing"),
    ("033-redemption.settled.txt", "payment.amount_fen", 0, "payment.amount_fen: must be at least 1, not 0"),
    (
        "033-redemption.settled.txt",
        "payment.reference",
        "",
        "payment.reference: must have at least 1 character, not ''",
    ),
    ("033-redemption.settled.txt", "payment.bank", "x", "payment.bank: is no field here"),
    ("033-redemption.settled.txt", "payment", "x", "payment: must be an object, not 'x'"),
    ("127-redemption.settled.txt", "offsets", [], "offsets: must have at least 1 member, not 0"),
    ("127-redemption.settled.txt", "offsets", [OFFSET] * 17, "offsets: must have at most 16 members, not 17"),
    (
        "127-redemption.settled.txt",
        "offsets",
        [OFFSET] * 2,
        "offsets: must be in ascending order of demands, each once",
    ),
    ("127-redemption.settled.txt", "offsets.0.amount_fen", 0, "offsets.0.amount_fen: must be at least 1, not 0"),
    (
        "127-redemption.settled.txt",
        "offsets.0.demand",
        "D1",
        "offsets.0.demand: must be an id like shanghai-treasury/v-1",
    ),
    ("124-recovery.demanded.txt", "payee", "Guian", "payee: must be a name of 1 to 63 of a-z, 0-9 and -"),
    ("124-recovery.demanded.txt", "demand", "D1", "demand: must be an id like shanghai-treasury/v-1"),
    ("124-recovery.demanded.txt", "amount_fen", 0, "amount_fen: must be at least 1, not 0"),
    ("124-recovery.demanded.txt", "evidence_hash", None, "evidence_hash: is missing"),
    ("128-recovery.received.txt", "payment", None, "payment: is missing"),
    ("128-recovery.received.txt", "payment.reference", "a\nb", "payment.reference: must be text without control"),
    ("129-recovery.cancelled.txt", "reason", None, "reason: is missing"),
    ("130-redemption.disallowed.txt", "amount_fen", 0, "amount_fen: must be at least 1, not 0"),
    ("130-redemption.disallowed.txt", "contract", None, "contract: is missing"),
]


@pytest.mark.parametrize(("call", "error", "text"), CASES, ids=[re.sub(r"\W+", "-", text)[:60] for _, _, text in CASES])
def test_what_is_wrong_is_said_so(call: Callable[[], object], error: type[Exception], text: str) -> None:
    """The class that is documented, and this line."""
    with pytest.raises(error) as caught:
        call()
    assert (type(caught.value), str(caught.value)) == (error, text)


@pytest.mark.parametrize(
    ("name", "field", "value", "text"), FIELDS, ids=[f"{name} {field}" for name, field, *_ in FIELDS]
)
def test_the_field_that_is_wrong_is_named(name: str, field: str, value: Any, text: str) -> None:
    """And what it must be."""
    _, note = split_entry(ENTRIES[name])
    command = json.loads(note.splitlines()[0])
    assert parse_command(command_text(command)).kind == command["kind"]
    *path, last = [int(part) if part.isdecimal() else part for part in field.split(".")]
    within = command
    for part in path:
        within = within[part]
    within[last] = value
    if value is None:
        del within[last]
    with pytest.raises(MalformedError, match="^" + re.escape(text)):
        command_text(command)


def test_a_vkey_of_another_kind_is_no_partys_key() -> None:
    """A witness's key signs checkpoints alone."""
    command = json.loads(split_entry(ENTRIES["007-key.added.txt"])[1].splitlines()[0])
    assert parse_command(command_text(command | {"vkey": vkey_of("acme/officer-9")})).kind == "key.add/1"
    witness = VerifierKey("acme/officer-9", COSIGNATURE_ED25519, key_of("acme/officer-9").verifier.public_key)
    with pytest.raises(MalformedError, match=r"^vkey: must be a key of Ed25519$"):
        command_text(command | {"vkey": witness.to_text()})


def test_an_amendment_says_something() -> None:
    """With a contract's id alone it would be an entry about nothing."""
    command = json.loads(split_entry(ENTRIES["031-contract.amended.txt"])[1].splitlines()[0])
    for field in ("amount_fen", "items", "items_from", "last_day", "other_support_fen"):
        del command[field]
    assert parse_command(command_text(command | {"amount_fen": 1})).kind == "contract.amend/1"
    with pytest.raises(MalformedError, match=r"^must amend amount_fen, last_day, items or other_support_fen$"):
        command_text(command)


def test_an_amendment_of_a_programme_says_something() -> None:
    """Its reason alone amends nothing."""
    command = json.loads(split_entry(ENTRIES["107-programme.amended.txt"])[1].splitlines()[0])
    for field in ("closes_at", "envelope_fen", "rules", "rules_from"):
        del command[field]
    assert parse_command(command_text(command | {"envelope_fen": 1})).kind == "programme.amend/1"
    with pytest.raises(MalformedError, match=r"^must amend something$"):
        command_text(command)


@pytest.mark.parametrize("data", ENTRIES.values(), ids=ENTRIES)
def test_an_outcome_has_one_form(data: bytes) -> None:
    """As JSON values, as bytes, and in the header of an entry; and it is read from there."""
    kind, fields = (header := Header.from_bytes(split_entry(data)[0])).kind, header.outcome
    outcome = Entry.from_bytes(data).event.outcome
    assert outcome_to_json(kind, outcome) == json.loads(outcome_to_bytes(kind, outcome)) == fields
    assert outcome_from_json(kind, fields) == outcome


def test_an_entry_is_as_large_as_a_bundle_can_carry() -> None:
    """To the byte."""
    largest = b"{}\n".ljust(ENTRY_SIZE_MAX, b"x")
    assert split_entry(largest) == (b"{}", largest[3:])
    with pytest.raises(EntryMalformedError, match="over 65535"):
        split_entry(largest + b"x")


def test_an_instant_is_text_outside_and_a_number_inside() -> None:
    """Bytes of the same letters are not text, and a number is none."""
    adapter: TypeAdapter[int] = TypeAdapter(Instant)
    instant = parse_instant(NOON)
    assert adapter.validate_python(NOON) == adapter.validate_json(f'"{NOON}"') == instant
    assert adapter.dump_json(instant) == f'"{NOON}"'.encode()
    for other in (NOON.encode(), instant, None, NOON[:-1]):
        with pytest.raises(ValidationError):
            adapter.validate_python(other)
