"""What a provider's key burns by invoice or by count: once, within what was signed and reserved."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.actors import Actor, Json, note_of, uscc_of
from support.burning import BEGIN, LOG_KEY, NOW, Clock, answer_to, founding_notes
from support.terms import contract_of, limits_of, rules_of
from tallystick.audit import audit
from tallystick.ledger import Ledger, create_ledger
from tallystick.signing.algorithms import SHA256
from tallystick.transparency.policy import Policy
from tallystick.vouchers.quantities import DAY_US, format_instant
from tallystick.vouchers.refusals import Reason

NETWORK, TREASURY = Actor("network"), Actor("treasury")
PROVIDER, HOLDER, OTHER = Actor("provider"), Actor("holder"), Actor("other")
POLICY = Policy.for_log(LOG_KEY.verifier)
UNTIL = format_instant(NOW + 60 * DAY_US)
AMOUNT_FEN, RESERVED_FEN = 100_000, 15_000
INVOICE = SHA256.of(b"an invoice")
OTHER_SIDE = {"before": "settle", "subject_type": "contract", "topic": "delivery", "other_side": True, "passes": 1}
CAP = {"group": "s", "holder_fen": 10**9, "floor_fen": 0}
RULES = rules_of(validity_days=365, basis="both", cap=CAP, gates=[OTHER_SIDE])
JANUARY = {"first_day": "2026-01-02", "last_day": "2026-01-20"}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(tmp_path: Path, clock: Clock) -> Iterator[Ledger]:
    """Two invoiced contracts of a holder, one of another holder, and a metered one about a counted item."""
    genesis, *rest = founding_notes()
    with create_ledger(tmp_path, genesis, LOG_KEY, clock=clock) as ledger:
        ledger.submit(rest)
        window = {"opens_at": format_instant(BEGIN), "closes_at": format_instant(BEGIN + 300 * DAY_US)}
        programme = {"name": "2026", "voucher_kind": "model", "fiscal_year": 2026, "envelope_fen": 10**9}
        place = {"provider": "provider", "items": limits_of("texts", "tokens", price_limit_fen=500)}
        other = {"admitted": "other", "role": "holder", "name": "Other", "uscc": uscc_of("other"), "keys": OTHER.vkeys}
        notes = [
            *(
                NETWORK.note("item.register", BEGIN, ref=item, item=item, name=item, unit="count", counted="one")
                for item in ("texts", "tokens")
            ),
            *(
                PROVIDER.note(
                    "tariff.publish", BEGIN, ref=item, item=item, price_fen=500, valid_from=format_instant(BEGIN)
                )
                for item in ("texts", "tokens")
            ),
            TREASURY.note("party.admit", BEGIN, ref="other", **other),
            TREASURY.note(
                "programme.open",
                BEGIN,
                ref="open",
                programme="treasury/s",
                rules=RULES,
                **programme,
                **window,
            ),
            TREASURY.note(
                "provider.accredit", BEGIN, ref="place", programme="treasury/s", valid_from=window["opens_at"], **place
            ),
        ]
        for holder in (HOLDER, OTHER):
            fields = {"voucher": f"treasury/{holder.party}", "holder": holder.party, "face_fen": 10**6}
            notes.append(
                TREASURY.note(
                    "voucher.issue",
                    BEGIN,
                    ref=f"v-{holder.party}",
                    programme="treasury/s",
                    valid_from=window["opens_at"],
                    **fields,
                )
            )
        for holder, name, basis in (
            (HOLDER, "i1", "invoiced"),
            (HOLDER, "i2", "invoiced"),
            (OTHER, "i3", "invoiced"),
            (HOLDER, "m", "metered"),
        ):
            notes += agreed(holder, name, basis)
        for note in notes:
            assert answer_to(ledger, note) is None
        clock.at = NOW
        yield ledger


def agreed(holder: Actor, name: str, basis: str) -> list[bytes]:
    """A contract that both signed, and what its holder reserved for it."""
    contract = f"{holder.party}/{name}"
    items = [{"item": item, "price_fen": 500} for item in ("texts", "tokens")]
    terms = contract_of(contract, holder.party, "provider", "2026-01-01", "2026-12-31")
    terms |= {"basis": basis, "items": items, "amount_fen": AMOUNT_FEN}
    reserved = {"reservation": contract, "voucher": f"treasury/{holder.party}", "contract": contract}
    return [
        holder.note("contract.sign", BEGIN, *PROVIDER.key_names, ref=f"c-{name}", **terms),
        holder.note("voucher.reserve", BEGIN, ref=f"r-{name}", amount_fen=RESERVED_FEN, until=UNTIL, **reserved),
    ]


def invoice(ref: str, **changed: Any) -> bytes:
    fields: Json = {"contract": "holder/i1", "item": "texts", "document_hash": INVOICE, "fee_fen": 10_000}
    return PROVIDER.note("service.burn", NOW, ref=ref, **(fields | JANUARY | changed))


def counted(ref: str, **changed: Any) -> bytes:
    fields: Json = {"contract": "holder/m", "item": "tokens", "quantity": 10}
    return PROVIDER.note("service.burn", NOW, ref=ref, **(fields | JANUARY | changed))


def reverse(statement: str) -> bytes:
    return PROVIDER.note("burn.reverse", NOW, ref=f"back-{statement}", statement=statement, line=0, reason="x")


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"item": "tokens"},
        {"contract": "holder/i2"},
        {"contract": "other/i3"},
        {"fee_fen": 1},
        {"last_day": "2026-01-19"},
    ],
)
def test_an_invoice_is_burned_once(changed: Json, ledger: Ledger) -> None:
    """Under whichever contract, item, days or fee, and of whichever holder."""
    assert answer_to(ledger, invoice("s1")) is None
    assert answer_to(ledger, invoice("s2", **changed)) is Reason.DOCUMENT_ALREADY_USED


def test_an_invoice_that_was_taken_back_comes_again_as_its_correction_alone(ledger: Ledger, tmp_path: Path) -> None:
    """For no more than it was, once; and not as a new one."""
    corrects = {"corrects": {"statement": "s1", "line": 0}}
    assert answer_to(ledger, invoice("s1")) is None
    assert answer_to(ledger, invoice("s2", **corrects)) is Reason.CORRECTION_UNFOUNDED
    assert answer_to(ledger, reverse("s1")) is None
    assert answer_to(ledger, invoice("s2")) is Reason.DOCUMENT_ALREADY_USED
    assert answer_to(ledger, invoice("s2", **corrects, fee_fen=10_001)) is Reason.EXCEEDS_CORRECTED_LINE
    assert answer_to(ledger, invoice("s2", **corrects, fee_fen=9_000)) is None
    assert answer_to(ledger, invoice("s3", **corrects)) is Reason.DOCUMENT_ALREADY_USED
    assert audit(tmp_path, POLICY, processes=1).findings == ()


def test_no_document_is_a_contract_and_an_invoice(ledger: Ledger) -> None:
    """Whichever of the two comes first."""
    signed = ledger.state.contracts["holder/i1"].document_hash
    assert answer_to(ledger, invoice("s1", document_hash=signed)) is Reason.DOCUMENT_ALREADY_USED
    assert answer_to(ledger, invoice("s1")) is None
    terms = contract_of("holder/i4", "holder", "provider", "2026-01-01", "2026-12-31", document_hash=INVOICE)
    signed_again = HOLDER.note("contract.sign", NOW, *PROVIDER.key_names, ref="again", **terms)
    assert answer_to(ledger, signed_again) is Reason.DOCUMENT_ALREADY_USED


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"fee_fen": AMOUNT_FEN + 1}, Reason.EXCEEDS_CONTRACT),
        ({"fee_fen": AMOUNT_FEN}, Reason.EXCEEDS_RESERVATION),
        ({"first_day": "2025-12-31"}, Reason.OUTSIDE_CONTRACT),
        ({"last_day": "2027-01-01"}, Reason.OUTSIDE_CONTRACT),
        ({"contract": "holder/m"}, Reason.BASIS_DIFFERS),
        ({"item": "ascend-910b"}, Reason.ITEM_NOT_IN_CONTRACT),
    ],
)
def test_an_invoice_stays_within_its_contract(changed: Json, expected: Reason, ledger: Ledger) -> None:
    """Its fee is bounded by nothing else: no tariff and no price limit; its document is for others to read."""
    assert answer_to(ledger, invoice("s1", **changed)) is expected


def test_an_invoice_is_paid_once_the_other_side_has_looked_at_it(ledger: Ledger, clock: Clock) -> None:
    """What a provider attests of its own contract opens no gate for it; nor does another's customer attest it."""
    assert answer_to(ledger, invoice("s1")) is None
    clock.at = at = NOW + DAY_US
    claim: Json = {"claim": "provider/c", "programme": "treasury/s", "last_day": "2026-01-31"}
    assert answer_to(ledger, PROVIDER.note("redemption.claim", at, ref="claim", **claim)) is None
    settled: Json = {"claim": "provider/c", "rows": [{"contract": "holder/i1", "paid_fen": 2_000}]}
    settled["payment"] = {"amount_fen": 2_000, "day": "2026-01-31", "reference": "x"}
    verdict: Json = {"subject_type": "contract", "subject_id": "holder/i1", "topic": "delivery", "verdict": "pass"}
    verdict |= {"reason": "x", "evidence_hash": f"sha256:{'0' * 64}", "valid_until": UNTIL}
    for number, (party, expected) in enumerate(((PROVIDER, None), (OTHER, Reason.NOT_OWN_CONTRACT), (HOLDER, None))):
        pay = TREASURY.note("redemption.settle", at, ref=f"pay-{number}", **settled)
        assert answer_to(ledger, pay) is Reason.GATE_NOT_PASSED
        assert answer_to(ledger, party.note("attestation.give", at, ref="seen", **verdict)) is expected
    assert answer_to(ledger, TREASURY.note("redemption.settle", at, ref="pay", **settled)) is None


