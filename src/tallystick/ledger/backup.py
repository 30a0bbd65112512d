"""A backup is a ledger of its own, copied group by group, and each group is proven before it is kept.

    backup    ledger folder or database  ->  a folder: new, or an earlier backup, which is added to
    restore   such a folder              ->  a new ledger, in a folder or an empty database

A checkpoint row of the source and the entries that it is over are one group. It is copied as it is, once

    (1) the row is the next of the series, and the log's key has signed its note
    (2) its entries can be read, and each says its own place
    (3) the tree that was rebuilt from all entries so far has its root

So a copy is of committed groups only, and it ends at the checkpoint that was newest when it began, whatever a writer
adds meanwhile. Tree hashes, kinds and references are made from the entries; nothing else of the source is believed.

A backup is kept in transactions of many groups. Killed at any moment it is the earlier backup and some groups more,
and the next one goes on from there; it refuses a source that isn't its own future. A restored log would be fit to be
written to, and half of one would fork the log: a restore is therefore one transaction, all of it or an empty store,
which nobody can open as a ledger.

Beside the log go the trust policy and the newest cosigned checkpoint. The log's key doesn't, nor do the settings that
say where it is: whoever puts them there decides that the restored ledger is the one to be written to. Nor does a saved
state, which no root speaks for; a restore makes one from the entries. That the log was decided rightly, and that it is
the newest that was answered for, isn't found out here: that is the audit's work, with the receipts that were given.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from eventsourcing.persistence import PersistenceError, StoredEvent

from tallystick.addresses import is_postgres, is_url, without_password
from tallystick.errors import (
    LedgerError,
    MalformedError,
    NotALedgerError,
    ProofInvalidError,
    StoreFailedError,
    UsageError,
    VerificationError,
)
from tallystick.ledger.beside import COSIGNED, FolderBeside
from tallystick.ledger.opening import POLICY
from tallystick.ledger.record import LedgerRecord
from tallystick.ledger.settings import NAME as SETTINGS
from tallystick.ledger.snapshots import write_snapshot
from tallystick.ledger.sqlite import DATABASE, SQLiteLogRecorder, open_read_only, require, sqlite_environment
from tallystick.ledger.store import Beside, CheckpointRow, Group, LogStore, ReferenceRow
from tallystick.ledger.tail import AUDIT_SAYS_MORE, Cosigned, bear_out, edge_at
from tallystick.signing.keys import VerifierKey
from tallystick.signing.note import Note, open_note
from tallystick.static.files import CHECKPOINT_SIZE_MAX
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.transparency.merkle import RightEdge, leaf_hash
from tallystick.transparency.policy import POLICY_SIZE_MAX, Policy
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.evolve import evolve
from tallystick.vouchers.state import State

if TYPE_CHECKING:
    from tallystick.ledger.postgres import PostgresLogRecorder

ENTRIES_A_COMMIT: Final = 4_096
BYTES_A_COMMIT: Final = 16_000_000

Progress = Callable[[int, int], None]
"""Called with how many entries were copied and how many there are."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What came of a backup or a restore.

    Attributes:
        origin: the log's.
        size: how many entries the copy has now.
        new_entries: how many of them were copied this time.
        checkpoints: how many the copy has now.
        are_signatures_checked: False if no policy said which key signs the log's checkpoints.
    """

    origin: str
    size: int
    new_entries: int
    checkpoints: int
    are_signatures_checked: bool


class _Proven(NamedTuple):
    """A group as the target is given it."""

    events: list[StoredEvent]
    group: Group
    size_bytes: int


def backup_ledger(
    source: Path | str, folder: Path, *, policy: Policy | None = None, progress: Progress | None = None
) -> Copied:
    """Copy to a folder what a ledger has and the folder hasn't; the ledger may be in use.

    Args:
        source: a ledger folder, or the URL of a PostgreSQL ledger.
        folder: new, empty, or an earlier backup of this log.
        policy: names the log's key; else the backup's own does, or the ledger folder's, if there is one.
        progress: told how far it is.

    Raises:
        UsageError: the folder holds something else or another log, or the two policies there differ.
        ProofInvalidError: what the folder holds isn't this log's past: history_rewritten.
        NotALedgerError: the source is none, or is damaged; the backup then ends before the damage, and is sound.
        LedgerBusyError: another process writes to the folder.
        StoreFailedError: the folder can't be written; the same command again goes on.
        OSError: a file can't be read or written.
    """
    _check_backup_place(source, folder)
    chosen = _choose_policy(policy, _read_policy(source), _read_policy(folder))
    with _source(source) as store, _failing(folder):
        at_work = _CopyOf(store, _name(source), chosen)
        folder.mkdir(parents=True, exist_ok=True)
        record = LedgerRecord(env=sqlite_environment(folder / DATABASE))
        try:
            record.store.settle()
            at_work.go_on_from(record.store, str(folder))
            try:
                for groups in _in_batches(at_work.groups(progress)):
                    _keep_at_once(record.store, groups)
            except NotALedgerError as error:
                kept = record.store.newest_checkpoint()
                said = f"the backup is sound, and ends with entry {kept.size - 1:,}" if kept else "nothing was copied"
                raise NotALedgerError(f"{error}; {said}") from None
            at_work.put_beside(record.store.beside, FolderBeside(folder))
        finally:
            record.close()
    return at_work.result()


def restore_ledger(
    backup: Path, target: Path | str, *, policy: Policy | None = None, progress: Progress | None = None
) -> Copied:
    """Make a new ledger of a backup.

    Nobody knows here whether the old writer is gone, and whether more was answered than the backup has.

    Args:
        backup: a folder that `backup_ledger` made.
        target: a folder that is new or empty, or the URL of a database without a ledger, as a user that may create
            schemas in it.
        policy: names the log's key; else the backup's own does, if there is one.
        progress: told how far it is.

    Raises:
        UsageError: the target holds something.
        NotALedgerError: the backup is none, or is damaged; the target is left without a ledger.
        ProofInvalidError: the backup's cosigned checkpoint isn't of its past: history_rewritten.
        LedgerBusyError: another process writes to the target.
        StoreFailedError: the target can't be written; the same command again begins anew.
        OSError: a file can't be read or written.
    """
    if not is_url(target) and Path(target).exists() and backup.exists() and backup.samefile(target):
        raise UsageError(f"{backup} is the backup itself: restore to a new folder")
    with _source(backup) as store, _failing(target):
        at_work = _CopyOf(store, _name(backup), policy or _read_policy(backup), State)
        record = _new_target(target)
        try:
            record.store.settle()
            if record.store.newest_checkpoint() != at_work.newest:  # if equal, an earlier restore got that far
                _require_empty(record.store, target)
                _keep_at_once(record.store, at_work.groups(progress))
                record.store.settle()
                if record.store.newest_checkpoint() != at_work.newest:
                    raise StoreFailedError(f"{_name(target)}: the connection was lost, and nothing was kept")
            at_work.put_beside(record.store.beside, None if is_postgres(target) else FolderBeside(Path(target)))
        finally:
            record.close()
    return at_work.result()


class _CopyOf:
    """A source as it stood when this was made, and how much of it is proven so far."""

    def __init__(
        self, source: LogStore, name: str, policy: Policy | None, keep_state: type[State] | None = None
    ) -> None:
        """Read what the source says of itself.

        Raises:
            NotALedgerError: there is no checkpoint, or not one that the log's key signed.
            ProofInvalidError: the source isn't what witnesses cosigned.
            UsageError: the policy is of another log.
        """
        self._source = source
        self._name = name
        self._policy = policy
        self._keys: tuple[VerifierKey, ...] = ()
        try:
            # Read before the checkpoint: then it can't be of a larger tree, unless the log was cut back.
            cosigned = source.beside.read(COSIGNED, CHECKPOINT_SIZE_MAX)
            newest = source.newest_checkpoint()
        except (PersistenceError, sqlite3.Error) as error:
            raise self._damaged(f"it can't be read ({error})") from None
        if newest is None:
            raise NotALedgerError(f"{name} holds no checkpoint; {AUDIT_SAYS_MORE}")
        self.newest: Final = newest
        self.origin: Final = self._read_checkpoint(newest).origin
        if policy is not None:
            self._keys = tuple([line.vkey for line in policy.logs if line.vkey.name == self.origin])
            if not self._keys:
                raise UsageError(f"the trust policy doesn't name the log of {name}, {self.origin}")
            self._read_checkpoint(newest)
        self._cosigned = self._borne_out(cosigned)
        self._state = None if keep_state is None else keep_state.empty(self.origin)
        self._edge = RightEdge()
        self._number = 0
        self._new_entries = 0

    def go_on_from(self, target: LogStore, name: str) -> None:
        """Take what an earlier backup has as proven, if it hangs together and is the source's past."""
        there = target.newest_checkpoint()
        if there is None:
            return
        checkpoint = self._read_checkpoint(there)
        edge = edge_at(target, there.size)
        if edge.root() != checkpoint.root or target.entry_count() != there.size:
            raise UsageError(f"the backup in {name} is damaged: choose another folder; {AUDIT_SAYS_MORE}")
        if there.size > self.newest.size:
            raise ProofInvalidError(
                f"history_rewritten: the backup has {there.size:,} entries and {self._name} {self.newest.size:,}: it "
                "is an older copy of the log, or it was cut back; nothing was written"
            )
        if next(self._source.checkpoints(there.number), None) != there:
            if edge_at(self._source, there.size).root() == edge.root():
                raise UsageError(f"{name} has other checkpoints over the same entries: choose another folder")
            raise ProofInvalidError(
                f"history_rewritten: the first {there.size:,} entries of {self._name} are not those of the backup in "
                f"{name}; keep it, it is evidence; nothing was written"
            )
        self._borne_out(target.beside.read(COSIGNED, CHECKPOINT_SIZE_MAX))
        self._edge, self._number = edge, there.number + 1

    def groups(self, progress: Progress | None) -> Iterator[_Proven]:
        """Yield what the source has more, each group proven.

        Raises:
            NotALedgerError: the next one is damaged.
        """
        try:
            entries = self._source.entries(self._edge.size, self.newest.size)
            for row in self._source.checkpoints(self._number):
                if row.number > self.newest.number:
                    break
                yield self._proven(row, entries)
                if progress is not None:
                    progress(self._edge.size, self.newest.size)
        except (PersistenceError, sqlite3.Error) as error:
            raise self._damaged(f"it can't be read ({error})") from None
        if self._number != self.newest.number + 1:
            raise self._damaged(f"checkpoint {self._number} is missing")

    def put_beside(self, beside: Beside, files: Beside | None) -> None:
        """Keep what lies beside the log, where something newer isn't there already."""
        if self._cosigned is not None:
            with beside.alone():
                there = beside.read(COSIGNED, CHECKPOINT_SIZE_MAX)
                if there != self._cosigned.note and _size_of(there) <= self._cosigned.checkpoint.size:
                    beside.write(COSIGNED, self._cosigned.note)
        if self._policy is not None and files is not None:
            text = self._policy.to_text()
            with files.alone():
                if files.read(POLICY, POLICY_SIZE_MAX) != text:
                    files.write(POLICY, text)
        if self._state is not None and self._state.size == self.newest.size:
            write_snapshot(beside, self._state, self._edge.root())

    def result(self) -> Copied:
        """Return what came of it."""
        return Copied(self.origin, self.newest.size, self._new_entries, self.newest.number + 1, bool(self._keys))

    def _proven(self, row: CheckpointRow, entries: Iterator[bytes]) -> _Proven:
        if row.number != self._number:
            raise self._damaged(f"checkpoint {self._number} is missing")
        checkpoint = self._read_checkpoint(row)  # (1)
        first = self._edge.size
        if checkpoint.origin != self.origin or checkpoint.size <= first:
            raise self._damaged(f"checkpoint {row.number} is not one of this series")
        read = [self._read_entry(data, first + place) for place, data in enumerate(islice(entries, row.size - first))]
        tree_hashes = self._edge.extend([leaf_hash(entry.data) for entry in read])
        if self._edge.size != row.size or self._edge.root() != checkpoint.root:  # (3)
            raise self._damaged(f"entries {first:,} to {row.size - 1:,} don't give the root of checkpoint {row.number}")
        self._number += 1
        self._new_entries += len(read)
        events = [StoredEvent(self.origin, entry.event.index + 1, entry.event.kind, entry.data) for entry in read]
        references = [
            ReferenceRow(entry.event.index, entry.event.command.party, entry.event.command.ref) for entry in read
        ]
        return _Proven(events, Group(tree_hashes, references, row), sum(len(entry.data) for entry in read))

    def _read_entry(self, data: object, index: int) -> Entry:  # (2)
        try:
            if not isinstance(data, bytes):
                raise MalformedError("it isn't stored as bytes")
            entry = Entry.from_bytes(data)
            if entry.event.index != index:
                raise MalformedError(f"it says that it is entry {entry.event.index}")
            if self._state is not None:
                evolve(self._state, entry.event)
        except (ValueError, LookupError) as error:  # MalformedError too
            raise self._damaged(f"entry {index} can't be used ({error})") from None
        return entry

    def _read_checkpoint(self, row: CheckpointRow) -> Checkpoint:
        try:
            if type(row.size) is not int or not isinstance(row.note, bytes):
                raise MalformedError("its row isn't of a number and bytes")
            note = open_note(row.note, self._keys)[0] if self._keys else Note.from_bytes(row.note)
            checkpoint = Checkpoint.from_text(note.text)
        except (MalformedError, VerificationError) as error:
            raise self._damaged(f"checkpoint {row.number} is not one of this log ({error})") from None
        if checkpoint.size != row.size:
            raise self._damaged(f"checkpoint {row.number} says size {checkpoint.size:,}, and its row {row.size:,}")
        return checkpoint

    def _borne_out(self, note: bytes | None) -> Cosigned | None:
        with suppress(MalformedError):  # one that can't be read is of no use, and no evidence
            return bear_out(self._source, note, self.origin, self.newest.size)
        return None

    def _damaged(self, what: str) -> NotALedgerError:
        return NotALedgerError(f"{self._name}: {what}; {AUDIT_SAYS_MORE}")


