"""An exported folder (C2SP tlog-tiles v0.1.0): the newest checkpoint, tiles of hashes, and bundles of entries.

    checkpoint
    tile/<level>/<n>[.p/<width>]
    tile/entries/<n>[.p/<width>]

Files that the checkpoint implies must be there, with exactly their length. A partial tile or bundle may have been
deleted once the full one is there: then that is read and cut. Files beyond the checkpoint are no finding: an exporter
writes the checkpoint last.
"""

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from tallystick.audit.evidence import StoredCheckpoint, StoredRun
from tallystick.audit.findings import FindingCode, Findings
from tallystick.errors import TileMalformedError
from tallystick.transparency.merkle import TILE_WIDTH
from tallystick.transparency.tiles import BUNDLE_SIZE_MAX, bundle_from_bytes, bundle_path, tile_path

CHECKPOINT: Final = "checkpoint"
TILES: Final = "tile"

_CHECKPOINT_SIZE_MAX: Final = 2**20
_HASH_SIZE: Final = 32
_TILE_SIZE_MAX: Final = TILE_WIDTH * _HASH_SIZE
_MISSING_IN_A_ROW_MAX: Final = 16  # beyond that the size is fiction, and looking for each file would never end


class TileEvidence:
    """The evidence of an exported folder."""

    hash_code = FindingCode.TILE_DIFFERS

    def __init__(self, folder: Path, findings: Findings) -> None:
        self.name = str(folder)
        self._folder = folder
        self._findings = findings

    def newest_checkpoint(self) -> bytes | None:
        """Return the checkpoint's bytes."""
        return self._read(CHECKPOINT, _CHECKPOINT_SIZE_MAX)

    def entries(self, origin: str, size: int) -> Iterator[StoredRun]:
        """Yield the entries of all bundles that can be read."""
        missing = 0
        for n in range(-(-size // TILE_WIDTH)):
            first = n * TILE_WIDTH
            bundle = self._bundle(n, min(TILE_WIDTH, size - first))
            missing = 0 if bundle else missing + 1
            if missing == _MISSING_IN_A_ROW_MAX:
                return
            if bundle:
                yield StoredRun(first, list(bundle), None)

    def hashes(self, level: int, tile: int, width: int) -> list[bytes | None]:
        """Return the hashes of a tile's file."""
        index = tile * TILE_WIDTH if level == 0 else None
        found = self._partial_or_full(functools.partial(tile_path, level, tile), width, _TILE_SIZE_MAX, index)
        if found is None:
            return [None] * width
        data, path, file_width = found
        if len(data) != file_width * _HASH_SIZE:
            self._malformed(index, f"{path} has not exactly {file_width * _HASH_SIZE} bytes")
            return [None] * width
        return [data[start : start + _HASH_SIZE] for start in range(0, width * _HASH_SIZE, _HASH_SIZE)]

    def checkpoints(self) -> Iterator[StoredCheckpoint]:
        """Yield nothing: only the newest is exported."""
        return iter(())

    def references(self, start: int, stop: int) -> list[tuple[object, object, object]] | None:
        """Return None: there is no index of references."""
        return None

    def check_the_rest(self, origin: str, size: int) -> None:
        """Files beyond the checkpoint may lie there."""

    def close(self) -> None:
        """Nothing is held open."""

    def _bundle(self, n: int, width: int) -> list[bytes]:
        index = n * TILE_WIDTH
        found = self._partial_or_full(functools.partial(bundle_path, n), width, BUNDLE_SIZE_MAX, index)
        if found is None:
            return []
        data, path, file_width = found
        try:
            return bundle_from_bytes(data, file_width)[:width]
        except TileMalformedError as error:
            self._malformed(index, f"{path}: {error}")
            return []

    def _partial_or_full(
        self, path_of: Callable[[int], str], width: int, size_max: int, index: int | None
    ) -> tuple[bytes, str, int] | None:
        """Return a file's bytes, its path, and the width that it has; None, and a finding, if there is none."""
        for file_width in (width, TILE_WIDTH):
            data = self._read(path_of(file_width), size_max)
            if data is not None:
                return data, path_of(file_width), file_width
        self._findings.add(FindingCode.TILE_MISSING, index, path_of(width))
        return None

    def _read(self, path: str, size_max: int) -> bytes | None:
        """Return a file's bytes, at most one more than `size_max`: enough to be found too long."""
        try:
            with (self._folder / path).open("rb") as file:
                return file.read(size_max + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            self._malformed(None, f"{path} can't be read: {error.strerror}")
            return None

    def _malformed(self, index: int | None, detail: str) -> None:
        self._findings.add(FindingCode.TILE_MALFORMED, index, detail)
