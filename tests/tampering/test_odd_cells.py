"""Cells of any size and tables of any shape, as a stranger's store may have them: named, and never fetched whole."""

import shutil
import sqlite3
import tracemalloc
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import cast

import pytest

from support.postgres import execute, fresh_database
from support.small_ledger import LOG_KEY, POLICY, PROVIDER, START, write_small_ledger
from support.tampering import opened
from tallystick.audit import FindingCode, audit
from tallystick.ledger import Admitted, open_ledger
from tallystick.vouchers.quantities import DAY_US, SECOND_US, format_instant

C = FindingCode
HUGE = 30_000_000
CELLS: list[tuple[str, str, FindingCode]] = [
    ("stored_events", "originator_id", C.ENTRY_MISPLACED),
    ("stored_events", "topic", C.TOPIC_DIFFERS),
    ("stored_events", "state", C.ENTRY_MALFORMED),
    ("tree", "hash", C.TREE_DIFFERS),
    ("checkpoints", "note", C.CHECKPOINT_MALFORMED),
    ("refs", "ref", C.REFERENCE_INDEX_DIFFERS),
]


def audited(source: Path | str) -> tuple[set[FindingCode], int]:
    """The codes, and how many bytes the audit took at its peak."""
    tracemalloc.start()
    try:
        report = audit(source, POLICY, processes=0)
        return set(report.codes()), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", ["TEXT", "BLOB"])
@pytest.mark.parametrize(("table", "column", "code"), CELLS, ids=[".".join(row[:2]) for row in CELLS])
def test_huge_cells_of_a_file_stay_there(
    pristine: Path, tmp_path: Path, table: str, column: str, code: FindingCode, kind: str
) -> None:
    """Of bytes or of text; one NUL ends a text for SQLite's own length, and not for this."""
    ledger = Path(shutil.copytree(pristine / "short", tmp_path / "short"))
    with opened(ledger) as database:
        where = f"rowid IN (SELECT rowid FROM {table} ORDER BY rowid DESC LIMIT 3)"
        if table == "tree":
            where = "level = 0 AND position > 58"
        if table == "refs":  # no party has a reference twice
            where = "rowid IN (SELECT max(rowid) FROM refs GROUP BY party LIMIT 3)"
        database.execute(f"UPDATE {table} SET {column} = CAST(zeroblob({HUGE}) AS {kind}) WHERE {where}")
    codes, peak = audited(ledger)
    assert code in codes
    assert peak < HUGE


def test_huge_cells_of_a_database_stay_there() -> None:
    """All of them at once, but for those that are in an index, which holds none."""
    url = fresh_database()
    write_small_ledger(cast(Path, url))
    assert audit(url, POLICY).is_clean
    for table, column, place in (
        ("stored_events", "topic", "originator_version = 5"),
        ("stored_events", "state", "originator_version = 6"),
        ("tree", "hash", "position = 7"),
        ("checkpoints", "note", "number = 3"),
    ):
        kind = "text" if column == "topic" else "bytea"
        execute(url, f"ALTER TABLE tallystick.{table} DISABLE TRIGGER ALL")
        execute(url, f"UPDATE tallystick.{table} SET {column} = repeat('x', {HUGE})::{kind} WHERE {place}")
    codes, peak = audited(url)
    assert {C.TOPIC_DIFFERS, C.ENTRY_MALFORMED, C.TREE_DIFFERS, C.CHECKPOINT_MALFORMED} <= codes
    assert C.STORE_DAMAGED not in codes
    assert peak < HUGE


def _remade(table: str, columns: str) -> Callable[[sqlite3.Connection], None]:
    def remake(database: sqlite3.Connection) -> None:
        database.execute(f"ALTER TABLE {table} RENAME TO old")
        database.execute(f"CREATE TABLE {table} ({columns})")
        database.execute(f"INSERT INTO {table} SELECT * FROM old")

    return remake