def _in_batches(groups: Iterable[_Proven]) -> Iterator[list[_Proven]]:
    """Yield as many groups as are worth a commit; of a source that turns out damaged, those before the damage too."""
    batch: list[_Proven] = []
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


def _keep_at_once(store: LogStore, groups: Iterable[_Proven]) -> None:
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


def _check_backup_place(source: Path | str, folder: Path) -> None:
    """Raise unless a folder is new, empty or an earlier backup.

    Raises:
        UsageError: it isn't.
    """
    if is_url(str(folder)):
        raise UsageError("a backup is made in a folder; `tallystick ledger restore` writes a database")
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder")
    if not is_postgres(source) and Path(source).exists() and folder.samefile(source):
        raise UsageError(f"{folder} is the ledger itself: choose another folder")
    if (folder / SETTINGS).exists():
        raise UsageError(f"{folder} is a ledger that can be written to, it has {SETTINGS}: choose another folder")
    if not (folder / DATABASE).exists() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty and not a backup: choose another folder")


def _new_target(target: Path | str) -> LedgerRecord:
    """Return the store of a ledger that is to be restored, made unless an earlier restore made it.

    Raises:
        UsageError: there is something else.
    """
    if is_postgres(target):
        from tallystick.ledger.postgres import postgres_environment  # noqa: PLC0415 - an extra
        from tallystick.ledger.postgres_schema import create_schema  # noqa: PLC0415

        environment = postgres_environment(str(target))
        try:
            return LedgerRecord(env=environment)
        except NotALedgerError:
            create_schema(str(target))
            return LedgerRecord(env=environment)
    if is_url(target):
        raise UsageError(f"{target} is not a place for a ledger: give a new folder, or a database's URL")
    folder = Path(target)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is not a folder")
    if folder.exists() and not (folder / DATABASE).exists() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty: choose another folder")
    folder.mkdir(parents=True, exist_ok=True)
    return LedgerRecord(env=sqlite_environment(folder / DATABASE))


