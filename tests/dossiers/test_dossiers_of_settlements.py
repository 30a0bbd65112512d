"""Claims settled contract by contract, what is withheld, disallowed, asked back and set off, and what came too late.

Every account of such a log has a dossier, in which all of that is decided anew.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from dossiers.forging import altered, codes, examined, joined, parts_of, written
from dossiers.test_contract_dossiers import claim, log_of, seal, settle, suspected
from support.voucher_year import ACME, CITY, DC, NETWORK, REGISTRY, Json, Story
from tallystick.dossiers import expiring
from tallystick.dossiers.writing import Bound
from tallystick.findings import FindingCode
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.quantities import DAY_US
from tallystick.vouchers.rules import claiming, endings

EVIDENCE: Final = f"sha256:{'ba' * 32}"


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    """A ledger in which city/p owes 18,000 fen to dc under each of two contracts, and 3,600 to other-dc."""
    story = Story(tmp_path / "ledger")
    story.begin()
    story.do(NETWORK, "party.admit", admitted="registry", role="operator", name="Register", keys=REGISTRY.vkeys)
    story.issue("city/v1", "acme", 200_000)
    story.sign("acme/k3", "dc")
    for name, contract in (("r1", "k1"), ("r3", "k3")):
        story.reserve(f"acme/{name}", "city/v1", f"acme/{contract}", 50_000)
    story.at += 2 * DAY_US
    story.burn(DC, "acme/k1", story.line("job-1", 10), ref="S1")
    story.burn(DC, "acme/k3", story.line("job-2", 10), ref="S2")
    story.at += DAY_US
    yield story
    story.ledger.close()


def demand(story: Story, name: str, amount_fen: int) -> None:
    """Ask dc for what it was paid of city/p."""
    fields: Json = {"programme": "city/p", "payee": "dc", "amount_fen": amount_fen, "reason": "never ran"}
    story.do(CITY, "recovery.demand", demand=f"city/{name}", evidence_hash=EVIDENCE, **fields)


def settled_twice(story: Story) -> tuple[int, int]:
    """A part is withheld, claimed again, and disallowed; what is asked back is set off, comes, and is given up."""
    claim(story, DC, "c1", "city/p", "2026-01-07")
    settle(story, "c1", 1, withheld_fen=5_000, k1=13_000, k3=18_000)
    demand(story, "d1", 6_000)
    story.do(CITY, "recovery.cancel", demand="city/d1", amount_fen=1_000, reason="it ran")
    story.at += DAY_US
    first = seal(story)
    claim(story, DC, "c2", "city/p", "2026-01-08")
    row = {"contract": "acme/k1", "paid_fen": 3_000, "withheld_fen": 2_000, "reason": "illegible"}
    offsets = [{"demand": "city/d1", "amount_fen": 2_500}]
    payment = story.payment(500, 2)
    story.do(CITY, "redemption.settle", claim="dc/c2", rows=[row], offsets=offsets, payment=payment)
    fields: Json = {"programme": "city/p", "contract": "acme/k1", "amount_fen": 1_500, "reason": "illegible"}
    story.do(CITY, "redemption.disallow", **fields)
    story.do(CITY, "recovery.receive", demand="city/d1", payment=story.payment(1_000, 3))
    demand(story, "d2", 29_000)  # all that was paid, but for what is asked back
    story.at += DAY_US
    return first, seal(story)


def test_what_was_settled_in_parts_is_proved_of_everybody(story: Story) -> None:
    """Whole, and since each seal, though the first claim lies before it."""
    first, _ = settled_twice(story)
    assert suspected(story) == {}
    book = examined(written(story.folder, "provider dc", Bound(index=first))).book
    assert [(line.kind, line.moved) for line in book] == [
        ("redemption.claimed/1", (("withheld", "claimed", 5_000),)),
        (
            "redemption.settled/1",
            (("claimed", "paid", 3_000), ("claimed", "withheld", 2_000), ("receivable", "unissued", 2_500)),
        ),
        ("redemption.disallowed/1", (("withheld", "unissued", 1_500),)),
        ("recovery.received/1", (("receivable", "unissued", 1_000),)),
        ("recovery.demanded/1", (("paid", "receivable", 29_000),)),
    ]
    balances = examined(written(story.folder, "contract acme/k1")).balances
    names = ("unclaimed_fen", "withheld_fen", "claimed_fen", "settled_fen", "forfeited_fen")
    assert [balances[name] for name in names] == [0, 500, 0, 16_000, 1_500]


@pytest.mark.parametrize(
    ("account", "since_first", "kind", "what"),
    [
        ("provider dc", True, "redemption.claimed/1", "dc/c1"),
        ("provider dc", True, "redemption.settled/1", "dc/c1"),
        ("provider dc", True, "recovery.demanded/1", "city/d1"),
        ("provider dc", True, "time.burned/1", "acme/k1"),
        ("contract acme/k1", False, "recovery.demanded/1", "city/d1"),
    ],
)
def test_what_a_settlement_depends_on_is_missed(
    story: Story, account: str, since_first: bool, kind: str, what: str
) -> None:
    first, _ = settled_twice(story)
    head, entries = parts_of(written(story.folder, account, Bound(index=first) if since_first else None))
    left_out = next(
        one for one in entries if Entry.from_bytes(one.entry).event.kind == kind and what.encode() in one.entry
    )
    assert left_out.role == "dependency"
    found = codes(examined(joined(head, [one for one in entries if one is not left_out])))
    assert found[0] is FindingCode.DEPENDENCY_MISSING


@pytest.mark.parametrize(
    ("account", "kind", "pattern", "replacement", "code"),
    [
        ("provider dc", "redemption.claimed/1", '"acme/k3",18000', '"acme/k3",17999', "outcome_differs"),
        ("contract acme/k1", "redemption.claimed/1", '"acme/k1",18000', '"acme/k1",18001', "outcome_differs"),
        ("programme city/p", "redemption.claimed/1", '"more":false', '"more":true', "outcome_differs"),
        ("provider dc", "redemption.settled/1", '"paid_fen":13000', '"paid_fen":13001', "signature_invalid"),
        ("treasury city", "recovery.demanded/1", '"amount_fen":6000', '"amount_fen":6001', "signature_invalid"),
    ],
)
def test_an_altered_settlement_is_found(
    story: Story, account: str, kind: str, pattern: str, replacement: str, code: str
) -> None:
    settled_twice(story)
    dossier = written(story.folder, account)
    assert altered(dossier, log_of(story), kind, pattern, replacement).value == code


def test_what_has_no_room_in_a_claim_is_in_the_next(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for one contract: a part of the log needn't know that there was more, and none is suspected."""
    monkeypatch.setattr(claiming, "CONTRACTS_MAX", 1)
    for name, contract in (("c1", "k1"), ("c2", "k3")):
        index = claim(story, DC, name, "city/p", "2026-01-07")
        outcome = Entry.from_bytes(log_of(story)[index]).event.outcome
        assert outcome.rows == ((f"acme/{contract}", 18_000),)  # type: ignore[union-attr]
        assert outcome.more == (name == "c1")  # type: ignore[union-attr]
    story.at += DAY_US
    seal(story)
    assert suspected(story) == {}
    assert b"acme/k3" not in written(story.folder, "contract acme/k1")


