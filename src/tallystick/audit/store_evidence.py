"""A ledger's tables, as one snapshot of its database: every cell of every table is handed out or found wrong.

    stored_events  originator_id (the origin), originator_version (index + 1), topic (the kind), state (the entry)
    tree           level, position, hash: the complete hashes of each tile level
    checkpoints    number, size, note
    refs           leaf_index, party, ref

The statements are the same for SQLite and for PostgreSQL (sqlite_evidence.py, postgres_evidence.py). Cells may have any
type whatever the column says, and any size, and after tampering they have: what isn't of its type, or is larger than
it may be, is never fetched, and is as good as NULL.

A table that is as a ledger makes it is read by its key. Of any other, no key and no index is believed: its rows are
read as they lie and sorted by the auditor (spool.py). Every index is counted here, one by one, in both.
"""

import functools
import re
from collections.abc import Iterator, Set
from typing import Any, Final, Protocol

from tallystick.audit.evidence import StoredCheckpoint, StoredRun
from tallystick.audit.spool import Spool
from tallystick.findings import FindingCode, Findings
from tallystick.signing.note import NOTE_SIZE_MAX
from tallystick.transparency.encoding import HASH_SIZE
from tallystick.transparency.merkle import TILE_HEIGHT, TILE_WIDTH
from tallystick.transparency.tiles import ENTRY_SIZE_MAX

TILE_LEVELS_MAX: Final = 8
ROWS_AT_ONCE: Final = 256
_ODD_ROWS_SHOWN: Final = 10
_INTEGERS_AT_ONCE: Final = 65_536
_INTEGER_MAX: Final = 2**63 - 1
_INTEGER_MIN: Final = -(2**63)


def _blob(column: str, size_max: int) -> str:
    return f"CASE WHEN typeof({column}) = 'blob' AND length({column}) <= {size_max} THEN {column} END"


def _text(column: str) -> str:
    # No text in an entry is longer than the entry. By its bytes: SQLite ends the length of a text at its first NUL.
    return (
        f"CASE WHEN typeof({column}) = 'text' AND length(CAST({column} AS BLOB)) <= {ENTRY_SIZE_MAX} THEN {column} END"
    )


def _integer(column: str) -> str:
    return f"CASE WHEN typeof({column}) = 'integer' THEN {column} END"


CELLS: Final[dict[str, dict[str, str]]] = {
    "stored_events": {
        "originator_id": _text("originator_id"),
        "originator_version": _integer("originator_version"),
        "topic": _text("topic"),
        "state": _blob("state", ENTRY_SIZE_MAX),
    },
    "tree": {"level": _integer("level"), "position": _integer("position"), "hash": _blob("hash", HASH_SIZE)},
    "checkpoints": {
        "number": _integer("number"),
        "size": _integer("size"),
        "note": _blob("note", NOTE_SIZE_MAX),
    },
    "refs": {"leaf_index": _integer("leaf_index"), "party": _text("party"), "ref": _text("ref")},
}
"""By table, its columns and what is read of each: the value, if it is of its type and no larger than it may be."""

KEYS: Final = {
    "stored_events": ("originator_id", "originator_version"),
    "tree": ("level", "position"),
    "checkpoints": ("number",),
    "refs": ("leaf_index",),
}
"""By which columns a table's rows are asked for."""

# Written together from the names above; what comes from outside goes in as parameters.
# ruff: noqa: S608
SCANS: Final = {table: f"SELECT {', '.join(cells.values())} FROM {table}" for table, cells in CELLS.items()}
"""All rows of a table, as they lie."""

