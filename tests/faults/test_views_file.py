"""A views file that holds anything else than was written there is built anew, or answered for without it.

Never is an answer wrong, and never is the question refused: the log is there, and everything follows from it.
"""

import os
import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

import pytest

from support.command_line import done
from support.other_users import IS_ROOT, as_owner, give, open_to_all
from support.schedules import schedule
from support.small_ledger import write_small_ledger
from tallystick.publishing import read_ledger
from tallystick.views import By, Views, follow, followed_views, view_store
from tallystick.views.follower import LogFollower
from tallystick.views.lists import ListKind
from tallystick.views.schema import TABLES as DECLARED

LISTED = 1_000


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with views that have followed it."""
    folder = tmp_path_factory.mktemp("views") / "ledger"
    write_small_ledger(folder)
    with followed_views(folder):
        return folder


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "ledger"))


def answers(views: Views) -> list[Any]:
    """What every kind of question is answered."""
    balances = [[asdict(row) for row in views.balances(by)] for by in get_args(By)]
    shown: list[Any] = [views.voucher("shanghai/v1"), views.holder("maker-a"), views.provider("guian")]
    shown += [views.contract("maker-a/k4"), views.mandate("shanghai/m1")]
    shown += [views.claim("guian/c3"), views.demand("shanghai/d1"), views.application("maker-b/a2")]
    shown += [views.party("guian"), views.treasury("shanghai")]
    index = [views.entries_concerning("voucher shanghai/v1"), views.statement_entry("guian", "train", 10**6)]
    seals = [views.seal_leaves(seal) for seal in views.entries_concerning("seals")]
    lists = [views.listed(kind, LISTED) for kind in get_args(ListKind)]
    rest = [views.refusals_by_reason(), index, seals, lists, views.recorded(LISTED), *figures(views)]
    return [balances, shown, views.programme("shanghai/compute-2026"), *rest]


def figures(views: Views) -> list[Any]:
    """What moved and was used, what waits, what is newest."""
    used = [views.usage_by_item("provider", "guian"), views.usage_rows("treasury")]
    newest = [views.statements(LISTED, provider="guian"), views.timeline("voucher", "shanghai/v1", LISTED)]
    return [views.days("network"), views.waiting("network", None, 30), views.ageing("provider", "guian"), used, newest]


def ask(folder: Path) -> list[Any]:
    with followed_views(folder) as views:
        return answers(views)


@pytest.fixture(scope="module")
def expected(original: Path) -> list[Any]:
    with Views.as_of(original, at=2**62) as views:
        return answers(views)


def columns() -> list[tuple[str, str]]:
    """Every table and column that a question reads."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for statement in (statement for table in DECLARED for statement in table.create):
            connection.execute(statement)
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return [
            (table, column[1])
            for table in tables
            for column in connection.execute(f"PRAGMA table_info({table})")
            if not table.startswith("sqlite_")
        ]


COLUMNS = columns()
TABLES = sorted({table for table, _ in COLUMNS})


def change(folder: Path, *statements: str) -> None:
    """Change the file as anybody with a SQLite at hand would, all of it or nothing."""
    with closing(sqlite3.connect(folder / follow.NAME)) as connection, connection:
        for statement in statements:
            assert connection.execute(statement).rowcount, statement


def rows(folder: Path, table: str) -> int:
    with closing(sqlite3.connect(folder / follow.NAME)) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


ODD = ("'odd'", "x'ff'", "9e99", "700000", "NULL", "'7'")


@pytest.mark.long
@pytest.mark.parametrize("table", TABLES)
def test_a_changed_cell_is_noticed(folder: Path, expected: list[Any], table: str) -> None:
    """Of every table, and on the long schedule every column; also by what no number and no text of ours can be."""
    for number, column in enumerate(column for name, column in COLUMNS if name == table):
        if number % schedule(4, 1):
            continue
        with closing(sqlite3.connect(folder / follow.NAME)) as connection:
            before = connection.execute(f"SELECT * FROM {table}").fetchall()
            assert before, f"{table} is empty, and shows nothing"
            changed = 0
            for value in (ODD[number % len(ODD)], "'odd'", "700000"):
                with suppress(sqlite3.IntegrityError), connection:  # the file's own keys refuse some
                    some = f"SELECT {column} FROM {table} LIMIT 1"
                    connection.execute(f"UPDATE {table} SET {column} = {value} WHERE {column} IS ({some})")
                    changed += connection.execute(f"SELECT * FROM {table}").fetchall() != before
            assert changed, column
        assert ask(folder) == expected


