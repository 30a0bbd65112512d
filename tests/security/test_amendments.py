"""What an amendment can't be used for: money that is issued, rules that vouchers have, time that is over."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.actors import Actor, Json, note_of
from support.burning import BEGIN, LOG_KEY, NOW, Clock, answer_to, founding_notes
from support.terms import limits_of, rules_of
from tallystick.audit import audit
from tallystick.ledger import Ledger, create_ledger
from tallystick.transparency.policy import Policy
from tallystick.vouchers.quantities import DAY_US, format_day, format_instant
from tallystick.vouchers.refusals import Reason

NETWORK = Actor("network")
CITY = Actor("suzhou", ("officer-1", "officer-2"))
ONE = "suzhou/officer-1"
POLICY = Policy.for_log(LOG_KEY.verifier)
ENVELOPE_FEN, ISSUED_FEN = 10_000, 4_000
TODAY = (NOW + 8 * 3_600 * 1_000_000) // DAY_US
TOMORROW = format_day(TODAY + 1)
OTHER_SIDE = {"before": "settle", "subject_type": "contract", "topic": "delivery", "other_side": True, "passes": 1}
RULES = rules_of(rank=0, validity_days=300, cap={"group": "p", "holder_fen": 10**6, "floor_fen": 0})


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(tmp_path: Path, clock: Clock) -> Iterator[Ledger]:
    """A city of two officers, whose programme has issued a part of its envelope, and reserved it with a provider."""
    genesis, *rest = founding_notes()
    city = {"admitted": "suzhou", "role": "treasury", "name": "Suzhou", "keys": CITY.vkeys, "quorum": 2}
    place = {"programme": "suzhou/p", "provider": "provider", "items": limits_of("ascend-910b")}
    programme = {"programme": "suzhou/p", "name": "2026", "voucher_kind": "compute", "fiscal_year": 2026}
    window = {"opens_at": format_instant(BEGIN), "closes_at": format_instant(BEGIN + 300 * DAY_US)}
    with create_ledger(tmp_path, genesis, LOG_KEY, clock=clock) as ledger:
        ledger.submit(rest)
        clock.at = NOW
        for note in (
            NETWORK.note("party.admit", NOW, ref="city", **city),
            CITY.note("programme.open", NOW, envelope_fen=ENVELOPE_FEN, rules=RULES, **programme, **window),
            CITY.note("provider.accredit", NOW, valid_from=format_instant(BEGIN), **place),
            issue("v1", ISSUED_FEN),
            reserve("s1", 1_000),
        ):
            assert answer_to(ledger, note) is None
        yield ledger


def issue(name: str, face_fen: int, at: int = NOW) -> bytes:
    fields = {"voucher": f"suzhou/{name}", "programme": "suzhou/p", "holder": "holder", "face_fen": face_fen}
    return CITY.note("voucher.issue", at, ref=name, valid_from=format_instant(at), **fields)


def reserve(name: str, amount_fen: int, at: int = NOW) -> bytes:
    fields = {
        "reservation": f"holder/{name}",
        "voucher": "suzhou/v1",
        "contract": "holder/k1",
        "amount_fen": amount_fen,
    }
    return Actor("holder").note("voucher.reserve", at, ref=name, until=format_instant(at + 100 * DAY_US), **fields)


def amend(ref: str, *signers: str, at: int = NOW, **fields: Any) -> bytes:
    command = CITY.command("programme.amend", at, ref=ref, **({"programme": "suzhou/p", "reason": "x"} | fields))
    return note_of(command, *(signers or CITY.key_names))


def test_one_officer_amends_nothing(ledger: Ledger) -> None:
    """Not even an earlier end; and two amend no other city's programme."""
    wanted: list[Json] = [
        {"envelope_fen": 10**9},
        {"rules": RULES, "rules_from": TOMORROW},
        {"closes_at": format_instant(NOW)},
    ]
    for number, fields in enumerate(wanted):
        assert answer_to(ledger, amend(f"a{number}", ONE, **fields)) is Reason.SIGNATURES_MISSING
    assert answer_to(ledger, amend("b", envelope_fen=1, programme="treasury/2026")) is Reason.NOT_OWN_PROGRAMME


def test_what_is_issued_is_not_taken_out_of_the_envelope(ledger: Ledger, tmp_path: Path) -> None:
    """Down to it, and no fen further; what lies with holders, reserved or not, stays where it is."""
    assert answer_to(ledger, amend("a", envelope_fen=ISSUED_FEN - 1)) is Reason.BELOW_COMMITTED
    assert answer_to(ledger, amend("b", envelope_fen=ISSUED_FEN)) is None
    assert answer_to(ledger, issue("v2", 1)) is Reason.EXCEEDS_ENVELOPE
    assert ledger.state.book["reserved", "holder/s1"] == 1_000
    assert ledger.state.book["available", "suzhou/v1"] == ISSUED_FEN - 1_000
    assert audit(tmp_path, POLICY, processes=1).findings == ()


