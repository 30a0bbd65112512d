"""A log that is served: its newest snapshot that stays, views that several ask while one follows, and a few pasts."""

import errno
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from support.reading_app import add_entry
from support.small_ledger import write_small_ledger
from tallystick.errors import (
    NotALedgerError,
    ProofInvalidError,
    StoreFailedError,
    TooBusyError,
    ViewsDamagedError,
    ViewsUnusableError,
)
from tallystick.ledger.sidecar import FolderSidecar
from tallystick.publishing.growing_log import GrowingLog
from tallystick.views import Views, followed_views, fresh_entries
from tallystick.views.fresh_entries import FreshEntries
from tallystick.views.past_views import PastViews, Then
from tallystick.views.served_views import READERS_MAX, ServedViews
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.quantities import format_instant


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A ledger folder."""
    write_small_ledger(tmp_path / "ledger")
    return tmp_path / "ledger"


@pytest.fixture
def log(folder: Path) -> Iterator[GrowingLog]:
    """The log, open."""
    with GrowingLog(folder) as log:
        yield log


@pytest.fixture
def views(log: GrowingLog, folder: Path) -> Iterator[ServedViews]:
    """Its views, which have followed."""
    views = ServedViews(log, folder / "views.db")
    views.follow()
    yield views
    views.close()


def test_a_snapshot_stands_until_there_is_a_newer_one(log: GrowingLog, folder: Path) -> None:
    """Whoever listens is told how large the log is then."""
    told: list[int] = []
    log.listen(told.append)
    first = log.newest
    assert log.refresh() is first
    index = add_entry(folder)
    assert log.newest is first
    assert log.refresh() is log.newest
    assert (log.newest.size, told) == (index + 1, [index + 1])
    assert first.entry(0) == log.newest.entry(0)


def test_a_log_that_was_cut_back_is_not_shown(log: GrowingLog, folder: Path, tmp_path: Path) -> None:
    """An older copy in its place is no newer snapshot; the last one stands and can still be read."""
    older = tmp_path / "older"
    shutil.copytree(folder, older)
    add_entry(folder)
    before = log.refresh()
    for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
        (folder / name).unlink(missing_ok=True)
    shutil.copy(older / "ledger.db", folder / "ledger.db")
    with pytest.raises(ProofInvalidError, match="it was cut back, or is an older copy"):
        log.refresh()
    assert log.newest is before
    assert before.entry(before.size - 1)


def test_a_copy_in_its_place_that_is_the_same_log_is_read_from_then_on(log: GrowingLog, folder: Path) -> None:
    """A restored ledger grows, and the service needn't be started again."""
    size = log.newest.size
    (folder / "copy.db").write_bytes((folder / "ledger.db").read_bytes())
    for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
        (folder / name).unlink(missing_ok=True)
    (folder / "copy.db").rename(folder / "ledger.db")
    add_entry(folder)
    assert log.refresh().size == size + 1


def test_a_log_that_is_gone_is_told(log: GrowingLog, folder: Path) -> None:
    """And another log in its place too."""
    before = log.newest
    for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
        (folder / name).unlink(missing_ok=True)
    with pytest.raises(NotALedgerError):
        log.refresh()
    assert log.newest is before


