"""Two writers of one log: one writes, the other stands by, and is there when the first is gone."""

import hashlib
import json
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from support.burning import LOG_KEY, NOW, Clock, burn_note, founding_notes
from support.command_line import failed, run, start, the_line
from support.postgres import execute, fresh_database
from tallystick import keyfiles
from tallystick.ledger import create_ledger, read_ledger
from tallystick.vouchers.quantities import format_instant

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

    def __init__(self, source: str, log_key: Path) -> None:
        options = ("--log-key", log_key, "--at", AT, "--processes", "0")
        self.process = start("writer", source, *options, stdin=subprocess.PIPE)

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


def start_writing(started: list[Writing], source: str, log_key: Path) -> Writing:
    started.append(Writing(source, log_key))
    return started[-1]


def test_the_one_standing_by_takes_over_and_knows_what_was_answered(
    source: str, log_key: Path, started: list[Writing]
) -> None:
    notes = [burn_note(f"s-{number}") for number in range(5)]
    first = start_writing(started, source, log_key)
    assert first.say() == {"status": "writing", "entries": 10}
    first.ask(*notes[:3], b"no note")
    assert [first.say()["index"] for _ in range(3)] == [10, 11, 12]
    assert first.say()["reason"] == "note_malformed"
    second = start_writing(started, source, log_key)
    assert second.say() == {"status": "standing_by", "entries": 13}
    second.ask(*notes)
    first.process.kill()
    assert second.say() == {"status": "writing", "entries": 13}
    assert [(said["id"], said["index"], said["is_new"]) for said in (second.say() for _ in notes)] == [
        ("0", 10, False),
        ("1", 11, False),
        ("2", 12, False),
        ("3", 13, True),
        ("4", 14, True),
    ]
    assert second.end() == 0
    with read_ledger(source) as reader:
        assert reader.size == 15


def test_a_deposed_writer_stands_by_again(log_key: Path, started: list[Writing]) -> None:
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
    assert first.say()["status"] == "deposed"
    assert first.say() == {"status": "standing_by", "entries": 10}
    assert second.end() == 0
    assert first.say() == {"status": "writing", "entries": 10}
    assert first.say()["reason"] == "note_malformed"
    assert first.say()["index"] == 10
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
    assert writing.say()["index"] == 10
    assert writing.end() == 0


def test_no_ledger_is_said_at_once(tmp_path: Path, log_key: Path) -> None:
    assert "is not a ledger" in failed("writer", tmp_path, "--log-key", log_key)
    ran = run("writer", "postgresql://nobody@127.0.0.1:1/none", "--log-key", log_key)
    assert (ran.status, ran.out) == (2, "")
    assert "can't be used" in the_line(ran.err)