def odd(value: Any) -> Any:
    return f"{value}y" if isinstance(value, str) else value


@pytest.mark.parametrize("table", TABLES)
def test_a_row_too_few_or_too_many_is_noticed(folder: Path, expected: list[Any], table: str) -> None:
    change(folder, f"DELETE FROM {table}")
    assert ask(folder) == expected
    with closing(sqlite3.connect(folder / follow.NAME)) as connection:
        (first, *rest) = connection.execute(f"SELECT * FROM {table}").fetchone()
        another = (first + 10**6 if isinstance(first, int) else f"{first}x", *[odd(one) for one in rest])
        with connection:
            connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(another))})", another)
    assert ask(folder) == expected


def test_changes_that_cancel_out_are_noticed(folder: Path, expected: list[Any]) -> None:
    change(
        folder,
        "UPDATE vouchers SET available_fen = available_fen + 777 WHERE voucher = 'shanghai/v1'",
        "UPDATE vouchers SET available_fen = available_fen - 777 WHERE voucher = 'shanghai/v2'",
    )
    assert ask(folder) == expected


def test_what_was_changed_before_more_is_followed_is_noticed(tmp_path: Path, expected: list[Any]) -> None:
    """What is added to a changed row doesn't make it right."""
    write_small_ledger(tmp_path)
    path = tmp_path / follow.NAME
    with closing(LogFollower(tmp_path, "tallystick.example/national", path)) as rows, read_ledger(tmp_path) as reader:
        rows.follow_to(reader, 40)
    change(tmp_path, "UPDATE vouchers SET available_fen = available_fen + 777000")
    assert ask(tmp_path) == expected


SCHEMAS = {
    "checksums gone": ["DELETE FROM checksums"],
    "a checksum gone": ["DELETE FROM checksums WHERE name = 'vouchers'"],
    "a checksum of nothing": ["UPDATE checksums SET checksum = 'x'"],
    "a trigger": [
        "CREATE TRIGGER more AFTER UPDATE ON followed BEGIN UPDATE vouchers SET available_fen = available_fen + 7; END"
    ],
    "a view": [
        "ALTER TABLE vouchers RENAME TO others",
        "CREATE VIEW vouchers AS SELECT * FROM others WHERE voucher < 's'",
    ],
    "another column": ["ALTER TABLE vouchers ADD COLUMN more"],
    "no index": ["DROP INDEX vouchers_by_holder"],
}


@pytest.mark.parametrize("how", SCHEMAS)
def test_another_schema_is_built_anew(folder: Path, expected: list[Any], how: str) -> None:
    change(folder, *SCHEMAS[how])
    assert ask(folder) == expected


def test_an_index_that_says_something_else_than_its_table_is_noticed(folder: Path, expected: list[Any]) -> None:
    path = folder / follow.NAME
    data = path.read_bytes()
    with closing(sqlite3.connect(path)) as connection:
        ((root,),) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'vouchers_by_holder'")
        ((size,),) = connection.execute("PRAGMA page_size")
    page = data[(root - 1) * size : root * size]
    assert b"maker-a" in page
    path.write_bytes(data.replace(page, page.replace(b"maker-a", b"maker-c")))
    assert ask(folder) == expected


def test_random_bytes_never_change_an_answer(folder: Path, expected: list[Any]) -> None:
    """Wherever they are, in the schema's text too, which SQLite repeats in messages that are no UTF-8 then."""
    path = folder / follow.NAME
    whole = path.read_bytes()
    chance = random.Random(10)
    for case in range(60):
        data = bytearray(whole)
        for _ in range(chance.choice([1, 3, 30])):
            data[chance.randrange(4_096 if case % 2 else len(data))] = chance.randrange(256)
        view_store.remove(path)
        path.write_bytes(data)
        assert ask(folder) == expected


