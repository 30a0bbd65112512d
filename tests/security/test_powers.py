"""What one key, or one who can write beside the log, can do: as docs/threat-model.md says, no less and no more.

Some of it nobody would wish for. It is shown here so that it is known, and so that whoever changes it changes the page.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.actors import Actor, label_of, note_of, vkey_of
from support.burning import BEGIN, LOG_KEY, NOW, Clock, burn_note, founding_notes
from tallystick.audit import audit
from tallystick.ledger import Ledger, create_ledger
from tallystick.transparency.policy import Policy
from tallystick.vouchers.quantities import DAY_US, format_instant
from tallystick.vouchers.refusals import Reason, Refusal

TREASURY, NETWORK = Actor("treasury"), Actor("network")
OFFICER = "treasury/officer-1"
THIEF = "treasury/officer-of-the-thief"
POLICY = Policy.for_log(LOG_KEY.verifier)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    clock = Clock()
    genesis, *rest = founding_notes()
    with create_ledger(tmp_path, genesis, LOG_KEY, clock=clock) as ledger:
        ledger.submit(rest)
        clock.at = NOW
        yield ledger


def answer_to(ledger: Ledger, note: bytes) -> Reason | None:
    """Why a note is refused; None if it is admitted."""
    (answer,) = ledger.submit([note])
    return answer.reason if isinstance(answer, Refusal) else None


RULES = {
    "name": "2026",
    "voucher_kind": "compute",
    "fiscal_year": 2026,
    "envelope_fen": 10**9,
    "opens_at": format_instant(BEGIN),
    "closes_at": format_instant(BEGIN + 300 * DAY_US),
    "share_bp_domestic": 3_000,
    "share_bp_foreign": 2_000,
    "holder_floor_fen": 0,
    "holder_cap_fen": 10**9,
    "validity_days": 365,
    "accelerators": [],
    "transfer": "forbidden",
    "payee": "provider",
    "officers_threshold_fen": 0,
    "officers_required": 2,
    "rounding_fen": 1,
}


def programme_for_two(ref: str) -> bytes:
    """A programme under which every issue needs two officers' signatures."""
    return TREASURY.note("programme.open", NOW, ref=ref, programme="treasury/two", **RULES)


def issue_by(ref: str, *key_names: str) -> bytes:
    command = TREASURY.command(
        "voucher.issue",
        NOW,
        ref=ref,
        voucher=f"treasury/{ref}",
        programme="treasury/two",
        holder="holder",
        face_fen=10**6,
        valid_from=format_instant(NOW),
    )
    return note_of(command, *key_names)


def test_one_officer_alone_cannot_issue_what_needs_two(ledger: Ledger) -> None:
    assert answer_to(ledger, programme_for_two("two")) is None
    assert answer_to(ledger, issue_by("a", OFFICER)) is Reason.SIGNATURES_MISSING
    assert answer_to(ledger, issue_by("a", OFFICER, THIEF)) is Reason.KEY_UNKNOWN


def test_one_officers_key_can_add_itself_a_colleague_and_the_log_shows_it(ledger: Ledger, tmp_path: Path) -> None:
    """Signatures are counted by key, and one key may add another: two are two only while no key is stolen.

    The entry that added the key stands before the issue, for ever; the network or the treasury can revoke it.
    """
    assert answer_to(ledger, programme_for_two("two")) is None
    command = TREASURY.command("key.add", NOW, ref="more", subject="treasury", vkey=vkey_of(THIEF))
    assert answer_to(ledger, note_of(command, OFFICER, THIEF)) is None
    assert answer_to(ledger, issue_by("a", OFFICER, THIEF)) is None
    revoke = NETWORK.note("key.revoke", NOW, ref="no", subject="treasury", key=label_of(THIEF), reason="stolen")
    assert answer_to(ledger, revoke) is None
    assert answer_to(ledger, issue_by("b", OFFICER, THIEF)) is Reason.KEY_REVOKED
    assert audit(tmp_path, POLICY, processes=1).verdict == "clean"


