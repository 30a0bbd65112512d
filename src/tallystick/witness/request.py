"""What a witness is asked has one canonical encoding, and is bounded before anything of it is read.

C2SP tlog-witness (v1.0.0), add-checkpoint:

    old <decimal>               the size that the witness is thought to have cosigned last, 0 for none
    <base64 of 32 bytes>        the consistency proof from there, at most 63 lines
    <empty line>
    <the checkpoint's note>

Not here: who signed the checkpoint, what it says, and whether the proof holds.
"""

from dataclasses import dataclass
from typing import Final, Self

from tallystick.errors import MalformedError
from tallystick.signing.note import NOTE_SIZE_MAX, Note
from tallystick.transparency.encoding import HASH_SIZE, SIZE_MAX, base64_to_text, decimal_from_text, hash_from_text
from tallystick.transparency.receipt import PROOF_LENGTH_MAX

_OLD: Final = b"old "
_HASH_LINE_SIZE: Final = 45
REQUEST_SIZE_MAX: Final = len(b"old %d\n\n" % SIZE_MAX) + PROOF_LENGTH_MAX * _HASH_LINE_SIZE + NOTE_SIZE_MAX


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A request to cosign: the old tree's size, the proof (hashes of 32 bytes), and the checkpoint's note, unverified.

    Raises:
        MalformedError: a size beyond 0 to 2^63 - 1, hashes of another size or more than 63, or no note.
    """

    old_size: int
    proof: tuple[bytes, ...]
    checkpoint_note: bytes

    def __post_init__(self) -> None:
        if not 0 <= self.old_size <= SIZE_MAX:
            raise MalformedError(f"no tree has {self.old_size} leaves")
        if len(self.proof) > PROOF_LENGTH_MAX or any(len(value) != HASH_SIZE for value in self.proof):
            raise MalformedError(f"a consistency proof has at most {PROOF_LENGTH_MAX} hashes of {HASH_SIZE} bytes")
        Note.from_bytes(self.checkpoint_note)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Return the request of a body.

        Raises:
            MalformedError: not a request in its canonical encoding.
        """
        if len(data) > REQUEST_SIZE_MAX:
            raise MalformedError(f"a request of {len(data)} bytes is larger than {REQUEST_SIZE_MAX}")
        head, empty_line, note = data.partition(b"\n\n")
        old, *proof = head.split(b"\n", PROOF_LENGTH_MAX + 2)
        if not empty_line or not old.startswith(_OLD):
            raise MalformedError("a request begins with `old <size>`, and an empty line ends its proof")
        try:
            return cls(decimal_from_text(old.removeprefix(_OLD)), tuple([hash_from_text(line) for line in proof]), note)
        except MalformedError:
            raise
        except ValueError as error:
            raise MalformedError(f"in a request, {error}") from None

    def to_bytes(self) -> bytes:
        """Return the body."""
        proof = b"".join([base64_to_text(value) + b"\n" for value in self.proof])
        return b"%s%d\n%s\n%s" % (_OLD, self.old_size, proof, self.checkpoint_note)
