"""Applications, claims and demands have dossiers, though no seal has a leaf of them: proved and decided anew."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dossiers.forging import altered, codes, examined, joined, parts_of, written
from dossiers.test_contract_dossiers import claim, log_of, seal
from dossiers.test_dossiers_of_settlements import settled_twice
from support.actors import Actor
from support.command_line import done, failed, run
from support.small_ledger import POLICY
from support.voucher_year import ACME, DC, NETWORK, REGISTRY, Json, Story
from tallystick.dossiers.writing import Bound
from tallystick.errors import UsageError
from tallystick.findings import FindingCode
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.quantities import DAY_US, format_instant

DISTRICT = Actor("district")
GATE: Json = {
    "attesters": ["district"],
    "before": "issue",
    "passes": 1,
    "subject_type": "application",
    "topic": "authenticity",
}


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    """Two contracts of acme's and dc's under each of which city/p owes 18,000 fen, and an application for city/g."""
    story = Story(tmp_path / "ledger")
    story.begin()
    story.do(NETWORK, "party.admit", admitted="registry", role="operator", name="Register", keys=REGISTRY.vkeys)
    story.do(NETWORK, "party.admit", admitted="district", role="attester", name="District", keys=DISTRICT.vkeys)
    story.open_programme("city/g", "dc", transfer="forbidden", gates=[GATE])
    fields: Json = {"application": "acme/a1", "programme": "city/g", "amount_fen": 5_000}
    declared = {"related_party": False, "other_support_fen": 0}
    story.do(ACME, "application.file", **fields, declarations=declared, evidence_hash=f"sha256:{'ab' * 32}")
    verdict = {"subject_type": "application", "subject_id": "acme/a1", "topic": "authenticity", "verdict": "pass"}
    until = format_instant(story.at + 30 * DAY_US)
    more = {"reason": "complete", "evidence_hash": f"sha256:{'cd' * 32}", "valid_until": until}
    story.do(DISTRICT, "attestation.give", **verdict, **more)
    story.issue("city/g1", "acme", 4_000, "city/g", application="acme/a1")
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


BOOKS = {
    "application acme/a1": ["application.filed/1", "attestation.given/1", "voucher.issued/1"],
    "claim dc/c1": ["redemption.claimed/1", "redemption.settled/1"],
    "claim dc/c2": ["redemption.claimed/1", "redemption.settled/1"],
    "demand city/d1": [
        "recovery.demanded/1",
        "recovery.cancelled/1",
        "redemption.settled/1",
        "recovery.received/1",
    ],
}


@pytest.mark.parametrize("thing", BOOKS)
def test_all_that_became_of_it_is_proved_and_decided_anew(story: Story, thing: str) -> None:
    """Also where seals come after it: none says that anything is missing."""
    settled_twice(story)
    report = examined(written(story.folder, thing))
    assert report.findings == ()
    assert [line.kind for line in report.book] == BOOKS[thing]
    assert (report.closing, report.balances, report.entries_later) == (None, {}, len(BOOKS[thing]))


def test_what_moved_of_it_is_told(story: Story) -> None:
    """Of a demand its own part of a settlement alone."""
    settled_twice(story)
    moved = [line.moved for line in examined(written(story.folder, "demand city/d1")).book]
    assert moved == [
        (("paid", "receivable", 6_000),),
        (("receivable", "paid", 1_000),),
        (("receivable", "unissued", 2_500),),
        (("receivable", "unissued", 1_000),),
    ]
    first, second = examined(written(story.folder, "claim dc/c2")).book
    assert first.moved == (("withheld", "claimed", 5_000),)
    assert ("claimed", "withheld", 2_000) in second.moved


@pytest.mark.parametrize(
    ("thing", "kind", "pattern", "replacement", "code"),
    [
        ("claim dc/c1", "redemption.claimed/1", '"acme/k3",18000', '"acme/k3",17999', "outcome_differs"),
        ("claim dc/c1", "redemption.settled/1", '"paid_fen":13000', '"paid_fen":13001', "signature_invalid"),
        ("demand city/d1", "recovery.demanded/1", '"amount_fen":6000', '"amount_fen":6001', "signature_invalid"),
        ("application acme/a1", "attestation.given/1", '"verdict":"pass"', '"verdict":"fail"', "signature_invalid"),
        ("application acme/a1", "application.filed/1", '"amount_fen":5000', '"amount_fen":5001', "signature_invalid"),
    ],
)
def test_an_altered_entry_is_found(
    story: Story, thing: str, kind: str, pattern: str, replacement: str, code: str
) -> None:
    """Though the log's key signed it."""
    settled_twice(story)
    dossier = written(story.folder, thing)
    assert altered(dossier, log_of(story), kind, pattern, replacement).value == code


