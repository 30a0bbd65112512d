"""A ledger is created, opened by its one writer, or stood by for until its writer is gone.

where the entries are     a folder (SQLite), or a PostgreSQL database named by its URL
who may write             the holder of the store's lock; the primary key refuses any other
what opening checks       that what is kept hangs together (tail.py); the history is the audit's work
"""

import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from tallystick.durable_files import PRIVATE_MODE, whole_file
from tallystick.errors import LedgerError, NotALedgerError, UsageError
from tallystick.ledger.clock_guard import ClockGuard
from tallystick.ledger.library import PersistenceError
from tallystick.ledger.log_signing import LogSigner
from tallystick.ledger.memory import memory_environment
from tallystick.ledger.record import LedgerRecord
from tallystick.ledger.settings import NAME as SETTINGS
from tallystick.ledger.snapshots import write_snapshot
from tallystick.ledger.sqlite import LOCK, require, sqlite_environment
from tallystick.ledger.standing_by import StandBy
from tallystick.ledger.submit import Clock, Ledger, system_clock
from tallystick.ledger.tail import Tail, bring_up, load_tail
from tallystick.signing.keys import SigningKey
from tallystick.sources import DATABASE, AnySource, LedgerDatabase, LedgerFolder, WritableSource, parse_writable
from tallystick.transparency.policy import Policy
from tallystick.vouchers.refusals import Refusal

POLICY: Final = "trust.policy"
SNAPSHOT_AFTER_ENTRIES: Final = 1_000

_FoundWith = Callable[[Callable[[], None]], Ledger]
"""Founds a network, given what undoes it."""


def create_ledger(
    source: AnySource, genesis: bytes, log_key: SigningKey, *, clock: Clock = system_clock, verify_processes: int = 0
) -> Ledger:
    """Make a ledger, found its network, and return it open; in a folder, its trust policy is written too.

    Args:
        source: a folder, made if it isn't there, that holds no ledger; or the URL of a PostgreSQL database that holds
            none, as a user that may make a schema and, unless they are there, roles.
        genesis: the signed `network.found` note.
        log_key: signs checkpoints; its name is the log's origin.
        clock: what time it is.
        verify_processes: how many processes verify signatures ahead.

    Raises:
        UsageError: there is a ledger already, or a file that would be lost; or it is a URL of something else.
        LedgerError: the genesis was refused, or nothing can be kept there; nothing is left behind.
    """
    place = parse_writable(source, is_new=True)
    found = partial(_found, place, genesis, log_key, clock, verify_processes)
    match place:
        case LedgerDatabase(url):
            return _create_in_database(url, found)
        case LedgerFolder(folder):
            return _create_in_folder(folder, log_key, found)


def _create_in_database(url: str, found: _FoundWith) -> Ledger:
    from tallystick.ledger import postgres_schema  # noqa: PLC0415 - an extra

    postgres_schema.create_schema(url)
    ledger = found(lambda: postgres_schema.drop_schema(url))
    try:
        postgres_schema.close_to_strangers(url)
    except BaseException:
        ledger.close()
        postgres_schema.drop_schema(url)
        raise
    return ledger


def _create_in_folder(folder: Path, log_key: SigningKey, found: _FoundWith) -> Ledger:
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / DATABASE).exists():
        raise UsageError(f"{folder} holds a ledger already; choose another folder")
    for name in (POLICY, SETTINGS):
        if os.path.lexists(folder / name):
            raise UsageError(f"{folder} holds a {name} already, which would be lost; choose another folder")
    ledger = found(lambda: remove_store(folder))
    with whole_file(folder / POLICY, PRIVATE_MODE) as file:
        file.write(Policy.for_log(log_key.verifier).to_text())
    return ledger


def open_ledger(
    source: AnySource,
    log_key: SigningKey,
    *,
    next_log_key: SigningKey | None = None,
    clock: Clock = system_clock,
    verify_processes: int = 0,
    guard: ClockGuard | None = None,
) -> Ledger:
    """Open a ledger, in a folder or a PostgreSQL database, as its one writer; a guard looks after its clock.

    While the log's key changes, `next_log_key` signs too (docs/operating.md); later it is the log's key.

    Raises:
        UsageError: a key whose turn it is to sign wasn't given.
        NotALedgerError: there is none, or it doesn't hang together.
        LedgerBusyError: another process writes to it.
        StoreFailedError: the database can't be reached.
    """
    store = _store_at(parse_writable(source))
    store.require()
    ledger = _open(store, LogSigner(log_key, next_log_key), clock, verify_processes, guard)
    if ledger.state.size == 0:
        ledger.close()
        raise NotALedgerError(f"{store.name} holds no entry; `tallystick ledger create` makes a ledger")
    return ledger


