"""A table of the views is its row's fields: what is written comes back, sums are added, and one thing is looked up."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import pytest

from support.small_ledger import write_small_ledger
from tallystick.views import Views, balances
from tallystick.views.library import SQLiteCursor
from tallystick.views.schema import TABLES, schema_text
from tallystick.views.view_store import ViewStore, statements_for
from tallystick.views.view_tables import (
    Appended,
    BatchSums,
    Column,
    ExactSum,
    Fixed,
    IndexKey,
    Key,
    Number,
    SparseSums,
    Sum,
    Table,
)
from tallystick.vouchers.quantities import format_instant, parse_instant


@dataclass(frozen=True, slots=True)
class Kept:
    """One of each kind of column."""

    name: Key
    index_: IndexKey
    bounded: Sum
    boundless: ExactSum
    said: str
    perhaps: int | None
    is_so: bool
    data: bytes
    more: Appended


@dataclass(frozen=True, slots=True)
class Numbered:
    number: Number
    name: str


@dataclass(frozen=True, slots=True)
class Sparse:
    name: Key
    sums: SparseSums


@dataclass(frozen=True, slots=True)
class Fastened:
    name: Key
    said: Fixed
    total: Sum


KEPT = Table("kept", Kept, lookups=("said",))
NUMBERED = Table("numbered", Numbered, unique=("name",))
SPARSE = Table("sparse", Sparse)
FASTENED = Table("fastened", Fastened, lookups=("said",), partial={"total": "total > 0"})
FIRST = Kept("a", 1, 2, 3, "x", None, True, b"\xff", b"\x00\xff")


@pytest.fixture
def c() -> Iterator[SQLiteCursor]:
    """A file with these tables."""
    store = ViewStore(None, "tallystick.example/national", (KEPT, NUMBERED, SPARSE, FASTENED))
    with closing(store), store.datastore.transaction(commit=True) as cursor:
        yield cursor


def test_the_statement_says_every_field() -> None:
    assert KEPT.create == (
        "CREATE TABLE IF NOT EXISTS kept (name TEXT NOT NULL, index_ INTEGER NOT NULL, bounded INTEGER NOT NULL, "
        "boundless TEXT NOT NULL, said TEXT NOT NULL, perhaps INTEGER, is_so INTEGER NOT NULL, data BLOB NOT NULL, "
        "more BLOB NOT NULL, PRIMARY KEY (name, index_)) WITHOUT ROWID",
        "CREATE INDEX IF NOT EXISTS kept_by_said ON kept (said)",
    )
    assert NUMBERED.create == (
        "CREATE TABLE IF NOT EXISTS numbered (number INTEGER PRIMARY KEY, name TEXT NOT NULL)",
        "CREATE UNIQUE INDEX IF NOT EXISTS numbered_by_name ON numbered (name)",
    )


def test_rows_come_back_as_they_were_written(c: SQLiteCursor) -> None:
    """In the order of their keys, or of what is asked for; with their types; those alone that were asked for."""
    second = replace(FIRST, name="b", perhaps=7, is_so=False, said="w", data=b"")
    KEPT.insert(c, [second, FIRST])
    assert KEPT.rows(c) == (FIRST, second)
    assert KEPT.rows(c, in_order_of="said") == (second, FIRST)
    assert KEPT.rows(c, said="x", perhaps=None) == (FIRST,)
    assert KEPT.rows(c, said="x", name="b") == ()
    assert [type(one.is_so) for one in KEPT.rows(c)] == [bool, bool]


@pytest.mark.parametrize("count", [0, 1, 31, 32, 33, 70])
def test_many_rows_are_written_as_few_are(c: SQLiteCursor, count: int) -> None:
    """None is lost where a statement's measure ends; one that is there is refused, wherever it stands."""
    rows = [replace(FIRST, index_=number, data=b"%d" % number) for number in range(count)]
    KEPT.insert(c, iter(rows))
    assert KEPT.rows(c) == tuple(rows)
    with pytest.raises(sqlite3.IntegrityError):
        KEPT.insert(c, [replace(FIRST, index_=100), *rows, replace(FIRST, index_=100)])


def test_sums_are_added_bytes_appended_and_all_else_is_said_anew(c: SQLiteCursor) -> None:
    """Beyond 64 bits too, where nothing bounds a sum."""
    KEPT.add(c, [FIRST])
    KEPT.add(c, [replace(FIRST, bounded=40, boundless=2**70, said="y", perhaps=5, more=b"\x00")])
    both = b"\x00\xff\x00"
    assert KEPT.rows(c) == (replace(FIRST, bounded=42, boundless=2**70 + 3, said="y", perhaps=5, more=both),)
    KEPT.change(c, [(-2, "z", "a", 1)], "bounded", "said")
    assert [(one.bounded, one.said) for one in KEPT.rows(c)] == [(40, "z")]
    with pytest.raises(ValueError, match="kept has exact sums"):
        KEPT.change(c, [(1, "a", 1)], "boundless")


