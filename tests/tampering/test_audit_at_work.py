"""A sound ledger is clean, with any number of processes; what isn't one is refused; the lists are complete."""

import multiprocessing
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from support.finding_codes import AUDIT_CODES, DOSSIER_CODES, documented, in_order
from support.small_ledger import CHEAP, CLAIMED_FEN, LOG_KEY, POLICY
from support.tampering import edited, entries_of, index_of, put_entry
from tallystick.audit import FindingCode, Report, audit, auditing, walk
from tallystick.audit.book_checks import returned_fen
from tallystick.errors import NotALedgerError, UsageError
from tallystick.ledger import open_ledger
from tallystick.publishing import read_ledger
from tallystick.signing.keys import VerifierKey
from tallystick.verifying import pool

HERE = Path(__file__).resolve().parent


def test_a_sound_ledger_is_clean(pristine: Path) -> None:
    """And its numbers add up."""
    report = audit(pristine / "ledger", POLICY)
    assert report.is_clean
    assert report.findings == ()
    assert report.entries == report.totals.entries == 289
    with read_ledger(pristine / "ledger") as reader:
        state = reader.state()
    assert report.checkpoint is not None
    assert (report.checkpoint.origin, report.checkpoint.size) == (LOG_KEY.name, 289)
    totals = report.totals
    assert (totals.burn_lines_accepted, totals.burn_lines_refused) == (17, 3)
    assert set(totals.programmes) == set(state.programmes)
    for name, row in totals.programmes.items():
        parts = row.model_dump()
        assert parts.pop("envelope_fen") == sum(parts.values()) == state.programmes[name].envelope_fen
        assert {account: parts[f"{account}_fen"] for account in state.book.totals[name]} == state.book.totals[name]
    assert totals.receivable_fen == totals.programmes[CHEAP].receivable_fen == 3_000 - 1_000 - 1_200 - 300
    assert totals.received_fen == 1_000 + 1_200  # set off, and received; 300 were given up
    withheld_fen = 10_000 - 8_000  # of which so much is disallowed, and the rest isn't claimed in time
    assert totals.programmes[CHEAP].paid_fen == CLAIMED_FEN - withheld_fen - 3_000 + 300
    services_fen = 500 * 200 // 5 + 70_000 // 5  # a fifth each of what was counted, and of the invoice
    assert totals.burned_fen == CLAIMED_FEN + 8_600 + 2_440 + services_fen + 30_000  # the last carried over
    assert totals.forfeited_fen == withheld_fen + 2_440 + services_fen  # not claimed in time
    assert totals.withheld_fen == 0
    assert totals.revoked_fen == returned_fen(state)["revoked"] > 0
    parts_fen = (totals.available_fen, totals.reserved_fen, totals.burned_fen, totals.expired_fen, totals.revoked_fen)
    assert totals.issued_fen == sum(parts_fen)


def test_a_ledger_can_be_audited_while_it_is_open(ledger: Path) -> None:
    """A writer isn't disturbed, and doesn't disturb."""
    with open_ledger(ledger, LOG_KEY) as writer:
        assert audit(ledger, POLICY).is_clean
        assert writer.state.size == 289


def test_progress_is_told(pristine: Path) -> None:
    """Up to the end."""
    told: list[tuple[int, int]] = []
    audit(pristine / "ledger", POLICY, progress=lambda done, total: told.append((done, total)))
    assert told == [(256, 289), (289, 289)]


# ------------------------------------------------------------------------------------------------- processes


