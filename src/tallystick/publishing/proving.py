"""What is proved here was verified first: a source that contradicts its own checkpoint gives no proof.

    inclusion    entry `index` is in the tree of `size` entries
    consistency  the tree of `new` entries begins with the tree of `old` entries

Both are made from O(log size) tiles, for any sizes up to the checkpoint's. A root below it is worked out from tiles,
and counts because a second consistency proof leads from it to the checkpoint's root. Whether the log signed that
checkpoint is for a trust policy to say.
"""

from dataclasses import dataclass

from tallystick.errors import MalformedError, NotALedgerError, NotFoundError, UsageError
from tallystick.publishing.reader import Reader
from tallystick.transparency.merkle import RightEdge, leaf_hash
from tallystick.transparency.proofs import consistency_proof, inclusion_proof, verify_consistency, verify_inclusion


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """Entry `index` is in the tree of `size` entries with `root`; hashes have 32 bytes, the leaf's sibling first."""

    index: int
    size: int
    root: bytes
    leaf_hash: bytes
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ConsistencyProof:
    """The tree of `new_size` entries with `new_root` begins with that of `old_size` with `old_root`."""

    old_size: int
    old_root: bytes
    new_size: int
    new_root: bytes
    proof: tuple[bytes, ...]


def prove_inclusion(
    reader: Reader, index: int, size: int | None = None, *, entry: bytes | None = None
) -> InclusionProof:
    """Return the proof that an entry is in the tree of `size` entries, all if None.

    Args:
        reader: of the log.
        index: of the entry.
        size: of the tree.
        entry: its bytes, where the reader may see no more than hashes; None to read it.

    Raises:
        NotFoundError: there is no such entry or no such tree.
        ProofInvalidError: entry, tiles and checkpoint contradict one another.
        NotALedgerError: a tile is damaged.
        StoreFailedError: a failover may lose what the tree is of; nothing is handed on.
    """
    reader.wait_replicated()
    size = reader.size if size is None else size
    _check_size(reader, size)
    if not 0 <= index < size:
        raise NotFoundError(f"there is no entry {index}: this tree has {size:,}, counted from 0")
    root = _root_at(reader, size)
    leaf = leaf_hash(reader.entry(index) if entry is None else entry)
    try:
        proof = tuple(inclusion_proof(index, size, reader.read_tile))
    except MalformedError as error:
        raise NotALedgerError(f"a tile is damaged ({error}); `tallystick audit` says more") from None
    verify_inclusion(index, size, leaf, proof, root)
    return InclusionProof(index, size, root, leaf, proof)


def prove_consistency(reader: Reader, old_size: int, new_size: int | None = None) -> ConsistencyProof:
    """Return the proof that the tree of `new_size` entries, all if None, begins with the tree of `old_size`.

    Raises:
        UsageError: there are no two such trees.
        ProofInvalidError: tiles and checkpoint contradict one another.
        NotALedgerError: a tile is damaged.
        StoreFailedError: a failover may lose what the trees are of; nothing is handed on.
    """
    reader.wait_replicated()
    new_size = reader.size if new_size is None else new_size
    _check_size(reader, new_size)
    if not 0 < old_size <= new_size:
        raise UsageError(f"a tree of {old_size:,} entries can't be proved to have grown to {new_size:,}")
    new_root = _root_at(reader, new_size)
    old_root, proof = _joined(reader, old_size, new_size, new_root)
    return ConsistencyProof(old_size, old_root, new_size, new_root, proof)


def _check_size(reader: Reader, size: int) -> None:
    if not 0 < size <= reader.size:
        raise NotFoundError(f"there is no tree of {size:,} entries: the log has {reader.size:,}")


def _root_at(reader: Reader, size: int) -> bytes:
    """Return the root of the tree of a size, which the checkpoint vouches for."""
    checkpoint = reader.checkpoint
    if size == checkpoint.size:
        return checkpoint.root
    return _joined(reader, size, checkpoint.size, checkpoint.root)[0]


def _joined(reader: Reader, old_size: int, new_size: int, new_root: bytes) -> tuple[bytes, tuple[bytes, ...]]:
    """Return the root at an old size, and the proof, which holds, that the new root's tree begins with it."""
    try:
        old_root = RightEdge.from_tiles(old_size, reader.read_tile).root()
        proof = tuple(consistency_proof(old_size, new_size, reader.read_tile))
    except MalformedError as error:
        raise NotALedgerError(f"a tile is damaged ({error}); `tallystick audit` says more") from None
    verify_consistency(old_size, new_size, proof, old_root, new_root)
    return old_root, proof
