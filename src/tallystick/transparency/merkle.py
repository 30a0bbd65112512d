"""One root commits to every leaf and its place; two lists of leaves with one root would be a SHA-256 collision.

The tree is RFC 6962's (§2.1):

    leaf_hash(data)         = SHA-256(0x00 || data)
    node_hash(left, right)  = SHA-256(0x01 || left || right)
    root of no leaves       = SHA-256("")
    root of n > 1 leaves    = node_hash(root of the first k, root of the rest),  k the largest power of two below n

The two prefixes keep a node from being passed off as a leaf.

A growing tree needs only its right edge: the roots of the perfect subtrees that its size is the sum of, at most one
for each power of two. `RightEdge` holds those. It doesn't store the tree: what tiles need is handed out as it comes
into being.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from itertools import count, repeat
from typing import Final, NamedTuple, Self

from tallystick.errors import TileMalformedError
from tallystick.transparency.encoding import HASH_SIZE

EMPTY_ROOT: Final = hashlib.sha256(b"").digest()

TILE_HEIGHT: Final = 8
TILE_WIDTH: Final = 1 << TILE_HEIGHT

ReadTile = Callable[[int, int, int], bytes]
"""(tile level, n, width) -> that tile's hashes, `width * 32` bytes; a reader may cut them from a fuller tile."""

_PAIR_SIZE: Final = 2 * HASH_SIZE

