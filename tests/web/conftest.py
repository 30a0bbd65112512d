"""A ledger in a folder with a provider that may burn, and its service."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.burning import LOG_KEY, NOW, Clock, founding_notes
from support.service import Running, service_in_thread
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
