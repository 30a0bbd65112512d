"""A log asks a witness for its cosignature, and believes only what verifies: a line by a key of the trust policy.

    old 0 ─► 409 and the size that the witness has ─► the proof from there ─► 200 and lines ─► verified

Every proof holds before it is sent: from the tree of that size, as the log has it now, to the checkpoint. So a witness
that refuses it knows another tree of that size. It shows which: the checkpoint that it serves is signed by the log's
own key, and is the evidence of `history_rewritten`.

A server is asked again when it fails, and given up after a few attempts (tallystick.static.web).
"""

from collections.abc import Callable
from typing import Final, NamedTuple, NoReturn

from tallystick.errors import (
    LedgerError,
    MalformedError,
    ProofInvalidError,
    SignatureMissingError,
    VerificationError,
)
from tallystick.signing.note import NOTE_SIZE_MAX, Note, Signature, open_note
from tallystick.static.web import HttpAnswer, WebFiles
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.transparency.cosignature import verify_cosignature
from tallystick.transparency.encoding import decimal_from_text
from tallystick.transparency.policy import Policy
from tallystick.witness.cosigner import origin_hash
from tallystick.witness.deciding import COSIGNED, NOT_AN_EXTENSION, OTHER_SIZE, SIZE_TEXT
from tallystick.witness.request import AddCheckpoint

_ATTEMPTS: Final = 6
"""Each after the first because another request got a checkpoint cosigned in between."""


class OldTree(NamedTuple):
    """The root of a log's earlier tree, and the proof that its tree of now began with it."""

    root: bytes
    proof: tuple[bytes, ...]


Prove = Callable[[int], OldTree]
"""Takes a size above 0 and up to the checkpoint's."""


class SignedCheckpoint(NamedTuple):
    """A checkpoint that its log has signed; `note` has those lines and no others."""

    checkpoint: Checkpoint
    note: bytes

    @classmethod
    def from_note(cls, note: bytes, policy: Policy) -> "SignedCheckpoint":
        """Return the checkpoint of a note that a listed log, named by its origin, has signed; witnesses don't matter.

        Raises:
            MalformedError: not a checkpoint's note.
            SignatureInvalidError, SignatureMissingError: no good signature by that log.
        """
        origin = Note.from_bytes(note).text.partition(b"\n")[0].decode()
        keys = [line.vkey for line in policy.logs if line.vkey.name == origin]
        if not keys:
            raise SignatureMissingError(f"the trust policy lists no log {origin!a}")
        opened, signers = open_note(note, keys)
        own = {(signer.name, signer.key_id) for signer in signers}
        lines = tuple([line for line in opened.signatures if (line.name, line.key_id) in own])
        return cls(Checkpoint.from_text(opened.text), Note(opened.text, lines).to_bytes())


def ask_witness(web: WebFiles, signed: SignedCheckpoint, policy: Policy, prove: Prove) -> tuple[Signature, ...]:
    """Return the verified cosignatures, one at least, by witnesses of the policy.

    Args:
        web: the witness's URL (its submission prefix, which is its monitoring prefix as well).
        signed: what is to be cosigned.
        policy: whose lines count.
        prove: gives proofs that hold.

    Raises:
        LedgerError: no usable answer.
        ProofInvalidError: the witness cosigned another tree, or a larger one: history_rewritten, or an older copy.
        VerificationError: no line by a witness of the policy, or one that isn't its cosignature.
    """
    return read_lines(advance(web, signed, policy, prove).data, signed, policy, web.name)


