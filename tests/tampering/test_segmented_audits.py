"""An audit in segments comes to the report of one in one piece, whatever is wrong, wherever segments are audited.

Attacks on tiles, bundles and states are tried in both ways by their own tests (conftest.py). Here are logs that were
changed before they were exported, workers that are lost, and a server that shows everybody something else.
"""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from support.earlier_audits import begin_of, report_on
from support.planted_states import move_a_fen
from support.segmented_audits import same_in_segments
from support.small_ledger import POLICY, export_small_ledger
from support.tampering import edited, entries_of, forge, index_of
from support.web_server import serving
from tallystick.audit import FindingCode, audit
from tallystick.audit.segment_processes import SegmentProcesses
from tallystick.audit.segments import InTurn, Pending, SegmentOrder, SegmentResult, audit_segment
from tallystick.errors import UsageError
from tallystick.publishing import read_ledger
from tallystick.vouchers.saved_state import SCHEMA_SHA256

C = FindingCode


@pytest.fixture
def log(with_states: Path, tmp_path: Path) -> Path:
    """An export with states, to spoil."""
    return Path(shutil.copytree(with_states, tmp_path / "log"))


@pytest.fixture(scope="module")
def processes() -> Iterator[SegmentProcesses]:
    """Two processes of this machine."""
    with SegmentProcesses(2) as processes:
        yield processes


# ------------------------------------------------------------------------------------------------ any state is one


@pytest.mark.parametrize("every", [17, 256])
def test_a_state_is_the_same_however_it_was_come_to(pristine: Path, tmp_path: Path, every: int) -> None:
    """Replayed from nothing and believed, as by an export; decided anew; gone on from at any size."""
    export_small_ledger(pristine / "ledger", tmp_path / "log", states_every=every)
    told: list[str] = []
    report = same_in_segments(tmp_path / "log", POLICY, told=told)
    assert report is not None
    assert (report.is_clean, told) == (True, [])


def test_an_export_goes_on_from_its_newest_state(pristine: Path, with_states: Path, tmp_path: Path) -> None:
    """Come to in two exports, the states are those of one; a state that doesn't fit the log is passed over."""
    export_small_ledger(begin_of(pristine / "ledger", 150, tmp_path / "begin"), tmp_path / "log", states_every=64)
    assert sorted(path.name for path in (tmp_path / "log/states").iterdir()) == ["128", "64", "index"]
    (tmp_path / "log/states/128").write_bytes((tmp_path / "log/states/64").read_bytes())
    shutil.rmtree(tmp_path / "log/tile")
    (tmp_path / "log/checkpoint").unlink()
    export_small_ledger(pristine / "ledger", tmp_path / "log", states_every=64)
    for path in with_states.rglob("*"):
        if path.is_file():
            assert (tmp_path / "log" / path.relative_to(with_states)).read_bytes() == path.read_bytes(), path


# ------------------------------------------------------------------------- what was changed before it was exported


def another_outcome(entries: list[bytes]) -> list[bytes]:
    """An amount of an outcome is another: the audit goes on with what the rules give."""
    place = index_of(entries, "time.burned")
    return [*entries[:place], edited(entries[place], r"([1-9])(\d*)\]", r"\1\g<2>0]"), *entries[place + 1 :]]


def a_signature_less(entries: list[bytes]) -> list[bytes]:
    """A signature is another: nothing can be decided any more."""
    return [*entries[:200], edited(entries[200], "(— \\S+ ....)....", r"\1AAAA"), *entries[201:]]


def an_entry_less(entries: list[bytes]) -> list[bytes]:
    """What comes after has another place."""
    return [*entries[:100], *entries[101:]]


@pytest.mark.parametrize("change", [another_outcome, a_signature_less, an_entry_less])
def test_a_log_that_was_changed_and_then_exported(
    ledger: Path, tmp_path: Path, change: Callable[[list[bytes]], list[bytes]], with_states: Path
) -> None:
    """With states that an honest exporter, or whoever changed it, wrote beside it."""
    forge(ledger, change(entries_of(ledger)))
    export_small_ledger(ledger, tmp_path / "log")
    shutil.copytree(with_states / "states", tmp_path / "log/states")
    report = same_in_segments(tmp_path / "log", POLICY)
    assert report is not None
    assert not report.is_clean


def test_an_export_follows_a_changed_outcome_and_the_audit_does_not(ledger: Path, tmp_path: Path) -> None:
    """The exporter believes what is recorded, so each of its states after that differs from what the rules give."""
    forge(ledger, another_outcome(entries_of(ledger)))
    export_small_ledger(ledger, tmp_path / "log", states_every=64)
    report = same_in_segments(tmp_path / "log", POLICY)
    assert report is not None
    assert {C.OUTCOME_DIFFERS, C.STATE_DIFFERS} <= set(report.codes())


# -------------------------------------------------------------------------------------------------------- receipts


def test_receipts_are_held_against_segments(ledger: Path, log: Path, tmp_path: Path) -> None:
    """Each in the segments that have its entry and its tree; those of another history are found as without segments."""
    (tmp_path / "given").mkdir()
    with read_ledger(ledger) as reader:
        for index in (0, 63, 64, 130, 288):
            (tmp_path / f"given/{index}.tlog-proof").write_bytes(reader.receipt(index).to_bytes())
        small = read_ledger(begin_of(ledger, 130, tmp_path / "small"))
        (tmp_path / "given/small.tlog-proof").write_bytes(small.receipt(129).to_bytes())
        small.close()
    told: list[str] = []
    report = same_in_segments(log, POLICY, receipts=[tmp_path / "given"], told=told)
    assert report is not None
    assert (report.is_clean, report.receipts, told) == (True, 6, [])
    entries = entries_of(ledger)
    forge(ledger, [*entries[:120], *entries[121:]])
    export_small_ledger(ledger, tmp_path / "forked")
    shutil.copytree(log / "states", tmp_path / "forked/states")
    forked = same_in_segments(tmp_path / "forked", POLICY, receipts=[tmp_path / "given"])
    assert forked is not None
    assert C.RECEIPT_CONTRADICTED in forked.codes()


