"""What lies in a ledger's folder is its owner's to write and its group's to read; an export is for everybody.

A ledger names who computed what for whom: not every user of the machine is to read that.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.burning import LOG_KEY, NOW, Clock, burn_note, founding_notes
from support.command_line import done
from support.other_users import IS_ROOT, as_owner, give, open_to_all
from tallystick.audit import audit
from tallystick.errors import NotALedgerError
from tallystick.ledger import Admitted, create_ledger, open_ledger
from tallystick.ledger.settings import write_settings
from tallystick.publishing import read_ledger
from tallystick.publishing.backup import backup_ledger, restore_ledger
from tallystick.publishing.cosigning import keep_cosignatures
from tallystick.transparency.policy import Policy
from tallystick.views import followed_views

POLICY = Policy.for_log(LOG_KEY.verifier)


@pytest.fixture(params=[0o000, 0o022, 0o027, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if path.is_file()}


def make(folder: Path) -> None:
    """Have every file of a ledger's folder made."""
    genesis, *rest = founding_notes()
    with create_ledger(folder, genesis, LOG_KEY, clock=Clock()) as ledger:
        ledger.submit(rest)
        write_settings(folder, LOG_KEY.name, folder / "log.pem", None)
        with followed_views(folder):
            at_work = modes(folder)
            assert {"ledger.db-wal", "ledger.db-shm", "views.db-wal", "views.db-shm"} <= set(at_work)
            lock = at_work.pop("ledger.lock")  # who may read it can hold it, and stop the writer
            assert lock & 0o077 == 0
            assert len(set(at_work.values())) == 1, at_work
    with read_ledger(folder) as reader:
        keep_cosignatures(folder, reader.checkpoint_note(), (), POLICY)


def test_no_file_of_a_ledger_is_everybodys(tmp_path: Path, umask: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tallystick.ledger.opening.SNAPSHOT_AFTER_ENTRIES", 1)
    make(tmp_path / "ledger")
    backup_ledger(tmp_path / "ledger", tmp_path / "backup")
    restore_ledger(tmp_path / "backup", tmp_path / "restored")
    expected = 0o640 & ~umask
    for folder in ("ledger", "backup", "restored"):
        found = modes(tmp_path / folder)
        assert found.pop("ledger.lock") == 0o600
        assert set(found.values()) == {expected}, found
    names = {"ledger.db", "ledger.lock", "ledger.toml", "snapshot.json", "trust.policy", "views.db"}
    assert set(modes(tmp_path / "ledger")) >= names | {"checkpoint.cosigned"}


def test_an_export_is_everybodys(tmp_path: Path, umask: int) -> None:
    make(tmp_path / "ledger")
    done("export", tmp_path / "ledger", tmp_path / "export")
    with read_ledger(tmp_path / "export") as reader:
        keep_cosignatures(tmp_path / "export", reader.checkpoint_note(), (), POLICY)
    assert set(modes(tmp_path / "export").values()) == {0o644 & ~umask}


@pytest.fixture
def anothers() -> Iterator[Path]:
    """A ledger folder of an ordinary user's."""
    with open_to_all() as parent:
        folder = parent / "ledger"
        make(folder)
        with open_ledger(folder, LOG_KEY, clock=Clock(NOW)):
            give(folder)
        give(folder)
        yield folder


def submit(folder: Path, ref: str) -> None:
    with open_ledger(folder, LOG_KEY, clock=Clock(NOW)) as ledger:
        assert isinstance(ledger.submit([burn_note(ref)])[0], Admitted)


def test_what_root_writes_in_anothers_folder_is_the_owners(anothers: Path) -> None:
    """So that the owner can go on; where this isn't root, it is the caller's own."""
    (anothers / "ledger.lock").unlink()
    submit(anothers, "s-1")
    with followed_views(anothers):
        pass
    assert {path.stat().st_uid for path in anothers.iterdir()} == {anothers.stat().st_uid}
    with as_owner():
        submit(anothers, "s-2")


def test_a_lock_that_another_user_made_is_a_lock(anothers: Path) -> None:
    """It can be locked by who can read it; who can't is told what to do."""
    lock = anothers / "ledger.lock"
    if IS_ROOT:
        os.chown(lock, 0, 0)
    lock.chmod(0o444)
    with as_owner():
        submit(anothers, "s-1")
    lock.chmod(0o600 if IS_ROOT else 0)
    with as_owner(), pytest.raises(NotALedgerError, match="chown"):
        submit(anothers, "s-2")


def test_an_auditor_in_the_group_reads_it_all(anothers: Path) -> None:
    """Without writing anything, where no writer is open."""
    group = 4_242 if IS_ROOT else os.getegid()
    for path in (anothers, *anothers.iterdir()):
        os.chown(path, -1, group)
    before = modes(anothers)
    if IS_ROOT:
        os.setegid(group)
        os.seteuid(54_321)
    try:
        report = audit(anothers, POLICY, processes=1)
    finally:
        if IS_ROOT:
            os.seteuid(0)
            os.setegid(0)
    assert report.is_clean
    assert modes(anothers) == before
