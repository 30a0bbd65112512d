"""What a witness or a mirror remembers is a SQLite file that belongs to one key, and is on the disk before it is said.

`whole` takes the write lock (BEGIN IMMEDIATE), lets the caller read and write, and commits: threads and processes come
one after another. WAL with synchronous=FULL: what was committed survives a crash of the machine. A signature made
inside is given away only afterwards; if the commit fails, it is never seen.

What nothing here can see is that the file was put back from a backup. Never do that: make a new one with a new key.
"""

import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, Final, Self, TypeVar
from urllib.parse import quote

from tallystick.durable_files import sync_folder
from tallystick.errors import LedgerError, NotALedgerError
from tallystick.witness.deciding import CosignedTree

BUSY_SECONDS: Final = 20.0

_T = TypeVar("_T")


class DurableState:
    """The state of one key; for any number of threads.

    Attributes:
        OWNER: what the key is, which is also the name of the table with its vkey.
        SCHEMA: of the other tables.
    """

    OWNER: ClassVar[str]
    SCHEMA: ClassVar[str]

    def __init__(self, path: Path, database: sqlite3.Connection) -> None:
        self._path = path
        self._database = database
        self._turn = threading.Lock()

    @classmethod
    def create(cls, path: Path, vkey: str) -> None:
        """Make the file, which must not be there, for the key with this vkey.

        Raises:
            LedgerError: it can't be made.
        """
        try:
            path.touch(0o600, exist_ok=False)
            database = _connect(path)
            try:
                database.execute("PRAGMA journal_mode=WAL")
                database.executescript(f"BEGIN;CREATE TABLE {cls.OWNER} (vkey TEXT NOT NULL) STRICT;{cls.SCHEMA}")
                database.execute(f"INSERT INTO {cls.OWNER} VALUES (?)", (vkey,))  # noqa: S608 - a constant of the code
                database.execute("COMMIT")
            finally:
                database.close()
            sync_folder(path.parent)
        except (OSError, sqlite3.Error) as error:
            raise LedgerError(f"{path} can't be made: {error}") from None

    @classmethod
    def open(cls, path: Path, vkey: str) -> Self:
        """Open the file.

        Raises:
            NotALedgerError: there is none, it can't be read, or it is the state of another key.
        """
        owner = cls.OWNER
        if not path.is_file():
            # Never made anew: one that lost its memory could sign against what it signed before.
            raise NotALedgerError(f"there is no {path}; a {owner} that lost its state must not go on: make a new one")
        try:
            database = _connect(path)
            try:
                known = database.execute(f"SELECT vkey FROM {owner}").fetchall()  # noqa: S608 - a constant of the code
            except BaseException:
                database.close()
                raise
        except sqlite3.Error as error:
            raise NotALedgerError(f"{path} is not a {owner}'s state: {error}") from None
        if known != [(vkey,)]:
            database.close()
            raise NotALedgerError(f"{path} is the state of another key than {vkey}")
        return cls(path, database)

    def close(self) -> None:
        """Close the file."""
        with self._turn:
            self._database.close()

    def tree(self, select: str, *values: object) -> CosignedTree | None:
        """Return the tree of the first row: size, root, time, note; None if there is no row."""
        row = self._database.execute(select, values).fetchone()
        return CosignedTree(*row) if row else None

    def in_turn(self, do: Callable[[], _T]) -> _T:
        """Return what is read or done when no other thread does.

        Raises:
            LedgerError: the state can't be read or kept now.
        """
        with self._turn:
            try:
                return do()
            except sqlite3.Error as error:
                raise LedgerError(f"{self._path}: {error}") from None

    def whole(self, do: Callable[[], _T]) -> _T:
        """Return what is done in one transaction, once it is durable.

        Raises:
            LedgerError: the state can't be read or kept now.
        """
        return self.in_turn(lambda: self._committed(do))

    def _committed(self, do: Callable[[], _T]) -> _T:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            done = do()
            self._database.execute("COMMIT")
        except BaseException:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise
        return done


def _connect(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(
        f"file:{quote(os.fsencode(path.absolute()))}?mode=rw",
        uri=True,
        timeout=BUSY_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        database.execute("PRAGMA synchronous=FULL")
    except BaseException:
        database.close()
        raise
    return database
