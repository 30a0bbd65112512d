"""What a stranger in the database does, and what a session is set to, stops no writer and changes no answer.

Strangers: a user without any grant who may connect, a member of `…_auditor`, a member of `…_views`.
"""

import sqlite3
import threading
import time
from contextlib import ExitStack, closing
from pathlib import Path

import psycopg
import pytest

from support.burning import LOG_KEY, NOW, Clock, burn_note, founding_notes
from support.postgres import execute, fresh_database, server
from tallystick.audit import audit
from tallystick.errors import LedgerBusyError, LedgerError, NotALedgerError
from tallystick.ledger import Admitted, Ledger, create_ledger, open_ledger, stand_by
from tallystick.ledger.postgres import PostgresLogRecorder
from tallystick.publishing import read_ledger
from tallystick.publishing.backup import backup_ledger, restore_ledger
from tallystick.publishing.cosigning import keep_cosignatures
from tallystick.transparency.policy import Policy
from tallystick.views import Views

POLICY = Policy.for_log(LOG_KEY.verifier)
PURPOSES = ("", "auditor", "views")


def founded(url: str) -> None:
    genesis, *rest = founding_notes()
    with create_ledger(url, genesis, LOG_KEY, clock=Clock()) as ledger:
        ledger.submit(rest)


@pytest.fixture
def url() -> str:
    """Of a ledger of ten entries."""
    url = fresh_database()
    founded(url)
    return url


@pytest.fixture(scope="module")
def shared() -> str:
    """The same, for tests that leave it as it was."""
    url = fresh_database()
    founded(url)
    return url


def user_of(url: str, purpose: str) -> str:
    """Make a user with a role, or with the bare right to connect, and return his URL."""
    database = url.rpartition("/")[2]
    user = f"{database}_{purpose or 'nobody'}_user"
    if not execute(url, "SELECT FROM pg_roles WHERE rolname = %s", user):
        execute(url, f'CREATE USER "{user}"')
        execute(
            url,
            f'GRANT "{database}_{purpose}" TO "{user}"'
            if purpose
            else f'GRANT CONNECT ON DATABASE "{database}" TO "{user}"',
        )
    return server().url(database, user)


def open_soon(url: str) -> Ledger:
    """Open a ledger whose writer is gone, within a few tries."""
    until = time.monotonic() + 10
    while True:
        try:
            return open_ledger(url, LOG_KEY, clock=Clock(NOW))
        except LedgerBusyError:
            if time.monotonic() > until:
                raise


def keys_held(url: str) -> list[int]:
    """The numbers of all advisory locks in a database, which everybody may read."""
    rows = execute(
        url,
        "SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND database = "
        "(SELECT oid FROM pg_database WHERE datname = current_database())",
    )
    return [key for (key,) in rows]


@pytest.mark.parametrize("purpose", PURPOSES)
@pytest.mark.parametrize("kind", ["pg_advisory_lock", "pg_advisory_lock_shared"])
def test_a_stranger_in_the_locks_queue_does_not_become_the_writer(url: str, purpose: str, kind: str) -> None:
    """He reads the number that the writer holds, waits for it, and has it when the writer is gone."""
    stranger_url = user_of(url, purpose)
    first = open_ledger(url, LOG_KEY, clock=Clock(NOW))
    (key,) = keys_held(stranger_url)
    with closing(psycopg.connect(stranger_url, autocommit=True)) as stranger:
        waiting = threading.Thread(target=stranger.execute, args=(f"SELECT {kind}(%s::bigint)", (key,)))
        waiting.start()
        while len(keys_held(url)) < 2:
            pass
        with pytest.raises(LedgerBusyError):  # the writer is there, whoever waits behind it
            open_ledger(url, LOG_KEY)
        first.close()
        waiting.join()
        with open_soon(url) as second:
            assert set(keys_held(url)) > {key}  # the stranger's, and the writer's own
            (answer,) = second.submit([burn_note("s-1")])
            assert isinstance(answer, Admitted)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_standby_takes_over_whatever_strangers_hold(url: str, purpose: str) -> None:
    stranger_url = user_of(url, purpose)
    first = open_ledger(url, LOG_KEY, clock=Clock(NOW))
    standby = stand_by(url, LOG_KEY, clock=Clock(NOW))
    assert standby.take_over() is None
    with closing(psycopg.connect(stranger_url, autocommit=True)) as stranger:
        for key in keys_held(stranger_url):
            stranger.execute("SELECT pg_try_advisory_lock(%s::bigint)", (key,))
        stranger.execute("SELECT pg_advisory_lock(%s, 1), pg_advisory_lock(%s, 2)", (0x54616C6C, 0x54616C6C))
        first.close()
        second = standby.wait(10)
        assert second is not None
        with second:
            assert isinstance(second.submit([burn_note("s-1")])[0], Admitted)


