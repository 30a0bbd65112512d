"""One writer among several that may be: it stands by until it may write, and again when it was replaced.

    tallystick writer SOURCE < requests > answers

A request is one line, `{"id": "…", "note": "…"}`: any text to tell answers by, and a signed note. Each is answered with
one line, in order, when it is durable or refused; `id` comes back in it. Between answers stand lines with a `status`
(`tallystick.wire.writer_lines`).

A note that was kept but not answered, here or by another writer, is answered with its first receipt when it comes
again: so the same sent to two writers does no harm. It ends when its input does, and all is answered.

While the machine's clock is too far ahead of the log (ledger/clock_guard.py), what would be recorded is answered with
`{"id": "…", "error": "…"}`, and may be sent again.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

import json
import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import IO, TYPE_CHECKING, NamedTuple

import typer

from tallystick.cli import answers, output, parameters, reading
from tallystick.errors import ClockJumpError, StoreFailedError, WriterFencedError
from tallystick.wire import writer_lines

if TYPE_CHECKING:
    from tallystick.ledger import Ledger, StandBy
    from tallystick.wire import JsonObject

REQUESTS_AT_ONCE = 512
REQUESTS_WAITING = 10_000
SECONDS_BETWEEN_TRIES = 0.5


class Request(NamedTuple):
    """A line of the input; without a note, it couldn't be read and `error` says why."""

    id: str
    note: bytes
    error: str = ""


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(writer)


def writer(
    source: parameters.LedgerSource,
    log_key: parameters.LogKey = None,
    next_log_key: parameters.NextLogKey = None,
    passphrase_file: parameters.LogKeyPassphrase = None,
    processes: parameters.VerifyProcesses = 2,
    log_time: parameters.LogTime = None,
    accept_clock_jump: parameters.AcceptClockJump = False,
) -> None:
    """Answer notes from standard input, a JSON line each, as the log's one writer; stand by while there is another."""
    from tallystick.cli.moments import zone_of
    from tallystick.ledger.opening import stand_by

    answers.show_faults()
    key, next_key = reading.load_log_keys(source, log_key, next_log_key, passphrase_file)
    clock = reading.clock(log_time, lambda: zone_of(source))
    guard = reading.clock_guard(source, log_time, accept_jump=accept_clock_jump)
    requests: queue.Queue[Request | OSError | None] = queue.Queue(REQUESTS_WAITING)
    threading.Thread(target=_read, args=(_own_input(), requests), daemon=True).start()
    follow = partial(stand_by, source, key, next_log_key=next_key, clock=clock, verify_processes=processes, guard=guard)
    _Writing(requests, follow).run()


class _Writing:
    """The requests on their way, over as many turns at writing as it takes."""

    def __init__(self, requests: "queue.Queue[Request | OSError | None]", stand_by: "Callable[[], StandBy]") -> None:
        self._requests = requests
        self._stand_by = stand_by
        self._unanswered: list[Request] = []
        self._ended = False
        self._trouble: OSError | None = None

    def run(self) -> None:
        """Stand by and write in turn, until the input has ended and all of it is answered.

        Raises:
            OSError: the input couldn't be read to its end; what was read of it is answered.
        """
        self._run()
        if self._trouble is not None:
            raise self._trouble

    def _run(self) -> None:
        waiting = self._stand_by()  # once without patience: a wrong SOURCE is said at once
        while True:
            ledger = self._wait(waiting)
            if ledger is None:
                return
            with ledger:
                _say(writer_lines.writing(ledger.state.size))
                if self._answer(ledger):
                    return
            waiting = self._stand_by_again()

    def _wait(self, waiting: "StandBy") -> "Ledger | None":
        """Return the ledger once it may be written; None if the input ended first, and nothing waits."""
        ledger = waiting.wait(0.0)
        if ledger is None:
            _say(writer_lines.standing_by(waiting.size))
        while ledger is None:
            self._take(block=False)
            if self._ended and not self._unanswered:
                waiting.close()
                return None
            ledger = waiting.wait(SECONDS_BETWEEN_TRIES)
        return ledger

    def _stand_by_again(self) -> "StandBy":
        while True:
            try:
                return self._stand_by()
            except StoreFailedError as error:
                _say(writer_lines.store_failed(str(error)))
                time.sleep(SECONDS_BETWEEN_TRIES)

    def _answer(self, ledger: "Ledger") -> bool:
        """Answer requests; return whether all are answered, or else another has taken over."""
        while True:
            if not self._unanswered:
                if self._ended:
                    return True
                self._take(block=True)
            try:
                given = ledger.submit([request.note for request in self._unanswered if not request.error])
            except WriterFencedError as error:
                _say(writer_lines.fenced(str(error)))
                return False
            except StoreFailedError as error:
                _say(writer_lines.store_failed(str(error)))
                time.sleep(SECONDS_BETWEEN_TRIES)
                continue
            except ClockJumpError as error:
                for request in self._unanswered:
                    _say(writer_lines.not_answered(request.id, request.error or str(error)))
                self._unanswered.clear()
                continue
            remaining = iter(given)
            for request in self._unanswered:
                if request.error:
                    _say(writer_lines.not_answered(request.id, request.error))
                else:
                    _say(writer_lines.answered(request.id, answers.answered(next(remaining))))
            self._unanswered.clear()

    def _take(self, *, block: bool) -> None:
        """Take in what has come, up to a measure; the first may be waited for."""
        while not self._ended and len(self._unanswered) < REQUESTS_AT_ONCE:
            try:
                request = self._requests.get(block=block and not self._unanswered)
            except queue.Empty:
                return
            if request is None or isinstance(request, OSError):
                self._ended, self._trouble = True, request
            else:
                self._unanswered.append(request)


def _own_input() -> IO[bytes]:
    """Return standard input under a file of its own: the interpreter closes `sys.stdin` when it ends, and waits for it.

    So a writer that ends while a thread reads there would be aborted instead.
    """
    try:
        return open(os.dup(sys.stdin.fileno()), "rb")  # noqa: PTH123 - read for as long as the process lives
    except OSError:
        return sys.stdin.buffer


def _read(lines: IO[bytes], requests: "queue.Queue[Request | OSError | None]") -> None:
    """Put every line of the input into the queue, and None at its end, or why there is no more of it."""
    number = 0
    try:
        while line := lines.readline(reading.INPUT_SIZE_MAX + 1):
            number += 1
            requests.put(_request(line, number))
            while line and not line.endswith(b"\n"):  # what remains of a line that is too long
                line = lines.readline(reading.INPUT_SIZE_MAX + 1)
    except OSError as error:  # closed, or a folder: unsaid, the writer would wait for ever
        error.filename = "standard input"
        requests.put(error)
        return
    requests.put(None)


def _request(line: bytes, number: int) -> Request:
    trouble = Request("", b"", f'line {number} is not {{"id": "...", "note": "..."}}')
    if len(line) > reading.INPUT_SIZE_MAX:
        return trouble
    try:
        value = json.loads(line)
        if value.keys() != {"id", "note"} or not isinstance(value["id"], str):
            return trouble
        return Request(value["id"], value["note"].encode())
    except (ValueError, AttributeError, RecursionError):
        return trouble


def _say(line: "JsonObject") -> None:
    output.print_json(line, indent=None)