@pytest.fixture
def in_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes for however few entries, and several batches."""
    monkeypatch.setattr(auditing, "WORTH_PROCESSES", 1)
    monkeypatch.setattr(walk, "BATCH_BYTES_MAX", 20_000)


@pytest.mark.usefixtures("in_processes")
@pytest.mark.parametrize("processes", [0, 1, 2, 3])
def test_the_number_of_processes_changes_nothing(ledger: Path, processes: int) -> None:
    """Neither for a sound ledger nor for one with a bad signature in the middle."""
    assert audit(ledger, POLICY, processes=processes).is_clean
    entries = entries_of(ledger)
    index = index_of(entries, "tariff.published", 100)
    put_entry(ledger, index, edited(entries[index], '"price_fen":1', '"price_fen":2'))
    found = audit(ledger, POLICY, processes=processes).findings
    assert (found[0].code, found[0].index) == ("signature_invalid", index)


@pytest.mark.usefixtures("in_processes")
def test_signatures_are_verified_in_the_processes(pristine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only those by keys that the first batch brings, and the newest checkpoint, are verified here."""
    verified: list[str] = []
    verify = VerifierKey.verify

    def counting(self: VerifierKey, signature: bytes, message: bytes) -> None:
        verified.append(self.label)
        verify(self, signature, message)

    monkeypatch.setattr(VerifierKey, "verify", counting)
    assert audit(pristine / "ledger", POLICY, processes=2).is_clean
    assert len(verified) < 80  # of 289 entries, some with two signatures, and 11 checkpoints


@pytest.mark.usefixtures("in_processes")
def test_processes_that_die_are_done_without(pristine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether they die at once or in the middle."""
    start = pool._start

    def mortal() -> subprocess.Popen[bytes]:
        worker = start()
        threading.Timer(0.02, worker.kill).start()
        return worker

    monkeypatch.setattr(pool, "_start", mortal)
    assert audit(pristine / "ledger", POLICY, processes=2).is_clean
    monkeypatch.setattr(sys, "executable", "")
    monkeypatch.setattr(pool, "_start", start)
    assert audit(pristine / "ledger", POLICY, processes=2).is_clean


def test_processes_end_with_the_audit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when it is interrupted."""
    started: list[subprocess.Popen[bytes]] = []
    start = pool._start

    def remembered() -> subprocess.Popen[bytes]:
        started.append(start())
        return started[-1]

    monkeypatch.setattr(pool, "_start", remembered)

    def interrupted() -> None:
        with pool.VerificationPool(2) as processes:
            for _ in range(2):
                processes.submit(([b"leaf"], 1, []))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [worker.poll() is not None for worker in started] == [True, True]
    assert multiprocessing.active_children() == []


# ------------------------------------------------------------------------------------------- nothing to audit


def test_no_folder_is_a_usage_error(tmp_path: Path) -> None:
    """Neither a missing path nor a file is one."""
    (tmp_path / "file").write_bytes(b"")
    for source in (tmp_path / "missing", tmp_path / "file"):
        with pytest.raises(UsageError, match="not a folder"):
            audit(source, POLICY)


def test_an_empty_folder_is_no_ledger(tmp_path: Path) -> None:
    """There is nothing in it to find fault with."""
    with pytest.raises(NotALedgerError, match="nothing to audit"):
        audit(tmp_path, POLICY)


# ------------------------------------------------------------------------------------------- the lists are whole


def test_every_code_has_an_attack() -> None:
    """A code that no attack produces is a promise nobody checked."""
    attacks = [*HERE.glob("test_*_attacks.py"), HERE / "test_segmented_audits.py"]
    sources = "".join(path.read_text("utf-8") for path in attacks)
    assert {code.name for code in AUDIT_CODES} - set(re.findall(r"\bC\.([A-Z_]+)\b", sources)) == set()


def test_every_code_is_explained_in_the_docs() -> None:
    """By the words that the code itself has."""
    assert documented("audit.md") == in_order(AUDIT_CODES)
    assert set(FindingCode) == AUDIT_CODES | DOSSIER_CODES


def test_a_report_is_read_as_it_was_written(ledger: Path) -> None:
    """A report with findings; anything else than its bytes is refused."""
    put_entry(ledger, 7, b"")
    report = audit(ledger, POLICY)
    data = report.to_bytes()
    assert Report.from_bytes(data) == report
    assert report.codes()[0] is FindingCode.ENTRY_MALFORMED
