"""A ledger in a folder with a provider that may burn, and its service; and one of two cities, for who may read what."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.burning import LOG_KEY, NOW, Clock, founding_notes
from support.serving import Running, service_in_thread
from support.two_cities import write_two_cities
from tallystick.ledger import create_ledger


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The ledger's folder: entries 0 to 10."""
    genesis, *rest = founding_notes()
    with create_ledger(tmp_path / "ledger", genesis, LOG_KEY, clock=Clock()) as ledger:
        ledger.submit(rest)
    return tmp_path / "ledger"


@pytest.fixture
def serving(folder: Path) -> Iterator[Running]:
    """Its service, at the time at which burn notes are signed."""
    with service_in_thread(folder, clock=lambda: NOW) as running:
        yield running


@pytest.fixture(scope="package")
def two_cities(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger folder; it is only read."""
    folder = tmp_path_factory.mktemp("two-cities") / "ledger"
    write_two_cities(folder)
    return folder
