"""A ledger folder is created, opened by its one writer, or read by anybody.

Opening checks that what is on the disk hangs together: the newest checkpoint is signed by the log's key, the tree's
right edge has its root, the entries are as many. Then the newest believable snapshot is taken and the rest replayed.
It doesn't verify the history: that is the audit's work.
"""

import functools
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from eventsourcing.persistence import PersistenceError

from tallystick.errors import (
    LedgerError,
    MalformedError,
    NotALedgerError,
    ProofInvalidError,
    UsageError,
    VerificationError,
)
from tallystick.ledger import snapshots
from tallystick.ledger.memory import memory_environment
from tallystick.ledger.record import LedgerRecord
from tallystick.ledger.sqlite import WriterLock, open_read_only, sqlite_environment
from tallystick.ledger.static_store import StaticStore
from tallystick.ledger.store import CheckpointRow, LogStore, tile_reader
from tallystick.ledger.submit import Clock, Ledger, Tail, system_clock
from tallystick.signing.keys import SigningKey, VerifierKey
from tallystick.signing.note import Note
from tallystick.static.files import CHECKPOINT, CHECKPOINT_SIZE_MAX, FolderFiles, is_url, open_files
from tallystick.static.log import StaticLog
from tallystick.transparency.checkpoint import Checkpoint, open_checkpoint
from tallystick.transparency.merging import merge_notes
from tallystick.transparency.merkle import RightEdge, leaf_hash
from tallystick.transparency.policy import Policy
from tallystick.transparency.proofs import inclusion_proof, verify_inclusion
from tallystick.transparency.receipt import Receipt
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.evolve import evolve
from tallystick.vouchers.refusals import Refusal
from tallystick.vouchers.state import State

DATABASE: Final = "ledger.db"
LOCK: Final = "ledger.lock"
POLICY: Final = "trust.policy"
COSIGNED: Final = "checkpoint.cosigned"
"""The newest checkpoint that witnesses cosigned, with their lines (`tallystick checkpoint cosign`)."""
SNAPSHOT_AFTER_ENTRIES: Final = 1_000

Progress = Callable[[int, int], None]
"""Called with how much is done and how much there is."""


