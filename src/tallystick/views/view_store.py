"""The views' own file: rows, and the place in the log that they stand for, are one transaction; neither is ever ahead.

It is `eventsourcing`'s SQLite tracking recorder with our tables beside its `tracking` row, which holds index + 1 of the
last entry followed. The file can be deleted at any time.

A file that isn't a sound views file of this version and this log is built anew. What is sound is found out twice:

    opening    marks, version, schema word by word, SQLite's own integrity check, origin
    reading    the rows of each table that a question reads, all of them, against the table's checksum

A table's checksum is the sum of its rows' hashes, modulo 2^128. It is kept in the transaction that changes the rows, by
triggers that only this program's connection has. A change of a row by other means leaves a checksum that doesn't fit,
and goes on leaving it whatever is followed later. It has no key: an attacker who knows it can make it fit
(docs/views.md).
"""

import hashlib
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from tallystick.durable_files import create_private
from tallystick.errors import ViewsDamagedError, ViewsUnusableError
from tallystick.ledger.sqlite_connections import SQLiteConnections
from tallystick.signing import canonical_json
from tallystick.views.library import IntegrityError, PersistenceError, SQLiteCursor, SQLiteTrackingRecorder, Tracking
from tallystick.views.view_tables import Table
from tallystick.vouchers.saved_state import SCHEMA_SHA256

MEANING: Final = 1
"""Goes up when what the rows of the tables mean changes and no table does."""
APPLICATION_ID: Final = 0x54535657
FOLLOWED_LOG: Final = "tallystick"
LOCK_SECONDS: Final = 5.0
"""How long another process is waited for; then the question is answered without the file."""

_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS followed ("
    "origin TEXT PRIMARY KEY, at INTEGER NOT NULL, entry_sha256 TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS saved_state (size INTEGER PRIMARY KEY, data BLOB NOT NULL, data_sha256 TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS checksums (name TEXT PRIMARY KEY, checksum TEXT NOT NULL) WITHOUT ROWID",
)
_HASH_SIZE: Final = 16
_MODULUS: Final = 256**_HASH_SIZE
_TRIGGERS: Final = {"INSERT": (("NEW", 1),), "DELETE": (("OLD", -1),), "UPDATE": (("OLD", -1), ("NEW", 1))}

