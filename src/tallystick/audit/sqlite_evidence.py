"""A ledger folder's SQLite file, opened so that it can't be written, as one snapshot; no statement in it is run.

A stranger's file brings its own schema, and SQLite runs what a schema says: views, generated columns, expressions in
indexes and checks. So the schema is read first, as text:

    as a ledger makes it    the table is read by its key, once SQLite has checked its structure
    an ordinary table       its rows are read as they lie; keys and indexes aren't believed (store_evidence.py)
    anything else           it is not read: `store_damaged`

What SQLite says of the data becomes `store_damaged`, and what couldn't be read is missing. What keeps SQLite from
reading (a lock, a right, a full disk, an I/O error) ends the audit: it says nothing about the log.
"""

import functools
import os
import sqlite3
from collections.abc import Iterator, Set
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple, NoReturn
from urllib.parse import quote

from tallystick.audit.evidence import COSIGNED
from tallystick.audit.spool import loose_text
from tallystick.audit.store_evidence import CELLS, ROWS_AT_ONCE, SCANS, table_of
from tallystick.errors import NotAFileError, SourceUnreadableError
from tallystick.findings import FindingCode, Findings
from tallystick.sources import DATABASE
from tallystick.static.files import CHECKPOINT_SIZE_MAX, FolderFiles

MADE: Final = {
    "stored_events": "CREATE TABLE stored_events (originator_id TEXT, originator_version INTEGER, topic TEXT, "
    "state BLOB, PRIMARY KEY (originator_id, originator_version))",
    "tree": "CREATE TABLE tree (level INTEGER, position INTEGER, hash BLOB NOT NULL, PRIMARY KEY (level, position)) "
    "WITHOUT ROWID",
    "checkpoints": "CREATE TABLE checkpoints (number INTEGER PRIMARY KEY, size INTEGER NOT NULL UNIQUE, "
    "note BLOB NOT NULL)",
    "refs": "CREATE TABLE refs (leaf_index INTEGER PRIMARY KEY, party TEXT NOT NULL, ref TEXT NOT NULL, "
    "UNIQUE (party, ref))",
}
"""The tables as a ledger makes them (docs/audit.md)."""

_ORDINARY: Final = "CREATE TABLE "
_OWN_INDEXES: Final = {"stored_events": 1, "tree": 0, "checkpoints": 1, "refs": 1}
_OBJECTS_MAX: Final = 1_000
_SQL_SIZE_MAX: Final = 2_000
_OBJECTS: Final = (
    "SELECT CAST(substr(type, 1, 80) AS TEXT), CAST(substr(name, 1, 80) AS TEXT), "
    "CAST(substr(tbl_name, 1, 80) AS TEXT), CAST(substr(sql, 1, ?) AS TEXT) FROM sqlite_master LIMIT ?"
)
_ROW_SIZE_MIN: Final = 6
"""A row of three columns takes at least so many bytes of its file, whatever is in it."""

_VALUE_SIZE_MIN: Final = 2**20
_STEPS: Final = 1_000_000  # of SQLite's machine, between two looks at whether Ctrl-C was pressed
_WAIT_SECONDS: Final = 5.0

_ABOUT_MACHINE: Final = frozenset(
    {
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOLFS,
        sqlite3.SQLITE_AUTH,
    }
)
_LOCKED: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
_READ_ONLY: Final = frozenset({sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY})


class _Object(NamedTuple):
    """A row of the schema, cut to what a row of ours may have."""

    type: str | None
    name: str | None
    table: str | None
    sql: str | None


