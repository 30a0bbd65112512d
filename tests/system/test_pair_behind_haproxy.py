"""Two services of one log behind HAProxy: one writes, the other stands by and takes over."""

import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx2
import pytest

from support.command_line import ORIGIN, Desk, done
from support.fresh_clone import ROOT
from support.postgres import free_port
from support.serving import NOTE, ServingProcess

pytestmark = pytest.mark.system

CONFIGURATION = ROOT / "deploy" / "haproxy" / "haproxy.cfg"
SECONDS_MAX = 60


@contextmanager
def haproxy(folder: Path, *services: ServingProcess) -> Iterator[str]:
    """Run HAProxy as the file says, but for the ports; give its URL."""
    port = free_port()
    ports = [8470, 8473, 8475]
    text = CONFIGURATION.read_text()
    assert sorted({int(shown) for shown in re.findall(r":(84\d\d)\b", text)}) == ports
    for shown, real in zip(ports, [port, *[one.url.rpartition(":")[2] for one in services]], strict=True):
        text = text.replace(f"127.0.0.1:{shown}", f"127.0.0.1:{real}")
    path = folder / "haproxy.cfg"
    path.write_text(text)
    process = subprocess.Popen(["haproxy", "-db", "-f", path], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate(timeout=SECONDS_MAX)


def answered(asked: httpx2.Client, path: str, note: bytes | None = None) -> httpx2.Response:
    """Ask, or POST a note, until the answer is another than that nobody can answer now, as every client does."""
    deadline = time.monotonic() + SECONDS_MAX
    while True:
        said = "no answer"
        with suppress(httpx2.TransportError):
            answer = asked.get(path) if note is None else asked.post(path, content=note, headers=NOTE)
            if answer.status_code != 503:
                return answer
            said = answer.text
        assert time.monotonic() < deadline, said
        time.sleep(0.05)


def test_the_file_is_one_that_haproxy_reads() -> None:
    """Without a word about it."""
    ran = subprocess.run(["haproxy", "-c", "-q", "-f", CONFIGURATION], check=False, capture_output=True, text=True)
    assert (ran.returncode, ran.stdout + ran.stderr) == (0, "")


def test_the_standby_answers_reads_and_takes_over(tmp_path: Path) -> None:
    """The first is killed: reads go on, the same note is answered again, and the log goes on under one address."""
    desk = Desk(tmp_path)
    desk.found()
    fields = {"item": "ascend-910b", "unit": "gpu_time", "name": "Ascend 910B", "origin": "domestic"}
    first = desk.sign("item.register", "national", signers=(), **fields).read_bytes()
    second = desk.sign("item.register", "national", signers=(), **fields | {"item": "h20"}).read_bytes()
    options = ("--log-time", desk.at, "--reading", "open")
    with ServingProcess(desk.ledger, *options) as a, ServingProcess(desk.ledger, *options) as b:
        assert a.http.get("/livez").status_code == b.http.get("/livez").status_code == 200
        with haproxy(tmp_path, a, b) as url, httpx2.Client(base_url=url, timeout=SECONDS_MAX) as asked:
            assert answered(asked, "/readyz").json()["status"] == "writing"
            assert b.http.get("/readyz").status_code == 503
            assert b.post(first).status_code == 503, "a standby takes no note, and sends it nowhere"
            answer = answered(asked, "/v1/entries", first)
            assert answer.status_code == 201, answer.text
            assert asked.get("/metrics").status_code == 404

            a.process.kill()
            assert answered(asked, "/checkpoint").text.startswith(f"{ORIGIN}\n")
            again = answered(asked, "/v1/entries", first)
            assert (again.status_code, again.json()["is_new"]) == (200, False)
            assert answered(asked, "/v1/entries", second).status_code == 201
        assert b.end() == 0
    assert done("audit", desk.ledger, "--trust", desk.policy)
