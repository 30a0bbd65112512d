"""The newest tree that a witness cosigned, by origin, is checked and replaced in one atomic step, on the disk.

    witness    one row: the vkey that this is the state of, so that no other key signs by it, nor this key by another
    cosigned   origin, size, root, time and cosigned note, one row for each log

`advance` takes the write lock (BEGIN IMMEDIATE), reads, lets the caller decide, writes and commits: threads and
processes come one after another. WAL with synchronous=FULL: what was committed survives a crash of the machine. A
cosignature made inside is given away only afterwards; if the commit fails, it is never seen.

Triggers refuse a smaller size, another root of the same size, and the deletion of a row, whatever the code does.

What nothing here can see is that the file was put back from a backup. Never do that: make a new witness with a new key.
"""

import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self, TypeVar
from urllib.parse import quote

from tallystick.durable_files import sync_folder
from tallystick.errors import LedgerError, NotALedgerError
from tallystick.witness.deciding import CosignedTree, WitnessAnswer

BUSY_SECONDS: Final = 20.0

_SCHEMA: Final = """
CREATE TABLE witness (vkey TEXT NOT NULL) STRICT;
CREATE TABLE cosigned (
    origin TEXT NOT NULL PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, at_posix_s INTEGER NOT NULL,
    note BLOB NOT NULL
) STRICT;
CREATE TRIGGER cosigned_never_goes_back BEFORE UPDATE ON cosigned
WHEN NEW.origin <> OLD.origin OR NEW.size < OLD.size OR (NEW.size = OLD.size AND NEW.root <> OLD.root)
BEGIN SELECT RAISE(ABORT, 'a witness never goes back'); END;
CREATE TRIGGER cosigned_never_forgets BEFORE DELETE ON cosigned
BEGIN SELECT RAISE(ABORT, 'a witness never forgets'); END;
"""
_UPSERT: Final = (
    "INSERT INTO cosigned VALUES (?, ?, ?, ?, ?) ON CONFLICT (origin) DO UPDATE SET "
    "size = excluded.size, root = excluded.root, at_posix_s = excluded.at_posix_s, note = excluded.note"
)
_T = TypeVar("_T")


class WitnessState:
    """The state of one witness; for any number of threads."""

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
            database = connect(path)
            try:
                database.execute("PRAGMA journal_mode=WAL")
                database.executescript(f"BEGIN;{_SCHEMA}")
                database.execute("INSERT INTO witness VALUES (?)", (vkey,))
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
        if not path.is_file():
            # Never made anew: a witness that lost its memory could sign against what it signed before.
            raise NotALedgerError(f"there is no {path}; a witness that lost its state must not go on: make a new one")
        try:
            database = connect(path)
            try:
                known = database.execute("SELECT vkey FROM witness").fetchall()
            except BaseException:
                database.close()
                raise
        except sqlite3.Error as error:
            raise NotALedgerError(f"{path} is not a witness's state: {error}") from None
        if known != [(vkey,)]:
            database.close()
            raise NotALedgerError(f"{path} is the state of another key than {vkey}")
        return cls(path, database)

    def latest(self, origin: str) -> CosignedTree | None:
        """Return the newest tree cosigned for a log.

        Raises:
            LedgerError: the state can't be read now.
        """
        return self._in_turn(lambda: self._latest(origin))

    def advance(
        self, origin: str, decide: Callable[[CosignedTree | None], CosignedTree | WitnessAnswer]
    ) -> CosignedTree | WitnessAnswer:
        """Let `decide` see the newest tree and give its successor, and return that once it is durable.

        Args:
            origin: the log.
            decide: gives a tree, which is then kept, or an answer, and then nothing is.

        Raises:
            LedgerError: the state can't be read or kept now; nothing that `decide` made may be given away.
        """
        return self._in_turn(lambda: self._advance(origin, decide))

    def close(self) -> None:
        """Close the file."""
        with self._turn:
            self._database.close()

    def _advance(
        self, origin: str, decide: Callable[[CosignedTree | None], CosignedTree | WitnessAnswer]
    ) -> CosignedTree | WitnessAnswer:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            decided = decide(self._latest(origin))
            if isinstance(decided, CosignedTree):
                row = (origin, decided.size, decided.root, decided.at_posix_s, decided.note)
                self._database.execute(_UPSERT, row)
            self._database.execute("COMMIT")
        except BaseException:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise
        return decided

    def _latest(self, origin: str) -> CosignedTree | None:
        row = self._database.execute(
            "SELECT size, root, at_posix_s, note FROM cosigned WHERE origin = ?", (origin,)
        ).fetchone()
        return CosignedTree(*row) if row else None

    def _in_turn(self, do: Callable[[], _T]) -> _T:
        with self._turn:
            try:
                return do()
            except sqlite3.Error as error:
                raise LedgerError(f"{self._path}: {error}") from None


def connect(path: Path) -> sqlite3.Connection:
    """Open a database that is there, so that what is committed survives a crash of the machine.

    Raises:
        sqlite3.Error: it can't be opened.
    """
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
