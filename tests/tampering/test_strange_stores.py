"""Stores without keys, without types, made of views: no entry is missing unseen, and no statement in them is run."""

import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final, cast

import pytest

from support.postgres import execute, fresh_database
from support.small_ledger import POLICY, write_small_ledger
from tallystick.audit import FindingCode, Report, audit
from tallystick.audit.sqlite_evidence import MADE

C = FindingCode
COLUMNS: Final = {
    "stored_events": ("originator_id", "originator_version", "topic", "state"),
    "tree": ("level", "position", "hash"),
    "checkpoints": ("number", "size", "note"),
    "refs": ("leaf_index", "party", "ref"),
}
Change = Callable[[sqlite3.Connection], object]


def _audited(source: Path | str, since: Path | None = None) -> Report:
    return audit(source, POLICY, since=since, processes=0)


def _found(report: Report) -> list[tuple[str, int | None]]:
    return [(row.code, row.index) for row in report.findings]


def _strip(database: sqlite3.Connection, order: str = "rowid") -> None:
    """Make every table anew, without keys, types or triggers, its rows in some order."""
    for table, columns in COLUMNS.items():
        names = ", ".join(columns)
        if table == "tree":  # it has no rowid
            database.execute(f"CREATE TABLE t AS SELECT {names} FROM tree")
            database.execute("DROP TABLE tree")
            database.execute("ALTER TABLE t RENAME TO tree")
        database.execute(f"CREATE TABLE new ({names})")
        database.execute(f"INSERT INTO new SELECT {names} FROM {table} ORDER BY {order}")
        database.execute(f"DROP TABLE {table}")
        database.execute(f"ALTER TABLE new RENAME TO {table}")


def _changed(ledger: Path, *changes: Change | str) -> Path:
    with closing(sqlite3.connect(ledger / "ledger.db")) as database:
        for change in changes:
            if isinstance(change, str):
                database.executescript(change)
            else:
                change(database)
        database.commit()
    return ledger


@pytest.fixture
def unkeyed(pristine: Path, tmp_path: Path) -> Path:
    """The small ledger, all keys gone."""
    return _changed(Path(shutil.copytree(pristine / "ledger", tmp_path / "ledger")), _strip)


# ------------------------------------------------------------------------------------------------ rows without keys


@pytest.mark.parametrize("order", ["rowid", "rowid DESC", "random()"])
def test_without_keys_all_is_read_and_nothing_else_is_wrong(pristine: Path, tmp_path: Path, order: str) -> None:
    """In whatever order rows lie, they are sorted by who audits: the totals are those of the ledger."""
    ledger = Path(shutil.copytree(pristine / "ledger", tmp_path / "ledger"))
    report = _audited(_changed(ledger, lambda database: _strip(database, order)))
    assert _found(report) == [("store_damaged", None)] * 4
    assert report.totals == _audited(pristine / "ledger").totals


MISSING: list[tuple[str, str, str, tuple[str, int | None]]] = [
    ("stored_events", "originator_version", "originator_version - 1", ("entry_missing", 7)),
    ("refs", "leaf_index", "leaf_index", ("reference_index_differs", 7)),
    ("tree", "position", "position", ("tree_differs", 7)),
    ("checkpoints", "number", "number", ("checkpoint_missing", None)),
]


@pytest.mark.parametrize("twice", [None, 6, 8, 3], ids=["gone", "before it", "after it", "elsewhere"])
@pytest.mark.parametrize(("table", "column", "place", "finding"), MISSING, ids=[row[0] for row in MISSING])
def test_a_row_that_is_missing_is_named(
    unkeyed: Path, table: str, column: str, place: str, finding: tuple[str, int | None], twice: int | None
) -> None:
    """Also where another is there twice, so that their number is right."""
    where = "level = 0 AND " if table == "tree" else ""
    change = f"DELETE FROM {table} WHERE {where}{place} = 7;"
    if twice is not None:
        change += f"INSERT INTO {table} SELECT * FROM {table} WHERE {where}{place} = {twice};"
    assert finding in _found(_audited(_changed(unkeyed, change)))


