"""The service is killed at any moment, under load: what it answered is there, once, and clients just go on.

A program that has imported all there is forks for each service, so that 200 kills take minutes.
"""

import hashlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from support.burning import LOG_KEY, NOW, Clock, burn_note, founding_notes
from support.postgres import fresh_database
from support.schedules import schedule
from tallystick import keyfiles
from tallystick.audit import audit
from tallystick.ledger import create_ledger
from tallystick.publishing import read_ledger
from tallystick.transparency.policy import Policy
from tallystick.vouchers.quantities import format_instant

KILLS = int(os.environ.get("TALLYSTICK_KILLS", schedule(3, 100)))
"""Of each store, so that the long schedule has 200."""
CLIENTS = 8
FORKING = """
import os, sys
import tallystick.cli.serve, tallystick.cli.moments, tallystick.ledger.opening, tallystick.web.serving_log
import tallystick.ledger.postgres
from tallystick.cli import main
for line in sys.stdin:
    pid = os.fork()
    if not pid:
        os._exit(main(["serve", *line.split()]))
    print(pid, flush=True)
    _, status = os.waitpid(pid, 0)
    print("ended", os.waitstatus_to_exitcode(status), flush=True)
"""


class Forked:
    """Starts services one after another, and kills them."""

    def __init__(self, *options: object) -> None:
        self._options = " ".join(map(str, options))
        source = str(Path(__file__).resolve().parents[2] / "src")
        environment = os.environ | {"PYTHONPATH": source}
        pipe = subprocess.PIPE
        self._program = subprocess.Popen(
            [sys.executable, "-c", FORKING],
            stdin=pipe,
            stdout=pipe,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        self._pid = 0

    def start(self) -> str:
        """Start a service and return its URL."""
        assert self._program.stdin is not None
        self._program.stdin.write(f"{self._options}\n")
        self._program.stdin.flush()
        told = {self._line(), self._line()}  # the service may be the quicker one
        (url,) = [line for line in told if line.startswith("http")]
        (pid,) = told - {url}
        self._pid = int(pid)
        return url

    def end(self, how: signal.Signals) -> int:
        """Send the service a signal, wait until it is gone, and return its status."""
        os.kill(self._pid, how)
        ended, status = self._line().split()
        assert ended == "ended"
        return int(status)

    def _line(self) -> str:
        assert self._program.stdout is not None
        return self._program.stdout.readline().strip()

    def close(self) -> None:
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.close()
        self._program.kill()
        self._program.wait()
        self._program.stdout.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    source = str(tmp_path / "ledger") if request.param == "sqlite" else fresh_database()
    genesis, *rest = founding_notes()
    with create_ledger(source, genesis, LOG_KEY, clock=Clock()) as ledger:
        ledger.submit(rest)
    return source


@pytest.fixture
def services(source: str, tmp_path: Path) -> Iterator[Forked]:
    keyfiles.create(tmp_path / "log.pem", LOG_KEY.name, None, unencrypted=True, seed=seed_of(LOG_KEY.name))
    options = ("--log-key", tmp_path / "log.pem", "--log-time", format_instant(NOW), "--processes", 0)
    services = Forked(source, "--port", 0, *options)
    yield services
    services.close()


def seed_of(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()


class Client:
    """Sends notes one by one; a note without an answer is the first that it sends to the next service."""

    def __init__(self, name: int) -> None:
        self.name = name
        self.sent = 0
        self.answered: dict[str, int] = {}
        self.twice = 0
        self._unanswered: tuple[str, bytes] | None = None

    def run(self, url: str, enough: threading.Event, count: int) -> None:
        """Send until the service is gone, and say when there were answers enough."""
        with httpx2.Client(base_url=url, timeout=30) as http:
            while True:
                ref, note = self._unanswered or self._next()
                self._unanswered = (ref, note)
                try:
                    answer = http.post("/v1/entries", content=note)
                except httpx2.TransportError:
                    return
                if answer.status_code == 503:
                    assert answer.json()["transient"]
                    continue
                assert answer.status_code in (200, 201), answer.text
                self.twice += answer.status_code == 200
                self.answered[ref] = answer.json()["index"]
                self._unanswered = None
                if len(self.answered) >= count:
                    enough.set()

    def _next(self) -> tuple[str, bytes]:
        self.sent += 1
        ref = f"{self.name}-{self.sent}"
        return ref, burn_note(ref)


@pytest.mark.long
def test_what_was_answered_survives_kill_9_under_load(source: str, services: Forked) -> None:
    chance = random.Random(1)
    clients = [Client(name) for name in range(CLIENTS)]
    for _ in range(KILLS):
        run(clients, services, signal.SIGKILL, chance.randint(1, 20))
    run(clients, services, signal.SIGTERM, 1)
    answered = {ref: index for client in clients for ref, index in client.answered.items()}
    with read_ledger(source) as reader:
        refs = [reader.parsed_entry(index).event.command.ref for index in range(11, reader.size)]
        found = reader.find_references([("provider", ref) for ref in answered])
    assert {ref: found["provider", ref] for ref in answered} == answered
    assert len(set(refs)) == len(refs)
    assert set(refs) == set(answered)  # what a drain took it answered, and what a kill cut off was sent again
    assert audit(source, Policy.for_log(LOG_KEY.verifier), processes=1).verdict == "clean"


def run(clients: list[Client], services: Forked, how: signal.Signals, more: int) -> None:
    """Let clients send to a service until one of them has so many answers more, and kill it.

    One that is to end in order is told when all of them have: what the service before it kept was then sent again.
    """
    url, enough = services.start(), [threading.Event() for _ in clients]
    if how is signal.SIGKILL:
        enough = enough[:1] * len(clients)
    threads = [
        threading.Thread(target=client.run, args=(url, event, len(client.answered) + more))
        for client, event in zip(clients, enough, strict=True)
    ]
    for thread in threads:
        thread.start()
    assert all(event.wait(60) for event in enough)
    began = time.monotonic()
    assert services.end(how) == (0 if how is signal.SIGTERM else -how)
    assert time.monotonic() - began < 10
    for thread in threads:
        thread.join()
