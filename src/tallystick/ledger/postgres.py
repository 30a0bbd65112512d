"""The log in PostgreSQL: what is answered is on the disks that PostgreSQL answers for, and one session may write.

    lock      A writer's session holds a lock (`postgres_lock`), and everything that the writer reads or commits goes
              through that very session. Whoever has it knows that no commit of the one before is under way.
    lease     The session ends itself when it is idle for some seconds (idle_session_timeout); a heart beats against
              that. A writer that hangs, or whose machine is cut off, so loses the lock, though nothing told it.
    fence     A writer that doesn't know it was deposed is refused by the primary key.
    barrier   A commit that was cut off while it waited for a synchronous standby is visible, and a failover may still
              lose it. Settling therefore commits a row of its own first, which waits for the standby too, and with it
              for everything before it in the write-ahead log: what is read then, stays.
              A reader does the same before it hands on a checkpoint, with a message in the log instead of a row.
    deadline  A server that stopped without closing its connections is given up after some seconds.

Several hosts in one URL, and target_session_attrs=read-write, are libpq's matter: every connection is made anew from
the URL. A pooler between must keep sessions (PgBouncer: pool_mode=session).
"""

import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final, cast

import psycopg
from psycopg import Connection, Cursor
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import DictRow, TupleRow, dict_row, tuple_row

from tallystick.errors import LedgerBusyError, NotALedgerError, StoreFailedError, UsageError
from tallystick.ledger.library import (
    BasePostgresFactory,
    Environment,
    EnvType,
    OperationalError,
    PostgresApplicationRecorder,
    PostgresDatastore,
    PostgresFactory,
    StoredEvent,
)
from tallystick.ledger.postgres_lock import hold_others_off, try_writer_lock
from tallystick.ledger.postgres_settings import OPTIONS, set_what_is_relied_on
from tallystick.ledger.record import ENTRIES_READ_AT_ONCE, environment
from tallystick.ledger.store import CheckpointRow, Group, bytes_in, number_in, row_in
from tallystick.sources import without_password

SCHEMA: Final = "tallystick"
CHECKPOINTS_READ_AT_ONCE: Final = 256

CONNECT_SECONDS: Final = 3
LEASE_SECONDS: Final = 3.0
HEARTBEAT_SECONDS: Final = 0.5
DEADLINE_SECONDS: Final = 8.0
RECONNECT_SECONDS: Final = 30.0

_DATABASE: Final = "TALLYSTICK_DATABASE"
_QUOTED: Final = re.compile(r"""(?<!\w)(["']).*?\1""")
_NETWORK: Final = {
    "connect_timeout": CONNECT_SECONDS,
    # A peer that vanished is noticed by the system in some five seconds instead of two hours.
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 3,
    "tcp_user_timeout": 5_000,
    "application_name": "tallystick",
}
# What is answered is at least on this server's disk and, where there are synchronous standbys, on one of theirs,
# whatever a database or role was set to.
_WAITS_FOR_STANDBY: Final = (
    "SELECT set_config('synchronous_commit', 'on', false) "
    "WHERE current_setting('synchronous_commit') IN ('off', 'local', 'remote_write')"
)
_READ_KINDS: Final = (
    "SELECT c.relname::text, c.relkind = 'r' FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = 'tallystick' AND c.relname IN ('stored_events', 'tree', 'checkpoints', 'refs', 'beside')"
)
# Whoever says so in the URL takes what a server shows, and doesn't ask whether it stays.
_ASKS_FOR_LESS: Final = (
    "SELECT EXISTS (SELECT FROM pg_settings WHERE name = 'synchronous_commit' AND source = 'client' "
    "AND setting IN ('off', 'local'))"
)
_HAS_CHECKPOINT: Final = (
    "SELECT EXISTS (SELECT FROM tallystick.checkpoints WHERE number = %s AND size = %s AND note = %b)"
)
# A transaction that wrote nothing to the log would not wait; this writes there, and to no table, so anybody may.
_BARRIER: Final = "SELECT pg_logical_emit_message(true, 'tallystick', '')"
_SERVER_NOTICES_LOSS: Final = (
    "SET tcp_keepalives_idle = 2",
    "SET tcp_keepalives_interval = 1",
    "SET tcp_keepalives_count = 3",
    "SET tcp_user_timeout = 5000",
)
_LEASE: Final = (
    f"SET idle_session_timeout = '{LEASE_SECONDS:.0f}s'",
    f"SET idle_in_transaction_session_timeout = '{LEASE_SECONDS:.0f}s'",
)
_INSERT_GROUP: Final = """
    WITH entries AS (
        INSERT INTO tallystick.stored_events (originator_id, originator_version, topic, state)
        SELECT %(origin)s, * FROM unnest(%(versions)b::bigint[], %(topics)b::text[], %(states)b::bytea[])
    ), hashes AS (
        INSERT INTO tallystick.tree
        SELECT * FROM unnest(%(levels)b::integer[], %(positions)b::bigint[], %(hashes)b::bytea[])
    ), used AS (
        INSERT INTO tallystick.refs
        SELECT * FROM unnest(%(indices)b::bigint[], %(parties)b::text[], %(refs)b::text[])
    ), signed AS (
        INSERT INTO tallystick.checkpoints VALUES (%(number)s, %(size)s, %(note)b)
    )
    SELECT
"""