def test_a_machine_that_can_not_read_now_is_told_and_asked_again(
    log: GrowingLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No file descriptor is left, say; the last snapshot stands."""
    before = log.newest

    def none_left(*_: object) -> bytes:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(FolderSidecar, "read", none_left)
        with pytest.raises(StoreFailedError, match="Too many open files"):
            log.refresh()
    assert log.refresh() is before


def test_answers_are_those_of_the_command_line(views: ServedViews, folder: Path) -> None:
    """Of the moment that they say, and the same as anybody's views."""
    with followed_views(folder) as others, views.asked() as asked:
        assert (asked.size, asked.at) == (others.size, others.at)
        for by in ("programme", "holder", "voucher", "claim"):
            assert asked.balances(by) == others.balances(by)
        assert asked.claim("guian/c1") == others.claim("guian/c1")


def test_a_question_sees_one_moment_while_the_log_is_followed(views: ServedViews, folder: Path) -> None:
    """What is followed meanwhile is in the next answer."""
    told: list[int] = []
    views.listen(told.append)
    with views.asked() as asked:
        size = asked.size
        add_entry(folder)
        assert views.follow() == 1
        assert len(asked.recorded(1_000)) == size
    with views.asked() as asked:
        assert len(asked.recorded(1_000)) == asked.size == size + 1
    assert (told, views.size) == ([size + 1], size + 1)


def test_as_many_ask_at_once_as_there_are_connections(views: ServedViews, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more is told to come again; each has rows of its own."""
    monkeypatch.setattr("tallystick.views.served_views.READER_SECONDS", 0.05)
    entered, leave = threading.Semaphore(0), threading.Event()

    def ask() -> None:
        with views.asked() as asked:
            assert asked.recorded(1)
            entered.release()
            leave.wait(20)

    asking = [threading.Thread(target=ask) for _ in range(READERS_MAX)]
    for one in asking:
        one.start()
        assert entered.acquire(timeout=20)
    with pytest.raises(TooBusyError), views.asked():
        raise AssertionError("never asked")
    leave.set()
    for one in asking:
        one.join()
    with views.asked() as asked:
        assert asked.recorded(1)


def test_rows_that_others_changed_are_told_and_made_again(views: ServedViews, folder: Path) -> None:
    """The answer that was made of them is none; the next ones are right."""
    with closing(sqlite3.connect(folder / "views.db")) as connection, connection:
        connection.execute("UPDATE vouchers SET face_fen = face_fen + 1 WHERE voucher = 'shanghai/v1'")
    with pytest.raises(ViewsDamagedError), views.asked() as asked:
        asked.voucher("shanghai/v1")
    with pytest.raises(ViewsUnusableError, match="being built"), views.asked():
        raise AssertionError("never asked")
    views.follow()
    with views.asked() as asked, Views.as_of(folder, index=asked.size - 1) as right:
        assert asked.voucher("shanghai/v1") == right.voucher("shanghai/v1")


def test_a_file_that_was_deleted_is_made_again(views: ServedViews, folder: Path) -> None:
    """It may be at any time; nothing goes on being written where nobody would look."""
    for name in ("views.db", "views.db-wal", "views.db-shm"):
        (folder / name).unlink(missing_ok=True)
    size = views.size
    assert views.follow() == size
    assert (folder / "views.db").exists()
    with views.asked() as asked:
        assert asked.size == size


def test_the_past_is_replayed_once(log: GrowingLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """And kept; the least recently asked are dropped when there is too much."""
    made: list[int] = []
    replay = Views.of_past.__func__  # type: ignore[attr-defined]

    def counted(cls: type[Views], source: object, reader: object, size: int, *more: object) -> Views:
        made.append(size)
        views: Views = replay(cls, source, reader, size, *more)
        return views

    monkeypatch.setattr(Views, "of_past", classmethod(counted))
    with closing(PastViews(log, bytes_max=1)) as past:
        for size in (30, 30, 40, 40, 30):
            with past.asked(Then(size)) as asked:
                assert asked.size == size
        assert made == [30, 40, 30]


def test_one_past_is_made_at_a_time(log: GrowingLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks for the same waits for it; who asks for another is told to come again; closing ends it."""
    begun, go_on = threading.Event(), threading.Event()
    replay = Views.of_past.__func__  # type: ignore[attr-defined]

    def held(cls: type[Views], *arguments: object) -> Views:
        begun.set()
        go_on.wait(20)
        views: Views = replay(cls, *arguments)
        return views

    monkeypatch.setattr(Views, "of_past", classmethod(held))
    past = PastViews(log)
    sizes: list[int] = []

    def ask() -> None:
        with past.asked(Then(30)) as asked:
            sizes.append(asked.size)

    asking = [threading.Thread(target=ask) for _ in range(2)]
    for one in asking:
        one.start()
    assert begun.wait(20)
    with pytest.raises(TooBusyError), past.asked(Then(40)):
        raise AssertionError("never asked")
    go_on.set()
    for one in asking:
        one.join()
    assert sizes == [30, 30]
    begun.clear()
    past.close()
    with pytest.raises(TooBusyError), past.asked(Then(50)):
        raise AssertionError("never asked")


def test_a_past_that_can_not_be_replayed_is_told_to_each(log: GrowingLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """And tried again by who asks next."""

    def broken(*_: object) -> Views:
        raise NotALedgerError("entry 7 can't be read")

    with closing(PastViews(log)) as past:
        with monkeypatch.context() as patch:
            patch.setattr(Views, "of_past", broken)
            with pytest.raises(NotALedgerError, match="entry 7"), past.asked(Then(30)):
                raise AssertionError("never asked")
        with past.asked(Then(30)) as asked:
            assert asked.size == 30


def test_an_entry_that_the_log_does_not_have_is_not_taken(log: GrowingLog, folder: Path) -> None:
    """Of what the writer hands over, only what has the log's bytes counts; all else is read from the log."""
    views = ServedViews(log, folder / "views.db")
    first, second, third = [Entry.from_bytes(data) for data in islice(log.newest.entries(), 3)]
    other = replace(second.event, at=second.event.at + 1)
    views.fresh.keep([first, Entry(other, b"x" + second.data), third])
    views.follow()
    assert views.fresh.taken == 2
    newest = sorted(views.fresh._entries)
    with views.asked() as answering:
        recorded = answering.recorded(1, before=2)[0]
    views.close()
    assert (recorded.at, newest) == (format_instant(second.event.at), [])


def test_what_is_handed_over_is_bounded(monkeypatch: pytest.MonkeyPatch, log: GrowingLog) -> None:
    """The oldest stay; those that are followed, or are behind what is, make room."""
    entries = [Entry.from_bytes(data) for data in islice(log.newest.entries(), 6)]
    monkeypatch.setattr(fresh_entries, "ENTRIES_MAX", 3)
    fresh = FreshEntries()
    fresh.keep(entries)
    assert sorted(fresh._entries) == [0, 1, 2]
    assert fresh.entry(1, entries[1].data) is entries[1]
    fresh.keep(entries[3:])
    assert (sorted(fresh._entries), fresh.taken) == ([2, 3, 4], 1)
    assert fresh.entry(5, entries[5].data) == entries[5]
    monkeypatch.setattr(fresh_entries, "BYTES_MAX", len(entries[0].data))
    fresh.keep(entries[:2])
    assert (sorted(fresh._entries), fresh.taken, fresh._bytes) == ([0], 1, len(entries[0].data))
