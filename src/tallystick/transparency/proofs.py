"""A proof is checked with nothing but hashes in hand, and is made from a few tiles, whatever the size of the log.

Inclusion (RFC 9162 §2.1.3): this leaf is at this index of the tree with this root. Consistency (RFC 9162 §2.1.4): the
tree with the new root begins with all leaves of the tree with the old root, in order.

Making: walk from the root down to where the leaf, or the old tree's edge, is; every subtree that the walk leaves
aside gives one hash, the lowest first. Each hash comes from tiles, and each tile is read once at most: O(log size) of
them. Checking: the same walk upwards, led by the bits of index and size alone; a proof can't steer it.

Made proofs aren't checked here, and hashes from damaged tiles give proofs that fail. Sizes and roots are as good as
where they come from: take them from checkpoints that were opened.
"""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from tallystick.errors import ProofInvalidError
from tallystick.transparency.encoding import HASH_SIZE
from tallystick.transparency.merkle import ReadTile, RightEdge, node_hash
from tallystick.transparency.tiles import node_from_tiles


def inclusion_proof(index: int, size: int, read_tile: ReadTile) -> list[bytes]:
    """Return the proof that leaf `index` is in the tree of `size` leaves: its sibling first, the root's child last.

    Raises:
        ValueError: not 0 <= index < size.
        TileMalformedError: a tile of another length than asked for.
    """
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    aside = []
    start, end = 0, size
    while end - start > 1:
        middle = _middle(start, end)
        if index < middle:
            aside.append((middle, end))
            end = middle
        else:
            aside.append((start, middle))
            start = middle
    return _range_roots(aside, size, read_tile)


def consistency_proof(old_size: int, new_size: int, read_tile: ReadTile) -> list[bytes]:
    """Return the proof that the tree of `new_size` leaves begins with that of `old_size`; it is empty for equal sizes.

    Raises:
        ValueError: not 0 < old_size <= new_size.
        TileMalformedError: a tile of another length than asked for.
    """
    if not 0 < old_size <= new_size:
        raise ValueError(f"a tree of {old_size} leaves can't be proved to have grown to {new_size}")
    return subtree_proof(0, old_size, new_size, read_tile)


def subtree_proof(first: int, stop: int, size: int, read_tile: ReadTile) -> list[bytes]:
    """Return the proof that the leaves from `first` to before `stop` are a subtree of the tree of `size` leaves.

    It is the consistency proof where they begin the tree, the inclusion proof where they are one leaf.

    Raises:
        ValueError: not a subtree (`is_subtree`), or one beyond the tree.
        TileMalformedError: a tile of another length than asked for.
    """
    if not is_subtree(first, stop) or stop > size:
        raise ValueError(f"leaves {first} to {stop} are no subtree of a tree of {size}")
    aside = []
    start, end, known = 0, size, True
    while (start, end) != (first, stop):
        middle = _middle(start, end)
        if stop <= middle:
            aside.append((middle, end))
            end = middle
        else:
            aside.append((start, middle))
            if first < middle:  # the subtree goes beyond; whoever checks can't tell its two sides apart
                first, known = middle, False
            start = middle
    if not known:  # the subtree's last part; if it is all of the subtree, whoever checks has its root already
        aside.append((start, end))
    return _range_roots(aside, size, read_tile)


def is_subtree(first: int, stop: int) -> bool:
    """Return whether such leaves have one root in every tree that has them, and at the right edge in one of that size.

    `first` is a multiple of the smallest power of two that is no less than their number.
    """
    return 0 <= first < stop and first & ((1 << (stop - first - 1).bit_length()) - 1) == 0


