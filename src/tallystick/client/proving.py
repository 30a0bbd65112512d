"""What a service says of entries is proved up to a tree that the log signed and that goes on from the newest seen.

    a receipt        its entry, the log's signature, the way from the one to the other, and the history that it goes on
                     from; of a note that was sent, that its entry holds this note
    an entry alone   the same, by a proof that is made here from the log's tiles: it becomes a receipt

What an entry says is judged by nothing here: an audit does that.
"""

import functools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from tallystick.client.answers import Recorded
from tallystick.client.connection import Connections
from tallystick.client.endpoint import Question
from tallystick.client.newest import NewestCheckpoint, SignedCheckpoint
from tallystick.client.tiles import ServedTiles
from tallystick.errors import (
    AnswerMalformedError,
    EntryMalformedError,
    MalformedError,
    ProofInvalidError,
    SignatureMissingError,
    UnreachableError,
    UntrustedServerError,
    VerificationError,
)
from tallystick.signing.note import NOTE_SIZE_MAX
from tallystick.sources import CHECKPOINT
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.transparency.merkle import leaf_hash
from tallystick.transparency.policy import Policy
from tallystick.transparency.proofs import inclusion_proof, root_before, verify_inclusion
from tallystick.transparency.receipt import Receipt, verify_receipt
from tallystick.vouchers.entry import Header, split_entry

WAIT_SECONDS: Final = 10


class Proving:
    """Entries, receipts and checkpoints of one log, each proved before it is returned.

    Attributes:
        newest: the newest checkpoint that was seen.
    """

    def __init__(self, connections: Connections, policy: Policy, origin: str, path: Path | None) -> None:
        """Take the keys of one log; nothing is asked yet.

        Args:
            connections: to the log's servers.
            policy: whom to trust.
            origin: the log's, which the policy names.
            path: where the newest checkpoint is kept, if anywhere.

        Raises:
            UsageError, OSError: what is there is no checkpoint of this log, or can't be read.
        """
        self._connections = connections
        self._policy = policy
        self._by_log = policy.without_witnesses(origin)
        self._tiles = ServedTiles(connections)
        self._witnessed = b"", False
        self.newest: Final = NewestCheckpoint(self._by_log, origin, path)

    def recorded(self, note: bytes, data: bytes, *, is_new: bool) -> Recorded:
        """Return what a receipt proves of a note that was sent.

        Raises:
            AnswerMalformedError: it is no receipt with an entry.
            VerificationError: it proves something else, or nothing.
            UntrustedServerError: it is another log's.
            ServerError, OSError: its tree can't be joined to the newest one, or kept.
        """
        receipt = self._read(data)
        return self.recorded_in(note, receipt, self._taken(receipt), is_new=is_new)

    def recorded_in(self, note: bytes, receipt: Receipt, checkpoint: Checkpoint, *, is_new: bool) -> Recorded:
        """Return a note that was sent as recorded, by a receipt that was verified.

        Raises:
            ProofInvalidError: it is of another note.
        """
        _check_note(receipt, note, is_new=is_new)
        return Recorded(receipt.index, is_new, receipt, checkpoint, self._is_witnessed(receipt.checkpoint_note))

    def receipt(self, index: int, data: bytes) -> Receipt:
        """Return the receipt of an entry, whose checkpoint fulfils the whole policy; raises what `recorded` does."""
        receipt = self._read(data)
        if receipt.index != index:
            raise ProofInvalidError(
                f"{self._where}: the receipt is of entry {receipt.index}, and {index} was asked for"
            )
        self._taken(receipt)
        self._policy.open_checkpoint(receipt.checkpoint_note)
        return receipt

    def receipts_of(self, entries: Iterable[tuple[int, bytes]]) -> Iterator[tuple[Receipt, Checkpoint]]:
        """Yield the receipts of entries by their indexes, made from the log's tiles, and the tree that has them.

        Raises:
            VerificationError: an entry isn't in the log, or calls itself another.
            ServerError, OSError: as in `recorded`.
        """
        given = list(entries)
        if not given:
            return
        signed = self.covering(max(index for index, _ in given) + 1)
        size = signed.checkpoint.size
        read_tile = functools.cache(self._tiles.of_tree(size))
        for index, data in given:
            proof = tuple(inclusion_proof(index, size, read_tile))
            try:
                verify_inclusion(index, size, leaf_hash(data), proof, signed.checkpoint.root)
            except ProofInvalidError as error:
                self._tiles.forget()
                raise ProofInvalidError(
                    f"{self._where}: entry {index} as it is served is not in the log's tree: {error}"
                ) from None
            receipt = Receipt(index, proof, signed.note, data)
            _check_index(receipt)
            yield receipt, signed.checkpoint

    def covering(self, size: int) -> SignedCheckpoint:
        """Return the newest checkpoint, which has at least so many entries.

        Raises:
            UnreachableError: the service shows none in time.
        """
        kept = self.newest.signed
        if kept is not None and kept.checkpoint.size >= size:
            return kept
        signed = self.refreshed()
        if signed.checkpoint.size < size:
            signed = self.refreshed(beyond=size - 1, wait_seconds=WAIT_SECONDS)
        if signed.checkpoint.size < size:
            raise UnreachableError(
                f"{self._where} shows a tree of {signed.checkpoint.size:,} entries, and not of {size:,}: ask again"
            )
        return signed

    def refreshed(self, *, beyond: int | None = None, wait_seconds: int = 0) -> SignedCheckpoint:
        """Return the log's newest checkpoint.

        Args:
            beyond: wait for a tree of more entries.
            wait_seconds: for so long.

        Raises:
            UntrustedServerError, VerificationError, ServerError, OSError: as in `recorded`.
        """
        query = "" if beyond is None else f"?wait={wait_seconds}&beyond={beyond}"
        question = Question(f"{CHECKPOINT}{query}", NOTE_SIZE_MAX, wait_seconds=wait_seconds)
        for last in range(len(self._connections.urls) - 1, -1, -1):
            note = self._connections.ask(question).body
            try:
                with self._said():
                    self.newest.take(note, self._tiles, is_newest=True)
                break
            except UnreachableError:  # it lags behind; another may not
                if not last:
                    raise
                self._connections.turn_away()
        assert self.newest.signed is not None
        return self.newest.signed

    @property
    def _where(self) -> str:
        return self._connections.current

    def _read(self, data: bytes) -> Receipt:
        try:
            receipt = Receipt.from_bytes(data)
        except MalformedError as error:
            raise AnswerMalformedError(f"{self._where}: the answer is no receipt: {error}") from None
        if receipt.entry is None:
            raise AnswerMalformedError(f"{self._where}: the receipt carries no entry")
        return receipt

    def _taken(self, receipt: Receipt) -> Checkpoint:
        assert receipt.entry is not None
        with self._said():
            checkpoint = verify_receipt(receipt, receipt.entry, self._by_log)
            beginning = receipt.index, root_before(receipt.index, checkpoint.size, receipt.proof)
            self.newest.take(receipt.checkpoint_note, self._tiles, beginning=beginning)
        _check_index(receipt)
        return checkpoint

    def _is_witnessed(self, note: bytes) -> bool:
        if self._witnessed[0] != note:  # the receipts of a batch have one checkpoint
            try:
                self._policy.open_checkpoint(note)
                self._witnessed = note, True
            except VerificationError:
                self._witnessed = note, False
        return self._witnessed[1]

    def _said(self) -> "_Said":
        return _Said(self._where)


