"""The service as an operator starts it: a process that writes, stands by, takes over and ends in order."""

import hashlib
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.burning import LOG_KEY, NOW, Clock, burn_note, founding_notes
from support.command_line import failed
from support.postgres import fresh_database
from support.serving import ServingProcess
from tallystick import keyfiles
from tallystick.ledger import create_ledger
from tallystick.publishing import read_ledger
from tallystick.vouchers.quantities import format_instant

AT = format_instant(NOW)


@pytest.fixture(params=["sqlite", "postgresql"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    source = str(tmp_path / "ledger") if request.param == "sqlite" else fresh_database()
    genesis, *rest = founding_notes()
    with create_ledger(source, genesis, LOG_KEY, clock=Clock()) as ledger:
        ledger.submit(rest)
    return source


@pytest.fixture
def log_key(tmp_path: Path) -> Path:
    path = tmp_path / "log.pem"
    keyfiles.create(path, LOG_KEY.name, None, unencrypted=True, seed=hashlib.sha256(LOG_KEY.name.encode()).digest())
    return path


@pytest.fixture
def started() -> Iterator[list[ServingProcess]]:
    services: list[ServingProcess] = []
    yield services
    for service in services:
        service.close()


def start_service(started: list[ServingProcess], source: str, log_key: Path, *program: str) -> ServingProcess:
    options = ("--log-key", log_key, "--log-time", AT, "--processes", "0")
    started.append(ServingProcess(source, *options, program=program))
    return started[-1]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(how: int, source: str, log_key: Path, started: list[ServingProcess]) -> None:
    service = start_service(started, source, log_key)
    assert service.post(burn_note("s-1")).json()["index"] == 11
    assert service.end(how) == 0
    with read_ledger(source) as reader:
        assert reader.size == 12
    again = start_service(started, source, log_key)  # the lock was let go
    assert again.http.get("/readyz").json() == {"status": "writing", "size": 12, "ok": True, "reasons": []}


def test_no_ledger_is_said_at_once(tmp_path: Path, log_key: Path) -> None:
    assert "is not a ledger" in failed("serve", tmp_path, "--log-key", log_key)
    assert "can't be used" in failed("serve", "postgresql://nobody@127.0.0.1:1/none", "--log-key", log_key)