TABLES = ("stored_events", "tree", "checkpoints", "refs", "sidecar", "takeovers", "locks")
MODES = ("ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE")
TRIES = (
    *[f"LOCK TABLE tallystick.{table} IN {mode} MODE" for table in TABLES for mode in MODES],
    *[f"SELECT count(*) FROM tallystick.{table}" for table in TABLES],
    *[f"SELECT 1 FROM tallystick.{table} FOR UPDATE" for table in TABLES],
    *[f"SELECT 1 FROM tallystick.{table} FOR KEY SHARE" for table in TABLES],
    "UPDATE tallystick.locks SET key = 1",
    "INSERT INTO tallystick.locks VALUES ('x', 1)",
    "LISTEN tallystick_events",
    "SELECT pg_notify('tallystick_events', repeat('x', 7000)) FROM generate_series(1, 100)",
    "SELECT pg_advisory_xact_lock(key) FROM generate_series(0, 3) key",
    "SELECT txid_current()",
)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_transaction_that_a_stranger_leaves_open_stops_nobody(url: str, purpose: str) -> None:
    """He does all that he may in one, in a snapshot of then, and goes to lunch."""
    with closing(psycopg.connect(user_of(url, purpose))) as stranger:
        stranger.isolation_level = psycopg.IsolationLevel.SERIALIZABLE
        refused = []
        for statement in TRIES:
            try:
                with stranger.transaction():
                    stranger.execute(statement.encode())
            except psycopg.Error as error:
                refused.append(type(error))
        assert refused
        assert set(refused) <= {psycopg.errors.InsufficientPrivilege}
        with open_ledger(url, LOG_KEY, clock=Clock(NOW)) as ledger:
            assert isinstance(ledger.submit([burn_note("s-1")])[0], Admitted)
        with open_ledger(url, LOG_KEY, clock=Clock(NOW)) as ledger:
            assert isinstance(ledger.submit([burn_note("s-2")])[0], Admitted)
        with read_ledger(url) as reader:
            note = reader.checkpoint_note()
        assert keep_cosignatures(url, note, (), POLICY).is_kept


def test_a_writer_that_uses_its_role_by_name_alone_is_seen_as_one(url: str) -> None:
    """A member that doesn't inherit the role's rights, and takes the role when it logs in."""
    database = url.rpartition("/")[2]
    for user in ("one", "two"):
        name = f"{database}_{user}"
        execute(url, f'CREATE USER "{name}" NOINHERIT IN ROLE "{database}_writer"')
        execute(url, f'ALTER ROLE "{name}" SET role = "{database}_writer"')
        execute(url, f'GRANT CONNECT ON DATABASE "{database}" TO "{name}"')
    urls = [server().url(database, f"{database}_{user}") for user in ("one", "two")]
    with open_ledger(urls[0], LOG_KEY, clock=Clock(NOW)) as ledger:
        with pytest.raises(LedgerBusyError):
            open_ledger(urls[1], LOG_KEY)
        assert isinstance(ledger.submit([burn_note("s-1")])[0], Admitted)
    open_ledger(urls[1], LOG_KEY).close()


def test_two_that_take_over_at_once_are_one_writer(url: str) -> None:
    opened: list[Ledger] = []
    busy: list[LedgerError] = []

    def take() -> None:
        try:
            opened.append(open_ledger(url, LOG_KEY, clock=Clock(NOW)))
        except LedgerBusyError as error:
            busy.append(error)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with ExitStack() as open_now:
        for ledger in opened:
            open_now.enter_context(ledger)
        assert (len(opened), len(busy)) == (1, 3)


