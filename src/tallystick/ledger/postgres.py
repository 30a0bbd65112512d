"""The log in PostgreSQL: what is answered is on the disks that PostgreSQL answers for, and one session may write.

session   A writer reads and commits through one session, which holds the lock (`postgres_session`).
fence     A writer that doesn't know it was fenced is refused by the primary key.
barrier   A reader that hands on a checkpoint commits a message in the log after what it read: once that is on a
          synchronous standby, so is everything before it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, cast

import psycopg
from psycopg import Connection, Cursor
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
from tallystick.ledger.postgres_lock import hold_others_off
from tallystick.ledger.postgres_session import (
    CONNECT_SECONDS,
    SCHEMA,
    WAITS_FOR_STANDBY,
    PostgresSession,
    connect,
    connection_parameters,
    deadline,
    without_warnings,
)
from tallystick.ledger.postgres_settings import set_what_is_relied_on
from tallystick.ledger.record import ENTRIES_READ_AT_ONCE, environment
from tallystick.ledger.store import CheckpointRow, Group, all_bytes, bytes_in, number_in, row_in
from tallystick.postgres_urls import said
from tallystick.sources import without_password

CHECKPOINTS_READ_AT_ONCE: Final = 256

_DATABASE: Final = "TALLYSTICK_DATABASE"
_READ_KINDS: Final = (
    "SELECT c.relname::text, c.relkind = 'r' FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = 'tallystick' AND c.relname IN ('stored_events', 'tree', 'checkpoints', 'refs', 'sidecar')"
)
# A URL that says so takes what a server shows, and doesn't ask whether it stays.
_ASKS_FOR_LESS: Final = (
    "SELECT EXISTS (SELECT FROM pg_settings WHERE name = 'synchronous_commit' AND source = 'client' "
    "AND setting IN ('off', 'local'))"
)
_HAS_CHECKPOINT: Final = (
    "SELECT EXISTS (SELECT FROM tallystick.checkpoints WHERE number = %s AND size = %s AND note = %b)"
)
# A transaction that wrote nothing to the log would not wait; this writes there, and to no table, so anybody may.
_BARRIER: Final = "SELECT pg_logical_emit_message(true, 'tallystick', '')"
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


class PostgresPool(PostgresDatastore):
    """The library's pool of connections, which only read unless told otherwise."""

    def __init__(self, url: str, *, read_only: bool = True) -> None:
        parameters = connection_parameters(url)
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


class PostgresLogRecorder(PostgresApplicationRecorder):
    """The library's recorder, with a group's other rows in the events' own statement."""

    def __init__(self, datastore: PostgresPool | PostgresSession) -> None:
        super().__init__(datastore)
        self._session: Final = datastore.session if isinstance(datastore, PostgresSession) else None
        self._sidecar: Final = PostgresSidecar(datastore)
        self._shown: CheckpointRow | None = None

    @property
    def sidecar(self) -> "PostgresSidecar":
        """Rows of a table."""
        return self._sidecar

    def acquire(self) -> None:
        """Hold the lock in a session that is known to be the only one, and to read what stays."""
        if self._session is None:
            raise UsageError("this ledger was opened to be read: open it as its writer")
        try:
            self._session.acquire()
        except psycopg.Error as error:
            raise OperationalError(str(error)) from error

    def wait_replicated(self) -> None:
        """Ask the server something in the session that holds the lock: if it answers, the lock was held until then.

        A reader has no such session. It commits something after what it read: once that is on a synchronous standby,
        so is everything before it.
        """
        if self._session is None:
            self._wait_for_what_was_read()
            return
        with self._writing() as connection:
            connection.execute("SELECT 1")

    def _wait_for_what_was_read(self) -> None:
        with (
            self.datastore.get_connection() as connection,
            deadline(connection),
            without_warnings(connection),
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
            cursor.execute(WAITS_FOR_STANDBY)
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
        with self._writing() as connection, without_warnings(connection):
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
        return all_bytes([value for (value,) in rows])

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
        if len(keys) == 1:  # the server plans this once, and the other one each time
            rows = self._read(
                "SELECT party, ref, leaf_index FROM tallystick.refs WHERE party = %s AND ref = %s", keys[0]
            )
        else:
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


class PostgresSidecar:
    """Rows of the table `sidecar`."""

    def __init__(self, datastore: PostgresDatastore) -> None:
        self._datastore = datastore

    def read(self, name: str, size_max: int) -> bytes | None:
        """Return a row's bytes, cut by the server."""
        with self._datastore.get_connection() as connection:
            cursor = connection.cursor(binary=True, row_factory=tuple_row)
            row = cursor.execute(
                "SELECT substr(data, 1, %s) FROM tallystick.sidecar WHERE name = %s", (size_max + 1, name)
            ).fetchone()
        return row[0] if row else None

    def write(self, name: str, data: bytes) -> None:
        """Replace a row."""
        with self._datastore.get_connection() as connection:
            connection.execute(
                "INSERT INTO tallystick.sidecar VALUES (%s, %b) ON CONFLICT (name) DO UPDATE SET data = excluded.data",
                (name, data),
            )

    @contextmanager
    def exclusive_lock(self) -> Iterator[None]:
        """Hold a lock for the length of a transaction."""
        with self._datastore.get_connection() as connection, connection.transaction():
            if not hold_others_off(connection):
                raise LedgerBusyError("another process writes beside this ledger; try again when it is done")
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
