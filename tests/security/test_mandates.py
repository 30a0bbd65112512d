"""What a stolen key of an operator with a mandate can do, and one of its treasury: no more than its limits."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.actors import Actor, note_of, profile_of, vkey_of
from support.burning import BEGIN, LOG_KEY, NOW, Clock, founding_notes
from support.terms import rules_of
from tallystick.audit import audit
from tallystick.ledger import Ledger, create_ledger
from tallystick.transparency.policy import Policy
from tallystick.vouchers.quantities import DAY_US, format_instant
from tallystick.vouchers.refusals import Reason, Refusal

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


def answer_to(ledger: Ledger, note: bytes) -> Reason | None:
    """Why a note is refused; None if it is admitted."""
    (answer,) = ledger.submit([note])
    return answer.reason if isinstance(answer, Refusal) else None


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
