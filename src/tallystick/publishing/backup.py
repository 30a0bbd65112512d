"""A backup is a ledger of its own, copied group by group, and each group is proven before it is kept.

    backup    ledger folder, database or export  ->  a folder: new, or an earlier backup, which is added to
    restore   such a folder                      ->  a new ledger, in a folder or an empty database

An export, anybody's mirror of one too, has just its newest checkpoint: what it has more than a backup is one group. So
an old backup is brought up to date when the ledger itself is lost, and nothing that was published is.

A copy is of committed groups only, and it ends at the checkpoint that was newest when it began, whatever a writer
adds meanwhile.

A backup is kept in transactions of many groups. Killed at any moment it is the earlier backup and some groups more,
and the next one goes on from there; it refuses a source that isn't its own future. A restored log would be fit to be
written to, and half of one would fork the log: a restore is therefore one transaction, all of it or an empty store,
which can't be opened as a ledger.

Beside the log go the trust policy and the newest cosigned checkpoint. The log's key doesn't, nor do the settings that
say where it is: whoever puts them there decides that the restored ledger is the one to be written to. Nor does a saved
state, which only the log's key can vouch for: the first writer replays the entries. That the log was decided rightly,
and that it is the newest that was answered for, isn't found out here: that is the audit's work, with the receipts that
were given.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from tallystick.errors import (
    LedgerError,
    NotALedgerError,
    StoreFailedError,
    UsageError,
)
from tallystick.ledger.library import PersistenceError, StoredEvent
from tallystick.ledger.opening import POLICY, remove_store
from tallystick.ledger.record import LedgerRecord
from tallystick.ledger.settings import NAME as SETTINGS
from tallystick.ledger.sidecar import FolderSidecar
from tallystick.ledger.sqlite import SQLiteLogRecorder, require, sqlite_environment
from tallystick.ledger.store import Group, LogStore
from tallystick.progress import Progress
from tallystick.publishing.proven_copy import Copied, ProvenCopy, ProvenGroup
from tallystick.publishing.reader import open_store
from tallystick.publishing.static_store import AnyStore
from tallystick.sources import (
    DATABASE,
    AnySource,
    LedgerDatabase,
    LedgerFolder,
    Source,
    WritableSource,
    folder_of,
    parse_source,
    parse_writable,
)
from tallystick.transparency.policy import POLICY_SIZE_MAX, Policy

if TYPE_CHECKING:
    from tallystick.ledger.postgres import PostgresLogRecorder

ENTRIES_A_COMMIT: Final = 4_096
BYTES_A_COMMIT: Final = 16_000_000


def backup_ledger(
    source: AnySource, folder: Path, *, policy: Policy | None = None, progress: Progress | None = None
) -> Copied:
    """Copy to a folder what a ledger has and the folder hasn't; the ledger may be in use.

    Args:
        source: a ledger folder, the URL of a PostgreSQL ledger, an exported folder, or the URL of one; of exports, what
            is new is held in memory.
        folder: new, empty, or an earlier backup of this log.
        policy: names the log's key; else the backup's own does, or the ledger folder's, if there is one.
        progress: told how far it is.

    Raises:
        UsageError: the folder holds something else or another log, or the two policies there differ.
        ProofInvalidError: what the folder holds isn't this log's past: history_rewritten.
        NotALedgerError: the source is none, or is damaged; the backup then ends before the damage, and is sound.
        LedgerBusyError: another process writes to the folder.
        StoreFailedError: the folder can't be written; the same command again goes on.
        LedgerError: a server gives no usable answer.
        OSError: a file can't be read or written.
    """
    place = parse_source(source)
    backup = LedgerFolder(folder)
    _check_backup_place(place, folder)
    chosen = _choose_policy(policy, _read_policy(place), _read_policy(backup))
    with _source(place) as store, _failing(backup):
        at_work = ProvenCopy(store, str(place), chosen)
        folder.mkdir(parents=True, exist_ok=True)
        record = LedgerRecord(env=sqlite_environment(folder / DATABASE))
        try:
            record.store.acquire()
            at_work.resume_from(record.store, str(folder))
            try:
                for groups in _in_batches(at_work.groups(progress)):
                    _keep_at_once(record.store, groups)
            except NotALedgerError as error:
                kept = record.store.newest_checkpoint()
                said = f"the backup is sound, and ends with entry {kept.size - 1:,}" if kept else "nothing was copied"
                raise NotALedgerError(f"{error}; {said}") from None
            at_work.put_sidecar(record.store.sidecar, FolderSidecar(folder))
        finally:
            record.close()
    return at_work.result()


def restore_ledger(
    backup: Path, target: AnySource, *, policy: Policy | None = None, progress: Progress | None = None
) -> Copied:
    """Make a new ledger of a backup.

    It is not known here whether the old writer is gone, and whether more was answered than the backup has.

    Args:
        backup: a folder that `backup_ledger` made.
        target: a folder that is new or empty, or the URL of a database without a ledger, as a user that may create
            schemas in it.
        policy: names the log's key; else the backup's own does, if there is one.
        progress: told how far it is.

    Raises:
        UsageError: the target holds something, or is no place for a ledger.
        NotALedgerError: the backup is none, or is damaged; the target is left without a ledger.
        ProofInvalidError: the backup's cosigned checkpoint isn't of its past: history_rewritten.
        LedgerBusyError: another process writes to the target.
        StoreFailedError: the target can't be written; the same command again begins anew.
        OSError: a file can't be read or written.
    """
    source, place = LedgerFolder(backup), parse_writable(target, is_new=True)
    target_folder = folder_of(place)
    if target_folder is not None and target_folder.exists() and backup.exists() and backup.samefile(target_folder):
        raise UsageError(f"{backup} is the backup itself: restore to a new folder")
    require(backup)
    with _source(source) as store, _failing(place):
        at_work = ProvenCopy(store, str(source), policy or _read_policy(source))
        record, take_back = _new_target(place)
        is_whole = False
        try:
            record.store.acquire()
            if record.store.newest_checkpoint() != at_work.newest:  # if equal, an earlier restore got that far
                _require_empty(record.store, place)
                try:
                    _keep_at_once(record.store, at_work.groups(progress))
                except NotALedgerError as error:
                    raise NotALedgerError(f"{error}; {place} was left without a ledger") from None
                record.store.acquire()
                if record.store.newest_checkpoint() != at_work.newest:
                    raise StoreFailedError(f"{place}: the connection was lost, and nothing was kept")
            is_whole = True
            at_work.put_sidecar(record.store.sidecar, None if target_folder is None else FolderSidecar(target_folder))
        finally:
            record.close()
            if not is_whole:
                take_back()
    return at_work.result()


def _in_batches(groups: Iterable[ProvenGroup]) -> Iterator[list[ProvenGroup]]:
    """Yield as many groups as are worth a commit; of a source that turns out damaged, those before the damage too."""
    batch: list[ProvenGroup] = []
    entries = size_bytes = 0
    try:
        for group in groups:
            batch.append(group)
            entries += len(group.events)
            size_bytes += group.size_bytes
            if entries >= ENTRIES_A_COMMIT or size_bytes >= BYTES_A_COMMIT:
                yield batch
                batch, entries, size_bytes = [], 0, 0
    except LedgerError:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def _keep_at_once(store: LogStore, groups: Iterable[ProvenGroup]) -> None:
    """Commit groups as one: all of them, or none."""
    with _transaction(store) as insert:
        for events, group, _ in groups:
            insert(events, group)


def _transaction(store: LogStore) -> AbstractContextManager[Callable[[list[StoredEvent], Group], object]]:
    """Give what inserts a group; what was inserted is committed when the block ends, if it ends well."""
    if isinstance(store, SQLiteLogRecorder):
        return _sqlite_transaction(store)
    return _postgres_transaction(cast("PostgresLogRecorder", store))


@contextmanager
def _sqlite_transaction(store: SQLiteLogRecorder) -> Iterator[Callable[[list[StoredEvent], Group], object]]:
    with store.datastore.transaction(commit=True) as cursor:
        yield lambda events, group: store._insert_events(cursor, events, group=group)


@contextmanager
def _postgres_transaction(store: "PostgresLogRecorder") -> Iterator[Callable[[list[StoredEvent], Group], object]]:
    # The connection isn't held over the whole of it: who holds it for longer than a deadline is taken for stuck. If it
    # is lost, so is the lock, and the next insert fails; at the very end, the caller finds that nothing was kept.
    def say(statement: str) -> None:
        with store.datastore.get_connection() as connection:
            connection.execute(statement.encode())

    say("BEGIN")
    try:
        yield lambda events, group: store.insert_events(events, group=group)
    except BaseException:
        with suppress(PersistenceError):
            say("ROLLBACK")
        raise
    say("COMMIT")


def _check_backup_place(source: Source, folder: Path) -> None:
    """Raise unless a folder is new, empty or an earlier backup.

    Raises:
        UsageError: it isn't.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder")
    ledger_folder = folder_of(source)
    if ledger_folder is not None and ledger_folder.exists() and folder.samefile(ledger_folder):
        raise UsageError(f"{folder} is the ledger itself: choose another folder")
    if (folder / SETTINGS).exists():
        raise UsageError(f"{folder} is a ledger that can be written to, it has {SETTINGS}: choose another folder")
    if not (folder / DATABASE).exists() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty and not a backup: choose another folder")


