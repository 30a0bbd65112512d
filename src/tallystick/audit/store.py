"""A ledger's SQLite file, read-only and as one snapshot: every cell of every table is handed out or found wrong.

    stored_events  originator_id (the origin), originator_version (index + 1), topic (the kind), state (the entry)
    tree           level, position, hash: the complete hashes of each tile level
    checkpoints    number, size, note
    refs           leaf_index, party, ref

SQLite cells have any type whatever the column says, and after tampering they have: nothing here takes a type for
granted. An error of SQLite's own becomes `store_damaged`, and what couldn't be read is missing.
"""

import functools
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from tallystick.audit.evidence import StoredCheckpoint, StoredRun
from tallystick.audit.findings import FindingCode, Findings
from tallystick.errors import MalformedError
from tallystick.signing.note import Note
from tallystick.static.files import CHECKPOINT_SIZE_MAX, FolderFiles
from tallystick.transparency.merging import merge_notes
from tallystick.transparency.merkle import TILE_HEIGHT, TILE_WIDTH

DATABASE: Final = "ledger.db"
COSIGNED: Final = "checkpoint.cosigned"

TILE_LEVELS_MAX: Final = 8
ROWS_AT_ONCE: Final = 256
_ODD_ROWS_SHOWN: Final = 10
_INTEGER_MAX: Final = 2**63 - 1
_CHECKPOINTS: Final = (
    "SELECT number, size, note FROM checkpoints WHERE number > ? "
    "AND NOT (typeof(size) = 'integer' AND size >= 0 AND size < ?) ORDER BY number LIMIT ?"
)
_COUNT_CHECKPOINTS: Final = "SELECT count(*) FROM checkpoints WHERE typeof(size) = 'integer' AND size >= 0 AND size < ?"
_COUNT_ENTRIES: Final = (
    "SELECT count(*) FROM stored_events WHERE originator_id = ? AND originator_version BETWEEN 1 AND ?"
)
_COUNT_HASHES: Final = "SELECT count(*) FROM tree WHERE level = ? AND position >= 0 AND position < ?"
_COUNT_REFERENCES: Final = "SELECT count(*) FROM refs WHERE leaf_index >= 0 AND leaf_index < ?"
# Text that isn't UTF-8 must reach the comparison that finds it wrong, not raise.
_text: Final[Callable[[bytes], str]] = functools.partial(str, encoding="utf-8", errors="surrogateescape")


