"""A cosignature says that, at a time, a witness knew of no larger tree of this log, and that it grew from those before.

C2SP tlog-cosignature (v1.0.1), Ed25519, key type 0x04. A line of the checkpoint's note, whose signature is

    <POSIX seconds, 8 bytes big-endian> <Ed25519 signature, 64 bytes>

over these bytes, so that it can't be passed off as a signature of a note:

    cosignature/v1
    time <POSIX seconds, decimal>
    <the checkpoint's text, with its extensions and last newline>

Not here: what a witness has to check before it cosigns, and how old a cosignature may be. The name of the witness
isn't among the signed bytes, so one key must never serve two witnesses (a policy refuses that).
"""

from typing import Final

from tallystick.errors import SignatureInvalidError
from tallystick.signing.keys import SigningKey, VerifierKey
from tallystick.signing.note import Note, Signature
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.transparency.encoding import SIZE_MAX

TIMESTAMP_MAX: Final = SIZE_MAX

_TIMESTAMP_SIZE: Final = 8
_SIGNATURE_SIZE: Final = 64


def cosign(checkpoint_note: bytes, witness: SigningKey, at_posix_s: int) -> bytes:
    """Return the line, with its newline, to append to the checkpoint's note; the log's signature isn't verified here.

    Raises:
        NoteMalformedError: not a note.
        CheckpointMalformedError: not a checkpoint's note.
        ValueError: a key that isn't a witness's (0x04), or a time beyond 1 to 2^63 - 1.
    """
    key = witness.verifier
    _check_key(key)
    if not 1 <= at_posix_s <= TIMESTAMP_MAX:
        raise ValueError(f"a cosignature's time is 1 to {TIMESTAMP_MAX} POSIX seconds, and not {at_posix_s}")
    text = Note.from_bytes(checkpoint_note).text
    Checkpoint.from_text(text)
    signed = witness.sign(_message(at_posix_s, text))
    return Signature(key.name, key.key_id, at_posix_s.to_bytes(_TIMESTAMP_SIZE) + signed).to_line()


def verify_cosignature(checkpoint_text: bytes, signature: Signature, witness: VerifierKey) -> int:
    """Return the time of a witness's cosignature in POSIX seconds; the text is the note's, with its last newline.

    Raises:
        SignatureInvalidError: a line of another key, or not its cosignature of this checkpoint.
        ValueError: a key that isn't a witness's (0x04).
    """
    _check_key(witness)
    if (signature.name, signature.key_id) != (witness.name, witness.key_id):
        raise SignatureInvalidError(f"a line by {signature.label} is no cosignature by {witness.label}")
    if len(signature.blob) != _TIMESTAMP_SIZE + _SIGNATURE_SIZE:
        raise SignatureInvalidError(f"the cosignature by {witness.label} is not a time and an Ed25519 signature")
    at_posix_s = int.from_bytes(signature.blob[:_TIMESTAMP_SIZE])
    if at_posix_s > TIMESTAMP_MAX:
        raise SignatureInvalidError(f"the cosignature by {witness.label} has a time beyond 2^63 - 1")
    witness.verify(signature.blob[_TIMESTAMP_SIZE:], _message(at_posix_s, checkpoint_text))
    return at_posix_s


def _message(at_posix_s: int, checkpoint_text: bytes) -> bytes:
    return b"cosignature/v1\ntime %d\n%s" % (at_posix_s, checkpoint_text)


def _check_key(key: VerifierKey) -> None:
    if key.kind.use != "cosignatures":
        raise ValueError(f"{key.label} is not a key for cosignatures")
