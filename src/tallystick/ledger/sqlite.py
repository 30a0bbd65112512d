"""The log in one SQLite file: entries, tree, checkpoint and references in one transaction, never changed or deleted.

    stored_events  entries (docs/formats.md, 16); originator_id is the log's origin, originator_version the index + 1
    tree           complete tile-level hashes: level 0 are leaf hashes, a hash of level l + 1 is over 256 of level l
    checkpoints    one for each group, numbered from 0 without gaps
    refs           which entry a party's reference belongs to

Triggers refuse UPDATE and DELETE: they stop accidents; a change that gets round them is caught by the audit. WAL with
synchronous=FULL: what was committed survives a crash of the process and of the machine. One process writes at a time:
it holds an advisory lock on the file's neighbour, which the system drops with the process however that ends.
"""

import fcntl
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import quote

from tallystick.durable_files import create_private
from tallystick.errors import LedgerBusyError, NotALedgerError
from tallystick.ledger.library import (
    Environment,
    EnvType,
    OperationalError,
    PersistenceError,
    SQLiteAggregateRecorder,
    SQLiteApplicationRecorder,
    SQLiteCursor,
    SQLiteDatastore,
    SQLiteFactory,
    StoredEvent,
)
from tallystick.ledger.record import ENTRIES_READ_AT_ONCE, environment
from tallystick.ledger.sidecar import FolderSidecar
from tallystick.ledger.sqlite_connections import SQLiteConnections
from tallystick.ledger.store import CheckpointRow, Group, Sidecar, all_bytes, bytes_in, number_in, row_in
from tallystick.sources import DATABASE