@pytest.mark.parametrize(("twice", "named"), [(6, 6), (8, 8), (256, None)])
def test_an_entry_whose_number_was_given_to_another_is_named(unkeyed: Path, twice: int, named: int | None) -> None:
    """A row renumbered: what lay there is there twice, and this one isn't."""
    change = f"UPDATE stored_events SET originator_version = {twice + 1} WHERE originator_version = 8"
    found = _found(_audited(_changed(unkeyed, change)))
    assert ("entry_missing", 7) in found
    assert ("entry_misplaced", named) in found


@pytest.mark.parametrize("table", ["stored_events", "refs", "tree"])
def test_a_row_that_is_missing_before_an_earlier_report_is_named(unkeyed: Path, reports: Path, table: str) -> None:
    """What isn't read again is counted, number by number."""
    where = {"stored_events": "originator_version = {}", "refs": "leaf_index = {}", "tree": "level=0 AND position={}"}
    gone, twice = where[table].format(8), where[table].format(9)
    change = f"DELETE FROM {table} WHERE {gone}; INSERT INTO {table} SELECT * FROM {table} WHERE {twice}"
    codes = {"stored_events": "entry_missing", "refs": "reference_index_differs", "tree": "tree_differs"}
    found = [row[0] for row in _found(_audited(_changed(unkeyed, change), since=reports / "old.json"))]
    assert codes[table] in found


def test_a_primary_key_that_lacks_rows_hides_none(pristine: Path, tmp_path: Path) -> None:
    """An index is a copy of its table, and somebody may have changed the one without the other."""
    ledger = Path(shutil.copytree(pristine / "ledger", tmp_path / "ledger"))
    swap = (
        "PRAGMA writable_schema = ON;"
        "CREATE TABLE other AS SELECT * FROM stored_events WHERE originator_version <> 8;"
        "UPDATE sqlite_master SET rootpage = (SELECT rootpage FROM sqlite_master WHERE name = 'other') "
        "WHERE name = 'stored_events';"
        "DELETE FROM sqlite_master WHERE name = 'other'"
    )
    assert ("entry_missing", 7) in _found(_audited(_changed(ledger, swap)))


def test_random_changes_without_keys_are_found(pristine: Path, tmp_path: Path) -> None:
    """Rows deleted, doubled, renumbered, cells changed to anything: whatever was done, something is found about it."""
    chance = random.Random(2026_11_29)
    stripped = _changed(Path(shutil.copytree(pristine / "short", tmp_path / "stripped")), _strip)
    usual = set(_found(_audited(stripped)))
    target = tmp_path / "changed"
    target.mkdir()
    tried = 0
    while tried < 120:
        shutil.copy(stripped / "ledger.db", target / "ledger.db")
        with closing(sqlite3.connect(target / "ledger.db")) as database:
            before = _rows(database)
            done = [_spoil(database, chance) for _ in range(chance.choice([1, 1, 2, 3]))]
            database.commit()
            if _rows(database) == before:
                continue
        tried += 1
        assert set(_found(_audited(target))) - usual, done


def _rows(database: sqlite3.Connection) -> list[list[tuple[object, ...]]]:
    return [sorted(database.execute(f"SELECT * FROM {table}"), key=repr) for table in COLUMNS]


def _spoil(database: sqlite3.Connection, chance: random.Random) -> str:
    table = chance.choice([*COLUMNS])
    column = chance.choice(COLUMNS[table])
    (rowid,) = database.execute(f"SELECT rowid FROM {table} ORDER BY random() LIMIT 1").fetchone()
    kind = chance.choice(["delete", "double", "number", "move", "other"])
    number = COLUMNS[table][1 if table in ("stored_events", "tree") else 0]
    values = {"number": "{} + 1", "move": "{} - 3"}
    if kind == "delete":
        statement = f"DELETE FROM {table} WHERE rowid = {rowid}"
    elif kind == "double":
        statement = f"INSERT INTO {table} SELECT * FROM {table} WHERE rowid = {rowid}"
    elif kind == "other":
        value = chance.choice(["NULL", "0.5", "-1", "X'00FF'", "'?'", f"CAST({column} AS TEXT)", f"hex({column})"])
        statement = f"UPDATE {table} SET {column} = {value} WHERE rowid = {rowid}"
    else:
        statement = f"UPDATE {table} SET {number} = {values[kind].format(number)} WHERE rowid = {rowid}"
    database.execute(statement)
    return statement


