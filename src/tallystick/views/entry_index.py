"""Which entries there are, which concern an account or a thing, and the accounts' leaves at each seal.

By it a dossier is gathered, and entries are listed and found, newest first.

A name is an account (docs/rules.md, "Sealed books"), with exactly the entries that touch it, or a thing that the rules
of its entries name (`concerns` in vouchers/rules/rule.py).

A name has a number, and its entries lie in blocks, as the places that they have there: two bytes for each name of each
entry, and one row for all entries of a batch that concern the name.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from struct import iter_unpack, pack
from typing import ClassVar, Final

from tallystick.transparency.encoding import SIZE_MAX
from tallystick.views.changes import Change, Commands
from tallystick.views.library import SQLiteCursor
from tallystick.views.view_tables import Appended, IndexKey, Key, Number, Table, condition
from tallystick.vouchers.quantities import format_day, format_instant
from tallystick.vouchers.rules.books import BookSeal
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
    """Which entries of a block concern a name: their places in it, ascending, two bytes each."""

    name_id: IndexKey
    block: IndexKey
    places: Appended


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
class SealLeaf:
    """An account's leaf at a seal; SQLite's order of text is that of the names' bytes, the order of a seal's leaves."""

    seal_index: IndexKey
    account: Key
    leaf: bytes


@dataclass(frozen=True, slots=True)
class SealRow:
    """A seal: its entry, its id, and the last day that it seals."""

    entry_index: IndexKey
    seal: str
    last_day: str


ENTRIES_A_BLOCK: Final = 1_024
"""A row is at most twice as many bytes, which are written anew whenever some are appended."""
_STATEMENTS: Final = (TimeBurn.event_kind, ServiceBurn.event_kind)

INDEXED_NAMES: Final = Table("indexed_names", IndexedName, unique=("name",))
CONCERNING: Final = Table("concerning", Concerning)
RECORDED: Final = Table("recorded", RecordedEntry, lookups=("party", "ref"))
SEAL_LEAVES: Final = Table("seal_leaves", SealLeaf)
SEALS: Final = Table("seals", SealRow)


class EntryIndex:
    """What a batch of entries adds to the index."""

    commands: ClassVar[Commands] = None

    def __init__(self) -> None:
        self._concerning: dict[str, list[int]] = {}
        self._recorded: list[RecordedEntry] = []
        self._leaves: list[SealLeaf] = []
        self._seals: list[SealRow] = []

    def add(self, change: Change) -> None:
        """Take in one entry."""
        event = change.event
        for name in change.names:
            self._concerning.setdefault(name, []).append(event.index)
        command = event.command
        at = format_instant(event.at)
        self._recorded.append(RecordedEntry(event.index, at, event.kind, command.party, command.ref))
        if isinstance(command, BookSeal):
            self._seals.append(SealRow(event.index, command.seal, format_day(command.last_day)))
        self._leaves += [SealLeaf(event.index, account, leaf) for account, leaf in change.leaves]

    def write(self, c: SQLiteCursor, _: State) -> None:
        """Write the batch."""
        numbers = _numbers_of(c, self._concerning)
        # In the order of the log, whatever the batches are: so the same names get the same numbers.
        new = [name for name in self._concerning if name not in numbers]
        INDEXED_NAMES.insert(c, [IndexedName(None, name) for name in new])
        numbers |= _numbers_of(c, new)
        rows = [row for name, indices in self._concerning.items() for row in _in_blocks(numbers[name], indices)]
        CONCERNING.add(c, sorted(rows, key=lambda row: (row.name_id, row.block)))
        RECORDED.insert(c, self._recorded)
        SEAL_LEAVES.insert(c, self._leaves)
        SEALS.insert(c, self._seals)


def _in_blocks(name_id: int, indices: list[int]) -> Iterator[Concerning]:
    """Yield the rows that ascending indices come to."""
    for block, some in groupby(indices, lambda index: index // ENTRIES_A_BLOCK):
        places = [index % ENTRIES_A_BLOCK for index in some]
        yield Concerning(name_id, block, pack(f">{len(places)}H", *places))


def _number_of(c: SQLiteCursor, name: str) -> int:
    """Return a name's number, 0 if it has none."""
    return next((row.name_id or 0 for row in INDEXED_NAMES.rows(c, name=name)), 0)