_sha256 = hashlib.sha256


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf's bytes."""
    return _sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash over two neighbours of one level."""
    return _sha256(b"\x01" + left + right).digest()


def root_of(leaf_hashes: Sequence[bytes]) -> bytes:
    """Return the root of the tree with these leaf hashes."""
    edge = RightEdge()
    edge.extend(leaf_hashes)
    return edge.root()


def path_of(index: int, leaf_hashes: Sequence[bytes]) -> tuple[bytes, ...]:
    """Return the inclusion proof (RFC 9162 §2.1.3) of a leaf in the tree with these leaf hashes, which are all there.

    Raises:
        ValueError: there is no leaf of that index.
    """
    if not 0 <= index < len(leaf_hashes):
        raise ValueError(f"no leaf {index} in a tree of {len(leaf_hashes)}")
    path, row = [], list(leaf_hashes)
    while len(row) > 1:
        if index ^ 1 < len(row):
            path.append(row[index ^ 1])
        # The last of an odd row goes up as it is: that is the same tree as the largest power of two on the left.
        even = len(row) & ~1
        row = _parents(row[:even]) + row[even:]
        index >>= 1
    return tuple(path)


class TreeHash(NamedTuple):
    """A hash that a tile holds: `position` counts from 0 along tile level `level`.

    Level 0 are leaf hashes, level 1 roots over 256 leaves, level 2 over 65,536, and so on.
    """

    level: int
    position: int
    hash: bytes


class RightEdge:
    """The roots of the perfect subtrees that make up a tree of `size` leaves: all that is needed to grow it."""

    __slots__ = ("_hashes", "size")

    def __init__(self) -> None:
        self.size = 0
        self._hashes: list[bytes] = []  # the largest subtree first, that is from left to right

    @classmethod
    def from_hashes(cls, size: int, hashes: Sequence[bytes]) -> Self:
        """Return the edge of a tree of `size` leaves from its subtrees' roots, the largest first.

        Raises:
            ValueError: not one hash of 32 bytes for each bit that is set in `size`.
        """
        if size < 0 or len(hashes) != size.bit_count() or any(len(value) != HASH_SIZE for value in hashes):
            raise ValueError(f"the edge of {size} leaves is not given by these {len(hashes)} hashes")
        edge = cls()
        edge.size = size
        edge._hashes = list(hashes)
        return edge

    @classmethod
    def from_tiles(cls, size: int, read_tile: ReadTile) -> Self:
        """Return the edge of a tree of `size` leaves from the partial tiles of that size, one read for each level.

        Raises:
            TileMalformedError: a tile of another length than asked for.
            ValueError: a negative size.
        """
        if size < 0:
            raise ValueError(f"a tree has no {size} leaves")
        hashes: list[bytes] = []
        for level in reversed(range(-(-size.bit_length() // TILE_HEIGHT))):
            end = size >> (TILE_HEIGHT * level)  # hashes along this level
            width = end % TILE_WIDTH
            if width:
                hashes += _perfect_roots(tile_hashes(read_tile(level, end // TILE_WIDTH, width), width))
        return cls.from_hashes(size, hashes)

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """The subtrees' roots, the largest first."""
        return tuple(self._hashes)

    def copy(self) -> Self:
        """Return another edge of the same tree, which grows on its own."""
        return self.from_hashes(self.size, self._hashes)

    def append(self, leaf_hash: bytes) -> None:
        """Grow by one leaf."""
        self.extend((leaf_hash,))

    def extend(self, leaf_hashes: Sequence[bytes]) -> list[TreeHash]:
        """Grow by these leaves.

        Returns:
            The hashes that tiles newly hold, the leaf hashes among them, by level and then by position.
        """
        grown: list[TreeHash] = []
        kept: list[bytes] = []  # the new edge's smallest subtrees, the smallest first
        row, start, height = list(leaf_hashes), self.size, 0  # new nodes at a height, the first one's position
        while row:
            if height % TILE_HEIGHT == 0:
                grown += map(TreeHash._make, zip(repeat(height // TILE_HEIGHT), count(start), row, strict=False))
            if start & 1:  # the first is a right child, and its sibling has waited at the edge
                row.insert(0, self._hashes.pop())
            if len(row) & 1:  # the last is a left child, and will wait
                kept.append(row.pop())
            row = _parents(row)
            start, height = start >> 1, height + 1
        self._hashes += reversed(kept)
        self.size += len(leaf_hashes)
        return grown

    def root(self) -> bytes:
        """Return the root; the edge stays as it is."""
        if not self._hashes:
            return EMPTY_ROOT
        *others, root = self._hashes
        for left in reversed(others):
            root = node_hash(left, root)
        return root


def _parents(row: list[bytes]) -> list[bytes]:
    sha256, hashes = _sha256, iter(row)
    return [sha256(b"\x01" + left + right).digest() for left, right in zip(hashes, hashes, strict=True)]


def tile_hashes(tile: bytes, width: int, start: int = 0, end: int | None = None) -> list[bytes]:
    """Return the hashes from `start` to before `end` of a tile of `width` hashes.

    Raises:
        TileMalformedError: a tile of another length.
    """
    if len(tile) != width * HASH_SIZE:
        raise TileMalformedError(f"a tile of width {width} has {width * HASH_SIZE} bytes, and this one {len(tile)}")
    stop = width if end is None else end
    return [tile[at : at + HASH_SIZE] for at in range(start * HASH_SIZE, stop * HASH_SIZE, HASH_SIZE)]


def perfect_root(hashes: list[bytes]) -> bytes:
    """Return the root over neighbours, as many as a power of two."""
    while len(hashes) > 1:
        hashes = _parents(hashes)
    return hashes[0]


def root_of_tile(tile: bytes, width: int = TILE_WIDTH, start: int = 0, count: int = TILE_WIDTH) -> bytes:
    """Return the root over `count` hashes, as many as a power of two, from the one at `start` of a tile of `width`.

    Raises:
        TileMalformedError: a tile of another length.
    """
    if len(tile) != width * HASH_SIZE:
        raise TileMalformedError(f"a tile of width {width} has {width * HASH_SIZE} bytes, and this one {len(tile)}")
    first, stop = start * HASH_SIZE, (start + count) * HASH_SIZE
    if count == 1:
        return tile[first:stop]
    sha256 = _sha256  # the lowest row as it lies there: to cut it into hashes first takes a seventh more
    return perfect_root(
        [sha256(b"\x01" + tile[at : at + _PAIR_SIZE]).digest() for at in range(first, stop, _PAIR_SIZE)]
    )


def _perfect_roots(hashes: list[bytes]) -> Iterator[bytes]:
    """Yield the roots of the perfect subtrees, the largest first, that these neighbours make up."""
    start = 0
    for bit in reversed(range(len(hashes).bit_length())):
        if len(hashes) >> bit & 1:
            yield perfect_root(hashes[start : start + (1 << bit)])
            start += 1 << bit
