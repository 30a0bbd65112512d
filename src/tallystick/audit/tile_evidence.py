"""An exported log (C2SP tlog-tiles v0.1.0), in a folder or on the web: checkpoint, tiles of hashes, bundles of entries.

    checkpoint
    tile/<level>/<n>[.p/<width>]
    tile/entries/<n>[.p/<width>]
    states/<size>, states/index       saved states, if there are some: nothing of them is believed (stored_states.py)

Files that the checkpoint implies must be there, with exactly their length. A partial tile or bundle may have been
deleted once the full one is there: then that is read and cut. Files beyond the checkpoint are no finding: an exporter
writes the checkpoint last. A file that can't be read here, or a server that doesn't answer or denies access, ends the
audit: that says nothing about the log.
"""

import functools
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from typing import Final, TypeVar

from tallystick.audit.evidence import StoredCheckpoint, StoredRun
from tallystick.errors import (
    AccessDeniedError,
    MalformedError,
    NotAFileError,
    SourceUnreadableError,
    TileMalformedError,
)
from tallystick.findings import FindingCode, Findings
from tallystick.sources import CHECKPOINT
from tallystick.static.files import CHECKPOINT_SIZE_MAX, Found, ListedFiles, find_file
from tallystick.static.states import (
    INDEX,
    INDEX_SIZE_MAX,
    STATES,
    STATES_MAX,
    index_from_bytes,
    size_named,
    state_path,
)
from tallystick.transparency.merkle import TILE_WIDTH
from tallystick.transparency.tiles import ENTRY_SIZE_MAX, bundle_from_bytes, bundle_path, tile_path

_T = TypeVar("_T")
_HASH_SIZE: Final = 32
_MISSING_IN_A_ROW_MAX: Final = 16  # beyond that the size is fiction, and looking for each file would never end