_NEWEST: Final = (
    f"SELECT {CELLS['checkpoints']['note']} FROM checkpoints WHERE typeof(number) = 'integer' "
    "ORDER BY number DESC LIMIT 1"
)
_SOME_ENTRIES: Final = (
    "FROM stored_events WHERE originator_id = ? AND typeof(originator_version) = 'integer' "
    "AND originator_version > ? AND originator_version <= ?"
)
_ENTRIES: Final = (
    f"SELECT originator_version, {CELLS['stored_events']['topic']}, {CELLS['stored_events']['state']} {_SOME_ENTRIES} "
    "ORDER BY originator_version LIMIT ?"
)
_HASHES: Final = (
    f"SELECT position, {CELLS['tree']['hash']} FROM tree "
    "WHERE level = ? AND position >= ? AND position < ? ORDER BY position LIMIT ?"
)
_SOME_CHECKPOINTS: Final = (
    "FROM checkpoints WHERE typeof(number) = 'integer' AND number > ? "
    "AND NOT (typeof(size) = 'integer' AND size >= 0 AND size < ?)"
)
_CHECKPOINTS: Final = (
    f"SELECT number, {CELLS['checkpoints']['size']}, {CELLS['checkpoints']['note']} {_SOME_CHECKPOINTS} "
    "ORDER BY number LIMIT ?"
)
_REFERENCES: Final = (
    f"SELECT leaf_index, {CELLS['refs']['party']}, {CELLS['refs']['ref']} FROM refs "
    "WHERE leaf_index >= ? AND leaf_index < ? ORDER BY leaf_index LIMIT ?"
)
_ODD_ENTRIES: Final = (
    f"SELECT {_integer('originator_version')}, {_text('originator_id')} FROM stored_events WHERE (originator_id = ? "
    "AND typeof(originator_version) = 'integer' AND originator_version BETWEEN 1 AND ?) IS NOT TRUE "
    "ORDER BY originator_version LIMIT ?"
)
# By cases, because one of them must come first: a shift by a level that can't be is an error to PostgreSQL.
_ODD_HASHES: Final = (
    f"SELECT {_integer('level')}, {_integer('position')} FROM tree WHERE CASE "
    "WHEN typeof(level) = 'integer' AND typeof(position) = 'integer' AND level BETWEEN 0 AND 7 "
    "THEN position < 0 OR position >= (CAST(? AS BIGINT) >> (8 * level)) ELSE TRUE END LIMIT ?"
)
# The series is read from beyond the least number on.
_ODD_CHECKPOINTS: Final = (
    "SELECT count(*) FROM checkpoints WHERE (typeof(number) = 'integer' AND number > ?) IS NOT TRUE"
)
_ODD_REFERENCES: Final = (
    f"SELECT {_integer('leaf_index')} FROM refs WHERE typeof(leaf_index) <> 'integer' "
    "OR leaf_index < 0 OR leaf_index >= ? OR leaf_index IS NULL LIMIT ?"
)
# Of two rows with one number, the second may be skipped where one page of rows ends.
_COUNT_READ_ENTRIES: Final = f"SELECT count(*) {_SOME_ENTRIES}"
_COUNT_READ_CHECKPOINTS: Final = f"SELECT count(*) {_SOME_CHECKPOINTS}"
_COUNT_CHECKPOINTS: Final = "SELECT count(*) FROM checkpoints WHERE typeof(size) = 'integer' AND size >= 0 AND size < ?"
# What isn't read is counted one by one: a sum of rows is right as well if one is there twice and another isn't.
_VERSIONS: Final = f"SELECT originator_version {_SOME_ENTRIES} ORDER BY originator_version LIMIT ?"
_POSITIONS: Final = (
    "SELECT position FROM tree WHERE level = ? AND typeof(position) = 'integer' "
    "AND position > ? AND position <= ? ORDER BY position LIMIT ?"
)
_LEAF_INDEXES: Final = (
    "SELECT leaf_index FROM refs WHERE typeof(leaf_index) = 'integer' "
    "AND leaf_index > ? AND leaf_index <= ? ORDER BY leaf_index LIMIT ?"
)
_TABLE: Final = re.compile(r"(?<= FROM )\w+")


@functools.cache
def table_of(statement: str) -> str:
    """Return the one table that a statement reads."""
    (table,) = _TABLE.findall(statement)
    return str(table)


