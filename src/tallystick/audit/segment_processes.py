"""Segments are audited by processes of this machine, one after another in each; one that dies is replaced.

start    by running `segment_process.py`, as the verifying processes are (verifying/pool.py): no process is forked from
         one with threads, and no main module runs again
wait     a thread for each process gives it a segment and waits for the answer
dies     who waits for its segment is told so, and submits it again; the next segment starts another process
Ctrl-C   a process is in a group of its own and ignores it; closing kills all, and one whose caller is gone ends
"""

import pickle
import subprocess
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self, cast

from tallystick.audit import segment_process
from tallystick.audit.segments import SegmentOrder, SegmentResult
from tallystick.verifying.process import receive, send
from tallystick.verifying.script_process import end_script, start_script


class SegmentProcesses:
    """Some processes, each started when it is first given a segment."""

    def __init__(self, count: int) -> None:
        """Take the number of processes."""
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="tallystick segments")
        self._own = threading.local()  # each thread's process
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._is_closed = False

    @property
    def pids(self) -> list[int]:
        """The ids of the processes that run."""
        with self._lock:
            return [process.pid for process in self._running]

    def submit(self, order: SegmentOrder) -> "Future[SegmentResult]":
        """Have a process audit a segment, after those that were submitted before."""
        return self._threads.submit(self._ask, order)

    def close(self) -> None:
        """Kill the processes, and wait until they are gone."""
        with self._lock:
            self._is_closed = True
            for process in self._running:
                process.kill()
        self._threads.shutdown(cancel_futures=True)
        for process in self._running:
            end_script(process)
        self._running.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, order: SegmentOrder) -> SegmentResult:
        """Give a segment to this thread's process, and wait.

        Raises:
            OSError: the process is gone, or the machine gives none.
        """
        process = self._process()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            send(process.stdin, order)
            return cast(SegmentResult, receive(process.stdout))
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            self._own.process = None
            with self._lock:
                self._running.discard(process)
            end_script(process)
            raise OSError(f"the process is gone ({type(error).__name__})") from None

    def _process(self) -> "subprocess.Popen[bytes]":
        process = cast("subprocess.Popen[bytes] | None", getattr(self._own, "process", None))
        if process is not None:
            return process
        with self._lock:
            if self._is_closed:
                raise OSError("no more processes are started")
            process = self._own.process = start_script(segment_process.__file__)
            self._running.add(process)
        return process