def advance(web: WebFiles, signed: SignedCheckpoint, policy: Policy, prove: Prove) -> HttpAnswer:
    """Have a witness, or a mirror, go on to a checkpoint, and return its answer of status 200; as `ask_witness`.

    Raises:
        LedgerError: no usable answer.
        ProofInvalidError: it knows another tree, or a larger one: history_rewritten, or an older copy.
    """
    size = signed.checkpoint.size
    old_size = 0
    for _ in range(_ATTEMPTS):
        old = prove(old_size) if old_size else OldTree(b"", ())
        body = AddCheckpoint(old_size, old.proof, signed.note).to_bytes()
        answer = web.post("add-checkpoint", body, NOTE_SIZE_MAX)
        if answer.status == COSIGNED:
            return answer
        if answer.status == NOT_AN_EXTENSION:
            _expose(web, signed, policy, old_size, old.root)
        if answer.status != OTHER_SIZE:
            raise LedgerError(f"{web.name} answers {answer.status}: {_shown(answer)}")
        old_size = _size(answer, web.name)
        if old_size > size:
            raise ProofInvalidError(
                f"{web.name} has cosigned a tree of {old_size:,} entries, and this one has {size:,}: it is an older "
                "copy, or the log was cut back, which is history_rewritten"
            )
    raise LedgerError(f"{web.name} names another size each time: many ask it at once; try again")


def read_lines(data: bytes, signed: SignedCheckpoint, policy: Policy, source: str) -> tuple[Signature, ...]:
    """Return the verified cosignatures among signature lines, one at least; lines by unknown keys are passed over.

    Args:
        data: signature lines, each with its newline.
        signed: what they should cosign.
        policy: whose lines count.
        source: where they come from, for messages.

    Raises:
        LedgerError: not signature lines.
        SignatureInvalidError: a line by a witness of the policy that isn't its cosignature.
        SignatureMissingError: no line by a witness of the policy.
    """
    text = signed.checkpoint.to_text()
    try:
        note = Note.from_bytes(text + b"\n" + data)
    except MalformedError as error:
        raise LedgerError(f"{source} gives no signature lines: {error}") from None
    if note.text != text:
        raise LedgerError(f"{source} gives no signature lines, but a note")
    lines = note.signatures
    known = {(line.vkey.name, line.vkey.key_id): line.vkey for line in policy.witnesses}
    good = [line for line in lines if (line.name, line.key_id) in known]
    for line in good:
        verify_cosignature(text, line, known[line.name, line.key_id])
    if not good:
        raise SignatureMissingError(
            f"{source} signs as {lines[0].label}, which is no witness of the trust policy; "
            "if you trust it, add its `witness` line there"
        )
    return tuple(good)


def _expose(web: WebFiles, signed: SignedCheckpoint, policy: Policy, old_size: int, old_root: bytes) -> NoReturn:
    """Raise what a refused proof, which holds, comes to.

    Raises:
        ProofInvalidError: always; with the evidence, if the witness shows it.
    """
    origin = signed.checkpoint.origin
    path = f"{origin_hash(origin)}/checkpoint"
    shown = web.read(path, NOTE_SIZE_MAX)
    try:
        seen = None if shown is None else SignedCheckpoint.from_note(shown, policy).checkpoint
    except (MalformedError, VerificationError):
        seen = None
    if seen is None or seen.size != old_size or seen.root == old_root or seen.origin != origin:
        raise ProofInvalidError(
            f"{web.name} says history_rewritten: it refuses this tree of {signed.checkpoint.size:,} entries, and shows "
            f"no checkpoint of {old_size:,} that would prove it"
        )
    raise ProofInvalidError(
        f"history_rewritten: the log signed a tree of {old_size:,} entries with the root {seen.root.hex()}, and the "
        f"first {old_size:,} entries now have the root {old_root.hex()}; keep {web.name}/{path}, which is evidence"
    )


def _size(answer: HttpAnswer, name: str) -> int:
    """Return the size that a 409 states.

    Raises:
        LedgerError: it states none.
    """
    try:
        if not answer.data.endswith(b"\n"):
            raise ValueError
        return decimal_from_text(answer.data[:-1])
    except ValueError:
        raise LedgerError(f"{name} answers {OTHER_SIZE} and no size ({SIZE_TEXT})") from None


def _shown(answer: HttpAnswer) -> str:
    return ascii(answer.data[:200].decode("latin-1").rstrip("\n"))
