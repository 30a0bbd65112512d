"""A log as it stood when it was opened, read by anybody, also while it is being written; it verifies nothing.

What is believed here is what is written: who signed it, and whether it was decided rightly, is for the audit. Only what
is handed on as a proof is checked against the log's own tree first.
"""

import functools
import sqlite3
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from tallystick.errors import MalformedError, NotALedgerError, NotFoundError, StoreFailedError
from tallystick.ledger.library import PersistenceError
from tallystick.ledger.sidecar import COSIGNED
from tallystick.ledger.sqlite import open_read_only, require
from tallystick.ledger.store import tile_reader
from tallystick.ledger.tail import Cosigned, check_cosigned_checkpoint, replay
from tallystick.progress import Progress
from tallystick.publishing.static_store import AnyStore, StaticStore
from tallystick.signing.note import Note
from tallystick.sources import (
    DATABASE,
    AnySource,
    LedgerDatabase,
    LedgerFolder,
    Source,
    StaticFolder,
    StaticUrl,
    parse_source,
)
from tallystick.static.files import CHECKPOINT_SIZE_MAX, open_files
from tallystick.static.log import StaticLog
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.transparency.merging import merge_notes
from tallystick.transparency.merkle import RightEdge, leaf_hash
from tallystick.transparency.proofs import inclusion_proof, verify_inclusion
from tallystick.transparency.receipt import Receipt
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.rules.network import NetworkFound
from tallystick.vouchers.state import State


def read_ledger(source: AnySource) -> "Reader":
    """Open a log for reading, also while it is being written.

    Args:
        source: a ledger folder, the URL of a PostgreSQL ledger, an exported folder, or the URL of one.

    Raises:
        NotALedgerError: there is none, or it can't be read.
        UsageError: not a URL of an exported log.
        LedgerError: the server gives no usable answer.
    """
    parsed = parse_source(source)
    name = str(parsed)
    try:
        store = open_store(parsed)
        try:
            return Reader(store, name.rstrip("/") or name)
        except BaseException:
            store.close()
            raise
    except (PersistenceError, sqlite3.Error) as error:
        raise NotALedgerError(f"{name} can't be read: {error}") from None


def open_store(source: Source) -> AnyStore:
    """Return a store that can only be read, of a SOURCE as in `read_ledger`.

    Raises:
        LedgerError: there is none, or the server gives no usable answer.
        PersistenceError, sqlite3.Error: it can't be read.
    """
    match source:
        case LedgerDatabase(url):
            # Imported here: a ledger in a folder needs no psycopg, which is an extra.
            from tallystick.ledger.postgres import open_postgres  # noqa: PLC0415

            return open_postgres(url)
        case LedgerFolder(folder):
            require(folder)
            return open_read_only(folder / DATABASE)
        case StaticFolder() | StaticUrl():
            files = open_files(source)
            try:
                return StaticStore(StaticLog(files))
            except BaseException:
                files.close()
                raise


