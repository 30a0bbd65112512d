"""The tree, its tiles and its proofs are those of RFC 6962 and 9162: known answers, definitions, a foreign library."""

import hashlib
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from pymerkle import InmemoryTree

from support.stored_tree import StoredTree, UniformTree
from tallystick.errors import ProofInvalidError, TileMalformedError
from tallystick.transparency import merkle
from tallystick.transparency.merkle import EMPTY_ROOT, RightEdge, leaf_hash, node_hash, path_of, root_of
from tallystick.transparency.proofs import consistency_proof, inclusion_proof, verify_consistency, verify_inclusion
from tallystick.transparency.tiles import Tile, node_from_tiles, tiles_between, tiles_of

REFERENCE_LEAVES = [
    bytes.fromhex(data)
    for data in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
REFERENCE_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
REFERENCE_HASHES = [leaf_hash(leaf) for leaf in REFERENCE_LEAVES]
EDGE_SIZES = (1, 255, 256, 257, 511, 512, 513)
GARBAGE = hashlib.sha256(b"garbage").digest()


def leaf_hashes(count: int) -> list[bytes]:
    """Different leaf hashes, made cheaply."""
    return [hashlib.sha256(index.to_bytes(4)).digest() for index in range(count)]


# The definitions of RFC 6962 §2.1, word for word: slow, and nothing else to go wrong.


def split(count: int) -> int:
    """The largest power of two below `count`."""
    power = 1
    while power * 2 < count:
        power *= 2
    return power


def defined_root(leaves: list[bytes]) -> bytes:
    """MTH(D[n]), over leaf hashes."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return hashlib.sha256(b"\x01" + defined_root(leaves[:k]) + defined_root(leaves[k:])).digest()


def defined_path(index: int, leaves: list[bytes]) -> list[bytes]:
    """PATH(m, D[n])."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if index < k:
        return [*defined_path(index, leaves[:k]), defined_root(leaves[k:])]
    return [*defined_path(index - k, leaves[k:]), defined_root(leaves[:k])]


def defined_proof(old_size: int, leaves: list[bytes], known: bool = True) -> list[bytes]:
    """SUBPROOF(m, D[n], b)."""
    if old_size == len(leaves):
        return [] if known else [defined_root(leaves)]
    k = split(len(leaves))
    if old_size <= k:
        return [*defined_proof(old_size, leaves[:k], known), defined_root(leaves[k:])]
    return [*defined_proof(old_size - k, leaves[k:], False), defined_root(leaves[:k])]


@pytest.fixture(scope="module")
def small() -> StoredTree:
    """A tree of 40 leaves."""
    tree = StoredTree()
    tree.extend(leaf_hashes(40))
    return tree


@pytest.mark.parametrize(("size", "root"), [*enumerate(REFERENCE_ROOTS)])
def test_reference_roots(size: int, root: str) -> None:
    """All at once, and leaf by leaf."""
    assert root_of(REFERENCE_HASHES[:size]).hex() == root
    edge = RightEdge()
    for value in REFERENCE_HASHES[:size]:
        edge.append(value)
    assert (edge.size, edge.root().hex()) == (size, root)


def test_spot_values_of_proofs() -> None:
    """Some hashes of published proofs over the reference leaves."""
    tree = StoredTree()
    tree.extend(REFERENCE_HASHES)
    shown = [value.hex()[:8] for value in consistency_proof(3, 7, tree.read_tile)]
    assert shown == ["0298d122", "07506a85", "fac54203", "837dbb15"]
    assert [value.hex()[:8] for value in consistency_proof(4, 8, tree.read_tile)] == ["6b47aaf2"]
    assert [value.hex()[:8] for value in inclusion_proof(5, 8, tree.read_tile)] == ["bc1a0643", "ca854ea1", "d37ee418"]


def test_the_empty_tree() -> None:
    """It has the hash of nothing as its root, no tiles, and no edge."""
    assert root_of([]) == RightEdge().root() == EMPTY_ROOT == hashlib.sha256(b"").digest()
    assert RightEdge.from_tiles(0, StoredTree().read_tile).hashes == ()
    assert [*tiles_of(0)] == []


@pytest.mark.parametrize("size", range(1, 21))
def test_proofs_are_the_defined_ones_and_verify(size: int, small: StoredTree) -> None:
    """Every index and every older size of every small tree."""
    leaves = leaf_hashes(size)
    root = defined_root(leaves)
    assert root_of(leaves) == root
    for index, leaf in enumerate(leaves):
        proof = inclusion_proof(index, size, small.read_tile)
        assert proof == defined_path(index, leaves)
        verify_inclusion(index, size, leaf, proof, root)
    for old_size in range(1, size + 1):
        proof = consistency_proof(old_size, size, small.read_tile)
        assert proof == defined_proof(old_size, leaves)
        verify_consistency(old_size, size, proof, defined_root(leaves[:old_size]), root)


def test_a_foreign_library_agrees() -> None:
    """pymerkle gives the same roots and inclusion proofs; its consistency proofs are of a kind of their own."""
    foreign, ours = InmemoryTree("sha256"), StoredTree()
    for size in range(1, 71):
        entry = b"entry %d" % size
        foreign.append_entry(entry)
        ours.extend([leaf_hash(entry)])
        assert foreign.get_root() == ours.edge.root()
        for index in range(size):
            theirs = [bytes.fromhex(value) for value in foreign.prove_inclusion(index + 1, size).serialize()["path"]]
            leaf, *proof = theirs  # they count from 1, and send the leaf's hash along
            assert inclusion_proof(index, size, ours.read_tile) == proof
            verify_inclusion(index, size, leaf, proof, foreign.get_root())


def spoilt(proof: list[bytes], *roots: bytes) -> Iterator[list[bytes]]:
    """Every proof that differs from this one in some way that a verifier must notice."""
    extras = [GARBAGE, *roots]
    for extra in extras:
        yield [extra, *proof]
        yield [*proof, extra]
        for at in range(1, len(proof)):
            yield [*proof[:at], extra, *proof[at:]]
    for at, value in enumerate(proof):
        yield proof[:at] + proof[at + 1 :]
        yield [*proof[:at], bytes([value[0] ^ 1]) + value[1:], *proof[at + 1 :]]
        yield [*proof[:at], value[:-1] + bytes([value[-1] ^ 0x80]), *proof[at + 1 :]]
        yield [*proof[:at], value[:-1], *proof[at + 1 :]]
        yield [*proof[:at], value + b"\0", *proof[at + 1 :]]
    if len(proof) > 1:
        yield []
        yield proof[::-1]


@pytest.mark.parametrize("size", range(1, 21))
def test_spoilt_inclusion_proofs_are_refused(size: int, small: StoredTree) -> None:
    """Another index, size, leaf or root, and every spoilt proof."""
    leaves = leaf_hashes(size)
    root = root_of(leaves)
    for index, leaf in enumerate(leaves):
        proof = inclusion_proof(index, size, small.read_tile)
        probes = [(other, size, leaf, proof, root) for other in {index - 1, index + 1, index ^ 2, -1, size} - {index}]
        probes += [(index, other, leaf, proof, root) for other in (size * 2, size // 2, 0, -size)]
        probes += [(index, size, other, proof, root) for other in (GARBAGE, b"", leaf[:-1], leaf + b"\0")]
        probes += [(index, size, leaf, proof, other) for other in (GARBAGE, EMPTY_ROOT, b"", root[:-1])]
        probes += [(index, size, leaf, other, root) for other in spoilt(proof, root)]
        for probe in probes:
            with pytest.raises(ProofInvalidError):
                verify_inclusion(*probe)


@pytest.mark.parametrize("size", range(2, 21))
def test_spoilt_consistency_proofs_are_refused(size: int, small: StoredTree) -> None:
    """Other sizes, other or swapped roots, and every spoilt proof."""
    leaves = leaf_hashes(size)
    new = root_of(leaves)
    for old_size in range(1, size):
        old = root_of(leaves[:old_size])
        proof = consistency_proof(old_size, size, small.read_tile)
        others = {old_size - 1, old_size + 1, old_size ^ 2, 0, -1, size, size + 1} - {old_size}
        probes = [(other, size, proof, old, new) for other in others]
        probes += [(old_size, other, proof, old, new) for other in {size * 2, size // 2, old_size, 0} - {size}]
        probes += [(old_size, size, proof, other, new) for other in (GARBAGE, EMPTY_ROOT, b"", new, old[:-1])]
        probes += [(old_size, size, proof, old, other) for other in (GARBAGE, EMPTY_ROOT, b"", old, new[:-1])]
        probes += [(old_size, size, proof, new, old), (old_size, size, [], old, old)]
        probes += [(old_size, size, other, old, new) for other in spoilt(proof, old, new)]
        for probe in probes:
            with pytest.raises(ProofInvalidError):
                verify_consistency(*probe)


def test_equal_sizes_need_equal_roots_and_no_proof() -> None:
    """And nothing is consistent with size 0: that would prove nothing."""
    one, two = leaf_hashes(2)
    verify_consistency(5, 5, [], one, one)
    for size, proof, old, new in ((5, [], one, two), (5, [one], one, one), (0, [], EMPTY_ROOT, EMPTY_ROOT)):
        with pytest.raises(ProofInvalidError):
            verify_consistency(size, size, proof, old, new)
    with pytest.raises(ProofInvalidError):
        verify_consistency(0, 5, [], EMPTY_ROOT, one)


def test_a_node_is_no_leaf() -> None:
    """The prefixes keep the two apart: an entry made of two hashes can't stand for the node above them."""
    left, right = leaf_hashes(2)
    assert leaf_hash(left + right) != node_hash(left, right)
    with pytest.raises(ProofInvalidError):
        verify_inclusion(0, 1, leaf_hash(left + right), [], root_of([left, right]))


@pytest.mark.parametrize("size", EDGE_SIZES)
def test_trees_around_tile_edges(size: int) -> None:
    """The tree grows in uneven steps; its edge can be read back from the partial tiles of its size."""
    leaves = leaf_hashes(size)
    tree, done = StoredTree(), 0
    for step in (1, 3, 250, 2, 300):
        tree.extend(leaves[done : done + step])
        done += step
    assert tree.edge.size == size
    assert tree.edge.root() == defined_root(leaves)
    for tile in tiles_of(size):
        assert len(tree.read_tile(*tile)) == tile.width * 32
    tree.reads.clear()
    edge = RightEdge.from_tiles(size, tree.read_tile)
    assert (edge.size, edge.hashes) == (size, tree.edge.hashes)
    assert sum(tree.reads.values()) <= 2
    for index in {0, 1, size // 2, size - 2, size - 1, 254, 255, 256} & {*range(size)}:
        tree.reads.clear()
        proof = inclusion_proof(index, size, tree.read_tile)
        assert set(tree.reads.values()) <= {1}
        assert proof == defined_path(index, leaves)
        verify_inclusion(index, size, leaves[index], proof, tree.edge.root())


def test_consistency_around_tile_edges() -> None:
    """Between any two of these sizes, read from the tiles of the largest."""
    leaves = leaf_hashes(EDGE_SIZES[-1])
    tree = StoredTree()
    tree.extend(leaves)
    for old_size in EDGE_SIZES:
        for new_size in EDGE_SIZES:
            if old_size <= new_size:
                tree.reads.clear()
                proof = consistency_proof(old_size, new_size, tree.read_tile)
                assert set(tree.reads.values()) <= {1}
                assert proof == defined_proof(old_size, leaves[:new_size])
                verify_consistency(old_size, new_size, proof, root_of(leaves[:old_size]), root_of(leaves[:new_size]))


def test_the_second_tile_level() -> None:
    """Around 65,536 leaves, where level 2 begins."""
    tree = StoredTree()
    tree.extend(leaf_hashes(65_535))
    roots = {65_535: tree.edge.root()}
    assert [len(tree.levels[level]) for level in range(3)] == [65_535, 255, 0]
    for size in (65_536, 65_537):
        tree.extend([hashlib.sha256((size - 1).to_bytes(4)).digest()])
        roots[size] = tree.edge.root()
        assert RightEdge.from_tiles(size, tree.read_tile).root() == roots[size]
    assert [len(tree.levels[level]) for level in range(3)] == [65_537, 256, 1]
    assert tree.levels[2] == [roots[65_536]]
    for size, root in roots.items():
        for index in (0, 255, 256, 65_279, 65_534, size - 1):
            proof = inclusion_proof(index, size, tree.read_tile)
            verify_inclusion(index, size, tree.levels[0][index], proof, root)
    for old_size, new_size in pairwise(roots):
        proof = consistency_proof(old_size, new_size, tree.read_tile)
        verify_consistency(old_size, new_size, proof, roots[old_size], roots[new_size])


@pytest.mark.parametrize("size", [10_000_000, 2**40 + 12_345, 2**63 - 1])
def test_large_trees(size: int) -> None:
    """A receipt stays small and a few tiles suffice, whatever the size."""
    leaf = leaf_hash(b"alike")
    tree = UniformTree(leaf)
    root = RightEdge.from_tiles(size, tree.read_tile).root()
    for index in (0, size // 3, size - 1):
        proof = inclusion_proof(index, size, tree.read_tile)
        assert len(proof) <= size.bit_length()
        verify_inclusion(index, size, leaf, proof, root)
    for old_size in (1, size // 3, size - 1):
        old_root = RightEdge.from_tiles(old_size, tree.read_tile).root()
        verify_consistency(old_size, size, consistency_proof(old_size, size, tree.read_tile), old_root, root)


def test_hashes_for_tiles_come_by_level() -> None:
    """What a step hands out is exactly what the tiles gain, in order, positions counted along the level."""
    edge = RightEdge()
    edge.extend(leaf_hashes(255))
    grown = edge.extend(leaf_hashes(258))
    assert [(level, position) for level, position, _ in grown] == [
        *((0, position) for position in range(255, 513)),
        *((1, position) for position in (0, 1)),
    ]
    assert edge.extend([]) == []


def test_a_copied_edge_grows_alone() -> None:
    """So a refused group leaves no trace."""
    edge = RightEdge.from_hashes(6, RightEdge.from_tiles(6, UniformTree(GARBAGE).read_tile).hashes)
    before = (edge.size, edge.root())
    copied = edge.copy()
    copied.extend(leaf_hashes(3))
    assert (edge.size, edge.root()) == before
    assert copied.size == 9


@pytest.mark.parametrize(("size", "count"), [(-1, 0), (0, 1), (1, 0), (6, 1), (6, 3)])
def test_an_edge_has_a_hash_for_each_bit(size: int, count: int) -> None:
    """Otherwise it is none."""
    with pytest.raises(ValueError, match="edge"):
        RightEdge.from_hashes(size, [GARBAGE] * count)
    with pytest.raises(ValueError, match="edge"):
        RightEdge.from_hashes(2, [GARBAGE[:31]])


@pytest.mark.parametrize("sizes", [(0, 70_000), (0, 256), (255, 256), (256, 257), (70_000, 70_000), (65_535, 70_001)])
def test_tiles_between_are_the_new_ones(sizes: tuple[int, int]) -> None:
    """Those of the new tree that the old tree had not, or had narrower."""
    old_size, new_size = sizes
    assert {*tiles_between(old_size, new_size)} == {*tiles_of(new_size)} - {*tiles_of(old_size)}
    assert len([*tiles_between(old_size, new_size)]) == len({*tiles_between(old_size, new_size)})


def test_the_tiles_of_a_tree() -> None:
    """As the specification counts them for 70,000 and 256 leaves."""
    tiles = [*tiles_of(70_000)]
    assert [sum(tile.level == level for tile in tiles) for level in range(4)] == [274, 2, 1, 0]
    assert {tile for tile in tiles if tile.width < 256} == {Tile(0, 273, 112), Tile(1, 1, 17), Tile(2, 0, 1)}
    assert [*tiles_of(256)] == [Tile(0, 0, 256), Tile(1, 0, 1)]


def test_damaged_tiles_prove_nothing() -> None:
    """A changed hash gives a proof that fails; a tile of another length is refused at once."""
    leaves = leaf_hashes(300)
    tree = StoredTree()
    tree.extend(leaves)
    root = tree.edge.root()
    tree.levels[0][7] = GARBAGE
    with pytest.raises(ProofInvalidError):
        verify_inclusion(3, 300, leaves[3], inclusion_proof(3, 300, tree.read_tile), root)
    for wrong in (b"", bytes(31), bytes(257 * 32)):
        with pytest.raises(TileMalformedError):
            inclusion_proof(3, 300, lambda *_, wrong=wrong: wrong)
        with pytest.raises(TileMalformedError):
            RightEdge.from_tiles(300, lambda *_, wrong=wrong: wrong)


def test_wrong_questions() -> None:
    """What no tree can answer is a wrong use, before anything is read."""
    tree = StoredTree()
    for index, size in ((-1, 5), (5, 5), (0, 0)):
        with pytest.raises(ValueError, match="no leaf"):
            inclusion_proof(index, size, tree.read_tile)
    for old_size, new_size in ((0, 5), (6, 5), (-1, 5)):
        with pytest.raises(ValueError, match="can't be proved"):
            consistency_proof(old_size, new_size, tree.read_tile)
    for height, position in ((-1, 0), (0, -1), (0, 5), (2, 1), (3, 0)):
        with pytest.raises(ValueError, match="no perfect subtree"):
            node_from_tiles(height, position, 5, tree.read_tile)
    for old_size, new_size in ((-1, 5), (6, 5)):
        with pytest.raises(ValueError, match="doesn't grow"):
            [*tiles_between(old_size, new_size)]
    with pytest.raises(ValueError, match="leaves"):
        RightEdge.from_tiles(-1, tree.read_tile)
    assert not tree.reads


@pytest.mark.parametrize("size", [*range(1, 34), 255, 256, 257])
def test_a_path_in_memory_is_the_inclusion_proof(size: int) -> None:
    """Of every leaf: it leads to the root, as what is made from tiles does."""
    hashes = [leaf_hash(b"%d" % index) for index in range(size)]
    for index in {0, 1 % size, size // 2, size - 1}:
        verify_inclusion(index, size, hashes[index], path_of(index, hashes), root_of(hashes))
    with pytest.raises(ValueError, match="no leaf"):
        path_of(size, hashes)


@pytest.mark.parametrize("size", [0, 1, 255, 256, 1_000, 65_535])
@pytest.mark.parametrize("new", [1, 2, 30, 300])
def test_a_tree_grows_by_as_many_hashes_as_there_are_new_leaves(
    size: int, new: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever its size: the writer grows it for each group."""
    edge = RightEdge()
    edge.extend([bytes(32)] * size)
    hashed: list[bytes] = []

    def counted(data: bytes) -> Any:
        hashed.append(data)
        return hashlib.sha256(data)

    monkeypatch.setattr(merkle, "_sha256", counted)
    edge.extend([bytes(32)] * new)
    assert len(hashed) <= new - 1 + size.bit_count()
    hashed.clear()
    edge.root()
    assert len(hashed) < (size + new).bit_length()
