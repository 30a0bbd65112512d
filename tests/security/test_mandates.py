"""What a stolen key of an operator with a mandate can do, and one of its treasury: no more than its limits."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.actors import Actor, Json, note_of, profile_of, vkey_of
from support.burning import BEGIN, LOG_KEY, NOW, Clock, answer_to, founding_notes
from support.terms import rules_of
from tallystick.audit import audit
from tallystick.ledger import Ledger, create_ledger
from tallystick.transparency.policy import Policy
from tallystick.vouchers.quantities import DAY_US, format_instant
from tallystick.vouchers.refusals import Reason

NETWORK, TREASURY = Actor("network"), Actor("treasury")
CITY = Actor("suzhou", ("officer-1", "officer-2"))
DESK = Actor("platform")
ONE, TWO, DESK_KEY = "suzhou/officer-1", "suzhou/officer-2", "platform/officer-1"
THRESHOLD_FEN, EACH_FEN, TOTAL_FEN = 1_000, 600, 1_500
POLICY = Policy.for_log(LOG_KEY.verifier)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(tmp_path: Path, clock: Clock) -> Iterator[Ledger]:
    """A city with two officers and two programmes, which gives a platform a mandate for one of them."""
    genesis, *rest = founding_notes()
    officers = {"threshold_fen": THRESHOLD_FEN, "required": 2, "window_days": 30}
    city = {"admitted": "suzhou", "role": "treasury", "name": "Suzhou", "keys": CITY.vkeys, "quorum": 2}
    maker = {"maker": True, "profile_hash": profile_of("maker"), "keys": [vkey_of("maker/officer-1")]}
    with create_ledger(tmp_path, genesis, LOG_KEY, clock=clock) as ledger:
        ledger.submit(rest)
        clock.at = NOW
        desk = {"admitted": "platform", "role": "operator", "name": "Platform", "keys": DESK.vkeys}
        for note in (
            NETWORK.note("party.admit", NOW, ref="city", officers=officers, **city),
            NETWORK.note("party.admit", NOW, ref="desk", **desk),
            CITY.note("party.admit", NOW, admitted="maker", role="holder", **maker),
            *(CITY.note("programme.open", NOW, programme=f"suzhou/{name}", **PROGRAMME) for name in ("p", "q")),
            CITY.note("mandate.give", NOW, mandate="suzhou/m", programme="suzhou/p", **MANDATE),
        ):
            assert answer_to(ledger, note) is None
        yield ledger


PROGRAMME = {
    "name": "2026",
    "voucher_kind": "compute",
    "fiscal_year": 2026,
    "envelope_fen": 10**6,
    "opens_at": format_instant(BEGIN),
    "closes_at": format_instant(BEGIN + 300 * DAY_US),
    "rules": rules_of(validity_days=365),
}
MANDATE = {
    "operator": "platform",
    "kinds": ["voucher.issue/1", "voucher.suspend/1"],
    "each_fen": EACH_FEN,
    "total_fen": TOTAL_FEN,
    "until": format_instant(NOW + 10 * DAY_US),
}


def issue(name: str, *signers: str, at: int = NOW, party: str = "platform", **changed: object) -> bytes:
    fields = {
        "mandate": "suzhou/m",
        "voucher": f"{party}/{name}",
        "programme": "suzhou/p",
        "holder": "maker",
        "face_fen": 500,
        "valid_from": format_instant(at),
    }
    command = Actor(party).command("voucher.issue", at, ref=name, **(fields | changed))
    return note_of(command, *(signers or (DESK_KEY,)))


def test_a_platform_issues_by_its_mandate_and_the_audit_says_that_all_adds_up(ledger: Ledger, tmp_path: Path) -> None:
    assert answer_to(ledger, issue("v1")) is None
    assert answer_to(ledger, issue("v2")) is None
    assert ledger.state.book["mandated", "suzhou/m"] == 1_000
    assert audit(tmp_path, POLICY, processes=1).findings == ()


def mandated(name: str, kind: str, *signers: str, at: int = NOW, **fields: object) -> bytes:
    """A command of the platform by its mandate."""
    return note_of(DESK.command(kind, at, ref=name, mandate="suzhou/m", **fields), *(signers or (DESK_KEY,)))


def test_a_platforms_key_issues_up_to_each_limit_of_its_mandate(ledger: Ledger) -> None:
    """For ever: what was revoked isn't given back to it."""
    assert answer_to(ledger, issue("v1", face_fen=EACH_FEN + 1)) is Reason.EXCEEDS_MANDATE
    assert answer_to(ledger, issue("v1", face_fen=EACH_FEN)) is None
    revoked = note_of(CITY.command("voucher.revoke", NOW, voucher="platform/v1", reason="a stolen key"), ONE)
    assert answer_to(ledger, revoked) is None
    assert answer_to(ledger, issue("v2", DESK_KEY, ONE, TWO, face_fen=EACH_FEN)) is None
    left_fen = TOTAL_FEN - 2 * EACH_FEN
    assert answer_to(ledger, issue("v3", face_fen=left_fen + 1)) is Reason.EXCEEDS_MANDATE
    assert answer_to(ledger, issue("v3", face_fen=left_fen)) is None
    assert answer_to(ledger, issue("v4", face_fen=1)) is Reason.EXCEEDS_MANDATE