def stand_by(
    source: AnySource,
    log_key: SigningKey,
    *,
    next_log_key: SigningKey | None = None,
    clock: Clock = system_clock,
    verify_processes: int = 0,
    guard: ClockGuard | None = None,
) -> StandBy:
    """Follow a ledger that another process writes, to be its writer as soon as that one is gone.

    Raises:
        UsageError: a key whose turn it is to sign wasn't given.
        NotALedgerError: there is none, or it doesn't hang together.
        StoreFailedError: the database can't be reached.
    """
    store = _store_at(parse_writable(source))
    store.require()
    signer = LogSigner(log_key, next_log_key)
    record = _record(store)
    try:
        tail = load_tail(record.store, signer.verifiers)
        signer.keys_for(tail.state, max(clock(), tail.state.at))
    except BaseException:
        record.close()
        raise
    return StandBy(record, signer, tail, lambda warm: _ledger(record, signer, clock, verify_processes, warm, guard))


def memory_ledger(genesis: bytes, log_key: SigningKey, *, clock: Clock = system_clock) -> Ledger:
    """Return a new ledger that lives in memory.

    Raises:
        LedgerError: the genesis was refused.
    """
    record = LedgerRecord(env=memory_environment())
    ledger = _ledger(record, LogSigner(log_key), clock, 0, None)
    answer = ledger.submit([genesis])[0]
    if isinstance(answer, Refusal):
        raise LedgerError(f"the genesis was refused: {answer}")
    return ledger


def _found(
    place: WritableSource,
    genesis: bytes,
    log_key: SigningKey,
    clock: Clock,
    verify_processes: int,
    undo: Callable[[], None],
) -> Ledger:
    """Open an empty store and submit the genesis, or leave nothing behind."""
    try:
        ledger = _open(_store_at(place), LogSigner(log_key), clock, verify_processes)
        try:
            answer = ledger.submit([genesis])[0]
            if isinstance(answer, Refusal):
                raise LedgerError(f"the genesis was refused: {answer}")
        except BaseException:
            ledger.close()
            raise
    except BaseException:
        undo()
        raise
    return ledger


def remove_store(folder: Path) -> None:
    """Delete the store of a ledger that was never answered for."""
    for name in (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", LOCK):
        with suppress(FileNotFoundError):
            (folder / name).unlink()


class _StoreAt(NamedTuple):
    """Where a ledger is written: the one answer to what kind of place it is.

    Attributes:
        name: what a person calls it.
        require: raises NotALedgerError where it can be told without opening that no ledger is there.
        environment: opens it to be written.
        what_to_do: where that fails.
    """

    name: str
    require: Callable[[], None]
    environment: Callable[[], dict[str, str]]
    what_to_do: str

    def cannot_open(self, error: Exception) -> NotALedgerError:
        """Return what is raised where it can't be opened."""
        return NotALedgerError(f"{self.name} can't be opened to be written: {error}{self.what_to_do}")


def _store_at(place: WritableSource) -> _StoreAt:
    match place:
        case LedgerDatabase(url):
            from tallystick.ledger.postgres import postgres_environment  # noqa: PLC0415 - an extra

            return _StoreAt(str(place), lambda: None, lambda: postgres_environment(url), "")
        case LedgerFolder(folder):
            path = folder / DATABASE
            what_to_do = "; see that you may write the folder and what is in it"
            return _StoreAt(str(path), lambda: require(folder), lambda: sqlite_environment(path), what_to_do)


def _record(store: _StoreAt) -> LedgerRecord:
    """Return the library's application over a store whose writer lock is acquired."""
    try:
        return LedgerRecord(env=store.environment())
    except (PersistenceError, sqlite3.Error) as error:
        raise store.cannot_open(error) from None


def _open(
    store: _StoreAt, signer: LogSigner, clock: Clock, verify_processes: int, guard: ClockGuard | None = None
) -> Ledger:
    record = _record(store)
    try:
        return _ledger(record, signer, clock, verify_processes, None, guard)
    except (PersistenceError, sqlite3.Error) as error:
        record.close()
        raise store.cannot_open(error) from None
    except BaseException:
        record.close()
        raise


def _ledger(
    record: LedgerRecord,
    signer: LogSigner,
    clock: Clock,
    verify_processes: int,
    warm: Tail | None,
    guard: ClockGuard | None = None,
) -> Ledger:
    """Return the writer; a tail that was followed so far is brought up to date instead of loaded."""
    store = record.store
    saved_size = 0

    def load() -> Tail:
        nonlocal saved_size, warm
        store.acquire()
        followed, warm = warm, None
        tail = bring_up(store, signer.verifiers, followed)
        signer.keys_for(
            tail.state, max(clock(), tail.state.at)
        )  # before anything is written: a key that is missing is said now
        saved_size = tail.saved_size
        return tail

    def release(ledger: Ledger) -> None:
        with suppress(LedgerError, OSError, PersistenceError):
            if ledger.state.size - saved_size >= SNAPSHOT_AFTER_ENTRIES:
                write_snapshot(store.sidecar, ledger.state, ledger.root, signer.newest_key(ledger.state))

    return Ledger(record, signer, load, clock=clock, verify_processes=verify_processes, release=release, guard=guard)