def test_a_message_that_is_no_text_is_no_fault(folder: Path, expected: list[Any]) -> None:
    """SQLite's message repeats the schema, and Python can't decode it."""
    path = folder / follow.NAME
    path.write_bytes(path.read_bytes().replace(b"CREATE TABLE vouchers", b"CREATE TABLE vo\xff\xfehers"))
    assert ask(folder) == expected


@pytest.mark.parametrize("what", ["a folder", "a link to a file elsewhere", "a link to nowhere"])
def test_what_is_no_file_is_not_written_through(folder: Path, expected: list[Any], tmp_path: Path, what: str) -> None:
    path, elsewhere = folder / follow.NAME, tmp_path / "elsewhere"
    view_store.remove(path)
    if what == "a folder":
        path.mkdir()
        (path / "something").write_bytes(b"x")
    else:
        path.symlink_to(elsewhere)
        if what == "a link to a file elsewhere":
            elsewhere.write_bytes(b"somebody's own")
    assert ask(folder) == expected
    if what == "a folder":
        assert (path / "something").read_bytes() == b"x"
    else:
        assert elsewhere.exists() == (what == "a link to a file elsewhere")
        assert not elsewhere.exists() or elsewhere.read_bytes() == b"somebody's own"


def test_a_file_that_is_locked_for_long_is_answered_for_without_it(
    folder: Path, expected: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view_store, "LOCK_SECONDS", 0.01)
    with closing(sqlite3.connect(folder / follow.NAME, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        other.execute("UPDATE vouchers SET available_fen = 0")
        assert ask(folder) == expected


def test_a_fresh_answer_looks_at_no_file(folder: Path, original: Path) -> None:
    """Not even at one whose changes fit its checksums, as those of somebody who knows them do."""
    expected = done("balances", folder, "--by", "voucher", "--json", "--fresh")
    forged = folder / follow.NAME
    with Views.open(folder) as views:
        place = views._follower.place
        raise_all = "UPDATE vouchers SET available_fen = available_fen + 777000"
        assert views._follower._store.keep(
            place, view_store.Place(place.size + 1, place.at, "feed"), lambda c: c.execute(raise_all)
        )
    true = original / follow.NAME
    change(
        folder,
        f"ATTACH '{true}' AS true",
        "UPDATE tracking SET notification_id = notification_id - 1 WHERE application_name = 'tallystick'",
        "UPDATE followed SET entry_sha256 = (SELECT entry_sha256 FROM true.followed)",
        "UPDATE checksums SET checksum = (SELECT checksum FROM true.checksums WHERE name = 'followed') "
        "WHERE name = 'followed'",
    )
    assert done("balances", folder, "--by", "voucher", "--json") != expected
    before = forged.read_bytes()
    assert done("balances", folder, "--by", "voucher", "--json", "--fresh") == expected
    assert "777" not in done("show", folder, "voucher", "shanghai/v2", "--fresh")
    assert forged.read_bytes() == before


@pytest.fixture
def anothers() -> Iterator[Path]:
    """A ledger folder of an ordinary user's."""
    with open_to_all() as parent:
        folder = parent / "ledger"
        write_small_ledger(folder)
        done("balances", folder)
        give(folder)
        yield folder


def test_a_file_that_another_user_made_is_answered_for_without_it(anothers: Path) -> None:
    """Root's, say, who asked once; where this isn't root, a file that may neither be read nor written."""
    expected = done("balances", anothers)
    path = anothers / follow.NAME
    if IS_ROOT:
        os.chown(path, 0, 0)
    for mode in (0o644, 0o600) if IS_ROOT else (0o444, 0):
        path.chmod(mode)
        with as_owner():
            assert done("balances", anothers) == expected
        assert path.exists()


def test_files_that_root_makes_are_the_owners(anothers: Path) -> None:
    """So that the owner can go on using them; where this isn't root, they are the caller's own."""
    path = anothers / follow.NAME
    path.unlink()
    expected = done("balances", anothers)
    assert path.stat().st_uid == anothers.stat().st_uid
    with as_owner():
        assert done("balances", anothers) == expected
