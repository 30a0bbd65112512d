"""A Dask scheduler and workers of one thread each on this machine, as somebody starts them by hand."""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from pathlib import Path

from tallystick.audit.segments import SegmentWorkers


def missing() -> str | None:
    """Return why there is none."""
    return None if find_spec("distributed") else "dask.distributed isn't installed"


def dask_workers(address: str) -> AbstractContextManager[SegmentWorkers]:
    """Return what has segments audited by the workers of a scheduler."""
    from tallystick.audit.dask_workers import DaskWorkers  # noqa: PLC0415 - an extra

    return DaskWorkers(address)


class _Process:
    """A scheduler or a worker, which is there once it has said so."""

    def __init__(self, *words: str, says: str) -> None:
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "dask", *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        assert self.popen.stderr is not None
        said = []
        for line in self.popen.stderr:
            said.append(line)
            found = re.search(says, line)
            if found:
                self.said = found[1]
                break
        else:
            raise RuntimeError(f"dask {words[0]} ended: {''.join(said)[-2_000:]}")
        self._rest = threading.Thread(target=self.popen.stderr.read, daemon=True)  # or its pipe would fill
        self._rest.start()

    def end(self) -> None:
        self.popen.kill()
        self.popen.wait()
        self._rest.join()
        assert self.popen.stderr is not None
        self.popen.stderr.close()


class Cluster:
    """A scheduler and its workers.

    Attributes:
        address: the scheduler's.
    """

    def __init__(self, folder: Path, workers: int) -> None:
        """Start it; workers keep what they must in a folder."""
        self._scheduler = _Process(
            "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", says=r"at:\s+(tcp:\S+)"
        )
        self.address = self._scheduler.said
        options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(folder))
        self._workers = [
            _Process("worker", self.address, *options, says=r"Registered to:\s+(\S+)") for _ in range(workers)
        ]

    def kill_worker(self) -> None:
        """Kill one worker, as a lost machine would be."""
        self._workers[0].popen.kill()

    def used(self) -> list[tuple[float, float]]:
        """Return CPU seconds and the most memory (10⁶ bytes) of each worker that is there."""
        return [_used(one.popen.pid) for one in self._workers if one.popen.poll() is None]

    def end(self) -> None:
        """End all of them."""
        for process in (*self._workers, self._scheduler):
            process.end()


def _used(pid: int) -> tuple[float, float]:
    status = Path(f"/proc/{pid}/status").read_text()
    (kilobytes,) = re.findall(r"VmHWM:\s+(\d+) kB", status)
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100, int(kilobytes) * 1_024 / 1e6


@contextmanager
def cluster(folder: Path, workers: int) -> Iterator[Cluster]:
    """Run a scheduler and workers until the block ends."""
    running = Cluster(folder, workers)
    try:
        yield running
    finally:
        running.end()
