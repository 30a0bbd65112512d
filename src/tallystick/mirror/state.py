"""What a mirror knows of each log is on the disk before it is said, and never goes back.

    mirror     one row: the vkey that this is the state of
    pending    signed checkpoints that entries may be uploaded to, the newest few of each log
    received   the first entry that isn't here
    mirrored   the newest checkpoint that was cosigned: all its entries are here

As in a witness's state (tallystick.witness.state), which see for durability.
"""

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self, TypeVar

from tallystick.durable_files import sync_folder
from tallystick.errors import LedgerError, NotALedgerError
from tallystick.witness.deciding import CosignedTree, WitnessAnswer
from tallystick.witness.state import connect

PENDING_KEPT: Final = 16

_SCHEMA: Final = """
CREATE TABLE mirror (vkey TEXT NOT NULL) STRICT;
CREATE TABLE pending (
    origin TEXT NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL, note BLOB NOT NULL, PRIMARY KEY (origin, size)
) STRICT;
CREATE TABLE received (origin TEXT NOT NULL PRIMARY KEY, next_entry INTEGER NOT NULL) STRICT;
CREATE TABLE mirrored (
    origin TEXT NOT NULL PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, at_posix_s INTEGER NOT NULL,
    note BLOB NOT NULL
) STRICT;
CREATE TRIGGER mirrored_never_goes_back BEFORE UPDATE ON mirrored
WHEN NEW.origin <> OLD.origin OR NEW.size < OLD.size OR (NEW.size = OLD.size AND NEW.root <> OLD.root)
BEGIN SELECT RAISE(ABORT, 'a mirror never goes back'); END;
CREATE TRIGGER mirrored_never_forgets BEFORE DELETE ON mirrored
BEGIN SELECT RAISE(ABORT, 'a mirror never forgets'); END;
CREATE TRIGGER received_never_goes_back BEFORE UPDATE ON received WHEN NEW.next_entry < OLD.next_entry
BEGIN SELECT RAISE(ABORT, 'a mirror never goes back'); END;
"""
_T = TypeVar("_T")


class MirrorState:
    """The state of one mirror; for any number of threads."""

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
                database.execute("INSERT INTO mirror VALUES (?)", (vkey,))
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
            raise NotALedgerError(f"there is no {path}; a mirror that lost its state must not go on: make a new one")
        try:
            database = connect(path)
            try:
                known = database.execute("SELECT vkey FROM mirror").fetchall()
            except BaseException:
                database.close()
                raise
        except sqlite3.Error as error:
            raise NotALedgerError(f"{path} is not a mirror's state: {error}") from None
        if known != [(vkey,)]:
            database.close()
            raise NotALedgerError(f"{path} is the state of another key than {vkey}")
        return cls(path, database)

    def newest_pending(self, origin: str) -> CosignedTree | None:
        """Return the largest tree that entries may be uploaded to.

        Raises:
            LedgerError: the state can't be read now.
        """
        return self._in_turn(lambda: self._newest_pending(origin))

    def tree_of_size(self, origin: str, size: int) -> CosignedTree | None:
        """Return the pending tree of a size, or the mirrored one if it has it.

        Raises:
            LedgerError: the state can't be read now.
        """
        select = (
            "SELECT size, root, 0, note FROM pending WHERE (origin, size) = (?1, ?2) "
            "UNION ALL SELECT size, root, at_posix_s, note FROM mirrored WHERE (origin, size) = (?1, ?2)"
        )
        return self._in_turn(lambda: self._tree(select, origin, size))

    def mirrored(self, origin: str) -> CosignedTree | None:
        """Return the newest tree that was cosigned.

        Raises:
            LedgerError: the state can't be read now.
        """
        return self._in_turn(lambda: self._mirrored(origin))

    def next_entry(self, origin: str) -> int:
        """Return the first entry that isn't here.

        Raises:
            LedgerError: the state can't be read now.
        """
        select = "SELECT next_entry FROM received WHERE origin = ?"
        row = self._in_turn(lambda: self._database.execute(select, (origin,)).fetchone())
        return int(row[0]) if row else 0

    def note_received(self, origin: str, next_entry: int) -> None:
        """Keep that all entries before one are here.

        Raises:
            LedgerError: the state can't be kept now.
        """
        upsert = (
            "INSERT INTO received VALUES (?, ?) ON CONFLICT (origin) DO UPDATE SET next_entry = excluded.next_entry"
        )
        self._in_turn(lambda: self._database.execute(upsert, (origin, next_entry)))

    def advance_pending(
        self, origin: str, decide: Callable[[CosignedTree | None], CosignedTree | WitnessAnswer]
    ) -> CosignedTree | WitnessAnswer:
        """Let `decide` see the newest pending tree and give its successor, and return that once it is durable.

        Raises:
            LedgerError: the state can't be read or kept now.
        """

        def advance() -> CosignedTree | WitnessAnswer:
            decided = decide(self._newest_pending(origin))
            if isinstance(decided, CosignedTree):
                row = (origin, decided.size, decided.root, decided.note)
                self._database.execute("INSERT OR REPLACE INTO pending VALUES (?, ?, ?, ?)", row)
                self._database.execute(
                    "DELETE FROM pending WHERE origin = ?1 AND size NOT IN "
                    "(SELECT size FROM pending WHERE origin = ?1 ORDER BY size DESC LIMIT ?2)",
                    (origin, PENDING_KEPT),
                )
            return decided

        return self._in_turn(lambda: self._whole(advance))

    def advance_mirrored(
        self, origin: str, decide: Callable[[CosignedTree | None], CosignedTree | None]
    ) -> CosignedTree | None:
        """Let `decide` see the newest mirrored tree and give its successor, and return that once it is durable.

        Raises:
            LedgerError: the state can't be read or kept now; nothing that `decide` made may be given away.
        """
        upsert = (
            "INSERT INTO mirrored VALUES (?, ?, ?, ?, ?) ON CONFLICT (origin) DO UPDATE SET "
            "size = excluded.size, root = excluded.root, at_posix_s = excluded.at_posix_s, note = excluded.note"
        )

        def advance() -> CosignedTree | None:
            decided = decide(self._mirrored(origin))
            if decided is not None:
                row = (origin, decided.size, decided.root, decided.at_posix_s, decided.note)
                self._database.execute(upsert, row)
            return decided

        return self._in_turn(lambda: self._whole(advance))

    def close(self) -> None:
        """Close the file."""
        with self._turn:
            self._database.close()

    def _newest_pending(self, origin: str) -> CosignedTree | None:
        select = "SELECT size, root, 0, note FROM pending WHERE origin = ? ORDER BY size DESC LIMIT 1"
        return self._tree(select, origin)

    def _mirrored(self, origin: str) -> CosignedTree | None:
        return self._tree("SELECT size, root, at_posix_s, note FROM mirrored WHERE origin = ?", origin)

    def _tree(self, select: str, *values: object) -> CosignedTree | None:
        row = self._database.execute(select, values).fetchone()
        return CosignedTree(*row) if row else None

    def _whole(self, do: Callable[[], _T]) -> _T:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            done = do()
            self._database.execute("COMMIT")
        except BaseException:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise
        return done

    def _in_turn(self, do: Callable[[], _T]) -> _T:
        with self._turn:
            try:
                return do()
            except sqlite3.Error as error:
                raise LedgerError(f"{self._path}: {error}") from None
