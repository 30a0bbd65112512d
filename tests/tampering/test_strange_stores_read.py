"""Commands that answer from a stranger's store run nothing of it either: what isn't a ledger's is refused."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import cast

import pytest

from support.command_line import failed, run
from support.postgres import execute, fresh_database
from support.small_ledger import write_small_ledger

ENDLESS = "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r)"
VIEWS = {
    "stored_events": f"{ENDLESS} SELECT 'x' originator_id, i originator_version, 'x' topic, x'00' state FROM r",
    "tree": f"{ENDLESS} SELECT 0 AS level, i AS position, x'00' AS hash FROM r",
    "checkpoints": f"{ENDLESS} SELECT i AS number, i AS size, x'00' AS note FROM r",
    "refs": f"{ENDLESS} SELECT i AS leaf_index, 'x' AS party, 'x' AS ref FROM r",
}
COMMANDS = [
    ["balances"],
    ["receipt", "3", "-o", "-"],
    ["show", "entry", "3"],
    ["export", "out"],
    ["ledger backup", "out"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: words[0])
@pytest.mark.parametrize("table", VIEWS)
def test_a_view_in_place_of_a_table_is_not_asked(
    pristine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str, command: list[str]
) -> None:
    """Else the command would never end."""
    monkeypatch.chdir(tmp_path)
    ledger = Path(shutil.copytree(pristine / "short", tmp_path / "short"))
    with closing(sqlite3.connect(ledger / "ledger.db")) as database:
        database.executescript(f"ALTER TABLE {table} RENAME TO zz; CREATE VIEW {table} AS {VIEWS[table]};")
    words = command[0].split()
    said = failed(*words, ledger, *command[1:])
    assert f"{table} is not the table that a ledger makes" in said
    assert "tallystick audit" in said


def test_a_view_in_a_database_is_not_asked() -> None:
    """As with a file."""
    url = fresh_database()
    write_small_ledger(cast(Path, url))
    execute(url, "ALTER TABLE tallystick.refs RENAME TO zz")
    execute(url, "CREATE VIEW tallystick.refs AS SELECT * FROM tallystick.zz")
    assert "refs is no ordinary table" in failed("balances", url)


def test_a_commit_that_was_broken_off_is_not_shown(pristine: Path, tmp_path: Path) -> None:
    """SQLite must take it back first, and a reader can't."""
    ledger = Path(shutil.copytree(pristine / "short", tmp_path / "short"))
    with closing(sqlite3.connect(ledger / "ledger.db", isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("PRAGMA cache_size = 1")
        other.execute("BEGIN IMMEDIATE")
        other.execute("DROP TRIGGER stored_events_refuses_delete")
        other.execute("DELETE FROM stored_events WHERE originator_version > 20")
        other.execute("CREATE TABLE more (x)")
        other.executemany("INSERT INTO more VALUES (zeroblob(?))", [(100_000,)] * 50)  # more than is kept in memory
        crashed = Path(shutil.copytree(ledger, tmp_path / "crashed"))
    ran = run("show", crashed, "entry", "30")
    assert (ran.status, ran.out) == (2, ""), ran