def connect(url: str) -> Connection[TupleRow]:
    """Return one connection for one transaction.

    Raises:
        psycopg.Error: the database can't be reached, or refuses.
        UsageError: the URL isn't one.
    """
    connection = psycopg.connect(**_parameters(url), autocommit=True)
    try:
        set_what_is_relied_on(connection)
        connection.autocommit = False
    except BaseException:
        connection.close()
        raise
    return connection


def said(error: psycopg.Error) -> str:
    """Return what PostgreSQL says, in a line; of what the library says, nothing that it quotes.

    The library quotes pieces of the URL, and of a misspelt one any piece may be the password.
    """
    text = " ".join(str(error).split())
    return text if error.sqlstate is not None else _QUOTED.sub("...", text)


def _parameters(url: str) -> dict[str, Any]:
    """Return what a URL says, over what is usual here."""
    try:
        said = conninfo_to_dict(url)
    except psycopg.Error:
        # Its text repeats the URL, and with it the password.
        raise UsageError(
            f"{without_password(url)} is not a database's URL like postgresql://user@host:5432/database"
        ) from None
    return {**_NETWORK, **said, **OPTIONS}


class PostgresPool(PostgresDatastore):
    """The library's pool of connections, which only read unless told otherwise."""

    def __init__(self, url: str, *, read_only: bool = True) -> None:
        parameters = _parameters(url)
        self._read_only: Final = read_only
        super().__init__(
            "", "", "", "", "",
            pool_size=1,
            max_overflow=3,
            connect_timeout=CONNECT_SECONDS * 3,
            schema=SCHEMA,
            originator_id_type="text",
        )  # fmt: skip
        self.pool.kwargs = {**parameters, "row_factory": dict_row}

    def after_connect_func(self) -> Callable[[Connection[Any]], None]:
        """Return what the library does with a new connection, and what keeps it from writing.

        Not an option of the connection: libpq would take each server for one that can only be read, and find none where
        the URL has target_session_attrs=read-write.
        """
        after_connect, read_only = super().after_connect_func(), self._read_only

        def prepare(connection: Connection[Any]) -> None:
            after_connect(connection)
            set_what_is_relied_on(connection)
            if read_only:
                connection.execute("SET default_transaction_read_only = on")

        return prepare


class PostgresSession(PostgresDatastore):
    """One connection, through which a writer reads and commits, and which holds the lock once it is settled."""

    def __init__(self, url: str) -> None:
        parameters = _parameters(url)
        super().__init__("", "", "", "", "", schema=SCHEMA, originator_id_type="text")
        self.session: Final = _Session(lambda: psycopg.connect(**parameters, autocommit=True, row_factory=dict_row))
        # The library opens a pool, borrows connections from it, and translates their errors: this one has just one.
        self.pool = cast(Any, self.session)