class _Said:
    """Turns what is wrong with a checkpoint into what a person has to do; which server it was is said too."""

    def __init__(self, where: str) -> None:
        self._where = where

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, SignatureMissingError):
            raise UntrustedServerError(
                f"{self._where} serves another log than the trust policy names ({error}): see that the URL and the "
                "policy belong together, and that the policy is the newest; if so, the log was replaced: tell an "
                "auditor"
            ) from None
        if isinstance(error, MalformedError):
            raise AnswerMalformedError(f"{self._where}: the answer has no checkpoint: {error}") from None
        if isinstance(error, ProofInvalidError):
            raise ProofInvalidError(f"{self._where}: the answer proves nothing: {error}") from None


def _check_index(receipt: Receipt) -> None:
    """Refuse an entry that calls itself another than its place in the log says.

    Raises:
        ProofInvalidError: it does, or is no entry.
    """
    assert receipt.entry is not None
    try:
        index = Header.from_bytes(split_entry(receipt.entry)[0]).index
    except EntryMalformedError as error:
        raise ProofInvalidError(f"what is at {receipt.index} in the log is no entry: {error}") from None
    if index != receipt.index:
        raise ProofInvalidError(f"the entry calls itself {index}, and its place in the log is {receipt.index}")


def _check_note(receipt: Receipt, note: bytes, *, is_new: bool) -> None:
    """Refuse the receipt of another note: a new entry holds these very bytes, an earlier one this text.

    Raises:
        ProofInvalidError: it is of another.
    """
    assert receipt.entry is not None
    there = split_entry(receipt.entry)[1]
    if there != note and (is_new or _text(there) != _text(note)):
        raise ProofInvalidError(
            f"the receipt is of another note, which is entry {receipt.index}: nothing proves that yours was recorded"
        )


def _text(note: bytes) -> bytes:
    return note[: note.rfind(b"\n\n") + 1]
