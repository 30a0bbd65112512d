"""A tree kept whole in memory, which answers for tiles and counts what was read; and one without leaves to keep."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from tallystick.transparency.merkle import RightEdge, node_hash


class StoredTree:
    """All hashes that tiles hold, as `RightEdge.extend` hands them out."""

    def __init__(self) -> None:
        self.edge = RightEdge()
        self.levels: dict[int, list[bytes]] = defaultdict(list)
        self.reads: Counter[tuple[int, int]] = Counter()

    def extend(self, leaf_hashes: Sequence[bytes]) -> None:
        """Grow; a hash that came out of its place would be noticed here."""
        for level, position, value in self.edge.extend(leaf_hashes):
            assert position == len(self.levels[level])
            self.levels[level].append(value)

    def read_tile(self, level: int, n: int, width: int) -> bytes:
        """Cut a tile of the width asked for from what is there, be it a fuller tile by now."""
        self.reads[level, n] += 1
        hashes = self.levels[level][n * 256 : n * 256 + width]
        assert len(hashes) == width
        return b"".join(hashes)


class UniformTree:
    """A tree whose leaves are all alike, so that one of any size can be read."""

    def __init__(self, leaf: bytes) -> None:
        self.levels = [leaf]
        for _ in range(8):
            node = self.levels[-1]
            for _ in range(8):
                node = node_hash(node, node)
            self.levels.append(node)

    def read_tile(self, level: int, n: int, width: int) -> bytes:
        """Every hash along a level is the same."""
        return self.levels[level] * width