class SQLiteDatabase:
    """The `ledger.db` of a folder, and the cosigned checkpoint beside it."""

    def __init__(self, path: Path, findings: Findings) -> None:
        """Open the file, and take the snapshot.

        Raises:
            SourceUnreadableError: something here keeps it from being read.
        """
        self.name = str(path)
        self._path = path
        self._findings = findings
        self._unread: set[str] = set()
        # Before the snapshot: then it can't be newer than the newest checkpoint while a writer is at work.
        self._cosigned = self._read_cosigned(path.parent)
        self._database = self._connect()
        try:
            self.rows("BEGIN")
        except BaseException:
            self.close()
            raise

    def check(self, *, thorough: bool) -> Set[str]:
        """Compare the schema with a ledger's, and let SQLite check the structure, which reads the whole file."""
        try:
            objects = self._objects()
            sound = {table for table in MADE if _is_as_made(table, objects)}
            disordered = {table for table in MADE if table not in sound and self._is_readable(table, objects)}
            if thorough and not self._is_whole(sound, objects):
                disordered |= sound
        except BaseException:
            self.close()
            raise
        return disordered

    def rows(self, statement: str, parameters: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a statement.

        Raises:
            SourceUnreadableError: something here keeps them from being read.
        """
        if self._unread and table_of(statement) in self._unread:
            return []
        return self._ask(statement, parameters)

    def scan(self, table: str) -> Iterator[tuple[Any, ...]]:
        """Yield a table's rows in the order of the table's own pages, and no more than the file has room for.

        Pages of a damaged file may lead to each other more than once.
        """
        rows_left, bytes_left = self._size() // _ROW_SIZE_MIN, self._size()
        try:
            cursor = self._database.execute(f"{SCANS[table]} NOT INDEXED")
            while rows := cursor.fetchmany(ROWS_AT_ONCE):
                rows_left -= len(rows)
                bytes_left -= sum(len(value) for row in rows for value in row if isinstance(value, bytes | str))
                if rows_left < 0 or bytes_left < 0:
                    self._damaged(f"{table} has more rows than its file has room for: the rest is not read")
                    return
                yield from rows
        except (sqlite3.Error, UnicodeDecodeError) as error:
            self._failed(error)

    def cosigned(self) -> bytes | None:
        """Return the file's bytes."""
        return self._cosigned

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _objects(self) -> list[_Object]:
        """Return the schema's rows; the text in them is read, and not run."""
        found = [_Object._make(row) for row in self._ask(_OBJECTS, (_SQL_SIZE_MAX, _OBJECTS_MAX + 1))]
        if len(found) > _OBJECTS_MAX:
            self._damaged(f"the schema has more than {_OBJECTS_MAX} objects")
        return found

    def _is_readable(self, table: str, objects: list[_Object]) -> bool:
        """Return whether a table that isn't as made is one whose rows lie in it; note what is odd."""
        named = [one for one in objects if (one.name or "").lower() == table and one.type != "trigger"]
        if not named:
            self._damaged(f"there is no table {table}")
        elif len(named) > 1 or named[0].type != "table" or not _normal(named[0].sql).upper().startswith(_ORDINARY):
            self._damaged(f"{table} is no ordinary table: it is not read")
        else:
            hidden = {str(row[1]).lower(): row[6] for row in self._ask(f"PRAGMA main.table_xinfo({table})")}
            odd = [column for column in CELLS[table] if hidden.get(column) != 0]
            if not odd:
                self._note_keys(table, objects)
                return True
            what = "is not there" if odd[0] not in hidden else "is computed"
            self._damaged(f"{table}.{odd[0]} {what}: {table} is not read")
        self._unread.add(table)
        return False

    def _note_keys(self, table: str, objects: list[_Object]) -> None:
        """Note a table that isn't as a ledger makes it; an added index is no fault."""
        if not any(_is_made(table, one) for one in objects):
            self._damaged(f"{table} has not the columns, types and keys that a ledger makes; it is read without them")

    def _is_whole(self, tables: Set[str], objects: list[_Object]) -> bool:
        """Return whether SQLite finds nothing wrong with the pages and indexes of these tables.

        The check computes what is in the schema, so it is only made of what a ledger makes: of the whole file, where
        there is nothing else in it.
        """
        added = [one for one in objects if one.type != "trigger" and (one.table or "").lower() not in tables]
        checks = [f"PRAGMA main.integrity_check({table})" for table in sorted(tables)]
        if not added:
            checks = ["PRAGMA main.integrity_check(10)"]
        answers = [str(row[0]) for check in checks for row in self._ask(check) or [("it could not be checked",)]]
        for answer in answers:
            if answer != "ok":
                self._damaged(answer)
        return all(answer == "ok" for answer in answers)

    def _ask(self, statement: str, parameters: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        try:
            return self._database.execute(statement, parameters).fetchall()
        except (sqlite3.Error, UnicodeDecodeError) as error:  # SQLite may quote what isn't text
            self._failed(error)
            return []

    def _failed(self, error: sqlite3.Error | UnicodeDecodeError) -> None:
        """Note an error about the data.

        Raises:
            SourceUnreadableError: it is about the machine.
        """
        if isinstance(error, UnicodeDecodeError):
            self._damaged("the schema is not text")
        elif _primary_code(error) == sqlite3.SQLITE_INTERRUPT:
            raise KeyboardInterrupt from None
        elif _is_about_machine(error):
            self._give_up(error)
        else:
            self._damaged(str(error))

    def _give_up(self, error: sqlite3.Error) -> NoReturn:
        if _primary_code(error) in _LOCKED:
            raise SourceUnreadableError(
                f"{self.name} is locked by another program; nothing was audited: try again when it is free, or audit "
                "a backup or an export"
            ) from None
        if not _has_room(self._path.parent):
            raise SourceUnreadableError(
                f"{self.name} can't be read, because its disk is full ({error}); nothing was audited: make room, and "
                "audit again"
            ) from None
        raise SourceUnreadableError(f"{self.name} can't be read ({error}); nothing was audited") from None

    def _is_under_way(self) -> bool:
        """Return whether a commit may lie beside the file: one that isn't in it yet, or that was broken off."""
        return any(self._path.with_name(DATABASE + suffix).exists() for suffix in ("-wal", "-journal"))

    def _size(self) -> int:
        """Return how many bytes the file has, with those that weren't put into it yet."""
        files = (self._path, self._path.with_name(f"{DATABASE}-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    def _connect(self) -> sqlite3.Connection:
        uri = f"file:{quote(os.fsencode(self._path.absolute()))}?mode=ro"
        try:
            database = self._open(uri)
            try:
                database.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchall()
            except sqlite3.OperationalError as error:
                # On a read-only medium SQLite can't make the WAL's shared memory; if no process writes, none is needed.
                if _primary_code(error) in _READ_ONLY and not self._is_under_way():
                    database.close()
                    return self._open(f"{uri}&immutable=1")
            except (sqlite3.Error, UnicodeDecodeError):
                pass  # the first real question says so again, and is listened to
            return database
        except sqlite3.Error as error:
            self._give_up(error)

    def _open(self, uri: str) -> sqlite3.Connection:
        database = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=_WAIT_SECONDS)
        database.text_factory = loose_text
        # No value is longer than the file that it lies in; one that is computed could be.
        database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, max(_VALUE_SIZE_MIN, min(self._size(), 2**31 - 1)))
        # A call in between lets Ctrl-C through: SQLite then says that it was interrupted.
        database.set_progress_handler(lambda: 0, _STEPS)
        with suppress(sqlite3.Error, UnicodeDecodeError):
            database.execute("PRAGMA trusted_schema = OFF")
            database.execute("PRAGMA temp_store = MEMORY")
            database.execute("PRAGMA cell_size_check = ON")  # a malformed page is an error, not a guess
        return database

    def _read_cosigned(self, folder: Path) -> bytes | None:
        try:
            return FolderFiles(folder).read(COSIGNED, CHECKPOINT_SIZE_MAX)
        except NotAFileError as error:
            self._damaged(f"{COSIGNED} {error.strerror}")
            return None
        except OSError as error:
            raise SourceUnreadableError(
                f"{folder / COSIGNED} can't be read: {error.strerror}; nothing was audited"
            ) from None

    def _damaged(self, what: str) -> None:
        self._findings.add(FindingCode.STORE_DAMAGED, None, " ".join(what.split()))


def _is_as_made(table: str, objects: list[_Object]) -> bool:
    """Return whether a table and its indexes are a ledger's; its triggers aren't run by who reads."""
    own = [one for one in objects if table in ((one.name or "").lower(), (one.table or "").lower())]
    indexes = [one for one in own if one.type == "index" and one.sql is None]
    others = [one for one in own if one.type != "trigger" and one not in indexes]
    return (
        len(objects) <= _OBJECTS_MAX
        and len(indexes) == _OWN_INDEXES[table]
        and list(map(functools.partial(_is_made, table), others)) == [True]
    )


def _is_made(table: str, one: _Object) -> bool:
    """Return whether an object is the table that a ledger makes."""
    return (one.type, one.name, one.table, _normal(one.sql)) == ("table", table, table, MADE[table])


def _normal(sql: str | None) -> str:
    return " ".join((sql or "").split())


def _primary_code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def _is_about_machine(error: sqlite3.Error) -> bool:
    """Return whether an error says nothing about the data; a page that the file is too short for does."""
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_IOERR_SHORT_READ:
        return False
    return _primary_code(error) in _ABOUT_MACHINE


def _has_room(folder: Path) -> bool:
    try:
        return os.statvfs(folder).f_bavail > 0
    except OSError:
        return True
