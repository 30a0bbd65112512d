"""A real service on a free port: in this process, from a thread, or as a process of its own."""

import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx2

from support.burning import LOG_KEY
from support.command_line import start
from tallystick.ledger import stand_by
from tallystick.ledger.clock_guard import ClockGuard
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
) -> Iterator[Running]:
    """Serve a log from a thread until the block ends."""
    place = parse_writable(source)
    follow = partial(stand_by, place, log_key, clock=clock, guard=guard, verify_processes=verify_processes)
    writing = Writing(follow)
    writing.start()
    try:
        settings = ServingSettings(log_key.name, (log_key.verifier.to_text(),), reading)
        service = ServedLog(place, settings, writing, Reads.open(place))
        metrics = Metrics(service)
        hooks = hooks_of(service, metrics, log_requests=log_requests)
        with running(create_app(service), hooks=hooks, body_limit=body_limit) as server:
            serving = Running(server.url, service, metrics)
            with serving.http:
                yield serving
    finally:
        writing.stop()


class ServingProcess(Running):
    """`tallystick serve` as a process of its own, on a free port; it has said its URL."""

    def __init__(self, source: object, *options: object, program: tuple[str, ...] = ()) -> None:
        self.process = start("serve", source, "--port", "0", *options, program=program)
        assert self.process.stdout is not None
        line = self.process.stdout.readline().strip()
        if not re.fullmatch(r"http://\S+:\d+", line):
            self.process.kill()
            raise AssertionError(f"no service: {line!r} {self.process.communicate()}")
        super().__init__(line)

    def end(self, how: int = signal.SIGTERM, timeout_seconds: float = 15) -> int:
        """Send a signal, and return the exit status."""
        self.process.send_signal(how)
        self.process.communicate(timeout=timeout_seconds)
        return self.process.returncode

    def close(self) -> None:
        """Kill it, if it is still there."""
        self.http.close()
        if self.process.poll() is None:
            self.process.kill()
        try:
            self.process.communicate(timeout=15)
        except ValueError:  # its pipes were closed
            self.process.wait()

    def __enter__(self) -> "ServingProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
