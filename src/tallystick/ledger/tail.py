"""Where a log stands: state, right edge and newest checkpoint, loaded from a store or followed as it grows.

Loading checks that what is kept hangs together: the newest checkpoint is signed by a key of the log, the tree's right
edge has its root, the entries are as many, and witnesses have not seen more of this log than there is. Then the saved
state is taken, if a key of the log signed it, and the rest replayed. The history isn't verified: that is for audits.

Following takes in what came after, and checks that the leaves of the new entries lead to the new checkpoint's root.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, NamedTuple

from tallystick.errors import MalformedError, NotALedgerError, ProofInvalidError, VerificationError
from tallystick.ledger.sidecar import COSIGNED
from tallystick.ledger.snapshots import read_snapshot
from tallystick.ledger.store import CheckpointRow, LogStore, ReadStore, tile_reader
from tallystick.progress import Progress
from tallystick.signing.keys import VerifierKey
from tallystick.signing.note import Note
from tallystick.static.files import CHECKPOINT_SIZE_MAX
from tallystick.transparency.checkpoint import Checkpoint, open_checkpoint
from tallystick.transparency.merkle import RightEdge, leaf_hash
from tallystick.vouchers.editions import require_known
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.evolve import evolve
from tallystick.vouchers.state import State

AUDIT_SAYS_MORE: Final = "`tallystick audit` says more"
ENTRIES_BETWEEN_REPORTS: Final = 256


@dataclass(slots=True)
class Tail:
    """Where the log stands in memory: the state, the tree's right edge, and the newest checkpoint.

    `saved_size` is how many entries the saved state was after that all this began with; 0 if there was none.
    """

    state: State
    edge: RightEdge
    checkpoint: CheckpointRow | None
    saved_size: int = 0


class Cosigned(NamedTuple):
    """What lies beside the log as its newest cosigned checkpoint: the note, and what it says."""

    note: bytes
    checkpoint: Checkpoint


def load_tail(store: LogStore, log_keys: Sequence[VerifierKey]) -> Tail:
    """Read where the log stands, and check that it hangs together.

    Raises:
        NotALedgerError: it doesn't, or it is an older copy of the log than witnesses have seen.
        EditionUnknownError: it was made by rules that this version doesn't know.
        PersistenceError: the store can't be read.
    """
    # Read first: so it can't be of a larger tree, unless the log was cut back.
    cosigned = store.sidecar.read(COSIGNED, CHECKPOINT_SIZE_MAX)
    newest, count = _read_ends(store)
    if newest is None:
        if count:
            raise NotALedgerError(f"the store has entries and no checkpoint; {AUDIT_SAYS_MORE}")
        return Tail(State.empty(log_keys[0].name), RightEdge.from_hashes(0, ()), None)
    checkpoint = _open(newest, log_keys)
    edge = edge_at(store, checkpoint.size)
    if edge.root() != checkpoint.root or count != checkpoint.size:
        raise NotALedgerError(f"entries, tree and checkpoint don't belong together; {AUDIT_SAYS_MORE}")
    try:
        check_cosigned_checkpoint(store, cosigned, log_keys[0].name, checkpoint.size)
    except MalformedError:
        pass  # it is only a copy of what witnesses signed, and its users are told
    except ProofInvalidError as error:
        raise NotALedgerError(f"{error}; what is written here would fork the log") from None
    saved = read_snapshot(store.sidecar, log_keys, checkpoint.size, lambda size: edge_at(store, size).root())
    saved_size = 0 if saved is None else saved.size
    state = replay(store, saved or State.empty(log_keys[0].name), checkpoint.size)
    return Tail(state, edge, newest, saved_size)


def follow_tail(store: LogStore, log_keys: Sequence[VerifierKey], tail: Tail) -> int:
    """Take in what the log has more, and return how many entries that were.

    Raises:
        NotALedgerError: the log doesn't go on from there; the tail is of no more use.
        PersistenceError: the store can't be read; the tail may be of no more use.
    """
    newest = store.newest_checkpoint()
    if newest == tail.checkpoint:
        return 0
    old_size = tail.edge.size
    if newest is None or newest.size <= old_size:
        raise NotALedgerError(f"the log has become shorter than {old_size:,} entries; {AUDIT_SAYS_MORE}")
    checkpoint = _open(newest, log_keys)
    try:
        for data in store.entries(old_size, checkpoint.size):
            evolve(tail.state, Entry.from_bytes(data).event)
            tail.edge.extend([leaf_hash(data)])
    except (MalformedError, ValueError, LookupError) as error:
        raise NotALedgerError(f"entry {tail.state.size} can't be replayed ({error}); {AUDIT_SAYS_MORE}") from None
    if tail.edge.root() != checkpoint.root:
        raise NotALedgerError(f"the log doesn't go on from entry {old_size:,}; {AUDIT_SAYS_MORE}")
    tail.checkpoint = newest
    return tail.edge.size - old_size


def bring_up(store: LogStore, log_keys: Sequence[VerifierKey], tail: Tail | None) -> Tail:
    """Return where the log stands now: the tail, followed, or loaded anew if the log doesn't go on from there.

    A failover may lose what a follower has seen and no answer was given for.

    Raises:
        NotALedgerError: the log doesn't hang together.
        PersistenceError: the store can't be read; the tail may be of no more use.
    """
    if tail is not None:
        with suppress(NotALedgerError):
            follow_tail(store, log_keys, tail)
            return tail
    return load_tail(store, log_keys)


def check_cosigned_checkpoint(store: ReadStore, note: bytes | None, origin: str, size: int) -> Cosigned | None:
    """Return what a cosigned checkpoint says, once this log's tree has borne it out; None if there is none.

    Args:
        store: the log's.
        note: what lies beside the log, unread.
        origin: the log's.
        size: of the log as it stands.

    Raises:
        MalformedError: it can't be read, or is of another log.
        ProofInvalidError: the log was another when it was cosigned.
    """
    if note is None:
        return None
    checkpoint = Checkpoint.from_text(Note.from_bytes(note).text)
    if checkpoint.origin != origin:
        raise MalformedError(f"it is of another log, {checkpoint.origin}")
    if checkpoint.size > size:
        raise ProofInvalidError(
            f"history_rewritten: witnesses cosigned {checkpoint.size:,} entries of this log, and it has {size:,}: it "
            f"was cut back, or is an older copy; keep {COSIGNED}, which is evidence"
        )
    if checkpoint.size and edge_at(store, checkpoint.size).root() != checkpoint.root:
        raise ProofInvalidError(
            f"history_rewritten: the first {checkpoint.size:,} entries of this log are not those that witnesses "
            f"cosigned; keep {COSIGNED}, which is evidence"
        )
    return Cosigned(note, checkpoint)


def replay(store: ReadStore, state: State, size: int, progress: Progress | None = None) -> State:
    """Return a state, brought on by the entries that it isn't after yet, up to a size.

    Raises:
        NotALedgerError: an entry can't be replayed.
        EditionUnknownError: the log was made by rules that this version doesn't know.
    """
    if state.network is not None:
        require_known(state.network.edition)
    try:
        for data in store.entries(state.size, size):
            evolve(state, Entry.from_bytes(data).event)
            if progress is not None and state.size % ENTRIES_BETWEEN_REPORTS == 0:
                progress(state.size, size)
    except (MalformedError, ValueError, LookupError) as error:
        raise NotALedgerError(f"entry {state.size} can't be replayed ({error}); {AUDIT_SAYS_MORE}") from None
    return state


def edge_at(store: ReadStore, size: int) -> RightEdge:
    """Return the right edge of the tree of a size.

    Raises:
        NotALedgerError: hashes of it are missing.
    """
    try:
        return RightEdge.from_tiles(size, tile_reader(store))
    except MalformedError as error:
        raise NotALedgerError(f"the tree's right edge is damaged ({error}); {AUDIT_SAYS_MORE}") from None


def _read_ends(store: LogStore) -> tuple[CheckpointRow | None, int]:
    """Return the newest checkpoint, and how many entries there were when it was the newest.

    Without the lock, another may commit between the two reads; then they are read again.
    """
    newest = store.newest_checkpoint()
    while True:
        count = store.entry_count()
        again = store.newest_checkpoint()
        if again == newest:
            return newest, count
        newest = again


def _open(row: CheckpointRow, log_keys: Sequence[VerifierKey]) -> Checkpoint:
    try:
        return open_checkpoint(row.note, *log_keys)
    except (MalformedError, VerificationError) as error:
        raise NotALedgerError(
            f"the newest checkpoint is not one of {log_keys[0].name}: {error}; "
            "if the log's key was changed, give the new one"
        ) from None