# --------------------------------------------------------------------------------------------------- real processes


def test_processes_come_to_the_same(processes: SegmentProcesses, log: Path) -> None:
    told: list[str] = []
    for _ in range(2):
        same_in_segments(log, POLICY, workers=processes, told=told)
        assert told == []
        move_a_fen(log / "states/128")


def test_an_audit_goes_on_from_a_report_of_segments(
    pristine: Path, processes: SegmentProcesses, tmp_path: Path
) -> None:
    """Report and saved state are those of an audit in one piece."""
    export_small_ledger(begin_of(pristine / "ledger", 200, tmp_path / "begin"), tmp_path / "log", states_every=64)
    audit(tmp_path / "log", POLICY, report_file=tmp_path / "report.json", segments=processes)
    report_on(pristine / "ledger", tmp_path / "whole.json")
    audit(pristine / "ledger", POLICY, since=tmp_path / "report.json", report_file=tmp_path / "next.json")
    assert (tmp_path / "next.state").read_bytes() == (tmp_path / "whole.state").read_bytes()


def test_a_process_that_is_killed_is_replaced(log: Path) -> None:
    """Its segment is audited again, and the report says nothing of it."""
    expected = audit(log, POLICY, processes=1)
    told: list[str] = []
    with serving(log) as server, SegmentProcesses(1) as processes, ThreadPoolExecutor() as beside:
        server.held = "/tile/entries/000"  # the audit itself reads it first
        report = beside.submit(audit, server.url, POLICY, processes=1, segments=processes, notice=told.append)
        server.wait_until_held(1)
        (killed,) = processes.pids
        os.kill(killed, signal.SIGKILL)
        server.released.set()
        assert report.result() == expected
        assert told == []
        assert processes.pids != [killed]
    assert processes.pids == []


class Lost:
    """Workers of which the ones with one segment are always lost."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.submitted: list[int] = []

    def submit(self, order: SegmentOrder) -> Pending:
        self.submitted.append(order.start)
        return Never() if order.start == self.start else InTurn().submit(order)


class Never:
    """The future of a segment whose worker is gone."""

    def result(self) -> SegmentResult:
        raise OSError("it is gone")

    def cancel(self) -> None:
        pass


def test_a_segment_that_costs_every_worker_is_audited_here(log: Path) -> None:
    """From there on in one piece, and somebody is told."""
    workers, told = Lost(128), list[str]()
    report = same_in_segments(log, POLICY, workers=workers, told=told)
    assert report is not None
    assert report.is_clean
    assert workers.submitted == [0, 64, 128, 192, 128, 128, 128]
    (notice,) = told
    assert notice.startswith("the segment from entry 128 on: 4 workers were lost with it: it is gone; from there on ")


class Changing:
    """Workers before which a state is changed, once the segment before it found it right."""

    def __init__(self, log: Path, size: int) -> None:
        self.log = log
        self.size = size

    def submit(self, order: SegmentOrder) -> Pending:
        return Changed(self.log / f"states/{self.size}", order) if order.start == self.size else InTurn().submit(order)


class Changed:
    """The future of a segment that begins with a lie, though the one before it ended with the truth."""

    def __init__(self, file: Path, order: SegmentOrder) -> None:
        self.file = file
        self.order = order

    def result(self) -> SegmentResult:
        move_a_fen(self.file)
        return audit_segment(self.order)

    def cancel(self) -> None:
        pass


def test_a_state_that_is_another_for_the_next_worker_is_no_link(log: Path) -> None:
    """As a server can do that knows who asks: nothing is believed of the segment, and the lie is found."""
    told: list[str] = []
    report = audit(log, POLICY, processes=1, segments=Changing(log, 128), notice=told.append)
    assert told == [
        "the segment from entry 128 on: it began with another state than the one before it ended with; from there on "
        "the log is audited in one piece"
    ]
    assert report == audit(log, POLICY, processes=1)
    assert [(finding.code, finding.index) for finding in report.findings] == [(C.STATE_DIFFERS, 127)]


# ---------------------------------------------------------------------------------------------------- what can't be


def test_only_an_export_has_segments(ledger: Path) -> None:
    with pytest.raises(UsageError, match="is no export, and only exports have segments"):
        audit(ledger, POLICY, segments=InTurn())


def test_segments_go_with_no_earlier_report(log: Path, reports: Path) -> None:
    with pytest.raises(UsageError, match="segments go with neither an earlier report nor patterns"):
        audit(log, POLICY, since=reports / "old.json", segments=InTurn())


def test_an_export_without_states_is_one_piece(pristine: Path) -> None:
    told: list[str] = []
    assert same_in_segments(pristine / "tiles", POLICY, told=told) is not None
    assert told == []


def test_states_of_another_version_are_said_and_not_waited_for(log: Path) -> None:
    """The log isn't gone through twice: nothing is submitted."""
    for path in (log / "states").iterdir():
        path.write_bytes(path.read_bytes().replace(SCHEMA_SHA256.encode(), b"0" * 64, 1))
    told, workers = list[str](), Lost(0)
    assert same_in_segments(log, POLICY, workers=workers, told=told) is not None
    assert told == ["another version wrote the saved states, so the log is audited in one piece"]
    assert workers.submitted == []