def _numbers_of(c: SQLiteCursor, names: Iterable[str]) -> dict[str, int]:
    """Return the numbers of those of some names that have one."""
    c.execute(
        "SELECT name, name_id FROM indexed_names WHERE name IN (SELECT value FROM json_each(?))",
        (json.dumps([*names]),),
    )
    return dict(c.fetchall())


# -- questions --------------------------------------------------------------------------------------------------------


def entries_concerning(c: SQLiteCursor, name: str) -> list[int]:
    """Return the indices, ascending, of the entries that concern a name."""
    rows = CONCERNING.rows(c, name_id=_number_of(c, name))
    return [index for row in rows for index in _indices(row.block, row.places)]


def _indices(block: int, places: bytes) -> Iterator[int]:
    return (block * ENTRIES_A_BLOCK + place for (place,) in iter_unpack(">H", places))


def _blocks_concerning(c: SQLiteCursor, name: str, before: int) -> Iterator[list[int]]:
    """Yield the indices of the entries that concern a name, block by block, the newest first."""
    number, last = _number_of(c, name), before // ENTRIES_A_BLOCK
    c.execute("SELECT block FROM concerning WHERE name_id = ? AND block <= ? ORDER BY block DESC", (number, last))
    for (block,) in c.fetchall():
        yield [
            index for row in CONCERNING.rows(c, name_id=number, block=block) for index in _indices(block, row.places)
        ]


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
    if concerning is None:
        return _recorded(c, limit, before, None, **equal)
    found: list[RecordedEntry] = []
    for block in _blocks_concerning(c, concerning, SIZE_MAX if before is None else before):
        found += _recorded(c, limit - len(found), before, block, **equal)
        if len(found) == limit:
            break
    return found


def _recorded(
    c: SQLiteCursor, limit: int, before: int | None, among: Iterable[int] | None, **equal: object
) -> list[RecordedEntry]:
    """Return entries in short, newest first, of all or among some."""
    where, values = condition(**equal)
    for one, value in (
        ("entry_index < ?", before),
        ("entry_index IN (SELECT value FROM json_each(?))", None if among is None else json.dumps([*among])),
    ):
        if value is not None:
            where = f"{where} AND {one}" if where else f"WHERE {one}"
            values.append(value)
    columns = ", ".join(column.name for column in RECORDED.columns)
    c.execute(f"SELECT {columns} FROM recorded {where} ORDER BY entry_index DESC LIMIT ?", [*values, limit])  # noqa: S608
    return [RecordedEntry(*row) for row in c.fetchall()]


def statement_entry(c: SQLiteCursor, provider: str, ref: str, before: int) -> int | None:
    """Return the index of a provider's newest statement of this reference before an entry, if there is one."""
    found = [
        row.entry_index
        for row in RECORDED.rows(c, party=provider, ref=ref)
        if row.kind in _STATEMENTS and row.entry_index < before
    ]
    return found[-1] if found else None


def last_sealed_day(c: SQLiteCursor) -> str | None:
    """Return the last day that is sealed; None if none is."""
    rows = SEALS.newest(c, "entry_index", 1, SIZE_MAX)
    return rows[0].last_day if rows else None


def seal_leaf(c: SQLiteCursor, seal_index: int, account: str) -> bytes | None:
    """Return an account's leaf at a seal; None if that has none, or is no seal."""
    return next((row.leaf for row in SEAL_LEAVES.rows(c, seal_index=seal_index, account=account)), None)


def seal_leaves(c: SQLiteCursor, seal_index: int) -> list[tuple[str, bytes]]:
    """Return every account and its leaf, in the order of a seal's tree; nothing if that entry is no seal."""
    return [(row.account, row.leaf) for row in SEAL_LEAVES.rows(c, seal_index=seal_index)]