def test_one_key_of_a_treasury_with_a_quorum_can_make_neither_keys_nor_programmes(ledger: Ledger) -> None:
    """What makes new authority needs as much as it makes; with a colleague's signature each of them is admitted."""
    careful = Actor("suzhou", ("officer-1", "officer-2"))
    fields = {"admitted": "suzhou", "role": "treasury", "name": "Suzhou", "keys": careful.vkeys, "quorum": 2}
    assert answer_to(ledger, NETWORK.note("party.admit", NOW, ref="careful", **fields)) is None
    maker = {"admitted": "maker", "role": "holder", "name": "M", "keys": [vkey_of("maker/m-1")], "maker": True}
    assert answer_to(ledger, note_of(careful.command("party.admit", NOW, **maker), "suzhou/officer-1")) is None
    revoked = {"subject": "maker", "key": label_of("maker/m-1"), "reason": "x"}
    for command, new_key in (
        (careful.command("key.add", NOW, subject="suzhou", vkey=vkey_of("suzhou/thief")), ("suzhou/thief",)),
        (careful.command("key.add", NOW, subject="maker", vkey=vkey_of("maker/thief")), ("maker/thief",)),
        (careful.command("key.revoke", NOW, **revoked), ()),
        (careful.command("programme.open", NOW, programme="suzhou/mine", **RULES), ()),
    ):
        assert answer_to(ledger, note_of(command, "suzhou/officer-1", *new_key)) is Reason.SIGNATURES_MISSING
        assert answer_to(ledger, note_of(command, *careful.key_names, *new_key)) is None
    assert answer_to(ledger, programme_for_two("two")) is None  # whoever was admitted without one needs one


def test_who_admitted_a_party_can_sign_for_it_by_adding_a_key_and_nobody_else_can(ledger: Ledger) -> None:
    """So that a party that lost its keys isn't lost; and the log names whose command added the key."""
    mine = "holder/key-of-the-treasury"
    for party, expected in (("provider", Reason.SUBJECT_NOT_UNDER_PARTY), ("treasury", None)):
        command = Actor(party).command("key.add", NOW, ref="in", subject="holder", vkey=vkey_of(mine))
        assert answer_to(ledger, note_of(command, f"{party}/officer-1", mine)) is expected
    command = Actor("holder").command(
        "voucher.reserve",
        NOW,
        ref="taken",
        reservation="holder/taken",
        voucher="treasury/v1",
        provider="provider",
        amount_fen=1,
        until=format_instant(NOW + DAY_US),
    )
    assert answer_to(ledger, note_of(command, mine)) is None


def test_a_suspended_partys_keys_command_nothing(ledger: Ledger) -> None:
    """What to do first when a key is stolen; what was reserved before stays."""
    assert (
        answer_to(ledger, NETWORK.note("party.suspend", NOW, ref="stop", subject="provider", reason="stolen")) is None
    )
    assert answer_to(ledger, burn_note("stolen")) is Reason.PARTY_SUSPENDED
    assert ledger.state.book["reserved", "holder/r1"] > 0


def test_a_provider_cannot_burn_more_than_holders_gave_it_nor_pay_itself(ledger: Ledger) -> None:
    pay = {"claim": "provider/c1", "amount_fen": 1, "payment_reference": "x"}
    assert answer_to(ledger, Actor("provider").note("redemption.pay", NOW, ref="pay", **pay)) is Reason.ROLE_MAY_NOT
    command = Actor("provider").command(
        "voucher.reserve",
        NOW,
        ref="own",
        reservation="provider/own",
        voucher="treasury/v1",
        provider="provider",
        amount_fen=1,
        until=format_instant(NOW + DAY_US),
    )
    assert answer_to(ledger, note_of(command, "provider/officer-1")) is Reason.ROLE_MAY_NOT
