"""Bugs that are planted into the package, or into the simulated store, one at a time: the simulator must catch each.

A simulator that finds nothing has shown nothing until it is known what it would find. Each of these is a mistake that
somebody could make in good faith; each is a context manager that puts it into the real code and takes it out again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final
from unittest import mock

from eventsourcing.persistence import IntegrityError, PersistenceError, StoredEvent, Tracking
from eventsourcing.sqlite import SQLiteCursor

from simulation.connection import Connection
from simulation.disk import Image
from simulation.notes import founding
from tallystick.errors import MalformedError, StoreFailedError
from tallystick.ledger import opening, recorded_before, snapshots, standing_by, submit, tail
from tallystick.ledger.pending import Admitted
from tallystick.ledger.record import LedgerRecord
from tallystick.ledger.sidecar import SNAPSHOT
from tallystick.ledger.store import CheckpointRow, Group, LogStore
from tallystick.ledger.submit import Ledger
from tallystick.ledger.tail import Tail
from tallystick.signing.keys import SigningKey, VerifierKey
from tallystick.transparency.proofs import inclusion_proof
from tallystick.transparency.receipt import Receipt
from tallystick.views.follower import LogFollower
from tallystick.views.view_store import FOLLOWED_LOG, Place, ViewStore, Write
from tallystick.vouchers import admit
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.rules.burning import TimeBurn
from tallystick.vouchers.rules.reservations import VoucherReserve
from tallystick.vouchers.rules.rule import Event, Postings
from tallystick.vouchers.rules.vouchers import VoucherIssue
from tallystick.vouchers.state import State

Bug = Callable[[], AbstractContextManager[None]]
PLANTED: Final[dict[str, Bug]] = {}


def planted(bug: Callable[[], Iterator[None]]) -> Callable[[], Iterator[None]]:
    """Put a bug on the list, under its name."""

    @contextmanager
    def plant() -> Iterator[None]:
        founding()  # made once, by sound code
        with contextmanager(bug)():
            yield

    PLANTED[bug.__name__] = plant
    return bug


# -- commits ----------------------------------------------------------------------------------------------------------


@planted
def a_failed_commit_is_taken_for_kept() -> Iterator[None]:
    """Whatever the store said, the answers go out."""
    with mock.patch.object(Ledger, "_is_kept", return_value=True):
        yield


@planted
def a_failed_commit_is_taken_for_lost() -> Iterator[None]:
    """The store isn't asked what became of it."""
    with mock.patch.object(Ledger, "_is_kept", return_value=False):
        yield


@planted
def the_tail_is_read_before_it_is_settled() -> Iterator[None]:
    """A commit that is still under way lands after the writer has told that nothing was kept."""

    def is_kept(ledger: Ledger, ours: CheckpointRow, error: PersistenceError) -> bool:
        try:
            newest = ledger._store.newest_checkpoint()
        except PersistenceError:
            raise StoreFailedError("the store can't be reached") from None
        if newest is not None and newest.number >= ours.number and newest != ours:
            raise ledger._fence("another writer")
        return newest == ours

    with mock.patch.object(Ledger, "_is_kept", is_kept):
        yield


@planted
def a_taken_key_is_taken_for_ones_own() -> Iterator[None]:
    """`The index is there already, so I must have written it before.`"""
    is_kept = Ledger._is_kept

    def lenient(ledger: Ledger, ours: CheckpointRow, error: PersistenceError) -> bool:
        return isinstance(error, IntegrityError) or is_kept(ledger, ours, error)

    with mock.patch.object(Ledger, "_is_kept", lenient):
        yield


@planted
def memory_is_believed_after_a_failed_commit() -> Iterator[None]:
    """State and tree have run ahead of the store, and nobody loads them anew."""

    def current(ledger: Ledger) -> Tail:
        if ledger._is_fenced:
            raise ledger._fence("another writer has this log")
        return ledger._tail

    with mock.patch.object(Ledger, "_current", current):
        yield


@planted
def the_newest_checkpoint_is_not_remembered() -> Iterator[None]:
    """After a commit the writer goes on from the checkpoint before."""
    commit = Ledger._commit

    def forgetful(ledger: Ledger, tail: Tail, entries: list[Any]) -> None:
        before = tail.checkpoint
        commit(ledger, tail, entries)
        tail.checkpoint = before

    with mock.patch.object(Ledger, "_commit", forgetful):
        yield


