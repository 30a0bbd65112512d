"""The life of an entry: `Ledger.submit` takes notes and gives receipts or refusals, in order.

    (1) open the note       read_alone     any thread, signatures in processes ahead
    (2) read the command    read_alone
    (3) decide it           admit_alone    the writer alone, one after another
    (4) make the entry      admit_alone
    (5) grow the tree, sign the checkpoint, commit all of it in one transaction
    (6) hand back receipts

Many threads may submit: one that finds the writer free writes for all that wait (group_commit.py). If a commit fails,
the state in memory has run ahead of the store: it is thrown away and loaded anew, the way a ledger is opened. If it
isn't known whether a commit was kept, the store's tail tells, once the lock is acquired: ours; nothing, and the same
group is committed again; or another writer's, and then this writer has been fenced and stops.

One note can't hurt another: an unforeseen exception is answered to the note that it is due to (note_faults.py). If it
came while the state was changed, the state is loaded anew, and the others are decided again without that note.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from tallystick.cycle_collection import paused_collection
from tallystick.errors import LedgerBusyError, LedgerError, NotALedgerError, StoreFailedError, WriterFencedError
from tallystick.ledger.checking import check_notes
from tallystick.ledger.clock_guard import ClockGuard
from tallystick.ledger.group_commit import GroupCommit
from tallystick.ledger.library import IntegrityError, PersistenceError
from tallystick.ledger.log_signing import LogSigner
from tallystick.ledger.note_faults import (
    admit_alone,
    commit_failed,
    evolve_alone,
    out_of_memory,
    read_alone,
)
from tallystick.ledger.pending import Admitted, Group, NoteAnswer, PendingNote, fail, in_groups
from tallystick.ledger.record import LedgerRecord
from tallystick.ledger.recorded_before import find_forgotten, recorded_before, recorded_lately
from tallystick.ledger.store import CheckpointRow, ReferenceRow, tile_reader
from tallystick.ledger.store import Group as CommitGroup
from tallystick.ledger.tail import AUDIT_SAYS_MORE, Tail
from tallystick.ledger.verification import WORTH_A_PROCESS, Verification, Verifier
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.transparency.merkle import leaf_hash
from tallystick.transparency.proofs import inclusion_proof
from tallystick.transparency.receipt import Receipt
from tallystick.vouchers.admit import SignedCommand
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.state import State

GROUPS_AHEAD: Final = 3
COMMITS_TRIED: Final = 3

Clock = Callable[[], int]
"""Returns the time in microseconds since 1970-01-01T00:00:00Z."""


def system_clock() -> int:
    """Return the machine's time."""
    return time.time_ns() // 1_000


