"""One mirrored log: its entries and tree as static files (C2SP tlog-tiles), written package by package.

Nothing is written that wasn't proved to be in the tree that the log signed. Each file is durable before the state says
that its entries are here, so what was lost in between is uploaded again.
"""

from pathlib import Path

from tallystick.durable_files import DurableFiles
from tallystick.errors import LedgerError, MalformedError, NotALedgerError
from tallystick.mirror.packages import Interval, Package
from tallystick.sources import CHECKPOINT
from tallystick.static.files import FolderFiles
from tallystick.transparency.encoding import HASH_SIZE
from tallystick.transparency.merkle import TILE_WIDTH, RightEdge, leaf_hash, perfect_root, tile_hashes
from tallystick.transparency.proofs import verify_subtree
from tallystick.transparency.tiles import (
    BUNDLE_SIZE_MAX,
    bundle_from_bytes,
    bundle_path,
    bundle_to_bytes,
    tile_path,
    tiles_between,
)
from tallystick.witness.deciding import CosignedTree


class MirroredLog:
    """The files of one log; for one thread at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = FolderFiles(folder)

    def add_package(self, interval: Interval, package: Package, tree: CosignedTree, next_entry: int) -> int:
        """Write what a package brings, durably, and return the first entry that isn't here afterwards.

        Args:
            interval: which entries these are; the first isn't beyond `next_entry`.
            package: the entries and their proof.
            tree: the tree that they are proved to be in.
            next_entry: the first entry that wasn't here.

        Raises:
            ProofInvalidError: these aren't the entries of that tree.
            LedgerError: what is here can't be read.
            OSError: it can't be written.
        """
        n = interval.aligned // TILE_WIDTH
        here = min(TILE_WIDTH, max(0, next_entry - interval.aligned))
        known = self._hashes(0, n, here)[: interval.first - interval.aligned]
        leaves = known + [leaf_hash(entry) for entry in package.entries]
        edge = RightEdge()
        edge.extend(leaves)
        verify_subtree(interval.aligned, interval.stop, tree.size, package.proof, edge.root(), tree.root)
        if interval.stop <= next_entry:
            return next_entry
        entries = [*self._entries(n, here), *package.entries[next_entry - interval.first :]]
        with self._durable() as files:
            files.write(bundle_path(n, len(entries)), bundle_to_bytes(entries))
            files.write(tile_path(0, n, len(entries)), b"".join(leaves))
            files.sync()
        return interval.stop

    def complete(self, tree: CosignedTree, old_size: int, next_entry: int) -> None:
        """Write what the tree of a size needs beside its full bundles, and see that all of it has the tree's root.

        Args:
            tree: all its entries are here.
            old_size: of the tree that was complete before.
            next_entry: the first entry that isn't here.

        Raises:
            LedgerError: what is here can't be read, or isn't what was verified when it came.
            OSError: it can't be written.
        """
        n, width = divmod(tree.size, TILE_WIDTH)
        with self._durable() as files:
            if width:
                here = min(TILE_WIDTH, next_entry - n * TILE_WIDTH)
                files.write(bundle_path(n, width), bundle_to_bytes(self._entries(n, here)[:width]))
                files.write(tile_path(0, n, width), b"".join(self._hashes(0, n, here)[:width]))
                files.sync()
            level = 0
            for tile in tiles_between(old_size, tree.size):
                if tile.level != level:  # the level below is durable before it is read
                    files.sync()
                    level = tile.level
                if tile.level:
                    files.write(tile_path(*tile), self._row(tile.level, tile.n, tile.width, old_size))
            files.sync()
        root = RightEdge.from_tiles(tree.size, self.read_tile).root()
        if root != tree.root:
            raise NotALedgerError(f"{self._folder} is damaged: its {tree.size:,} entries don't have the root they had")

    def publish(self, note: bytes) -> None:
        """Write the checkpoint, after all that it implies.

        Raises:
            OSError: it can't be written.
        """
        with self._durable() as files:
            files.write(CHECKPOINT, note)
            files.sync()

    def read_tile(self, level: int, n: int, width: int) -> bytes:
        """Return a tile's bytes.

        Raises:
            LedgerError: it isn't here, or has another length.
        """
        return self._read(tile_path(level, n, width), width * HASH_SIZE)

    def _row(self, level: int, n: int, width: int, old_size: int) -> bytes:
        """Return a tile above level 0: what it had in the old tree, and the roots of the tiles below."""
        old_width = min(width, max(0, (old_size >> (8 * level)) - n * TILE_WIDTH))
        row = [self.read_tile(level, n, old_width)] if old_width else []
        for below in range(n * TILE_WIDTH + old_width, n * TILE_WIDTH + width):
            row.append(perfect_root(self._hashes(level - 1, below, TILE_WIDTH)))
        return b"".join(row)

    def _hashes(self, level: int, n: int, width: int) -> list[bytes]:
        return tile_hashes(self.read_tile(level, n, width), width) if width else []

    def _entries(self, n: int, width: int) -> list[bytes]:
        if not width:
            return []
        path = bundle_path(n, width)
        try:
            return bundle_from_bytes(self._read(path, None), width)
        except MalformedError as error:
            raise NotALedgerError(f"{self._folder / path} is damaged: {error}") from None

    def _read(self, path: str, length: int | None) -> bytes:
        try:
            data = self._files.read(path, BUNDLE_SIZE_MAX)
        except OSError as error:
            raise LedgerError(f"{self._folder / path} can't be read: {error.strerror}") from None
        if data is None or (length is not None and len(data) != length):
            raise NotALedgerError(f"{self._folder / path} is damaged or missing")
        return data

    def _durable(self) -> DurableFiles:
        self._folder.mkdir(parents=True, exist_ok=True)
        return DurableFiles(self._folder)