@planted
def references_are_not_stored() -> Iterator[None]:
    """A group without its references is committed."""
    keep = LedgerRecord.keep

    def without(record: LedgerRecord, origin: str, entries: list[Any], group: Group) -> None:
        keep(record, origin, entries, Group(group.tree_hashes, (), group.checkpoint))

    with mock.patch.object(LedgerRecord, "keep", without):
        yield


@planted
def a_checkpoint_is_kept_before_its_tiles() -> Iterator[None]:
    """The store keeps a group in two steps, and its last hash not at all when a note of it ends oddly."""

    def keep(image: Image, events: Sequence[StoredEvent], group: Group) -> None:
        if image.is_taken(events, group):
            raise IntegrityError("a key is taken")
        image.checkpoints[group.checkpoint.number] = group.checkpoint
        for event in events:
            image.entries[event.originator_version - 1] = event.state
        image.references |= {(party, ref): index for index, party, ref in group.references}
        for level, position, tree_hash in group.tree_hashes:
            if tree_hash[0] < 32:
                return
            image.tree[level, position] = tree_hash

    with mock.patch.object(Image, "keep", keep):
        yield


# -- answers ----------------------------------------------------------------------------------------------------------


@planted
def a_note_that_came_again_is_decided_anew() -> Iterator[None]:
    """Neither the state's memory nor the store's index is asked."""
    with (
        mock.patch.object(submit, "find_forgotten", return_value={}),
        mock.patch.object(admit, "_check_reference", return_value=None),
    ):
        yield


@planted
def old_references_are_forgotten() -> Iterator[None]:
    """The store's index isn't asked: a note that the state has forgotten gets no receipt any more."""
    with mock.patch.object(submit, "find_forgotten", return_value={}):
        yield


@planted
def references_count_until_they_are_dropped() -> Iterator[None]:
    """The simulator found this one: too old to count, and not yet dropped, so nobody looks into the store's index."""
    with mock.patch.object(State, "remembers_all_references", lambda state, at: len(state.references) == state.size):
        yield


@planted
def a_retry_gets_its_neighbours_entry() -> Iterator[None]:
    """Off by one."""

    def neighbour(ledger: Ledger, store: LogStore, signed: admit.SignedCommand, index: int) -> Admitted:
        data = next(store.entries(index - 1, index))
        return Admitted(index - 1, data, False, ledger, Entry.from_bytes(data).event)

    with (
        mock.patch.object(submit, "recorded_before", neighbour),
        mock.patch.object(recorded_before, "recorded_before", neighbour),
    ):
        yield


@planted
def time_goes_backwards() -> Iterator[None]:
    """The writer's clock is believed, whatever the log says."""
    with mock.patch.object(submit, "max", lambda clock_at, log_at: clock_at, create=True):
        yield


@planted
def a_receipt_has_an_older_checkpoint() -> Iterator[None]:
    """The proof is made for the newest tree, and the checkpoint before is put under it."""

    def receipt(ledger: Ledger, index: int) -> Receipt:
        newest = ledger._store.newest_checkpoint()
        assert newest is not None
        older = next(iter(ledger._store.checkpoints(newest.number - 1)))
        proof = inclusion_proof(index, newest.size, ledger.read_tile)
        return Receipt(index, tuple(proof), older.note, next(ledger._store.entries(index, index + 1)))

    with mock.patch.object(Ledger, "receipt", receipt):
        yield


@planted
def a_receipt_is_given_under_what_another_session_shows() -> Iterator[None]:
    """The cluster found this one: somebody else's commit can be seen, isn't acknowledged, and a failover loses it."""

    def receipt(ledger: Ledger, index: int) -> Receipt:
        try:
            newest = ledger._store.newest_checkpoint()
            assert newest is not None
            proof = inclusion_proof(index, newest.size, ledger.read_tile)
            return Receipt(index, tuple(proof), newest.note, next(ledger._store.entries(index, index + 1)))
        except PersistenceError:
            raise StoreFailedError("the store can't be read") from None

    with mock.patch.object(Ledger, "receipt", receipt), mock.patch.object(Connection, "read", Connection.call):
        yield


