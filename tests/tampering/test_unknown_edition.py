"""A log of an edition that isn't known is not judged, and no forged number keeps an auditor from judging another."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest

from support.actors import ORIGIN
from support.command_line import failed, run
from support.editions import SAID, Founding, forge_edition, founded_otherwise, in_edition
from support.postgres import fresh_database
from support.small_ledger import LOG_KEY, POLICY, SIZES, export_small_ledger, write_small_ledger
from support.tampering import entries_of, forge, opened, put_entry
from support.web_server import serving
from tallystick.audit import FindingCode, audit
from tallystick.audit.earlier import write_report
from tallystick.audit.report import CheckedCheckpoint
from tallystick.errors import EditionUnknownError
from tallystick.ledger import open_ledger
from tallystick.ledger.sidecar import FolderSidecar
from tallystick.ledger.snapshots import write_snapshot
from tallystick.publishing import read_ledger
from tallystick.signing.keys import COSIGNATURE_ED25519, SigningKey
from tallystick.transparency.encoding import base64_to_text
from tallystick.transparency.policy import Policy
from tallystick.views import Views
from tallystick.vouchers.refusals import Reason

C = FindingCode
WITNESS = SigningKey.from_seed("witness.example/w1", b"\x02" * 32, COSIGNATURE_ED25519).verifier


@pytest.fixture
def newer(ledger: Path) -> Path:
    """The ledger, as one of edition 2."""
    forge_edition(ledger)
    return ledger


@pytest.fixture
def policy(pristine: Path) -> Path:
    """The policy that was obtained out of band."""
    return pristine / "ledger" / "trust.policy"


def _codes(source: Path, policy: Policy = POLICY, **options: Any) -> list[FindingCode]:
    report = audit(source, policy, **options)
    assert report.verdict == "findings"
    return list(report.codes())


# ------------------------------------------------------------------------------------------------ it isn't judged


@pytest.mark.parametrize("as_json", [(), ("--json",)], ids=["text", "json"])
def test_an_audit_says_so_and_nothing_else(newer: Path, policy: Path, tmp_path: Path, as_json: tuple[str]) -> None:
    """Of a folder, an export and the URL of one; no report is written."""
    export_small_ledger(newer, tmp_path / "tiles")
    with serving(tmp_path / "tiles") as server:
        for source in (newer, tmp_path / "tiles", server.url):
            report = tmp_path / "report.json"
            assert failed("audit", source, "--trust", policy, "--report", report, *as_json) == SAID
            assert not report.exists()


def test_an_audit_of_a_database_says_so(newer: Path, policy: Path) -> None:
    """With the rows of the folder."""
    url = fresh_database()
    write_small_ledger(cast(Path, url), up_to=SIZES)
    assert run("audit", url, "--trust", policy).status == 0
    with opened(newer) as folder, psycopg.connect(url, options="-c search_path=tallystick") as database:
        for table in ("stored_events", "tree", "checkpoints"):
            rows = folder.execute(f"SELECT * FROM {table}").fetchall()
            places = ", ".join(["%s"] * len(rows[0]))
            database.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL".encode())
            database.execute(f"DELETE FROM {table}".encode())
            with database.cursor() as cursor:
                columns = ", ".join(one[0] for one in folder.execute(f"SELECT * FROM {table} LIMIT 1").description)
                cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({places})".encode(), rows)
    assert failed("audit", url, "--trust", policy) == SAID
    assert failed("balances", url) == SAID


@pytest.mark.parametrize(
    "change",
    [
        lambda command: command.update(kind="network.found/2"),
        lambda command: command.update(member_of="world.example/log", name={"en": "Network", "zh": "网络"}),
        lambda command: [command.pop(name) for name in ("currency", "name", "ref", "signed_at", "burn_window_seconds")],
        lambda command: command.update(edition=2**53 - 1),
    ],
    ids=["another kind", "fields more", "fields fewer", "the last edition"],
)
def test_entry_0_may_have_any_other_form(ledger: Path, change: Callable[[Founding], object]) -> None:
    """Only what every edition promises is read of it."""
    entries = entries_of(ledger)

    def both(command: Founding) -> None:
        command["edition"] = 2
        change(command)

    first = founded_otherwise(entries[0], both).partition(b"\n")[2]
    forge(ledger, [b'{"edition 2 has a header":"of its own"}\n' + first, *entries[1:]])
    with pytest.raises(EditionUnknownError, match=r"made by rules edition \d+; this version knows editions up to 1"):
        audit(ledger, POLICY)
    for failing in (lambda: open_ledger(ledger, LOG_KEY), lambda: Views.as_of(ledger, index=3)):
        with pytest.raises(EditionUnknownError):
            failing()


def test_an_incremental_audit_says_so(newer: Path, pristine: Path, tmp_path: Path) -> None:
    """Of a log whose earlier report, and its state, a version that knew the edition left; entry 0 isn't read."""
    report = audit(pristine / "ledger", POLICY)
    with read_ledger(pristine / "ledger") as reader:
        state = reader.state()
    assert state.network is not None
    assert state.network.edition == 1
    state.network.edition = 2
    with read_ledger(newer) as reader:
        root = base64_to_text(reader.checkpoint.root).decode()
        shown = CheckedCheckpoint(origin=ORIGIN, size=reader.size, root=root)
    write_report(tmp_path / "report.json", report.model_copy(update={"checkpoint": shown}), state)
    export_small_ledger(newer, tmp_path / "tiles")
    for source in (newer, tmp_path / "tiles"):
        with pytest.raises(EditionUnknownError):
            audit(source, POLICY, since=tmp_path / "report.json")


