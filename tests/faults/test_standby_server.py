"""What a failover loses was handed to nobody: no checkpoint, no proof, no copy; what was handed on, stays."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.burning import LOG_KEY, NOW, Clock, burn_note, founding_notes
from support.postgres import Server, execute
from tallystick.audit import audit
from tallystick.errors import StoreFailedError
from tallystick.ledger import create_ledger, open_ledger
from tallystick.publishing import read_ledger
from tallystick.publishing.backup import backup_ledger
from tallystick.publishing.export import export_tiles
from tallystick.publishing.proving import prove_consistency, prove_inclusion
from tallystick.publishing.reader import Reader
from tallystick.signing.note import Note
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.transparency.policy import Policy
from tallystick.views import followed_views

POLICY = Policy.for_log(LOG_KEY.verifier)
SYNCHRONOUS = "SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'"
CANCEL_WAITS = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"


@pytest.fixture
def primary() -> Iterator[Server]:
    server = Server()
    yield server
    server.remove()


@pytest.fixture
def standby(primary: Server) -> Iterator[Server]:
    """The primary's one synchronous standby."""
    server = Server(primary)
    for statement in ("ALTER SYSTEM SET synchronous_standby_names = 'standby'", "SELECT pg_reload_conf()"):
        execute(primary.url("postgres"), statement)
    while not execute(primary.url("postgres"), SYNCHRONOUS):
        pass
    yield server
    server.remove()


HAND_ON: tuple[Callable[[Reader, Path], object], ...] = (
    lambda reader, _: reader.checkpoint_note(),
    lambda reader, _: reader.receipt(3),
    lambda reader, _: prove_inclusion(reader, 3),
    lambda reader, _: prove_consistency(reader, 3),
    export_tiles,
)


def test_what_a_failover_loses_was_handed_to_nobody(
    primary: Server, standby: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The primary shows a commit whose wait for the standby was cut off, and a reader can tell."""
    monkeypatch.setattr("tallystick.ledger.postgres_session.DEADLINE_SECONDS", 1.0)
    monkeypatch.setattr("tallystick.ledger.postgres_session.RECONNECT_SECONDS", 0.0)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    url = primary.fresh_database()
    genesis, *rest = founding_notes()
    with create_ledger(url, genesis, LOG_KEY, clock=(clock := Clock())) as ledger:
        ledger.submit(rest)
        clock.at = NOW
        with read_ledger(url) as reader:
            export_tiles(reader, tmp_path / "export")
            backup_ledger(url, tmp_path / "backup", policy=POLICY)
            kept = reader.size
        standby.stop()
        with pytest.raises(StoreFailedError):
            ledger.submit([burn_note("s-1")])
        execute(url, CANCEL_WAITS)
        with read_ledger(url) as reader:
            assert reader.size == kept + 1
            for hand_on in HAND_ON:
                with pytest.raises(StoreFailedError, match="nothing is handed on"):
                    hand_on(reader, tmp_path / "export")
            with pytest.raises(StoreFailedError, match="nothing is copied"):
                backup_ledger(url, tmp_path / "backup", policy=POLICY)
            with followed_views(url) as views:
                assert views.size == kept + 1
        with read_ledger(f"{url}?options=-c%20synchronous_commit%3Dlocal") as reader:
            assert Checkpoint.from_text(Note.from_bytes(reader.checkpoint_note()).text).size == kept + 1
        primary.kill()
    standby.start()
    url = standby.url(url.rpartition("/")[2])
    with read_ledger(url) as reader, pytest.raises(StoreFailedError, match="standby server"):
        reader.checkpoint_note()
    standby.promote()
    execute(url, "ALTER SYSTEM RESET synchronous_standby_names")
    execute(url, "SELECT pg_reload_conf()")
    with open_ledger(url, LOG_KEY, clock=Clock(NOW)) as ledger:
        assert ledger.state.size == kept
        ledger.submit([burn_note("s-2")])
    with read_ledger(url) as reader:
        assert export_tiles(reader, tmp_path / "export") == 1
    assert backup_ledger(url, tmp_path / "backup", policy=POLICY).new_entries == 1
    assert audit(tmp_path / "export", POLICY).verdict == "clean"
