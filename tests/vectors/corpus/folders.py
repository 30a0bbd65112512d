"""A log of the corpus as a folder: its export (C2SP tlog-tiles), and the policy by which it is audited."""

from collections.abc import Sequence

from support.actors import ORIGIN, key_of
from support.stored_tree import StoredTree
from tallystick.signing.keys import SigningKey
from tallystick.transparency.checkpoint import Checkpoint, sign_checkpoint
from tallystick.transparency.merkle import TILE_WIDTH, leaf_hash
from tallystick.transparency.policy import Policy
from tallystick.transparency.tiles import bundle_path, bundle_to_bytes, tile_path, tiles_of

LOG_KEY = key_of(ORIGIN)
NEXT_LOG_KEY = key_of(f"{ORIGIN}:next")
POLICY = "trust.policy"

Entries = list[bytes]
Files = dict[str, bytes]
"""What lies in a folder, by path."""


def checkpoint(size: int, root: bytes, *signers: SigningKey) -> bytes:
    """A checkpoint of a log of the corpus, by these keys or by its own."""
    return sign_checkpoint(Checkpoint(ORIGIN, size, root), *(signers or (LOG_KEY,)))


def exported(entries: Sequence[bytes], *signers: SigningKey, policy: Policy | None = None) -> Files:
    """The folder of a log: the checkpoint signed by these keys or its own, trusted by a policy or that of its key."""
    tree = StoredTree()
    tree.extend([leaf_hash(data) for data in entries])
    size = len(entries)
    files = {
        "checkpoint": checkpoint(size, tree.edge.root(), *signers),
        POLICY: (policy or Policy.for_log(LOG_KEY.verifier)).to_text(),
    }
    for level, n, width in tiles_of(size):
        files[tile_path(level, n, width)] = tree.read_tile(level, n, width)
        if level == 0:
            first = n * TILE_WIDTH
            files[bundle_path(n, width)] = bundle_to_bytes(entries[first : first + width])
    return files
