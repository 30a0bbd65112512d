"""What somebody with the file can do: drop triggers, change cells, forge whole logs with the log's own key."""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from support.small_ledger import LOG_KEY
from tallystick.signing.keys import SigningKey
from tallystick.transparency.checkpoint import Checkpoint, sign_checkpoint
from tallystick.transparency.merkle import RightEdge, leaf_hash
from tallystick.vouchers.entry import Entry


@contextmanager
def opened(ledger: Path) -> Iterator[sqlite3.Connection]:
    """The ledger's database without its triggers; committed and closed at the end."""
    with closing(sqlite3.connect(ledger / "ledger.db")) as database:
        triggers = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for (name,) in triggers:
            database.execute(f'DROP TRIGGER "{name}"')
        yield database
        database.commit()


def sql(ledger: Path, *statements: str) -> None:
    """Run statements, each of which must change something."""
    with opened(ledger) as database:
        for statement in statements:
            assert database.execute(statement).rowcount != 0, statement


def entries_of(ledger: Path) -> list[bytes]:
    """All entries, in order."""
    with opened(ledger) as database:
        return [row[0] for row in database.execute("SELECT state FROM stored_events ORDER BY originator_version")]


def index_of(entries: Sequence[bytes], kind: str, number: int = 0) -> int:
    """The index of the so many-th entry of a kind."""
    return [index for index, data in enumerate(entries) if Entry.from_bytes(data).event.kind == f"{kind}/1"][number]


def put_entry(ledger: Path, index: int, data: bytes) -> None:
    """Replace the bytes of one entry, and nothing else."""
    with opened(ledger) as database:
        changed = database.execute("UPDATE stored_events SET state = ? WHERE originator_version = ?", (data, index + 1))
        assert changed.rowcount == 1


def edited(data: bytes, pattern: str, replacement: str) -> bytes:
    """An entry with the first match of a pattern replaced."""
    result, count = re.subn(pattern.encode(), replacement.encode(), data, count=1)
    assert count == 1
    assert result != data
    return result


def forge(ledger: Path, entries: Sequence[bytes], log_key: SigningKey = LOG_KEY) -> None:
    """Write the whole log anew with these entries, consistently: what an operator that holds the log's key can do."""
    edge = RightEdge()
    tree = edge.extend([leaf_hash(data) for data in entries])
    origin = log_key.name
    note = sign_checkpoint(Checkpoint(origin, edge.size, edge.root()), log_key)
    with opened(ledger) as database:
        topics = database.execute("SELECT topic FROM stored_events ORDER BY originator_version").fetchall()
        for table in ("stored_events", "tree", "checkpoints"):
            database.execute(f"DELETE FROM {table}")
        database.executemany(
            "INSERT INTO stored_events VALUES (?, ?, ?, ?)",
            [(origin, index + 1, topics[index][0], data) for index, data in enumerate(entries)],
        )
        database.executemany("INSERT INTO tree VALUES (?, ?, ?)", tree)
        database.execute("INSERT INTO checkpoints VALUES (0, ?, ?)", (edge.size, note))
