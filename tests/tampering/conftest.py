"""Copies of one small ledger, and of its export, for each attack to spoil; every export is audited in segments too."""

import functools
import shutil
from pathlib import Path

import pytest

from support.earlier_audits import OLD, cut_back, report_on
from support.segmented_audits import also_in_segments
from support.small_ledger import SIZES, export_small_ledger, write_small_ledger
from tallystick.audit import audit


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `ledger` (long enough for a second tree level), `short` and `tiles`, never to be changed."""
    folder = tmp_path_factory.mktemp("pristine")
    write_small_ledger(folder / "ledger", up_to=SIZES)
    write_small_ledger(folder / "short")
    export_small_ledger(folder / "ledger", folder / "tiles")
    return folder


@pytest.fixture(scope="session")
def with_states(pristine: Path) -> Path:
    """The exported folder with saved states after 64, 128, 192 and 256 of its 289 entries, never to be changed."""
    export_small_ledger(pristine / "ledger", pristine / "with-states", states_every=64)
    return pristine / "with-states"


@pytest.fixture(autouse=True)
def segmented_too(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, with_states: Path) -> None:
    """Have each export that a test of this folder audits audited in segments too, and both reports compared."""
    if getattr(request.module, "audit", None) is audit:
        both = functools.partial(also_in_segments, states=with_states / "states")
        monkeypatch.setattr(request.module, "audit", both)


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