@pytest.mark.parametrize(
    ("rules_from", "expected"),
    [
        (format_day(TODAY - 1), Reason.DATE_IN_THE_PAST),
        (format_day(TODAY), Reason.DATE_IN_THE_PAST),
        (TOMORROW, None),
        (format_day(TODAY + 366), None),
        (format_day(TODAY + 367), Reason.DATE_TOO_FAR_AHEAD),
    ],
)
def test_rules_are_amended_from_tomorrow_on(rules_from: str, expected: Reason | None, ledger: Ledger) -> None:
    assert answer_to(ledger, amend("a", rules=RULES, rules_from=rules_from)) is expected


@pytest.mark.parametrize(
    "changed",
    [
        {"payee": "holder"},
        {"basis": "both", "gates": [OTHER_SIDE]},
        {"rounding_fen": 100},
        {"rank": 1},
        {"claims": {"cycle": "quarter", "cut_off_days": 90}},
    ],
)
def test_who_is_paid_and_how_it_is_claimed_never_changes(changed: Json, ledger: Ledger) -> None:
    """A provider reserved for can't find its money with somebody else."""
    assert answer_to(ledger, amend("a", rules=RULES | changed, rules_from=TOMORROW)) is Reason.RULES_FIXED


def test_a_voucher_keeps_the_rules_that_it_was_issued_under(ledger: Ledger, clock: Clock, tmp_path: Path) -> None:
    """The same line is paid the old share by the old voucher; and what is open to pass on later, this one isn't."""
    worse = RULES | {"shares": [{"share_bp": 0}], "ceiling_bp": 0, "validity_days": 1, "transfer": "open"}
    assert answer_to(ledger, amend("a", rules=worse, rules_from=TOMORROW)) is None
    before = ledger.state.vouchers["suzhou/v1"].valid_until
    clock.at = at = NOW + 5 * DAY_US
    line = ["job-1", 1_000, "2026-02-01T00:00:00Z", "2026-02-01T01:00:00Z", 3_600]
    groups = [{"item": "ascend-910b", "lines": [line]}]
    burned = Actor("provider").note("time.burn", at, ref="s", contract="holder/k1", groups=groups)
    assert answer_to(ledger, burned) is None
    assert ledger.state.book["reserved", "holder/s1"] == 1_000 - 600 * 30 // 100
    assert ledger.state.vouchers["suzhou/v1"].valid_until == before
    passed = {"voucher": "suzhou/v1", "into": "holder/part", "to": "other", "amount_fen": 1}
    other = {"admitted": "other", "role": "holder", "keys": Actor("other").vkeys, "maker": True}
    admitted = CITY.note("party.admit", at, ref="other", profile_hash=f"sha256:{'0' * 64}", **other)
    assert answer_to(ledger, admitted) is None
    assert answer_to(ledger, Actor("holder").note("voucher.transfer", at, ref="t", **passed)) is (
        Reason.TRANSFER_FORBIDDEN
    )
    assert audit(tmp_path, POLICY, processes=1).findings == ()


def test_an_end_is_brought_forward_and_never_put_off_or_back(ledger: Ledger, clock: Clock) -> None:
    """And what has ended isn't opened again: nor by a larger envelope, nor by other rules."""
    last = BEGIN + 300 * DAY_US
    for number, (closes_at, expected) in enumerate(
        (
            (last, Reason.WINDOW_INVALID),
            (last + DAY_US, Reason.WINDOW_INVALID),
            (NOW - 1, Reason.DATE_IN_THE_PAST),
            (BEGIN, Reason.WINDOW_INVALID),
            (NOW + DAY_US, None),
        )
    ):
        assert answer_to(ledger, amend(f"a{number}", closes_at=format_instant(closes_at))) is expected
    clock.at = at = NOW + DAY_US
    assert answer_to(ledger, issue("v2", 1, at)) is Reason.OUTSIDE_PROGRAMME_WINDOW
    more: Json = {"closes_at": format_instant(NOW + 2 * DAY_US), "envelope_fen": 10**6}
    assert answer_to(ledger, amend("b", at=at, **more)) is Reason.PROGRAMME_CLOSED
    assert answer_to(ledger, reserve("s2", 100, at)) is None