def test_a_batch_is_added_once_a_row(c: SQLiteCursor) -> None:
    """Also of a row to which nothing is added."""
    sums: BatchSums[Kept] = BatchSums(KEPT)
    sums.add("a", 1, bounded=1)
    sums.add("a", 1, bounded=2, boundless=5)
    sums.of("b", 1)
    said = {"said": "x", "perhaps": None, "is_so": True, "data": b"", "more": b""}
    sums.write(c, lambda name, _: said | {"said": f"of {name}"})
    assert [(one.name, one.bounded, one.boundless, one.said) for one in KEPT.rows(c)] == [
        ("a", 3, 5, "of a"),
        ("b", 0, 0, "of b"),
    ]


def test_new_rows_get_the_next_number(c: SQLiteCursor) -> None:
    NUMBERED.insert(c, [Numbered(None, "b"), Numbered(None, "a")])
    NUMBERED.insert(c, [Numbered(None, "c")])
    assert [(one.number, one.name) for one in NUMBERED.rows(c)] == [(1, "b"), (2, "a"), (3, "c")]


def test_sparse_sums_are_added_by_name(c: SQLiteCursor) -> None:
    """In one order of their names, so that rows don't depend on the batches; beyond 64 bits too."""
    SPARSE.add(c, [Sparse("a", {"x": 2**63, "b": 1})])
    SPARSE.add(c, [Sparse("a", {"x": 2**63, "a": 3})])
    assert SPARSE.rows(c) == (Sparse("a", {"a": 3, "b": 1, "x": 2**64}),)
    c.execute("SELECT sums FROM sparse")
    assert c.fetchone()[0] == f'{{"a":3,"b":1,"x":{2**64}}}'


def test_what_is_fixed_stays_as_it_was_made(c: SQLiteCursor) -> None:
    """And an index may be of some rows alone."""
    FASTENED.add(c, [Fastened("a", "first", 1)])
    FASTENED.add(c, [Fastened("a", "first", 2), Fastened("b", "other", 0)])
    assert FASTENED.rows(c) == (Fastened("a", "first", 3), Fastened("b", "other", 0))
    assert FASTENED.some(c, "total > 0", [], "total") == (Fastened("a", "first", 3),)
    c.execute("EXPLAIN QUERY PLAN SELECT * FROM fastened WHERE total > 0 ORDER BY total")
    assert "fastened_by_total" in c.fetchone()[3]


def test_the_schema_says_every_column_of_every_table() -> None:
    """So that another digest is another file."""
    assert [column for table in TABLES for column in table.columns if column.declaration not in schema_text()] == []
    other = Table("kept", Numbered)
    assert statements_for((KEPT,)) != statements_for((other,))
    assert Column("perhaps", "", int, is_optional=True) in KEPT.columns


LAST = parse_instant("9999-12-31T23:59:59.999999Z")


@pytest.mark.parametrize("at", [0, 1, 999_999, 1_000_000, 1_767_600_000_123_456, LAST])
def test_the_logs_time_is_the_same_text_in_sql(c: SQLiteCursor, at: int) -> None:
    """To the microsecond: whether a voucher is over is decided by comparing it with `valid_until`."""
    c.execute("UPDATE followed SET at = ?", (at,))
    c.execute(f"SELECT {balances.NOW}")
    assert c.fetchone()[0] == format_instant(at)


# -- one is looked up -------------------------------------------------------------------------------------------------

# What grows with the network alone may be read from end to end; with the log, nothing.
GROWS_WITH_THE_NETWORK = {"parties", "programmes", "payees", "provider_burns", "provider_refusals", "followed"}
QUESTIONS: dict[str, tuple[Callable[[Views], Any], set[str]]] = {
    "a holder": (lambda views: views.holder("maker-a"), {"followed"}),
    "a voucher": (lambda views: views.voucher("shanghai/v1"), {"followed"}),
    "a provider": (lambda views: views.provider("guian"), {"followed", "programmes"}),
    "a programme": (lambda views: views.programme("shanghai/compute-2026"), GROWS_WITH_THE_NETWORK),
    "an account": (lambda views: views.entries_concerning("voucher shanghai/v1"), set()),
    "a statement": (lambda views: views.statement_entry("guian", "train", 10**6), set()),
    "a seal": (lambda views: views.seal_leaves(10), set()),
}


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Views]:
    """In memory, where no table is read for its checksum."""
    folder = tmp_path_factory.mktemp("tables") / "ledger"
    write_small_ledger(folder)
    with Views.as_of(folder, at=2**62) as views:
        yield views


@pytest.mark.parametrize("question", QUESTIONS)
def test_one_is_looked_up_and_not_found_among_all(views: Views, question: str) -> None:
    """As SQLite plans each statement that the question comes to: a table is searched, not scanned."""
    ask, may_be_scanned = QUESTIONS[question]
    statements: list[str] = []
    with views._follower.reading() as c:
        connection = c.sqlite_cursor.connection
    connection.set_trace_callback(statements.append)
    try:
        ask(views)
    finally:
        connection.set_trace_callback(None)
    asked = [statement for statement in statements if statement.startswith("SELECT")]
    plans = [row[3] for one in asked for row in connection.execute(f"EXPLAIN QUERY PLAN {one}")]
    assert asked
    scanned = {plan.split()[1] for plan in plans if plan.startswith("SCAN") and plan != "SCAN CONSTANT ROW"}
    assert scanned <= may_be_scanned
