"""Two services of one log: one writes, the other stands by, and is there when the first is gone."""

import hashlib
import re
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from support.actors import Actor
from support.burning import LOG_KEY, NOW, Clock, burn_note, founding_notes
from support.command_line import done, failed, run, start, the_line
from support.postgres import execute, fresh_database
from support.serving import ServingProcess
from tallystick import keyfiles
from tallystick.ledger import create_ledger
from tallystick.publishing import read_ledger
from tallystick.vouchers.quantities import format_instant
from tallystick.vouchers.rules.reservations import ReservationRelease

AT = format_instant(NOW)


def founded(source: str) -> str:
    genesis, *rest = founding_notes()
    with create_ledger(source, genesis, LOG_KEY, clock=Clock()) as ledger:
        ledger.submit(rest)
    return source


@pytest.fixture(params=["sqlite", "postgresql"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return founded(str(tmp_path / "ledger") if request.param == "sqlite" else fresh_database())


@pytest.fixture
def log_key(tmp_path: Path) -> Path:
    path = tmp_path / "log.pem"
    keyfiles.create(path, LOG_KEY.name, None, unencrypted=True, seed=hashlib.sha256(LOG_KEY.name.encode()).digest())
    return path


@pytest.fixture
def started() -> Iterator[list[ServingProcess]]:
    services: list[ServingProcess] = []
    yield services
    for service in services:
        service.close()


def start_service(started: list[ServingProcess], source: str, log_key: Path, *program: str) -> ServingProcess:
    options = ("--log-key", log_key, "--log-time", AT, "--processes", "0")
    started.append(ServingProcess(source, *options, program=program))
    return started[-1]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(how: int, tmp_path: Path, log_key: Path, started: list[ServingProcess]) -> None:
    source = founded(str(tmp_path / "ledger"))
    service = start_service(started, source, log_key)
    assert service.post(burn_note("s-1")).json()["index"] == 11
    assert service.end(how) == 0
    with read_ledger(source) as reader:
        assert reader.size == 12
    again = start_service(started, source, log_key)  # the lock was let go
    assert again.http.get("/readyz").json() == {"status": "writing", "size": 12, "ok": True, "reasons": []}


def test_the_one_standing_by_takes_over_and_knows_what_was_answered(
    source: str, log_key: Path, started: list[ServingProcess]
) -> None:
    notes = [burn_note(f"s-{number}") for number in range(5)]
    first = start_service(started, source, log_key)
    assert [first.post(note).json()["index"] for note in notes[:3]] == [11, 12, 13]
    second = start_service(started, source, log_key)
    refused = second.post(notes[0])
    assert (refused.status_code, refused.json()["reason"]) == (503, "not_writing")
    assert (refused.is_redirect, "location" in refused.headers, refused.headers["retry-after"]) == (False, False, "1")
    assert second.http.get("/readyz").json()["reasons"] == ["standing_by: another process writes the log"]
    first.process.kill()
    second.wait_for("writing")
    answers = [second.post(note) for note in notes]
    assert [(answer.status_code, answer.json()["index"]) for answer in answers] == [
        (200, 11),
        (200, 12),
        (200, 13),
        (201, 14),
        (201, 15),
    ]
    assert second.end() == 0
    with read_ledger(source) as reader:
        assert reader.size == 16


def test_one_that_stands_by_ends_in_order_too(tmp_path: Path, log_key: Path, started: list[ServingProcess]) -> None:
    source = founded(str(tmp_path / "ledger"))
    first, second = [start_service(started, source, log_key) for _ in range(2)]
    assert second.end() == 0
    assert first.post(burn_note("s-1")).json()["index"] == 11
    assert first.end() == 0


def test_a_fenced_service_stands_by_again(log_key: Path, started: list[ServingProcess]) -> None:
    """It notices by itself, for nobody need send it a note."""
    source = founded(fresh_database())
    first = start_service(started, source, log_key)
    second = start_service(started, source, log_key)
    assert second.http.get("/readyz").json()["status"] == "standing_by"
    execute(source, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted")
    second.wait_for("writing")
    first.wait_for("fenced")
    first.wait_for("standing_by")
    assert first.post(burn_note("s-1")).json()["reason"] == "not_writing"
    assert second.post(burn_note("s-1")).json()["index"] == 11
    assert second.end() == 0
    first.wait_for("writing", 2)
    again = first.post(burn_note("s-2"))
    assert (again.status_code, again.json()["index"]) == (201, 12)
    assert first.end() == 0


PLANTED = """
import sys
from tallystick.cli import main
from tallystick.vouchers.rules.items import TariffPublish
from tallystick.vouchers.rules.reservations import ReservationRelease

def fail(*_):
    raise RuntimeError("what a note says")

publish = TariffPublish.evolve
ReservationRelease.decide = fail
TariffPublish.evolve = lambda *all_: fail() if all_[0].ref == "two" else publish(*all_)
sys.exit(main())
"""


HANGING = """
import sys, threading
from tallystick.cli import main
from tallystick.ledger.record import LedgerRecord
from tallystick.web import served_log
served_log.DRAIN_SECONDS = 1.0
keep = LedgerRecord.keep

def hang(record, origin, entries, group):
    if entries[0].event.command.ref == "hangs":
        print("hangs", file=sys.stderr, flush=True)
        threading.Event().wait()
    keep(record, origin, entries, group)

LedgerRecord.keep = hang
sys.exit(main())
"""


def test_a_store_that_hangs_does_not_keep_the_process(
    tmp_path: Path, log_key: Path, started: list[ServingProcess]
) -> None:
    """The note is answered by that, the process ends in time and says why, and the next one finds out what was kept."""
    source = founded(str(tmp_path / "ledger"))
    service = start_service(started, source, log_key, "-c", HANGING)
    answers: list[httpx2.Response] = []
    thread = threading.Thread(target=lambda: answers.append(service.post(burn_note("hangs"))))
    thread.start()
    service.wait_for_complaint("hangs")
    began = time.monotonic()
    assert service.end() == 2
    assert time.monotonic() - began < 10
    thread.join()
    assert [(answer.status_code, answer.json()["reason"]) for answer in answers] == [(503, "store_failed")]
    assert service.wait_for_complaint("tallystick: the store doesn't answer")
    again = start_service(started, source, log_key)
    assert again.post(burn_note("s-1")).json()["index"] == 11


def test_the_last_audits_report_is_shown_to_who_reads_all(
    tmp_path: Path, log_key: Path, started: list[ServingProcess]
) -> None:
    source = founded(str(tmp_path / "ledger"))
    options = ("--log-key", log_key, "--processes", "0", "--reading", "open", "--report", tmp_path / "report.json")
    started.append(ServingProcess(source, *options))
    assert "report.json can&#39;t be read" in started[-1].http.get("/findings").text
    done("audit", source, "--trust", tmp_path / "ledger" / "trust.policy", "--report", tmp_path / "report.json")
    page = started[-1].http.get("/findings").text
    assert re.search(r'is-good">clean<', page), page


def test_who_may_read_is_a_setting_too(tmp_path: Path, log_key: Path, started: list[ServingProcess]) -> None:
    source = founded(str(tmp_path / "ledger"))
    settings = tmp_path / "ledger" / "ledger.toml"
    settings.write_text(f'log_key = "{log_key}"\nreading = "parties"\n')
    said = start_service(started, source, log_key).http.get("/v1/info").json()
    assert (said["reading"], said["policy"]) == ("parties", (tmp_path / "ledger" / "trust.policy").read_text())
    settings.write_text(f'log_key = "{log_key}"\nreading = "none"\n')
    assert "reading: must be 'open', 'parties' or 'own'" in failed("serve", source, "--log-key", log_key)
    assert "--reading is one of open, parties, own" in failed("serve", source, "--reading", "all")


def faulty_notes() -> tuple[bytes, bytes]:
    """One that a planted fault meets in its decision, and one whose change of the state it meets."""
    provider = Actor("provider")
    later = format_instant(NOW + 1)
    return (
        provider.note("reservation.release", NOW, ref="one", reservation="holder/r1"),
        provider.note("tariff.publish", NOW, ref="two", item="ascend-910b", price_fen=1, valid_from=later),
    )


def test_the_service_lives_on_after_a_fault_in_one_note(
    source: str, log_key: Path, started: list[ServingProcess]
) -> None:
    service = start_service(started, source, log_key, "-c", PLANTED)
    bad = faulty_notes()
    notes = [burn_note("s-1"), bad[0], burn_note("s-2"), bad[1], burn_note("s-3")]
    said = service.post_batch(notes)
    assert [one.get("index") for one in said] == [11, None, 12, None, 13]
    for one, note in ((said[1], bad[0]), (said[3], bad[1])):
        assert (one["status"], one["reason"], one["transient"]) == (500, "decision_failed", True)
        assert hashlib.sha256(note).hexdigest() in one["detail"]
    assert service.end() == 0
    complaints = [one for one in service.logged if one["level"] == "error"]
    assert len(complaints) == 2
    for complaint, note in zip(complaints, bad, strict=True):
        sha256 = hashlib.sha256(note).hexdigest()
        assert complaint["event"].startswith(
            f"the note with SHA-256 {sha256} could not be decided: builtins.RuntimeError"
        )
        assert "what a note says" not in str(complaint)
    mended = start_service(started, source, log_key)
    assert [mended.post(note).json()["index"] for note in bad] == [14, 15]
    assert mended.end() == 0


def test_submit_and_check_say_that_a_decision_failed(
    source: str, log_key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = "what a note says"

    def failing(*_: object) -> None:
        raise RuntimeError(words)

    good, bad = tmp_path / "good.note", tmp_path / "bad.note"
    good.write_bytes(burn_note("s-1"))
    bad.write_bytes(faulty_notes()[0])
    sha256 = hashlib.sha256(bad.read_bytes()).hexdigest()
    monkeypatch.setattr(ReservationRelease, "decide", failing)
    for command, options in (("check", ()), ("submit", ("--log-key", log_key))):
        ran = run(command, source, bad, good, "--log-time", AT, *options)
        assert ran.status == 1
        refused, admitted = [line for line in ran.out.splitlines() if line.startswith(str(tmp_path))]
        assert refused == (
            f"{bad}: refused: decision_failed: nothing was recorded; report the fault that was logged for the note "
            f"with SHA-256 {sha256}; the same may be accepted later"
        )
        assert admitted.startswith(f"{good}: 11 time.burned/1")
        assert f"SHA-256 {sha256} could not be decided: builtins.RuntimeError at" in the_line(ran.err)
        monkeypatch.setenv("TALLYSTICK_TRACEBACK", "1")
        traced = run("check", source, bad, "--log-time", AT).err
        assert "Traceback (most recent call last):" in traced
        assert words not in traced
        monkeypatch.delenv("TALLYSTICK_TRACEBACK")


def test_what_can_not_be_served_is_said_at_once(tmp_path: Path, log_key: Path) -> None:
    assert "is not a ledger" in failed("serve", tmp_path, "--log-key", log_key)
    assert "can't be used" in failed("serve", "postgresql://nobody@127.0.0.1:1/none", "--log-key", log_key)
    (tmp_path / "ledger.db").write_bytes(b"garbage" * 1_000)
    with start("serve", tmp_path, "--log-key", log_key) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert "ledger.db" in the_line(err)


@pytest.mark.parametrize("missing", ["uvicorn", "fastapi", "structlog"])
def test_what_is_not_installed_is_named_with_what_installs_it(missing: str, tmp_path: Path, log_key: Path) -> None:
    program = ("-c", f"import sys; sys.modules['{missing}'] = None; from tallystick.cli import main; sys.exit(main())")
    with start("serve", founded(str(tmp_path / "ledger")), "--log-key", log_key, program=program) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    line = f"serving over HTTP needs {missing}, which isn't installed: pip install 'tallystick[serve]'"
    assert the_line(err) == line


def test_a_port_that_is_taken_is_said_in_one_line_and_the_log_is_let_go(
    tmp_path: Path, log_key: Path, started: list[ServingProcess]
) -> None:
    taken = start_service(started, founded(str(tmp_path / "one")), log_key).url.rpartition(":")[2]
    other = founded(str(tmp_path / "two"))
    options = ("--log-key", log_key, "--log-time", AT, "--processes", "0")
    with start("serve", other, "--port", taken, *options) as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    *logged, line = err.splitlines(keepends=True)
    assert "can't be listened on" in the_line(line)
    assert all(one.startswith("{") for one in logged)
    assert start_service(started, other, log_key).http.get("/readyz").status_code == 200
