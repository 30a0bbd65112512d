"""A run of leaves that is a subtree is proved to be in a tree by few hashes, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.stored_tree import StoredTree
from tallystick.errors import ProofInvalidError
from tallystick.transparency.merkle import leaf_hash, root_of
from tallystick.transparency.proofs import (
    consistency_proof,
    inclusion_proof,
    is_subtree,
    subtree_proof,
    verify_subtree,
)

LEAVES = [leaf_hash(index.to_bytes(4)) for index in range(700)]


def tree_of(size: int) -> StoredTree:
    tree = StoredTree()
    tree.extend(LEAVES[:size])
    return tree


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 8, 9, 13, 31, 33])
def test_every_subtree_of_a_small_tree_is_proved_and_no_other_proof_passes(size: int) -> None:
    """By its own root, its own place and its own hashes."""
    tree = tree_of(size)
    root = root_of(LEAVES[:size])
    runs = [(first, stop) for first in range(size) for stop in range(first + 1, size + 1) if is_subtree(first, stop)]
    proofs = {run: subtree_proof(*run, size, tree.read_tile) for run in runs}
    for (first, stop), proof in proofs.items():
        own = root_of(LEAVES[first:stop])
        verify_subtree(first, stop, size, proof, own, root)
        wrong = [proof[:-1], [*proof, root], [root, *proof], proof[::-1], *proofs.values()]
        for bad in [bad for bad in wrong if bad != proof]:
            with pytest.raises(ProofInvalidError):
                verify_subtree(first, stop, size, bad, own, root)
        for bad_root in {LEAVES[699], root, root_of(LEAVES[first : stop + 1])} - {own}:
            with pytest.raises(ProofInvalidError):
                verify_subtree(first, stop, size, proof, bad_root, root)
        with pytest.raises(ProofInvalidError):
            verify_subtree(first, stop, size, proof, own, LEAVES[699])


@given(st.integers(1, 700), st.data())
def test_a_proof_says_where_the_leaves_are(size: int, data: st.DataObject) -> None:
    """Of a package's leaves; not in a tree of another size, nor elsewhere in this one."""
    first = 256 * data.draw(st.integers(0, (size - 1) // 256))
    stop = data.draw(st.integers(first + 1, min(first + 256, size)))
    proof = subtree_proof(first, stop, size, tree_of(size).read_tile)
    own, root = root_of(LEAVES[first:stop]), root_of(LEAVES[:size])
    verify_subtree(first, stop, size, proof, own, root)
    for other in {(first + 256, stop + 256), (first, stop + 1), (first, stop - 1), (first - 256, stop - 256)}:
        if is_subtree(*other) and other[1] <= size:
            with pytest.raises(ProofInvalidError):
                verify_subtree(*other, size, proof, own, root)
    assert len(proof) <= 2 * size.bit_length()


@given(st.integers(1, 700), st.data())
def test_the_proofs_of_a_log_are_proofs_of_subtrees(size: int, data: st.DataObject) -> None:
    """A leaf is one, and so are the first leaves of a tree, however many."""
    index = data.draw(st.integers(0, size - 1))
    tree = tree_of(size)
    assert subtree_proof(index, index + 1, size, tree.read_tile) == inclusion_proof(index, size, tree.read_tile)
    assert subtree_proof(0, index + 1, size, tree.read_tile) == consistency_proof(index + 1, size, tree.read_tile)


@pytest.mark.parametrize(("first", "stop"), [(0, 0), (1, 3), (2, 5), (256, 513), (-256, 0), (3, 2), (1, 2)])
def test_what_is_no_subtree_has_no_proof(first: int, stop: int) -> None:
    """Leaves that no node of a tree is over; or they are beyond its end."""
    with pytest.raises(ValueError, match="are no subtree of a tree of 1"):
        subtree_proof(first, stop, 1, tree_of(1).read_tile)
    with pytest.raises(ProofInvalidError, match="are no subtree of a tree of 1"):
        verify_subtree(first, stop, 1, [], LEAVES[0], LEAVES[0])