class Ledger:
    """The one writer of a log."""

    def __init__(
        self,
        record: LedgerRecord,
        signer: LogSigner,
        load: Callable[[], Tail],
        *,
        clock: Clock = system_clock,
        verify_processes: int = 0,
        release: Callable[["Ledger"], None] = lambda _: None,
        guard: ClockGuard | None = None,
    ) -> None:
        """Take over a log; `opening` has the ways to make one of these.

        Args:
            record: where entries are kept.
            signer: signs checkpoints, by the key or keys whose turn it is.
            load: reads the tail from the store, now and whenever memory can't be trusted.
            clock: what time it is.
            verify_processes: how many processes verify signatures ahead; 0 for none.
            release: called once when the ledger is closed.
            guard: says when the clock isn't to be believed; None believes it.
        """
        self.origin: Final = signer.origin
        self._record = record
        self._store = record.store
        self._signer = signer
        self._load = load
        self._tail = load()
        self._tail_is_good = True
        self._published = self._tail.checkpoint
        self._clock = clock
        self._guard = guard
        self._last_at = self._tail.state.at
        self._verifier = Verifier(verify_processes)
        self._release = release
        self._is_fenced = False
        self._closed = False
        self._writer_lock = threading.RLock()
        self._group_commit = GroupCommit(self._writer_lock, self._verify, self._write_together)

    def submit(self, notes: Sequence[bytes]) -> list[NoteAnswer]:
        """Decide notes in order and keep what is admitted; what is answered is durable.

        Args:
            notes: signed notes, from anybody.

        Returns:
            For each note, the entry that it is, or why it is refused.

        Raises:
            StoreFailedError: the store failed; of the notes not answered for, none was kept.
            WriterFencedError: another writer writes to the log.
            ClockJumpError: the clock is too far ahead of the log; of the notes not answered for, none was kept.
        """
        answers: list[NoteAnswer] = []
        ahead: deque[Group] = deque()
        try:
            with paused_collection():
                for some in in_groups(notes):
                    ahead.append(self._prepare(some))
                    if len(ahead) == GROUPS_AHEAD:
                        answers += self._write(ahead.popleft())
                while ahead:
                    answers += self._write(ahead.popleft())
        except MemoryError:
            raise out_of_memory() from None
        return answers

    def confirm(self) -> None:
        """See that the store answers, and that this is the log's writer still; what had failed is mended if it can be.

        Raises:
            StoreFailedError: the store can't be reached, or doesn't answer as it should.
            WriterFencedError: another writer has the log.
        """
        self._write(self._prepare(()))

    def check(self, notes: Sequence[bytes]) -> list[Entry | Refusal]:
        """Return what `submit` would decide on notes now, as `check_notes` does; raise what `confirm` does."""
        if len(notes) == 1:  # `admit` changes nothing, so that no copy of the state is needed
            reading = read_alone(notes[0], self.origin)
            if isinstance(reading, Refusal):
                return [reading]
            self._verifier.start([reading], self._tail.state).finish()
            with self._writer_lock:
                state = self._current().state
                return [admit_alone(state, reading, max(self._clock(), state.at))]
        with self._writer_lock:  # a copy that the others' notes don't change
            saved = self.state.to_bytes()
        return check_notes(lambda: State.from_bytes(saved), notes, self._clock())

    def receipt(self, index: int) -> Receipt:
        """Return the receipt of an entry under the newest checkpoint that was committed for good.

        Raises:
            IndexError: there is no such entry.
            NotALedgerError: the store has lost it.
            StoreFailedError: the store can't be read; after the next submit it may be.
        """
        # Not what the store shows: a commit may be seen there that no answer was given for, and that a failover loses.
        checkpoint = self._published
        if checkpoint is None or not 0 <= index < checkpoint.size:
            raise IndexError(f"there is no entry {index}")
        try:
            proof = inclusion_proof(index, checkpoint.size, self.read_tile)
            entry = next(self._store.entries(index, index + 1), None)
        except PersistenceError as error:
            raise StoreFailedError(f"the store can't be read: {error}; submit the note again") from None
        if entry is None:
            raise NotALedgerError(f"entry {index} is not in the store; {AUDIT_SAYS_MORE}")
        return Receipt(index, tuple(proof), checkpoint.note, entry)

    def read_tile(self, level: int, n: int, width: int) -> bytes:
        """Return the first hashes of a tile (tlog-tiles), joined."""
        return tile_reader(self._store)(level, n, width)

    @property
    def state(self) -> State:
        """The state after the newest entry; not to be changed, nor kept over a submit."""
        with self._writer_lock:
            return self._current().state

    @property
    def size(self) -> int:
        """How many entries are committed for good."""
        return 0 if self._published is None else self._published.size

    @property
    def root(self) -> bytes:
        """The Merkle root over all entries."""
        with self._writer_lock:
            return self._current().edge.root()

    def close(self) -> None:
        """Let go of the store; nothing that was answered depends on it."""
        with self._writer_lock:
            if not self._closed:
                self._verifier.close()
                self._release(self)
                self._record.close()
                self._closed = True

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _prepare(self, notes: Sequence[bytes]) -> Group:
        group = Group([PendingNote(read_alone(note, self.origin)) for note in notes])  # (1) (2)
        if self._verifier.has_processes:
            if len(notes) >= WORTH_A_PROCESS:  # fewer go there together with those of other callers
                self._verify([group])
        else:  # by this thread, before anybody waits for it
            self._verify([group]).finish()
        return group

    def _verify(self, groups: Sequence[Group]) -> Verification:
        """Begin to verify what is signed in some groups."""
        readings = [note.reading for group in groups for note in group.notes]
        commands = [reading for reading in readings if isinstance(reading, SignedCommand)]
        # Keys are only ever added, so it does no harm that the writer may be at work on this state.
        verification = self._verifier.start(commands, self._tail.state)
        for group in groups:
            group.verification = verification
        return verification

    def _write(self, group: Group) -> list[NoteAnswer]:
        """Wait until a group is written, by this caller or by another along with its own."""
        self._group_commit.submit(group)
        if group.error is not None:
            raise group.error
        return group.answers

    def _write_together(self, groups: Sequence[Group]) -> None:
        """Decide and commit groups as one transaction; if its commit fails for an unknown reason, each by itself."""
        if self._closed:
            raise ValueError("this ledger was closed")
        notes = [note for group in groups for note in group.notes]
        try:
            try:
                self._decide_and_commit(notes)
            except PersistenceError:
                # A look into the store failed, and nothing was committed: perhaps only the connection was lost.
                self._decide_and_commit(notes)
        except LedgerError as error:
            fail(groups, error)
        except PersistenceError as error:
            fail(groups, StoreFailedError(f"the store can't be read: {error}"))
        except OSError as error:
            fail(groups, StoreFailedError(f"the store failed: {error}; submit again to find out what was kept"))
        except MemoryError:
            fail(groups, out_of_memory())
        except Exception as error:
            if len(groups) == 1:
                fail(groups, commit_failed(error))
                return
            for group in groups:
                self._write_together([group])

    def _decide_and_commit(self, notes: Sequence[PendingNote]) -> None:
        """Answer notes from where the log stands, and commit what is admitted.

        Raises:
            LedgerError: nothing was kept, or that is unknown.
            PersistenceError: the store couldn't be read; nothing was committed.
        """
        entries = None
        while entries is None:  # again without the note that left the state half changed, and is refused now
            tail = self._current()
            self._tail_is_good = False  # until the commit is known, memory has run ahead of the store
            entries = self._decide(tail, notes)
        if entries:
            self._commit(tail, entries)
        else:
            # Behind these answers stands no commit that would fail, were this writer fenced.
            self._store.wait_replicated()
        self._tail_is_good = True

    def _decide(self, tail: Tail, notes: Sequence[PendingNote]) -> list[Entry] | None:
        """Answer notes in order, at one time, and return what is to be kept.

        None says that the tail's state is half changed: the note that it is due to has its refusal, as its reading.
        """
        at = max(self._clock(), tail.state.at)
        entries: list[Entry] = []
        known = find_forgotten(self._store, tail.state, [note.reading for note in notes], at)
        for note in notes:
            reading = note.reading
            if isinstance(reading, Refusal):
                note.answer = reading
                continue
            index = known.get((reading.command.party, reading.command.ref))
            if index is not None:
                note.answer = recorded_before(self, self._store, reading, index)
                continue
            answer = admit_alone(tail.state, reading, at)  # (3) (4)
            if isinstance(answer, Entry):
                answer = self._signer.refuse(reading.command, tail.state) or answer
            if isinstance(answer, Entry):
                refusal = evolve_alone(tail.state, reading, answer)
                if refusal is not None:
                    note.reading = refusal
                    return None
                entries.append(answer)
                note.answer = Admitted(answer.event.index, answer.data, True, self, answer.event)
            elif answer.reason is Reason.ALREADY_RECORDED:
                note.answer = recorded_lately(self, self._store, tail, reading, at, entries)
            else:
                note.answer = answer
                if answer.reason is Reason.DECISION_FAILED:
                    note.reading = answer  # for good, should the others have to be decided again
        return entries

    def _commit(self, tail: Tail, entries: list[Entry]) -> None:
        """Grow the tree, sign, and keep all of it or nothing."""
        if self._guard is not None and tail.edge.size:
            signed_at = [entry.event.command.signed_at for entry in entries]
            self._guard.check(entries[0].event.at, self._last_at, signed_at)
        tree_hashes = tail.edge.extend([leaf_hash(entry.data) for entry in entries])  # (5)
        size = tail.edge.size
        note = self._signer.sign(Checkpoint(self.origin, size, tail.edge.root()), tail.state)
        number = 0 if tail.checkpoint is None else tail.checkpoint.number + 1
        checkpoint = CheckpointRow(number, size, note)
        references = [
            ReferenceRow(entry.event.index, entry.event.command.party, entry.event.command.ref) for entry in entries
        ]
        group = CommitGroup(tree_hashes, references, checkpoint)
        for commits_left in reversed(range(COMMITS_TRIED)):
            try:
                self._record.keep(self.origin, entries, group)
                break
            except PersistenceError as error:
                if self._is_kept(checkpoint, error):
                    break
                if commits_left == 0 or isinstance(error, IntegrityError):
                    raise StoreFailedError(
                        f"the store kept nothing: {error}; see to the store, and submit again"
                    ) from None
        tail.checkpoint = self._published = checkpoint

    def _is_kept(self, ours: CheckpointRow, error: PersistenceError) -> bool:
        """Find out what became of a commit that failed; if nothing was kept, it does no harm to try once more."""
        try:
            self._store.acquire()
            newest = self._store.newest_checkpoint()
        except LedgerBusyError:
            raise self._fence("another writer has this log now") from None
        except PersistenceError:
            raise StoreFailedError(
                f"the store can't be reached ({error}); submit again to find out what was kept"
            ) from None
        if newest == ours:
            return True
        if newest is not None and newest.number >= ours.number:
            raise self._fence(f"another writer made checkpoint {newest.number}")
        return False

    def _fence(self, why: str) -> WriterFencedError:
        self._is_fenced = True
        return WriterFencedError(f"{why}; this one stops: submit again to the other, to find out what was kept")

    def _current(self) -> Tail:
        """Return the tail, loaded anew if a commit failed or was interrupted."""
        if self._closed:
            raise ValueError("this ledger was closed")
        if self._is_fenced:
            raise WriterFencedError("another writer has this log; open it again")
        if not self._tail_is_good:
            try:
                self._tail = self._load()
            except LedgerBusyError:
                raise self._fence("another writer has this log now") from None
            except PersistenceError as error:
                raise StoreFailedError(f"the store can't be read: {error}") from None
            self._tail_is_good = True
            self._published = self._tail.checkpoint
        self._last_at = self._tail.state.at
        return self._tail