class TileEvidence:
    """The evidence of an exported log."""

    hash_code = FindingCode.TILE_DIFFERS

    def __init__(self, files: ListedFiles, findings: Findings, start: int = 0) -> None:
        self.name = files.name
        self._files = files
        self._findings = findings
        self._start = start
        self._size_known = True
        self._first: Found | None = None

    def skip_to(self, start: int) -> None:
        """Begin at an entry after all, since those before it were audited elsewhere."""
        self._start = start

    def newest_checkpoint(self) -> bytes | None:
        """Return the checkpoint's bytes.

        Raises:
            SourceUnreadableError: this machine can't read it, or the server doesn't give it.
        """
        return self._read(CHECKPOINT, None, lambda: self._files.read(CHECKPOINT, CHECKPOINT_SIZE_MAX))

    def cosigned(self) -> bytes | None:
        """Return None: witnesses' lines are in the checkpoint itself."""
        return None

    def first_entry(self, origin: str, size: int) -> bytes | None:
        """Return the first entry of the first bundle."""
        width = min(TILE_WIDTH, size)
        try:
            self._first = find_file(self._files, functools.partial(bundle_path, 0), width, 2 + ENTRY_SIZE_MAX)
            return None if self._first is None else bundle_from_bytes(self._first.data, self._first.width)[0]
        except (OSError, AccessDeniedError, TileMalformedError):
            return None

    def entries(self, origin: str, size: int | None) -> Iterator[StoredRun]:
        """Yield the entries of all bundles that can be read; without a size, of full ones as far as they are there."""
        self._size_known = size is not None
        missing: list[int] = []
        for n in count(self._start // TILE_WIDTH):
            first = n * TILE_WIDTH
            if size is not None and first >= size:
                break
            bundle = self._bundle(n, TILE_WIDTH if size is None else min(TILE_WIDTH, size - first))
            if bundle is not None:
                self._note_missing(missing)
                begin = max(first, self._start)
                if len(bundle) > begin - first:
                    yield StoredRun(begin, list(bundle[begin - first :]), None)
                continue
            missing.append(n)
            if size is None or len(missing) == _MISSING_IN_A_ROW_MAX:
                break
        self._note_missing(missing, size)

    def _note_missing(self, missing: list[int], size: int | None = None) -> None:
        """Note bundles that aren't there one after another, as one finding, and forget them."""
        if missing and self._size_known:
            n = missing[0]
            last = size is not None and (missing[-1] + 1) * TILE_WIDTH < size
            more = f", and the {len(missing) - 1} after it" if len(missing) > 1 else ""
            rest = "; no more are looked for" if last else ""
            path = bundle_path(n, TILE_WIDTH if size is None else min(TILE_WIDTH, size - n * TILE_WIDTH))
            self._findings.add(FindingCode.TILE_MISSING, n * TILE_WIDTH, f"{path}{more}{rest}")
        missing.clear()

    def hashes(self, level: int, tile: int, width: int) -> list[bytes | None]:
        """Return the hashes of a tile's file."""
        index = tile * TILE_WIDTH if level == 0 else None
        found = self._find(functools.partial(tile_path, level, tile), width, _HASH_SIZE, index)
        if found is None:
            if self._size_known:  # else no checkpoint implies it
                self._findings.add(FindingCode.TILE_MISSING, index, tile_path(level, tile, width))
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

    def state_sizes(self) -> list[int]:
        """Return the sizes that the list names, and those of the files in the folder, if that can be looked into."""
        try:
            named = self._files.names(STATES)
            data = self._files.read(INDEX, INDEX_SIZE_MAX)
        except (NotAFileError, AccessDeniedError):
            named, data = [], None
        except OSError as error:
            raise self._unreadable(INDEX, error) from None
        sizes = {size for size in map(size_named, named) if size is not None}
        with suppress(MalformedError):
            sizes |= set(index_from_bytes(data or b""))
        return sorted(sizes)[:STATES_MAX]

    def state(self, size: int, size_max: int) -> bytes | None:
        """Return the file of a saved state."""
        path = state_path(size)
        try:
            return self._files.read(path, size_max)
        except NotAFileError:
            raise
        except AccessDeniedError:  # some object stores say so of what isn't there
            return None
        except OSError as error:
            raise self._unreadable(path, error) from None

    def report_unexpected_rows(self, origin: str, size: int) -> None:
        """Files beyond the checkpoint may lie there."""

    def close(self) -> None:
        """Let go of connections."""
        self._files.close()

    def _bundle(self, n: int, width: int) -> list[bytes] | None:
        """Return the entries of a bundle, none if it is malformed; None if it isn't there."""
        index = n * TILE_WIDTH
        found, self._first = self._first, None  # the bundle that `first_entry` read comes first
        if found is None or n:
            found = self._find(functools.partial(bundle_path, n), width, 2 + ENTRY_SIZE_MAX, index)
        if found is None:
            return None
        data, path, file_width = found
        try:
            return bundle_from_bytes(data, file_width)[:width]
        except TileMalformedError as error:
            self._malformed(index, f"{path}: {error}")
            return []

    def _find(self, path_of: Callable[[int], str], width: int, width_size_max: int, index: int | None) -> Found | None:
        """Return a file, of this width or full; None if there is none."""
        return self._read(path_of(width), index, lambda: find_file(self._files, path_of, width, width_size_max))

    def _read(self, path: str, index: int | None, read: Callable[[], _T | None]) -> _T | None:
        """Read a file; what is no file where one must be is a finding, and as good as none.

        Raises:
            SourceUnreadableError: this machine can't read it.
        """
        try:
            return read()
        except NotAFileError as error:
            self._malformed(index, f"{path} can't be read: {error.strerror}")
        except OSError as error:
            raise self._unreadable(path, error) from None
        return None

    def _unreadable(self, path: str, error: OSError) -> SourceUnreadableError:
        return SourceUnreadableError(f"{self.name}/{path} can't be read: {error.strerror}; nothing was audited")

    def _malformed(self, index: int | None, detail: str) -> None:
        self._findings.add(FindingCode.TILE_MALFORMED, index, detail)
