"""The newest checkpoint that was seen of a log: whatever the log shows later must be proved to go on from it.

A checkpoint that the log signed is taken in like this:

    the same tree             nothing to prove
    a larger one              proved to begin with the kept one, then kept in its place
    a smaller one             proved to be what the kept one begins with; of a receipt that is enough, since witnesses
                              may have cosigned an older tree. As the log's newest it is refused
    one that can't be proved  if the tiles lead from another root of that size to the signed one, history was
                              rewritten: the two notes are the evidence, and are kept. Else the tiles are damaged, and
                              it isn't judged

Tiles come from the same server. They are believed as far as they lead to a root that the log signed.
In a file, the checkpoint outlives the process: it is written whole and durably before anything is returned.
"""

from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from tallystick.client.tiles import ServedTiles
from tallystick.durable_files import whole_file
from tallystick.errors import (
    AnswerMalformedError,
    HistoryRewrittenError,
    MalformedError,
    ProblemError,
    ProofInvalidError,
    UnreachableError,
    UsageError,
    VerificationError,
)
from tallystick.signing.note import NOTE_SIZE_MAX
from tallystick.static.files import FolderFiles
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.transparency.merkle import EMPTY_ROOT, RightEdge
from tallystick.transparency.policy import Policy
from tallystick.transparency.proofs import consistency_proof, verify_consistency

CONTRADICTION_SUFFIX: Final = ".contradicted-by"
"""What is added to the file's name for the other checkpoint, if history was rewritten."""


class SignedCheckpoint(NamedTuple):
    """A checkpoint and the note that it was read from, which the log's key has signed."""

    checkpoint: Checkpoint
    note: bytes