# -- who may connect --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["created", "restored"])
def test_who_has_no_role_cannot_connect(shared: str, tmp_path: Path, how: str) -> None:
    url = fresh_database()
    if how == "created":
        founded(url)
    else:
        backup_ledger(shared, tmp_path / "backup")
        restore_ledger(tmp_path / "backup", url)
    database = url.rpartition("/")[2]
    nobody = f"{database}_nobody"
    execute(url, f'CREATE USER "{nobody}"')
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(server().url(database, nobody))
    execute(url, f'CREATE USER "{nobody}_2" IN ROLE "{database}_auditor"')
    with (
        closing(psycopg.connect(server().url(database, f"{nobody}_2"))) as auditor,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        auditor.execute("CREATE TEMPORARY TABLE x ()")
    assert audit(server().url(database, f"{nobody}_2"), POLICY, processes=1).is_clean


def test_a_creator_who_does_not_own_the_database_leaves_its_rights_alone() -> None:
    url = fresh_database()
    database = url.rpartition("/")[2]
    execute(url, f'CREATE USER "{database}_maker" CREATEROLE')
    execute(url, f'GRANT CREATE ON DATABASE "{database}" TO "{database}_maker"')
    founded(server().url(database, f"{database}_maker"))
    execute(url, f'CREATE USER "{database}_nobody"')
    psycopg.connect(server().url(database, f"{database}_nobody")).close()


def test_a_restore_that_fails_leaves_nothing_behind(shared: str, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    backup_ledger(shared, backup)
    url = fresh_database()
    with closing(sqlite3.connect(backup / "ledger.db")) as connection, connection:
        connection.execute("DROP TRIGGER stored_events_refuses_update")
        connection.execute("UPDATE stored_events SET state = x'00' WHERE originator_version = 7")
    with pytest.raises(NotALedgerError, match="left without a ledger"):
        restore_ledger(backup, url)
    assert execute(url, "SELECT to_regnamespace('tallystick') IS NULL") == [(True,)]
    folder = tmp_path / "restored"
    with pytest.raises(NotALedgerError, match="left without a ledger"):
        restore_ledger(backup, folder)
    assert list(folder.iterdir()) == []


# -- what a session is set to -----------------------------------------------------------------------------------------

HOSTILE = (
    "DateStyle = 'SQL, DMY'",
    "DateStyle = 'German, DMY'",
    "DateStyle = 'Postgres'",
    "IntervalStyle = 'iso_8601'",
    "TimeZone = 'Asia/Kathmandu'",
    "bytea_output = 'escape'",
    "extra_float_digits = -15",
    "standard_conforming_strings = off",
    "client_encoding = 'LATIN1'",
    "client_encoding = 'SQL_ASCII'",
    "client_min_messages = 'error'",
    "default_transaction_isolation = 'serializable'",
    "default_transaction_deferrable = on",
    "statement_timeout = '20ms'",
    "lock_timeout = '1ms'",
    "idle_session_timeout = '300ms'",
    "idle_in_transaction_session_timeout = '100ms'",
    "search_path = 'strange'",
    "row_security = off",
    "transform_null_equals = on",
    "array_nulls = off",
    "exit_on_error = on",
    "quote_all_identifiers = on",
    "escape_string_warning = on",
    "backslash_quote = off",
    "synchronous_commit = off",
    "lc_numeric = 'C'",
    "lc_monetary = 'C'",
    "enable_indexscan = off",
    "session_replication_role = 'replica'",
    "track_activities = off",
)
RELIED_ON = {
    "client_min_messages": "notice",
    "search_path": "pg_catalog, pg_temp",
    "DateStyle": "ISO, YMD",
    "TimeZone": "UTC",
    "synchronous_commit": "on",
    "statement_timeout": "0",
    "lock_timeout": "0",
    "standard_conforming_strings": "on",
    "client_encoding": "UTF8",
    "default_transaction_isolation": "read committed",
}


def use_all_of_it(url: str, tmp_path: Path) -> None:
    """Write, keep something beside the log, read, follow, back up."""
    with open_soon(url) as ledger:
        assert isinstance(ledger._store, PostgresLogRecorder)
        with ledger._store.datastore.get_connection() as connection:
            for name, value in RELIED_ON.items():
                assert connection.execute("SELECT current_setting(%s) AS value", (name,)).fetchone() == {"value": value}
        answers = ledger.submit([burn_note(f"s-{ledger.state.size}", lines=3)])
        assert isinstance(answers[0], Admitted)
        size = ledger.state.size
        with ledger._store.sidecar.exclusive_lock():
            ledger._store.sidecar.write("snapshot.json", b"\\x00'\xff")
            assert ledger._store.sidecar.read("snapshot.json", 10) == b"\\x00'\xff"
    with read_ledger(url) as reader:
        assert (reader.size, reader.state().size) == (size, size)
        assert reader.receipt(size - 1).entry == list(reader.entries())[-1]
    with Views.open(url, tmp_path / "views.db") as views:
        views.follow()
        assert views.size == size
    backup_ledger(url, tmp_path / "backup")


@pytest.mark.parametrize("setting", HOSTILE)
def test_no_setting_of_a_database_or_role_changes_anything(shared: str, tmp_path: Path, setting: str) -> None:
    database = shared.rpartition("/")[2]
    name = setting.partition(" ")[0]
    execute(shared, f'ALTER ROLE postgres IN DATABASE "{database}" SET {setting}')
    try:
        use_all_of_it(shared, tmp_path)
    finally:
        with psycopg.connect(server().url("postgres"), autocommit=True) as connection:
            connection.execute(f'ALTER ROLE postgres IN DATABASE "{database}" RESET {name}'.encode())


def test_nor_does_the_environment(shared: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGDATESTYLE", "German, DMY")
    monkeypatch.setenv("PGTZ", "Asia/Kathmandu")
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    monkeypatch.setenv("PGOPTIONS", "-c client_min_messages=error -c search_path=strange -c bytea_output=escape")
    use_all_of_it(shared, tmp_path)


def test_a_ledger_is_created_and_restored_whatever_is_set(shared: str, tmp_path: Path) -> None:
    backup_ledger(shared, tmp_path / "backup")
    for make in (founded, lambda url: restore_ledger(tmp_path / "backup", url)):
        url = fresh_database()
        database = url.rpartition("/")[2]
        for setting in HOSTILE:
            execute(server().url("postgres"), f'ALTER DATABASE "{database}" SET {setting}')
        make(url)
        (tmp_path / database).mkdir()
        use_all_of_it(url, tmp_path / database)


def test_a_database_that_is_read_only_by_default_has_no_writer(shared: str) -> None:
    """Whoever set it so, a failing primary's operator say, wants none."""
    url = f"{shared}?options=-c%20default_transaction_read_only%3Don"
    with pytest.raises(NotALedgerError, match="read-only transaction"):
        open_ledger(url, LOG_KEY)
