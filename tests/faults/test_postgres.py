"""PostgreSQL is killed, hangs or says no, before and after each commit: nothing answered is lost or doubled."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from eventsourcing.persistence import PersistenceError, StoredEvent

from support.burning import FEN_A_LINE, LOG_KEY, NOW, RESERVED_FEN, Clock, burn_note, founding_notes
from support.postgres import Server, execute, free_port, fresh_database, server
from tallystick.audit import audit
from tallystick.errors import LedgerBusyError, NotALedgerError, StoreFailedError, UsageError, WriterFencedError
from tallystick.ledger import Admitted, Ledger, create_ledger, open_ledger, stand_by
from tallystick.ledger.postgres import PostgresLogRecorder, open_postgres
from tallystick.ledger.postgres_schema import LOG_TABLES
from tallystick.publishing import read_ledger
from tallystick.publishing.backup import backup_ledger
from tallystick.transparency.policy import Policy
from tallystick.views import followed_views
from tallystick.vouchers.entry import split_entry

Insert = Callable[..., Sequence[int] | None]
SESSIONS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
    "pg_backend_pid()"
)


@pytest.fixture
def url() -> str:
    return fresh_database()


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    clock = Clock()
    genesis, *rest = founding_notes()
    with create_ledger(url, genesis, LOG_KEY, clock=clock) as ledger:
        ledger.submit(rest)
        clock.at = NOW
        yield ledger


@pytest.fixture
def own_server() -> Iterator[Server]:
    """A server that may be killed."""
    own = Server()
    yield own
    own.remove()


def burned(ledger: Ledger) -> int:
    """How many lines were burned."""
    return (RESERVED_FEN - ledger.state.book["reserved", "holder/r1"]) // FEN_A_LINE


def indices(answers: Sequence[object]) -> list[int]:
    return [answer.index for answer in answers if isinstance(answer, Admitted)]


# -- the session is lost before and after a commit ------------------------------------------------------------------


def lose_before(insert: Insert, url: str) -> Insert:
    def losing(self: PostgresLogRecorder, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        execute(url, SESSIONS)
        return insert(self, stored_events, **kwargs)

    return losing


def lose_after(insert: Insert, url: str) -> Insert:
    def losing(self: PostgresLogRecorder, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        insert(self, stored_events, **kwargs)
        execute(url, SESSIONS)
        with self.datastore.get_connection() as connection:  # finds out
            connection.execute("SELECT 1")
        return None

    return losing


@pytest.mark.parametrize("fault", [lose_before, lose_after])
def test_a_session_lost_at_the_commit_costs_nothing(
    ledger: Ledger, url: str, monkeypatch: pytest.MonkeyPatch, fault: Callable[[Insert, str], Insert]
) -> None:
    """Before: it is committed once more in a new session. After: the tail shows that it was kept."""
    notes = [burn_note(f"s-{number}") for number in range(5)]
    insert = PostgresLogRecorder.insert_events
    calls = iter([fault(insert, url), insert])

    def insert_events(self: PostgresLogRecorder, *events: Any, **group: Any) -> Sequence[int] | None:
        return next(calls)(self, *events, **group)

    with monkeypatch.context() as patch:
        patch.setattr(PostgresLogRecorder, "insert_events", insert_events)
        assert indices(ledger.submit(notes)) == [11, 12, 13, 14, 15]
    assert indices(ledger.submit(notes)) == [11, 12, 13, 14, 15]
    assert burned(ledger) == 5
    assert execute(url, "SELECT count(*) FROM tallystick.stored_events") == [(16,)]


def test_a_session_lost_while_idle_is_replaced(ledger: Ledger, url: str) -> None:
    execute(url, SESSIONS)
    assert indices(ledger.submit([burn_note("s-1")])) == [11]


def test_a_receipt_is_refused_by_a_writer_that_lost_its_session(ledger: Ledger, url: str) -> None:
    """What a new session shows may be lost in a failover; the next submit makes sure of it."""
    execute(url, SESSIONS)
    with pytest.raises(StoreFailedError, match=r"the store can't be read: .*; submit the note again"):
        ledger.receipt(3)
    assert indices(ledger.submit([burn_note("s-1")])) == [11]
    assert ledger.receipt(3).index == 3


def test_a_failed_statement_keeps_nothing(ledger: Ledger, url: str) -> None:
    """A full disk looks like this: the statement fails, the session goes on."""
    execute(
        url,
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'no room' USING ERRCODE = 'disk_full'; END $$; "
        "CREATE TRIGGER full_disk BEFORE INSERT ON tallystick.checkpoints EXECUTE FUNCTION full_disk()",
    )
    with pytest.raises(StoreFailedError, match="the store kept nothing: no room"):
        ledger.submit([burn_note("s-1")])
    assert execute(url, "SELECT count(*) FROM tallystick.stored_events") == [(11,)]
    execute(url, "DROP TRIGGER full_disk ON tallystick.checkpoints")
    assert indices(ledger.submit([burn_note("s-1")])) == [11]
    assert burned(ledger) == 1


def test_a_wait_for_the_standby_that_is_cancelled_is_no_commit(ledger: Ledger, url: str) -> None:
    """PostgreSQL answers it with success and a warning; a warning at the commit makes it uncertain."""
    execute(
        url,
        "CREATE FUNCTION warn() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE WARNING 'canceling wait for synchronous replication'; RETURN NULL; END $$; "
        "CREATE TRIGGER warn AFTER INSERT ON tallystick.checkpoints EXECUTE FUNCTION warn()",
    )
    before = execute(url, "SELECT count(*) FROM tallystick.takeovers")[0][0]
    assert indices(ledger.submit([burn_note("s-1")])) == [11]
    assert execute(url, "SELECT count(*) FROM tallystick.takeovers")[0][0] == before + 1  # the barrier was committed


# -- the server --------------------------------------------------------------------------------------------------------


def test_what_was_answered_survives_the_server_killed_under_load(own_server: Server) -> None:
    """Submitters never notice, or are told to ask again; asked again, they get the first answer."""
    url = own_server.fresh_database()
    genesis, *rest = founding_notes()
    answered: dict[str, int] = {}
    stop = threading.Event()
    with create_ledger(url, genesis, LOG_KEY, clock=(clock := Clock())) as ledger:
        ledger.submit(rest)
        clock.at = NOW

        def submit(worker: int) -> None:
            number = 0
            while not stop.is_set():
                notes = {
                    f"s-{worker}-{number}-{place}": burn_note(f"s-{worker}-{number}-{place}") for place in range(3)
                }
                while True:
                    with suppress(StoreFailedError):
                        answers = ledger.submit(list(notes.values()))
                        break
                answered.update(zip(notes, indices(answers), strict=True))
                number += 1

        threads = [threading.Thread(target=submit, args=(worker,)) for worker in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(5):
            wait_until_more(answered, len(answered) + 40)
            own_server.kill()
            own_server.start()
        stop.set()
        for thread in threads:
            thread.join()
        assert len(set(answered.values())) == len(answered) == burned(ledger) == ledger.state.size - 11
    with read_ledger(url) as reader:
        state = reader.state()
        assert {ref: state.references[f"provider {ref}"].index for ref in answered} == answered


def wait_until_more(answered: dict[str, int], count: int) -> None:
    """Wait for the submitting threads to have so many answers."""
    waiting = threading.Event()
    for _ in range(6_000):
        if len(answered) >= count:
            return
        waiting.wait(0.01)
    raise AssertionError("no more answers came")


def test_a_server_that_hangs_is_given_up_and_asked_again(own_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes connections and answers nothing, as a stopped one does: a commit doesn't wait for ever."""
    monkeypatch.setattr("tallystick.ledger.postgres_session.DEADLINE_SECONDS", 1.0)
    monkeypatch.setattr("tallystick.ledger.postgres_session.RECONNECT_SECONDS", 0.0)
    url = own_server.fresh_database()
    genesis, *rest = founding_notes()
    with create_ledger(url, genesis, LOG_KEY, clock=(clock := Clock())) as ledger:
        ledger.submit(rest)
        clock.at = NOW
        with closing(stand_by(url, LOG_KEY)) as waiting:
            own_server.pause()
            try:
                with pytest.raises(StoreFailedError, match="the store can't be"):
                    ledger.submit([burn_note("s-1")])
                with pytest.raises(PersistenceError):
                    waiting.follow()
            finally:
                own_server.go_on()
        assert indices(ledger.submit([burn_note("s-1"), burn_note("s-2")])) == [11, 12]
        assert ledger.state.size == 13