def test_the_tables_of_the_documents_are_those_that_a_ledger_makes(pristine: Path) -> None:
    """What the audit takes for a ledger's own, word for word."""
    page = (Path(__file__).resolve().parents[2] / "docs" / "audit.md").read_text("utf-8")
    (block,) = [one for one in page.split("```sql\n")[1:] if "CREATE TABLE stored_events" in one]
    told = [" ".join(statement.split()) for statement in block.split("```")[0].split(";") if statement.strip()]
    with closing(sqlite3.connect(pristine / "ledger" / "ledger.db")) as database:
        made = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'").fetchall()
    assert told == list(MADE.values())
    assert dict(made) == MADE


# --------------------------------------------------------------------------------------- a schema that does something

ENDLESS = "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r)"
HUGE = "hex(zeroblob(400000000))"


def _as_view(table: str, select: str) -> str:
    return f"ALTER TABLE {table} RENAME TO zz; CREATE VIEW {table} ({', '.join(COLUMNS[table])}) AS {select};"


def _remade(table: str, columns: str) -> str:
    names = ", ".join(COLUMNS[table])
    return (
        f"CREATE TABLE new ({columns}); INSERT INTO new ({names}) SELECT {names} FROM {table}; DROP TABLE {table};"
        f"ALTER TABLE new RENAME TO {table};"
    )


def _rewritten(table: str, sql: str) -> str:
    """The schema's own text, changed by hand."""
    quoted = sql.replace("'", "''")
    return (
        f"PRAGMA writable_schema = ON; UPDATE sqlite_master SET sql = '{quoted}' "
        f"WHERE type = 'table' AND name = '{table}'"
    )


ACTIVE: list[tuple[str, str]] = [
    ("a view without end", _as_view("stored_events", f"{ENDLESS} SELECT 'x', i, 'x', x'00' FROM r")),
    ("an index of references without end", _as_view("refs", f"{ENDLESS} SELECT i, 'party', 'ref' FROM r")),
    ("a tree without end", _as_view("tree", f"{ENDLESS} SELECT 0, i, x'00' FROM r")),
    ("checkpoints without end", _as_view("checkpoints", f"{ENDLESS} SELECT i, i, x'00' FROM r")),
    ("huge values", _as_view("checkpoints", f"SELECT number, size, {HUGE} FROM zz")),
    ("a view that is right", _as_view("tree", "SELECT * FROM zz")),
    ("a view called a table", _rewritten(
        "tree", f"CREATE VIEW tree (level, position, hash) AS {ENDLESS} SELECT 0, i, x'00' FROM r"
    )),
    ("a virtual table", "ALTER TABLE refs RENAME TO zz; CREATE VIRTUAL TABLE refs USING fts5(leaf_index, party, ref);"),
    ("a column that is computed", "DROP TABLE refs; CREATE TABLE refs (leaf_index INTEGER PRIMARY KEY, party TEXT, "
        f"ref TEXT AS ({HUGE}) VIRTUAL); INSERT INTO refs VALUES (1, 'party')"),
    ("a check that takes for ever", "PRAGMA ignore_check_constraints = ON;" + _remade(
        "tree", f"level INTEGER, position INTEGER, hash BLOB, CHECK (length({HUGE}) > 0)"
    )),
    ("an index over huge values", _rewritten("refs", "CREATE TABLE refs (leaf_index INTEGER PRIMARY KEY, "
        "party TEXT NOT NULL, ref TEXT NOT NULL, UNIQUE (party, ref), CHECK (length(hex(zeroblob(400000000))) > 0))")),
    ("a view bomb beside the tables", _remade("refs", "leaf_index, party, ref") + "CREATE VIEW v0 AS SELECT 1 AS a;" +
        "".join(f"CREATE VIEW v{n + 1} AS SELECT x.a FROM v{n} x, v{n} y, v{n} z;" for n in range(30))),
]  # fmt: skip


