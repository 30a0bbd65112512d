"""Logs are audited several at a time, each by a process of its own that writes down what the log used in a file.

start    by running `log_process.py`, as the verifying processes are (verifying/pool.py): no process is forked from one
         with threads, and no main module runs again
answers  the outcome, or the error that ended the audit, which then ends all
dies     that ends all too, and says nothing about the log
Ctrl-C   a process is in a group of its own and ignores it; all are killed
"""

import pickle
import subprocess
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from tallystick.audit import log_process
from tallystick.audit.one_of_several import LogOrder, LogOutcome
from tallystick.audit.uses import Uses
from tallystick.errors import SourceUnreadableError
from tallystick.verifying.process import receive, send
from tallystick.verifying.script_process import end_script, start_script


def audit_apart(
    orders: Sequence[LogOrder], uses: Uses, workers: int, is_done: Callable[[LogOrder], None]
) -> list[LogOutcome]:
    """Audit logs, so many at a time, and write down what they used.

    Args:
        orders: which logs.
        uses: where what they used is written down.
        workers: how many at a time.
        is_done: called for each that is.

    Raises:
        SourceUnreadableError: a process died, or there is no room.
        UsageError, NotALedgerError, EditionUnknownError, LedgerError, ModuleNotFoundError, OSError: as of an audit.
    """
    outcomes: dict[int, LogOutcome] = {}
    with (
        TemporaryDirectory(prefix="tallystick-") as folder,
        _Processes() as processes,
        ThreadPoolExecutor(workers, thread_name_prefix="tallystick logs") as threads,
    ):
        try:
            asked = {threads.submit(processes.audit, order, _file(folder, order)): order for order in orders}
            for answered in as_completed(asked):
                order = asked[answered]
                outcomes[order.place] = answered.result()
                uses.take_from(_file(folder, order))
                is_done(order)
        except BaseException:  # the others are of no use any more
            processes.close()
            threads.shutdown(wait=False, cancel_futures=True)
            raise
    return [outcomes[order.place] for order in orders]


def _file(folder: str, order: LogOrder) -> Path:
    return Path(folder) / f"{order.place}.db"


class _Processes:
    """The processes that run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._is_closed = False

    def __enter__(self) -> "_Processes":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Kill them, and start no more."""
        with self._lock:
            self._is_closed = True
            for process in self._running:
                process.kill()

    def audit(self, order: LogOrder, file: Path) -> LogOutcome:
        """Have a process audit a log, and wait.

        Raises:
            SourceUnreadableError: the process is gone.
        """
        process = self._start()
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            send(process.stdin, (order, file))
            answer = receive(process.stdout)
        except (OSError, EOFError, pickle.UnpicklingError):
            raise SourceUnreadableError(
                f"{order.source}: the process that audited it is gone; with fewer workers each has more memory"
            ) from None
        finally:
            self._end(process)
        if isinstance(answer, Exception):
            raise answer
        return cast(LogOutcome, answer)

    def _start(self) -> "subprocess.Popen[bytes]":
        with self._lock:
            if self._is_closed:
                raise SourceUnreadableError("no more logs are audited")
            process = start_script(log_process.__file__)
            self._running.add(process)
            return process

    def _end(self, process: "subprocess.Popen[bytes]") -> None:
        end_script(process)
        with self._lock:
            self._running.discard(process)
