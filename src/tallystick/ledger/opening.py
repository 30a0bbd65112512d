"""A ledger is created, opened by its one writer, or stood by for until its writer is gone.

where the entries are     a folder (SQLite), or a PostgreSQL database named by its URL
who may write             whoever holds the store's lock; the primary key refuses anybody else
what opening checks       that what is kept hangs together (tail.py); the history is the audit's work
"""

import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from tallystick.addresses import is_postgres, without_password
from tallystick.durable_files import PRIVATE_MODE, whole_file
from tallystick.errors import LedgerError, NotALedgerError, UsageError
from tallystick.ledger.clock_guard import ClockGuard
from tallystick.ledger.library import PersistenceError
from tallystick.ledger.memory import memory_environment
from tallystick.ledger.record import LedgerRecord
from tallystick.ledger.settings import NAME as SETTINGS
from tallystick.ledger.snapshots import write_snapshot
from tallystick.ledger.sqlite import DATABASE, LOCK, require, sqlite_environment
from tallystick.ledger.standing_by import StandBy
from tallystick.ledger.submit import Clock, Ledger, system_clock
from tallystick.ledger.tail import Tail, bring_up, load_tail
from tallystick.signing.keys import SigningKey
from tallystick.transparency.policy import Policy
from tallystick.vouchers.refusals import Refusal

POLICY: Final = "trust.policy"
SNAPSHOT_AFTER_ENTRIES: Final = 1_000


def create_ledger(
    source: Path | str, genesis: bytes, log_key: SigningKey, *, clock: Clock = system_clock, verify_processes: int = 0
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
        UsageError: there is a ledger already, or a file that would be lost.
        LedgerError: the genesis was refused, or nothing can be kept there; nothing is left behind.
    """
    if is_postgres(source):
        from tallystick.ledger import postgres_schema  # noqa: PLC0415 - an extra

        url = str(source)
        postgres_schema.create_schema(url)
        ledger = _found(url, genesis, log_key, clock, verify_processes, lambda: postgres_schema.drop_schema(url))
        try:
            postgres_schema.close_to_strangers(url)
        except BaseException:
            ledger.close()
            postgres_schema.drop_schema(url)
            raise
        return ledger
    folder = Path(source)
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / DATABASE).exists():
        raise UsageError(f"{folder} holds a ledger already; choose another folder")
    for name in (POLICY, SETTINGS):
        if os.path.lexists(folder / name):
            raise UsageError(f"{folder} holds a {name} already, which would be lost; choose another folder")
    ledger = _found(folder, genesis, log_key, clock, verify_processes, lambda: remove_store(folder))
    with whole_file(folder / POLICY, PRIVATE_MODE) as file:
        file.write(Policy.for_log(log_key.verifier).to_text())
    return ledger


def open_ledger(
    source: Path | str,
    log_key: SigningKey,
    *,
    clock: Clock = system_clock,
    verify_processes: int = 0,
    guard: ClockGuard | None = None,
) -> Ledger:
    """Open a ledger, in a folder or a PostgreSQL database, as its one writer; a guard looks after its clock.

    Raises:
        NotALedgerError: there is none, or it doesn't hang together.
        LedgerBusyError: another process writes to it.
        StoreFailedError: the database can't be reached.
    """
    if not is_postgres(source):
        require(Path(source))
    ledger = _open(source, log_key, clock, verify_processes, guard)
    if ledger.state.size == 0:
        ledger.close()
        raise NotALedgerError(f"{_name(source)} holds no entry; `tallystick ledger create` makes a ledger")
    return ledger


def stand_by(
    source: Path | str,
    log_key: SigningKey,
    *,
    clock: Clock = system_clock,
    verify_processes: int = 0,
    guard: ClockGuard | None = None,
) -> StandBy:
    """Follow a ledger that another process writes, to be its writer as soon as that one is gone.

    Raises:
        NotALedgerError: there is none, or it doesn't hang together.
        StoreFailedError: the database can't be reached.
    """
    if not is_postgres(source):
        require(Path(source))
    record = _record(source)
    try:
        tail = load_tail(record.store, log_key.verifier)
    except BaseException:
        record.close()
        raise
    return StandBy(record, log_key, tail, lambda warm: _ledger(record, log_key, clock, verify_processes, warm, guard))


def memory_ledger(genesis: bytes, log_key: SigningKey, *, clock: Clock = system_clock) -> Ledger:
    """Return a new ledger that lives in memory.

    Raises:
        LedgerError: the genesis was refused.
    """
    record = LedgerRecord(env=memory_environment())
    ledger = _ledger(record, log_key, clock, 0, None)
    answer = ledger.submit([genesis])[0]
    if isinstance(answer, Refusal):
        raise LedgerError(f"the genesis was refused: {answer}")
    return ledger


def _found(
    source: Path | str,
    genesis: bytes,
    log_key: SigningKey,
    clock: Clock,
    verify_processes: int,
    undo: Callable[[], None],
) -> Ledger:
    """Open an empty store and submit the genesis, or leave nothing behind."""
    try:
        ledger = _open(source, log_key, clock, verify_processes)
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


def _name(source: Path | str) -> str:
    return without_password(str(source)) if is_postgres(source) else str(Path(source) / DATABASE)


def _cannot_open(source: Path | str, error: Exception) -> NotALedgerError:
    what_to_do = "" if is_postgres(source) else "; see that you may write the folder and what is in it"
    return NotALedgerError(f"{_name(source)} can't be opened to be written: {error}{what_to_do}")


def _record(source: Path | str) -> LedgerRecord:
    """Return the library's application over a store that can be written, once it is settled."""
    try:
        if is_postgres(source):
            from tallystick.ledger.postgres import postgres_environment  # noqa: PLC0415 - an extra

            return LedgerRecord(env=postgres_environment(str(source)))
        return LedgerRecord(env=sqlite_environment(Path(source) / DATABASE))
    except (PersistenceError, sqlite3.Error) as error:
        raise _cannot_open(source, error) from None


def _open(
    source: Path | str, log_key: SigningKey, clock: Clock, verify_processes: int, guard: ClockGuard | None = None
) -> Ledger:
    record = _record(source)
    try:
        return _ledger(record, log_key, clock, verify_processes, None, guard)
    except (PersistenceError, sqlite3.Error) as error:
        record.close()
        raise _cannot_open(source, error) from None
    except BaseException:
        record.close()
        raise


def _ledger(
    record: LedgerRecord,
    log_key: SigningKey,
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
        store.settle()
        followed, warm = warm, None
        tail = bring_up(store, log_key.verifier, followed)
        saved_size = tail.saved_size
        return tail

    def release(ledger: Ledger) -> None:
        with suppress(LedgerError, OSError, PersistenceError):
            if ledger.state.size - saved_size >= SNAPSHOT_AFTER_ENTRIES:
                write_snapshot(store.beside, ledger.state, ledger.root, log_key)

    return Ledger(record, log_key, load, clock=clock, verify_processes=verify_processes, release=release, guard=guard)
