"""Some services of which one writes and the others stand by; one that dies is started again, at the same port."""

import contextlib
import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

PROGRAM = Path(__file__).with_name("serve_until_fate.py")


@dataclass(slots=True)
class Replica:
    """One life of a service.

    Attributes:
        name: of this life; the next one has another.
        database_url: the database's, as it was told.
        url: where it answers; the next life answers there too.
        says: what it said last.
        said: all that it said, with the time (monotonic, s).
    """

    name: str
    database_url: str
    url: str
    process: subprocess.Popen[str]
    says: str = "starting"
    said: list[tuple[float, str]] = field(default_factory=list)


class Replicas:
    """The services; one thread each reads what it says, and starts it again when it dies."""

    def __init__(self, database_urls: Sequence[str]) -> None:
        self._begin = time.monotonic_ns()
        self._changed = threading.Condition()
        self._closing = False
        self._numbers = itertools.count(1)
        self.living: list[Replica] = []
        self.deaths: list[Replica] = []
        places = list(zip(database_urls, free_ports(len(database_urls)), strict=True))
        self.urls = [_url(port) for _, port in places]
        self._threads = [threading.Thread(target=self._keep_alive, args=place, daemon=True) for place in places]
        for thread in self._threads:
            thread.start()

    def standing_by(self, count: int = 1, seconds: float = 60.0) -> list[Replica]:
        """Return the services in waiting, when there are so many."""

        def found() -> list[Replica]:
            return [service for service in self.living if service.says == "standing_by"]

        with self._changed:
            if not self._changed.wait_for(lambda: len(found()) >= count, seconds):
                raise TimeoutError(f"too few stand by: {[(service.name, service.says) for service in self.living]}")
            return found()

    def arm(self, service: Replica, what: str, die_at: int) -> float:
        """Tell a service at which step of its next `submit` or `take-over` to die, and return when that was."""
        since = time.monotonic()
        assert service.process.stdin is not None
        service.process.stdin.write(f"{what} {die_at}\n")
        service.process.stdin.flush()
        return since

    def await_fate(self, service: Replica, since: float, seconds: float = 30.0) -> tuple[float, str]:
        """Return when and how the fate of a service that was armed then ended: `died …` or `survived`."""

        def last_words() -> list[tuple[float, str]]:
            return [said for said in service.said if said[0] > since and said[1].startswith(("died", "survived"))]

        with self._changed:
            if not self._changed.wait_for(last_words, seconds):
                raise TimeoutError(f"{service.name} neither died nor survived: {service.said}")
            return last_words()[-1]

    def writing_at(self, url: str) -> str:
        """Return the name of the life that writes at a URL; empty if none does."""
        with self._changed:
            return next((one.name for one in self.living if one.url == url and one.says == "writing"), "")

    def kill(self, service: Replica) -> None:
        """Kill -9."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(service.process.pid, signal.SIGKILL)

    def close(self) -> None:
        """Kill all, for good."""
        with self._changed:
            self._closing = True
            for service in self.living:
                self.kill(service)
        for thread in self._threads:
            thread.join()

    def _keep_alive(self, database_url: str, port: int) -> None:
        while True:
            with self._changed:
                if self._closing:
                    return
                service = self._start(database_url, port)
                self.living.append(service)
            assert service.process.stdout is not None
            with service.process:
                for line in service.process.stdout:
                    with self._changed:
                        word = line.strip()
                        service.said.append((time.monotonic(), word))
                        if not word.startswith(("died", "survived")):
                            service.says = word
                        self._changed.notify_all()
                service.process.wait()
            with self._changed:
                service.says = "dead"
                self.living.remove(service)
                self.deaths.append(service)
                self._changed.notify_all()

    def _start(self, database_url: str, port: int) -> Replica:
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        process = subprocess.Popen(
            [sys.executable, PROGRAM, database_url, str(port), str(self._begin)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        return Replica(f"s{next(self._numbers)}", database_url, _url(port), process)


def free_ports(count: int) -> list[int]:
    """Return ports that nothing listens at."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


def _url(port: int) -> str:
    return f"http://127.0.0.1:{port}"