class Reader:
    """A ledger as it stood when it was opened; it believes what is written, it verifies nothing.

    Attributes:
        name: what a person calls it.
        checkpoint: the newest there was; its signatures are not verified here.
        origin: the log's.
        size: how many entries there were.
    """

    def __init__(self, store: AnyStore, name: str) -> None:
        """Fix the newest checkpoint.

        Args:
            store: what is read.
            name: what a person calls it.

        Raises:
            NotALedgerError: there is no readable checkpoint.
        """
        self.name: Final = name
        self._store = store
        self._ledger: Final = None if isinstance(store, StaticStore) else store  # what more it can say
        self._is_replicated = False
        # Read before the store: then it can't be of a larger tree, unless the log was cut back.
        self._cosigned_note = (
            self._ledger.sidecar.read(COSIGNED, CHECKPOINT_SIZE_MAX) if self._ledger is not None else None
        )
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

    @property
    def note_bytes(self) -> tuple[bytes, bytes | None]:
        """The signed checkpoint as the store has it, and the cosigned one beside it: the same are the same snapshot."""
        return self._note, self._cosigned_note

    def wait_replicated(self) -> None:
        """See that this log stays as it is shown here; called before anything is handed on that others hold it to.

        Raises:
            StoreFailedError: a failover may lose it.
        """
        if self._ledger is None or self._is_replicated:  # nothing is exported that doesn't stay
            return
        try:
            self._ledger.wait_replicated()
        except PersistenceError as error:
            raise StoreFailedError(
                f"{self.name} can't confirm that a failover keeps what it shows, so nothing is handed on: {error}"
            ) from None
        self._is_replicated = True

    def checkpoint_note(self) -> bytes:
        """Return the signed checkpoint, with the cosignatures that it has.

        Raises:
            NotALedgerError: the cosigned checkpoint beside the store can't be read.
            ProofInvalidError: it is not of this log's past: history_rewritten.
            StoreFailedError: a failover may lose it; nothing is handed on.
        """
        self.wait_replicated()
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

    def parsed_entry(self, index: int) -> Entry:
        """Return one entry below `size`, read.

        Raises:
            NotALedgerError: it isn't there, or can't be read.
        """
        try:
            return Entry.from_bytes(self.entry(index))
        except MalformedError as error:
            raise NotALedgerError(f"entry {index} can't be read ({error}); `tallystick audit` says more") from None

    def utc_offset_seconds(self) -> int:
        """Return the offset from UTC of the network whose log it is.

        Raises:
            NotALedgerError: its founding can't be read.
        """
        try:
            founding = Entry.from_bytes(next(self.entries(0, 1))).event.command
        except (MalformedError, StopIteration) as error:
            raise NotALedgerError(f"entry 0 can't be read ({error}); `tallystick audit` says more") from None
        if not isinstance(founding, NetworkFound):
            raise NotALedgerError("entry 0 founds no network; `tallystick audit` says more")
        return founding.utc_offset_seconds

    def find_references(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """Return the index of the entry below `size` that each (party, ref) was used in; those alone that were."""
        return {key: index for key, index in self._store.find_references(keys).items() if index < self.size}

    def read_tile(self, level: int, n: int, width: int) -> bytes:
        """Return the first hashes of a tile (tlog-tiles), joined."""
        return tile_reader(self._store)(level, n, width)

    def edge(self, size: int) -> RightEdge:
        """Return the right edge of the tree of the first `size` entries.

        Raises:
            NotALedgerError: its hashes can't be read.
        """
        try:
            return RightEdge.from_tiles(size, self.read_tile)
        except MalformedError as error:
            raise NotALedgerError(f"the log's tree is damaged ({error}); `tallystick audit` says more") from None

    def leaf_hashes(self, first: int, stop: int) -> list[bytes]:
        """Return the leaf hashes of entries first … stop − 1, as far as they are there."""
        return self._store.tree_hashes(0, first, min(stop, self.size))

    def receipt(self, index: int, size: int | None = None) -> Receipt:
        """Return the receipt of an entry, which is proved by it: only who signed the checkpoint is left to verify.

        Args:
            index: of the entry.
            size: of the tree whose checkpoint it is under, which the log signed; None for the newest cosigned one that
                has the entry, or else the newest.

        Raises:
            NotFoundError: there is no such entry, or no checkpoint of that size.
            NotALedgerError: a tile, the entry or the cosigned checkpoint can't be read.
            ProofInvalidError: entry, tree and checkpoints contradict one another.
            StoreFailedError: a failover may lose it; nothing is handed on.
        """
        if not 0 <= index < self.size:
            raise NotFoundError(f"there is no entry {index}: the log has {self.size}, counted from 0")
        self.wait_replicated()
        entry = self.entry(index)
        note, checkpoint = self._note, self.checkpoint
        if size is not None:
            note, checkpoint = self._signed_at(size)
            if index >= size:
                raise NotFoundError(f"there is no entry {index} in the tree of {size:,}")
        elif self._cosigned is not None and index < self._cosigned.checkpoint.size:
            note, checkpoint = self._cosigned  # older, perhaps; but a policy may ask for witnesses
        try:
            proof = tuple(inclusion_proof(index, checkpoint.size, self.read_tile))
        except MalformedError as error:
            raise NotALedgerError(f"{self.name}: a tile is damaged ({error}); `tallystick audit` says more") from None
        verify_inclusion(index, checkpoint.size, leaf_hash(entry), proof, checkpoint.root)
        return Receipt(index, proof, note, entry)

    def _signed_at(self, size: int) -> Cosigned:
        """Return the checkpoint of a size that the log signed, and its note."""
        for known in (self._cosigned, Cosigned(self._note, self.checkpoint)):
            if known is not None and known.checkpoint.size == size:
                return known
        found = None
        if self._ledger is not None and size < self.size:
            ledger, newest = self._ledger, self._ledger.newest_checkpoint()
            numbers = range(0 if newest is None else newest.number + 1)
            place = bisect_left(numbers, size, key=lambda number: next(ledger.checkpoints(number)).size)
            found = next(ledger.checkpoints(place), None)
        if found is None or found.size != size:
            raise NotFoundError(f"the log signed no checkpoint of {size:,} entries that is known here")
        try:
            return Cosigned(found.note, Checkpoint.from_text(Note.from_bytes(found.note).text))
        except MalformedError as error:
            raise NotALedgerError(
                f"{self.name}: the checkpoint of {size:,} entries can't be read ({error}); `tallystick audit` says more"
            ) from None

    @functools.cached_property
    def _cosigned(self) -> Cosigned | None:
        """Return the newest cosigned checkpoint, with the log's own lines too.

        Raises:
            NotALedgerError: it can't be read.
            ProofInvalidError: the log was another when it was cosigned.
        """
        try:
            cosigned = check_cosigned_checkpoint(self._store, self._cosigned_note, self.origin, self.size)
        except MalformedError as error:
            raise NotALedgerError(
                f"{self.name}: {COSIGNED} can't be used ({error}): delete it, and ask the witnesses again"
            ) from None
        return None if cosigned is None else Cosigned(merge_notes(cosigned.note, self._note), cosigned.checkpoint)

    def signed_checkpoints(
        self, limit: int, before: int | None = None, up_to: int | None = None
    ) -> list[tuple[int, bytes]]:
        """Return checkpoints that the log signed up to this one, number and note, newest first.

        An export has its newest alone, and its number isn't known there: it is 0.

        Args:
            limit: how many at most.
            before: only those with a smaller number.
            up_to: only those of at most so many entries.

        Raises:
            NotALedgerError: they can't be read.
        """
        most = self.size if up_to is None else min(up_to, self.size)
        if self._ledger is None:
            return [(0, self._note)] if before is None and self.size <= most else []
        ledger, newest = self._ledger, self._ledger.newest_checkpoint()
        numbers = range(0 if newest is None else newest.number + 1)
        stop = bisect_right(numbers, most, key=lambda number: next(ledger.checkpoints(number)).size)
        stop = stop if before is None else min(stop, before)
        first = max(0, stop - limit)
        return [(one.number, one.note) for one in islice(ledger.checkpoints(first), stop - first)][::-1]

    def state(self, size: int | None = None, progress: Progress | None = None, before: State | None = None) -> State:
        """Return the state after the first `size` entries (all, if None), replayed from the first on, or from a state.

        A saved state may lie beside the log, but nothing here says which key is the log's.

        Args:
            size: of the log then.
            progress: told of entries.
            before: an earlier state, which is brought on; it is believed.

        Raises:
            NotALedgerError: an entry can't be read.
        """
        size = self.size if size is None else min(size, self.size)
        return replay(self._store, before or State.empty(self.origin), size, progress)

    def close(self) -> None:
        """Let go of the store."""
        self._store.close()

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