@planted
def who_takes_over_believes_what_it_reads() -> Iterator[None]:
    """It has the lock, commits nothing, and answers by what only the server that is about to be lost has."""
    acquire = Connection.acquire

    def hold_the_lock(connection: Connection) -> None:
        sure_number = connection.disk.sure_number
        acquire(connection)
        connection.disk.sure_number = sure_number

    with mock.patch.object(Connection, "acquire", hold_the_lock):
        yield


@planted
def witnesses_are_shown_what_may_be_lost() -> Iterator[None]:
    """A reader hands on a checkpoint without having made sure of it."""
    wait_replicated = Connection.wait_replicated

    def writers_only(connection: Connection) -> None:
        if not connection._only_reads:
            wait_replicated(connection)

    with mock.patch.object(Connection, "wait_replicated", writers_only):
        yield


@planted
def a_fenced_writer_refuses() -> Iterator[None]:
    """Before a refusal nobody asks whether the lock is still held."""
    with mock.patch.object(Connection, "wait_replicated", return_value=None):
        yield


@planted
def a_fenced_writer_comes_back() -> Iterator[None]:
    """It says once that it was fenced, and then goes on if the lock happens to be free."""
    fence = Ledger._fence

    def forget(ledger: Ledger, why: str) -> Exception:
        error = fence(ledger, why)
        ledger._is_fenced = False
        return error

    with mock.patch.object(Ledger, "_fence", forget):
        yield


# -- opening, standing by, saved states -------------------------------------------------------------------------------


@planted
def who_takes_over_does_not_follow_first() -> Iterator[None]:
    """What was committed since the last look is passed over."""
    with (
        mock.patch.object(opening, "bring_up", lambda store, keys, warm: warm or tail.load_tail(store, keys)),
        mock.patch.object(standing_by, "bring_up", _seldom),
    ):
        yield


def _seldom(store: LogStore, log_keys: Sequence[VerifierKey], warm: Tail | None) -> Tail:
    newest = store.newest_checkpoint()
    if warm is not None and newest is not None and newest.number % 4:
        return warm
    return tail.bring_up(store, log_keys, warm)


@planted
def a_log_is_loaded_as_if_nobody_wrote() -> Iterator[None]:
    """The simulator found this one too: between its two reads others commit."""
    with mock.patch.object(tail, "_read_ends", lambda store: (store.newest_checkpoint(), store.entry_count())):
        yield


@planted
def a_saved_state_is_believed_whatever_its_root() -> Iterator[None]:
    """Only whether it can be read counts."""

    def read(sidecar: Any, log_key: VerifierKey, size: int, root_at: Callable[[int], bytes]) -> State | None:
        *_, data = (sidecar.read(SNAPSHOT, 2**30) or b"").split(b"\n", 8)
        try:
            state = State.from_bytes(data)
        except MalformedError:
            return None
        return state if state.size <= size else None

    with mock.patch.object(tail, "read_snapshot", read):
        yield


@planted
def a_saved_state_lacks_what_is_reserved() -> Iterator[None]:
    """A field was forgotten when the state was saved."""
    to_bytes = State.to_bytes

    def lossy(state: State) -> bytes:
        poorer = State.from_bytes(to_bytes(state))
        poorer.reservations.clear()
        return to_bytes(poorer)

    write = snapshots.write_snapshot

    def write_lossy(sidecar: Any, state: State, root: bytes, log_key: SigningKey) -> None:
        with mock.patch.object(State, "to_bytes", lossy):
            write(sidecar, state, root, log_key)

    with mock.patch.object(opening, "write_snapshot", write_lossy):
        yield


@planted
def opening_does_not_compare_the_tree() -> Iterator[None]:
    """A torn page goes unnoticed until an audit."""

    def load(store: LogStore, log_key: VerifierKey) -> Tail:
        newest = store.newest_checkpoint()
        assert newest is not None
        edge = tail.edge_at(store, newest.size)
        return Tail(tail.replay(store, State.empty(log_key.name), newest.size), edge, newest)

    with mock.patch("simulation.damage.load_tail", load):
        yield