def create_ledger(
    folder: Path, genesis: bytes, log_key: SigningKey, *, clock: Clock = system_clock, verify_processes: int = 0
) -> Ledger:
    """Make a ledger in a folder, found its network, write its trust policy, and return it open.

    Args:
        folder: made if it isn't there; must not hold a ledger.
        genesis: the signed `network.found` note.
        log_key: signs checkpoints; its name is the log's origin.
        clock: what time it is.
        verify_processes: how many processes verify signatures ahead.

    Raises:
        UsageError: there is a ledger already.
        LedgerError: the genesis was refused, or nothing can be kept there; nothing is left behind.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / DATABASE).exists():
        raise UsageError(f"{folder} holds a ledger already; choose another folder")
    try:
        ledger = _open(folder, log_key, clock, verify_processes)
        try:
            answer = ledger.submit([genesis])[0]
            if isinstance(answer, Refusal):
                raise LedgerError(f"the genesis was refused: {answer}")
        except BaseException:
            ledger.close()
            raise
    except BaseException:
        for name in (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", LOCK):
            with suppress(FileNotFoundError):
                (folder / name).unlink()
        raise
    (folder / POLICY).write_bytes(Policy.for_log(log_key.verifier).to_text())
    return ledger


def open_ledger(folder: Path, log_key: SigningKey, *, clock: Clock = system_clock, verify_processes: int = 0) -> Ledger:
    """Open a ledger as its one writer.

    Raises:
        NotALedgerError: there is none, or it doesn't hang together.
        LedgerBusyError: another process writes to it.
    """
    _require(folder)
    ledger = _open(folder, log_key, clock, verify_processes)
    if ledger.state.size == 0:
        ledger.close()
        raise NotALedgerError(f"{folder / DATABASE} holds no entry; `tallystick ledger create` makes a ledger")
    return ledger


def memory_ledger(genesis: bytes, log_key: SigningKey, *, clock: Clock = system_clock) -> Ledger:
    """Return a new ledger that lives in memory.

    Raises:
        LedgerError: the genesis was refused.
    """
    record = LedgerRecord(env=memory_environment())
    ledger = Ledger(record, log_key, lambda: _load_tail(record.store, log_key.verifier, None), clock=clock)
    answer = ledger.submit([genesis])[0]
    if isinstance(answer, Refusal):
        raise LedgerError(f"the genesis was refused: {answer}")
    return ledger


def read_ledger(source: Path | str) -> "Reader":
    """Open a log for reading, also while it is being written.

    Args:
        source: a ledger folder, an exported folder, or the URL of one.

    Raises:
        NotALedgerError: there is none, or it can't be read.
        UsageError: not a URL of an exported log.
        LedgerError: the server gives no usable answer.
    """
    folder = Path(source)
    if is_url(source) or (not (folder / DATABASE).exists() and (folder / CHECKPOINT).is_file()):
        files = open_files(source)
        try:
            return Reader(None, StaticStore(StaticLog(files)), name=files.name)
        except BaseException:
            files.close()
            raise
    _require(folder)
    try:
        return Reader(folder, open_read_only(folder / DATABASE))
    except (PersistenceError, sqlite3.Error) as error:
        raise NotALedgerError(f"{folder / DATABASE} can't be read: {error}") from None


class _Cosigned(NamedTuple):
    note: bytes
    checkpoint: Checkpoint


class Reader:
    """A ledger as it stood when it was opened; it believes what is written, it verifies nothing.

    Attributes:
        name: what a person calls it.
        checkpoint: the newest there was; nobody verified its signatures here.
        origin: the log's.
        size: how many entries there were.
    """

    def __init__(self, folder: Path | None, store: LogStore, *, name: str = "the log") -> None:
        """Fix the newest checkpoint.

        Args:
            folder: the ledger's, where a snapshot may lie; None if it has no folder.
            store: what is read.
            name: of what has no folder.

        Raises:
            NotALedgerError: there is no readable checkpoint.
        """
        self.name: Final = name if folder is None else str(folder)
        self._folder = folder
        self._store = store
        # Read before the store: then it can't be of a larger tree, unless the log was cut back.
        self._cosigned_note = None if folder is None else cosigned_note(folder)
        newest = store.newest_checkpoint()
        if newest is None:
            raise NotALedgerError(f"{self.name} holds no checkpoint; `tallystick audit` says more")
        self._note = newest.note
        try:
            checkpoint = Checkpoint.from_text(Note.from_bytes(newest.note).text)
        except MalformedError as error:
            raise NotALedgerError(
                f"{self.name}: its checkpoint can't be read ({error}); `tallystick audit` says more"
            ) from None
        self.checkpoint: Final = checkpoint
        self.origin: Final = checkpoint.origin
        self.size: Final = checkpoint.size

    def checkpoint_note(self) -> bytes:
        """Return the signed checkpoint, with the cosignatures that it has.

        Raises:
            NotALedgerError: the cosigned checkpoint beside the store can't be read.
            ProofInvalidError: it is not of this log's past: history_rewritten.
        """
        cosigned = self._cosigned
        return cosigned.note if cosigned is not None and cosigned.checkpoint == self.checkpoint else self._note

    def entries(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield entries start … stop − 1."""
        return self._store.entries(start, self.size if stop is None else min(stop, self.size))

    def entry(self, index: int) -> bytes:
        """Return the bytes of one entry below `size`.

        Raises:
            NotALedgerError: it isn't there, or can't be read.
        """
        try:
            for data in self.entries(index, index + 1):
                return data
        except MalformedError as error:
            raise NotALedgerError(f"entry {index} can't be read ({error}); `tallystick audit` says more") from None
        raise NotALedgerError(f"{self.name}: entry {index} is missing; `tallystick audit` says more")

    def read_tile(self, level: int, n: int, width: int) -> bytes:
        """Return the first hashes of a tile (tlog-tiles), joined."""
        return tile_reader(self._store)(level, n, width)

    def receipt(self, index: int) -> Receipt:
        """Return the receipt of an entry, which is proved by it: only who signed the checkpoint is left to verify.

        Raises:
            UsageError: there is no such entry.
            NotALedgerError: a tile, the entry or the cosigned checkpoint can't be read.
            ProofInvalidError: entry, tree and checkpoints contradict one another.
        """
        if not 0 <= index < self.size:
            raise UsageError(f"there is no entry {index}: the log has {self.size}, counted from 0")
        entry = self.entry(index)
        note, checkpoint = self._note, self.checkpoint
        if self._cosigned is not None and index < self._cosigned.checkpoint.size:
            note, checkpoint = self._cosigned  # older, perhaps; but a policy may ask for witnesses
        try:
            proof = tuple(inclusion_proof(index, checkpoint.size, self.read_tile))
        except MalformedError as error:
            raise NotALedgerError(f"{self.name}: a tile is damaged ({error}); `tallystick audit` says more") from None
        verify_inclusion(index, checkpoint.size, leaf_hash(entry), proof, checkpoint.root)
        return Receipt(index, proof, note, entry)

    @functools.cached_property
    def _cosigned(self) -> "_Cosigned | None":
        """Return the newest cosigned checkpoint, which this log's tree bears out; None if there is none.

        Raises:
            NotALedgerError: it can't be read.
            ProofInvalidError: the log was another when it was cosigned.
        """
        if self._cosigned_note is None:
            return None
        path = f"{self.name}/{COSIGNED}"
        try:
            checkpoint = Checkpoint.from_text(Note.from_bytes(self._cosigned_note).text)
        except MalformedError as error:
            raise NotALedgerError(f"{path} can't be read ({error}): delete it, and ask the witnesses again") from None
        if checkpoint.origin != self.origin:
            raise NotALedgerError(f"{path} is of another log, {checkpoint.origin}: delete it")
        if checkpoint.size > self.size:
            raise ProofInvalidError(
                f"history_rewritten: witnesses cosigned {checkpoint.size:,} entries of this log, and it has "
                f"{self.size:,}: it was cut back, or is an older copy; keep {path}, which is evidence"
            )
        if checkpoint.size and _edge(self._store, checkpoint.size).root() != checkpoint.root:
            raise ProofInvalidError(
                f"history_rewritten: the first {checkpoint.size:,} entries of this log are not those that witnesses "
                f"cosigned; keep {path}, which is evidence"
            )
        return _Cosigned(merge_notes(self._cosigned_note, self._note), checkpoint)

    def state(self, size: int | None = None, progress: Progress | None = None) -> State:
        """Return the state after the first `size` entries (all, if None), from a snapshot where one helps.

        Raises:
            NotALedgerError: an entry can't be read.
        """
        size = self.size if size is None else min(size, self.size)
        return _replay(self._store, self._folder, self.origin, size, progress)

    def close(self) -> None:
        """Let go of the store."""
        self._store.close()

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def cosigned_note(folder: Path) -> bytes | None:
    """Return what a ledger folder has as its newest cosigned checkpoint, unread; None if there is none."""
    return FolderFiles(folder).read(COSIGNED, CHECKPOINT_SIZE_MAX)


