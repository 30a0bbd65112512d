"""Half-signed notes in a file of their own, beside the views: outside the log, and there after a restart.

A note lies there with the lines that counted when it was brought, for whom it waits, and until when. The file holds
nothing that can't be signed again: one that can't be read is replaced.
"""

import os
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from tallystick.durable_files import create_private
from tallystick.errors import TooBusyError

VERSION: Final = 1
LOCK_SECONDS: Final = 5.0
_TABLES: Final = (
    f"PRAGMA user_version = {VERSION}",
    "CREATE TABLE notes (id TEXT PRIMARY KEY, origin TEXT NOT NULL, note BLOB NOT NULL, brought_by TEXT NOT NULL, "
    "stale_at INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE signers (party TEXT NOT NULL, stale_at INTEGER NOT NULL, id TEXT NOT NULL, "
    "PRIMARY KEY (party, stale_at, id)) WITHOUT ROWID",
)
_SELECT: Final = "SELECT id, note, brought_by, stale_at"

Done = TypeVar("Done")


class KeptNote(NamedTuple):
    """A note that waits.

    Attributes:
        id: the SHA-256 of its text (hex).
        note: its bytes.
        brought_by: the first party whose signature counted when it was brought: its bounds are used up.
        stale_at: from when on it is too old (microseconds).
    """

    id: str
    note: bytes
    brought_by: str
    stale_at: int


class PendingFile:
    """The notes of one log that wait; for one thread at a time."""

    def __init__(self, path: Path, origin: str) -> None:
        """Open the file, which is made if it isn't there or isn't ours.

        Raises:
            OSError: it can't be made.
        """
        self._path = path
        self._origin = origin
        try:
            self._connection = self._opened()
        except sqlite3.DatabaseError:
            self._remove()
            self._connection = self._opened()

    def close(self) -> None:
        """Let go of it."""
        self._connection.close()

    def find(self, id_: str) -> KeptNote | None:
        """Return a note."""
        rows = self._ask(f"{_SELECT} FROM notes WHERE id = ? AND origin = ?", id_, self._origin)
        return KeptNote(*rows[0]) if rows else None

    def for_signer(self, party: str, after: tuple[int, str], limit: int) -> list[KeptNote]:
        """Return the notes that wait for a party, or for others beside it, those that go stale first at the front.

        Args:
            party: who may sign.
            after: of the last note before these, when it goes stale and its id.
            limit: how many there may be.
        """
        rows = self._ask(
            f"{_SELECT} FROM signers JOIN notes USING (id, stale_at) "
            "WHERE party = ? AND (stale_at, id) > (?, ?) AND origin = ? ORDER BY stale_at, id LIMIT ?",
            *(party, *after, self._origin, limit),
        )
        return [KeptNote(*row) for row in rows]

    def used_by(self, party: str) -> tuple[int, int]:
        """Return how many notes a party brought that are there, and how many bytes these have."""
        ((count, size),) = self._ask(
            "SELECT count(*), coalesce(sum(length(note)), 0) FROM notes WHERE brought_by = ?", party
        )
        return count, size

    def count(self) -> int:
        """Return how many notes there are."""
        ((count,),) = self._ask("SELECT count(*) FROM notes")
        return int(count)

    def keep(self, note: KeptNote, signers: Iterable[str]) -> None:
        """Keep a note instead of what is there of its text, durably."""

        def write(c: sqlite3.Connection) -> None:
            c.execute("DELETE FROM signers WHERE id = ?", (note.id,))
            c.execute(
                "INSERT OR REPLACE INTO notes VALUES (?, ?, ?, ?, ?)",
                (note.id, self._origin, note.note, note.brought_by, note.stale_at),
            )
            c.executemany("INSERT INTO signers VALUES (?, ?, ?)", [(one, note.stale_at, note.id) for one in signers])

        self._write(write)

    def drop(self, ids: Iterable[str]) -> None:
        """Forget some notes."""
        which = [(id_,) for id_ in ids]

        def write(c: sqlite3.Connection) -> None:
            c.executemany("DELETE FROM notes WHERE id = ?", which)
            c.executemany("DELETE FROM signers WHERE id = ?", which)

        if which:
            self._write(write)

    def drop_stale(self, now: int) -> None:
        """Forget the notes that are too old at a time (microseconds)."""
        self.drop([row[0] for row in self._ask("SELECT id FROM notes WHERE stale_at <= ?", now)])

    def _ask(self, select: str, *values: object) -> list[tuple[Any, ...]]:
        return self._healed(lambda c: c.execute(select, values).fetchall())

    def _write(self, write: Callable[[sqlite3.Connection], None]) -> None:
        def in_one(c: sqlite3.Connection) -> None:
            with c:
                write(c)

        self._healed(in_one)

    def _healed(self, work: Callable[[sqlite3.Connection], Done]) -> Done:
        """Do something with the file; one that turns out to be damaged is replaced, and holds nothing.

        Raises:
            TooBusyError: another process has it, or this machine can't read or write it now.
        """
        try:
            return work(self._connection)
        except sqlite3.OperationalError as error:
            raise TooBusyError(f"half-signed notes can't be kept now: {error}") from None
        except sqlite3.DatabaseError:
            self._connection.close()
            self._remove()
            self._connection = self._opened()
            return work(self._connection)

    def _opened(self) -> sqlite3.Connection:
        with suppress(FileExistsError):
            os.close(create_private(self._path))
        connection = sqlite3.connect(
            self._path, timeout=LOCK_SECONDS, check_same_thread=False, isolation_level="IMMEDIATE"
        )
        try:
            connection.execute("PRAGMA synchronous = FULL")
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version not in (0, VERSION):
                raise sqlite3.DatabaseError("another version's")
            if version == 0:
                with connection:
                    for statement in _TABLES:
                        connection.execute(statement)
        except BaseException:
            connection.close()
            raise
        return connection

    def _remove(self) -> None:
        for end in ("", "-journal", "-wal", "-shm"):
            self._path.with_name(self._path.name + end).unlink(missing_ok=True)
