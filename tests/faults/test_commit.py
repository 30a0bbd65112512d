"""A commit fails before or after it persisted, or is interrupted: nothing answered is lost, nothing is doubled."""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from eventsourcing.persistence import OperationalError, StoredEvent

from support.burning import FEN_A_LINE, LOG_KEY, NOW, RESERVED_FEN, Clock, burn_note, founding_notes
from tallystick.errors import (
    LedgerBusyError,
    LedgerError,
    NotALedgerError,
    StoreFailedError,
    UsageError,
    WriterFencedError,
)
from tallystick.ledger import Admitted, Ledger, create_ledger, open_ledger
from tallystick.ledger.sqlite import LOG_TABLES, SQLiteLogRecorder
from tallystick.publishing import read_ledger
from tallystick.vouchers.refusals import Refusal

Insert = Callable[..., Sequence[int] | None]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    clock = Clock()
    genesis, *rest = founding_notes()
    with create_ledger(tmp_path, genesis, LOG_KEY, clock=clock) as ledger:
        ledger.submit(rest)
        clock.at = NOW
        yield ledger


def fail_before(insert: Insert) -> Insert:
    def failing(self: SQLiteLogRecorder, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        raise OperationalError("database or disk is full")

    return failing


def fail_after(insert: Insert) -> Insert:
    def failing(self: SQLiteLogRecorder, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        insert(self, stored_events, **kwargs)
        raise OperationalError("the connection was lost")

    return failing


def interrupt_before(insert: Insert) -> Insert:
    def failing(self: SQLiteLogRecorder, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        raise KeyboardInterrupt

    return failing


def interrupt_after(insert: Insert) -> Insert:
    def failing(self: SQLiteLogRecorder, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        insert(self, stored_events, **kwargs)
        raise KeyboardInterrupt

    return failing


@pytest.mark.parametrize(
    ("fault", "raised", "kept"),
    [
        (fail_before, StoreFailedError, 0),
        (fail_after, None, 5),
        (interrupt_before, KeyboardInterrupt, 0),
        (interrupt_after, KeyboardInterrupt, 5),
    ],
)
@pytest.mark.parametrize("same", [True, False], ids=["same notes again", "other notes next"])
def test_a_failed_commit(
    ledger: Ledger,
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[[Insert], Insert],
    raised: type[BaseException] | None,
    kept: int,
    same: bool,
) -> None:
    root = ledger.root
    notes = [burn_note(f"s-{number}") for number in range(5)]
    with monkeypatch.context() as patch:
        patch.setattr(SQLiteLogRecorder, "insert_events", fault(SQLiteLogRecorder.insert_events))
        if raised is None:
            assert [answer.index for answer in ledger.submit(notes) if isinstance(answer, Admitted)] == [
                11,
                12,
                13,
                14,
                15,
            ]
        else:
            with pytest.raises(raised):
                ledger.submit(notes)
    assert ledger.state.size == 11 + kept
    assert (ledger.root == root) == (kept == 0)
    following = notes if same else [burn_note(f"t-{number}") for number in range(5)]
    answers = ledger.submit(following)
    assert all(isinstance(answer, Admitted) and answer.is_new == (not (same and kept)) for answer in answers)
    burned = 5 if same or not kept else 10
    assert ledger.state.book["reserved", "holder/r1"] == RESERVED_FEN - burned * FEN_A_LINE


def test_a_fault_between_the_tables_keeps_nothing_of_the_group(ledger: Ledger, tmp_path: Path) -> None:
    """The last insert of the transaction fails: the rows before it are rolled back."""
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection, connection:
        connection.execute("CREATE TRIGGER full BEFORE INSERT ON checkpoints BEGIN SELECT RAISE(ABORT, 'no room'); END")
    with pytest.raises(StoreFailedError):
        ledger.submit([burn_note("s-1")])
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection, connection:
        counts = [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in LOG_TABLES]
        assert counts[0] == counts[3] == 11
        connection.execute("DROP TRIGGER full")
    assert isinstance(ledger.submit([burn_note("s-1")])[0], Admitted)


def test_a_writer_that_was_replaced_stops(ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two writers get past the lock (another machine, say): the primary key refuses the second, and it says so."""
    monkeypatch.setattr("tallystick.ledger.sqlite.WriterLock", lambda path: _NoLock())
    with open_ledger(tmp_path, LOG_KEY, clock=Clock(NOW)) as other:
        other.submit([burn_note("other")])
    with pytest.raises(WriterFencedError):
        ledger.submit([burn_note("mine")])
    with pytest.raises(WriterFencedError):
        ledger.submit([burn_note("mine again")])
    with read_ledger(tmp_path) as reader:
        assert reader.size == 12


class _NoLock:
    def release(self) -> None:
        """Nothing was held."""


def test_a_second_writer_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    with pytest.raises(LedgerBusyError, match="another process"):
        open_ledger(tmp_path, LOG_KEY)
    assert ledger.state.size == 11


def test_a_reader_needs_no_lock(ledger: Ledger, tmp_path: Path) -> None:
    with read_ledger(tmp_path) as reader:
        ledger.submit([burn_note("s-1")])
        assert reader.size == 11
        assert reader.state().size == 11
        assert len(list(reader.entries())) == 11


@pytest.mark.parametrize("table", LOG_TABLES)
@pytest.mark.parametrize("statement", ["UPDATE {} SET rowid = rowid", "DELETE FROM {}"])
def test_triggers_refuse_to_change_history(ledger: Ledger, tmp_path: Path, table: str, statement: str) -> None:
    if table == "tree":  # it has no rowid
        statement = statement.replace("rowid = rowid", "level = level")
    with (
        closing(sqlite3.connect(tmp_path / "ledger.db")) as connection,
        connection,
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
    ):
        connection.execute(statement.format(table))
    assert ledger.state.size == 11


@pytest.mark.parametrize("tables", [("checkpoints",), ("stored_events",), ("tree",)])
def test_a_ledger_that_does_not_hang_together_is_not_opened(
    ledger: Ledger, tmp_path: Path, tables: tuple[str, ...]
) -> None:
    ledger.close()
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection, connection:
        for table in tables:
            connection.execute(f"DROP TRIGGER {table}_refuses_delete")
            last = {"checkpoints": "number", "stored_events": "originator_version", "tree": "position"}[table]
            connection.execute(f"DELETE FROM {table} WHERE {last} = (SELECT max({last}) FROM {table})")
    with pytest.raises(NotALedgerError):
        open_ledger(tmp_path, LOG_KEY)


def test_a_snapshot_gives_the_same_state_and_a_wrong_one_is_passed_over(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tallystick.ledger.opening.SNAPSHOT_AFTER_ENTRIES", 1)
    ledger.submit([burn_note("s-1", lines=5)])
    expected = ledger.state.to_bytes()
    ledger.close()
    snapshot = tmp_path / "snapshot.json"
    good = snapshot.read_bytes()
    for data in (good, good[:-1], b"", good.replace(b"size 12", b"size 11"), good.replace(b"job-", b"jab-")):
        snapshot.write_bytes(data)
        with open_ledger(tmp_path, LOG_KEY, clock=Clock(NOW)) as again:
            assert again.state.to_bytes() == expected


def test_a_refused_genesis_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="network_not_founded"):
        create_ledger(tmp_path, founding_notes()[1], LOG_KEY, clock=Clock())
    assert list(tmp_path.iterdir()) == []


def test_a_ledger_is_not_made_over_another(ledger: Ledger, tmp_path: Path) -> None:
    ledger.close()
    with pytest.raises(UsageError, match="already"):
        create_ledger(tmp_path, founding_notes()[0], LOG_KEY, clock=Clock())
    with open_ledger(tmp_path, LOG_KEY, clock=Clock(NOW)) as again:
        assert again.state.size == 11


def test_no_ledger_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(NotALedgerError, match="is not a ledger"):
        open_ledger(tmp_path, LOG_KEY)
    with pytest.raises(NotALedgerError, match="is not a ledger"):
        read_ledger(tmp_path)
    (tmp_path / "ledger.db").write_bytes(b"")
    with pytest.raises(NotALedgerError):
        read_ledger(tmp_path)
    (tmp_path / "ledger.db").write_bytes(b"garbage" * 1_000)
    with pytest.raises(NotALedgerError):
        read_ledger(tmp_path)
    with pytest.raises(NotALedgerError):
        open_ledger(tmp_path, LOG_KEY)


def test_the_process_environment_has_no_say(ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library lets os.environ override a class's settings; a ledger opened so would be another store."""
    ledger.close()
    monkeypatch.setenv("PERSISTENCE_MODULE", "eventsourcing.popo")
    monkeypatch.setenv("COMPRESSOR_TOPIC", "zlib")
    monkeypatch.setenv("SQLITE_DBNAME", ":memory:")
    with open_ledger(tmp_path, LOG_KEY, clock=Clock(NOW)) as again:
        assert isinstance(again.submit([burn_note("s-1")])[0], Admitted)
    with read_ledger(tmp_path) as reader:
        assert reader.size == 12


def test_a_refusal_alone_commits_nothing(ledger: Ledger, tmp_path: Path) -> None:
    assert isinstance(ledger.submit([b"no note"])[0], Refusal)
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection, connection:
        assert connection.execute("SELECT count(*) FROM checkpoints").fetchone() == (2,)


def test_who_was_written_along_is_not_told_success_when_the_writer_is_interrupted(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One thread writes for two and is interrupted: the other must not take its answers for kept."""
    outcomes: list[object] = []

    def submit(ref: str) -> None:
        try:
            outcomes.append(ledger.submit([burn_note(ref)]))
        except (StoreFailedError, KeyboardInterrupt) as error:
            outcomes.append(error)

    threads = [threading.Thread(target=submit, args=(ref,)) for ref in ("mine", "other")]
    with monkeypatch.context() as patch:
        patch.setattr(SQLiteLogRecorder, "insert_events", interrupt_before(SQLiteLogRecorder.insert_events))
        with ledger._writer_lock:
            for thread in threads:
                thread.start()
            while ledger._group_commit.waiting < len(threads):
                threads[0].join(0.001)
        for thread in threads:
            thread.join()
    assert {type(outcome) for outcome in outcomes} == {KeyboardInterrupt, StoreFailedError}
    assert ledger.state.size == 11


def test_a_submitter_waits_until_its_own_notes_are_written(ledger: Ledger) -> None:
    """What others had waiting comes first and may fill a transaction: then one must write again."""
    answers: dict[int, list[Admitted | Refusal]] = {}

    def submit(number: int) -> None:
        answers[number] = ledger.submit([burn_note(f"s-{number}-{place}") for place in range(400)])

    threads = [threading.Thread(target=submit, args=(number,)) for number in range(4)]
    with ledger._writer_lock:
        for thread in threads:
            thread.start()
        while ledger._group_commit.waiting < len(threads):
            threads[0].join(0.001)
    for thread in threads:
        thread.join()
    assert sorted(answer.index for group in answers.values() for answer in group if isinstance(answer, Admitted)) == [
        *range(11, 1_611)
    ]


def test_a_verifying_process_that_dies_costs_nothing(tmp_path: Path) -> None:
    """Its signatures are verified by the writer, and a new pool is started."""
    clock = Clock()
    genesis, *rest = founding_notes()
    with create_ledger(tmp_path, genesis, LOG_KEY, clock=clock, verify_processes=2) as ledger:
        ledger.submit(rest)
        clock.at = NOW
        ledger.submit([burn_note(f"s-{number}") for number in range(20)])
        before = [worker for worker in ledger._verifier._pool._workers if worker is not None]
        assert before
        for worker in before:
            worker._process.kill()
        for turn in range(3):
            answers = ledger.submit([burn_note(f"t-{turn}-{number}") for number in range(20)])
            assert all(isinstance(answer, Admitted) for answer in answers)
        assert ledger.state.size == 91
        assert not set(before) & set(ledger._verifier._pool._workers)