class StoreEvidence:
    """The evidence of a `ledger.db`."""

    hash_code = FindingCode.TREE_DIFFERS

    def __init__(self, path: Path, findings: Findings, start: int = 0) -> None:
        self.name = str(path)
        self._path = path
        self._findings = findings
        self._start = start
        self._database = _connect(path)
        # One read transaction for all of it: a writer at work doesn't change what is audited.
        self._rows("BEGIN")
        # It reads the whole file, which is what going on from an earlier audit is to save.
        for (answer,) in self._rows("PRAGMA integrity_check(10)") if start == 0 else ():
            if answer != "ok":
                self._damaged(str(answer))

    def newest_checkpoint(self) -> bytes | None:
        """Return the note with the highest number; if that isn't a blob, it is no note."""
        rows = self._rows("SELECT note FROM checkpoints ORDER BY number DESC LIMIT 1")
        if not rows:
            return None
        note = rows[0][0]
        return self._with_cosignatures(note) if isinstance(note, bytes) else b""

    def _with_cosignatures(self, note: bytes) -> bytes:
        """Return the note with the lines that witnesses left beside the store, if they are of this checkpoint."""
        try:
            cosigned = FolderFiles(self._path.parent).read(COSIGNED, CHECKPOINT_SIZE_MAX)
            if cosigned is None:
                return note
            Note.from_bytes(cosigned)
        except OSError as error:
            self._damaged(f"{COSIGNED} can't be read: {error.strerror}")
            return note
        except MalformedError as error:
            self._findings.add(FindingCode.CHECKPOINT_MALFORMED, None, f"{COSIGNED}: {error}")
            return note
        with suppress(MalformedError):  # the store's own note; opening it says why
            return merge_notes(note, cosigned)
        return note

    def entries(self, origin: str, size: int) -> Iterator[StoredRun]:
        """Yield the entries that are filed under this origin."""
        version = self._start
        while rows := self._rows(
            "SELECT originator_version, topic, state FROM stored_events WHERE originator_id = ? "
            "AND originator_version > ? AND originator_version <= ? ORDER BY originator_version LIMIT ?",
            (origin, version, min(size, _INTEGER_MAX), ROWS_AT_ONCE),
        ):
            version = rows[-1][0]
            # A version that isn't an integer is a place that doesn't exist; `check_the_rest` names it.
            yield from self._runs([row for row in rows if type(row[0]) is int])

    def _runs(self, rows: list[tuple[Any, ...]]) -> Iterator[StoredRun]:
        start = 0
        while start < len(rows):
            first = rows[start][0]
            # Versions rise, so the run goes to the end of the rows if the last is as far away as it can be.
            stop = len(rows) if rows[-1][0] - first == len(rows) - 1 - start else start + 1
            while stop < len(rows) and rows[stop][0] == first + stop - start:
                stop += 1
            _, topics, data = map(list, zip(*rows[start:stop], strict=True))
            self._blank(topics, str, first - 1, FindingCode.TOPIC_DIFFERS)
            self._blank(data, bytes, first - 1, FindingCode.ENTRY_MALFORMED)
            yield StoredRun(first - 1, data, topics)
            start = stop

    def _blank(self, cells: list[Any], kind: type, first: int, code: FindingCode) -> None:
        """Replace cells that aren't of a type by None, and note them."""
        if set(map(type, cells)) == {kind}:
            return
        for place, cell in enumerate(cells):
            if type(cell) is not kind:
                self._findings.add(code, first + place, f"it is stored as {_type_name(cell)}")
                cells[place] = None

    def hashes(self, level: int, tile: int, width: int) -> list[bytes | None]:
        """Return the rows of the tree at these positions."""
        first = tile * TILE_WIDTH
        rows = self._rows(
            "SELECT position, hash FROM tree WHERE level = ? AND position >= ? AND position < ? ORDER BY position",
            (level, first, first + width),
        )
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
        number = -_INTEGER_MAX - 1
        while rows := self._rows(_CHECKPOINTS, (number, self._start, ROWS_AT_ONCE)):
            yield from map(StoredCheckpoint._make, rows)
            number = rows[-1][0]

    def first_checkpoint(self) -> int:
        """Return how many come before those: numbers begin at 0 and have no gaps."""
        rows = self._rows(_COUNT_CHECKPOINTS, (self._start,))
        return rows[0][0] if rows else 0

    def references(self, start: int, stop: int) -> list[tuple[object, object, object]] | None:
        """Return the rows of the index."""
        return self._rows(
            "SELECT leaf_index, party, ref FROM refs WHERE leaf_index >= ? AND leaf_index < ? ORDER BY leaf_index",
            (start, stop),
        )

    def check_the_rest(self, origin: str, size: int) -> None:
        """Find rows that are in no place that a log of this size has, and count those that aren't read."""
        size = min(size, _INTEGER_MAX)
        for version, shown_origin in self._rows(
            "SELECT originator_version, originator_id FROM stored_events WHERE NOT coalesce("
            "originator_id = ? AND typeof(originator_version) = 'integer' AND originator_version BETWEEN 1 AND ?, 0) "
            "ORDER BY originator_version LIMIT ?",
            (origin, size, _ODD_ROWS_SHOWN),
        ):
            if shown_origin == origin and type(version) is int and version > size:
                self._findings.add(
                    FindingCode.ENTRY_BEYOND_CHECKPOINT, version - 1, f"the newest checkpoint counts {size}"
                )
            else:
                self._findings.add(
                    FindingCode.ENTRY_MISPLACED,
                    None,
                    f"a row has originator {shown_origin!r:.80}, version {version!r:.40}",
                )
        for level, position in self._rows(
            "SELECT level, position FROM tree WHERE NOT coalesce("
            "typeof(level) = 'integer' AND typeof(position) = 'integer' AND level BETWEEN 0 AND 7 "
            "AND position >= 0 AND position < (? >> (8 * level)), 0) LIMIT ?",
            (size, _ODD_ROWS_SHOWN),
        ):
            detail = f"level {level!r:.40}, position {position!r:.40} is beyond a tree of {size} leaves"
            self._findings.add(FindingCode.TREE_DIFFERS, None, detail)
        for (leaf_index,) in self._rows(
            "SELECT leaf_index FROM refs WHERE leaf_index < 0 OR leaf_index >= ? LIMIT ?", (size, _ODD_ROWS_SHOWN)
        ):
            self._findings.add(FindingCode.REFERENCE_INDEX_DIFFERS, leaf_index, "there is no such entry")
        if self._start:
            self._count_unread(origin)

    def _count_unread(self, origin: str) -> None:
        """Find out whether rows are missing before the entry at which the evidence begins."""
        start = self._start
        counted: list[tuple[FindingCode, str, int, str, tuple[object, ...]]] = [
            (FindingCode.ENTRY_MISSING, "entries", start, _COUNT_ENTRIES, (origin, start)),
            (FindingCode.REFERENCE_INDEX_DIFFERS, "references", start, _COUNT_REFERENCES, (start,)),
        ]
        for level in range(TILE_LEVELS_MAX):
            along = start >> (TILE_HEIGHT * level)
            counted.append((FindingCode.TREE_DIFFERS, f"hashes of level {level}", along, _COUNT_HASHES, (level, along)))
        for code, what, due, statement, parameters in counted:
            for (count,) in self._rows(statement, parameters):
                if count != due:
                    self._findings.add(code, None, f"of the first {due} {what} {count} are there")

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _rows(self, statement: str, parameters: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        try:
            return self._database.execute(statement, parameters).fetchall()
        except sqlite3.Error as error:
            self._damaged(str(error))
            return []

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


def _type_name(value: object) -> str:
    return {type(None): "NULL", int: "an integer", float: "a real number", str: "text", bytes: "a blob"}[type(value)]
