"""A small ledger, written once and copied for each test, its service, and a client with little patience."""

import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from support.log_server import PATIENCE, LogServer, Time, serving_log
from support.small_ledger import LOG_KEY, POLICY, write_small_ledger
from tallystick.client import Client
from tallystick.ledger import Ledger, open_ledger
from tallystick.publishing import read_ledger
from tallystick.vouchers.quantities import SECOND_US


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written") / "ledger"
    write_small_ledger(folder)
    return folder


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    shutil.copytree(written, tmp_path / "ledger")
    return tmp_path / "ledger"


@pytest.fixture
def time(folder: Path) -> Time:
    with read_ledger(folder) as reader:
        return Time(reader.state().at + SECOND_US)


@pytest.fixture
def ledger(folder: Path, time: Time) -> Iterator[Ledger]:
    with open_ledger(folder, LOG_KEY, clock=time) as opened:
        yield opened


@pytest.fixture
def server(folder: Path, ledger: Ledger, time: Time) -> Iterator[LogServer]:
    with serving_log(folder, ledger, time) as running:
        yield running


@pytest.fixture
def client(server: LogServer) -> Iterator[Client]:
    with Client(server.url, POLICY, patience=PATIENCE) as made:
        yield made


@pytest.fixture
def impatient() -> Callable[..., Client]:
    return partial(Client, policy=POLICY, patience=PATIENCE)