SHAPES: list[tuple[str, FindingCode, str, str, str]] = [
    (
        "numbers of checkpoints are text",
        C.CHECKPOINT_ROW_DIFFERS,
        "checkpoints",
        "number TEXT, size INTEGER, note BLOB",
        "UPDATE checkpoints SET number = 'first' WHERE number = '0'",
    ),
    (
        "a version is text",
        C.ENTRY_MISPLACED,
        "stored_events",
        "originator_id TEXT, originator_version, topic TEXT, state BLOB",
        "UPDATE stored_events SET originator_version = 'five' WHERE originator_version = 5",
    ),
    (
        "a level is a blob",
        C.TREE_DIFFERS,
        "tree",
        "level, position, hash",
        "UPDATE tree SET level = X'00' WHERE position = 7",
    ),
    (
        "a place in the index of references is text",
        C.REFERENCE_INDEX_DIFFERS,
        "refs",
        "leaf_index, party, ref",
        "UPDATE refs SET leaf_index = 'nine' WHERE leaf_index = 9",
    ),
    (
        "a place in the index of references is a fraction",
        C.REFERENCE_INDEX_DIFFERS,
        "refs",
        "leaf_index, party, ref",
        "INSERT INTO refs VALUES (9.5, 'shanghai', 'other')",
    ),
    (
        "a place in the index of references is NULL",
        C.REFERENCE_INDEX_DIFFERS,
        "refs",
        "leaf_index, party, ref",
        "INSERT INTO refs VALUES (NULL, 'shanghai', 'other')",
    ),
    (
        "a reference is there twice",
        C.REFERENCE_INDEX_DIFFERS,
        "refs",
        "leaf_index INTEGER, party, ref",
        "INSERT INTO refs SELECT 9, 'shanghai', 'other' UNION ALL SELECT 9, party, ref FROM refs WHERE leaf_index = 9",
    ),
    (
        "an entry is there twice",
        C.ENTRY_MISPLACED,
        "stored_events",
        "originator_id TEXT, originator_version INTEGER, topic TEXT, state BLOB",
        "INSERT INTO stored_events SELECT * FROM stored_events WHERE originator_version = 5",
    ),
    (
        "a checkpoint is there twice",
        C.CHECKPOINT_ROW_DIFFERS,
        "checkpoints",
        "number INTEGER, size INTEGER, note BLOB",
        "INSERT INTO checkpoints SELECT * FROM checkpoints WHERE number = 3",
    ),
]


@pytest.mark.parametrize(
    ("code", "table", "columns", "statement"), [row[1:] for row in SHAPES], ids=[row[0] for row in SHAPES]
)
def test_a_table_of_another_shape_makes_no_audit_fail(
    pristine: Path, tmp_path: Path, code: FindingCode, table: str, columns: str, statement: str
) -> None:
    """SQLite takes any: what isn't of its type is found."""
    ledger = Path(shutil.copytree(pristine / "short", tmp_path / "short"))
    with closing(sqlite3.connect(ledger / "ledger.db")) as database:
        _remade(table, columns)(database)
        database.execute(statement)
        database.commit()
    assert code in audit(ledger, POLICY).codes()


def test_a_row_behind_another_one_is_not_overlooked(ledger: Path, reports: Path) -> None:
    """Where 256 rows that are read at once end, its version was passed already."""
    with closing(sqlite3.connect(ledger / "ledger.db")) as database:
        _remade("stored_events", "originator_id TEXT, originator_version INTEGER, topic TEXT, state BLOB")(database)
        database.execute(
            "INSERT INTO stored_events SELECT originator_id, originator_version, topic, X'00' FROM stored_events "
            "WHERE originator_version = 256"
        )
        database.commit()
    assert C.ENTRY_MISPLACED in audit(ledger, POLICY).codes()
    assert C.ENTRY_MISSING in audit(ledger, POLICY, since=reports / "old.json").codes()


def test_a_checkpoint_behind_another_one_is_not_overlooked(pristine: Path, tmp_path: Path) -> None:
    """Likewise, in a series of more than 256."""
    ledger = Path(shutil.copytree(pristine / "short", tmp_path / "short"))
    at = START + 500 * DAY_US
    with open_ledger(ledger, LOG_KEY, clock=lambda: at) as writer:
        for number in range(250):
            note = PROVIDER.note(
                "tariff.publish",
                at,
                item="h100",
                price_fen=1,
                valid_from=format_instant(at + DAY_US + number * SECOND_US),
                ref=f"more-{number}",
            )
            assert isinstance(writer.submit([note])[0], Admitted)
    assert audit(ledger, POLICY).is_clean
    with closing(sqlite3.connect(ledger / "ledger.db")) as database:
        _remade("checkpoints", "number INTEGER, size INTEGER, note BLOB")(database)
        database.execute("INSERT INTO checkpoints SELECT number, size, X'00' FROM checkpoints WHERE number = 255")
        database.commit()
    assert C.CHECKPOINT_ROW_DIFFERS in audit(ledger, POLICY).codes()