@pytest.mark.parametrize("change", [row[1] for row in ACTIVE], ids=[row[0] for row in ACTIVE])
def test_nothing_that_a_schema_says_is_run(pristine: Path, tmp_path: Path, change: str) -> None:
    """Else the audit would not end, or not fit into memory; what isn't an ordinary table is not read."""
    ledger = Path(shutil.copytree(pristine / "short", tmp_path / "short"))
    assert ("store_damaged", None) in _found(_audited(_changed(ledger, change)))


ADDED = [
    "CREATE TABLE notes (text); INSERT INTO notes VALUES ('mine')",
    "CREATE INDEX by_topic ON stored_events (topic)",
    "CREATE UNIQUE INDEX by_party ON refs (party, ref) WHERE leaf_index < 3",
    "CREATE VIEW newest AS SELECT * FROM checkpoints ORDER BY number DESC",
    "CREATE TRIGGER t AFTER INSERT ON refs BEGIN SELECT 1; END",
    "ANALYZE",
]


@pytest.mark.parametrize("change", ADDED)
def test_what_an_operator_adds_beside_the_log_is_no_finding(pristine: Path, tmp_path: Path, change: str) -> None:
    """It isn't read, and no entry is read by way of it."""
    ledger = Path(shutil.copytree(pristine / "short", tmp_path / "short"))
    assert _found(_audited(_changed(ledger, change))) == []


def test_an_index_of_an_expression_is_not_computed(pristine: Path, tmp_path: Path) -> None:
    """Neither by SQLite's own check of the file."""
    ledger = Path(shutil.copytree(pristine / "short", tmp_path / "short"))
    add = (
        "CREATE INDEX evil ON refs (length(ref)); PRAGMA writable_schema = ON; UPDATE sqlite_master SET "
        "sql = 'CREATE INDEX evil ON refs (length(hex(zeroblob(400000000))))' WHERE name = 'evil'"
    )
    assert _found(_audited(_changed(ledger, add))) == []


def test_a_schema_s_text_steers_no_terminal(pristine: Path, tmp_path: Path) -> None:
    """Findings repeat it in one line of what can be printed, and not at length."""
    ledger = Path(shutil.copytree(pristine / "short", tmp_path / "short"))
    _changed(ledger, _rewritten("refs", "CREATE TABLE refs (\x1b[2J\u202e" + "x" * 5_000))
    details = [row.detail for row in _audited(ledger).findings]
    assert all(detail.isprintable() and len(detail) <= 1_000 for detail in details)


def test_a_schema_that_is_no_text_is_a_finding(pristine: Path, tmp_path: Path) -> None:
    """SQLite quotes it in what it says."""
    ledger = Path(shutil.copytree(pristine / "short", tmp_path / "short"))
    _changed(ledger, "PRAGMA journal_mode = DELETE")
    data = bytearray((ledger / "ledger.db").read_bytes())
    data[data.find(b"CREATE TABLE refs") + 2] = 0xBD
    (ledger / "ledger.db").write_bytes(data)
    assert ("store_damaged", None) in _found(_audited(ledger))


def test_pages_that_lead_to_each_other_end(pristine: Path, tmp_path: Path) -> None:
    """A table of few pages can be made to look as if it had more rows than any file."""
    ledger = Path(shutil.copytree(pristine / "ledger", tmp_path / "ledger"))
    _changed(ledger, _strip, "PRAGMA journal_mode = DELETE; VACUUM")
    with closing(sqlite3.connect(ledger / "ledger.db")) as database:
        (page_size,) = database.execute("PRAGMA page_size").fetchone()
        (root,) = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'stored_events'").fetchone()
    data = bytearray((ledger / "ledger.db").read_bytes())
    start = (root - 1) * page_size
    assert data[start] == 5  # an inner page of a table
    (cells,) = (int.from_bytes(data[start + 3 : start + 5], "big"),)
    first = int.from_bytes(data[start + 12 : start + 14], "big")
    child = data[start + first : start + first + 4]
    for cell in range(cells):
        place = int.from_bytes(data[start + 12 + 2 * cell : start + 14 + 2 * cell], "big")
        data[start + place : start + place + 4] = child
    (ledger / "ledger.db").write_bytes(data)
    found = _found(_audited(ledger))
    assert ("store_damaged", None) in found
    assert any(code == "entry_missing" for code, _ in found)