_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS tree ("
    "level INTEGER, position INTEGER, hash BLOB NOT NULL, PRIMARY KEY (level, position)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS checkpoints ("
    "number INTEGER PRIMARY KEY, size INTEGER NOT NULL UNIQUE, note BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS refs ("
    "leaf_index INTEGER PRIMARY KEY, party TEXT NOT NULL, ref TEXT NOT NULL, UNIQUE (party, ref))",
)
LOCK: Final = "ledger.lock"
PAGE_SIZE: Final = 8_192
CHECKPOINTS_READ_AT_ONCE: Final = 256
_FOLDER: Final = "TALLYSTICK_FOLDER"
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

    def __init__(self, datastore: SQLiteDatastore, folder: Path) -> None:
        """Take the connections, and the ledger's folder: there lie the lock and what is beside the log."""
        super().__init__(datastore)
        self._folder = folder
        self._lock: WriterLock | None = None
        self._files: list[tuple[int, int]] | None = None

    @property
    def sidecar(self) -> Sidecar:
        """Files of the ledger's folder."""
        return FolderSidecar(self._folder)

    def acquire(self) -> None:
        """Hold the folder's lock; a commit that failed is rolled back when its call returns, so there is no other."""
        if self._lock is None:
            self._lock = WriterLock(self._folder / LOCK)
        self.wait_replicated()

    def wait_replicated(self) -> None:
        """See that any other process would open what is written here; the lock is held until the store is closed.

        A file that was removed or replaced goes on taking commits from who has it open, and is gone with the last of
        them. What was only read was on the disk.
        """
        if self._lock is None:
            return
        path = self._folder / DATABASE
        try:
            files = [(status.st_dev, status.st_ino) for status in (path.stat(), _wal_of(path).stat())]
            if files == self._files:
                return
            # SQLite may have made its WAL anew, never the file itself; others must then see what is seen here.
            with closing(open_read_only(path)) as seen_by_others:
                same = seen_by_others.newest_checkpoint() == self.newest_checkpoint()
            if not same or (self._files is not None and files[0] != self._files[0]):
                raise OperationalError("it is not the file that is written here")
            self._files = files
        except (OSError, sqlite3.Error, PersistenceError) as error:
            raise OperationalError(f"{path} was removed or replaced under its writer: {error}") from error

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: object) -> Sequence[int] | None:
        """Keep the events; they are only kept if others can see them."""
        ids = super().insert_events(stored_events, **kwargs)
        if "group" in kwargs:
            self.wait_replicated()
        return ids

    def _insert_events(
        self, c: SQLiteCursor, stored_events: Sequence[StoredEvent], **kwargs: object
    ) -> Sequence[int] | None:
        group = cast("Group | None", kwargs.get("group"))
        if group is None:
            return super()._insert_events(c, stored_events, **kwargs)
        # The aggregate recorder's insert is one executemany; the application recorder's asks each row for its rowid,
        # which is no position of ours.
        SQLiteAggregateRecorder._insert_events(self, c, stored_events)
        c.executemany("INSERT INTO tree VALUES (?, ?, ?)", group.tree_hashes)
        c.executemany("INSERT INTO refs VALUES (?, ?, ?)", group.references)
        c.execute("INSERT INTO checkpoints VALUES (?, ?, ?)", group.checkpoint)
        return None

    def require_own_tables(self) -> None:
        """Raise unless the log's tables are, word for word, those that are made here.

        Raises:
            NotALedgerError: one isn't: a view, say, would run its author's statements.
        """
        with self.datastore.transaction(commit=False) as c:
            c.execute("SELECT lower(name), substr(sql, 1, 1000) FROM sqlite_master WHERE type <> 'trigger' LIMIT 1000")
            found = [tuple(row) for row in c.fetchall()]
        for statement in self.construct_create_table_statements()[: len(LOG_TABLES)]:
            made = statement.replace("IF NOT EXISTS ", "")
            table = made.split()[2]
            if [sql for name, sql in found if name == table] != [made]:
                path = self._folder / DATABASE
                raise NotALedgerError(
                    f"{path}: {table} is not the table that a ledger makes; `tallystick audit` says more"
                )

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield entries in order; each batch is a read of its own, so a long reader doesn't hold the WAL back."""
        for first in range(start, stop, ENTRIES_READ_AT_ONCE):
            last = min(first + ENTRIES_READ_AT_ONCE, stop)
            yield from self._bytes(  # one by one: those before one that is none are good
                "SELECT state FROM stored_events WHERE originator_version > ? AND originator_version <= ? "
                "AND originator_id = (SELECT originator_id FROM stored_events LIMIT 1) ORDER BY originator_version",
                (first, last),
            )

    def entry_count(self) -> int:
        """Return the highest index + 1."""
        return number_in(self._read("SELECT ifnull(max(originator_version), 0) FROM stored_events", ())[0])

    def tree_hashes(self, level: int, start: int, stop: int) -> list[bytes]:
        """Return hashes of one tile level."""
        statement = "SELECT hash FROM tree WHERE level = ? AND position >= ? AND position < ? ORDER BY position"
        return all_bytes(self._read(statement, (level, start, stop)))

    def newest_checkpoint(self) -> CheckpointRow | None:
        """Return the checkpoint with the highest number."""
        with self.datastore.transaction(commit=False) as c:
            c.execute("SELECT number, size, note FROM checkpoints ORDER BY number DESC LIMIT 1")
            row = c.fetchone()
        return row_in(row) if row else None

    def checkpoints(self, start: int) -> Iterator[CheckpointRow]:
        """Yield checkpoints in order, each batch by a read of its own."""
        while True:
            with self.datastore.transaction(commit=False) as c:
                c.execute(
                    "SELECT number, size, note FROM checkpoints WHERE number >= ? ORDER BY number LIMIT ?",
                    (start, CHECKPOINTS_READ_AT_ONCE),
                )
                rows = c.fetchall()
            for row in map(row_in, rows):
                yield row
                start = row.number + 1
            if len(rows) < CHECKPOINTS_READ_AT_ONCE:
                return

    def find_references(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """Return the entry index of each (party, ref) that was used."""
        found = {}
        with self.datastore.transaction(commit=False) as c:
            for key in keys:
                c.execute("SELECT leaf_index FROM refs WHERE party = ? AND ref = ?", key)
                row = c.fetchone()
                if row:
                    found[key] = number_in(row[0])
        return found

    def close(self) -> None:
        """Close the connections, and give the lock back."""
        self.datastore.close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _bytes(self, statement: str, parameters: tuple[int, ...]) -> Iterator[bytes]:
        return map(bytes_in, self._read(statement, parameters))

    def _read(self, statement: str, parameters: tuple[int, ...]) -> list[Any]:
        """Return the first column of all rows."""
        with self.datastore.transaction(commit=False) as c:
            c.execute(statement, parameters)
            return [row[0] for row in c.fetchall()]


class SQLiteLogFactory(SQLiteFactory):
    """The library's factory, on connections that commit to the disk."""

    def __init__(self, env: Environment | EnvType | None) -> None:
        super().__init__(env)
        self.datastore = SQLiteConnections(self.env[self.SQLITE_DBNAME], synchronous="FULL")

    def application_recorder(self) -> SQLiteLogRecorder:
        """Return the log of the folder, made if it isn't there."""
        recorder = SQLiteLogRecorder(self.datastore, Path(self.env[_FOLDER]))
        try:
            recorder.create_table()
        except BaseException:
            self.datastore.close()
            raise
        return recorder


def sqlite_environment(path: Path) -> dict[str, str]:
    """Return the environment of a LedgerRecord that writes to a file, which is made if it isn't there."""
    if not path.exists():
        _make(path)
    return environment(SQLiteLogFactory, SQLITE_DBNAME=_uri(path, "rw"), **{_FOLDER: str(path.parent)})


def _wal_of(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def require(folder: Path) -> None:
    """Raise unless a folder holds a ledger's file.

    Raises:
        NotALedgerError: it doesn't.
    """
    if not (folder / DATABASE).is_file():
        raise NotALedgerError(f"{folder} is not a ledger: it has no {DATABASE}; `tallystick ledger create` makes one")


def _make(path: Path) -> None:
    """Make an empty file; the size of its pages must be said before anything else, and entries run to 64 KB."""
    with suppress(FileExistsError):
        os.close(create_private(path))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA page_size={PAGE_SIZE}")
        connection.execute("PRAGMA journal_mode=WAL")


def open_read_only(path: Path) -> SQLiteLogRecorder:
    """Return a recorder that can't write, for a file that another process may be writing.

    Raises:
        NotALedgerError: its tables aren't a ledger's: what its schema says would be run here.
        PersistenceError: it can't be opened.
    """
    recorder = SQLiteLogRecorder(SQLiteConnections(_uri(path, "ro")), path.parent)
    try:
        recorder.require_own_tables()
    except PersistenceError as error:
        recorder.close()
        # On a read-only medium SQLite can't make the WAL's shared memory; if no commit is under way, none is needed.
        if not _is_read_only(error) or any(path.with_name(path.name + one).exists() for one in ("-wal", "-journal")):
            raise
        recorder = SQLiteLogRecorder(SQLiteConnections(_uri(path, "ro") + "&immutable=1"), path.parent)
        try:
            recorder.require_own_tables()
        except BaseException:
            recorder.close()
            raise
    except BaseException:
        recorder.close()
        raise
    return recorder


def _is_read_only(error: PersistenceError) -> bool:
    """Return whether SQLite would have to write something before it can read."""
    code = getattr(error.__cause__, "sqlite_errorcode", 0)
    return code & 0xFF in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)


def _uri(path: Path, mode: str) -> str:
    return f"file:{quote(os.fsencode(path.absolute()))}?mode={mode}"


def _open_lock(path: Path) -> int:
    """Return the lock's file, made if it isn't there: its owner's alone, for who may read it can hold it.

    Nothing is ever written to it, so one that another user made and this one may read is as good.
    """
    with suppress(FileExistsError):
        return create_private(path, 0o600)
    try:
        with suppress(PermissionError):
            return os.open(path, os.O_RDWR | os.O_CLOEXEC)  # NFS locks no file that was opened to be read
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except PermissionError:
        raise NotALedgerError(
            f"{path} is another user's, so this one can't tell whether the ledger is being written: give the file to "
            "the folder's owner (chown), or delete it when no writer is running"
        ) from None


class WriterLock:
    """Held by the one process that writes; freed by the system when that process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        """Take the lock.

        Raises:
            LedgerBusyError: another writer has it.
            NotALedgerError: another user made the file, and this one may not read it.
        """
        self._file = _open_lock(path)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            raise LedgerBusyError(
                f"{path.parent} is being written by another process; try again when it is done"
            ) from None
        except BaseException:
            os.close(self._file)
            raise

    def release(self) -> None:
        """Give the lock back."""
        os.close(self._file)
