"""A receipt proves, offline and for ever, that one entry is in the log at one index; it needs no server and no store.

C2SP tlog-proof (draft), stored as `.tlog-proof`:

    c2sp.org/tlog-proof@v1
    extra <base64>                  here: the entry itself; the line may be missing
    index <decimal>
    <base64 of 32 bytes>            the inclusion proof: the leaf's sibling first, the root's child last
    <empty line>
    <the checkpoint's note, verbatim, with its cosignatures>

Verifying, in the specification's four steps: (1) hash the entry that the verifier has, (2) the log's signature, (3)
the witnesses' quorum, (4) the inclusion proof. `extra` is a hint that nothing vouches for until step 4 has succeeded
with it.

What the entry means, and whether its own signatures count, isn't judged here.
"""

from dataclasses import dataclass
from typing import Final, Self

from tallystick.errors import MalformedError, ReceiptMalformedError
from tallystick.signing.note import Note
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.transparency.encoding import (
    HASH_SIZE,
    SIZE_MAX,
    base64_from_text,
    base64_to_text,
    decimal_from_text,
    hash_from_text,
)
from tallystick.transparency.merkle import leaf_hash
from tallystick.transparency.policy import Policy
from tallystick.transparency.proofs import verify_inclusion
from tallystick.transparency.tiles import ENTRY_SIZE_MAX

PROOF_LENGTH_MAX: Final = 63  # hashes: a tree has fewer than 2^63 leaves
RECEIPT_SIZE_MAX: Final = 163_840

_HEADER: Final = b"c2sp.org/tlog-proof@v1"
_EXTRA: Final = b"extra "
_INDEX: Final = b"index "


@dataclass(frozen=True, slots=True)
class Receipt:
    """An entry's index, its inclusion proof (hashes of 32 bytes), the checkpoint's note, maybe the entry: unverified.

    Raises:
        ReceiptMalformedError: an index beyond 0 to 2^63 - 1, hashes of another size or more than 63, or an entry
            that is empty or has more than 65,535 bytes.
        NoteMalformedError: a checkpoint that isn't a note.
    """

    index: int
    proof: tuple[bytes, ...]
    checkpoint_note: bytes
    entry: bytes | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.index <= SIZE_MAX:
            raise ReceiptMalformedError(f"no entry has index {self.index}")
        if len(self.proof) > PROOF_LENGTH_MAX or any(len(value) != HASH_SIZE for value in self.proof):
            raise ReceiptMalformedError(f"a receipt has at most {PROOF_LENGTH_MAX} hashes of {HASH_SIZE} bytes")
        if self.entry is not None and not 1 <= len(self.entry) <= ENTRY_SIZE_MAX:
            raise ReceiptMalformedError(f"an entry in a receipt has 1 to {ENTRY_SIZE_MAX} bytes, not {len(self.entry)}")
        Note.from_bytes(self.checkpoint_note)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Return the receipt of these bytes, unverified.

        Raises:
            ReceiptMalformedError: not a receipt in its canonical encoding.
            NoteMalformedError: its checkpoint isn't a note.
        """
        if len(data) > RECEIPT_SIZE_MAX:
            raise ReceiptMalformedError(f"a receipt of {len(data)} bytes is larger than {RECEIPT_SIZE_MAX}")
        head, empty_line, note = data.partition(b"\n\n")
        lines = head.split(b"\n")
        if not empty_line or lines[0] != _HEADER:
            raise ReceiptMalformedError(f"a receipt begins with {_HEADER.decode()}, and an empty line ends its proof")
        entry_line = lines[1] if len(lines) > 1 and lines[1].startswith(_EXTRA) else None
        rest = lines[1:] if entry_line is None else lines[2:]
        if not rest or not rest[0].startswith(_INDEX):
            raise ReceiptMalformedError("a receipt has an index line, and before it an extra line at most")
        try:
            return cls(
                decimal_from_text(rest[0].removeprefix(_INDEX)),
                tuple([hash_from_text(line) for line in rest[1:]]),
                note,
                None if entry_line is None else base64_from_text(entry_line.removeprefix(_EXTRA)),
            )
        except MalformedError:
            raise
        except ValueError as error:
            raise ReceiptMalformedError(f"in a receipt, {error}") from None

    def to_bytes(self) -> bytes:
        """Return the file's bytes."""
        extra = b"" if self.entry is None else b"%s%s\n" % (_EXTRA, base64_to_text(self.entry))
        proof = b"".join([base64_to_text(value) + b"\n" for value in self.proof])
        return b"%s\n%s%s%d\n%s\n%s" % (_HEADER, extra, _INDEX, self.index, proof, self.checkpoint_note)


def verify_receipt(receipt: Receipt, entry: bytes, policy: Policy) -> Checkpoint:
    """Return the checkpoint that proves the entry, whose bytes the verifier has; `receipt.entry` will do.

    Raises:
        NoteMalformedError, CheckpointMalformedError: the checkpoint isn't one.
        SignatureInvalidError, SignatureMissingError, QuorumMissingError: the checkpoint doesn't fulfil the policy.
        ProofInvalidError: another entry, another index, or a proof that leads elsewhere.
    """
    leaf = leaf_hash(entry)  # step 1
    checkpoint = policy.open_checkpoint(receipt.checkpoint_note)  # steps 2 and 3
    verify_inclusion(receipt.index, checkpoint.size, leaf, receipt.proof, checkpoint.root)  # step 4
    return checkpoint
