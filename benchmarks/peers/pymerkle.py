"""pymerkle: a Merkle tree as a library in Python, against our tree.

How: both in memory, both SHA-256 by hashlib, both over the same leaves, in one thread, one after the other. Appended in
groups of 256: pymerkle hashes each leaf and keeps it; ours hashes each leaf and gives the hashes that tiles newly hold,
which are kept. Then inclusion proofs of leaves all over the tree, under its newest root. Both roots are compared, and
so is each proof. Rates are of processor time.

pymerkle also keeps the entries, and has a tree in SQLite; neither counts here. It knows no tiles, checkpoints, entries.
"""

import random
import time
from collections import defaultdict
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Final

from peers.burn_lines import encoded
from tallystick.transparency.merkle import TILE_WIDTH, RightEdge, leaf_hash
from tallystick.transparency.proofs import inclusion_proof

FIGURES: Final = {
    "pymerkle_appends": ("a second of CPU", "pymerkle: leaves appended to a tree in memory, 256 at once"),
    "pymerkle_proofs": ("a second of CPU", "pymerkle: inclusion proofs of leaves of that tree"),
    "tree_appends": ("a second of CPU", "our tree: the same"),
    "tree_proofs": ("a second of CPU", "our tree: the same, from tiles"),
}
LEAVES: Final = 50_000
PROOFS: Final = 1_000
GROUP: Final = 256


class OurTree:
    """Our tree's hashes in memory, as tiles have them."""

    def __init__(self) -> None:
        self.edge = RightEdge()
        self._levels: defaultdict[int, list[bytes]] = defaultdict(list)

    def append(self, group: list[bytes]) -> None:
        """Grow by some entries."""
        for level, _, value in self.edge.extend([leaf_hash(data) for data in group]):
            self._levels[level].append(value)

    def prove(self, index: int) -> list[bytes]:
        """Return an inclusion proof under the newest root."""
        return inclusion_proof(index, self.edge.size, self._read_tile)

    def _read_tile(self, level: int, n: int, width: int) -> bytes:
        return b"".join(self._levels[level][n * TILE_WIDTH : n * TILE_WIDTH + width])


def available() -> str | None:
    """Return why it can't be measured here."""
    return None if find_spec("pymerkle") else "pymerkle isn't installed: make bench installs what tests need"


def measure(_: Path, scale: float) -> dict[str, float]:
    """Leaves appended and proved by pymerkle, and by our tree."""
    from pymerkle import InmemoryTree  # noqa: PLC0415 - where it isn't installed, the rest is measured

    data = encoded(max(GROUP, int(LEAVES * scale)))
    groups = [data[first : first + GROUP] for first in range(0, len(data), GROUP)]
    asked = random.Random(17).choices(range(len(data)), k=max(10, int(PROOFS * scale)))
    theirs, ours = InmemoryTree(algorithm="sha256"), OurTree()
    at = [time.process_time()]
    for group in groups:
        theirs.append_entries(group)
    at.append(time.process_time())
    for group in groups:
        ours.append(group)
    at.append(time.process_time())
    their_proofs = [theirs.prove_inclusion(index + 1, len(data)) for index in asked]
    at.append(time.process_time())
    our_proofs = [ours.prove(index) for index in asked]
    at.append(time.process_time())
    paths = [[bytes.fromhex(value) for value in proof.serialize()["path"][1:]] for proof in their_proofs]
    if theirs.get_root() != ours.edge.root() or paths != our_proofs:
        raise RuntimeError("pymerkle has another tree")
    their_appends, our_appends, their_proving, our_proving = (after - before for before, after in pairwise(at))
    return {
        "pymerkle_appends": len(data) / their_appends,
        "pymerkle_proofs": len(asked) / their_proving,
        "tree_appends": len(data) / our_appends,
        "tree_proofs": len(asked) / our_proving,
    }