def test_a_session_that_the_server_cannot_end_is_nobody_elses(
    ledger: Ledger, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer's own earlier session still holds the lock: nobody fenced this writer, so it may go on later."""
    monkeypatch.setattr("tallystick.ledger.postgres_session.DEADLINE_SECONDS", 2.0)
    monkeypatch.setattr("tallystick.ledger.postgres_session.RECONNECT_SECONDS", 0.0)
    ((own_past,),) = execute(url, "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted")
    os.kill(own_past, signal.SIGSTOP)
    try:
        with pytest.raises(StoreFailedError, match="has not ended this writer's earlier session, which was lost"):
            ledger.submit([burn_note("s-1")])
    finally:
        os.kill(own_past, signal.SIGCONT)
    assert indices(ledger.submit([burn_note("s-1"), burn_note("s-2")])) == [11, 12]


def test_a_vanished_database_is_said_in_one_line(ledger: Ledger, url: str) -> None:
    name = url.rpartition("/")[2]
    execute(server().url("postgres"), f'DROP DATABASE "{name}" WITH (FORCE)')
    with pytest.raises(StoreFailedError, match="does not exist"):
        read_ledger(url)
    with pytest.raises(StoreFailedError, match="does not exist"):
        open_ledger(url, LOG_KEY)


def test_several_hosts_are_tried_until_one_can_be_written(ledger: Ledger, url: str, tmp_path: Path) -> None:
    """By whoever writes and whoever reads: what only reads wants the primary too, for it alone shows what is newest."""
    here = url.partition("@")[2].partition("/")[0]
    anywhere = url.replace(here, f"127.0.0.1:{free_port()},{here}") + "?target_session_attrs=read-write"
    with read_ledger(anywhere) as reader:
        assert Policy.for_log(LOG_KEY.verifier).open_checkpoint(reader.checkpoint_note()).size == 11
    with followed_views(anywhere) as views:
        assert views.size == 11
    assert backup_ledger(anywhere, tmp_path / "backup").size == 11
    assert audit(anywhere, Policy.for_log(LOG_KEY.verifier)).verdict == "clean"
    ledger.close()
    with open_ledger(anywhere, LOG_KEY, clock=Clock(NOW)) as opened:
        assert indices(opened.submit([burn_note("s-1")])) == [11]


def test_a_database_that_may_only_be_read_is_not_written(ledger: Ledger, url: str) -> None:
    ledger.close()
    standby = f"{url}?options=-c%20default_transaction_read_only%3Don"
    with pytest.raises(NotALedgerError, match="read-only transaction"):
        open_ledger(standby, LOG_KEY)


# -- who may write -----------------------------------------------------------------------------------------------------


def test_a_second_writer_is_refused_and_a_reader_is_not(ledger: Ledger, url: str) -> None:
    with pytest.raises(LedgerBusyError, match="another writer"):
        open_ledger(url, LOG_KEY)
    with read_ledger(url) as reader:
        ledger.submit([burn_note("s-1")])
        assert (reader.size, reader.state().size, len(list(reader.entries()))) == (11, 11, 11)


def test_a_writer_that_lost_its_lock_finds_out_and_stops(ledger: Ledger, url: str) -> None:
    """Its session was ended, another took the lock: the first one says so, whatever it is asked."""
    with closing(stand_by(url, LOG_KEY, clock=Clock(NOW))) as waiting:
        execute(url, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted")
        other = waiting.wait(10)
        assert other is not None
        with other:
            assert indices(other.submit([burn_note("other")])) == [11]
            for ref in ("mine", "mine again"):
                with pytest.raises(WriterFencedError, match="another writer has this log"):
                    ledger.submit([burn_note(ref)])
    with read_ledger(url) as reader:
        assert reader.size == 12


def test_a_fenced_writer_refuses_nothing_and_repeats_nothing(ledger: Ledger, url: str) -> None:
    """Behind such an answer stands no commit that would fail, and the state that it comes from may be out of date."""
    (kept,) = ledger.submit([burn_note("kept")])
    assert isinstance(kept, Admitted)
    execute(url, SESSIONS)
    with open_ledger(url, LOG_KEY, clock=Clock(NOW)):
        for note in (b"no note", split_entry(kept.entry)[1]):
            with pytest.raises(WriterFencedError):
                ledger.submit([note])


def test_the_primary_key_is_the_fence_for_who_gets_past_the_lock(
    ledger: Ledger, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a primary that was replaced and doesn't know: there nobody else has the lock."""
    execute(url, SESSIONS)
    with open_ledger(url, LOG_KEY, clock=Clock(NOW)) as other:
        other.submit([burn_note("other")])
    monkeypatch.setattr("tallystick.ledger.postgres_session._Session.holds_lock", True)
    monkeypatch.setattr(PostgresLogRecorder, "find_references", lambda *_: {})
    store = ledger._store
    assert isinstance(store, PostgresLogRecorder)
    assert store._session is not None
    store._session._is_acquiring = True  # so that it connects again without looking
    with pytest.raises(WriterFencedError, match="another writer made checkpoint"):
        ledger.submit([burn_note("mine")])


HANGING_WRITER = """
import sys
from support.burning import LOG_KEY, NOW, Clock, burn_note
from tallystick.ledger import open_ledger
with open_ledger(sys.argv[1], LOG_KEY, clock=Clock(NOW)) as ledger:
    print(ledger.submit([burn_note("first")])[0].index, flush=True)
    sys.stdin.readline()
    try:
        ledger.submit([burn_note("late")])
    except Exception as error:
        print(type(error).__name__, flush=True)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_standby_takes_over_from_a_writer_that_was_killed_or_hangs(ledger: Ledger, url: str, how: int) -> None:
    """Killed, the system closes its session; hanging, the session ends itself. Going on later, it is refused."""
    ledger.close()
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    waiting_for, go_on = os.pipe()
    with subprocess.Popen(
        [sys.executable, "-c", HANGING_WRITER, url], stdin=waiting_for, stdout=subprocess.PIPE, env=environment
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"11\n"
        with closing(stand_by(url, LOG_KEY, clock=Clock(NOW))) as waiting:
            assert waiting.wait(0) is None
            assert waiting.size == 12
            writer.send_signal(how)
            taken = waiting.wait(30)
            assert taken is not None
            with taken:
                assert indices(taken.submit([burn_note("next")])) == [12]
                writer.send_signal(signal.SIGCONT)
                os.write(go_on, b"\n")
                assert writer.stdout.readline() == (b"" if how == signal.SIGKILL else b"WriterFencedError\n")
    with read_ledger(url) as reader:
        assert reader.size == 13


# -- what can't be changed ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", LOG_TABLES)
@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM {}", "TRUNCATE {}", "TRUNCATE {} CASCADE", "UPDATE {} SET {} = {}", "DELETE FROM {} WHERE false"],
)
def test_triggers_refuse_to_change_history(ledger: Ledger, url: str, table: str, statement: str) -> None:
    column = {"stored_events": "topic", "tree": "hash", "checkpoints": "note", "refs": "ref"}[table]
    for prefix in ("", "SET session_replication_role = replica; "):
        with pytest.raises(psycopg.IntegrityError, match=f"{table} is append-only"):
            execute(url, prefix + statement.format(f"tallystick.{table}", column, column))
    assert ledger.state.size == 11


@pytest.mark.parametrize("table", ["checkpoints", "stored_events", "tree"])
def test_a_ledger_that_does_not_hang_together_is_not_opened(ledger: Ledger, url: str, table: str) -> None:
    ledger.close()
    last = {"checkpoints": "number", "stored_events": "originator_version", "tree": "position"}[table]
    execute(
        url,
        f"ALTER TABLE tallystick.{table} DISABLE TRIGGER ALL; "
        f"DELETE FROM tallystick.{table} WHERE {last} = (SELECT max({last}) FROM tallystick.{table})",
    )
    with pytest.raises(NotALedgerError):
        open_ledger(url, LOG_KEY)


def test_a_snapshot_is_taken_and_a_wrong_one_is_passed_over(
    ledger: Ledger, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tallystick.ledger.opening.SNAPSHOT_AFTER_ENTRIES", 1)
    ledger.submit([burn_note("s-1", lines=5)])
    expected = ledger.state.to_bytes()
    ledger.close()
    ((good,),) = execute(url, "SELECT data FROM tallystick.sidecar WHERE name = 'snapshot.json'")
    for data in (good, good[:-1], b"", good.replace(b"job-", b"jab-")):
        execute(url, "UPDATE tallystick.sidecar SET data = %s", data)
        with open_ledger(url, LOG_KEY, clock=Clock(NOW)) as again:
            assert again.state.to_bytes() == expected


def test_who_opened_a_log_to_read_it_cannot_write_it(ledger: Ledger, url: str) -> None:
    store = open_postgres(url)
    try:
        with pytest.raises(UsageError, match="opened to be read"):
            store.acquire()
        with pytest.raises(PersistenceError, match="read-only"), store.sidecar.exclusive_lock():
            store.sidecar.write("snapshot.json", b"x")
    finally:
        store.close()


def test_every_takeover_is_written_down(ledger: Ledger, url: str) -> None:
    ledger.close()
    with open_ledger(url, LOG_KEY):
        rows = execute(url, "SELECT number, who FROM tallystick.takeovers ORDER BY number")
    assert [number for number, _ in rows] == [1, 2]
    assert all(f"process {os.getpid()}" in who for _, who in rows)
