"""What somebody with the database can do is found as it is in a folder; what isn't the log's fault is no finding."""

import os
import random
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest

from support.actors import ORIGIN
from support.command_line import run
from support.postgres import execute, fresh_database, server
from support.small_ledger import LOG_KEY, POLICY, PROVIDER, SIZES, START, write_small_ledger
from support.tampering import entries_of
from tallystick.audit import FindingCode, audit, store_evidence
from tallystick.audit.postgres_evidence import PostgresDatabase, _spelled
from tallystick.errors import LedgerError, NotALedgerError, UsageError
from tallystick.findings import Findings
from tallystick.ledger import open_ledger
from tallystick.signing.keys import SigningKey
from tallystick.transparency.checkpoint import Checkpoint, sign_checkpoint
from tallystick.transparency.merkle import EMPTY_ROOT, RightEdge, leaf_hash
from tallystick.vouchers.quantities import DAY_US, SECOND_US, format_instant
from tampering.test_store_attacks import ENTRIES, STRANGER

Connection = psycopg.Connection[tuple[Any, ...]]
Attack = Callable[[Connection], int | None]
C = FindingCode
LOG_TABLES = ("stored_events", "tree", "checkpoints", "refs")
ZEROS = r"'\x" + "00" * 32 + "'"

_numbers = count()


def _write(url: str, up_to: Sequence[int] = ()) -> str:
    write_small_ledger(cast(Path, url), up_to=up_to)
    return url


@pytest.fixture(scope="module")
def whole() -> str:
    """A database with the ledger of `pristine`, never to be changed."""
    return _write(fresh_database(), SIZES)


@pytest.fixture
def database(whole: str) -> Iterator[str]:
    """A copy to spoil."""
    name = f"spoilt_{os.getpid()}_{next(_numbers)}"
    execute(server().url("postgres"), f'CREATE DATABASE "{name}" TEMPLATE "{whole.rpartition("/")[2]}"')
    yield server().url(name)
    execute(server().url("postgres"), f'DROP DATABASE "{name}" (FORCE)')


def opened(url: str) -> Connection:
    """The database as its owner, who took the triggers away; to be used in a `with`, which commits and closes."""
    connection = psycopg.connect(url, options="-c search_path=tallystick")
    for table in LOG_TABLES:
        connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL".encode())
    return connection


def _found(url: str, since: Path | None = None) -> dict[FindingCode, list[int | None]]:
    found: dict[FindingCode, list[int | None]] = {}
    report = audit(url, POLICY, since=since)
    for code, row in zip(report.codes(), report.findings, strict=True):
        found.setdefault(code, []).append(row.index)
    return found


# ------------------------------------------------------------------------------------------------- a sound ledger


def test_the_report_is_that_of_a_folder(whole: str, pristine: Path) -> None:
    """Whatever keeps the log."""
    report = audit(whole, POLICY)
    assert report == audit(pristine / "ledger", POLICY)
    assert report.is_clean


@pytest.mark.parametrize("since", ["first", "old", "whole"])
def test_an_audit_goes_on_from_the_report_on_a_folder(
    whole: str, pristine: Path, reports: Path, since: str, tmp_path: Path
) -> None:
    """And leaves the same files."""
    for name, source in (("database", whole), ("folder", pristine / "ledger")):
        report = audit(source, POLICY, since=reports / f"{since}.json", report_file=tmp_path / f"{name}.json")
        assert report.is_clean
    assert (tmp_path / "database.json").read_bytes() == (tmp_path / "folder.json").read_bytes()
    assert (tmp_path / "database.state").read_bytes() == (tmp_path / "folder.state").read_bytes()


def test_what_is_committed_meanwhile_is_not_seen(database: str) -> None:
    """One snapshot from the first read to the last."""
    sizes = []

    def commit(done: int, total: int) -> None:
        at = START + 500 * DAY_US
        with open_ledger(database, LOG_KEY, clock=lambda: at) as ledger:
            note = PROVIDER.note(
                "tariff.publish",
                at,
                item="h100",
                price_fen=1,
                valid_from=format_instant(at + DAY_US + done * SECOND_US),
                ref=f"meanwhile-{done}",
            )
            ledger.submit([note])
            sizes.append(ledger.state.size)

    report = audit(database, POLICY, progress=commit)
    assert sizes == [290, 291]
    assert report.is_clean
    assert report.entries == 289
    assert audit(database, POLICY).entries == 291