# What SQLite says of the machine, of rights and of others at work; all else it says of the file.
_NOT_THE_FILES_FAULT: Final = frozenset(
    (
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOLFS,
        sqlite3.SQLITE_AUTH,
    )
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

    def __init__(
        self, path: Path | None, origin: str, tables: Sequence[Table[Any]], *, beside: "ViewStore | None" = None
    ) -> None:
        """Open a file, which is made if it isn't there or isn't ours; or memory, if there is no path.

        Args:
            path: of the file.
            origin: the log's.
            tables: all tables.
            beside: a store of this process that has the same file open: then this one only reads, and neither examines
                the file again nor sums up tables that were found sound.

        Raises:
            ViewsUnusableError: it can't be opened or made.
        """
        self.name: Final = str(path) if path else "the views in memory"
        self._path = path
        self._file: tuple[int, int] | None = None
        self._origin = origin
        self._tables = statements_for(tables)
        self._checked_tables = ("followed", *(table.name for table in tables))
        self._version = version_of(self._tables)
        self._is_checked = path is not None
        self._changes: dict[str, int] = {}
        self._read: set[str] = set()
        self._sound: set[str] = set() if beside is None else beside._sound
        # One connection: in memory every further one would be a database of its own.
        place = _uri(path, "rw") if path else ":memory:"
        super().__init__(SQLiteConnections(place, lock_seconds=LOCK_SECONDS, are_several=False))
        with self.as_ledger_errors():
            if beside is not None:
                self._watch_reads()
                return
            if path is not None:
                if path.is_symlink() or (path.exists() and not self._is_ours(path)):
                    remove(path)
                with suppress(FileExistsError):
                    os.close(create_private(path))
            try:
                self.create_table()
                if path is not None:
                    self._file = _file_at(path)
                    self._watch_rows()
            except BaseException:
                self.close()
                raise

    def construct_create_table_statements(self) -> list[str]:
        """Return the library's statements and ours."""
        marks = (f"PRAGMA application_id = {APPLICATION_ID}", f"PRAGMA user_version = {self._version}")
        return [*super().construct_create_table_statements(), *self._tables, *marks]

    def _create_table(self, c: SQLiteCursor) -> None:
        super()._create_table(c)
        c.execute("INSERT OR IGNORE INTO followed VALUES (?, 0, '')", (self._origin,))
        # Only of a file that was just made: one that lacks a checksum isn't ours.
        for name in self._checked_tables:
            c.execute("SELECT 1 FROM checksums WHERE name = ?", (name,))
            if c.fetchone() is None:
                c.execute("INSERT INTO checksums VALUES (?, ?)", (name, _text_of(self._sum_of_rows(c, name))))

    def place(self) -> Place:
        """Return how far the log was followed."""
        with self.reading() as c:
            return self.place_in(c)

    def place_in(self, c: SQLiteCursor) -> Place:
        """Return how far the log was followed in the rows that a cursor reads."""
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
            Whether it was kept: not if another process has followed the log meanwhile.

        Raises:
            ViewsUnusableError: nothing was kept.
        """
        with self.as_ledger_errors():
            try:
                with self.datastore.transaction(commit=True) as c:
                    self._changes.clear()
                    # A write comes first: it takes the lock, so that what is read next can't be out of date.
                    c.execute("UPDATE followed SET at = ?, entry_sha256 = ?", (after.at, after.entry_sha256))
                    if (self._max_tracking_id(FOLLOWED_LOG, c) or 0) != before.size:
                        raise IntegrityError(f"no longer at {before.size}")
                    self._write(c, write)
                    self._keep_checksums(c)
                    self._insert_tracking(c, Tracking(FOLLOWED_LOG, after.size))
            except IntegrityError:
                if self.place() == before:
                    raise
                return False
        return True

    def save_state(self, size: int, data: bytes) -> None:
        """Keep the bytes of the state at a size, instead of older ones."""
        with self.as_ledger_errors(), self.datastore.transaction(commit=True) as c:
            c.execute("DELETE FROM saved_state")
            c.execute("INSERT INTO saved_state VALUES (?, ?, ?)", (size, data, hashlib.sha256(data).hexdigest()))

    def saved_state(self) -> tuple[int, bytes] | None:
        """Return the state that was kept and its size."""
        with self.reading() as c:
            c.execute("SELECT size, data, data_sha256 FROM saved_state")
            row = c.fetchone()
        if row is None or not isinstance(row[1], bytes) or hashlib.sha256(row[1]).hexdigest() != row[2]:
            return None
        return row[0], row[1]

    @contextmanager
    def reading(self) -> Iterator[SQLiteCursor]:
        """Give a cursor that reads; all that it reads is of one moment, and is checked before this ends.

        Raises:
            ViewsDamagedError: what was read isn't what was written.
            ViewsUnusableError: the file can't be read.
        """
        with self.as_ledger_errors(), self.datastore.transaction(commit=False) as c:
            self._read.clear()
            try:
                yield c
            finally:  # whatever became of the answer: rows that others wrote may have spoiled it
                self._check_what_was_read(c)

    def close(self) -> None:
        """Let go of the file."""
        self.datastore.close()

    def is_in_place(self) -> bool:
        """Return whether the file that is open is still the one that its path names."""
        return self._path is None or self._file == _file_at(self._path)

    def memory_bytes(self) -> int:
        """Return how large the rows are, in bytes."""
        with self.reading() as c:
            c.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
            size: int = c.fetchone()[0]
        return size

    @contextmanager
    def as_ledger_errors(self) -> Iterator[None]:
        """Say in one line what is wrong with the file."""
        try:
            yield
        except (PersistenceError, sqlite3.Error, OSError, UnicodeDecodeError) as error:
            kind = ViewsDamagedError if _is_damage(error) else ViewsUnusableError
            raise kind(f"{self.name}: {error}; it may be deleted, it is built again from the log") from None

    # -- checksums ----------------------------------------------------------------------------------------------------

    def _watch_rows(self) -> None:
        """Have every change of a row told by this connection, and what is read by it."""
        with self.datastore.transaction(commit=False) as c:
            connection = c.sqlite_cursor.connection
        connection.execute("PRAGMA recursive_triggers = ON")  # or REPLACE would delete rows unseen
        connection.create_function("row_changed", -1, self._row_changed)
        for name in self._checked_tables:
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({name})")]
            for event, rows in _TRIGGERS.items():
                calls = "".join(
                    f"SELECT row_changed('{name}', {sign}, {', '.join(f'{row}.{column}' for column in columns)}); "
                    for row, sign in rows
                )
                connection.execute(
                    f"CREATE TEMP TRIGGER {name}_{event.lower()} AFTER {event} ON main.{name} BEGIN {calls}END"
                )
        connection.set_authorizer(self._note_read)

    def _watch_reads(self) -> None:
        """Have what is read by this connection told."""
        with self.datastore.transaction(commit=False) as c:
            c.sqlite_cursor.connection.set_authorizer(self._note_read)

    def _row_changed(self, name: str, sign: int, *row: Any) -> None:  # noqa: ANN401 - whatever SQLite holds
        self._changes[name] = self._changes.get(name, 0) + sign * _hash_of(row)

    def _note_read(self, action: int, table: str | None, *_: str | None) -> int:
        if action == sqlite3.SQLITE_READ and table is not None:
            self._read.add(table)
        return sqlite3.SQLITE_OK

    def _write(self, c: SQLiteCursor, write: Write) -> None:
        """Write a batch's rows; of a file, rows that can't be reckoned with are its fault."""
        try:
            write(c)
        except (ValueError, TypeError, LookupError) as error:
            if not self._is_checked:
                raise
            raise sqlite3.DatabaseError(f"its rows can't be gone on from ({error})") from None

    def _keep_checksums(self, c: SQLiteCursor) -> None:
        for name, change in self._changes.items():
            c.execute(
                "UPDATE checksums SET checksum = ? WHERE name = ?", (_text_of(self._kept(c, name) + change), name)
            )

    def _kept(self, c: SQLiteCursor, name: str) -> int:
        c.execute("SELECT checksum FROM checksums WHERE name = ?", (name,))
        row = c.fetchone()
        try:
            return int(row[0], 16)
        except (TypeError, ValueError):
            raise sqlite3.DatabaseError(f"it has no checksum of {name}") from None

    def _check_what_was_read(self, c: SQLiteCursor) -> None:
        """Compare the tables that this transaction read with their checksums, once for as long as the file is open."""
        if not self._is_checked:
            return
        for name in sorted(self._read.intersection(self._checked_tables) - self._sound):
            if self._sum_of_rows(c, name) != self._kept(c, name):
                raise sqlite3.DatabaseError(f"the rows of {name} are not those that were written")
            self._sound.add(name)

    def _sum_of_rows(self, c: SQLiteCursor, name: str) -> int:
        rows = c.sqlite_cursor.connection.cursor()
        rows.row_factory = None
        with closing(rows):
            return sum(map(_hash_of, rows.execute(f"SELECT * FROM {name}"))) % _MODULUS  # noqa: S608 - our own names

    def _is_ours(self, path: Path) -> bool:
        """Return whether a file is sound, of this version, and of this log."""
        try:
            with closing(sqlite3.connect(_uri(path, "rw"), uri=True, timeout=LOCK_SECONDS)) as connection:
                ask = connection.execute
                return (
                    ask("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
                    and ask("PRAGMA user_version").fetchone() == (self._version,)
                    and _schema_of(connection) == self._schema()
                    and ask("PRAGMA integrity_check(1)").fetchone() == ("ok",)
                    and ask("SELECT origin FROM followed").fetchall() == [(self._origin,)]
                    and {name for (name,) in ask("SELECT name FROM checksums")} == set(self._checked_tables)
                )
        except (sqlite3.Error, UnicodeDecodeError) as error:
            if not _is_damage(error):
                raise
            return False

    def _schema(self) -> set[tuple[Any, ...]]:
        """Return the schema that a new file has."""
        with closing(sqlite3.connect(":memory:")) as connection:
            for statement in self.create_table_statements:
                connection.execute(statement)
            return _schema_of(connection)


def version_of(tables: Sequence[str]) -> int:
    """Return the version of a file: of its tables, what their rows mean, and the form of the state that it keeps.

    SQLite has room for 31 bits of the digest. The tables are compared word by word besides.
    """
    digest = hashlib.sha256(canonical_json.encode([SCHEMA_SHA256, MEANING, *tables])).digest()
    return int.from_bytes(digest[:4]) >> 1


def statements_for(tables: Iterable[Table[Any]]) -> tuple[str, ...]:
    """Return what makes a file's tables, the store's own first: the text of its schema, to the last column."""
    return (*_TABLES, *(statement for table in tables for statement in table.create))


def _schema_of(connection: sqlite3.Connection) -> set[tuple[Any, ...]]:
    return set(connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema"))


def _hash_of(row: Iterable[Any]) -> int:
    return int.from_bytes(hashlib.blake2b(repr(tuple(row)).encode(), digest_size=_HASH_SIZE).digest())


def _text_of(checksum: int) -> str:
    return f"{checksum % _MODULUS:032x}"


def _is_damage(error: Exception) -> bool:
    """Return whether an error is about what the file holds, and not about the machine, rights or others at work."""
    if isinstance(error, PersistenceError):
        error = error.__cause__ if isinstance(error.__cause__, Exception) else error
    if isinstance(error, UnicodeDecodeError):
        return True  # out of SQLite's own message, which repeats what the file says
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return isinstance(error, sqlite3.Error) and code & 0xFF not in _NOT_THE_FILES_FAULT


def remove(path: Path) -> None:
    """Delete a views file and what SQLite keeps beside it."""
    for file in files_of(path):
        file.unlink(missing_ok=True)


def _file_at(path: Path) -> tuple[int, int] | None:
    """Return which file is at a path; None if none is."""
    with suppress(OSError):
        status = path.stat()
        return status.st_dev, status.st_ino
    return None


def files_of(path: Path) -> list[Path]:
    """Return a views file and what SQLite keeps beside it, there or not."""
    return [path.with_name(f"{path.name}{end}") for end in ("", "-wal", "-shm")]


def _uri(path: Path, mode: str) -> str:
    return f"file:{quote(os.fsencode(path.absolute()))}?mode={mode}"
