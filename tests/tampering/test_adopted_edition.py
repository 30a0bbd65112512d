"""A log that adopts rules which this version doesn't know is judged up to there; a false adoption silences nobody."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.command_line import failed, run
from support.editions import adopt_edition, adopting
from support.small_ledger import LOG_KEY, POLICY, export_small_ledger
from support.tampering import entries_of, forge, put_entry
from tallystick.audit import FindingCode, audit
from tallystick.errors import EditionUnknownError
from tallystick.ledger import open_ledger
from tallystick.publishing import read_ledger
from tallystick.views import Views
from tallystick.vouchers import editions

C = FindingCode
PLACE, LAST = 40, 288
SAID = f"made by rules edition 2 from entry {PLACE + 1} on; this version knows editions up to 1"


@pytest.fixture
def newer(ledger: Path) -> Path:
    """The ledger, as one that adopts edition 2 on its way."""
    adopt_edition(ledger, PLACE)
    return ledger


@pytest.fixture
def policy(pristine: Path) -> Path:
    """The policy that was obtained out of band."""
    return pristine / "ledger" / "trust.policy"


def _found(source: Path, **options: Any) -> set[FindingCode]:
    report = audit(source, POLICY, **options)
    assert report.verdict == "findings"
    return set(report.codes())


# --------------------------------------------------------------------------------------- it is judged up to there


@pytest.mark.parametrize("as_json", [(), ("--json",)], ids=["text", "json"])
def test_an_audit_says_from_where_on(newer: Path, policy: Path, tmp_path: Path, as_json: tuple[str]) -> None:
    """Of a folder and of an export; no report is written."""
    export_small_ledger(newer, tmp_path / "tiles")
    for source in (newer, tmp_path / "tiles"):
        report = tmp_path / "report.json"
        assert failed("audit", source, "--trust", policy, "--report", report, *as_json) == SAID
        assert not report.exists()


@pytest.mark.parametrize("at", [1, LAST], ids=["the first after the founding", "the last"])
def test_it_may_stand_anywhere(ledger: Path, at: int) -> None:
    """Also where no entry follows it yet."""
    assert len(entries_of(ledger)) == LAST + 1
    adopt_edition(ledger, at)
    with pytest.raises(EditionUnknownError, match=f"from entry {at + 1} on"):
        audit(ledger, POLICY)


def test_what_follows_may_have_any_form(ledger: Path) -> None:
    """Headers, kinds, fields of an edition that isn't known; the tree has no rules."""
    entries = entries_of(ledger)
    at = entries[PLACE][len('{"at":"') :][:27].decode()
    later = [b'{"edition 2 has a header":"of its own"}\nand no note %d' % number for number in range(LAST - PLACE)]
    adoption = adopting(PLACE, at, 2, kind="rules.adopt/7", more=[1])
    forge(ledger, [*entries[:PLACE], adoption, *later])
    with pytest.raises(EditionUnknownError, match=SAID):
        audit(ledger, POLICY)


def test_an_audit_that_goes_on_from_a_report_says_so(ledger: Path, reports: Path, tmp_path: Path) -> None:
    """Of the log before the adoption."""
    adopt_edition(ledger, LAST)
    export_small_ledger(ledger, tmp_path / "tiles")
    for source in (ledger, tmp_path / "tiles"):
        with pytest.raises(EditionUnknownError, match=f"from entry {LAST + 1} on"):
            audit(source, POLICY, since=reports / "old.json")


def test_what_computes_a_state_says_so(newer: Path, policy: Path, tmp_path: Path) -> None:
    """The writer, balances, a dossier; what interprets no entry works, and so does the past before it."""
    assert failed("balances", newer) == SAID
    assert failed("balances", newer, "--fresh") == SAID
    assert failed("dossier", newer, "holder", "maker-a", "-o", tmp_path / "dossier") == SAID
    with pytest.raises(EditionUnknownError, match=SAID):
        open_ledger(newer, LOG_KEY)
    with Views.as_of(newer, index=PLACE - 1) as views:
        assert views.balances("holder")
    assert run("export", newer, tmp_path / "tiles").status == 0
    assert failed("balances", tmp_path / "tiles") == SAID
    assert run("receipt", newer, PLACE + 1, "-o", tmp_path / "41.tlog-proof").status == 0
    assert run("verify", tmp_path / "41.tlog-proof", "--trust", policy).status == 0


