"""A scheduler and workers of Dask as one starts them by hand, on loopback over TLS; each is there once it says so."""

import re
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from support.command_line import start
from support.tls import self_signed


class DaskProcess:
    """One of these processes, with what it said until it was there."""

    def __init__(self, *arguments: str, until: str, env_more: Mapping[str, str] | None = None) -> None:
        """Start it, and wait for a line that matches `until`."""
        self._process = start(*arguments, program=("-m", "dask"), env_more=env_more, stdout=subprocess.DEVNULL)
        assert self._process.stderr is not None
        said = []
        for line in self._process.stderr:
            said.append(line)
            found = re.search(until, line)
            if found:
                self.found = found[1]
                break
        else:
            raise AssertionError("".join(said))
        self._rest = threading.Thread(target=self._process.stderr.read)  # or it would wait for somebody to read
        self._rest.start()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def kill(self) -> None:
        """End it as a lost machine would, and wait."""
        self._process.kill()
        self._process.wait()
        self._rest.join()
        assert self._process.stderr is not None
        self._process.stderr.close()


def with_certificates(folder: Path) -> dict[str, str]:
    """Settings of Dask: one certificate for all three sides, which is its own authority."""
    pem = str(self_signed(folder))
    sides = [f"{side}__{what}" for side in ("SCHEDULER", "WORKER", "CLIENT") for what in ("CERT", "KEY")]
    return dict.fromkeys([f"DASK_DISTRIBUTED__COMM__TLS__{name}" for name in ("CA_FILE", *sides)], pem)


class DaskCluster:
    """A scheduler; workers are added."""

    def __init__(self, folder: Path) -> None:
        """Start the scheduler; workers keep what they must in a folder."""
        self._folder = folder
        self.settings = with_certificates(folder)
        options = ("--protocol", "tls", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        self._scheduler = DaskProcess("scheduler", *options, until=r"at:\s+(tls:\S+)", env_more=self.settings)
        self._workers: list[DaskProcess] = []

    @property
    def address(self) -> str:
        """The scheduler's."""
        return self._scheduler.found

    def add_worker(self, env_more: Mapping[str, str] | None = None) -> DaskProcess:
        """Start a worker of one thread, and wait until the scheduler has it."""
        options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--local-directory", str(self._folder))
        worker = DaskProcess(
            "worker",
            self.address,
            *options,
            until=r"Registered to:\s+(\S+)",
            env_more={**self.settings, **(env_more or {})},
        )
        self._workers.append(worker)
        return worker

    def kill_scheduler(self) -> None:
        """End the scheduler as a lost machine would."""
        self._scheduler.kill()

    def close(self) -> None:
        """End what still runs."""
        for process in (*self._workers, self._scheduler):
            process.kill()


@contextmanager
def dask_cluster(folder: Path) -> Iterator[DaskCluster]:
    """A scheduler until the block ends."""
    cluster = DaskCluster(folder)
    try:
        yield cluster
    finally:
        cluster.close()
