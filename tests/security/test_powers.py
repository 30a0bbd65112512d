"""What one key, or one who can write beside the log, can do: as docs/threat-model.md says, no less and no more.

Some of it nobody would wish for. It is shown here so that it is known, and so that whoever changes it changes the page.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.actors import Actor, Json, brought_by, key_of, label_of, note_of, profile_of, uscc_of, vkey_of
from support.burning import BEGIN, LOG_KEY, NOW, Clock, answer_to, burn_note, founding_notes
from support.terms import limits_of, rules_of
from tallystick.audit import audit
from tallystick.audit.officer_checks import OwnOfficerSums
from tallystick.ledger import Admitted, Ledger, create_ledger
from tallystick.signing.note import Note, sign_text
from tallystick.transparency.policy import Policy
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.quantities import DAY_US, SECOND_US, format_instant
from tallystick.vouchers.refusals import Reason
from tallystick.vouchers.rulebook import RULES as RULEBOOK
from tallystick.vouchers.rules.network import NetworkFound
from tallystick.vouchers.rules.rule import Rule

TREASURY, NETWORK = Actor("treasury"), Actor("network")
OFFICER = "treasury/officer-1"
THIEF = "treasury/officer-of-the-thief"
POLICY = Policy.for_log(LOG_KEY.verifier)
MAKER = {"maker": True, "profile_hash": profile_of("maker")}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(tmp_path: Path, clock: Clock) -> Iterator[Ledger]:
    genesis, *rest = founding_notes()
    with create_ledger(tmp_path, genesis, LOG_KEY, clock=clock) as ledger:
        ledger.submit(rest)
        clock.at = NOW
        yield ledger


RULES = {
    "name": "2026",
    "voucher_kind": "compute",
    "fiscal_year": 2026,
    "envelope_fen": 10**9,
    "opens_at": format_instant(BEGIN),
    "closes_at": format_instant(BEGIN + 300 * DAY_US),
    "rules": rules_of(validity_days=365),
}
LIMITS = limits_of("ascend-910b")


CAREFUL = Actor("suzhou", ("officer-1", "officer-2", "officer-3"))
"""A treasury with a quorum of two, of which one officer alone signs at most THRESHOLD_FEN within thirty days."""
THRESHOLD_FEN = 10**6


@pytest.fixture
def careful(ledger: Ledger) -> Ledger:
    """The ledger with the careful treasury, its programme, and a holder of it."""
    officers = {"threshold_fen": THRESHOLD_FEN, "required": 2, "window_days": 30}
    fields = {"admitted": "suzhou", "role": "treasury", "name": "Suzhou", "keys": CAREFUL.vkeys}
    admitted = NETWORK.note("party.admit", NOW, ref="suzhou", quorum=2, officers=officers, **fields)
    maker = {"admitted": "maker", "role": "holder", "keys": [vkey_of("maker/officer-1")], **MAKER}
    place = {"programme": "suzhou/p", "provider": "provider", "items": LIMITS}
    for note in (
        admitted,
        CAREFUL.note("party.admit", NOW, **maker),
        CAREFUL.note("programme.open", NOW, programme="suzhou/p", **RULES),
        CAREFUL.note("provider.accredit", NOW, valid_from=format_instant(BEGIN), **place),
    ):
        assert answer_to(ledger, note) is None
    return ledger


def issue_by(ref: str, *key_names: str, face_fen: int = THRESHOLD_FEN, at: int = NOW) -> bytes:
    command = CAREFUL.command(
        "voucher.issue",
        at,
        ref=ref,
        voucher=f"suzhou/{ref}",
        programme="suzhou/p",
        holder="maker",
        face_fen=face_fen,
        valid_from=format_instant(NOW),
    )
    return note_of(command, *key_names)


ONE, TWO, THIEF_HERE = "suzhou/officer-1", "suzhou/officer-2", "suzhou/thief"


def test_one_officer_alone_cannot_issue_what_needs_two(careful: Ledger) -> None:
    more = THRESHOLD_FEN + 1
    assert answer_to(careful, issue_by("a", ONE, face_fen=more)) is Reason.SIGNATURES_MISSING
    assert answer_to(careful, issue_by("a", ONE, THIEF_HERE, face_fen=more)) is Reason.KEY_UNKNOWN
    assert answer_to(careful, issue_by("a", ONE, TWO, face_fen=more)) is None


def test_one_officer_and_a_provider_cannot_empty_an_envelope(careful: Ledger, tmp_path: Path) -> None:
    """In pieces at the threshold, from one programme or another, by one officer's key or by each in turn, for a month.

    A piece that was revoked isn't given back. What the officer pays counts beside it, as the story "what is paid counts
    beside what is issued" of tests/rules/tables/keys_and_signatures.txt shows.
    """
    piece = THRESHOLD_FEN // 10
    answers = [answer_to(careful, issue_by(f"v{number}", ONE, face_fen=piece)) for number in range(10)]
    assert answers == [None] * 10
    assert answer_to(careful, issue_by("more", ONE, face_fen=1)) is Reason.SIGNATURES_MISSING
    assert answer_to(careful, issue_by("more", TWO, face_fen=1)) is Reason.SIGNATURES_MISSING
    revoked = CAREFUL.command("voucher.revoke", NOW, ref="back", voucher="suzhou/v0", reason="x")
    assert answer_to(careful, note_of(revoked, ONE)) is None
    assert answer_to(careful, issue_by("more", ONE, face_fen=1)) is Reason.SIGNATURES_MISSING
    two = CAREFUL.note("programme.open", NOW, ref="two", programme="suzhou/p2", **RULES)
    assert answer_to(careful, note_of(CAREFUL.command("programme.open", NOW, programme="suzhou/p3", **RULES), ONE)) is (
        Reason.SIGNATURES_MISSING
    )
    assert answer_to(careful, two) is None
    command = CAREFUL.command("voucher.issue", NOW, ref="other", voucher="suzhou/o", programme="suzhou/p2")
    command |= {"holder": "maker", "face_fen": 1, "valid_from": format_instant(NOW)}
    assert answer_to(careful, note_of(command, ONE)) is Reason.SIGNATURES_MISSING
    assert careful.state.signed_by_few_fen["suzhou"].keys() == {(NOW + 8 * 3_600 * SECOND_US) // DAY_US}
    assert sum(careful.state.signed_by_few_fen["suzhou"].values()) == THRESHOLD_FEN
    assert answer_to(careful, issue_by("by-two", ONE, TWO)) is None
    assert audit(tmp_path, POLICY, processes=1).verdict == "clean"


def test_an_audit_counts_what_too_few_officers_signed(careful: Ledger) -> None:
    """A sum that isn't what the entries come to is found, though every decision by it is repeated."""
    sums = OwnOfficerSums(careful.state)
    (answer,) = careful.submit([issue_by("a", ONE, face_fen=7)])
    assert isinstance(answer, Admitted)
    day = (NOW + 8 * 3_600 * SECOND_US) // DAY_US
    assert [*sums.differences(careful.state)] == ["treasury suzhou: too few officers signed 7 fen, by entries 0 fen"]
    assert [*OwnOfficerSums(careful.state).differences(careful.state)] == []
    assert [*sums.count(careful.state, Entry.from_bytes(answer.entry).event)] == []
    for treasury, falsified, named in (
        ("suzhou", {day: 8}, "too few officers signed 8 fen, and 7 fen were issued, paid and asked back"),
        ("suzhou", {day + 1: 7}, "too few officers signed 7 fen on "),
        ("suzhou", {day: -1}, "too few officers signed -1 fen on "),
        ("provider", {day: 1}, "there is none of that id, and too few officers signed 1 fen"),
    ):
        careful.state.signed_by_few_fen = {treasury: falsified}
        assert any(named in fault for fault in OwnOfficerSums(careful.state).differences(careful.state))
    careful.state.signed_by_few_fen = {"suzhou": {day: 6}}
    assert [*sums.differences(careful.state)] == ["treasury suzhou: too few officers signed 6 fen, by entries 7 fen"]


