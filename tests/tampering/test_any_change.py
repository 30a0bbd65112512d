"""Whatever one byte or row is changed, something is found; nothing makes the audit fail."""

import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from support.small_ledger import POLICY
from support.tampering import opened
from tallystick.audit import audit

TABLES = {
    "stored_events": ("originator_id", "originator_version", "topic", "state"),
    "tree": ("level", "position", "hash"),
    "checkpoints": ("number", "size", "note"),
    "refs": ("leaf_index", "party", "ref"),
}
CELLS = [(table, column) for table, columns in TABLES.items() for column in columns]
CHANGES_OF_EACH_CELL = 14


def _changed(value: int | str | bytes, chance: random.Random) -> object:
    """Another value: one byte of it, one more or less, or something of another type."""
    if chance.random() < 0.15:
        return chance.choice([0.5, -1, "?", b"\xff\x00", 2**62])
    if isinstance(value, int):
        return value + chance.choice([-1, 1, 256])
    data = bytearray(value.encode() if isinstance(value, str) else value)
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(7)
    return data.decode(errors="replace") if isinstance(value, str) else bytes(data)


def _spoil(database: sqlite3.Connection, table: str, column: str, chance: random.Random) -> str | None:
    """Change one cell of a random row, or delete the row; return what was done, if the schema let it."""
    key = ", ".join(TABLES[table][:2])
    rows = database.execute(f"SELECT {key}, {column} FROM {table} ORDER BY {key}").fetchall()
    first, second, value = chance.choice(rows)
    names = TABLES[table][:2]
    where = f"{names[0]} = ? AND {names[1]} = ?"
    if chance.random() < 0.1:
        database.execute(f"DELETE FROM {table} WHERE {where}", (first, second))
        return f"deleted {table} {first} {second}"
    new = _changed(value, chance)
    try:
        database.execute(f"UPDATE {table} SET {column} = ? WHERE {where}", (new, first, second))
    except sqlite3.IntegrityError:
        return None
    (left,) = database.execute(
        f"SELECT count(*) FROM {table} WHERE {where} AND {column} IS ?", (first, second, value)
    ).fetchone()
    return None if left else f"{table}.{column} of {first!a:.40} {second!a:.40}: {value!a:.400} -> {new!a:.400}"


@pytest.mark.parametrize(("table", "column"), CELLS, ids=[".".join(cell) for cell in CELLS])
def test_any_change_of_a_cell_is_found(pristine: Path, tmp_path: Path, table: str, column: str) -> None:
    """One byte, one row: fourteen changes of each column."""
    chance = random.Random(f"{table}.{column}")
    tried = 0
    while tried < CHANGES_OF_EACH_CELL:
        folder = Path(shutil.copytree(pristine / "short", tmp_path / f"{tried}", dirs_exist_ok=True))
        with opened(folder) as database:
            done = _spoil(database, table, column, chance)
        if done is not None:
            tried += 1
            assert audit(folder, POLICY).verdict == "findings", done
    assert tried == CHANGES_OF_EACH_CELL


def test_any_change_of_an_exported_byte_is_found(pristine: Path, tmp_path: Path) -> None:
    """No byte of the folder is idle."""
    chance = random.Random(2026)
    files = sorted(path.relative_to(pristine / "tiles") for path in (pristine / "tiles").rglob("*") if path.is_file())
    assert len(files) == 6
    folder = Path(shutil.copytree(pristine / "tiles", tmp_path / "tiles"))
    for number in range(60):
        path = folder / files[number % len(files)]
        data = path.read_bytes()
        place = chance.randrange(len(data))
        path.write_bytes(data[:place] + bytes([data[place] ^ 1 << chance.randrange(8)]) + data[place + 1 :])
        assert audit(folder, POLICY).verdict == "findings", f"{path} at {place}"
        path.write_bytes(data)


def test_no_byte_of_the_file_can_make_the_audit_fail(pristine: Path, tmp_path: Path) -> None:
    """Some bytes of a database file mean nothing; whichever is changed, there is a report."""
    chance = random.Random(7)
    folder = Path(shutil.copytree(pristine / "short", tmp_path / "short"))
    data = (folder / "ledger.db").read_bytes()
    verdicts = []
    for _ in range(80):
        place = chance.randrange(100) if chance.random() < 0.2 else chance.randrange(len(data))
        (folder / "ledger.db").write_bytes(data[:place] + bytes([chance.randrange(256)]) + data[place + 1 :])
        verdicts.append(audit(folder, POLICY).verdict)
    assert verdicts.count("findings") > 20