@pytest.mark.parametrize(
    ("first_day", "last_day", "expected"),
    [
        ("2026-01-02", "2026-01-20", Reason.SERVICE_DAYS_ALREADY_BURNED),
        ("2026-01-20", "2026-01-25", Reason.SERVICE_DAYS_ALREADY_BURNED),
        ("2026-01-05", "2026-01-05", Reason.SERVICE_DAYS_ALREADY_BURNED),
        ("2026-01-21", "2026-01-25", None),
        ("2026-01-21", "2026-01-31", Reason.JOB_TIME_IN_THE_FUTURE),
    ],
)
def test_days_are_counted_once(first_day: str, last_day: str, expected: Reason | None, ledger: Ledger) -> None:
    """Not those that lie in a longer time either; and no day that isn't over."""
    days = {"first_day": first_day, "last_day": last_day}
    assert answer_to(ledger, counted("s1")) is None
    assert answer_to(ledger, counted("s2", **days)) is expected
    assert answer_to(ledger, reverse("s1")) is None


def test_a_quantity_costs_what_both_signed(ledger: Ledger) -> None:
    """At most the contract's amount; nothing of another provider's contract, nor by another party's key."""
    assert answer_to(ledger, counted("s1", quantity=AMOUNT_FEN // 500 + 1)) is Reason.EXCEEDS_CONTRACT
    command = HOLDER.command("service.burn", NOW, ref="own", contract="holder/m", item="tokens", quantity=1, **JANUARY)
    assert answer_to(ledger, note_of(command, *HOLDER.key_names)) is Reason.ROLE_MAY_NOT
    rival = {"admitted": "rival", "role": "provider", "name": "Rival", "uscc": uscc_of("rival")}
    rivals = Actor("rival")
    assert answer_to(ledger, NETWORK.note("party.admit", NOW, ref="rival", keys=rivals.vkeys, **rival)) is None
    stolen = rivals.note("service.burn", NOW, contract="holder/m", item="tokens", quantity=1, **JANUARY)
    assert answer_to(ledger, stolen) is Reason.NOT_OWN_CONTRACT


def extend(party: Actor, ref: str, **fields: Any) -> bytes:
    return party.note("reservation.extend", NOW, ref=ref, reservation="holder/i1", **fields)


def test_a_reservation_is_extended_by_its_holder_alone(ledger: Ledger) -> None:
    """Neither its provider nor its treasury takes more than was promised, nor for longer; nor does it get less."""
    for party, expected in (
        (PROVIDER, Reason.ROLE_MAY_NOT),
        (TREASURY, Reason.ROLE_MAY_NOT),
        (OTHER, Reason.NOT_OWN_RESERVATION),
        (HOLDER, None),
    ):
        assert answer_to(ledger, extend(party, "more", amount_fen=1)) is expected
    assert answer_to(ledger, extend(HOLDER, "shorter", until=format_instant(NOW + DAY_US))) is Reason.WINDOW_INVALID
    assert answer_to(ledger, extend(HOLDER, "same", until=UNTIL)) is Reason.WINDOW_INVALID
    assert answer_to(ledger, extend(HOLDER, "all", amount_fen=10**6)) is Reason.EXCEEDS_AVAILABLE_BALANCE
    long = format_instant(BEGIN + 366 * DAY_US)
    assert answer_to(ledger, extend(HOLDER, "long", until=long)) is Reason.RESERVATION_OUTLIVES_VOUCHER
