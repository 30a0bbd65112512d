"""All hashes of an exported log are computed again, from its signed checkpoint down to each entry's bytes.

    checkpoint   the log signed it and the quorum cosigned, as the policy says
    right edge   the tiles that aren't full give the root that the checkpoint says
    full tile    its root is the hash in the tile above it
    bundle       the hashes of its entries are those of its tile

So a file is wrong exactly where it is said to be: what it is compared with was proved before. A tile of each level and
one bundle are in memory. No entry is read: which command it is, who signed it and what it comes to, an audit asks.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tallystick.errors import ExportDiffersError, NotAFileError, TileMalformedError
from tallystick.progress import Progress
from tallystick.sources import CHECKPOINT
from tallystick.static.files import CHECKPOINT_SIZE_MAX, Found, StaticFiles, find_file
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.transparency.encoding import HASH_SIZE
from tallystick.transparency.merkle import TILE_HEIGHT, TILE_WIDTH, RightEdge, root_of_tile
from tallystick.transparency.policy import Policy
from tallystick.transparency.tiles import ENTRY_SIZE_MAX, bundle_leaf_hashes, bundle_path, tile_path

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class VerifiedHashes:
    """What was verified.

    Attributes:
        checkpoint: that all of it leads to.
        tiles: how many files of hashes were read.
        bundles: how many files of entries were read.
        size_bytes: of all that was read, the checkpoint apart.
    """

    checkpoint: Checkpoint
    tiles: int
    bundles: int
    size_bytes: int


def verify_hashes(files: StaticFiles, policy: Policy, progress: Progress | None = None) -> VerifiedHashes:
    """Verify that an exported log has every tile and every entry that its checkpoint commits to.

    Args:
        files: where it lies.
        policy: whose checkpoint counts.
        progress: told after each bundle how many entries were verified.

    Raises:
        ExportDiffersError: a file is missing, or isn't the one that the checkpoint commits to; it is the first.
        NoteMalformedError, CheckpointMalformedError: there is no checkpoint in its canonical encoding.
        VerificationError: the log didn't sign it, or the quorum is missed.
        OSError, LedgerError: a file can't be read here, or the server gives no usable answer.
    """
    note = _in_place(CHECKPOINT, lambda: files.read(CHECKPOINT, CHECKPOINT_SIZE_MAX))
    return _Walk(files, policy.open_checkpoint(note)).walk(progress)


class _Walk:
    """One way through an export, from the tree's right edge to its last bundle."""

    def __init__(self, files: StaticFiles, checkpoint: Checkpoint) -> None:
        self._files = files
        self._checkpoint = checkpoint
        self._edge: dict[int, bytes] = {}  # by level: the tile that isn't full, once all of them gave the root
        self._full: dict[int, tuple[int, bytes]] = {}  # by level: which full tile was verified last
        self._tiles = self._bundles = self._size_bytes = 0

    def walk(self, progress: Progress | None) -> VerifiedHashes:
        size = self._checkpoint.size
        self._verify_edge()
        for start in range(0, size, TILE_WIDTH):
            stop = min(size, start + TILE_WIDTH)
            self._verify_bundle(start // TILE_WIDTH, stop - start)
            if progress is not None:
                progress(stop, size)
        return VerifiedHashes(self._checkpoint, self._tiles, self._bundles, self._size_bytes)

    def _verify_edge(self) -> None:
        read: list[str] = []

        def read_tile(level: int, n: int, width: int) -> bytes:
            read.append(tile_path(level, n, width))
            data = self._edge[level] = self._read_tile(level, n, width)
            return data

        if RightEdge.from_tiles(self._checkpoint.size, read_tile).root() != self._checkpoint.root:
            what = " and ".join(read) if read else "an empty tree"
            raise ExportDiffersError(f"{what}: this does not give the root that the checkpoint says")

    def _verify_bundle(self, n: int, width: int) -> None:
        path_of = functools.partial(bundle_path, n)
        found = self._find(path_of, width, 2 + ENTRY_SIZE_MAX)
        self._bundles += 1
        try:
            hashes = bundle_leaf_hashes(found.data, found.width)[: width * HASH_SIZE]
        except TileMalformedError as error:
            raise ExportDiffersError(f"{found.path}: {error}") from None
        proved = self._hashes(0, n)
        if hashes != proved:
            place = next(
                at for at in range(0, len(proved), HASH_SIZE) if hashes[at:][:HASH_SIZE] != proved[at:][:HASH_SIZE]
            )
            index = n * TILE_WIDTH + place // HASH_SIZE
            raise ExportDiffersError(f"{found.path}: entry {index} is not the one that the checkpoint commits to")

    def _hashes(self, level: int, n: int) -> bytes:
        """Return the hashes of a tile, which are proved: of the right edge, or by the tile above it."""
        if n == self._checkpoint.size >> TILE_HEIGHT * (level + 1):
            return self._edge[level]
        newest, data = self._full.get(level, (-1, b""))
        if newest != n:
            data = self._read_tile(level, n, TILE_WIDTH)
            above, place = divmod(n, TILE_WIDTH)
            proved = self._hashes(level + 1, above)[place * HASH_SIZE : (place + 1) * HASH_SIZE]
            if root_of_tile(data) != proved:
                path = tile_path(level, n, TILE_WIDTH)
                raise ExportDiffersError(f"{path}: its hashes are not those that the checkpoint commits to")
            self._full[level] = n, data
        return data

    def _read_tile(self, level: int, n: int, width: int) -> bytes:
        found = self._find(functools.partial(tile_path, level, n), width, HASH_SIZE)
        self._tiles += 1
        if len(found.data) != found.width * HASH_SIZE:
            raise ExportDiffersError(f"{found.path}: it has not exactly {found.width * HASH_SIZE} bytes")
        return found.data[: width * HASH_SIZE]

    def _find(self, path_of: Callable[[int], str], width: int, width_size_max: int) -> Found:
        found = _in_place(path_of(width), lambda: find_file(self._files, path_of, width, width_size_max))
        self._size_bytes += len(found.data)
        return found


def _in_place(path: str, read: Callable[[], _T | None]) -> _T:
    """Return what is read of a file that must be there.

    Raises:
        ExportDiffersError: it isn't.
    """
    try:
        found = read()
    except NotAFileError as error:
        raise ExportDiffersError(f"{path}: {error.strerror}") from None
    if found is None:
        raise ExportDiffersError(f"{path}: it is missing")
    return found
