"""A copy of a ledger in which one byte of one entry is another: what an audit is for.

Whoever has the file can do this: triggers are dropped with one statement, and the store takes what it is given.
"""

import re
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LEDGER: Final = "ledger.db"
_FIRST_LINE: Final = re.compile(rb'"lines":\[\["[^"]*",[0-9]+,"[^"]*","[^"]*",[0-9]+')


@dataclass(frozen=True, slots=True)
class Change:
    """Which byte of which entry was changed, from what to what."""

    index: int
    place: int
    before: bytes
    after: bytes


def copy_with_one_byte_changed(folder: Path, copy: Path) -> Change:
    """Make a copy of a ledger folder, and in it make one burned amount of GPU-time another.

    The entry is the statement in the middle of all statements; the byte ends its first line's seconds.

    Args:
        folder: a ledger's, not being written to.
        copy: a folder that is there and empty.
    """
    shutil.copy(folder / "trust.policy", copy)
    with (
        closing(sqlite3.connect(folder / LEDGER)) as original,
        closing(sqlite3.connect(copy / LEDGER)) as changed,
    ):
        original.backup(changed)
        changed.execute("PRAGMA journal_mode = DELETE")
        for (trigger,) in changed.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            changed.execute(f'DROP TRIGGER "{trigger}"')
        version, entry = _statement_in_the_middle(changed)
        place = _last_digit_of_seconds(entry)
        before = entry[place : place + 1]
        after = b"1" if before != b"1" else b"2"
        altered = entry[:place] + after + entry[place + 1 :]
        changed.execute("UPDATE stored_events SET state = ? WHERE originator_version = ?", (altered, version))
        changed.commit()
    return Change(version - 1, place, before, after)


def _statement_in_the_middle(connection: sqlite3.Connection) -> tuple[int, bytes]:
    """Return the version (index + 1) and the bytes of a statement."""
    (count,) = connection.execute("SELECT count(*) FROM stored_events WHERE topic = 'time.burned/1'").fetchone()
    version, entry = connection.execute(
        "SELECT originator_version, state FROM stored_events WHERE topic = 'time.burned/1' "
        "ORDER BY originator_version LIMIT 1 OFFSET ?",
        (count // 2,),
    ).fetchone()
    return version, entry


def _last_digit_of_seconds(entry: bytes) -> int:
    """Return the place of the last digit of what the first line of a statement burned."""
    line = _FIRST_LINE.search(entry)
    assert line is not None
    return line.end() - 1
