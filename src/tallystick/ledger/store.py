"""What a store does for the writer: keep entries, tree and checkpoint together or not at all, and give them back.

A store is an `eventsourcing` application recorder (`insert_events`, `select_events`) with a few reads beside; the
group rides in the keyword `group` of `insert_events`, which the library hands down into the events' own transaction.

Beside the log lie a few things that are replaced as wholes: a saved state, and the cosigned checkpoint.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import NamedTuple, Protocol, cast

from tallystick.ledger.library import DatabaseError, StoredEvent
from tallystick.transparency.merkle import TILE_WIDTH, ReadTile, TreeHash


class ReferenceRow(NamedTuple):
    """Which entry a party's reference belongs to."""

    leaf_index: int
    party: str
    ref: str


class CheckpointRow(NamedTuple):
    """A signed checkpoint as it was committed; numbers are gapless, sizes rise."""

    number: int
    size: int
    note: bytes


@dataclass(frozen=True, slots=True)
class Group:
    """What is committed together with its entries."""

    tree_hashes: Sequence[TreeHash]
    references: Sequence[ReferenceRow]
    checkpoint: CheckpointRow


class Sidecar(Protocol):
    """Named bytes beside the log, each replaced as a whole; no entry depends on them."""

    def read(self, name: str, size_max: int) -> bytes | None:
        """Return what is kept under a name, at most one byte more than `size_max`; None if there is nothing.

        Raises:
            OSError, PersistenceError: it can't be read.
        """

    def write(self, name: str, data: bytes) -> None:
        """Keep bytes under a name, instead of what was there; durable when it returns. Only within `exclusive_lock`.

        Raises:
            OSError, PersistenceError: nothing was changed.
        """

    def exclusive_lock(self) -> AbstractContextManager[None]:
        """Keep others who write beside this log out for a while.

        Raises:
            LedgerBusyError: one is at work.
        """


class ReadStore(Protocol):
    """What every log gives back, an export too: entries, tree, checkpoint and references."""

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the bytes of entries start … stop − 1, as far as they are there."""

    def tree_hashes(self, level: int, start: int, stop: int) -> list[bytes]:
        """Return hashes start … stop − 1 of a tile level, as far as they are there."""

    def newest_checkpoint(self) -> CheckpointRow | None:
        """Return the checkpoint with the highest number."""

    def find_references(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """Return the entry index of each (party, ref) that was used."""

    def close(self) -> None:
        """Let go of everything, the right to write among it."""


class LogStore(ReadStore, Protocol):
    """The contract of a ledger's store; tests/contracts runs one suite over all of them.

    `insert_events` is atomic and durable when it returns; it raises the library's `IntegrityError` when an index, a
    checkpoint or a reference is taken, and then keeps nothing. Nothing kept is ever changed or deleted. What fails to
    reach the store raises one of the library's `PersistenceError`.

    Attributes:
        sidecar: what lies beside the log.
    """

    @property
    def sidecar(self) -> Sidecar:
        """What lies beside the log."""

    def acquire(self) -> None:
        """Acquire the writer lock, with no earlier commit under way: what is read from now on stays.

        Called before the tail is believed: when a ledger is opened, and after a commit failed.

        Raises:
            LedgerBusyError: another writer has the log.
            PersistenceError: the store can't be reached.
        """

    def wait_replicated(self) -> None:
        """Wait until what was read stays, whatever fails next.

        A writer calls it before an answer that no commit stands behind, a refusal or an entry recorded before: no other
        writer acquired the lock meanwhile. A reader calls it before it hands on a checkpoint or a proof: no failover
        loses the newest checkpoint that it was given.

        Raises:
            PersistenceError: it may not stay, or the store can't be reached.
        """

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: object) -> Sequence[int] | None:
        """Keep the entries and, from `kwargs["group"]`, their `Group`."""

    def entry_count(self) -> int:
        """Return the highest index + 1."""

    def checkpoints(self, start: int) -> Iterator[CheckpointRow]:
        """Yield the checkpoints from number `start` on, in order."""


def bytes_in(value: object) -> bytes:
    """Return a cell that must be bytes; a store's types may have been changed.

    Raises:
        DatabaseError: it is something else.
    """
    if not isinstance(value, bytes):
        raise DatabaseError("it is damaged: what should be bytes isn't stored as such")
    return value


def all_bytes(values: list[object]) -> list[bytes]:
    """Return cells that must all be bytes; raises as `bytes_in`."""
    if not {*map(type, values)} <= {bytes}:
        return list(map(bytes_in, values))
    return cast("list[bytes]", values)


def number_in(value: object) -> int:
    """Return a cell that must be a whole number.

    Raises:
        DatabaseError: it is something else.
    """
    if type(value) is not int:
        raise DatabaseError("it is damaged: what should be a whole number isn't stored as such")
    return value


def row_in(row: Iterable[object]) -> CheckpointRow:
    """Return a row of checkpoints.

    Raises:
        DatabaseError: it isn't of two numbers and bytes.
    """
    number, size, note = row
    return CheckpointRow(number_in(number), number_in(size), bytes_in(note))


def tile_reader(store: ReadStore) -> ReadTile:
    """Return what reads a store's tree as tiles: the first hashes of one, joined."""

    def read_tile(level: int, n: int, width: int) -> bytes:
        return b"".join(store.tree_hashes(level, n * TILE_WIDTH, n * TILE_WIDTH + width))

    return read_tile