@pytest.mark.parametrize(
    ("thing", "kind", "code"),
    [
        ("claim dc/c1", "time.burned/1", FindingCode.OUTCOME_DIFFERS),  # the other contract's is there to be claimed
        ("claim dc/c1", "redemption.claimed/1", FindingCode.DEPENDENCY_MISSING),
        ("application acme/a1", "attestation.given/1", FindingCode.DEPENDENCY_MISSING),
        ("application acme/a1", "programme.opened/1", FindingCode.DEPENDENCY_MISSING),
        ("demand city/d1", "redemption.claimed/1", FindingCode.DEPENDENCY_MISSING),
    ],
)
def test_what_it_is_decided_by_is_missed(story: Story, thing: str, kind: str, code: FindingCode) -> None:
    settled_twice(story)
    head, entries = parts_of(written(story.folder, thing))
    left_out = next(one for one in entries if Entry.from_bytes(one.entry).event.kind == kind)
    found = codes(examined(joined(head, [one for one in entries if one is not left_out])))
    assert found[0] is code


def test_another_things_entry_is_not_taken_for_its_own(story: Story) -> None:
    settled_twice(story)
    head, entries = parts_of(written(story.folder, "claim dc/c2"))
    others = parts_of(written(story.folder, "demand city/d1"))[1]
    strange = next(one for one in others if Entry.from_bytes(one.entry).event.kind == "recovery.received/1")
    both = sorted([*(one for one in entries if one.index != strange.index), strange], key=lambda one: one.index)
    assert codes(examined(joined(head, both))) == [FindingCode.ENTRY_MISDECLARED]


def test_it_begins_with_the_log(story: Story) -> None:
    """There is no leaf to go on from."""
    claim(story, DC, "c1", "city/p", "2026-01-07")
    index = seal(story)
    with pytest.raises(UsageError, match="a seal has no leaf of a claim: leave --from out"):
        written(story.folder, "claim dc/c1", Bound(index=index))
    with pytest.raises(UsageError, match="there is no claim dc/c9 in this log"):
        written(story.folder, "claim dc/c9")


def test_by_the_command_line(story: Story, tmp_path: Path) -> None:
    """Written, verified, and refused when a line is taken out."""
    settled_twice(story)
    trust, file = tmp_path / "trust.policy", tmp_path / "claim.dossier"
    trust.write_bytes(POLICY.to_text())
    said = done("dossier", story.folder, "claim", "dc/c1", "-o", file)
    assert "2 entries of claim dc/c1" in said
    assert "a seal has no leaf of it, so nothing proves that they are all" in said
    shown = done("verify", file, "--trust", trust)
    assert shown.startswith("proven: claim dc/c1 in ")
    assert "nothing is proved to be complete" in shown
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:-1]))
    refused = run("verify", file, "--trust", trust)
    assert (refused.status, refused.out.startswith("refused: the dossier of claim dc/c1")) == (1, True)
    assert "there is no claim dc/c9" in failed("dossier", story.folder, "claim", "dc/c9", "-o", tmp_path / "none")
