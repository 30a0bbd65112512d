"""The log in one SQLite file: entries, tree, checkpoint and references in one transaction, never changed or deleted.

    stored_events  eventsourcing's own table; originator_id is the log's origin, originator_version the index + 1
    tree           complete tile-level hashes: level 0 are leaf hashes, a hash of level l + 1 is over 256 of level l
    checkpoints    one for each group, numbered from 0 without gaps
    refs           which entry a party's reference belongs to

Triggers refuse UPDATE and DELETE: they stop accidents; whoever gets round them is caught by the audit. WAL with
synchronous=FULL: what was committed survives a crash of the process and of the machine. One process writes at a time:
it holds an advisory lock on the file's neighbour, which the system drops with the process however that ends.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import quote

from eventsourcing.persistence import InterfaceError, StoredEvent
from eventsourcing.sqlite import (
    Factory,
    SQLiteAggregateRecorder,
    SQLiteApplicationRecorder,
    SQLiteConnection,
    SQLiteConnectionPool,
    SQLiteCursor,
    SQLiteDatastore,
)
from eventsourcing.utils import Environment, EnvType

from tallystick.errors import LedgerBusyError
from tallystick.ledger.record import ENTRIES_READ_AT_ONCE, environment
from tallystick.ledger.store import CheckpointRow, Group

_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS tree ("
    "level INTEGER, position INTEGER, hash BLOB NOT NULL, PRIMARY KEY (level, position)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS checkpoints ("
    "number INTEGER PRIMARY KEY, size INTEGER NOT NULL UNIQUE, note BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS refs ("
    "leaf_index INTEGER PRIMARY KEY, party TEXT NOT NULL, ref TEXT NOT NULL, UNIQUE (party, ref))",
)
PAGE_SIZE: Final = 8_192
LOG_TABLES: Final = ("stored_events", "tree", "checkpoints", "refs")


def _trigger(table: str, action: str) -> str:
    return (
        f"CREATE TRIGGER IF NOT EXISTS {table}_refuses_{action.lower()} BEFORE {action} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )


class SQLiteLogRecorder(SQLiteApplicationRecorder):
    """The library's recorder, with a group's other rows in the events' own transaction."""

    def construct_create_table_statements(self) -> list[str]:
        """Return the library's statements and ours."""
        triggers = [_trigger(table, action) for table in LOG_TABLES for action in ("UPDATE", "DELETE")]
        return [*super().construct_create_table_statements(), *_TABLES, *triggers]

    def _insert_events(
        self, c: SQLiteCursor, stored_events: Sequence[StoredEvent], **kwargs: object
    ) -> Sequence[int] | None:
        group = cast(Group, kwargs["group"])
        # The aggregate recorder's insert is one executemany; the application recorder's asks each row for its rowid,
        # which is no position of ours.
        SQLiteAggregateRecorder._insert_events(self, c, stored_events)
        c.executemany("INSERT INTO tree VALUES (?, ?, ?)", group.tree_hashes)
        c.executemany("INSERT INTO refs VALUES (?, ?, ?)", group.references)
        c.execute("INSERT INTO checkpoints VALUES (?, ?, ?)", group.checkpoint)
        return None

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield entries in order; each batch is a read of its own, so a long reader doesn't hold the WAL back."""
        for first in range(start, stop, ENTRIES_READ_AT_ONCE):
            last = min(first + ENTRIES_READ_AT_ONCE, stop)
            yield from self._read(
                "SELECT state FROM stored_events WHERE originator_version > ? AND originator_version <= ? "
                "AND originator_id = (SELECT originator_id FROM stored_events LIMIT 1) ORDER BY originator_version",
                (first, last),
            )

    def entry_count(self) -> int:
        """Return the highest index + 1."""
        return int(self._read("SELECT ifnull(max(originator_version), 0) FROM stored_events", ())[0])

    def tree_hashes(self, level: int, start: int, stop: int) -> list[bytes]:
        """Return hashes of one tile level."""
        return self._read(
            "SELECT hash FROM tree WHERE level = ? AND position >= ? AND position < ? ORDER BY position",
            (level, start, stop),
        )

    def newest_checkpoint(self) -> CheckpointRow | None:
        """Return the checkpoint with the highest number."""
        with self.datastore.transaction(commit=False) as c:
            c.execute("SELECT number, size, note FROM checkpoints ORDER BY number DESC LIMIT 1")
            row = c.fetchone()
        return CheckpointRow(*row) if row else None

    def find_references(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """Return the entry index of each (party, ref) that was used."""
        found = {}
        with self.datastore.transaction(commit=False) as c:
            for key in keys:
                c.execute("SELECT leaf_index FROM refs WHERE party = ? AND ref = ?", key)
                row = c.fetchone()
                if row:
                    found[key] = row[0]
        return found

    def close(self) -> None:
        """Close the connections."""
        self.datastore.close()

    def _read(self, statement: str, parameters: tuple[int, ...]) -> list[Any]:
        """Return the first column of all rows."""
        with self.datastore.transaction(commit=False) as c:
            c.execute(statement, parameters)
            return [row[0] for row in c.fetchall()]


class _DurablePool(SQLiteConnectionPool):
    """Connections that commit to the disk, and say of a missing file that it is missing."""

    def _create_connection(self) -> SQLiteConnection:
        connection = super()._create_connection()
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=FULL")
        return connection


class SQLiteLogFactory(Factory):
    """The library's factory, on connections that are durable."""

    application_recorder_class = SQLiteLogRecorder

    def __init__(self, env: Environment | EnvType | None) -> None:
        super().__init__(env)
        pool = self.datastore.pool
        self.datastore.pool = _DurablePool(db_name=pool.db_name, lock_timeout=pool.lock_timeout)


def sqlite_environment(path: Path) -> dict[str, str]:
    """Return the environment of a LedgerRecord that writes to a file, which is made if it isn't there."""
    if not path.exists():
        _make(path)
    return environment(SQLiteLogFactory, SQLITE_DBNAME=_uri(path, "rwc"), CREATE_TABLE="yes")


def _make(path: Path) -> None:
    """Make an empty file; the size of its pages must be said before anything else, and entries run to 64 KB."""
    connection = sqlite3.connect(path)
    try:
        connection.execute(f"PRAGMA page_size={PAGE_SIZE}")
        connection.execute("PRAGMA journal_mode=WAL")
    finally:
        connection.close()


def open_read_only(path: Path) -> SQLiteLogRecorder:
    """Return a recorder that can't write, for a file that another process may be writing.

    Raises:
        eventsourcing.persistence.InterfaceError: it can't be opened.
    """
    datastore = SQLiteDatastore(_uri(path, "ro"), originator_id_type="text")
    recorder = SQLiteLogRecorder(datastore)
    try:
        recorder.entry_count()
    except (sqlite3.OperationalError, InterfaceError):
        # On a read-only medium SQLite can't make the WAL's shared memory; if nobody writes, none is needed.
        if path.with_name(path.name + "-wal").exists():
            raise
        datastore.close()
        recorder = SQLiteLogRecorder(SQLiteDatastore(_uri(path, "ro") + "&immutable=1", originator_id_type="text"))
    return recorder


def _uri(path: Path, mode: str) -> str:
    return f"file:{quote(str(path.absolute()))}?mode={mode}"


class WriterLock:
    """Held by the one process that writes; freed by the system when that process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        """Take the lock.

        Raises:
            LedgerBusyError: another writer has it.
        """
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            raise LedgerBusyError(
                f"{path.parent} is being written by another process; try again when it is done"
            ) from None

    def release(self) -> None:
        """Give the lock back."""
        os.close(self._file)