def test_the_audit_can_not_write(whole: str) -> None:
    """Not even if it wanted to."""
    evidence = PostgresDatabase(whole, Findings())
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        evidence._cursor.execute("INSERT INTO tallystick.takeovers (who) VALUES ('me')")
    evidence.close()


@pytest.mark.parametrize(
    "statement",
    [store_evidence._ENTRIES, store_evidence._HASHES, store_evidence._CHECKPOINTS, store_evidence._REFERENCES],
)
def test_a_page_of_a_table_is_read_by_its_key(database: str, statement: str) -> None:
    """Even where the server knows nothing of what is in it; else each page would cost as much as all."""
    execute(database, "DELETE FROM pg_statistic")
    evidence = PostgresDatabase(database, Findings())
    spelled = _spelled(statement)
    cursor = evidence._cursor.execute(
        b"EXPLAIN " + spelled, [ORIGIN if "originator_id" in statement else 0] + [1] * (spelled.count(b"%s") - 1)
    )
    plan = [row[0] for row in cursor]
    evidence.close()
    assert any("Index Scan" in line for line in plan), plan
    assert not any("Sort" in line or "Seq Scan" in line or "Bitmap" in line for line in plan), plan


def test_what_is_not_evidence_is_not_read(database: str) -> None:
    """The library's own numbering, who wrote when, and a writer's saved state."""
    with opened(database) as connection:
        connection.execute("UPDATE stored_events SET notification_id = 10000 - notification_id")
        connection.execute("DELETE FROM takeovers")
        connection.execute("INSERT INTO sidecar VALUES ('snapshot.json', 'nonsense')")
    assert _found(database) == {}


# ------------------------------------------------------------------------------------------------- cells and rows


def _sql(*statements: str, index: int | None = None) -> Attack:
    def attack(connection: Connection) -> int | None:
        for statement in statements:
            assert connection.execute(statement.encode()).rowcount != 0, statement
        return index

    return attack


def _newest_note(note: bytes) -> Attack:
    def attack(connection: Connection) -> None:
        connection.execute(
            "UPDATE checkpoints SET note = %s WHERE number = (SELECT max(number) FROM checkpoints)", (note,)
        )

    return attack


def _forged_checkpoint(number: int, signer: SigningKey) -> Attack:
    def attack(connection: Connection) -> None:
        row = connection.execute("SELECT size FROM checkpoints WHERE number = %s", (number,)).fetchone()
        assert row is not None
        note = sign_checkpoint(Checkpoint(ORIGIN, row[0], b"\x01" * 32), signer)
        connection.execute("UPDATE checkpoints SET note = %s WHERE number = %s", (note, number))

    return attack


def _emptied(connection: Connection) -> None:
    for table in LOG_TABLES:
        connection.execute(f"DELETE FROM {table}".encode())
    note = sign_checkpoint(Checkpoint(ORIGIN, 0, EMPTY_ROOT), LOG_KEY)
    connection.execute("INSERT INTO checkpoints VALUES (0, 0, %s)", (note,))