class _Session:
    """The connection, in the place of the library's pool.

    Every use holds `_use`. The heart beats between uses, the watchman looks at how long one takes.
    """

    def __init__(self, make: Callable[[], Connection[DictRow]]) -> None:
        self._make = make
        self._connection: Connection[DictRow] | None = None
        self._holds_lock = False
        self._has_held_lock = False
        self._is_settling = False
        self._backend: tuple[int, object] | None = None
        self._use = threading.RLock()
        self._busy_since: float | None = None
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []

    # -- what the library asks of a pool ------------------------------------------------------------------------------

    def open(self, wait: bool = False, timeout: float = 0.0) -> None:
        """Nothing is opened before it is used."""

    @contextmanager
    def connection(self) -> Iterator[Connection[DictRow]]:
        """Give the connection, to nobody else meanwhile."""
        with self._use:
            outer, self._busy_since = self._busy_since, time.monotonic()
            try:
                yield self._connected()
            finally:
                self._busy_since = outer

    def close(self) -> None:
        """End the session, and with it the lock."""
        with self._use:  # the watchman still sees to it that this doesn't take for ever
            self._drop()
        self._closing.set()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join()
        self._threads.clear()

    # -- the lock -----------------------------------------------------------------------------------------------------

    @property
    def holds_lock(self) -> bool:
        """Whether this very connection holds the writer's lock."""
        return self._holds_lock and self._connection is not None and not self._connection.closed

    def settle(self) -> None:
        """Hold the lock, with no commit of an earlier session under way, and everything visible here to stay.

        Raises:
            LedgerBusyError: another session holds the lock.
            psycopg.Error: the database can't be reached, or refuses to be written.
        """
        until = time.monotonic() + (RECONNECT_SECONDS if self._has_held_lock else 0.0)
        while True:
            try:
                with self._use:
                    self._is_settling = True
                    try:
                        with self.connection() as connection:
                            if not self.holds_lock:
                                self._take_lock(connection)
                            self._commit_barrier(connection)
                            return
                    finally:
                        self._is_settling = False
            except (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.ReadOnlySqlTransaction):
                # The last is what a server says that is no primary any more: now it may be another host of the URL.
                with self._use:
                    self._drop()
                if time.monotonic() >= until or self._closing.wait(HEARTBEAT_SECONDS):
                    raise

    def _connected(self) -> Connection[DictRow]:
        if self._connection is not None and not self._connection.closed:
            return self._connection
        if self._has_held_lock and not self._is_settling:
            # What a new session shows may be what a failover is about to lose; a writer settles before it believes.
            raise psycopg.OperationalError("the session that held the writer's lock is lost")
        self._drop()
        connection = self._connection = self._make()
        self._live()
        try:
            set_what_is_relied_on(connection)
            for statement in (_WAITS_FOR_STANDBY, *_SERVER_NOTICES_LOSS):
                connection.execute(statement)
        except BaseException:
            self._drop()
            raise
        return connection

    def _drop(self) -> None:
        if self._connection is not None:
            with suppress(psycopg.Error):
                self._connection.close()
        self._connection = None
        self._holds_lock = False

    def _take_lock(self, connection: Connection[DictRow]) -> None:
        for statement in _LEASE:  # first: who hangs while it takes the lock keeps all others from it
            connection.execute(statement)
        patience = time.monotonic() + DEADLINE_SECONDS / 2
        while True:
            was_there = self._end_own_past(connection)
            if try_writer_lock(connection):
                break
            if not was_there:
                raise LedgerBusyError("another writer has this ledger; try again when it is done, or stand by")
            if time.monotonic() > patience:
                raise psycopg.OperationalError("the server has not ended this writer's earlier session, which was lost")
        row = connection.execute(
            "SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()"
        ).fetchone()
        assert row is not None
        self._backend = (row["pid"], row["backend_start"])
        self._holds_lock = self._has_held_lock = True

    def _end_own_past(self, connection: Connection[DictRow]) -> bool:
        """Tell the server to end this writer's earlier session; return whether it was there to be ended.

        Cut off here, the server may not know yet, and keep the lock for it.
        """
        if self._backend is None:
            return False
        row = connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = %s AND backend_start = %s",
            self._backend,
        ).fetchone()
        return row is not None

    def _commit_barrier(self, connection: Connection[DictRow]) -> None:
        with _without_warnings(connection):
            who = f"{socket.gethostname()} process {os.getpid()}"
            connection.execute("INSERT INTO tallystick.takeovers (who) VALUES (%s)", (who,))

    # -- heart and watchman -------------------------------------------------------------------------------------------

    def _live(self) -> None:
        if not self._threads:
            for what in (self._beat, self._watch):
                thread = threading.Thread(target=what, name=f"tallystick {what.__name__}", daemon=True)
                self._threads.append(thread)
                thread.start()

    def _beat(self) -> None:
        """Keep the lease while nothing else is said to the server."""
        while not self._closing.wait(HEARTBEAT_SECONDS):
            if not self._use.acquire(blocking=False):
                continue  # the session isn't idle
            try:
                # If the connection is gone, the next commit finds out, and settles.
                with suppress(psycopg.Error):
                    if self.holds_lock:
                        with self.connection() as connection:
                            connection.execute("SELECT 1")
            finally:
                self._use.release()

    def _watch(self) -> None:
        """Cut the connection when the server hasn't answered for too long; who waits for it is told that it is lost."""
        while not self._closing.wait(HEARTBEAT_SECONDS):
            since, connection = self._busy_since, self._connection
            if since is not None and connection is not None and time.monotonic() - since > DEADLINE_SECONDS:
                with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as wire:
                    wire.shutdown(socket.SHUT_RDWR)


