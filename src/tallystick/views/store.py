"""The views' own file: rows, and the place in the log that they stand for, are one transaction; neither is ever ahead.

It is `eventsourcing`'s SQLite tracking recorder with our tables beside its `tracking` row, which holds index + 1 of the
last entry followed. The file can be deleted at any time. One that isn't a sound views file of this format and this log
is deleted here.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from eventsourcing.persistence import IntegrityError, PersistenceError, Tracking
from eventsourcing.sqlite import SQLiteCursor, SQLiteDatastore, SQLiteTrackingRecorder

from tallystick.errors import LedgerError

FORMAT: Final = 3
"""Goes up with every change of a table, of what its rows mean, or of State; a file of another number is built anew."""
APPLICATION_ID: Final = 0x54535657
FOLLOWED_LOG: Final = "tallystick"

_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS followed ("
    "origin TEXT PRIMARY KEY, at INTEGER NOT NULL, entry_sha256 TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS saved_state (size INTEGER PRIMARY KEY, data BLOB NOT NULL)",
)

Write = Callable[[SQLiteCursor], None]


@dataclass(frozen=True, slots=True)
class Place:
    """How far a log was followed: how many entries, the time of the last (microseconds), and its SHA-256 (hex)."""

    size: int = 0
    at: int = 0
    entry_sha256: str = ""


class ViewStore(SQLiteTrackingRecorder):
    """The library's recorder with the views' tables."""

    def __init__(self, path: Path | None, origin: str, tables: Sequence[str]) -> None:
        """Open a file, which is made if it isn't there or isn't ours; or memory, if there is no path.

        Raises:
            LedgerError: it can't be opened or made.
        """
        self.name: Final = str(path) if path else "the views in memory"
        self._origin = origin
        self._tables = (*_TABLES, *tables)
        with self.told():
            if path is not None and path.exists() and not self._is_ours(path):
                remove(path)
            # One connection: in memory every further one would be a database of its own.
            super().__init__(SQLiteDatastore(_uri(path, "rwc") if path else ":memory:", pool_size=1, max_overflow=0))
            try:
                self.create_table()
            except BaseException:
                self.close()
                raise

    def construct_create_table_statements(self) -> list[str]:
        """Return the library's statements and ours."""
        marks = (f"PRAGMA application_id = {APPLICATION_ID}", f"PRAGMA user_version = {FORMAT}")
        return [*super().construct_create_table_statements(), *self._tables, *marks]

    def _create_table(self, c: SQLiteCursor) -> None:
        super()._create_table(c)
        c.execute("INSERT OR IGNORE INTO followed VALUES (?, 0, '')", (self._origin,))

    def place(self) -> Place:
        """Return how far the log was followed."""
        with self.reading() as c:
            size = self._max_tracking_id(FOLLOWED_LOG, c)
            c.execute("SELECT at, entry_sha256 FROM followed")
            return Place(size or 0, *c.fetchone())

    def keep(self, before: Place, after: Place, write: Write) -> bool:
        """Write a batch's rows and its place, or nothing.

        Args:
            before: where the batch begins.
            after: where it ends, further on.
            write: writes the rows.

        Returns:
            Whether it was kept: not if somebody else has followed the log meanwhile.

        Raises:
            LedgerError: nothing was kept.
        """
        with self.told():
            try:
                with self.datastore.transaction(commit=True) as c:
                    # A write comes first: it takes the lock, so that what is read next can't be out of date.
                    c.execute("UPDATE followed SET at = ?, entry_sha256 = ?", (after.at, after.entry_sha256))
                    if (self._max_tracking_id(FOLLOWED_LOG, c) or 0) != before.size:
                        raise IntegrityError(f"no longer at {before.size}")
                    write(c)
                    self._insert_tracking(c, Tracking(FOLLOWED_LOG, after.size))
            except IntegrityError:
                if self.place() == before:
                    raise
                return False
        return True

    def save_state(self, size: int, data: bytes) -> None:
        """Keep the bytes of the state at a size, instead of older ones."""
        with self.told(), self.datastore.transaction(commit=True) as c:
            c.execute("DELETE FROM saved_state")
            c.execute("INSERT INTO saved_state VALUES (?, ?)", (size, data))

    def saved_state(self) -> tuple[int, bytes] | None:
        """Return the state that was kept and its size."""
        with self.reading() as c:
            c.execute("SELECT size, data FROM saved_state")
            row = c.fetchone()
        return (row[0], row[1]) if row else None

    @contextmanager
    def reading(self) -> Iterator[SQLiteCursor]:
        """Give a cursor that reads; all that it reads is of one moment.

        Raises:
            LedgerError: the file can't be read.
        """
        with self.told(), self.datastore.transaction(commit=False) as c:
            yield c

    def close(self) -> None:
        """Let go of the file."""
        self.datastore.close()

    @contextmanager
    def told(self) -> Iterator[None]:
        """Say in one line what is wrong with the file."""
        try:
            yield
        except (PersistenceError, sqlite3.Error, OSError) as error:
            raise LedgerError(f"{self.name}: {error}; it may be deleted, it is built again from the log") from None

    def _is_ours(self, path: Path) -> bool:
        """Return whether a file is sound, of this format, and of this log."""
        wanted = {statement.split("(")[0].split()[-1] for statement in self._tables if "CREATE TABLE" in statement}
        try:
            with closing(sqlite3.connect(_uri(path, "rw"), uri=True)) as connection:
                ask = connection.execute
                return (
                    ask("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
                    and ask("PRAGMA user_version").fetchone() == (FORMAT,)
                    and ask("PRAGMA quick_check(1)").fetchone() == ("ok",)
                    and ask("SELECT origin FROM followed").fetchall() == [(self._origin,)]
                    and wanted <= {name for (name,) in ask("SELECT name FROM sqlite_schema")}
                )
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", None) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CANTOPEN):
                raise
            return False


class ExactSums:
    """Sums by key that no envelope bounds, so they may outgrow SQLite's 64 bits: kept as decimal text and added here.

    Fees, GPU-time and refused lines are what a provider says they are: one that says too much must not stop the views.
    """

    def __init__(self, table: str, keys: Sequence[str], sums: Sequence[str]) -> None:
        self._sums = sums
        where = " AND ".join(f"{key} = ?" for key in keys)
        places = ", ".join("?" * (len(keys) + len(sums)))
        self._select = f"SELECT {', '.join(sums)} FROM {table} WHERE {where}"  # noqa: S608 - our own names
        self._insert = f"INSERT OR REPLACE INTO {table} VALUES ({places})"  # noqa: S608 - our own names
        self._amounts: dict[tuple[str, ...], dict[str, int]] = {}

    def add(self, key: tuple[str, ...], **amounts: int) -> None:
        """Add to some sums of a key."""
        row = self._amounts.setdefault(key, dict.fromkeys(self._sums, 0))
        for name, amount in amounts.items():
            row[name] += amount

    def write(self, c: SQLiteCursor) -> None:
        """Add all that was added to the rows of the table."""
        for key, amounts in self._amounts.items():
            c.execute(self._select, key)
            row = c.fetchone() or [0] * len(self._sums)
            sums = [str(int(old) + amounts[name]) for old, name in zip(row, self._sums, strict=True)]
            c.execute(self._insert, (*key, *sums))


def exact_sums_table(table: str, keys: Sequence[str], sums: Sequence[str]) -> str:
    """Return the statement that makes a table of exact sums."""
    columns = [f"{name} TEXT NOT NULL" for name in (*keys, *sums)]
    return f"CREATE TABLE IF NOT EXISTS {table} ({', '.join(columns)}, PRIMARY KEY ({', '.join(keys)})) WITHOUT ROWID"


def remove(path: Path) -> None:
    """Delete a views file and what SQLite keeps beside it."""
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        path.with_name(name).unlink(missing_ok=True)


def _uri(path: Path, mode: str) -> str:
    return f"file:{quote(os.fsencode(path.absolute()))}?mode={mode}"
