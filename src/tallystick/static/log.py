"""An exported log is read as its newest checkpoint tells: any hash and any entry below its size, a file at a time.

A tree of another size has other partial tiles, which were never written; here they are cut from the tiles of the
checkpoint, so that proofs between any two sizes below it can be made. Lengths are checked, and nothing else: whoever
reads proves.
"""

import functools
from collections.abc import Iterator
from typing import Final

from tallystick.errors import MalformedError, NotALedgerError, TileMalformedError
from tallystick.signing.note import Note
from tallystick.sources import CHECKPOINT
from tallystick.static.files import CHECKPOINT_SIZE_MAX, Found, StaticFiles, find_file
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.transparency.encoding import HASH_SIZE
from tallystick.transparency.merkle import TILE_HEIGHT
from tallystick.transparency.tiles import ENTRY_SIZE_MAX, TILE_WIDTH, bundle_from_bytes, bundle_path, tile_path


class StaticLog:
    """A log in static files, as it stood when it was opened.

    Attributes:
        note: the checkpoint's bytes; no signature in it was verified.
        checkpoint: what it says.
    """

    def __init__(self, files: StaticFiles) -> None:
        """Read the checkpoint.

        Raises:
            NotALedgerError: there is none, or it can't be read.
            OSError, LedgerError: the files can't be.
        """
        self._files = files
        note = files.read(CHECKPOINT, CHECKPOINT_SIZE_MAX)
        if note is None:
            raise NotALedgerError(f"{files.name} is no exported log: it has no {CHECKPOINT}")
        self.note: Final = note
        try:
            self.checkpoint: Final = Checkpoint.from_text(Note.from_bytes(note).text)
        except MalformedError as error:
            raise NotALedgerError(f"{files.name}/{CHECKPOINT} can't be read: {error}") from None
        self._newest: tuple[int, list[bytes]] = (-1, [])  # the bundle read last: entries are mostly read in a row

    def read_tile(self, level: int, n: int, width: int) -> bytes:
        """Return the first `width` hashes of a tile, joined.

        Raises:
            ValueError: the tree has no such hashes.
            NotALedgerError: the file is missing.
            TileMalformedError: it is longer or shorter than its path says.
            OSError, LedgerError: it can't be read.
        """
        there = self._width(level, n)
        if not 1 <= width <= there:
            raise ValueError(f"tile {n} of level {level} has {there} hashes, and not {width}")
        found = self._find(find_file(self._files, functools.partial(tile_path, level, n), there, HASH_SIZE), level, n)
        if len(found.data) != found.width * HASH_SIZE:
            raise TileMalformedError(f"{self._files.name}/{found.path} has not exactly {found.width * HASH_SIZE} bytes")
        return found.data[: width * HASH_SIZE]

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the bytes of entries start … stop - 1 of the log.

        Raises:
            NotALedgerError: a bundle is missing.
            TileMalformedError: one isn't a bundle of its width.
            OSError, LedgerError: one can't be read.
        """
        stop = min(stop, self.checkpoint.size)
        while start < stop:
            n, place = divmod(start, TILE_WIDTH)
            some = self._bundle(n)[place : place + stop - start]
            yield from some
            start += len(some)

    def close(self) -> None:
        """Let go of the files."""
        self._files.close()

    def _bundle(self, n: int) -> list[bytes]:
        if self._newest[0] != n:
            path_of = functools.partial(bundle_path, n)
            there = self._width(0, n)
            found = self._find(find_file(self._files, path_of, there, 2 + ENTRY_SIZE_MAX), "entries", n)
            try:
                self._newest = (n, bundle_from_bytes(found.data, found.width)[:there])
            except TileMalformedError as error:
                raise TileMalformedError(f"{self._files.name}/{found.path}: {error}") from None
        return self._newest[1]

    def _width(self, level: int, n: int) -> int:
        """Return how many hashes a tile has in the tree of the checkpoint."""
        return min(TILE_WIDTH, (self.checkpoint.size >> (TILE_HEIGHT * level)) - n * TILE_WIDTH)

    def _find(self, found: Found | None, level: int | str, n: int) -> Found:
        if found is None:
            raise NotALedgerError(f"{self._files.name} lacks tile {n} of level {level}, which its checkpoint implies")
        return found