ROWS: list[tuple[str, FindingCode, Attack]] = [
    ("a table is gone", C.STORE_DAMAGED, _sql("DROP TABLE refs")),
    ("a column is gone", C.STORE_DAMAGED, _sql("ALTER TABLE tree RENAME COLUMN hash TO hush")),
    ("a column has another type", C.STORE_DAMAGED, _sql(
        "ALTER TABLE stored_events ALTER COLUMN originator_version TYPE numeric")),
    ("a column compares loosely", C.STORE_DAMAGED, _sql(
        'CREATE COLLATION loose FROM "C"',  # one by ICU's rules would be, but not every server has ICU
        "UPDATE pg_collation SET collisdeterministic = false WHERE collname = 'loose'",
        "ALTER TABLE refs ALTER COLUMN ref TYPE text COLLATE loose")),
    ("what kept rows from being twice there is gone", C.STORE_DAMAGED, _sql(
        "ALTER TABLE refs DROP CONSTRAINT refs_party_ref_key")),
    ("an entry is there twice", C.STORE_DAMAGED, _sql(
        "ALTER TABLE stored_events DROP CONSTRAINT stored_events_pkey",
        "INSERT INTO stored_events SELECT originator_id, originator_version, topic, state FROM stored_events "
        "WHERE originator_version = 256")),
    ("a table is a view", C.STORE_DAMAGED, _sql(
        "ALTER TABLE refs RENAME TO real_refs", "CREATE VIEW refs AS SELECT * FROM real_refs")),
    ("rows are hidden", C.STORE_DAMAGED, _sql("ALTER TABLE tree ENABLE ROW LEVEL SECURITY")),
    ("there is nothing beside", C.STORE_DAMAGED, _sql("DROP TABLE sidecar")),
    ("all checkpoints are gone", C.CHECKPOINT_MISSING, _sql("DELETE FROM checkpoints")),
    ("one of the series is gone", C.CHECKPOINT_MISSING, _sql("DELETE FROM checkpoints WHERE number = 2")),
    ("the first of the series is gone", C.CHECKPOINT_MISSING, _sql("DELETE FROM checkpoints WHERE number = 0")),
    ("the newest is no note", C.CHECKPOINT_MALFORMED, _newest_note(b"\x00")),
    ("an older one is NULL", C.CHECKPOINT_MALFORMED, _sql(
        "ALTER TABLE checkpoints ALTER COLUMN note DROP NOT NULL",
        "UPDATE checkpoints SET note = NULL WHERE number = 1")),
    ("a stranger signed the newest", C.CHECKPOINT_SIGNATURE_INVALID, _forged_checkpoint(10, STRANGER)),
    ("a stranger signed an older one", C.CHECKPOINT_SIGNATURE_INVALID, _forged_checkpoint(3, STRANGER)),
    ("a size is changed", C.CHECKPOINT_ROW_DIFFERS, _sql("UPDATE checkpoints SET size = 7 WHERE number = 1")),
    ("a size is NULL", C.CHECKPOINT_ROW_DIFFERS, _sql(
        "ALTER TABLE checkpoints ALTER COLUMN size DROP NOT NULL",
        "UPDATE checkpoints SET size = NULL WHERE number = 1")),
    ("a number is below zero", C.CHECKPOINT_ROW_DIFFERS, _sql("UPDATE checkpoints SET number = -1 WHERE number = 0")),
    ("a number is the least there is", C.CHECKPOINT_ROW_DIFFERS, _sql(
        "INSERT INTO checkpoints VALUES (-9223372036854775808, 5000, 'hidden')")),
    ("the log signed another root", C.CHECKPOINT_ROOT_DIFFERS, _forged_checkpoint(3, LOG_KEY)),
    ("everything is gone", C.LOG_EMPTY, _emptied),
    ("an entry is gone", C.ENTRY_MISSING, _sql("DELETE FROM stored_events WHERE originator_version = 21", index=20)),
    ("entries trade places", C.INDEX_DIFFERS, _sql(
        "UPDATE stored_events SET originator_version = -1 WHERE originator_version = 30",
        "UPDATE stored_events SET originator_version = 30 WHERE originator_version = 31",
        "UPDATE stored_events SET originator_version = 31 WHERE originator_version = -1", index=29)),
    ("the newest checkpoint is gone", C.ENTRY_BEYOND_CHECKPOINT, _sql(
        "DELETE FROM checkpoints WHERE number = (SELECT max(number) FROM checkpoints)", index=263)),
    ("a row is another log's", C.ENTRY_MISPLACED, _sql(
        "UPDATE stored_events SET originator_id = 'other' WHERE originator_version = 5")),
    ("an entry is NULL", C.ENTRY_MALFORMED, _sql(
        "ALTER TABLE stored_events ALTER COLUMN state DROP NOT NULL",
        "UPDATE stored_events SET state = NULL WHERE originator_version = 5", index=4)),
    ("an entry is empty", C.ENTRY_MALFORMED, _sql(
        "UPDATE stored_events SET state = '' WHERE originator_version = 5", index=4)),
    ("a topic is changed", C.TOPIC_DIFFERS, _sql(
        "UPDATE stored_events SET topic = 'voucher.issued/1' WHERE originator_version = 2", index=1)),
    ("a topic is NULL", C.TOPIC_DIFFERS, _sql(
        "ALTER TABLE stored_events ALTER COLUMN topic DROP NOT NULL",
        "UPDATE stored_events SET topic = NULL WHERE originator_version = 2", index=1)),
    ("a leaf hash is changed", C.LEAF_DIFFERS, _sql(
        f"UPDATE tree SET hash = {ZEROS} WHERE level = 0 AND position = 7", index=7)),
    ("a hash is gone", C.TREE_DIFFERS, _sql("DELETE FROM tree WHERE level = 0 AND position = 7", index=7)),
    ("a hash of the second level is changed", C.TREE_DIFFERS, _sql(f"UPDATE tree SET hash = {ZEROS} WHERE level = 1")),
    ("the tree has a hash too many", C.TREE_DIFFERS, _sql(f"INSERT INTO tree VALUES (1, 1, {ZEROS})")),
    ("the tree has a level too many", C.TREE_DIFFERS, _sql(f"INSERT INTO tree VALUES (2147483647, 0, {ZEROS})")),
    ("a reference is changed", C.REFERENCE_INDEX_DIFFERS, _sql(
        "UPDATE refs SET ref = 'other' WHERE leaf_index = 9", index=9)),
    ("a reference is gone", C.REFERENCE_INDEX_DIFFERS, _sql("DELETE FROM refs WHERE leaf_index = 9", index=9)),
    ("there is a reference too many", C.REFERENCE_INDEX_DIFFERS, _sql(
        "INSERT INTO refs VALUES (5000, 'shanghai', 'other')", index=5000)),
    ("all references are gone", C.FINDINGS_CUT, _sql("DELETE FROM refs")),
]  # fmt: skip


