"""Rows of a table without a sound key, sorted by the auditor itself, in a file that is gone when it is closed.

A table that isn't made as a ledger makes it may hold a row twice, have an index that lacks rows, or none, so that each
page of rows would be a search through all of it. Its rows are copied once, as they lie, and the statements of
store_evidence.py are then asked of the copy. The copy takes no more room than the rows it is of.
"""

import functools
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, Final

from tallystick.errors import SourceUnreadableError

loose_text: Final[Callable[[bytes], str]] = functools.partial(str, encoding="utf-8", errors="surrogateescape")
"""How SQLite's text is read: what isn't UTF-8 must reach the comparison that finds it wrong, not raise."""


class Spool:
    """A database of the auditor's own; its tables have the names and columns of a ledger's."""

    def __init__(self) -> None:
        # An empty name: SQLite keeps it in memory until that is too small, then in a temporary file without a name.
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.text_factory = loose_text
        for setting in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -65536"):
            self._database.execute(f"PRAGMA {setting}")

    def take(self, table: str, columns: Sequence[str], key: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
        """Copy a table's rows, and sort them by a key that may repeat.

        Raises:
            SourceUnreadableError: there is no room for the copy.
        """
        # Without a type, a column keeps every value as it is.
        self._ask(f"CREATE TABLE {table} ({', '.join(columns)})")
        self._ask("BEGIN")
        # Text goes in by its bytes: text that isn't UTF-8 must be found, not be refused here.
        for row in rows:
            cells = ", ".join("CAST(? AS TEXT)" if isinstance(value, str) else "?" for value in row)
            values = [value.encode(errors="surrogateescape") if isinstance(value, str) else value for value in row]
            self._ask(f"INSERT INTO {table} VALUES ({cells})", values)  # noqa: S608 - names of our own
        self._ask("COMMIT")
        self._ask(f"CREATE INDEX {table}_key ON {table} ({', '.join(key)})")

    def rows(self, statement: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a statement."""
        return self._ask(statement, parameters).fetchall()

    def close(self) -> None:
        """Close it, and with it the file."""
        with suppress(sqlite3.Error):
            self._database.close()

    def _ask(self, statement: str, parameters: Sequence[object] = ()) -> sqlite3.Cursor:
        try:
            return self._database.execute(statement, parameters)
        except sqlite3.Error as error:
            raise SourceUnreadableError(
                f"no room to sort rows that lie in disorder ({error}): make room for a copy of the ledger where "
                "temporary files go (TMPDIR says where), and audit again"
            ) from None
