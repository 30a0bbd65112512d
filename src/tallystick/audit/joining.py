"""The log goes on from the tree that was audited, or it was rewritten: told by O(log size) stored hashes.

    newest checkpoint smaller, or of the same size with another root     history_rewritten
    the stored hashes give the old root at the old size                  the new entries are put on them, and must come
                                                                         to the newest root: as good as any proof
    they give another, and a consistency proof leads from it to the      history_rewritten
    newest root
    they give another, and lead nowhere                                  the stored hashes are damaged

The proof comes from the evidence and is believed because it verifies. So `history_rewritten` is never said of a log
whose hashes merely rotted: the newest checkpoint then commits to a tree that doesn't begin with the audited one.
"""

from functools import cache

from tallystick.audit.evidence import Evidence
from tallystick.errors import ProofInvalidError, TileMalformedError
from tallystick.findings import FindingCode, Findings
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.transparency.encoding import HASH_SIZE
from tallystick.transparency.merkle import TILE_HEIGHT, TILE_WIDTH, ReadTile, RightEdge
from tallystick.transparency.proofs import consistency_proof, verify_consistency


def join(earlier: Checkpoint, newest: Checkpoint, evidence: Evidence, findings: Findings) -> ReadTile | None:
    """Return a reader of the old tree's tiles, whose edge has the old root; None, and findings, if there is no way on.

    Args:
        earlier: what was audited.
        newest: what the log says now, of the same origin.
        evidence: where the hashes are.
        findings: what is wrong goes there.
    """
    before = f"the earlier report has {earlier.size} entries with root {earlier.root.hex()}"
    if newest.size < earlier.size:
        findings.add(FindingCode.HISTORY_REWRITTEN, None, f"{before}, the newest checkpoint has {newest.size}")
        return None
    if newest.size == earlier.size and newest.root != earlier.root:
        findings.add(FindingCode.HISTORY_REWRITTEN, None, f"{before}, the newest checkpoint {newest.root.hex()}")
        return None
    read_tile = tile_reader(newest.size, evidence)
    try:
        root = RightEdge.from_tiles(earlier.size, read_tile).root()
        if root == earlier.root:
            return read_tile
        proof = consistency_proof(earlier.size, newest.size, read_tile)
        verify_consistency(earlier.size, newest.size, proof, root, newest.root)
    except (TileMalformedError, ProofInvalidError) as error:
        detail = f"no way from {earlier.size} to {newest.size} entries: {error}; a full audit says more"
        findings.add(evidence.hash_code, None, detail)
    else:
        findings.add(FindingCode.HISTORY_REWRITTEN, None, f"{before}, now these entries have {root.hex()}")
    return None


def tile_reader(size: int, evidence: Evidence) -> ReadTile:
    """Return what reads tiles, once each, of any tree up to this size: they are cut from those of the largest."""

    def read_tile(level: int, n: int, width: int) -> bytes:
        there = min(TILE_WIDTH, (size >> (TILE_HEIGHT * level)) - n * TILE_WIDTH)
        hashes = [value for value in evidence.hashes(level, n, there)[:width] if value is not None]
        if len(hashes) != width or any(len(value) != HASH_SIZE for value in hashes):
            raise TileMalformedError(f"tile {n} of level {level} lacks hashes")
        return b"".join(hashes)

    return cache(read_tile)