def _require(folder: Path) -> None:
    if not (folder / DATABASE).is_file():
        raise NotALedgerError(f"{folder} is not a ledger: it has no {DATABASE}; `tallystick ledger create` makes one")


def _open(folder: Path, log_key: SigningKey, clock: Clock, verify_processes: int) -> Ledger:
    lock = WriterLock(folder / LOCK)
    try:
        record = LedgerRecord(env=sqlite_environment(folder / DATABASE))
        opened_size = record.store.entry_count()

        def release(ledger: Ledger) -> None:
            with suppress(LedgerError, OSError, PersistenceError):
                if ledger.state.size - opened_size >= SNAPSHOT_AFTER_ENTRIES:
                    snapshots.write_snapshot(folder, ledger.state, ledger.root)
            lock.release()

        return Ledger(
            record,
            log_key,
            lambda: _load_tail(record.store, log_key.verifier, folder),
            clock=clock,
            verify_processes=verify_processes,
            release=release,
        )
    except (PersistenceError, sqlite3.Error) as error:
        lock.release()
        raise NotALedgerError(f"{folder / DATABASE} can't be opened: {error}") from None
    except BaseException:
        lock.release()
        raise


def _load_tail(store: LogStore, log_key: VerifierKey, folder: Path | None) -> Tail:
    """Read where the log stands, and check that it hangs together.

    Raises:
        NotALedgerError: it doesn't.
    """
    newest = store.newest_checkpoint()
    if newest is None:
        if store.entry_count():
            raise NotALedgerError("the store has entries and no checkpoint; `tallystick audit` says more")
        return Tail(State.empty(log_key.name), RightEdge.from_hashes(0, ()), None)
    try:
        checkpoint = open_checkpoint(newest.note, log_key)
    except (MalformedError, VerificationError) as error:
        raise NotALedgerError(f"the newest checkpoint is not one of {log_key.name}: {error}") from None
    edge = _edge(store, checkpoint.size)
    if edge.root() != checkpoint.root or store.entry_count() != checkpoint.size:
        raise NotALedgerError("entries, tree and checkpoint don't belong together; `tallystick audit` says more")
    return Tail(_replay(store, folder, log_key.name, checkpoint.size, None), edge, CheckpointRow(*newest))


def _replay(store: LogStore, folder: Path | None, origin: str, size: int, progress: Progress | None) -> State:
    """Return the state at a size: from a snapshot if there is one to be believed, and the entries after it."""
    state = None
    if folder is not None:
        state = snapshots.read_snapshot(folder, origin, size, lambda at_size: _edge(store, at_size).root())
    state = state or State.empty(origin)
    try:
        for data in store.entries(state.size, size):
            evolve(state, Entry.from_bytes(data).event)
            if progress is not None and state.size % 256 == 0:
                progress(state.size, size)
    except (MalformedError, ValueError, LookupError) as error:
        raise NotALedgerError(f"entry {state.size} can't be replayed ({error}); `tallystick audit` says more") from None
    return state


def _edge(store: LogStore, size: int) -> RightEdge:
    try:
        return RightEdge.from_tiles(size, tile_reader(store))
    except MalformedError as error:
        raise NotALedgerError(f"the tree's right edge is damaged ({error}); `tallystick audit` says more") from None