def test_one_key_of_a_treasury_without_a_quorum_can_add_another_and_the_log_shows_it(
    ledger: Ledger, tmp_path: Path
) -> None:
    """So such a treasury can't have officers at all: its one key would make itself as many as are required.

    The entry that added the key stands in the log for ever; the network or the treasury can revoke it.
    """
    officers = {"threshold_fen": 0, "required": 2, "window_days": 1}
    fields = {
        "admitted": "wuxi",
        "role": "treasury",
        "name": "Wuxi",
        "keys": [vkey_of("wuxi/one"), vkey_of("wuxi/two")],
    }
    wuxi = NETWORK.note("party.admit", NOW, ref="wuxi", officers=officers, **fields)
    assert answer_to(ledger, wuxi) is Reason.OFFICERS_INVALID
    command = TREASURY.command("key.add", NOW, ref="more", subject="treasury", purpose="sign", vkey=vkey_of(THIEF))
    assert answer_to(ledger, note_of(command, OFFICER, THIEF)) is None
    opened = TREASURY.command("programme.open", NOW, ref="mine", programme="treasury/mine", **RULES)
    assert answer_to(ledger, note_of(opened, THIEF)) is None
    stolen = {"cause": "compromised", "since": format_instant(NOW), "reason": "stolen"}
    revoke = NETWORK.note("key.revoke", NOW, ref="no", subject="treasury", key=label_of(THIEF), **stolen)
    assert answer_to(ledger, revoke) is None
    opened = TREASURY.command("programme.open", NOW, ref="more-of-it", programme="treasury/more", **RULES)
    assert answer_to(ledger, note_of(opened, THIEF)) is Reason.KEY_REVOKED
    assert audit(tmp_path, POLICY, processes=1).verdict == "clean"