@planted
def what_witnesses_saw_is_not_compared() -> Iterator[None]:
    """A log that was cut back below its cosigned checkpoint is opened and written to."""
    with mock.patch.object(tail, "check_cosigned_checkpoint", return_value=None):
        yield


# -- money ------------------------------------------------------------------------------------------------------------


@planted
def a_burn_is_posted_twice() -> Iterator[None]:
    """The books still add up to the envelope."""
    evolve = TimeBurn.evolve

    def twice(command: TimeBurn, state: State, event: Event) -> Postings:
        postings = evolve(command, state, event)
        for posting in postings:
            state.post(posting)
        return postings

    with mock.patch.object(TimeBurn, "evolve", twice):
        yield


@planted
def an_issue_makes_money() -> Iterator[None]:
    """The books don't add up."""
    evolve = VoucherIssue.evolve

    def changed(command: VoucherIssue, state: State, event: Event) -> Postings:
        postings = evolve(command, state, event)
        state.book.note("unissued", command.programme, 1)
        return postings

    with mock.patch.object(VoucherIssue, "evolve", changed):
        yield


@planted
def one_fen_more_than_is_available_may_be_reserved() -> Iterator[None]:
    """A limit that is off by one."""
    decide = VoucherReserve.decide

    def generous(command: VoucherReserve, state: State, at: int) -> Any:
        less = command.model_copy(update={"amount_fen": max(1, command.amount_fen - 1)})
        return decide(less, state, at)

    with mock.patch.object(VoucherReserve, "decide", generous):
        yield


# -- views ------------------------------------------------------------------------------------------------------------


@planted
def views_keep_rows_and_place_apart() -> Iterator[None]:
    """A process that ends between the two follows the same entries again."""

    def keep(store: ViewStore, before: Place, after: Place, write: Write) -> bool:
        with store.datastore.transaction(commit=True) as cursor:
            write(cursor)
        with store.datastore.transaction(commit=True) as cursor:
            _set_place(store, cursor, after)
        return True

    with mock.patch.object(ViewStore, "keep", keep):
        yield


def _set_place(store: ViewStore, cursor: SQLiteCursor, after: Place) -> None:
    cursor.execute("UPDATE followed SET at = ?, entry_sha256 = ?", (after.at, after.entry_sha256))
    store._insert_tracking(cursor, Tracking(FOLLOWED_LOG, after.size))


@planted
def views_resume_from_a_state_of_another_size() -> Iterator[None]:
    """The state in memory is taken for that of the place, whoever followed meanwhile."""
    state_at = LogFollower._state_at

    def careless(views: LogFollower, reader: Any, size: int) -> State:
        return views._state if views._state is not None else state_at(views, reader, max(1, size - 1))

    with mock.patch.object(LogFollower, "_state_at", careless):
        yield


_SHOWN_AND_LOST: Final = {"crash after the commit": 300, "fail over at a commit": 900}
_USURPED: Final = {"usurp": 500, "fail over at a commit": 0}
RATES_TO_CATCH: Final[Mapping[str, Mapping[str, int]]] = {
    "a_fenced_writer_comes_back": _USURPED,
    "a_fenced_writer_refuses": _USURPED,
    "a_log_is_loaded_as_if_nobody_wrote": {"meanwhile at a call": 300},
    "a_receipt_is_given_under_what_another_session_shows": _SHOWN_AND_LOST,
    "a_saved_state_is_believed_whatever_its_root": {"snapshot": 500},
    "memory_is_believed_after_a_failed_commit": {"lost before the commit": 300},
    "old_references_are_forgotten": {"leap": 600},
    "references_count_until_they_are_dropped": {"leap": 600},
    "the_tail_is_read_before_it_is_settled": {"lost during the commit": 400},
    "time_goes_backwards": {"clock": 600},
    "views_keep_rows_and_place_apart": {"views crash": 500},
    "what_witnesses_saw_is_not_compared": {"damage": 300},
    "witnesses_are_shown_what_may_be_lost": _SHOWN_AND_LOST,
}
"""Of bugs that few worlds show: how often, out of a thousand, what shows them comes about where they are looked for."""
