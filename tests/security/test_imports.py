"""What a voucher from before the log can be used for: nothing that an issue couldn't, and by no fewer officers."""

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

NETWORK = Actor("network")
CITY = Actor("suzhou", ("officer-1", "officer-2", "officer-3"))
ONE, TWO, THREE = CITY.key_names
POLICY = Policy.for_log(LOG_KEY.verifier)
FLOOR_FEN, CAP_FEN, ENVELOPE_FEN = 1_000, 5_000, 8_000
PROGRAMME = {
    "programme": "suzhou/p",
    "name": "2026",
    "voucher_kind": "compute",
    "fiscal_year": 2026,
    "envelope_fen": ENVELOPE_FEN,
    "opens_at": format_instant(BEGIN - 90 * DAY_US),
    "closes_at": format_instant(BEGIN + 300 * DAY_US),
    "rules": rules_of(validity_days=365, cap={"group": "p", "holder_fen": CAP_FEN, "floor_fen": FLOOR_FEN}),
}


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A city whose quorum is two, and of which two officers sign any amount."""
    genesis, *rest = founding_notes()
    clock = Clock()
    officers = {"threshold_fen": 0, "required": 2, "window_days": 30}
    city = {"admitted": "suzhou", "role": "treasury", "name": "Suzhou", "keys": CITY.vkeys, "quorum": 2}
    with create_ledger(tmp_path, genesis, LOG_KEY, clock=clock) as ledger:
        ledger.submit(rest)
        clock.at = NOW
        for note in (
            NETWORK.note("party.admit", NOW, ref="city", officers=officers, **city),
            *(
                CITY.note(
                    "party.admit",
                    NOW,
                    admitted=name,
                    role="holder",
                    maker=True,
                    profile_hash=profile_of(name),
                    keys=[vkey_of(f"{name}/officer-1")],
                )
                for name in ("maker", "other")
            ),
            CITY.note("programme.open", NOW, **PROGRAMME),
        ):
            assert answer_to(ledger, note) is None
        yield ledger


def brought(name: str, *signers: str, **changed: object) -> bytes:
    fields = {
        "voucher": f"suzhou/{name}",
        "programme": "suzhou/p",
        "holder": "maker",
        "face_fen": 3_000,
        "used_fen": 1_000,
        "valid_from": format_instant(BEGIN - 60 * DAY_US),
        "valid_until": format_instant(BEGIN + 305 * DAY_US),
        "evidence_hash": f"sha256:{'0' * 64}",
    }
    return note_of(CITY.command("voucher.import", NOW, ref=name, **(fields | changed)), *(signers or (ONE, TWO)))


@pytest.mark.parametrize("used_fen", [0, 400])
def test_an_import_below_the_floor_adds_up(used_fen: int, ledger: Ledger, tmp_path: Path) -> None:
    """It was issued under other rules; the audit holds no floor against it, whatever was used of it."""
    assert answer_to(ledger, brought("old", face_fen=FLOOR_FEN - 600, used_fen=used_fen)) is None
    assert audit(tmp_path, POLICY, processes=1).findings == ()


def test_one_officer_brings_nothing(ledger: Ledger) -> None:
    """At any amount as many sign as for an issue above the threshold: else it would be a way round that."""
    assert answer_to(ledger, brought("old", ONE, face_fen=1, used_fen=0)) is Reason.SIGNATURES_MISSING
    assert answer_to(ledger, brought("old", THREE, TWO)) is None


def test_a_threshold_asks_for_officers_below_it_too(ledger: Ledger) -> None:
    amended = CITY.note(
        "party.amend",
        NOW,
        name="Suzhou",
        quorum=3,
        officers={"threshold_fen": 10**9, "required": 3, "window_days": 1},
    )
    assert answer_to(ledger, amended) is None
    assert answer_to(ledger, brought("old", ONE, TWO)) is Reason.SIGNATURES_MISSING
    assert answer_to(ledger, brought("old", ONE, TWO, THREE)) is None


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"face_fen": CAP_FEN + 1}, Reason.EXCEEDS_HOLDER_CAP),
        ({"face_fen": ENVELOPE_FEN + 1}, Reason.EXCEEDS_ENVELOPE),
        ({"used_fen": 3_001}, Reason.USED_ABOVE_FACE),
        ({"valid_from": format_instant(BEGIN)}, Reason.ISSUED_WITHIN_THE_LOG),
        ({"valid_from": format_instant(BEGIN - 91 * DAY_US)}, Reason.OUTSIDE_PROGRAMME_WINDOW),
        ({"valid_until": format_instant(NOW)}, Reason.WINDOW_INVALID),
        ({"programme": "treasury/2026"}, Reason.NOT_OWN_PROGRAMME),
        ({"voucher": "treasury/old"}, Reason.ID_OUTSIDE_OWN_NAMESPACE),
        ({"voucher": "suzhou/first"}, Reason.ID_ALREADY_USED),
    ],
)
def test_two_officers_bring_nothing_that_they_could_not_issue(changed: Json, expected: Reason, ledger: Ledger) -> None:
    """Within the same envelope and cap, and nothing that looks older or lives longer than it may."""
    assert answer_to(ledger, brought("first", face_fen=1, used_fen=0, holder="other")) is None
    assert answer_to(ledger, brought("old", **changed)) is expected


def test_what_was_used_counts_against_cap_and_envelope_for_ever(ledger: Ledger) -> None:
    """Revoking gives back the rest alone; the cap has that much room again, and no more."""
    assert answer_to(ledger, brought("old", face_fen=CAP_FEN, used_fen=CAP_FEN - 1)) is None
    revoked = note_of(CITY.command("voucher.revoke", NOW, voucher="suzhou/old", reason="x"), ONE)
    assert answer_to(ledger, revoked) is None
    assert ledger.state.book["unissued", "suzhou/p"] == ENVELOPE_FEN - CAP_FEN + 1
    assert answer_to(ledger, brought("more", face_fen=2, used_fen=0)) is Reason.EXCEEDS_HOLDER_CAP
    assert answer_to(ledger, brought("more", face_fen=1, used_fen=0)) is None


def test_what_was_used_before_the_log_is_paid_to_nobody_again(ledger: Ledger, tmp_path: Path) -> None:
    """Neither a provider nor the holder finds it among what it may claim."""
    assert answer_to(ledger, brought("old")) is None
    for claimant, expected in (("provider", Reason.NOTHING_TO_CLAIM), ("maker", Reason.NOT_THE_PAYEE)):
        fields = {"claim": f"{claimant}/c", "programme": "suzhou/p", "last_day": "2025-12-31"}
        assert answer_to(ledger, Actor(claimant).note("redemption.claim", NOW, ref="c", **fields)) is expected
    assert audit(tmp_path, POLICY, processes=1).findings == ()
