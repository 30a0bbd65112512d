"""SQLite connections that are closed whatever happens, and whose every failure is one of the library's own errors.

The library's pool leaves a connection open if the first question fails, and passes on what Python's sqlite3 raises
before a transaction begins. SQLite's messages repeat what a file says: of a damaged one they may be no text at all,
and then sqlite3 raises UnicodeDecodeError in the place of the error.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal

from tallystick.ledger.library import (
    DatabaseError,
    InterfaceError,
    OperationalError,
    SQLiteConnection,
    SQLiteConnectionPool,
    SQLiteCursor,
    SQLiteDatastore,
)

LOCK_SECONDS: Final = 5
_POOL_SIZE: Final = 5
_MORE_CONNECTIONS: Final = 10


class SQLiteConnections(SQLiteDatastore):
    """The library's datastore over a file that a URI names, or `:memory:`."""

    def __init__(
        self,
        place: str,
        *,
        lock_seconds: float = LOCK_SECONDS,
        synchronous: Literal["NORMAL", "FULL"] = "NORMAL",
        are_several: bool = True,
    ) -> None:
        """Take the place; nothing is opened before it is used.

        Args:
            place: the URI of a file, or `:memory:`.
            lock_seconds: how long another process is waited for.
            synchronous: FULL commits to the disk.
            are_several: whether there may be more than one connection.
        """
        super().__init__(place, originator_id_type="text")
        self.pool = _Pool(place, lock_seconds, synchronous, more_connections=_MORE_CONNECTIONS if are_several else 0)

    @contextmanager
    def transaction(self, *, commit: bool) -> Iterator[SQLiteCursor]:
        """Give a cursor within a transaction.

        Raises:
            PersistenceError: what the store raises, as one of these.
        """
        try:
            with super().transaction(commit=commit) as cursor:
                yield cursor
        except UnicodeDecodeError as error:
            raise DatabaseError("the file is damaged: SQLite says why in what is no text") from error
        except sqlite3.OperationalError as error:
            raise OperationalError(error) from error
        except sqlite3.Error as error:
            raise DatabaseError(error) from error


class _Pool(SQLiteConnectionPool):
    def __init__(self, place: str, lock_seconds: float, synchronous: str, *, more_connections: int) -> None:
        super().__init__(
            db_name=place, pool_size=1 if more_connections == 0 else _POOL_SIZE, max_overflow=more_connections
        )
        self._lock_seconds = lock_seconds
        self._synchronous = synchronous

    def _create_connection(self) -> SQLiteConnection:
        try:
            connection = sqlite3.connect(
                self.db_name, uri=True, check_same_thread=False, isolation_level=None, timeout=self._lock_seconds
            )
        except sqlite3.Error as error:
            raise InterfaceError(error) from error
        try:
            if not self.is_sqlite_memory_mode and not self.is_journal_mode_wal:
                if connection.execute("PRAGMA journal_mode").fetchone()[0].lower() != "wal":
                    connection.execute("PRAGMA journal_mode=WAL")
                self.is_journal_mode_wal = True
            connection.execute(f"PRAGMA synchronous={self._synchronous}")
            connection.row_factory = sqlite3.Row
        except BaseException:
            connection.close()
            raise
        return SQLiteConnection(sqlite_conn=connection, max_age=self.max_age)