class Database(Protocol):
    """A ledger's database, read-only and as one snapshot: a writer at work doesn't change what is audited.

    What is damaged in it becomes `store_damaged`, and what couldn't be read is missing. Anything else that keeps it
    from being read raises `SourceUnreadableError`: it says nothing about the log.

    Attributes:
        name: what a person calls it, without a password.
    """

    name: str

    def check(self, *, thorough: bool) -> Set[str]:
        """Note what the database has against itself, and return the tables whose keys aren't to be believed.

        Args:
            thorough: also what takes a reading of everything.
        """

    def rows(self, statement: str, parameters: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a statement in SQLite's dialect; none if they can't be read."""

    def scan(self, table: str) -> Iterator[tuple[Any, ...]]:
        """Yield a table's rows by `SCANS`, as they lie, as far as they can be read."""

    def cosigned(self) -> bytes | None:
        """Return the cosigned checkpoint beside the log, as it was when the snapshot was taken, or earlier."""

    def close(self) -> None:
        """Let go of it."""


class StoreEvidence:
    """The evidence of a ledger's tables."""

    hash_code = FindingCode.TREE_DIFFERS

    def __init__(self, database: Database, findings: Findings, start: int = 0) -> None:
        self.name = database.name
        self._database = database
        self._findings = findings
        self._start = start
        self._entries_read = self._checkpoints_read = 0
        self._spool: Spool | None = None
        # What is read in full is what going on from an earlier audit is to save.
        self._disordered = database.check(thorough=start == 0)
        try:
            for table in sorted(self._disordered):
                self._spool = self._spool or Spool()
                self._spool.take(table, list(CELLS[table]), KEYS[table], database.scan(table))
        except BaseException:
            self.close()
            raise

    def newest_checkpoint(self) -> bytes | None:
        """Return the note with the highest number; if that isn't a blob, it is no note."""
        rows = self._rows(_NEWEST)
        if not rows:
            return None
        note = rows[0][0]
        return note if isinstance(note, bytes) else b""

    def cosigned(self) -> bytes | None:
        """Return the cosigned checkpoint that lies beside the log."""
        return self._database.cosigned()

    def first_entry(self, origin: str, size: int) -> bytes | None:
        """Return the entry that is filed as the first."""
        rows = self._rows(_ENTRIES, (origin, 0, min(size, 1), 1))
        data = rows[0][2] if rows else None
        return data if isinstance(data, bytes) else None

    def entries(self, origin: str, size: int | None) -> Iterator[StoredRun]:
        """Yield the entries that are filed under this origin."""
        version = self._start
        size = _INTEGER_MAX if size is None else min(size, _INTEGER_MAX)
        while rows := self._rows(_ENTRIES, (origin, version, size, ROWS_AT_ONCE)):
            self._entries_read += len(rows)
            rows = self._in_order(rows, version, FindingCode.ENTRY_MISPLACED, -1, "entry")
            if not rows:
                return
            yield from self._runs(rows)
            version = rows[-1][0]

    def _in_order(
        self, rows: list[tuple[Any, ...]], last: int, code: FindingCode, to_index: int | None, what: str
    ) -> list[tuple[Any, ...]]:
        """Return the rows whose number comes after that of the row before, and note those whose doesn't."""
        ordered = []
        for row in rows:
            if row[0] > last:
                ordered.append(row)
                last = row[0]
                continue
            index = None if to_index is None else row[0] + to_index
            self._findings.add(code, index, f"there is another row of this {what}, number {row[0]}")
        return ordered

    def _runs(self, rows: list[tuple[Any, ...]]) -> Iterator[StoredRun]:
        start = 0
        while start < len(rows):
            first = rows[start][0]
            # Versions rise, so the run goes to the end of the rows if the last is as far away as it can be.
            stop = len(rows) if rows[-1][0] - first == len(rows) - 1 - start else start + 1
            while stop < len(rows) and rows[stop][0] == first + stop - start:
                stop += 1
            _, topics, data = map(list, zip(*rows[start:stop], strict=True))
            self._blank(topics, str, first - 1, FindingCode.TOPIC_DIFFERS, f"text of up to {ENTRY_SIZE_MAX} bytes")
            self._blank(data, bytes, first - 1, FindingCode.ENTRY_MALFORMED, f"a blob of up to {ENTRY_SIZE_MAX} bytes")
            yield StoredRun(first - 1, data, topics)
            start = stop

    def _blank(self, cells: list[Any], kind: type, first: int, code: FindingCode, due: str) -> None:
        """Replace cells that aren't of a type by None, and note them."""
        if set(map(type, cells)) == {kind}:
            return
        for place, cell in enumerate(cells):
            if type(cell) is not kind:
                self._findings.add(code, first + place, f"it is not stored as {due}")
                cells[place] = None

    def hashes(self, level: int, tile: int, width: int) -> list[bytes | None]:
        """Return the rows of the tree at these positions."""
        first = tile * TILE_WIDTH
        rows = self._rows(_HASHES, (level, first, first + width, 2 * width))
        found = {position: value for position, value in rows if type(value) is bytes}
        if len(found) != width or len(rows) != width:
            missing = [position for position in range(first, first + width) if position not in found]
            index = missing[0] if missing and level == 0 else None
            detail = (
                f"level {level}, from position {first} on: {len(rows)} rows, {len(missing)} of {width} hashes missing"
            )
            self._findings.add(FindingCode.TREE_DIFFERS, index, detail)
        return [found.get(position) for position in range(first, first + width)]

    def checkpoints(self) -> Iterator[StoredCheckpoint]:
        """Yield the rows of the series."""
        number = _INTEGER_MIN
        while rows := self._rows(_CHECKPOINTS, (number, self._start, ROWS_AT_ONCE)):
            self._checkpoints_read += len(rows)
            rows = self._in_order(rows, number, FindingCode.CHECKPOINT_ROW_DIFFERS, None, "checkpoint")
            if not rows:
                return
            yield from map(StoredCheckpoint._make, rows)
            number = rows[-1][0]

    def first_checkpoint(self) -> int:
        """Return how many come before those: numbers begin at 0 and have no gaps."""
        rows = self._rows(_COUNT_CHECKPOINTS, (self._start,))
        return rows[0][0] if rows else 0

    def references(self, start: int, stop: int) -> list[tuple[object, object, object]] | None:
        """Return the rows of the index."""
        return self._rows(_REFERENCES, (start, stop, 2 * (stop - start)))

    def report_unexpected_rows(self, origin: str, size: int) -> None:
        """Find rows that are in no place that a log of this size has, and count those that aren't read."""
        size = min(size, _INTEGER_MAX)
        for version, shown_origin in self._rows(_ODD_ENTRIES, (origin, size, _ODD_ROWS_SHOWN)):
            if shown_origin == origin and type(version) is int and version > size:
                self._findings.add(
                    FindingCode.ENTRY_BEYOND_CHECKPOINT, version - 1, f"the newest checkpoint counts {size}"
                )
            else:
                detail = f"a row has originator {shown_origin!r:.80}, version {version!r:.40}"
                self._findings.add(FindingCode.ENTRY_MISPLACED, None, detail)
        for level, position in self._rows(_ODD_HASHES, (size, _ODD_ROWS_SHOWN)):
            detail = f"level {level!r:.40}, position {position!r:.40} is beyond a tree of {size} leaves"
            self._findings.add(FindingCode.TREE_DIFFERS, None, detail)
        for (leaf_index,) in self._rows(_ODD_REFERENCES, (size, _ODD_ROWS_SHOWN)):
            self._findings.add(FindingCode.REFERENCE_INDEX_DIFFERS, leaf_index, "there is no such entry")
        for (count,) in self._rows(_ODD_CHECKPOINTS, (_INTEGER_MIN,)):
            if count:
                detail = f"{count} rows have what is no number of a checkpoint"
                self._findings.add(FindingCode.CHECKPOINT_ROW_DIFFERS, None, detail)
        self._count_read(origin, size)
        if self._start:
            self._count_unread(origin)

    def _count_read(self, origin: str, size: int) -> None:
        """Find out whether there were rows that were skipped, because they are there twice."""
        for (count,) in self._rows(_COUNT_READ_ENTRIES, (origin, self._start, size)):
            if count != self._entries_read:
                detail = f"there are {count} rows of entries, and {self._entries_read} versions of them"
                self._findings.add(FindingCode.ENTRY_MISPLACED, None, detail)
        for (count,) in self._rows(_COUNT_READ_CHECKPOINTS, (_INTEGER_MIN, self._start)):
            if count != self._checkpoints_read:
                detail = f"there are {count} rows of checkpoints, and {self._checkpoints_read} numbers of them"
                self._findings.add(FindingCode.CHECKPOINT_ROW_DIFFERS, None, detail)

    def _count_unread(self, origin: str) -> None:
        """Find out whether rows are missing before the entry at which the evidence begins."""
        start = self._start
        self._count(FindingCode.ENTRY_MISSING, "entries", start, _VERSIONS, (origin,), 1)
        self._count(FindingCode.REFERENCE_INDEX_DIFFERS, "references", start, _LEAF_INDEXES, (), 0)
        for level in range(TILE_LEVELS_MAX):
            along = start >> (TILE_HEIGHT * level)
            self._count(FindingCode.TREE_DIFFERS, f"hashes of level {level}", along, _POSITIONS, (level,), 0)

    def _count(
        self, code: FindingCode, what: str, due: int, statement: str, parameters: tuple[object, ...], first: int
    ) -> None:
        """Go through the numbers from `first` on, and note the first of `due` that isn't there or is there twice."""
        counted = 0
        while counted < due:
            before = first + counted - 1
            found = [row[0] for row in self._rows(statement, (*parameters, before, first + due - 1, _INTEGERS_AT_ONCE))]
            expected = range(before + 1, before + 1 + len(found))
            if not found or found != list(expected):
                pairs = zip(found, expected, strict=True)
                place = next((place for place, (one, other) in enumerate(pairs) if one != other), 0)
                number = counted + place
                twice = place > 0 and found[place] == found[place - 1]
                detail = f"of the first {due} {what}, {'there are two of number' if twice else 'there is no number'}"
                index = None if code is FindingCode.TREE_DIFFERS else number - twice
                self._findings.add(code, index, f"{detail} {number - twice}")
                return
            counted += len(found)

    def state_sizes(self) -> list[int]:
        """Return none: what a writer saves beside its tables is its own."""
        return []

    def state(self, size: int, size_max: int) -> bytes | None:
        """Return None."""
        return None

    def close(self) -> None:
        """Close the database."""
        self._database.close()
        if self._spool is not None:
            self._spool.close()

    def _rows(self, statement: str, parameters: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        if self._spool is not None and table_of(statement) in self._disordered:
            return self._spool.rows(statement, parameters)
        return self._database.rows(statement, parameters)