def _new_target(target: WritableSource) -> tuple[LedgerRecord, Callable[[], None]]:
    """Return the store of a ledger that is to be restored, made unless it is there, and what takes back what was made.

    Raises:
        UsageError: there is something else.
    """
    match target:
        case LedgerDatabase(url):
            return _new_in_database(url)
        case LedgerFolder(folder):
            return _new_in_folder(folder)


def _new_in_database(url: str) -> tuple[LedgerRecord, Callable[[], None]]:
    from tallystick.ledger.postgres import postgres_environment  # noqa: PLC0415 - an extra
    from tallystick.ledger.postgres_schema import close_to_strangers, create_schema, drop_schema  # noqa: PLC0415

    def take_back() -> None:
        with suppress(LedgerError):  # what went wrong is being said; the same command again begins anew
            drop_schema(url)

    try:
        return LedgerRecord(env=postgres_environment(url)), lambda: None
    except NotALedgerError:
        create_schema(url)
    try:
        close_to_strangers(url)
        return LedgerRecord(env=postgres_environment(url)), take_back
    except BaseException:
        take_back()
        raise


def _new_in_folder(folder: Path) -> tuple[LedgerRecord, Callable[[], None]]:
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is not a folder")
    if folder.exists() and not (folder / DATABASE).exists() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty: choose another folder")
    is_new = not (folder / DATABASE).exists()
    folder.mkdir(parents=True, exist_ok=True)
    record = LedgerRecord(env=sqlite_environment(folder / DATABASE))
    return record, (lambda: remove_store(folder)) if is_new else lambda: None


