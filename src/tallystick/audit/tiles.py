"""An exported log (C2SP tlog-tiles v0.1.0), in a folder or on the web: checkpoint, tiles of hashes, bundles of entries.

    checkpoint
    tile/<level>/<n>[.p/<width>]
    tile/entries/<n>[.p/<width>]

Files that the checkpoint implies must be there, with exactly their length. A partial tile or bundle may have been
deleted once the full one is there: then that is read and cut. Files beyond the checkpoint are no finding: an exporter
writes the checkpoint last. A server that doesn't answer ends the audit: that says nothing about the log.
"""

import functools
from collections.abc import Callable, Iterator
from typing import Final

from tallystick.audit.evidence import StoredCheckpoint, StoredRun
from tallystick.audit.findings import FindingCode, Findings
from tallystick.errors import TileMalformedError
from tallystick.static.files import CHECKPOINT, CHECKPOINT_SIZE_MAX, Found, StaticFiles, find_file
from tallystick.transparency.merkle import TILE_WIDTH
from tallystick.transparency.tiles import ENTRY_SIZE_MAX, bundle_from_bytes, bundle_path, tile_path

_HASH_SIZE: Final = 32
_MISSING_IN_A_ROW_MAX: Final = 16  # beyond that the size is fiction, and looking for each file would never end


class TileEvidence:
    """The evidence of an exported log."""

    hash_code = FindingCode.TILE_DIFFERS

    def __init__(self, files: StaticFiles, findings: Findings, start: int = 0) -> None:
        self.name = files.name
        self._files = files
        self._findings = findings
        self._start = start

    def newest_checkpoint(self) -> bytes | None:
        """Return the checkpoint's bytes."""
        try:
            return self._files.read(CHECKPOINT, CHECKPOINT_SIZE_MAX)
        except OSError as error:
            self._malformed(None, f"{CHECKPOINT} can't be read: {error.strerror}")
            return None

    def cosigned(self) -> bytes | None:
        """Return None: witnesses' lines are in the checkpoint itself."""
        return None

    def entries(self, origin: str, size: int) -> Iterator[StoredRun]:
        """Yield the entries of all bundles that can be read."""
        missing = 0
        for n in range(self._start // TILE_WIDTH, -(-size // TILE_WIDTH)):
            first = n * TILE_WIDTH
            bundle = self._bundle(n, min(TILE_WIDTH, size - first))
            missing = 0 if bundle else missing + 1
            if missing == _MISSING_IN_A_ROW_MAX:
                return
            begin = max(first, self._start)
            if len(bundle) > begin - first:
                yield StoredRun(begin, list(bundle[begin - first :]), None)

    def hashes(self, level: int, tile: int, width: int) -> list[bytes | None]:
        """Return the hashes of a tile's file."""
        index = tile * TILE_WIDTH if level == 0 else None
        found = self._find(functools.partial(tile_path, level, tile), width, _HASH_SIZE, index)
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

    def first_checkpoint(self) -> int:
        """Return the number that the first would have."""
        return 0

    def references(self, start: int, stop: int) -> list[tuple[object, object, object]] | None:
        """Return None: there is no index of references."""
        return None

    def check_the_rest(self, origin: str, size: int) -> None:
        """Files beyond the checkpoint may lie there."""

    def close(self) -> None:
        """Let go of connections."""
        self._files.close()

    def _bundle(self, n: int, width: int) -> list[bytes]:
        index = n * TILE_WIDTH
        found = self._find(functools.partial(bundle_path, n), width, 2 + ENTRY_SIZE_MAX, index)
        if found is None:
            return []
        data, path, file_width = found
        try:
            return bundle_from_bytes(data, file_width)[:width]
        except TileMalformedError as error:
            self._malformed(index, f"{path}: {error}")
            return []

    def _find(self, path_of: Callable[[int], str], width: int, width_size_max: int, index: int | None) -> Found | None:
        """Return a file, of this width or full; None, and a finding, if there is none or it can't be read."""
        try:
            found = find_file(self._files, path_of, width, width_size_max)
        except OSError as error:
            self._malformed(index, f"{path_of(width)} can't be read: {error.strerror}")
            return None
        if found is None:
            self._findings.add(FindingCode.TILE_MISSING, index, path_of(width))
        return found

    def _malformed(self, index: int | None, detail: str) -> None:
        self._findings.add(FindingCode.TILE_MALFORMED, index, detail)
