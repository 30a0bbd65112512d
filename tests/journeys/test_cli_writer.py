"""Two writers of one log: one writes, the other stands by, and is there when the first is gone."""

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from support.actors import Actor
from support.burning import LOG_KEY, NOW, Clock, burn_note, founding_notes
from support.command_line import failed, run, start, the_line
from support.postgres import execute, fresh_database
from tallystick import keyfiles
from tallystick.ledger import create_ledger
from tallystick.publishing import read_ledger
from tallystick.vouchers.quantities import format_instant
from tallystick.vouchers.rules.reservations import ReservationRelease

AT = format_instant(NOW)


@pytest.fixture(params=["sqlite", "postgresql"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    source = str(tmp_path / "ledger") if request.param == "sqlite" else fresh_database()
    clock = Clock()
    genesis, *rest = founding_notes()
    with create_ledger(source, genesis, LOG_KEY, clock=clock) as ledger:
        ledger.submit(rest)
    return source


@pytest.fixture
def log_key(tmp_path: Path) -> Path:
    path = tmp_path / "log.pem"
    keyfiles.create(path, LOG_KEY.name, None, unencrypted=True, seed=hashlib.sha256(LOG_KEY.name.encode()).digest())
    return path


class Writing:
    """A running writer."""

    def __init__(self, source: str, log_key: Path, *program: str) -> None:
        options = ("--log-key", log_key, "--log-time", AT, "--processes", "0")
        self.process = start("writer", source, *options, program=program, stdin=subprocess.PIPE)

    def ask(self, *notes: bytes) -> None:
        assert self.process.stdin is not None
        for number, note in enumerate(notes):
            self.process.stdin.write(json.dumps({"id": str(number), "note": note.decode()}) + "\n")
        self.process.stdin.flush()

    def say(self) -> dict[str, Any]:
        """The next line."""
        assert self.process.stdout is not None
        said: dict[str, Any] = json.loads(self.process.stdout.readline())
        return said

    def end(self) -> int:
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait()


@pytest.fixture
def started() -> Iterator[list[Writing]]:
    writings: list[Writing] = []
    yield writings
    for writing in writings:
        writing.process.kill()
        writing.process.wait()
        for pipe in (writing.process.stdin, writing.process.stdout, writing.process.stderr):
            assert pipe is not None
            with suppress(BrokenPipeError):  # what was written last may not have gone out
                pipe.close()


def start_writing(started: list[Writing], source: str, log_key: Path, *program: str) -> Writing:
    started.append(Writing(source, log_key, *program))
    return started[-1]


def test_the_one_standing_by_takes_over_and_knows_what_was_answered(
    source: str, log_key: Path, started: list[Writing]
) -> None:
    notes = [burn_note(f"s-{number}") for number in range(5)]
    first = start_writing(started, source, log_key)
    assert first.say() == {"status": "writing", "entries": 11}
    first.ask(*notes[:3], b"no note")
    assert [first.say()["index"] for _ in range(3)] == [11, 12, 13]
    assert first.say()["reason"] == "note_malformed"
    second = start_writing(started, source, log_key)
    assert second.say() == {"status": "standing_by", "entries": 14}
    second.ask(*notes)
    first.process.kill()
    assert second.say() == {"status": "writing", "entries": 14}
    assert [(said["id"], said["index"], said["is_new"]) for said in (second.say() for _ in notes)] == [
        ("0", 11, False),
        ("1", 12, False),
        ("2", 13, False),
        ("3", 14, True),
        ("4", 15, True),
    ]
    assert second.end() == 0
    with read_ledger(source) as reader:
        assert reader.size == 16


def test_a_fenced_writer_stands_by_again(log_key: Path, started: list[Writing]) -> None:
    source = fresh_database()
    genesis, *rest = founding_notes()
    with create_ledger(source, genesis, LOG_KEY, clock=Clock()) as ledger:
        ledger.submit(rest)
    first = start_writing(started, source, log_key)
    assert first.say()["status"] == "writing"
    second = start_writing(started, source, log_key)
    assert second.say()["status"] == "standing_by"
    execute(source, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted")
    assert second.say()["status"] == "writing"
    first.ask(b"no note", burn_note("s-1"))
    assert first.say()["status"] == "fenced"
    assert first.say() == {"status": "standing_by", "entries": 11}
    assert second.end() == 0
    assert first.say() == {"status": "writing", "entries": 11}
    assert first.say()["reason"] == "note_malformed"
    assert first.say()["index"] == 11
    assert first.end() == 0


def test_a_line_that_is_no_request_is_answered_and_the_next_one_too(
    source: str, log_key: Path, started: list[Writing]
) -> None:
    writing = start_writing(started, source, log_key)
    assert writing.process.stdin is not None
    for line in ("", "{", "[]", "1", '{"id": 1, "note": ""}', '{"id": "a", "note": "\\ud800"}', "x" * 2_000_000):
        writing.process.stdin.write(f"{line}\n")
    writing.ask(burn_note("s-1"))
    assert writing.say()["status"] == "writing"
    assert [writing.say()["error"][:8] for _ in range(7)] == [f"line {number} i"[:8] for number in range(1, 8)]
    assert writing.say()["index"] == 11
    assert writing.end() == 0


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


def faulty_notes() -> tuple[bytes, bytes]:
    """One that a planted fault meets in its decision, and one whose change of the state it meets."""
    provider = Actor("provider")
    later = format_instant(NOW + 1)
    return (
        provider.note("reservation.release", NOW, ref="one", reservation="holder/r1"),
        provider.note("tariff.publish", NOW, ref="two", item="ascend-910b", price_fen=1, valid_from=later),
    )


def test_the_writer_lives_on_after_a_fault_in_one_note(source: str, log_key: Path, started: list[Writing]) -> None:
    writing = start_writing(started, source, log_key, "-c", PLANTED)
    assert writing.say()["status"] == "writing"
    bad = faulty_notes()
    writing.ask(burn_note("s-1"), bad[0], burn_note("s-2"), bad[1], burn_note("s-3"))
    said = [writing.say() for _ in range(5)]
    assert [one.get("index") for one in said] == [11, None, 12, None, 13]
    for one, note in ((said[1], bad[0]), (said[3], bad[1])):
        assert (one["accepted"], one["reason"], one["transient"]) == (False, "decision_failed", True)
        assert hashlib.sha256(note).hexdigest() in one["detail"]
    assert writing.end() == 0
    assert writing.process.stderr is not None
    complaints = writing.process.stderr.read().splitlines()
    assert len(complaints) == 2
    for complaint, note in zip(complaints, bad, strict=True):
        sha256 = hashlib.sha256(note).hexdigest()
        assert complaint.startswith(
            f"tallystick: the note with SHA-256 {sha256} could not be decided: builtins.Runtime"
        )
        assert "what a note says" not in complaint
    mended = start_writing(started, source, log_key)
    assert mended.say() == {"status": "writing", "entries": 14}
    mended.ask(*bad)
    assert [mended.say()["index"] for _ in bad] == [14, 15]
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
        refused, admitted = ran.out.splitlines()[:2]
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


def test_a_writer_that_ends_while_requests_may_come_ends_in_order(tmp_path: Path, log_key: Path) -> None:
    """It waits for its input in a thread, which must not break the end of the process."""
    (tmp_path / "ledger.db").write_bytes(b"garbage" * 1_000)
    process = start("writer", tmp_path, "--log-key", log_key, stdin=subprocess.PIPE)
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read() == ""  # and its input is still open
        assert "ledger.db" in the_line(process.stderr.read())
        assert process.wait() == 2


def test_no_ledger_is_said_at_once(tmp_path: Path, log_key: Path) -> None:
    assert "is not a ledger" in failed("writer", tmp_path, "--log-key", log_key)
    ran = run("writer", "postgresql://nobody@127.0.0.1:1/none", "--log-key", log_key)
    assert (ran.status, ran.out) == (2, "")
    assert "can't be used" in the_line(ran.err)


@pytest.mark.parametrize("given", ["closed", "for writing alone"])
def test_an_input_that_can_not_be_read_ends_the_writer(given: str, source: str, log_key: Path, tmp_path: Path) -> None:
    """In one line and status 2: it doesn't wait for ever for what won't come."""
    words = ("writer", source, "--log-key", log_key, "--log-time", AT, "--processes", "0")
    with (tmp_path / "file").open("wb") as file:
        # A child's standard input is closed by the child itself: there is no other way to start one so.
        how: dict[str, Any] = {"stdin": file} if given != "closed" else {"preexec_fn": lambda: os.close(0)}
        with start(*words, **how) as process:
            out, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert the_line(err).startswith("standard input: ")
    assert [json.loads(line)["status"] for line in out.splitlines()] == ["writing"]