def test_a_dossier_of_a_newer_version_is_not_judged(
    ledger: Path, policy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has the adoption, though its account has nothing to do with it; so who doesn't know the rules can tell."""
    adopt_edition(ledger, LAST)
    with monkeypatch.context() as patch:
        patch.setattr(editions, "EDITIONS", (1, 2))
        assert run("dossier", ledger, "provider", "wuhu", "-o", tmp_path / "dossier").status == 0
        assert run("verify", tmp_path / "dossier", "--trust", policy).status == 0
    assert f"made by rules edition 2 from entry {LAST + 1} on" in failed(
        "verify", tmp_path / "dossier", "--trust", policy
    )


def test_a_version_that_knows_it_goes_on(newer: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the next entry on it is in force; it isn't adopted twice, and none before it."""
    monkeypatch.setattr(editions, "EDITIONS", (1, 2))
    with read_ledger(newer) as reader:
        states = [reader.state(size) for size in (PLACE, PLACE + 1, None)]
    assert [one.network and one.network.edition for one in states] == [1, 2, 2]


# -------------------------------------------------------------------------------- a false adoption silences nobody


def test_with_findings_elsewhere_these_are_told(newer: Path) -> None:
    """Before it, or after it where no rule is asked."""
    entries = entries_of(newer)
    for place in (7, PLACE + 7):
        put_entry(newer, place, entries[place].replace(b'"at"', b'"ta"'))
        assert {C.LEAF_DIFFERS, C.ROOT_DIFFERS} <= _found(newer)
        put_entry(newer, place, entries[place])
    put_entry(newer, PLACE + 7, b"x\n")
    (row,) = [row for row in audit(newer, POLICY).findings if row.code == C.REPLAY_STOPPED]
    assert (row.index, row.detail) == (PLACE, "it adopts rules edition 2, which this version doesn't know")


@pytest.mark.parametrize(
    "signers",
    [("network/root-1",), ("network/root-1", "network/root-9"), ("guian/officer-1",)],
    ids=repr,
)
def test_without_the_root_quorum_it_is_a_finding(ledger: Path, signers: tuple[str, ...]) -> None:
    """The log's key makes any tree, and no adoption."""
    adopt_edition(ledger, PLACE, 2, *signers)
    assert {C.ENTRY_MALFORMED, C.REPLAY_STOPPED} <= _found(ledger)


@pytest.mark.parametrize(
    "change",
    [{"log": "other.example/log"}, {"edition": 0}, {"edition": "2"}, {"edition": True}, {"kind": "rules.adapt/1"}],
    ids=repr,
)
def test_what_is_no_adoption_of_this_log_is_a_finding(ledger: Path, change: dict[str, object]) -> None:
    """Another log's, no edition, another kind."""
    adopt_edition(ledger, PLACE, **{"edition": 2, **change})
    assert C.REPLAY_STOPPED in _found(ledger)


def test_the_edition_in_force_is_not_adopted(ledger: Path) -> None:
    """A decision that the rules refuse."""
    adopt_edition(ledger, PLACE, 1)
    (row,) = [row for row in audit(ledger, POLICY).findings if row.code == C.DECISION_REFUSED]
    assert (row.index, str(row.reason)) == (PLACE, "edition_not_later")


@pytest.mark.parametrize("spoil", [lambda data: data.replace(b'"index":40', b'"index":41')], ids=["index"])
def test_an_adoption_of_another_place_is_a_finding(ledger: Path, spoil: Callable[[bytes], bytes]) -> None:
    """Its header says where it stands."""
    adopt_edition(ledger, PLACE)
    entries = entries_of(ledger)
    forge(ledger, [*entries[:PLACE], spoil(entries[PLACE]), *entries[PLACE + 1 :]])
    assert C.INDEX_DIFFERS in _found(ledger)


def test_an_adoption_changed_in_the_store_is_a_finding(ledger: Path, newer: Path, pristine: Path) -> None:
    """Its leaf is another, whoever signed it."""
    shutil.rmtree(ledger)
    shutil.copytree(pristine / "ledger", ledger)
    entries = entries_of(ledger)
    at = entries[PLACE][len('{"at":"') :][:27].decode()
    put_entry(ledger, PLACE, adopting(PLACE, at))
    assert {C.LEAF_DIFFERS, C.ROOT_DIFFERS, C.REPLAY_STOPPED} <= _found(ledger)


def test_a_log_rewritten_to_adopt_contradicts_a_receipt(newer: Path, pristine: Path, tmp_path: Path) -> None:
    """The log was judged then, and is another now."""
    with read_ledger(pristine / "ledger") as reader:
        (tmp_path / "100.tlog-proof").write_bytes(reader.receipt(100).to_bytes())
    assert C.RECEIPT_CONTRADICTED in _found(newer, receipts=[tmp_path / "100.tlog-proof"])
