"""The tree is rebuilt from the entries alone, and every hash that was stored is compared with it.

The rebuilt tree is what counts: at the sizes of checkpoints its root must be theirs. It is held as its right edge
and, for each tile level, the hashes of the tile that isn't full yet.
"""

from collections.abc import Sequence

from tallystick.audit.evidence import Evidence
from tallystick.findings import FindingCode, Findings
from tallystick.transparency.merkle import TILE_HEIGHT, TILE_WIDTH, ReadTile, RightEdge, tile_hashes


class TreeRebuild:
    """The tree of the entries so far.

    Attributes:
        is_whole: whether every leaf's hash was known; if not, roots say nothing.
    """

    def __init__(self, evidence: Evidence, findings: Findings) -> None:
        self.is_whole = True
        self._evidence = evidence
        self._findings = findings
        self._edge = RightEdge()
        self._waiting: list[list[bytes]] = []  # by tile level: hashes of the tile that isn't compared yet
        self._compared: list[int] = []  # by tile level: how many tiles are

    def resume(self, size: int, read_tile: ReadTile) -> None:
        """Go on from the tree of `size` leaves, whose tiles were confirmed by its root."""
        self._edge = RightEdge.from_tiles(size, read_tile)
        while along := size >> (TILE_HEIGHT * len(self._waiting)):
            tile, width = divmod(along, TILE_WIDTH)
            data = read_tile(len(self._waiting), tile, width) if width else b""
            self._waiting.append(tile_hashes(data, width))
            self._compared.append(tile)

    @property
    def size(self) -> int:
        """How many leaves it has."""
        return self._edge.size

    def root(self) -> bytes:
        """Return the root over all leaves so far."""
        return self._edge.root()

    def extend(self, leaf_hashes: Sequence[bytes]) -> None:
        """Grow by the hashes of the entries that come next, and compare each tile that became full."""
        if not self.is_whole:
            return  # their places are lost
        grown = self._edge.extend(leaf_hashes)
        self._wait(0, leaf_hashes)
        for above in grown[len(leaf_hashes) :]:
            self._wait(above.level, (above.hash,))

    def extend_unread(self, count: int) -> None:
        """Grow by entries that can't be read: by the hashes stored for them, so that later ones can be checked."""
        start = self.size
        while self.is_whole and self.size < start + count:
            tile, place = divmod(self.size, TILE_WIDTH)
            width = min(TILE_WIDTH, place + start + count - self.size)
            stored = self._evidence.hashes(0, tile, width)[place:]
            known = [value for value in stored if value is not None and len(value) == 32]
            if len(known) == len(stored):
                self.extend(known)
            else:
                self.is_whole = False

    def finish(self) -> None:
        """Compare the tiles that never became full, as far as they are stored."""
        for level, hashes in enumerate(self._waiting):
            if hashes and self.is_whole:
                self._compare(level, self._compared[level], hashes)

    def _wait(self, level: int, hashes: Sequence[bytes]) -> None:
        if level == len(self._waiting):
            self._waiting.append([])
            self._compared.append(0)
        waiting = self._waiting[level]
        waiting += hashes
        while len(waiting) >= TILE_WIDTH:
            self._compare(level, self._compared[level], waiting[:TILE_WIDTH])
            self._compared[level] += 1
            del waiting[:TILE_WIDTH]

    def _compare(self, level: int, tile: int, hashes: list[bytes]) -> None:
        stored = self._evidence.hashes(level, tile, len(hashes))
        if stored == hashes:
            return
        code = FindingCode.LEAF_DIFFERS if level == 0 else self._evidence.hash_code
        for place, (expected, found) in enumerate(zip(hashes, stored, strict=True)):
            if found is not None and found != expected:  # what is missing was a finding when it was looked for
                position = tile * TILE_WIDTH + place
                detail = f"level {level}, position {position}: stored {found.hex()[:64]}, rebuilt {expected.hex()}"
                self._findings.add(code, position if level == 0 else None, detail)
