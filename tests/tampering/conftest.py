"""Copies of one small ledger, and of its exported folder, for each attack to spoil."""

import shutil
from pathlib import Path

import pytest

from support.earlier_audits import OLD, cut_back, report_on
from support.small_ledger import SIZES, export_small_ledger, write_small_ledger


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `ledger` (long enough for a second tree level), `short` and `tiles`, never to be changed."""
    folder = tmp_path_factory.mktemp("pristine")
    write_small_ledger(folder / "ledger", up_to=SIZES)
    write_small_ledger(folder / "short")
    export_small_ledger(folder / "ledger", folder / "tiles")
    return folder


@pytest.fixture(scope="session")
def reports(pristine: Path) -> Path:
    """A folder with reports on the ledger as it was: `old.json`, `whole.json`, and `first.json` on entry 0 alone."""
    folder = pristine / "reports"
    folder.mkdir()
    for name, size in (("first", 1), ("old", OLD)):
        ledger = Path(shutil.copytree(pristine / "ledger", folder / name))
        cut_back(ledger, size)
        report_on(ledger, folder / f"{name}.json")
    report_on(pristine / "ledger", folder / "whole.json")
    return folder


@pytest.fixture
def ledger(pristine: Path, tmp_path: Path) -> Path:
    """A ledger folder to spoil."""
    return Path(shutil.copytree(pristine / "ledger", tmp_path / "ledger"))


@pytest.fixture
def tiles(pristine: Path, tmp_path: Path) -> Path:
    """An exported folder to spoil."""
    return Path(shutil.copytree(pristine / "tiles", tmp_path / "tiles"))