def test_one_key_of_a_treasury_with_a_quorum_can_make_nobody_able_to_act(careful: Ledger) -> None:
    """What makes new authority needs as much as it makes; with a colleague's signature each of them is admitted."""
    other = {"admitted": "other", "role": "holder", "keys": [vkey_of("other/m-1")], **MAKER}
    revoked = {"subject": "maker", "key": label_of("maker/officer-1"), "cause": "ceased", "reason": "x"}
    suspended = CAREFUL.command("party.suspend", NOW, subject="maker", reason="x")
    assert answer_to(careful, note_of(suspended, ONE)) is None
    desk = {"admitted": "desk", "role": "operator", "name": "Desk", "keys": [vkey_of("desk/officer-1")]}
    assert answer_to(careful, NETWORK.note("party.admit", NOW, ref="desk", **desk)) is None
    limits = {"each_fen": 1, "total_fen": 1, "until": format_instant(NOW + DAY_US)}
    mandate = {"operator": "desk", "kinds": ["voucher.issue/1"]} | limits
    place = {"programme": "suzhou/mine", "provider": "provider", "items": LIMITS, "valid_from": format_instant(NOW)}
    for command, new_key in (
        (CAREFUL.command("key.add", NOW, subject="suzhou", purpose="sign", vkey=vkey_of(THIEF_HERE)), (THIEF_HERE,)),
        (
            CAREFUL.command("key.add", NOW, subject="maker", purpose="sign", vkey=vkey_of("maker/thief")),
            ("maker/thief", *NETWORK.key_names),
        ),
        (CAREFUL.command("key.revoke", NOW, **revoked), ()),
        (CAREFUL.command("party.reinstate", NOW, subject="maker", reason="x"), ()),
        (CAREFUL.command("party.admit", NOW, **other), ("other/m-1",)),
        (CAREFUL.command("programme.open", NOW, programme="suzhou/mine", **RULES), ()),
        (CAREFUL.command("provider.accredit", NOW, **place), ()),
        (CAREFUL.command("programme.amend", NOW, programme="suzhou/mine", reason="x", envelope_fen=10**10), ()),
        (CAREFUL.command("mandate.give", NOW, mandate="suzhou/m", **mandate), ()),
    ):
        assert answer_to(careful, note_of(command, ONE, *new_key)) is Reason.SIGNATURES_MISSING
        assert answer_to(careful, note_of(command, ONE, TWO, *new_key)) is None


def test_an_admitter_and_the_network_together_can_sign_for_a_party_and_nobody_else_can(
    ledger: Ledger, clock: Clock
) -> None:
    """So that a party that lost its keys isn't lost; it waits, and the log names whose command added the key."""
    mine = "holder/key-of-the-treasury"
    for party, expected in (("provider", Reason.SUBJECT_NOT_UNDER_PARTY), ("treasury", None)):
        command = Actor(party).command("key.add", NOW, ref="in", subject="holder", purpose="sign", vkey=vkey_of(mine))
        own = f"{party}/officer-1"
        assert answer_to(ledger, note_of(command, own, mine)) is Reason.SIGNATURES_MISSING
        assert answer_to(ledger, note_of(command, *NETWORK.key_names, mine)) is Reason.SIGNATURES_MISSING
        assert answer_to(ledger, note_of(command, own, *NETWORK.key_names, mine)) is expected
    fields = {"reservation": "holder/taken", "voucher": "treasury/v1", "contract": "holder/k1", "amount_fen": 1}
    for at, expected in ((NOW, Reason.KEY_NOT_ACTIVE_YET), (NOW + DAY_US, None)):
        clock.at = at
        until = format_instant(at + DAY_US)
        command = Actor("holder").command("voucher.reserve", at, ref="taken", until=until, **fields)
        assert answer_to(ledger, note_of(command, mine)) is expected


