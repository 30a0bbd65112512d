"""Which entries concern an account or a thing, and every account's leaf at each seal: what a dossier is gathered by.

A name is an account (docs/rules.md, "Sealed books"), with exactly the entries that touch it, or a thing that the rules
of its entries name (`concerns` in vouchers/rules/rule.py).

Entries are looked up by number, so that a log of a million of them costs a few bytes for each name of each.
"""

from typing import Final

from tallystick.views.changes import Change
from tallystick.views.library import SQLiteCursor
from tallystick.vouchers.accounts import account_leaves
from tallystick.vouchers.rules.burns import TimeBurn
from tallystick.vouchers.rules.seals import BookSeal
from tallystick.vouchers.state import State

TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS indexed_names (name_id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    "CREATE TABLE IF NOT EXISTS concerning (name_id INTEGER, entry_index INTEGER, PRIMARY KEY (name_id, entry_index)) "
    "WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS statement_entries (provider TEXT, ref TEXT, entry_index INTEGER, "
    "PRIMARY KEY (provider, ref, entry_index)) WITHOUT ROWID",
    # In SQLite's own order of text, which is that of the names' bytes: the order of a seal's leaves.
    "CREATE TABLE IF NOT EXISTS seal_leaves (seal_index INTEGER, account TEXT, leaf BLOB NOT NULL, "
    "PRIMARY KEY (seal_index, account)) WITHOUT ROWID",
)


class EntryIndex:
    """What a batch of entries adds to the index."""

    def __init__(self) -> None:
        self._concerning: list[tuple[str, int]] = []
        self._statements: list[tuple[str, str, int]] = []
        self._leaves: list[tuple[int, str, bytes]] = []

    def add(self, change: Change) -> None:
        """Take in one entry."""
        event = change.event
        self._concerning += [(name, event.index) for name in change.names]
        command = event.command
        if isinstance(command, TimeBurn):
            self._statements.append((command.party, command.ref, event.index))
        elif isinstance(command, BookSeal):
            # Now, before another entry changes the state; the seal itself touches no account.
            self._leaves += [(event.index, account, leaf) for account, leaf in account_leaves(change.state)]

    def write(self, c: SQLiteCursor, _: State) -> None:
        """Write the batch."""
        # In the order of the log, whatever the batches are: so the same names get the same numbers.
        names = list(dict.fromkeys(name for name, _ in self._concerning))
        c.executemany("INSERT OR IGNORE INTO indexed_names (name) VALUES (?)", [(name,) for name in names])
        ids = {}
        for name in names:
            c.execute("SELECT name_id FROM indexed_names WHERE name = ?", (name,))
            ids[name] = c.fetchone()[0]
        rows = sorted((ids[name], index) for name, index in self._concerning)
        c.executemany("INSERT INTO concerning VALUES (?, ?)", rows)
        c.executemany("INSERT INTO statement_entries VALUES (?, ?, ?)", self._statements)
        c.executemany("INSERT INTO seal_leaves VALUES (?, ?, ?)", self._leaves)


# -- questions --------------------------------------------------------------------------------------------------------


def entries_concerning(c: SQLiteCursor, name: str) -> list[int]:
    """Return the indices, ascending, of the entries that concern a name."""
    c.execute(
        "SELECT entry_index FROM concerning WHERE name_id = (SELECT name_id FROM indexed_names WHERE name = ?) "
        "ORDER BY entry_index",
        (name,),
    )
    return [index for (index,) in c.fetchall()]


def statement_entry(c: SQLiteCursor, provider: str, ref: str, before: int) -> int | None:
    """Return the index of a provider's newest statement of this reference before an entry, if there is one."""
    c.execute(
        "SELECT max(entry_index) FROM statement_entries WHERE provider = ? AND ref = ? AND entry_index < ?",
        (provider, ref, before),
    )
    index: int | None = c.fetchone()[0]
    return index


def seal_leaves(c: SQLiteCursor, seal_index: int) -> list[tuple[str, bytes]]:
    """Return every account and its leaf, in the order of a seal's tree; nothing if that entry is no seal."""
    c.execute("SELECT account, leaf FROM seal_leaves WHERE seal_index = ? ORDER BY account", (seal_index,))
    return [(account, bytes(leaf)) for account, leaf in c.fetchall()]
