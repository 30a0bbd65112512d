"""Signatures are verified and leaves hashed in processes beside the replay; answers come in the order of the questions.

Threads don't help: a replay that is busy keeps the interpreter's lock from them. Nothing depends on the processes:
what one that died didn't answer is computed here. They see the very bytes that are replayed, not a second reading of
a store that might have changed.
"""

import fcntl
import os
import subprocess
import sys
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Final, Self, cast

from tallystick.audit import verifier_process
from tallystick.audit.verifier_process import Answer, Batch

BATCHES_AHEAD: Final = 4
"""How many batches each process is given at a time: one to work on, the others in the pipe, so none waits.

Giving may block while the pipe is full, but never for good: answers are small, so a process never waits to write.
"""

_PIPE_SIZE: Final = 2**20


class Verifiers:
    """Some processes, or none: then everything is computed when it is asked for."""

    def __init__(self, processes: int) -> None:
        self._workers: list[subprocess.Popen[bytes]] = []
        self._asked: deque[tuple[subprocess.Popen[bytes] | None, Batch]] = deque()
        self._turn = 0
        try:
            for _ in range(processes):
                self._workers.append(_start())
        except OSError:
            self._end()  # a machine that gives no processes still gets an audit

    @property
    def capacity(self) -> int:
        """How many batches may be asked before the first answer is taken."""
        return max(1, len(self._workers) * BATCHES_AHEAD)

    def ask(self, batch: Batch) -> None:
        """Give a batch to the process whose turn it is."""
        worker = None
        if self._workers:
            worker = self._workers[self._turn % len(self._workers)]
            self._turn += 1
            try:
                assert worker.stdin is not None
                verifier_process.send(worker.stdin, batch)  # type: ignore[arg-type]
            except OSError:
                worker = None
        self._asked.append((worker, batch))

    def take(self) -> Answer:
        """Return the answer to the oldest batch not yet taken."""
        worker, batch = self._asked.popleft()
        if worker is not None:
            try:
                assert worker.stdout is not None
                return cast(Answer, verifier_process.receive(worker.stdout))  # type: ignore[arg-type]
            except (OSError, EOFError):
                pass
        return verifier_process.answer(batch)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        for worker in self._workers:
            worker.kill()
        for worker in self._workers:
            for pipe in (worker.stdin, worker.stdout):
                if pipe is not None:
                    try:
                        pipe.close()
                    except OSError:
                        continue  # it had something left to write for a process that is gone
            worker.wait()
        self._workers = []


def default_processes() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _start() -> subprocess.Popen[bytes]:
    script = Path(verifier_process.__file__)
    if not sys.executable:
        raise OSError("no interpreter to start")
    # The child finds the same modules as this process, wherever they came from.
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    # A process group of its own: Ctrl-C on a terminal reaches the auditor alone; the worker ends with its input.
    worker = subprocess.Popen(  # noqa: S603 - our own interpreter and script
        [sys.executable, "-P", str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        process_group=0,
    )
    for pipe in (worker.stdin, worker.stdout):
        if pipe is not None and hasattr(fcntl, "F_SETPIPE_SZ"):
            try:
                # A batch fits in, so that giving one doesn't wait for the batch before it.
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)
            except OSError:
                break  # smaller pipes are slower, and as good
    return worker