def _require_empty(store: LogStore, target: Path | str) -> None:
    if store.newest_checkpoint() is not None or store.entry_count():
        raise UsageError(f"{_name(target)} holds a ledger already: restore to a new folder, or an empty database")


@contextmanager
def _source(source: Path | str) -> Iterator[LogStore]:
    """Give a ledger's store for reading.

    Raises:
        NotALedgerError: there is none, or it can't be read.
    """
    if is_postgres(source):
        from tallystick.ledger.postgres import open_postgres  # noqa: PLC0415 - an extra

        opened: LogStore = open_postgres(str(source))
    elif is_url(source):
        raise UsageError(f"{source} is no ledger: give its folder, or its database's URL")
    else:
        require(Path(source))
        try:
            opened = open_read_only(Path(source) / DATABASE)
        except (PersistenceError, sqlite3.Error) as error:
            raise NotALedgerError(f"{source} can't be read: {error}") from None
    try:
        yield opened
    finally:
        opened.close()


@contextmanager
def _failing(target: Path | str) -> Iterator[None]:
    """Turn what the target's store raises into one of our own."""
    try:
        yield
    except (PersistenceError, sqlite3.Error) as error:
        raise StoreFailedError(f"{_name(target)} can't be written: {error}") from None


def _choose_policy(given: Policy | None, sources: Policy | None, targets: Policy | None) -> Policy | None:
    """Return the policy that counts: a changed one isn't taken from the very ledger that it is to judge.

    Raises:
        UsageError: somebody has to say which it is.
    """
    if given is not None:
        return given
    if sources is not None and targets is not None and sources != targets:
        raise UsageError(f"the ledger's {POLICY} is not that of the backup: say with --trust FILE which one counts")
    return targets or sources


def _read_policy(place: Path | str) -> Policy | None:
    """Return the policy that lies in a ledger folder, None if there is none."""
    text = None if is_postgres(place) else FolderBeside(Path(place)).read(POLICY, POLICY_SIZE_MAX)
    return None if text is None else Policy.from_text(text)


def _size_of(note: bytes | None) -> int:
    """Return the size that a checkpoint says, 0 if it is none."""
    with suppress(MalformedError):
        return Checkpoint.from_text(Note.from_bytes(note or b"").text).size
    return 0


def _name(place: Path | str) -> str:
    return without_password(str(place))
