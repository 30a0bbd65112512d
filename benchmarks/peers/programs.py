"""Programs that run beside the bench: started on a free port, always stopped, and their time on a core counted."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

BENCHMARKS: Final = Path(__file__).resolve().parents[1]
STARTS_WITHIN: Final = 60.0
"""Seconds after which a server that takes no connections is given up."""
STOPS_WITHIN: Final = 20.0
"""Seconds after which one that doesn't stop is killed."""


def cpu_seconds_of(process: int) -> float:
    """Return the processor time of a running process, with all its threads, to the nanosecond (Linux)."""
    return time.clock_gettime(~process << 3 | 2)


def free_port() -> int:
    """Return a port on loopback that nothing listens on now."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@contextmanager
def serving(words: Sequence[str], port: int) -> Iterator[int]:
    """Run a server until the block ends, and give its process once it takes connections.

    Raises:
        RuntimeError: it ended, or takes none.
    """
    server = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        _await_connections(server, port)
        yield server.pid
    finally:
        server.terminate()
        try:
            server.wait(STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def _await_connections(server: "subprocess.Popen[bytes]", port: int) -> None:
    until = time.monotonic() + STARTS_WITHIN
    while server.poll() is None and time.monotonic() < until:
        with socket.socket() as trying:
            if trying.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError(f"{server.args!r} takes no connections")


def told_by(words: Sequence[str]) -> dict[str, float]:
    """Run a program to its end, and return the figures that its last line of JSON tells.

    Raises:
        RuntimeError: it failed.
    """
    environment = {**os.environ, "PYTHONPATH": str(BENCHMARKS)}
    ran = subprocess.run(words, check=False, capture_output=True, text=True, env=environment)
    if ran.returncode != 0:
        raise RuntimeError(f"{' '.join(words)} ended with status {ran.returncode}: {ran.stderr[-2_000:]}")
    figures: dict[str, float] = json.loads(ran.stdout.rstrip("\n").rpartition("\n")[2])
    return figures


def cpu_seconds_to_run(words: Sequence[str], output: Path) -> float:
    """Run a program to its end, its standard output into a file, and return its time on a core, its start included.

    Raises:
        RuntimeError: it failed.
    """
    with output.open("wb") as out:
        child = subprocess.Popen(words, stdout=out, stderr=subprocess.PIPE)
        assert child.stderr is not None
        complaint = child.stderr.read()
        child.stderr.close()
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise RuntimeError(f"{' '.join(words)} ended with status {child.returncode}: {complaint.decode()[-2_000:]}")
    return used.ru_utime + used.ru_stime


def tell(figures: dict[str, float]) -> None:
    """Write figures as `told_by` reads them."""
    sys.stdout.write(f"\n{json.dumps(figures)}\n")