def _require_empty(store: LogStore, target: WritableSource) -> None:
    if store.newest_checkpoint() is not None or store.entry_count():
        raise UsageError(f"{target} holds a ledger already: restore to a new folder, or an empty database")


@contextmanager
def _source(source: Source) -> Iterator[AnyStore]:
    """Give a ledger's store for reading.

    Raises:
        NotALedgerError: there is none, or it can't be read.
    """
    try:
        opened = open_store(source)
    except (PersistenceError, sqlite3.Error) as error:
        raise NotALedgerError(f"{source} can't be read: {error}") from None
    try:
        yield opened
    finally:
        opened.close()


@contextmanager
def _failing(target: WritableSource) -> Iterator[None]:
    """Turn what the target's store raises into one of our own."""
    try:
        yield
    except (PersistenceError, sqlite3.Error) as error:
        raise StoreFailedError(f"{target} can't be written: {error}") from None


def _choose_policy(given: Policy | None, sources: Policy | None, targets: Policy | None) -> Policy | None:
    """Return the policy that counts: a changed one isn't taken from the very ledger that it is to judge.

    Raises:
        UsageError: the caller has to say which it is.
    """
    if given is not None:
        return given
    if sources is not None and targets is not None and sources != targets:
        raise UsageError(f"the ledger's {POLICY} is not that of the backup: say with --trust FILE which one counts")
    return targets or sources


def _read_policy(place: Source) -> Policy | None:
    """Return the policy that lies in a ledger folder, None if there is none."""
    folder = folder_of(place)
    text = None if folder is None else FolderSidecar(folder).read(POLICY, POLICY_SIZE_MAX)
    return None if text is None else Policy.from_text(text)
