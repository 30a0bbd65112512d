"""One small ledger with every kind of event, for all tests of dossiers."""

from pathlib import Path

import pytest

from support.small_ledger import write_small_ledger
from support.tampering import entries_of


@pytest.fixture(scope="package")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger folder."""
    folder = tmp_path_factory.mktemp("dossiers") / "ledger"
    write_small_ledger(folder)
    return folder


@pytest.fixture(scope="package")
def log(ledger: Path, tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Its entries; read from a copy, because reading them drops the triggers."""
    copy = tmp_path_factory.mktemp("dossiers") / "copy"
    write_small_ledger(copy)
    return entries_of(copy)