def verify_inclusion(index: int, size: int, leaf_hash: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Return if the proof leads from the leaf hash at `index` to the root of the tree of `size` leaves.

    Raises:
        ProofInvalidError: it doesn't, or the index is not in the tree.
    """
    folds = inclusion_folds(index, size, leaf_hash, proof)
    _check_hashes((root,))
    if (folds[-1].result if folds else leaf_hash) != root:
        raise ProofInvalidError(f"the inclusion proof of leaf {index} in {size} leads to another root")


class Fold(NamedTuple):
    """A step of an inclusion proof: the sibling, whether it stands on the left, and the hash over both."""

    sibling: bytes
    is_left: bool
    result: bytes


def inclusion_folds(index: int, size: int, leaf_hash: bytes, proof: Sequence[bytes]) -> list[Fold]:
    """Return the steps of a proof from the leaf hash at `index` up; the last result is the root that it leads to.

    Raises:
        ProofInvalidError: not a proof for this index in a tree of this size.
    """
    if not 0 <= index < size:
        raise ProofInvalidError(f"no leaf {index} in a tree of {size}")
    _check_hashes((leaf_hash, *proof))
    node, last = index, size - 1  # positions at the current height: of the node so far, and of the tree's last one
    result, folds = leaf_hash, []
    for sibling in proof:
        if last == 0:
            raise ProofInvalidError(f"the inclusion proof of leaf {index} in {size} is too long")
        is_left = bool(node & 1) or node == last
        if is_left:
            result = node_hash(sibling, result)
            node, last = _up_to_a_right_child(node, last)
        else:
            result = node_hash(result, sibling)
        folds.append(Fold(sibling, is_left, result))
        node, last = node >> 1, last >> 1
    if last != 0:
        raise ProofInvalidError(f"the inclusion proof of leaf {index} in {size} is too short")
    return folds


def root_before(index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """Return the root of the tree of the first `index` leaves, which an inclusion proof has within it.

    The siblings on the leaf's left are the roots of the perfect subtrees that the tree of `index` leaves is the sum of.

    Args:
        index: of the leaf.
        size: of the tree.
        proof: for that leaf; it was verified.

    Raises:
        ValueError: not a proof of this leaf in a tree of this size.
    """
    left = []
    node, last = index, size - 1
    for sibling in proof:
        if node & 1 or node == last:
            left.append(sibling)
            node, last = _up_to_a_right_child(node, last)
        node, last = node >> 1, last >> 1
    return RightEdge.from_hashes(index, left[::-1]).root()


def verify_consistency(old_size: int, new_size: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """Return if the proof shows that the tree with the new root begins with the tree with the old root.

    An old size of 0 is refused: every tree begins with none, so a proof of that would be worth nothing.

    Raises:
        ProofInvalidError: it doesn't, or the sizes aren't 0 < old <= new.
    """
    if not 0 < old_size <= new_size:
        raise ProofInvalidError(f"a tree of {old_size} leaves can't be proved to have grown to {new_size}")
    _check_hashes((old_root, new_root, *proof))
    what = f"the consistency proof from {old_size} to {new_size}"
    if old_size == new_size:
        if proof or old_root != new_root:
            raise ProofInvalidError(f"{what} must be empty, between equal roots")
        return
    if not proof:
        raise ProofInvalidError(f"{what} is empty")
    # First comes the old tree's last perfect subtree. Where it is all of the old tree, its root isn't sent along.
    hashes = [old_root, *proof] if old_size.bit_count() == 1 else proof
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old_result = new_result = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise ProofInvalidError(f"{what} is too long")
        if node & 1 or node == last:
            old_result = node_hash(sibling, old_result)
            new_result = node_hash(sibling, new_result)
            node, last = _up_to_a_right_child(node, last)
        else:
            new_result = node_hash(new_result, sibling)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise ProofInvalidError(f"{what} is too short")
    if old_result != old_root or new_result != new_root:
        raise ProofInvalidError(f"{what} leads to another {'old' if old_result != old_root else 'new'} root")


def verify_subtree(first: int, stop: int, size: int, proof: Sequence[bytes], subtree_root: bytes, root: bytes) -> None:
    """Return if the proof shows that leaves from `first` to before `stop`, with their root, are in the tree of `root`.

    Raises:
        ProofInvalidError: it doesn't, or these are no subtree of a tree of `size` leaves.
    """
    if not is_subtree(first, stop) or stop > size:
        raise ProofInvalidError(f"leaves {first} to {stop} are no subtree of a tree of {size}")
    _check_hashes((subtree_root, root, *proof))
    what = f"the proof of leaves {first} to {stop} in {size}"
    # Positions at the current height: of the subtree's first node and its last one, and of the tree's last one.
    start, node, last = first, stop - 1, size - 1
    while start != node and (node & 1 or node == last):
        start, node, last = start >> 1, node >> 1, last >> 1
    hashes = list(proof) if start != node else [subtree_root, *proof]
    if not hashes:
        raise ProofInvalidError(f"{what} is too short")
    subtree_result = result = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            raise ProofInvalidError(f"{what} is too long")
        if node & 1 or node == last:
            if start < node:
                subtree_result = node_hash(sibling, subtree_result)
            result = node_hash(sibling, result)
            while not node & 1 and node:
                start, node, last = start >> 1, node >> 1, last >> 1
        else:
            result = node_hash(result, sibling)
        start, node, last = start >> 1, node >> 1, last >> 1
    if last != 0:
        raise ProofInvalidError(f"{what} is too short")
    if subtree_result != subtree_root or result != root:
        raise ProofInvalidError(f"{what} leads to another root")


def _up_to_a_right_child(node: int, last: int) -> tuple[int, int]:
    """Go up from a last node that is a left child: without a sibling it is, unhashed, the last node above as well."""
    while not node & 1 and node:
        node, last = node >> 1, last >> 1
    return node, last


def _check_hashes(hashes: Sequence[bytes]) -> None:
    if any(len(value) != HASH_SIZE for value in hashes):
        raise ProofInvalidError(f"a hash in a proof has {HASH_SIZE} bytes")


def _middle(start: int, end: int) -> int:
    """Return where the tree over these leaves parts: its left side is the largest power of two below their number."""
    return start + (1 << (end - start - 1).bit_length() - 1)


def _range_roots(ranges: list[tuple[int, int]], size: int, read_tile: ReadTile) -> list[bytes]:
    """Return the roots over these ranges of leaves, the last range's first."""
    read_once = cache(read_tile)
    return [_range_root(start, end, size, read_once) for start, end in reversed(ranges)]


def _range_root(start: int, end: int, size: int, read_tile: ReadTile) -> bytes:
    """Return the root over a range that is one node of the tree: perfect, or at the tree's right edge."""
    height = (end - start).bit_length() - 1
    left = node_from_tiles(height, start >> height, size, read_tile)
    middle = start + (1 << height)
    return left if middle == end else node_hash(left, _range_root(middle, end, size, read_tile))
