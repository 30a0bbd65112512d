"""What one reader sees of a log alone: its tree, which is for everybody, and the entries that it may read.

It needs no views, so it is there on a bare export, and where the views can't be made. What the views know besides is
asked of them if they are there (`in_views`).
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any, Final, NamedTuple, TypeVar

from tallystick.errors import (
    EditionUnknownError,
    EntryMalformedError,
    LedgerError,
    MalformedError,
    NotALedgerError,
    NotFoundError,
)
from tallystick.publishing.reader import Reader
from tallystick.signing.note import Note
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.transparency.merkle import RightEdge, leaf_hash
from tallystick.transparency.proofs import (
    Fold,
    consistency_proof,
    inclusion_folds,
    inclusion_proof,
    verify_consistency,
    verify_inclusion,
)
from tallystick.views.contract_lines import lines_of_contract, reversed_lines
from tallystick.views.served_views import Answering
from tallystick.vouchers.entry import Entry, Header, split_entry
from tallystick.vouchers.quantities import format_instant
from tallystick.web.rights import ReadersRights
from tallystick.web.seen import Seen
from tallystick.wire import JsonObject
from tallystick.wire.resources import rows

Found = TypeVar("Found")
AskViews = Callable[[Callable[[Any], Any]], Any]


class SeenProof(NamedTuple):
    """The way from an entry up to the root of a signed checkpoint; it was folded, and leads there.

    Attributes:
        size: of the checkpoint's tree.
        leaf: the entry's hash.
        folds: each step up.
        root: the checkpoint's.
        note: the signed checkpoint, with its cosignatures; empty of an earlier size that the log didn't sign.
    """

    size: int
    leaf: bytes
    folds: tuple[Fold, ...]
    root: bytes
    note: bytes


class SeenGrowth(NamedTuple):
    """That the tree of a size is the beginning of the newest one: both roots, and the proof, which was verified."""

    old_size: int
    old_root: bytes
    size: int
    root: bytes
    proof: tuple[bytes, ...]


class SeenLog:
    """A log's newest snapshot, or its first entries; asked in a worker thread.

    Attributes:
        size: how many entries are seen.
        log_size: how many the log has.
        reader: who reads.
        origin: the log's.
    """

    def __init__(self, log: Reader, reader: ReadersRights, ask_views: AskViews, size: int | None = None) -> None:
        """Take the snapshot, who reads it, what answers from the newest views, and how many entries are seen."""
        self._log = log
        self._ask_views = ask_views
        self.reader: Final = reader
        self.size: Final = log.size if size is None else min(size, log.size)
        self.log_size: Final = log.size
        self.origin: Final = log.origin

    @property
    def is_past(self) -> bool:
        """Whether the log has more entries than are seen."""
        return self.size < self.log_size

    @property
    def at(self) -> str:
        """The log's time of the last entry; empty if that can't be read."""
        if not self.size:
            return ""
        try:
            return format_instant(Header.from_bytes(split_entry(self._log.entry(self.size - 1))[0]).at)
        except (LedgerError, MalformedError):
            return ""

    @cached_property
    def root(self) -> bytes:
        """The tree's root: as the checkpoint has it, or of an earlier size as the tiles have.

        Raises:
            NotALedgerError: a tile is missing or damaged.
        """
        return self.root_at(self.size) if self.is_past else self._log.checkpoint.root

    @property
    def newest_root(self) -> bytes:
        """The root of the log's newest checkpoint."""
        return self._log.checkpoint.root

    @property
    def checkpoint_note(self) -> bytes:
        """The newest signed checkpoint of what is seen, with the cosignatures that are known of it.

        Raises:
            NotFoundError: none of so few entries is known.
            NotALedgerError: what lies beside the log can't be read.
            ProofInvalidError: it is of another log's past.
        """
        if not self.is_past:
            return self._log.checkpoint_note()
        found = self.signed_checkpoints(1)
        if not found:
            raise NotFoundError(f"no checkpoint of {self.size:,} entries or fewer is known here")
        return found[0][1]

    def signed_checkpoints(self, limit: int, before: int | None = None) -> list[tuple[int, bytes]]:
        """Return checkpoints that the log signed, number and note, newest first (`Reader.signed_checkpoints`)."""
        return self._log.signed_checkpoints(limit, before, self.size)

    @cached_property
    def root_of_tiles(self) -> bytes:
        """The root that the tiles lead to.

        Raises:
            MalformedError, NotALedgerError: a tile is missing or damaged.
        """
        return RightEdge.from_tiles(self.size, self._log.read_tile).root()

    def read_newest_entry(self) -> None:
        """Return if the newest entry is there to be read; an export may have hashes alone.

        Raises:
            LedgerError: it isn't.
        """
        if self.size:
            self._log.entry(self.size - 1)

    @property
    def utc_offset_seconds(self) -> int:
        """By how much the network's own time is ahead of UTC; 0 if its founding can't be read."""
        try:
            return self._log.utc_offset_seconds()
        except NotALedgerError:
            return 0

    # -- entries -------------------------------------------------------------------------------------------------------

    def entry_bytes(self, index: int) -> tuple[bytes, Entry | None]:
        """Return an entry as it lies there, and what it says; None of one that can't be read.

        Raises:
            NotFoundError: there is none, or it isn't this reader's to see.
            NotALedgerError: it isn't there to be read.
        """
        if not 0 <= index < self.size:
            raise self.reader.not_found("entry", index)
        data = self._log.entry(index)
        try:
            entry = Entry.from_bytes(data)
        except (EntryMalformedError, EditionUnknownError):
            entry = None
        if not self.reader.reads_all and (entry is None or not self.reader.may_read_entry(entry.event)):
            raise self.reader.not_found("entry", index)
        return data, entry

    def lines(self, entry: Entry) -> list[JsonObject]:
        """Return the lines of an entry that is a statement, each with what it came to.

        Raises:
            NotALedgerError: the log's founding can't be read.
        """
        index = entry.event.index
        taken_back = self._asked(lambda views: views.ask(lambda c: reversed_lines(c, [index]))) or set()
        return rows(lines_of_contract([self._log.entry(0), entry.data], taken_back, None))

    def proof(self, index: int) -> SeenProof:
        """Return the way from an entry to the root that its receipt's checkpoint signs.

        Raises:
            NotFoundError: there is none, or it isn't this reader's to see.
            LedgerError: entry, tile or checkpoint can't be read.
            ProofInvalidError: they contradict one another.
        """
        self.entry_bytes(index)
        try:
            receipt = self._log.receipt(index, self.size if self.is_past else None)
        except NotFoundError:
            return self._unsigned_proof(index)
        assert receipt.entry is not None
        leaf = leaf_hash(receipt.entry)
        checkpoint = Checkpoint.from_text(Note.from_bytes(receipt.checkpoint_note).text)
        folds = inclusion_folds(index, checkpoint.size, leaf, receipt.proof)
        return SeenProof(checkpoint.size, leaf, tuple(folds), checkpoint.root, receipt.checkpoint_note)

    def _unsigned_proof(self, index: int) -> SeenProof:
        """Return the way up to the root of an earlier size, of which the log signed no checkpoint."""
        leaf = leaf_hash(self._log.entry(index))
        try:
            proof = inclusion_proof(index, self.size, self._log.read_tile)
        except MalformedError as error:
            raise NotALedgerError(f"a tile is damaged ({error}); `tallystick audit` says more") from None
        verify_inclusion(index, self.size, leaf, proof, self.root)
        return SeenProof(self.size, leaf, tuple(inclusion_folds(index, self.size, leaf, proof)), self.root, b"")

    def root_at(self, size: int) -> bytes:
        """Return the root of the tree of a size that the log has had.

        Raises:
            NotFoundError: it never had it.
            NotALedgerError: a tile is missing or damaged.
        """
        if not 0 <= size <= self.log_size:
            raise NotFoundError(f"there is no tree of {size:,} entries: the log has {self.log_size:,}")
        try:
            return RightEdge.from_tiles(size, self._log.read_tile).root()
        except MalformedError as error:
            raise NotALedgerError(f"a tile is damaged ({error}); `tallystick audit` says more") from None

    def growth(self, old_size: int) -> SeenGrowth:
        """Return the proof that the tree of a size is the beginning of the newest one.

        Raises:
            NotFoundError: the log has never been of that size.
            NotALedgerError: a tile is missing or damaged.
            ProofInvalidError: the tiles don't lead to the checkpoint's root.
        """
        if old_size > self.size:
            raise NotFoundError(f"there is no tree of {old_size:,} entries: {self.size:,} are seen")
        if not old_size:
            raise NotFoundError("every log begins with nothing: that needs no proof")
        old_root = self.root_at(old_size)
        try:
            proof = tuple(consistency_proof(old_size, self.size, self._log.read_tile))
        except MalformedError as error:
            raise NotALedgerError(f"a tile is damaged ({error}); `tallystick audit` says more") from None
        verify_consistency(old_size, self.size, proof, old_root, self.root)
        return SeenGrowth(old_size, old_root, self.size, self.root, proof)

    # -- views ---------------------------------------------------------------------------------------------------------

    def in_views(self, question: Callable[[Seen], Found]) -> Found | None:
        """Return what the newest views answer; None if they can't be asked."""
        return self._asked(lambda answering: question(Seen(answering, self.reader)))

    def _asked(self, question: Callable[[Answering], Found]) -> Found | None:
        try:
            found: Found = self._ask_views(question)
        except LedgerError:
            return None
        return found