class NewestCheckpoint:
    """The newest checkpoint of one log, in memory and, if there is a path, in a file.

    Attributes:
        signed: the newest; None before there is one.
    """

    def __init__(self, policy: Policy, origin: str, path: Path | None) -> None:
        """Read what was kept.

        Args:
            policy: names the log's keys; its witnesses aren't asked for here.
            origin: the log's.
            path: of the file; it needn't be there yet.

        Raises:
            UsageError: the file holds something else.
            OSError: it can't be read.
        """
        self._policy = policy
        self._origin = origin
        self._path = path
        self.signed = None if path is None else self._read(path)

    def open(self, note: bytes) -> Checkpoint:
        """Return the checkpoint of a note that this log's key has signed.

        Raises:
            MalformedError, VerificationError: it isn't one.
        """
        checkpoint = self._policy.open_checkpoint(note)
        if checkpoint.origin != self._origin:
            raise ProofInvalidError(f"it is a checkpoint of {checkpoint.origin!a}, and not of {self._origin!a}")
        return checkpoint

    def take(
        self, note: bytes, tiles: ServedTiles, *, is_newest: bool = False, beginning: tuple[int, bytes] | None = None
    ) -> Checkpoint:
        """Return the checkpoint of a note, which was proved to be of the same history as the kept one.

        Args:
            note: signed by the log.
            tiles: of the same server.
            is_newest: the server says that there is no newer one.
            beginning: size and root of a tree that the checkpoint's was proved to begin with; it may save asking.

        Raises:
            MalformedError, VerificationError: it isn't a checkpoint of this log.
            HistoryRewrittenError: it contradicts the kept one.
            UnreachableError: it is smaller than the kept one, and is said to be the newest.
            ServerError: it can't be proved; that says nothing about the log.
            OSError: it can't be kept.
        """
        checkpoint = self.open(note)
        kept = self.signed
        if kept is None:
            self._keep(SignedCheckpoint(checkpoint, note))
            return checkpoint
        if is_newest and checkpoint.size < kept.checkpoint.size:
            self._refuse_smaller(checkpoint, note, tiles)
        smaller, larger = sorted((kept.checkpoint, checkpoint), key=lambda one: one.size)
        if smaller is not kept.checkpoint or beginning != (smaller.size, smaller.root):
            self._prove(smaller, larger, note, tiles)
        if checkpoint.size > kept.checkpoint.size:
            self._keep(SignedCheckpoint(checkpoint, note))
        return checkpoint

    def _refuse_smaller(self, checkpoint: Checkpoint, note: bytes, tiles: ServedTiles) -> None:
        """Refuse a newest tree that is smaller than the kept one; the kept one's tiles may tell more.

        Raises:
            HistoryRewrittenError: it contradicts the kept one.
            UnreachableError: it doesn't, or that can't be told.
        """
        assert self.signed is not None
        kept = self.signed.checkpoint
        with suppress(AnswerMalformedError, ProblemError):
            self._prove(checkpoint, kept, note, tiles, is_patient=False)
        raise UnreachableError(
            f"{tiles.name} has {checkpoint.size:,} entries, and had {kept.size:,} before: it is a server that lags "
            "behind, or the log was cut back; ask again, and if that goes on, tell an auditor"
        )

    def _prove(
        self, smaller: Checkpoint, larger: Checkpoint, note: bytes, tiles: ServedTiles, *, is_patient: bool = True
    ) -> None:
        """Return if the larger tree begins with the smaller one.

        Raises:
            HistoryRewrittenError: it begins with another.
            ServerError: that can't be told.
        """
        if smaller.size in (larger.size, 0):
            if smaller.root != (larger.root if smaller.size else EMPTY_ROOT):
                self._contradicted(note)
            return
        read_tile = tiles.of_tree(larger.size, is_patient=is_patient)
        proof = consistency_proof(smaller.size, larger.size, read_tile)
        try:
            verify_consistency(smaller.size, larger.size, proof, smaller.root, larger.root)
        except ProofInvalidError:
            tiles.forget()
            try:
                other_root = RightEdge.from_tiles(smaller.size, read_tile).root()
                verify_consistency(smaller.size, larger.size, proof, other_root, larger.root)
            except ProofInvalidError as error:
                tiles.forget()
                raise AnswerMalformedError(
                    f"{tiles.name}: its tiles don't give its own checkpoint of {larger.size:,} entries ({error}); "
                    "nothing is said about the log: ask again, or audit it"
                ) from None
            self._contradicted(note)

    def _contradicted(self, note: bytes) -> None:
        """Keep the evidence.

        Raises:
            HistoryRewrittenError: always.
        """
        assert self.signed is not None
        kept, other = self.signed.checkpoint, self.open(note)
        where = ""
        if self._path is not None:
            place = self._path.with_name(self._path.name + CONTRADICTION_SUFFIX)
            with whole_file(place) as file:
                file.write(note)
            where = f"; both are kept, in {self._path} and {place}"
        raise HistoryRewrittenError(
            f"history_rewritten: {self._origin} signed a tree of {kept.size:,} entries with root "
            f"{kept.root.hex()[:16]}… and one of {other.size:,} with root {other.root.hex()[:16]}…, and no proof joins "
            f"them{where}: give both to an auditor, and send nothing more",
            self.signed.note,
            note,
        )

    def _keep(self, signed: SignedCheckpoint) -> None:
        if self._path is not None:
            # Another process may have kept a larger one meanwhile. If both write at once, the smaller may stay: that
            # loses evidence of a moment, and never makes a false one.
            there = self._read(self._path)
            if there is None or there.checkpoint.size < signed.checkpoint.size:
                with whole_file(self._path) as file:
                    file.write(signed.note)
        self.signed = signed

    def _read(self, path: Path) -> SignedCheckpoint | None:
        note = FolderFiles(path.parent).read(path.name, NOTE_SIZE_MAX)
        if note is None:
            return None
        try:
            return SignedCheckpoint(self.open(note), note)
        except (MalformedError, VerificationError) as error:
            raise UsageError(
                f"{path} holds no checkpoint of {self._origin} by a key of the trust policy ({error}): give the file "
                "that was kept of this log, or another name"
            ) from None