@pytest.mark.parametrize(("later", "expected"), [(DAY_US - 1, None), (DAY_US, Reason.SIGNATURES_MISSING)])
def test_a_holder_stops_a_key_that_was_added_to_it_with_one_of_its_own(
    ledger: Ledger, clock: Clock, later: int, expected: Reason | None
) -> None:
    """However many must sign what else it revokes: until the key counts, it takes nothing from anybody."""
    holder, mine = Actor("holder"), "holder/key-of-the-treasury"
    command = TREASURY.command("key.add", NOW, ref="in", subject="holder", purpose="sign", vkey=vkey_of(mine))
    assert answer_to(ledger, note_of(command, OFFICER, *NETWORK.key_names, mine)) is None
    second = vkey_of("holder/officer-2")
    assert (
        answer_to(ledger, holder.note("key.add", NOW, ref="second", subject="holder", purpose="sign", vkey=second))
        is None
    )
    assert answer_to(ledger, holder.note("party.amend", NOW, ref="two", name="Holder", quorum=2)) is None
    stop = {"subject": "holder", "key": label_of(mine), "cause": "ceased", "reason": "nobody of ours"}
    clock.at = NOW + later
    command = holder.command("key.revoke", clock.at, ref="stop", **stop)
    assert answer_to(ledger, note_of(command, "holder/officer-1")) is expected


def test_an_officer_alone_takes_no_firms_code_id_or_public_key(ledger: Ledger) -> None:
    """A code, an id and a key are taken for ever, so each key that is brought signs, and so does the quorum."""
    careful = Actor("suzhou", ("officer-1", "officer-2"))
    fields = {"admitted": "suzhou", "role": "treasury", "name": "Suzhou", "keys": careful.vkeys, "quorum": 2}
    assert answer_to(ledger, NETWORK.note("party.admit", NOW, ref="careful", **fields)) is None
    firm: dict[str, object] = {"role": "holder", "name": "A firm", "uscc": uscc_of("firm")}
    of_firm = {"admitted": "firm", "keys": [vkey_of("firm/desk")]}
    own_key = {"admitted": "firm", "keys": [vkey_of("firm/thief")]}
    public_key = {"admitted": "other", "keys": [vkey_of("other/desk:firm/desk")]}
    for who, signers, taken in (
        (careful, ("suzhou/officer-1", "firm/thief"), own_key),  # the code and the id, for a key of its own
        (careful, careful.key_names, of_firm),  # even both officers, without the firm
        (TREASURY, (OFFICER,), of_firm),
        (TREASURY, (OFFICER,), public_key),
        (NETWORK, NETWORK.key_names, {**public_key, "role": "provider"}),
    ):
        command = who.command("party.admit", NOW, ref="takes", **(firm | taken))
        assert answer_to(ledger, note_of(command, *signers)) is Reason.SIGNATURES_MISSING
    command = TREASURY.command(
        "key.add", NOW, ref="takes", subject="treasury", purpose="sign", vkey=vkey_of("treasury/x:firm/desk")
    )
    assert answer_to(ledger, note_of(command, OFFICER)) is Reason.SIGNATURES_MISSING
    assert answer_to(ledger, careful.note("party.admit", NOW, ref="right", **(firm | of_firm))) is None


def test_one_officer_suspends_at_night_and_two_reinstate(ledger: Ledger) -> None:
    """To stop takes nothing from anybody; to let go on does."""
    careful = Actor("suzhou", ("officer-1", "officer-2"))
    fields = {"admitted": "suzhou", "role": "treasury", "name": "Suzhou", "keys": careful.vkeys, "quorum": 2}
    assert answer_to(ledger, NETWORK.note("party.admit", NOW, ref="careful", **fields)) is None
    maker = {"admitted": "maker", "role": "holder", "keys": [vkey_of("maker/m-1")], **MAKER}
    assert answer_to(ledger, careful.note("party.admit", NOW, **maker)) is None
    stop = careful.command("party.suspend", NOW, subject="maker", reason="a stolen key")
    assert answer_to(ledger, note_of(stop, "suzhou/officer-1")) is None
    back = careful.command("party.reinstate", NOW, subject="maker", reason="cleared")
    assert answer_to(ledger, note_of(back, "suzhou/officer-1")) is Reason.SIGNATURES_MISSING
    assert answer_to(ledger, note_of(back, *careful.key_names)) is None


