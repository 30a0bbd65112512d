"""A checkpoint says how many entries a log has and which root they give; it counts once the log's key has signed it.

The text of the note is C2SP tlog-checkpoint's (v1.0.0):

    <origin>           the log's name, and the name of the key that signs
    <size>             decimal
    <root>             base64 of 32 bytes
    <extension>        any number of non-empty lines; ours write none

Opening verifies the signature over the bytes and only then reads them. Whoever signs two checkpoints that no
consistency proof joins has rewritten history, and these two notes are the evidence.

Witnesses' cosignatures are carried in the same note, and are judged by `policy`.
"""

from dataclasses import dataclass
from typing import Final, Self

from tallystick.errors import CheckpointMalformedError, SignatureMissingError
from tallystick.signing.keys import SigningKey, VerifierKey
from tallystick.signing.note import NOTE_SIZE_MAX, open_note, sign_text
from tallystick.transparency.encoding import (
    HASH_SIZE,
    SIZE_MAX,
    base64_to_text,
    decimal_from_text,
    hash_from_text,
)

ORIGIN_SIZE_MAX: Final = 255


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree of `size` leaves with its `root` (32 bytes), as the log named `origin` has it.

    Raises:
        CheckpointMalformedError: an origin or extension that isn't one non-empty line, an origin above 255 bytes, a
            size beyond 0 to 2^63 - 1, or a root that isn't 32 bytes.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for line in (self.origin, *self.extensions):
            if not line or any(character < " " or "\ud800" <= character <= "\udfff" for character in line):
                raise CheckpointMalformedError(
                    f"{line[:48]!a} is no line of a checkpoint: empty, or with control characters"
                )
        if len(self.origin.encode()) > ORIGIN_SIZE_MAX:
            raise CheckpointMalformedError(f"an origin has at most {ORIGIN_SIZE_MAX} bytes")
        if not 0 <= self.size <= SIZE_MAX or len(self.root) != HASH_SIZE:
            raise CheckpointMalformedError(f"no tree has {self.size} leaves and a root of {len(self.root)} bytes")

    @classmethod
    def from_text(cls, text: bytes) -> Self:
        """Return the checkpoint of a note's text, unverified here.

        Raises:
            CheckpointMalformedError: not a checkpoint in its canonical encoding.
        """
        if len(text) > NOTE_SIZE_MAX:
            raise CheckpointMalformedError(f"a checkpoint of {len(text)} bytes is larger than {NOTE_SIZE_MAX}")
        lines = text.split(b"\n")
        if len(lines) < 4 or lines.pop():
            raise CheckpointMalformedError("a checkpoint is an origin, a size and a root, each on a line")
        origin, size, root, *extensions = lines
        try:
            return cls(
                origin.decode(),
                decimal_from_text(size),
                hash_from_text(root),
                tuple([extension.decode() for extension in extensions]),
            )
        except CheckpointMalformedError:
            raise
        except UnicodeDecodeError:
            raise CheckpointMalformedError("a checkpoint is UTF-8, and this is not") from None
        except ValueError as error:
            raise CheckpointMalformedError(f"in a checkpoint, {error}") from None

    def to_text(self) -> bytes:
        """Return the text that is signed."""
        head = b"%s\n%d\n%s\n" % (self.origin.encode(), self.size, base64_to_text(self.root))
        return head + b"".join([extension.encode() + b"\n" for extension in self.extensions])


def sign_checkpoint(checkpoint: Checkpoint, *signers: SigningKey) -> bytes:
    """Return the checkpoint as a note, signed by the log's key (by the old and the new one while they change).

    Raises:
        ValueError: no key, or one whose name isn't the origin.
        NoteMalformedError: a key given twice.
    """
    for signer in signers:
        if signer.name != checkpoint.origin:
            raise ValueError(f"the key of {signer.name} can't sign checkpoints of {checkpoint.origin}")
    return sign_text(checkpoint.to_text(), *signers)


def open_checkpoint(note: bytes, *log_keys: VerifierKey) -> Checkpoint:
    """Return the checkpoint of a note that the log's key has signed, or one of its keys while they change.

    Raises:
        NoteMalformedError: not a note.
        SignatureInvalidError: a line by such a key that isn't its signature.
        SignatureMissingError: no signature by such a key, or its name isn't the checkpoint's origin.
        CheckpointMalformedError: the text isn't a checkpoint.
    """
    opened, signers = open_note(note, log_keys)
    checkpoint = Checkpoint.from_text(opened.text)
    if all(signer.name != checkpoint.origin for signer in signers):
        raise SignatureMissingError(f"{signers[0].label} signed a checkpoint of {checkpoint.origin!a}, another log")
    return checkpoint