@contextmanager
def _without_warnings(connection: Connection[Any]) -> Iterator[None]:
    """Commit something, and take it for uncertain if the server warns.

    A wait for a synchronous standby that is cancelled ends in success and a warning: committed here, perhaps nowhere
    else (PostgreSQL, "Synchronous Replication").
    """
    warnings: list[str] = []

    def listen(notice: psycopg.errors.Diagnostic) -> None:
        if notice.severity_nonlocalized == "WARNING":
            warnings.append(notice.message_primary or "a warning")

    connection.add_notice_handler(listen)
    try:
        yield
    finally:
        connection.remove_notice_handler(listen)
    if warnings:
        raise psycopg.OperationalError(f"the server warns: {warnings[0]}")


@contextmanager
def _deadline(connection: Connection[Any]) -> Iterator[None]:
    """Cancel what the server does if it takes too long; a timeout of its own would not end a wait for a standby."""

    def cancel() -> None:
        with suppress(psycopg.Error):
            connection.cancel_safe(timeout=CONNECT_SECONDS)

    timer = threading.Timer(DEADLINE_SECONDS, cancel)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()  # or it would cancel whatever the connection does next


class PostgresLogRecorder(PostgresApplicationRecorder):
    """The library's recorder, with a group's other rows in the events' own statement."""

    def __init__(self, datastore: PostgresPool | PostgresSession) -> None:
        super().__init__(datastore)
        self._session: Final = datastore.session if isinstance(datastore, PostgresSession) else None
        self._beside: Final = PostgresBeside(datastore)
        self._shown: CheckpointRow | None = None

    @property
    def beside(self) -> "PostgresBeside":
        """Rows of a table."""
        return self._beside

    def settle(self) -> None:
        """Hold the lock in a session that is known to be the only one, and to read what stays."""
        if self._session is None:
            raise UsageError("this ledger was opened to be read: open it as its writer")
        try:
            self._session.settle()
        except psycopg.Error as error:
            raise OperationalError(str(error)) from error

    def confirm(self) -> None:
        """Ask the server something in the session that holds the lock: if it answers, the lock was held until then.

        A reader has no such session. It commits something after what it read: once that is on a synchronous standby,
        so is everything before it.
        """
        if self._session is None:
            self._confirm_what_was_read()
            return
        with self._writing() as connection:
            connection.execute("SELECT 1")

    def _confirm_what_was_read(self) -> None:
        with (
            self.datastore.get_connection() as connection,
            _deadline(connection),
            _without_warnings(connection),
            connection.transaction(),
        ):
            cursor = connection.cursor(binary=True, row_factory=tuple_row)
            if cursor.execute(_ASKS_FOR_LESS).fetchone() == (True,):
                return
            if cursor.execute("SELECT pg_is_in_recovery()").fetchone() == (True,):
                raise psycopg.OperationalError("it is a standby server: read the primary, which can tell")
            # Another connection may be one to another server: what was read must be there too.
            if self._shown is not None and cursor.execute(_HAS_CHECKPOINT, self._shown).fetchone() != (True,):
                raise psycopg.OperationalError("it isn't there any more: read again")
            cursor.execute(_WAITS_FOR_STANDBY)
            cursor.execute(_BARRIER)

    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        **kwargs: Any,  # noqa: ANN401 - the library's own signature
    ) -> Sequence[int] | None:
        """Keep the events with their group, in one statement and one attempt; without a group, as the library does."""
        group = cast("Group | None", kwargs.get("group"))
        if group is None:
            ids: Sequence[int] | None = super().insert_events(stored_events, **kwargs)
            return ids
        with self._writing() as connection, _without_warnings(connection):
            connection.execute(_INSERT_GROUP, self._group_parameters(stored_events, group))
        return None

    @contextmanager
    def _writing(self) -> Iterator[Connection[DictRow]]:
        """Give the session that holds the lock."""
        with self.datastore.get_connection() as connection:
            if self._session is None or not self._session.holds_lock:
                raise OperationalError("the session that held the writer's lock is lost")
            yield connection

    def _group_parameters(self, stored_events: Sequence[StoredEvent], group: Group) -> dict[str, Any]:
        levels, positions, hashes = zip(*group.tree_hashes, strict=True)
        indices, parties, refs = zip(*group.references, strict=True)
        return {
            "origin": stored_events[0].originator_id,
            "versions": [event.originator_version for event in stored_events],
            "topics": [event.topic for event in stored_events],
            "states": [event.state for event in stored_events],
            "levels": list(levels),
            "positions": list(positions),
            "hashes": list(hashes),
            "indices": list(indices),
            "parties": list(parties),
            "refs": list(refs),
            "number": group.checkpoint.number,
            "size": group.checkpoint.size,
            "note": group.checkpoint.note,
        }

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield entries in order; each batch is a read of its own, so a long reader holds no old rows."""
        for first in range(start, stop, ENTRIES_READ_AT_ONCE):
            rows = self._read(
                "SELECT state FROM tallystick.stored_events WHERE originator_version > %s AND originator_version <= %s "
                "AND originator_id = (SELECT originator_id FROM tallystick.stored_events LIMIT 1) "
                "ORDER BY originator_version",
                (first, min(first + ENTRIES_READ_AT_ONCE, stop)),
            )
            for (state,) in rows:
                yield bytes_in(state)

    def entry_count(self) -> int:
        """Return the highest index + 1."""
        rows = self._read("SELECT coalesce(max(originator_version), 0) FROM tallystick.stored_events", ())
        return number_in(rows[0][0])

    def tree_hashes(self, level: int, start: int, stop: int) -> list[bytes]:
        """Return hashes of one tile level."""
        rows = self._read(
            "SELECT hash FROM tallystick.tree WHERE level = %s AND position >= %s AND position < %s ORDER BY position",
            (level, start, stop),
        )
        return [bytes_in(value) for (value,) in rows]

    def newest_checkpoint(self) -> CheckpointRow | None:
        """Return the checkpoint with the highest number."""
        rows = self._read("SELECT number, size, note FROM tallystick.checkpoints ORDER BY number DESC LIMIT 1", ())
        self._shown = row_in(rows[0]) if rows else None
        return self._shown

    def checkpoints(self, start: int) -> Iterator[CheckpointRow]:
        """Yield checkpoints in order, each batch by a read of its own."""
        while True:
            rows = self._read(
                "SELECT number, size, note FROM tallystick.checkpoints WHERE number >= %s ORDER BY number LIMIT %s",
                (start, CHECKPOINTS_READ_AT_ONCE),
            )
            yield from map(row_in, rows)
            if len(rows) < CHECKPOINTS_READ_AT_ONCE:
                return
            start = rows[-1][0] + 1

    def find_references(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """Return the entry index of each (party, ref) that was used."""
        rows = self._read(
            "SELECT party, ref, leaf_index FROM tallystick.refs "
            "WHERE (party, ref) IN (SELECT * FROM unnest(%s::text[], %s::text[]))",
            ([party for party, _ in keys], [ref for _, ref in keys]),
        )
        return {(party, ref): index for party, ref, index in rows}

    def close(self) -> None:
        """End the session, or the pool."""
        self.datastore.close()

    def _read(self, statement: str, parameters: tuple[Any, ...]) -> list[TupleRow]:
        with self.datastore.get_connection() as connection:
            cursor: Cursor[TupleRow] = connection.cursor(binary=True, row_factory=tuple_row)
            return cursor.execute(statement.encode(), parameters).fetchall()


class PostgresBeside:
    """Rows of the table `beside`."""

    def __init__(self, datastore: PostgresDatastore) -> None:
        self._datastore = datastore

    def read(self, name: str, size_max: int) -> bytes | None:
        """Return a row's bytes, cut by the server."""
        with self._datastore.get_connection() as connection:
            cursor = connection.cursor(binary=True, row_factory=tuple_row)
            row = cursor.execute(
                "SELECT substr(data, 1, %s) FROM tallystick.beside WHERE name = %s", (size_max + 1, name)
            ).fetchone()
        return row[0] if row else None

    def write(self, name: str, data: bytes) -> None:
        """Replace a row."""
        with self._datastore.get_connection() as connection:
            connection.execute(
                "INSERT INTO tallystick.beside VALUES (%s, %b) ON CONFLICT (name) DO UPDATE SET data = excluded.data",
                (name, data),
            )

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold a lock for the length of a transaction."""
        with self._datastore.get_connection() as connection, connection.transaction():
            if not hold_others_off(connection):
                raise LedgerBusyError("somebody else writes beside this ledger; try again when it is done")
            yield


class PostgresLogFactory(PostgresFactory):
    """The library's factory, over a writer's session."""

    def __init__(self, env: Environment | EnvType | None) -> None:
        # The library's own constructor wants host, port and user one by one; a URL may have several.
        super(BasePostgresFactory, self).__init__(env)
        self._url = self.env[_DATABASE]

    def application_recorder(self) -> PostgresLogRecorder:
        """Return the log, which must be there."""
        self.datastore = PostgresSession(self._url)
        _require_schema(self._url)
        return PostgresLogRecorder(self.datastore)


def postgres_environment(url: str) -> dict[str, str]:
    """Return the environment of a LedgerRecord that writes to a database."""
    return environment(PostgresLogFactory, **{_DATABASE: url})


def open_postgres(url: str, *, read_only: bool = True) -> PostgresLogRecorder:
    """Return a log for reading, also while it is being written, or for what lies beside it.

    Raises:
        NotALedgerError: there is none.
        StoreFailedError: the database can't be reached.
    """
    _require_schema(url)
    datastore = PostgresPool(url, read_only=read_only)
    try:
        return PostgresLogRecorder(datastore)
    except BaseException:
        datastore.close()
        raise


def _require_schema(url: str) -> None:
    """Raise unless the ledger's tables are there, and are tables: a view would run its author's statements here."""
    name = without_password(url)
    try:
        with connect(url) as connection:
            kinds: dict[str, bool] = dict(connection.execute(_READ_KINDS).fetchall())
    except psycopg.Error as error:
        raise StoreFailedError(f"{name} can't be used: {said(error)}") from None
    if "checkpoints" not in kinds:
        raise NotALedgerError(f"{name} holds no ledger; `tallystick ledger create` makes one")
    odd = sorted(table for table, is_ordinary in kinds.items() if not is_ordinary)
    if odd:
        raise NotALedgerError(f"{name}: {odd[0]} is no ordinary table; `tallystick audit` says more")