def test_damage_elsewhere_changes_nothing(newer: Path) -> None:
    """Entry 0 is the log's all the same."""
    entries = entries_of(newer)
    put_entry(newer, 7, entries[7].replace(b'"at"', b'"ta"'))
    with pytest.raises(EditionUnknownError):
        audit(newer, POLICY)


def test_what_computes_a_state_says_so(newer: Path, policy: Path, tmp_path: Path) -> None:
    """The writer, balances, and what is kept of earlier answers; what interprets no entry works."""
    assert failed("balances", newer) == SAID
    assert failed("balances", newer, "--fresh") == SAID
    assert failed("dossier", newer, "holder", "maker-a", "-o", tmp_path / "dossier") == SAID
    with pytest.raises(EditionUnknownError, match=SAID):
        open_ledger(newer, LOG_KEY)
    assert run("export", newer, tmp_path / "tiles").status == 0
    assert failed("balances", tmp_path / "tiles") == SAID
    assert run("receipt", newer, 3, "-o", tmp_path / "3.tlog-proof").status == 0
    assert run("verify", tmp_path / "3.tlog-proof", "--trust", policy).status == 0


def test_a_saved_state_does_not_speak_for_it(newer: Path) -> None:
    """It has the edition, so that no entry needs to be read."""
    with read_ledger(newer) as reader:
        checkpoint = reader.checkpoint
    shutil.copytree(newer, newer.with_name("copy"))
    put_entry(newer.with_name("copy"), 0, founded_otherwise(entries_of(newer)[0], in_edition(1)))
    with read_ledger(newer.with_name("copy")) as reader:
        state = reader.state()
    assert state.network is not None
    state.network.edition = 2
    write_snapshot(FolderSidecar(newer), state, checkpoint.root, LOG_KEY)
    with pytest.raises(EditionUnknownError, match=SAID):
        open_ledger(newer, LOG_KEY)


def test_rows_that_were_kept_do_not_speak_for_it(ledger: Path) -> None:
    """Views that were followed before."""
    assert run("balances", ledger).status == 0
    forge_edition(ledger)
    assert failed("balances", ledger) == SAID


# ------------------------------------------------------------------------------- a forged number silences nobody


def test_entry_0_changed_in_the_store_is_a_finding(ledger: Path) -> None:
    """Its leaf is another; also where the root keys signed the change."""
    first = entries_of(ledger)[0]
    for changed in (first.replace(b'"edition":1', b'"edition":2'), founded_otherwise(first, in_edition(2))):
        put_entry(ledger, 0, changed)
        codes = _codes(ledger)
        assert {C.ENTRY_MALFORMED, C.REPLAY_STOPPED, C.LEAF_DIFFERS, C.ROOT_DIFFERS} <= set(codes)


def test_entry_0_changed_with_its_leaf_is_a_finding(ledger: Path, newer: Path, pristine: Path) -> None:
    """The tree alone doesn't say what the checkpoint commits to."""
    with opened(pristine / "ledger") as whole:
        checkpoints = whole.execute("SELECT number, size, note FROM checkpoints").fetchall()
    with opened(newer) as database:
        database.execute("DELETE FROM checkpoints")
        database.executemany("INSERT INTO checkpoints VALUES (?, ?, ?)", checkpoints)
    assert {C.ENTRY_MALFORMED, C.ROOT_DIFFERS} <= set(_codes(newer))


