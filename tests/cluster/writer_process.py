"""A writer of the ledger, as its own process: it stands by, takes over, answers notes, and dies at a step when told.

    python writer_process.py URL SOCKET BEGIN

BEGIN is when the load began (monotonic, ns): the log's time starts there. Submitters
connect to the socket; each request and each answer is a line of JSON:

    {"note": base64}            {"index", "entry", "receipt"} | {"refused"} | {"elsewhere"} | {"again"}
    {"receipt_of": index}       {"receipt"} | {"elsewhere"} | {"again"}
    {"note": …, "die_at": n}    at the n-th step of this submit it kills itself
    {"die_at": n}               {}; at the n-th step of its next take-over it kills itself

What it is goes to standard output, a line each: `standing-by`, `writing`, `fenced`, `died` with the step's name, and
`survived` if it was told to die at a step that there isn't.

The steps are those that the server could tell apart: before a statement is sent, when it was sent and isn't answered,
and when it was answered. Heartbeats are no steps: they come when they come.
"""

import base64
import contextlib
import json
import os
import signal
import socketserver
import sys
import threading
import time
from collections.abc import Generator
from typing import Any, cast

import psycopg
from eventsourcing.persistence import PersistenceError

from support.burning import LOG_KEY, NOW
from tallystick.errors import LedgerBusyError, LedgerError, WriterFencedError
from tallystick.ledger import Ledger, StandBy, stand_by
from tallystick.vouchers.refusals import Refusal

WAIT_FOR_ANSWER = 1  # psycopg.waiting.Wait.R: everything was sent
Json = dict[str, Any]


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
    def submit(self, die_at: int) -> Generator[None]:
        """Let submits run side by side, but one that is to die alone: its steps are then its own."""
        with self._changed:
            if die_at:
                self.arm("submit", die_at)
            is_mine = bool(die_at) and self._begin("submit")
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


class Writer:
    """Stands by and writes, in turns, for ever."""

    def __init__(self, url: str, begin: int) -> None:
        self._url = url
        self._begin = begin
        self._ledger: Ledger | None = None
        self._is_fenced = threading.Event()

    def run(self) -> None:
        while True:
            waiting = self._stand_by()
            ledger = waiting.wait()
            FATE.end("take-over")
            assert ledger is not None
            self._is_fenced.clear()
            self._ledger = ledger
            say("writing")
            self._is_fenced.wait()
            self._ledger = None
            say("fenced")
            with contextlib.suppress(LedgerError, PersistenceError):
                ledger.close()

    def answer(self, request: Json) -> Json:
        if "die_at" in request and "note" not in request:
            FATE.arm("take-over", request["die_at"])
            return {}
        ledger = self._ledger
        if ledger is None:
            return {"elsewhere": True}
        try:
            if "receipt_of" in request:
                return {"receipt": _text(ledger.receipt(request["receipt_of"]).to_bytes())}
            with FATE.submit(request.get("die_at", 0)):
                FATE.step("note read")
                answer = self._submit(ledger, base64.b64decode(request["note"]))
                FATE.step("answer ready")
            return answer
        except (WriterFencedError, LedgerBusyError):
            self._is_fenced.set()
            return {"elsewhere": True}
        except (LedgerError, PersistenceError, ValueError, LookupError) as error:
            return {"again": str(error)}

    def _submit(self, ledger: Ledger, note: bytes) -> Json:
        answer = ledger.submit([note])[0]
        if isinstance(answer, Refusal):
            return {"refused": str(answer)}
        receipt = answer.receipt().to_bytes()
        return {"index": answer.index, "entry": _text(answer.entry), "receipt": _text(receipt)}

    def _clock(self) -> int:
        return NOW + (time.monotonic_ns() - self._begin) // 1_000

    def _stand_by(self) -> StandBy:
        while True:
            try:
                waiting = stand_by(self._url, LOG_KEY, clock=self._clock)
            except (LedgerError, PersistenceError):
                threading.Event().wait(0.3)
                continue
            say("standing-by")
            return waiting


class Server(socketserver.ThreadingUnixStreamServer):
    """Gives each submitter a thread."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, path: str, writer: Writer) -> None:
        super().__init__(path, Connection)
        self.writer = writer


class Connection(socketserver.StreamRequestHandler):
    """Requests of one submitter, in turn."""

    def handle(self) -> None:
        writer = cast(Server, self.server).writer
        with contextlib.suppress(ConnectionError):
            for line in self.rfile:
                self.wfile.write(json.dumps(writer.answer(json.loads(line))).encode() + b"\n")


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


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


if __name__ == "__main__":
    count_steps()
    writer = Writer(sys.argv[1], int(sys.argv[3]))
    with Server(sys.argv[2], writer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        writer.run()
