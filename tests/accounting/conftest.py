"""A small ledger with every kind of event, written once."""

from pathlib import Path

import pytest

from support.small_ledger import write_small_ledger


@pytest.fixture(scope="session")
def small_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its folder; it is only read."""
    folder = tmp_path_factory.mktemp("accounting") / "ledger"
    write_small_ledger(folder)
    return folder