def test_every_rule_with_keys_in_it_says_that_it_brings_them() -> None:
    """Or they would be keys of the log without having signed. Root keys are counted: a quorum of them signs."""
    named = {
        rule for rule in RULEBOOK for name in rule.model_fields if name in ("vkey", "new_vkey") or name[-4:] == "keys"
    }
    assert {rule for rule in RULEBOOK if rule.brings is not Rule.brings} == named - {NetworkFound}


def _brings(ledger: Ledger, name: str, purpose: str) -> None:
    """Add a key to the provider."""
    vkey = vkey_of(name)
    note = Actor("provider").note("key.add", NOW, ref=purpose, subject="provider", purpose=purpose, vkey=vkey)
    assert answer_to(ledger, note) is None


def _of_provider(ref: str) -> list[Json]:
    """What else a provider may command."""
    provider = Actor("provider")
    price = {"item": "ascend-910b", "price_fen": 10**7, "valid_from": format_instant(NOW + DAY_US)}
    claim = {"claim": "provider/c", "programme": "treasury/2026", "last_day": "2026-01-31"}
    return [
        provider.command("tariff.publish", NOW, ref=ref, **price),
        provider.command("redemption.claim", NOW, ref=ref, **claim),
        provider.command("reservation.release", NOW, ref=ref, reservation="holder/r1"),
        provider.command("key.add", NOW, ref=ref, subject="provider", purpose="sign", vkey=vkey_of("provider/mine")),
        provider.command(
            "key.revoke",
            NOW,
            ref=ref,
            subject="provider",
            key=label_of("provider/officer-1"),
            cause="ceased",
            reason="x",
        ),
    ]


def test_a_meter_key_burns_and_nothing_else(ledger: Ledger) -> None:
    """It lies in a machine hall: whoever takes it can't raise the price of what it burns, nor get paid."""
    _brings(ledger, "provider/meter", "meter")
    for command in _of_provider("dearer"):
        note = note_of(command, "provider/meter", *brought_by(command))
        assert answer_to(ledger, note) is Reason.KEY_NOT_FOR_THIS_COMMAND
    burned = Note.from_bytes(burn_note("burned")).text
    assert answer_to(ledger, sign_text(burned, key_of("provider/meter"))) is None


def test_a_read_key_signs_nothing(ledger: Ledger) -> None:
    _brings(ledger, "provider/reader", "read")
    for command in _of_provider("reader"):
        note = note_of(command, "provider/reader", *brought_by(command))
        assert answer_to(ledger, note) is Reason.KEY_NOT_FOR_THIS_COMMAND
    burned = Note.from_bytes(burn_note("burned")).text
    assert answer_to(ledger, sign_text(burned, key_of("provider/reader"))) is Reason.KEY_NOT_FOR_THIS_COMMAND


def test_a_suspended_partys_keys_command_nothing(ledger: Ledger) -> None:
    """What to do first when a key is stolen; what was reserved before stays."""
    assert (
        answer_to(ledger, NETWORK.note("party.suspend", NOW, ref="stop", subject="provider", reason="stolen")) is None
    )
    assert answer_to(ledger, burn_note("stolen")) is Reason.PARTY_SUSPENDED
    assert ledger.state.book["reserved", "holder/r1"] > 0


def test_a_provider_cannot_burn_more_than_holders_gave_it_nor_pay_itself(ledger: Ledger) -> None:
    settle = {"claim": "provider/c1", "rows": [{"contract": "holder/k1", "paid_fen": 1}]}
    note = Actor("provider").note("redemption.settle", NOW, ref="pay", **settle)
    assert answer_to(ledger, note) is Reason.ROLE_MAY_NOT
    command = Actor("provider").command(
        "voucher.reserve",
        NOW,
        ref="own",
        reservation="provider/own",
        voucher="treasury/v1",
        contract="holder/k1",
        amount_fen=1,
        until=format_instant(NOW + DAY_US),
    )
    assert answer_to(ledger, note_of(command, "provider/officer-1")) is Reason.ROLE_MAY_NOT
