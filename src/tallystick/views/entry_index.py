"""Which entries there are, which concern an account or a thing, and the accounts' leaves at each seal.

By it a dossier is gathered, and entries are listed and found, newest first.

A name is an account (docs/rules.md, "Sealed books"), with exactly the entries that touch it, or a thing that the rules
of its entries name (`concerns` in vouchers/rules/rule.py).

Entries are looked up by number, so that a log of a million of them costs a few bytes for each name of each.
"""

from dataclasses import dataclass
from typing import Final

from tallystick.views.changes import Change
from tallystick.views.library import SQLiteCursor
from tallystick.views.view_tables import IndexKey, Key, Number, Table, condition
from tallystick.vouchers.quantities import format_instant
from tallystick.vouchers.rules.burning import TimeBurn
from tallystick.vouchers.rules.service_burning import ServiceBurn
from tallystick.vouchers.state import State


@dataclass(frozen=True, slots=True)
class IndexedName:
    """An account or a thing, and the number under which its entries are found."""

    name_id: Number
    name: str


@dataclass(frozen=True, slots=True)
class Concerning:
    """An entry that concerns a name."""

    name_id: IndexKey
    entry_index: IndexKey


@dataclass(frozen=True, slots=True)
class RecordedEntry:
    """An entry in short.

    Attributes:
        at: the log's time.
        kind: of its event.
        party, ref: whose command it is, and that party's own number of it.
    """

    entry_index: IndexKey
    at: str
    kind: str
    party: str
    ref: str


@dataclass(frozen=True, slots=True)
class StatementEntry:
    """An entry that is a provider's statement of some reference."""

    provider: Key
    ref: Key
    entry_index: IndexKey


@dataclass(frozen=True, slots=True)
class SealLeaf:
    """An account's leaf at a seal; SQLite's order of text is that of the names' bytes, the order of a seal's leaves."""

    seal_index: IndexKey
    account: Key
    leaf: bytes


INDEXED_NAMES: Final = Table("indexed_names", IndexedName, unique=("name",))
CONCERNING: Final = Table("concerning", Concerning)
RECORDED: Final = Table("recorded", RecordedEntry, lookups=("party", "ref"))
STATEMENT_ENTRIES: Final = Table("statement_entries", StatementEntry)
SEAL_LEAVES: Final = Table("seal_leaves", SealLeaf)


class EntryIndex:
    """What a batch of entries adds to the index."""

    def __init__(self) -> None:
        self._concerning: list[tuple[str, int]] = []
        self._recorded: list[RecordedEntry] = []
        self._statements: list[StatementEntry] = []
        self._leaves: list[SealLeaf] = []

    def add(self, change: Change) -> None:
        """Take in one entry."""
        event = change.event
        self._concerning += [(name, event.index) for name in change.names]
        command = event.command
        at = format_instant(event.at)
        self._recorded.append(RecordedEntry(event.index, at, event.kind, command.party, command.ref))
        if isinstance(command, TimeBurn | ServiceBurn):
            self._statements.append(StatementEntry(command.party, command.ref, event.index))
        self._leaves += [SealLeaf(event.index, account, leaf) for account, leaf in change.leaves]

    def write(self, c: SQLiteCursor, _: State) -> None:
        """Write the batch."""
        # In the order of the log, whatever the batches are: so the same names get the same numbers.
        names = list(dict.fromkeys(name for name, _ in self._concerning))
        INDEXED_NAMES.insert_missing(c, [IndexedName(None, name) for name in names])
        numbers = {name: _number_of(c, name) for name in names}
        rows = sorted((numbers[name], index) for name, index in self._concerning)
        CONCERNING.insert(c, [Concerning(*row) for row in rows])
        RECORDED.insert(c, self._recorded)
        STATEMENT_ENTRIES.insert(c, self._statements)
        SEAL_LEAVES.insert(c, self._leaves)


def _number_of(c: SQLiteCursor, name: str) -> int:
    """Return a name's number, 0 if it has none."""
    return next((row.name_id or 0 for row in INDEXED_NAMES.rows(c, name=name)), 0)


# -- questions --------------------------------------------------------------------------------------------------------


def entries_concerning(c: SQLiteCursor, name: str) -> list[int]:
    """Return the indices, ascending, of the entries that concern a name."""
    return [row.entry_index for row in CONCERNING.rows(c, name_id=_number_of(c, name))]


def recorded_entries(
    c: SQLiteCursor,
    limit: int,
    *,
    before: int | None = None,
    concerning: str | None = None,
    **equal: object,
) -> list[RecordedEntry]:
    """Return entries in short, newest first.

    Args:
        c: reads the views.
        limit: how many at most.
        before: only entries before this one.
        concerning: only those that concern an account or a thing, for example `voucher shanghai-treasury/v-1`.
        equal: what `party`, `ref` or `kind` must be; None for anything.
    """
    where, values = condition(**equal)
    more = [("recorded.entry_index < ?", before)] if before is not None else []
    table = "recorded"
    if concerning is not None:
        table = "concerning CROSS JOIN recorded ON recorded.entry_index = concerning.entry_index"
        more.append(("concerning.name_id = ?", _number_of(c, concerning)))
    if before is not None and concerning is not None:
        more.append(("concerning.entry_index < ?", before))
    for one, value in more:
        where = f"{where} AND {one}" if where else f"WHERE {one}"
        values.append(value)
    order = "concerning.entry_index" if concerning is not None else "recorded.entry_index"
    columns = ", ".join(f"recorded.{column.name}" for column in RECORDED.columns)
    c.execute(f"SELECT {columns} FROM {table} {where} ORDER BY {order} DESC LIMIT ?", [*values, limit])  # noqa: S608
    return [RecordedEntry(*row) for row in c.fetchall()]


def statement_entry(c: SQLiteCursor, provider: str, ref: str, before: int) -> int | None:
    """Return the index of a provider's newest statement of this reference before an entry, if there is one."""
    c.execute(
        "SELECT max(entry_index) FROM statement_entries WHERE provider = ? AND ref = ? AND entry_index < ?",
        (provider, ref, before),
    )
    index: int | None = c.fetchone()[0]
    return index


def seal_leaf(c: SQLiteCursor, seal_index: int, account: str) -> bytes | None:
    """Return an account's leaf at a seal; None if that has none, or is no seal."""
    return next((row.leaf for row in SEAL_LEAVES.rows(c, seal_index=seal_index, account=account)), None)


def seal_leaves(c: SQLiteCursor, seal_index: int) -> list[tuple[str, bytes]]:
    """Return every account and its leaf, in the order of a seal's tree; nothing if that entry is no seal."""
    return [(row.account, row.leaf) for row in SEAL_LEAVES.rows(c, seal_index=seal_index)]
