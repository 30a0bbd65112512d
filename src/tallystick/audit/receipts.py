"""Receipts that a log gave before are evidence of what it was; only what its own key signed is held against it.

A receipt counts if its checkpoint is signed by a log of the policy, and its proof leads from its entry to that
checkpoint's root. Witnesses aren't asked for: the log's own signature is what it is held to. Whatever else lies in the
file says nothing about the log, so it ends the audit before it begins: a verdict that passed it over would be
misread. A receipt without its entry counts for its checkpoint.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from tallystick.audit.prior_checkpoints import PriorCheckpoint
from tallystick.errors import MalformedError, UsageError, VerificationError
from tallystick.findings import FindingCode
from tallystick.static.files import FolderFiles
from tallystick.transparency.merkle import leaf_hash
from tallystick.transparency.policy import Policy
from tallystick.transparency.proofs import verify_inclusion
from tallystick.transparency.receipt import RECEIPT_SIZE_MAX, Receipt

PATTERN: Final = "*.tlog-proof"


def read_receipts(places: Sequence[Path], policy: Policy) -> list[PriorCheckpoint]:
    """Return what receipts prove that the log signed before.

    Args:
        places: files, and folders that hold `*.tlog-proof` files.
        policy: whose log keys count.

    Raises:
        UsageError: one can't be read, isn't a receipt, or proves nothing; or a folder has none.
    """
    unwitnessed = policy.without_witnesses()
    return [_read(path, unwitnessed) for place in places for path in _files(place)]


def _files(place: Path) -> Iterator[Path]:
    if not place.is_dir():
        yield place
        return
    found = sorted(place.glob(PATTERN))
    if not found:
        raise UsageError(f"{place} holds no receipt: there is no {PATTERN} in it")
    yield from found


def _read(path: Path, policy: Policy) -> PriorCheckpoint:
    try:
        data = FolderFiles(path.parent).read(path.name, RECEIPT_SIZE_MAX)
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}") from None
    if data is None:
        raise UsageError(f"there is no receipt {path}")
    try:
        receipt = Receipt.from_bytes(data)
        checkpoint = policy.open_checkpoint(receipt.checkpoint_note)
        leaf = leaf_hash(receipt.entry) if receipt.entry is not None else None
        if leaf is not None:
            verify_inclusion(receipt.index, checkpoint.size, leaf, receipt.proof, checkpoint.root)
    except MalformedError as error:
        raise UsageError(f"{path} is no receipt: {error}") from None
    except VerificationError as error:
        raise UsageError(f"{path} proves nothing, for or against a log: {error}; leave it out") from None
    index = receipt.index if leaf is not None else None
    return PriorCheckpoint(str(path), FindingCode.RECEIPT_CONTRADICTED, checkpoint, index, leaf)