@pytest.mark.parametrize(("code", "attack"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_changed_cell_or_row_is_found(database: str, reports: Path, code: FindingCode, attack: Attack) -> None:
    """By its code, and at the entry where there is one; also from an earlier report on, among what is new since."""
    with opened(database) as connection:
        index = attack(connection)
    assert index in _found(database)[code]
    assert index in _found(database, reports / "first.json")[C.HISTORY_REWRITTEN if code is C.LOG_EMPTY else code]


def test_text_that_is_no_utf_8_is_found() -> None:
    """A database may be of an encoding that takes any byte."""
    name = f"ascii_{os.getpid()}_{next(_numbers)}"
    execute(server().url("postgres"), f"CREATE DATABASE {name} ENCODING SQL_ASCII LOCALE 'C' TEMPLATE template0")
    url = _write(server().url(name))
    assert _found(url) == {}
    with opened(url) as connection:
        connection.execute(r"UPDATE stored_events SET topic = E'\x80' WHERE originator_version = 2")
        connection.execute(r"UPDATE refs SET party = E'\xff' WHERE leaf_index = 9")
    assert _found(url) == {C.TOPIC_DIFFERS: [1], C.REFERENCE_INDEX_DIFFERS: [9]}


# --------------------------------------------------------------------------------------------- what entries say


def _forge(connection: Connection, entries: list[bytes]) -> None:
    """Make tree and checkpoint fit the entries, and sign: what an operator that holds the log's key can do."""
    edge = RightEdge()
    tree = edge.extend([leaf_hash(data) for data in entries])
    note = sign_checkpoint(Checkpoint(ORIGIN, edge.size, edge.root()), LOG_KEY)
    connection.execute("DELETE FROM tree")
    connection.execute("DELETE FROM checkpoints")
    connection.cursor().executemany("INSERT INTO tree VALUES (%s, %s, %s)", tree)
    connection.execute("INSERT INTO checkpoints VALUES (0, %s, %s)", (edge.size, note))


@pytest.mark.parametrize(("code", "change"), [row[1:] for row in ENTRIES], ids=[row[0] for row in ENTRIES])
def test_a_changed_entry_is_found(
    ledger: Path, database: str, code: FindingCode, change: Callable[[Path], tuple[int, bytes]]
) -> None:
    """The same ones as in a folder, by their hash; and when the operator signs them, by the decision alone."""
    index, data = change(ledger)
    entries = entries_of(ledger)
    entries[index] = data
    with opened(database) as connection:
        connection.execute("UPDATE stored_events SET state = %s WHERE originator_version = %s", (data, index + 1))
    found = _found(database)
    assert index in found[code]
    assert index in found[C.LEAF_DIFFERS]
    assert C.ROOT_DIFFERS in found
    with opened(database) as connection:
        _forge(connection, entries)
    found = _found(database)
    assert index in found[code]
    assert not {C.LEAF_DIFFERS, C.TREE_DIFFERS, C.ROOT_DIFFERS, C.CHECKPOINT_SIGNATURE_INVALID} & set(found)


def test_the_command_line_says_how_to_see_the_entry(database: str, tmp_path: Path) -> None:
    """By a question that can be asked, in a line without the password."""
    with opened(database) as connection:
        connection.execute("UPDATE stored_events SET topic = 'odd' WHERE originator_version = 5")
    (tmp_path / "trust.policy").write_bytes(POLICY.to_text())
    with_password = database.replace("postgres@", "postgres:s3cret@")
    ran = run("audit", with_password, "--trust", tmp_path / "trust.policy")
    assert ran.status == 1
    assert "topic_differs at entry 4: " in ran.out
    assert "s3cret" not in ran.out + ran.err
    seen = re.search(f'to see entry 4 for yourself: psql -At {re.escape(database)} -c "(.*)"\n', ran.out)
    assert seen is not None
    assert (
        execute(database, seen[1])[0][0].encode()
        == execute(database, "SELECT state FROM tallystick.stored_events WHERE originator_version = 5")[0][0]
    )


# ------------------------------------------------------------------------------------------------ any one change

TABLES = {
    "stored_events": ("originator_id", "originator_version", "topic", "state"),
    "tree": ("level", "position", "hash"),
    "checkpoints": ("number", "size", "note"),
    "refs": ("leaf_index", "party", "ref"),
}
CELLS = [(table, column) for table, columns in TABLES.items() for column in columns]
CHANGES_OF_EACH_CELL = 10


@pytest.fixture(scope="module")
def mended() -> str:
    """A shorter ledger, each of whose tables is kept a second time, to be mended from."""
    url = _write(fresh_database())
    with opened(url) as connection:
        for table in LOG_TABLES:
            connection.execute(f"CREATE TABLE kept_{table} AS SELECT * FROM {table}".encode())
    return url


def _changed(value: int | str | bytes, chance: random.Random) -> object:
    """Another value of the same type: one byte of it, one more or less, or the far end of the type."""
    if isinstance(value, int):
        return chance.choice([value - 1, value + 1, value + 256, -1, 2**31 - 1])
    data = bytearray(value.encode() if isinstance(value, str) else value)
    kind = chance.random()
    if kind < 0.1:
        data.clear()
    elif kind < 0.2:
        data += b" "
    elif kind < 0.3:
        del data[-1]
    else:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(5)
    return data.decode(errors="replace") if isinstance(value, str) else bytes(data)


def _spoil(connection: Connection, table: str, column: str, chance: random.Random) -> str | None:
    """Change one cell of a random row, or delete the row; return what was done, if the schema let it."""
    rows = connection.execute(f"SELECT ctid::text, {column} FROM {table} ORDER BY 1".encode()).fetchall()
    place, value = chance.choice(rows)
    if chance.random() < 0.1:
        connection.execute(f"DELETE FROM {table} WHERE ctid = %s::tid".encode(), (place,))
        return f"deleted {table} {place}"
    new = _changed(value, chance)
    if new == value or (isinstance(new, str) and "\0" in new):
        return None
    try:
        with connection.transaction():
            connection.execute(f"UPDATE {table} SET {column} = %s WHERE ctid = %s::tid".encode(), (new, place))
    except psycopg.errors.UniqueViolation:
        return None
    return f"{table}.{column} at {place}: {value!a:.400} -> {new!a:.400}"


@pytest.mark.parametrize(("table", "column"), CELLS, ids=[".".join(cell) for cell in CELLS])
def test_any_change_of_a_cell_is_found(mended: str, table: str, column: str) -> None:
    """Ten changes of each column of the four tables, one at a time."""
    chance = random.Random(f"{table}.{column}")
    tried = 0
    while tried < CHANGES_OF_EACH_CELL:
        with opened(mended) as connection:
            done = _spoil(connection, table, column, chance)
        if done is not None:
            tried += 1
            assert not audit(mended, POLICY).is_clean, done
        with opened(mended) as connection:
            connection.execute(f"DELETE FROM {table}".encode())
            connection.execute(f"INSERT INTO {table} SELECT * FROM kept_{table}".encode())
    assert tried == CHANGES_OF_EACH_CELL
    assert audit(mended, POLICY).is_clean


# ------------------------------------------------------------------------------------------------- pages and wires


def test_a_damaged_page_is_a_finding(database: str) -> None:
    """The server says so itself; what it can't read is missing, and the rest is audited."""
    path = execute(database, "SELECT pg_relation_filepath('tallystick.stored_events')")[0][0]
    server().stop()  # it holds pages in memory
    try:
        with (server().folder / "data" / path).open("r+b") as file:
            file.seek(2 * 8_192)
            file.write(b"\xff" * 64)
    finally:
        server().start()
    found = _found(database)
    assert C.STORE_DAMAGED in found
    assert C.ENTRY_MISSING in found
    details = [row.detail for row in audit(database, POLICY).findings if row.code == C.STORE_DAMAGED]
    assert any("invalid page in block 2" in detail for detail in details)


def test_a_lost_connection_is_no_finding(database: str) -> None:
    """Nothing is said about a log that couldn't be read to its end."""

    def cut(done: int, total: int) -> None:
        execute(
            server().url("postgres"),
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
            database.rpartition("/")[2],
        )

    with pytest.raises(LedgerError, match="the connection was lost, and nothing is said about the log"):
        audit(database, POLICY, progress=cut)


def test_a_missing_right_is_no_finding(database: str) -> None:
    """It is said which role may."""
    user = f"nobody_{os.getpid()}"
    execute(database, f"CREATE USER {user}")
    with pytest.raises(LedgerError, match=r"permission denied .* the role that a ledger has for auditors") as caught:
        audit(server().url(database.rpartition("/")[2], user), POLICY)
    assert not isinstance(caught.value, NotALedgerError)
    with opened(database) as connection:
        connection.execute(f"GRANT USAGE ON SCHEMA tallystick TO {user}".encode())
        connection.execute(f"GRANT SELECT ON stored_events, tree, checkpoints TO {user}".encode())
    with pytest.raises(LedgerError, match="permission denied for table"):
        audit(server().url(database.rpartition("/")[2], user), POLICY)
    execute(database, f"DROP OWNED BY {user}")
    execute(database, f"DROP USER {user}")


def test_the_role_for_auditors_is_enough(whole: str) -> None:
    """And it sees nothing of what lies beside but the cosigned checkpoint."""
    name = whole.rpartition("/")[2]
    user = f"auditor_of_{name}"
    execute(whole, f'CREATE USER "{user}" IN ROLE "{name}_auditor"')
    url = server().url(name, user)
    assert audit(url, POLICY).is_clean
    execute(whole, "INSERT INTO tallystick.sidecar VALUES ('snapshot.json', 'secret'), ('checkpoint.cosigned', 'seen')")
    assert execute(url, "SELECT name FROM tallystick.sidecar") == [("checkpoint.cosigned",)]
    execute(whole, "DELETE FROM tallystick.sidecar")


def test_a_database_without_a_ledger_is_none() -> None:
    """Whether it has nothing, or a schema of that name."""
    url = fresh_database()
    with pytest.raises(NotALedgerError, match="holds no ledger"):
        audit(url, POLICY)
    execute(url, "CREATE SCHEMA tallystick")
    with pytest.raises(NotALedgerError, match="holds no ledger"):
        audit(url, POLICY)


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("postgresql://ann:s3cret@127.0.0.1:1/ledger", LedgerError),
        ("postgresql://ann:pass@s3cret@127.0.0.1:1/ledger", LedgerError),
        ("postgresql://ann@127.0.0.1:1/ledger?password=s3cret", LedgerError),
        ("postgresql://ann:s3cret@127.0.0.1:1/ledger?nonsense=s3cret", UsageError),
        ("postgresql://ann:s3cret@127.0.0.1:port/ledger", LedgerError),
        ("postgresql://ann:s3cret@[/ledger", UsageError),
    ],
)
def test_no_password_is_shown(url: str, error: type[Exception]) -> None:
    """Wherever in the URL it stands, or was put by mistake."""
    with pytest.raises(error) as caught:
        audit(url, POLICY)
    shown = str(caught.value)
    assert "\n" not in shown
    assert "s3cret" not in shown.replace("nonsense=s3cret", "")
