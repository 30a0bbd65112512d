"""A real service on a free port: in this process, from a thread, or as a process of its own."""

import json
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Self

import httpx2

from support.burning import LOG_KEY
from support.command_line import start
from tallystick.ledger import stand_by
from tallystick.ledger.clock_guard import ClockGuard
from tallystick.serving.bounds import Bounds
from tallystick.serving.server import running
from tallystick.signing.keys import SigningKey
from tallystick.sources import parse_writable
from tallystick.web.application import create_app
from tallystick.web.metrics import Metrics
from tallystick.web.reads import Reads
from tallystick.web.running import Writing
from tallystick.web.served_log import ServedLog, ServingSettings
from tallystick.web.serving_log import body_limit, hooks_of

NOTE = {"Content-Type": "text/plain; charset=utf-8"}


def batch_of(notes: Sequence[bytes]) -> bytes:
    """Return notes as JSON lines."""
    return b"".join(json.dumps(note.decode()).encode() + b"\n" for note in notes)


class Running:
    """A service that answers.

    Attributes:
        url: where, without a slash at the end.
        service: its insides; None of a process.
        metrics: what it counts; None of a process.
        http: a client of it.
    """

    def __init__(self, url: str, service: ServedLog | None = None, metrics: Metrics | None = None) -> None:
        self.url = url
        self.service = service
        self.metrics = metrics
        self.http = httpx2.Client(base_url=url, timeout=30)

    def post(self, note: bytes, path: str = "/v1/entries", **headers: str) -> httpx2.Response:
        """POST a note."""
        return self.http.post(path, content=note, headers=NOTE | headers)

    def post_batch(self, notes: Sequence[bytes], path: str = "/v1/entries:batch") -> list[dict[str, Any]]:
        """POST notes together, and return the answers."""
        answer = self.http.post(path, content=batch_of(notes), headers={"Content-Type": "application/jsonl"})
        assert answer.status_code == 200, answer.text
        return [json.loads(line) for line in answer.text.splitlines()]


@contextmanager
def service_in_thread(
    source: Path | str,
    log_key: SigningKey = LOG_KEY,
    *,
    clock: Callable[[], int],
    reading: str = "open",
    guard: ClockGuard | None = None,
    verify_processes: int = 0,
    log_requests: bool = False,
    tell_seconds: float = 0.0,
    bounds: Bounds | None = None,
    proxies: tuple[str, ...] = (),
) -> Iterator[Running]:
    """Serve a log from a thread until the block ends."""
    place = parse_writable(source)
    follow = partial(stand_by, place, log_key, clock=clock, guard=guard, verify_processes=verify_processes)
    writing = Writing(follow)
    writing.start()
    try:
        settings = ServingSettings(log_key.name, (log_key.verifier.to_text(),), reading)
        service = ServedLog(place, settings, writing, Reads.open(place), clock)
        metrics = Metrics(service)
        hooks = hooks_of(service, metrics, log_requests=log_requests, tell_seconds=tell_seconds)
        app = create_app(service)
        with running(app, hooks=hooks, body_limit=body_limit, bounds=bounds, trusted_proxies=proxies) as server:
            serving = Running(server.url, service, metrics)
            with serving.http:
                yield serving
    finally:
        writing.stop()


class ServingProcess(Running):
    """`tallystick serve` as a process of its own, on a free port; it has said its URL.

    Attributes:
        process: it.
        logged: the objects that it has logged so far.
    """

    def __init__(self, source: object, *options: object, program: tuple[str, ...] = ()) -> None:
        self.process = start("serve", source, "--port", "0", *options, program=program)
        self.logged: list[dict[str, Any]] = []
        self._told = threading.Condition()
        self._complaints: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        assert self.process.stdout is not None
        line = self.process.stdout.readline().strip()
        super().__init__(line if line.startswith("http") else "http://none")
        if not line.startswith("http"):
            self.close()
            raise AssertionError(f"no service, but {line!r}: {self._complaints}")

    def wait_for(self, event: str, times: int = 1) -> dict[str, Any]:
        """Wait until it has logged an event so many times, and return the last of these."""

        def found() -> list[dict[str, Any]]:
            return [one for one in self.logged if one["event"] == event]

        with self._told:
            is_told = self._told.wait_for(lambda: len(found()) >= times, timeout=60)
            assert is_told, (event, self.logged, self._complaints)
            return found()[times - 1]

    def wait_for_complaint(self, words: str) -> str:
        """Wait until it has said something on standard error that isn't of its log, and return the line."""

        def found() -> list[str]:
            return [line for line in self._complaints if line.startswith(words)]

        with self._told:
            assert self._told.wait_for(lambda: bool(found()), timeout=60), (words, self.logged, self._complaints)
            return found()[0]

    def end(self, how: int = signal.SIGTERM, timeout_seconds: float = 15) -> int:
        """Send a signal, and return the exit status."""
        self.process.send_signal(how)
        self.process.wait(timeout_seconds)
        self._reader.join()
        return self.process.returncode

    def close(self) -> None:
        """Kill it, if it is still there."""
        self.http.close()
        self.process.kill()
        self.process.wait()
        self._reader.join()
        for pipe in (self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._told:
                if line.startswith("{"):
                    self.logged.append(json.loads(line))
                else:
                    self._complaints.append(line)
                self._told.notify_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
