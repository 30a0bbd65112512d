"""The real service of the ledger, as its own process: it dies at a step when told.

    python serve_until_fate.py URL PORT BEGIN

BEGIN is when the load began (monotonic, ns): the log's time starts there. On standard input it is told its fate:

    submit N        at the N-th step of the next group of notes it kills itself
    take-over N     at the N-th step of its next take-over

What it is goes to standard output, a line each: `standing_by`, `writing`, `store_failed`, `fenced`, `died` with the
step's name, and `survived` if it was told to die at a step that there isn't.

The steps are those that the server could tell apart: before a statement is sent, when it was sent and isn't answered,
and when it was answered. Heartbeats are no steps: they come when they come.
"""

import contextlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Generator, Sequence
from functools import partial
from typing import Any

import psycopg
from eventsourcing.persistence import PersistenceError

from support.burning import LOG_KEY, NOW
from tallystick.errors import LedgerError
from tallystick.ledger import Ledger, StandBy, stand_by
from tallystick.ledger.pending import NoteAnswer
from tallystick.serving.server import Place
from tallystick.sources import LedgerDatabase
from tallystick.web.reads import Reads
from tallystick.web.running import Status, Writing
from tallystick.web.served_log import ServedLog, ServingSettings
from tallystick.web.serving_log import serve_log

WAIT_FOR_ANSWER = 1  # psycopg.waiting.Wait.R: everything was sent
SECONDS_BETWEEN_TRIES = 0.3
STATUSES = frozenset(Status)


class Fate:
    """At which step of what this process kills itself."""

    def __init__(self) -> None:
        self._what = ""
        self._die_at = 0
        self._thread: int | None = None
        self._steps = 0
        self._submitting = 0
        self._changed = threading.Condition()

    def arm(self, what: str, die_at: int) -> None:
        """Die at the n-th step of the next one that begins."""
        with self._changed:
            self._what, self._die_at = what, die_at

    @contextlib.contextmanager
    def submit(self) -> Generator[None]:
        """Let submits run side by side, but one that is to die alone: its steps are then its own."""
        with self._changed:
            is_mine = self._begin("submit")
            self._changed.wait_for(lambda: (is_mine or self._thread is None) and not (is_mine and self._submitting))
            self._submitting += 1
        try:
            yield
        finally:
            self.end("submit")
            with self._changed:
                self._submitting -= 1
                self._changed.notify_all()

    def take_over(self) -> None:
        """This process is the writer now: what it does from here on are steps."""
        with self._changed:
            self._begin("take-over")

    def end(self, what: str) -> None:
        """It is done, and nobody died."""
        with self._changed:
            if self._what == what and self._thread == threading.get_ident():
                self._what, self._thread = "", None
                say("survived")

    def step(self, what: str) -> None:
        """Die here, if it is the one."""
        if self._thread == threading.get_ident():
            self._steps += 1
            if self._steps == self._die_at:
                say(f"died {what}")
                os.kill(os.getpid(), signal.SIGKILL)

    def _begin(self, what: str) -> bool:
        if self._what != what or self._thread is not None:
            return False
        self._thread, self._steps = threading.get_ident(), 0
        return True


FATE = Fate()


def say(word: str) -> None:
    print(word, flush=True)


def count_steps() -> None:
    """Let every exchange of psycopg with the server pass three steps."""
    wait, execute = psycopg.Connection.wait, psycopg.Cursor.execute
    here = threading.local()

    def in_steps(self: psycopg.Connection[Any], gen: Any, *rest: Any, **more: Any) -> Any:
        what = getattr(here, "statement", "transaction")
        FATE.step(f"before {what}")
        result = wait(self, _sent(gen, what), *rest, **more)
        FATE.step(f"after {what}")
        return result

    def named(self: psycopg.Cursor[Any], query: Any, *rest: Any, **more: Any) -> Any:
        text = query.decode() if isinstance(query, bytes) else str(query)
        here.statement = " ".join(text.split())[:80]
        try:
            result = execute(self, query, *rest, **more)
        finally:
            del here.statement
        if "pg_advisory_lock(" in text:
            FATE.take_over()
        return result

    psycopg.Connection.wait = in_steps  # type: ignore[method-assign]
    psycopg.Cursor.execute = named  # type: ignore[method-assign]


def _sent(gen: Any, what: str) -> Any:
    """Do what a generator of psycopg's does, with a step when all is sent and nothing came back."""
    is_sent = False
    try:
        ready = None
        while True:
            wanted = gen.send(ready)
            if wanted == WAIT_FOR_ANSWER and not is_sent:
                is_sent = True
                FATE.step(f"sent {what}")
            ready = yield wanted
    except StopIteration as end:
        return end.value


def count_submits() -> None:
    """Let each group of notes be a submit of its fate, and a take-over end where it has led to a ledger."""
    submit, wait = Ledger.submit, StandBy.wait

    def in_steps(self: Ledger, notes: Sequence[bytes]) -> list[NoteAnswer]:
        with FATE.submit():
            FATE.step("notes read")
            answers = submit(self, notes)
            FATE.step("answers ready")
        return answers

    def until_taken_over(self: StandBy, timeout_seconds: float | None = None) -> Ledger | None:
        ledger = wait(self, timeout_seconds)
        if ledger is not None:
            FATE.end("take-over")
        return ledger

    Ledger.submit = in_steps  # type: ignore[method-assign]
    StandBy.wait = until_taken_over  # type: ignore[method-assign]


class StatusLines(logging.Handler):
    """Says what the service does about writing, whenever that changes."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage() in STATUSES:
            say(record.getMessage())


def obey() -> None:
    """Take what is said on standard input for this process's fate."""
    for line in sys.stdin:
        what, die_at = line.split()
        FATE.arm(what, int(die_at))


def begun(url: str, clock: Any) -> Writing:
    """Return what writes, or stands by, once the store can be reached."""
    while True:
        writing = Writing(partial(stand_by, url, LOG_KEY, clock=clock))
        try:
            writing.start()
        except (LedgerError, PersistenceError):
            threading.Event().wait(SECONDS_BETWEEN_TRIES)
        else:
            return writing


def main(url: str, port: int, begin: int) -> None:
    count_steps()
    count_submits()
    statuses = logging.getLogger("tallystick.service")
    statuses.setLevel(logging.INFO)
    statuses.addHandler(StatusLines())
    threading.Thread(target=obey, daemon=True).start()
    writing = begun(url, lambda: NOW + (time.monotonic_ns() - begin) // 1_000)
    settings = ServingSettings(LOG_KEY.name, (LOG_KEY.verifier.to_text(),), "open")
    database = LedgerDatabase(url)
    serve_log(ServedLog(database, settings, writing, Reads.open(database)), Place(port=port))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