@pytest.mark.parametrize("officers", [(), (ONE,)])
def test_a_mandate_counts_as_no_officer(officers: tuple[str, ...], ledger: Ledger) -> None:
    """One stolen key of the platform and one of the city are no more than one officer: the sums are the city's."""
    fields = {"voucher": "suzhou/own", "programme": "suzhou/p", "holder": "maker", "face_fen": THRESHOLD_FEN - 500}
    command = CITY.command("voucher.issue", NOW, ref="own", valid_from=format_instant(NOW), **fields)
    assert answer_to(ledger, note_of(command, ONE)) is None
    assert answer_to(ledger, issue("v1")) is None
    assert answer_to(ledger, issue("v2", DESK_KEY, *officers, face_fen=1)) is Reason.SIGNATURES_MISSING
    assert answer_to(ledger, issue("v2", DESK_KEY, ONE, TWO, face_fen=1)) is None


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"mandate": "suzhou/other"}, Reason.MANDATE_UNKNOWN),
        ({"programme": "suzhou/q"}, Reason.PROGRAMME_NOT_MANDATED),
        ({"programme": "treasury/2026"}, Reason.PROGRAMME_NOT_MANDATED),
        ({"voucher": "suzhou/v1"}, Reason.ID_OUTSIDE_OWN_NAMESPACE),
        ({"party": "platform-2"}, Reason.NOT_OWN_MANDATE),
    ],
)
def test_a_mandate_is_for_one_operator_and_what_it_names(changed: Json, expected: Reason, ledger: Ledger) -> None:
    """Not for another's programme, nor for another operator who learns its id, nor in the city's name."""
    other = {"admitted": "platform-2", "role": "operator", "name": "Another", "keys": Actor("platform-2").vkeys}
    assert answer_to(ledger, NETWORK.note("party.admit", NOW, ref="two", **other)) is None
    assert answer_to(ledger, issue("v1", f"{changed.get('party', 'platform')}/officer-1", **changed)) is expected


def test_without_a_mandate_an_operator_issues_nothing_and_with_one_a_treasury_no_more(ledger: Ledger) -> None:
    """So nothing is issued about which it can't be told by whose authority."""
    fields = {"programme": "suzhou/p", "holder": "maker", "face_fen": 1, "valid_from": format_instant(NOW)}
    bare = DESK.command("voucher.issue", NOW, voucher="platform/v1", **fields)
    assert answer_to(ledger, note_of(bare, DESK_KEY)) is Reason.MANDATE_MISPLACED
    named = CITY.command("voucher.issue", NOW, voucher="suzhou/v1", mandate="suzhou/m", **fields)
    assert answer_to(ledger, note_of(named, ONE)) is Reason.MANDATE_MISPLACED


def test_a_mandate_is_for_its_kinds_of_command(ledger: Ledger) -> None:
    """One to issue and suspend neither revokes nor pays; and no mandate brings, amends or ends anything else."""
    assert answer_to(ledger, issue("v1")) is None
    revoke = mandated("r", "voucher.revoke", voucher="platform/v1", reason="x")
    assert answer_to(ledger, revoke) is Reason.KIND_NOT_MANDATED
    rows = [{"contract": "maker/k", "paid_fen": 1}]
    settle = mandated("p", "redemption.settle", claim="provider/c", rows=rows)
    assert answer_to(ledger, settle) is Reason.KIND_NOT_MANDATED
    assert answer_to(ledger, mandated("s", "voucher.suspend", voucher="platform/v1", reason="x")) is None
    for kind, fields in (
        ("programme.amend", {"programme": "suzhou/p", "reason": "x", "envelope_fen": 10**9}),
        ("mandate.give", MANDATE | {"mandate": "platform/m"}),
        ("mandate.end", {"mandate": "suzhou/m", "reason": "x"}),
        (
            "provider.delist",
            {"programme": "suzhou/p", "provider": "provider", "reason": "x", "valid_until": MANDATE["until"]},
        ),
    ):
        assert answer_to(ledger, note_of(DESK.command(kind, NOW, **fields), DESK_KEY)) is Reason.ROLE_MAY_NOT


def test_one_officer_ends_a_mandate_and_cannot_give_one(ledger: Ledger, clock: Clock) -> None:
    """To stop takes nothing from anybody; and a mandate ends by itself, a year after it was given at the latest."""
    given = CITY.command("mandate.give", NOW, ref="mine", mandate="suzhou/mine", **MANDATE)
    assert answer_to(ledger, note_of(given, ONE)) is Reason.SIGNATURES_MISSING
    for_ever = MANDATE | {"until": format_instant(NOW + 366 * DAY_US + 1)}
    assert answer_to(ledger, CITY.note("mandate.give", NOW, mandate="suzhou/ever", **for_ever)) is (
        Reason.DATE_TOO_FAR_AHEAD
    )
    assert (
        answer_to(ledger, CITY.note("mandate.give", NOW, mandate="suzhou/n", programme="suzhou/p", **MANDATE)) is None
    )
    end = CITY.command("mandate.end", NOW, ref="end", mandate="suzhou/m", reason="a stolen key")
    assert answer_to(ledger, note_of(end, ONE)) is None
    assert answer_to(ledger, issue("v1")) is Reason.MANDATE_OVER
    clock.at = NOW + 10 * DAY_US
    assert answer_to(ledger, issue("v2", at=clock.at, mandate="suzhou/n")) is Reason.MANDATE_OVER


def test_a_suspended_operator_or_treasury_has_no_mandate(ledger: Ledger) -> None:
    """Whose keys were stolen: the platform's, or all of the city's, which gave the mandate to an accomplice.

    A suspended city could end none of its mandates itself.
    """
    for party in ("platform", "suzhou"):
        stop = NETWORK.note("party.suspend", NOW, ref=f"stop-{party}", subject=party, reason="stolen")
        assert answer_to(ledger, stop) is None
        assert answer_to(ledger, issue("v1")) is Reason.PARTY_SUSPENDED
        back = NETWORK.note("party.reinstate", NOW, ref=f"back-{party}", subject=party, reason="cleared")
        assert answer_to(ledger, back) is None
    assert answer_to(ledger, issue("v1")) is None
