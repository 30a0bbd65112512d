"""A witness's answer follows from the request, the logs that it knows and the tree that it cosigned last. Pure.

C2SP tlog-witness (v1.0.0), in this order:

    400  the request, or the note in it, isn't in its canonical encoding
    404  the witness wasn't told of a log with this origin
    403  no signature by a key of that log, or a line by one that isn't its signature
    400  the signed text isn't a checkpoint, or the old size is beyond its size
    409  the old size isn't that of the tree cosigned last; the answer says which it is
    422  not the empty tree's root at size 0; a proof from size 0; another root of the same size; a proof that fails
    200  one cosignature line, once the new tree is kept

A log that is refused with 422 and `history_rewritten`, for a proof that is right in itself, has signed two histories.
"""

from dataclasses import dataclass
from typing import Final

from tallystick.errors import CheckpointMalformedError, MalformedError, ProofInvalidError, VerificationError
from tallystick.signing.note import Note, open_note
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.transparency.merkle import EMPTY_ROOT
from tallystick.transparency.policy import Policy
from tallystick.transparency.proofs import verify_consistency
from tallystick.witness.request import AddCheckpoint

TEXT: Final = "text/plain; charset=utf-8"
SIZE_TEXT: Final = "text/x.tlog.size"

COSIGNED: Final = 200
MALFORMED: Final = 400
NOT_SIGNED: Final = 403
UNKNOWN_LOG: Final = 404
OTHER_SIZE: Final = 409
NOT_AN_EXTENSION: Final = 422


@dataclass(frozen=True, slots=True)
class WitnessAnswer:
    """A status of HTTP, and the body that goes with it."""

    status: int
    body: bytes
    content_type: str = TEXT

    @property
    def text(self) -> str:
        """The body as a person may see it, without its newline."""
        return self.body.decode(errors="replace").rstrip("\n")


@dataclass(frozen=True, slots=True)
class CosignedTree:
    """The tree that a witness cosigned last for a log: size, root (32 bytes), when (POSIX s), and the cosigned note."""

    size: int
    root: bytes
    at_posix_s: int
    note: bytes


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request whose checkpoint its log has signed; `note` has the log's own lines and no others."""

    old_size: int
    proof: tuple[bytes, ...]
    checkpoint: Checkpoint
    note: bytes


def open_request(body: bytes, logs: Policy) -> SignedRequest | WitnessAnswer:
    """Return the request of a body if one of the logs signed its checkpoint, or why not."""
    try:
        request = AddCheckpoint.from_bytes(body)
    except MalformedError as error:
        return _refused(MALFORMED, str(error))
    origin = _origin(request.checkpoint_note)
    keys = [line.vkey for line in logs.logs if line.vkey.name == origin]
    if not keys:
        return _refused(UNKNOWN_LOG, f"this witness knows no log {origin!a:.300}")
    try:
        opened, signers = open_note(request.checkpoint_note, keys)
    except VerificationError as error:
        return _refused(NOT_SIGNED, str(error))
    try:
        checkpoint = Checkpoint.from_text(opened.text)
    except CheckpointMalformedError as error:
        return _refused(MALFORMED, str(error))
    if request.old_size > checkpoint.size:
        return _refused(MALFORMED, f"the old size {request.old_size} is beyond the checkpoint's, {checkpoint.size}")
    own = {(signer.name, signer.key_id) for signer in signers}
    lines = tuple([line for line in opened.signatures if (line.name, line.key_id) in own])
    return SignedRequest(request.old_size, request.proof, checkpoint, Note(opened.text, lines).to_bytes())


def refuse(request: SignedRequest, latest: CosignedTree | None) -> WitnessAnswer | None:
    """Return why the checkpoint must not be cosigned after the latest one, or None if it may be."""
    latest_size = 0 if latest is None else latest.size
    if request.old_size != latest_size:
        return WitnessAnswer(OTHER_SIZE, b"%d\n" % latest_size, SIZE_TEXT)
    new = request.checkpoint
    if new.size == 0 and new.root != EMPTY_ROOT:
        return _refused(NOT_AN_EXTENSION, "a tree of no leaves has the root SHA-256 gives for nothing, and no other")
    if latest is None or latest_size == 0:
        # Every tree begins with none; the first one seen is taken on the log's word.
        return _refused(NOT_AN_EXTENSION, "from size 0 there is nothing to prove") if request.proof else None
    if new.size == latest_size and new.root != latest.root:
        return _refused(
            NOT_AN_EXTENSION,
            f"history_rewritten: the log signed two trees of {new.size} leaves, with the roots {latest.root.hex()} "
            f"and {new.root.hex()}",
        )
    try:
        verify_consistency(latest_size, new.size, request.proof, latest.root, new.root)
    except ProofInvalidError as error:
        if new.size == latest_size:
            return _refused(NOT_AN_EXTENSION, str(error))
        return _refused(
            NOT_AN_EXTENSION,
            f"{error}; if the proof is right for this tree, this is history_rewritten: the tree of {latest_size} "
            f"leaves cosigned before has the root {latest.root.hex()}",
        )
    return None


def _origin(note: bytes) -> str:
    """Return the first line of a note's text, which is UTF-8."""
    return Note.from_bytes(note).text.partition(b"\n")[0].decode()


def _refused(status: int, reason: str) -> WitnessAnswer:
    return WitnessAnswer(status, f"{reason}\n".encode())