# -------------------------------------------------------------------------------------------------------- PostgreSQL


def _database(*changes: str) -> str:
    url = fresh_database()
    write_small_ledger(cast(Path, url))
    for table in COLUMNS:
        execute(url, f"ALTER TABLE tallystick.{table} DISABLE TRIGGER ALL")
    for change in changes:
        execute(url, change)
    return url


UNKEY = "ALTER TABLE tallystick.stored_events DROP CONSTRAINT stored_events_pkey"


@pytest.mark.parametrize(
    "changes",
    [
        [UNKEY, "UPDATE tallystick.stored_events SET originator_version = 12 WHERE originator_version = 11"],
        [
            UNKEY,
            "DROP INDEX tallystick.stored_events_notification_id_idx",
            "DELETE FROM tallystick.stored_events WHERE originator_version = 11",
            "INSERT INTO tallystick.stored_events SELECT * FROM tallystick.stored_events WHERE originator_version = 12",
        ],
        [
            "CREATE TABLE tallystick.child () INHERITS (tallystick.stored_events)",
            "INSERT INTO tallystick.child SELECT * FROM ONLY tallystick.stored_events WHERE originator_version = 12",
            "DELETE FROM ONLY tallystick.stored_events WHERE originator_version = 12",
            "UPDATE ONLY tallystick.stored_events SET originator_version = 12 WHERE originator_version = 11",
        ],
        [
            "CREATE TABLE tallystick.child () INHERITS (tallystick.stored_events)",
            "INSERT INTO tallystick.child SELECT * FROM ONLY tallystick.stored_events WHERE originator_version = 11",
            "DELETE FROM ONLY tallystick.stored_events WHERE originator_version = 11",
        ],
    ],
    ids=["renumbered", "gone, and its neighbour twice", "inherited and renumbered", "inherited"],
)
def test_an_entry_that_is_missing_from_a_database_is_named(changes: list[str]) -> None:
    """Whether the key is there or not, and whatever rows other tables lend."""
    found = _found(_audited(_database(*changes)))
    assert ("entry_missing", 10) in found
    assert ("store_damaged", None) in found


EVIL = "CREATE FUNCTION tallystick.evil(int) RETURNS bool VOLATILE LANGUAGE plpgsql AS $$ BEGIN LOOP END LOOP; END $$"
STRANGE = {
    "a table that only inherits": ["CREATE TABLE tallystick.child () INHERITS (tallystick.refs)"],
    "a foreign kind": [
        "ALTER TABLE tallystick.refs RENAME TO zz",
        "CREATE TABLE tallystick.refs (leaf_index bigint, party text, ref text) PARTITION BY RANGE (leaf_index)",
    ],
    "a computed column": [
        "ALTER TABLE tallystick.refs DROP COLUMN ref CASCADE",
        "ALTER TABLE tallystick.refs ADD COLUMN ref text GENERATED ALWAYS AS (party || 'x') STORED",
    ],
    "a policy that takes for ever": [
        EVIL,
        "CREATE POLICY evil ON tallystick.sidecar USING (tallystick.evil(1))",
        "ALTER TABLE tallystick.sidecar FORCE ROW LEVEL SECURITY",
    ],
    "a view that takes for ever": [
        EVIL,
        "ALTER TABLE tallystick.refs RENAME TO zz",
        "CREATE VIEW tallystick.refs AS SELECT * FROM tallystick.zz WHERE tallystick.evil(leaf_index::int)",
    ],
    "a type of somebody's own": [
        "CREATE DOMAIN tallystick.odd AS text",
        "ALTER TABLE tallystick.refs ALTER COLUMN party TYPE tallystick.odd",
    ],
}


@pytest.mark.parametrize("changes", STRANGE.values(), ids=STRANGE)
def test_nothing_that_a_database_says_is_run(changes: list[str]) -> None:
    """What isn't an ordinary table of the ledger's columns is not read."""
    assert ("store_damaged", None) in _found(_audited(_database(*changes)))
