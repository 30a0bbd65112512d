"""A ledger folder's SQLite file, opened so that it can't be written, as one snapshot; SQLite's complaints are findings.

An error of SQLite's own becomes `store_damaged`, and what couldn't be read is missing.
"""

import functools
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from tallystick.audit.evidence import COSIGNED
from tallystick.audit.findings import FindingCode, Findings
from tallystick.static.files import CHECKPOINT_SIZE_MAX, FolderFiles

DATABASE: Final = "ledger.db"
# Text that isn't UTF-8 must reach the comparison that finds it wrong, not raise.
_text: Final[Callable[[bytes], str]] = functools.partial(str, encoding="utf-8", errors="surrogateescape")


class SQLiteDatabase:
    """The `ledger.db` of a folder, and the cosigned checkpoint beside it."""

    def __init__(self, path: Path, findings: Findings) -> None:
        self.name = str(path)
        self._findings = findings
        # Before the snapshot: then it can't be newer than the newest checkpoint while a writer is at work.
        self._cosigned = self._read_cosigned(path.parent)
        self._database = _connect(path)
        self.rows("BEGIN")

    def rows(self, statement: str, parameters: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a statement."""
        try:
            return self._database.execute(statement, parameters).fetchall()
        except sqlite3.Error as error:
            self._damaged(str(error))
            return []

    def cosigned(self) -> bytes | None:
        """Return the file's bytes."""
        return self._cosigned

    def check(self) -> None:
        """Let SQLite check its own structure, which reads the whole file."""
        for (answer,) in self.rows("PRAGMA integrity_check(10)"):
            if answer != "ok":
                self._damaged(str(answer))

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _read_cosigned(self, folder: Path) -> bytes | None:
        try:
            return FolderFiles(folder).read(COSIGNED, CHECKPOINT_SIZE_MAX)
        except OSError as error:
            self._damaged(f"{COSIGNED} can't be read: {error.strerror}")
            return None

    def _damaged(self, what: str) -> None:
        self._findings.add(FindingCode.STORE_DAMAGED, None, " ".join(what.split()))


def _connect(path: Path) -> sqlite3.Connection:
    uri = f"file:{quote(str(path.absolute()))}?mode=ro"
    database = _open(uri)
    try:
        database.execute("SELECT 1 FROM sqlite_master").fetchall()
    except sqlite3.OperationalError:
        # On a read-only medium SQLite can't make the WAL's shared memory; if nobody writes, none is needed.
        if not path.with_name(f"{path.name}-wal").exists():
            database.close()
            database = _open(f"{uri}&immutable=1")
    except sqlite3.DatabaseError:
        pass  # the first real query says so again, and is listened to
    with suppress(sqlite3.Error):
        database.execute("PRAGMA cell_size_check = ON")  # a malformed page is an error, not a guess
    return database


def _open(uri: str) -> sqlite3.Connection:
    database = sqlite3.connect(uri, uri=True, isolation_level=None)
    database.text_factory = _text
    return database