@pytest.mark.parametrize("rows", [1, 180])
def test_what_was_not_claimed_in_time_goes_back(story: Story, monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    """A row for each lot, in one entry or several; the contract has ended, and is in no seal after that any more."""
    for module in (endings, expiring):
        monkeypatch.setattr(module, "ROWS_MAX", rows)
    claim(story, DC, "c1", "city/p", "2026-01-06")
    settle(story, "c1", 1, withheld_fen=5_000, k1=13_000, k3=18_000)
    story.burn(DC, "acme/k3", story.line("job-3", 1), ref="S3")
    story.at += 2 * DAY_US
    seal(story)
    story.at += 160 * DAY_US
    kinds = []
    while story.ledger.state.due and story.ledger.state.due[0].at <= story.at:
        index = story.do(REGISTRY, "book.expire")
        event = Entry.from_bytes(log_of(story)[index]).event
        kinds += [row[0] for row in event.outcome.rows]  # type: ignore[union-attr]
    assert kinds.count("lot") == 2
    sealed = seal(story)
    story.at += 60 * DAY_US
    story.do(ACME, "application.file", **application())
    newest = seal(story)
    assert suspected(story) == {}
    head, _ = parts_of(written(story.folder, "contract acme/k1"))
    assert head.closing is not None
    assert head.closing.index == sealed < newest
    assert head.closing.leaf.balances["forfeited_fen"] == 5_000


def application() -> Json:
    """Something that is recorded, of no contract."""
    declared = {"related_party": False, "other_support_fen": 0}
    fields: Json = {"application": "acme/a1", "programme": "city/p", "amount_fen": 1_000, "declarations": declared}
    return fields | {"evidence_hash": EVIDENCE}