def test_without_the_root_keys_signatures_it_is_a_finding(ledger: Path) -> None:
    """The log's key makes any tree, and no founding."""
    for signers in (("network/root-1",), ("network/root-1", "network/root-9"), ("guian/officer-1",)):
        forge_edition(ledger, 2, *signers)
        assert C.ENTRY_MALFORMED in _codes(ledger)


def test_a_root_key_named_twice_signs_once(ledger: Path) -> None:
    """The quorum is of keys, not of lines."""
    entries = entries_of(ledger)

    def change(command: Founding) -> None:
        command.update(edition=2, root_keys=command["root_keys"][:1] * 2)

    forge(ledger, [founded_otherwise(entries[0], change, "network/root-1"), *entries[1:]])
    assert C.ENTRY_MALFORMED in _codes(ledger)


def test_another_logs_founding_is_a_finding(ledger: Path) -> None:
    """It says of which log it is."""
    entries = entries_of(ledger)
    change: Callable[[Founding], object] = lambda command: command.update(edition=2, log="other.example/log")  # noqa: E731
    forge(ledger, [founded_otherwise(entries[0], change), *entries[1:]])
    assert C.ENTRY_MALFORMED in _codes(ledger)


@pytest.mark.parametrize("number", [0, -1, "2", True, [2], {"edition": 2}], ids=repr)
def test_what_is_no_edition_is_a_finding(ledger: Path, number: object) -> None:
    """Editions are counted from 1."""
    forge_edition(ledger, number)
    assert C.ENTRY_MALFORMED in _codes(ledger)


def test_a_checkpoint_that_the_policy_refuses_is_a_finding(newer: Path) -> None:
    """By its signature, or for want of witnesses."""
    other = Policy.for_log(SigningKey.from_seed("other.example/log", b"\x03" * 32).verifier)
    assert C.CHECKPOINT_SIGNATURE_INVALID in _codes(newer, other)
    asking = f"log {LOG_KEY.verifier.to_text()}\nwitness w1 {WITNESS.to_text()}\nquorum w1\n"
    assert C.CHECKPOINT_QUORUM_MISSING in _codes(newer, Policy.from_text(asking.encode()))


def test_a_log_rewritten_to_another_edition_contradicts_what_was_given(
    newer: Path, pristine: Path, reports: Path, tmp_path: Path
) -> None:
    """A receipt, an earlier report: the log was judged then, and is another now."""
    with read_ledger(pristine / "ledger") as reader:
        (tmp_path / "100.tlog-proof").write_bytes(reader.receipt(100).to_bytes())
    assert C.RECEIPT_CONTRADICTED in _codes(newer, receipts=[tmp_path / "100.tlog-proof"])
    for name in ("first", "old", "whole"):
        assert _codes(newer, since=reports / f"{name}.json") == [C.HISTORY_REWRITTEN]


def test_a_bundle_changed_in_an_export_is_a_finding(tiles: Path, newer: Path, tmp_path: Path) -> None:
    """Beside tiles and a checkpoint of edition 1."""
    export_small_ledger(newer, tmp_path / "newer")
    shutil.copy(tmp_path / "newer" / "tile" / "entries" / "000", tiles / "tile" / "entries" / "000")
    codes = _codes(tiles)
    assert {C.ENTRY_MALFORMED, C.LEAF_DIFFERS, C.ROOT_DIFFERS} <= set(codes)


def test_a_founding_that_is_not_the_first_entry_says_nothing(ledger: Path) -> None:
    """A note of another edition in the midst of a log is malformed there."""
    entries = entries_of(ledger)
    forge(ledger, [*entries[:5], founded_otherwise(entries[0], in_edition(2)), *entries[6:]])
    report = audit(ledger, POLICY)
    assert [row.index for row in report.findings if row.code == C.ENTRY_MALFORMED] == [5]


# -------------------------------------------------------------------------------------- within a known edition


def test_an_unknown_kind_is_a_finding(ledger: Path) -> None:
    """The list of an edition's kinds is closed."""
    entries = entries_of(ledger)
    change: Callable[[Founding], object] = lambda command: command.update(kind="voucher.print/1", ref="new")  # noqa: E731
    forge(ledger, [*entries[:9], founded_otherwise(entries[0], change), *entries[10:]])
    report = audit(ledger, POLICY)
    (row,) = [row for row in report.findings if row.code == C.ENTRY_MALFORMED]
    assert (row.index, row.detail) == (9, "kind: no command of the closed list is called so")
    assert row.reason is Reason.COMMAND_MALFORMED
