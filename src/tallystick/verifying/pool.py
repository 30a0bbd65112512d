"""Batches are given to processes in turn, from any thread; answers are asked for whenever they are needed.

give     the caller's thread writes the batch to a process. It may wait while the pipe is full, and never for good:
a thread for each process takes in its answers, so a process never waits to write.
dies     what a process owed is computed by the one who asks, and the next batch starts another process
Ctrl-C   a process is in a group of its own and ignores it. What was half given when it came spoils what that
process reads next, so it is killed.
start    by running a script: no process is forked from one with threads, and no main module runs again
"""

import fcntl
import os
import subprocess
import threading
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from typing import Final, Self, cast

from tallystick.verifying import process
from tallystick.verifying.process import Batch, BatchResult
from tallystick.verifying.script_process import end_script, start_script

BATCHES_AHEAD: Final = 4
"""How many batches each process may be given before an answer is taken: one to work on, the others in the pipe."""

_PIPE_SIZE: Final = 2**20


class Pending:
    """The result of a batch, when there is one."""

    def __init__(self, batch: Batch, given: "Future[BatchResult] | None" = None) -> None:
        """Take the batch, and what a process will answer; None if it was given to none."""
        self._batch = batch
        self._given = given

    def result(self) -> BatchResult:
        """Wait for the process, and return its result; computed here if it has none."""
        if self._given is not None:
            with suppress(OSError):
                return self._given.result()
        return process.result_of(self._batch)


class VerificationPool:
    """Some processes, each started when it is first given something; or none: then each answer is computed here."""

    def __init__(self, processes: int) -> None:
        """Take the number of processes."""
        self._workers: list[_Worker | None] = [None] * processes
        self._turn = 0
        self._is_closed = False
        self._lock = threading.Lock()

    @property
    def capacity(self) -> int:
        """How many batches may be given before the first answer is taken, so that no process waits."""
        return max(1, len(self._workers) * BATCHES_AHEAD)

    def submit(self, batch: Batch) -> Pending:
        """Give a batch to the process whose turn it is; a machine that gives none still gets its answers."""
        try:
            worker = self._next()
            return Pending(batch, None if worker is None else worker.give(batch))
        except OSError:
            return Pending(batch)

    def close(self) -> None:
        """End the processes; what they owe is computed by those who ask."""
        with self._lock:
            self._is_closed = True
            workers = [worker for worker in self._workers if worker is not None]
            self._workers = [None] * len(self._workers)
        for worker in workers:
            worker.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _next(self) -> "_Worker | None":
        """Return the process whose turn it is, a new one in the place of one that died.

        Raises:
            OSError: the machine gives none.
        """
        with self._lock:  # two callers must not start two
            if self._is_closed or not self._workers:
                return None
            place = self._turn % len(self._workers)
            self._turn += 1
            worker = self._workers[place]
            if worker is None or worker.is_gone:
                self._workers[place] = None
                if worker is not None:
                    worker.end()
                worker = self._workers[place] = _Worker()
            return worker


class _Worker:
    """One process, and the thread that takes in its answers, which come in the order of the batches."""

    def __init__(self) -> None:
        self._process = _start()
        self._owed: deque[Future[BatchResult]] = deque()
        self._giving = threading.Lock()
        self._reader = threading.Thread(target=self._take_in, name="tallystick verification", daemon=True)
        self.is_gone = False
        try:
            self._reader.start()
        except RuntimeError as error:
            self._close()
            raise OSError(str(error)) from None

    def give(self, batch: Batch) -> "Future[BatchResult]":
        """Give it a batch.

        Raises:
            OSError: it is gone.
        """
        assert self._process.stdin is not None
        future: Future[BatchResult] = Future()
        with self._giving:
            if self.is_gone:
                raise OSError("the process is gone")
            try:
                self._owed.append(future)
                process.send(self._process.stdin, batch)
            except BaseException:
                self.is_gone = True
                self._process.kill()  # it has read half of something
                raise
        return future

    def end(self) -> None:
        """Kill it, and wait until it is gone."""
        self._process.kill()
        self._reader.join()
        self._close()

    def _take_in(self) -> None:
        """Hand on its answers until it is gone; then say of what it owed that nothing comes."""
        assert self._process.stdout is not None
        with suppress(Exception):  # whatever it wrote last, it is of no more use
            while True:
                answer = cast(BatchResult, process.receive(self._process.stdout))
                self._owed.popleft().set_result(answer)
        self._process.kill()  # one that can't be understood would go on reading
        with self._giving:
            self.is_gone = True
        while self._owed:
            self._owed.popleft().set_exception(OSError("the process is gone"))

    def _close(self) -> None:
        end_script(self._process)


def default_processes() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _start() -> "subprocess.Popen[bytes]":
    worker = start_script(process.__file__)  # it ends with its input
    for pipe in (worker.stdin, worker.stdout):
        if pipe is not None and hasattr(fcntl, "F_SETPIPE_SZ"):
            try:
                # A batch fits in, so that giving one doesn't wait for the batch before it.
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)
            except OSError:
                break  # smaller pipes are slower, and as good
    return worker
