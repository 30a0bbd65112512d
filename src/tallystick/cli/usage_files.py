"""Files of usage are read a piece at a time: their SHA-256 is taken meanwhile, and runs lie in a temporary file."""

import hashlib
import os
import struct
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from tallystick.errors import UsageError, UsageFileError
from tallystick.metering.mapping import MAPPING_BYTES_MAX, Mapping, read_mapping
from tallystick.progress import Progress

STANDARD_INPUT: Final = "-"
_PIECE: Final = 1024 * 1024
_LENGTH: Final = struct.Struct("<Q")


@dataclass(slots=True)
class InputFile:
    """A file that was read: its name as it was given, its bytes, and their SHA-256 in hex."""

    name: str
    size: int = 0
    sha256: str = ""

    def said(self) -> dict[str, object]:
        """Return it as `--json` says it."""
        return {"name": self.name, "bytes": self.size, "sha256": self.sha256}


class UsageFiles:
    """Files that are read one after another, each once."""

    def __init__(self, names: Sequence[str], progress: Progress | None = None) -> None:
        """Look at the files.

        Raises:
            UsageError: one is named twice.
            OSError: one isn't there.
        """
        if len(set(names)) != len(names):
            raise UsageError("a file is named twice: its records would all be duplicates")
        self.inputs = [InputFile(name) for name in names]
        self._read_last: InputFile | None = None
        self._progress = progress
        self._total = sum(Path(name).stat().st_size for name in names if name != STANDARD_INPUT)
        self._done = 0

    def __iter__(self) -> Iterator[Iterator[bytes]]:
        """Yield the pieces of each file."""
        for one in self.inputs:
            self._read_last = one
            with _opened(one.name) as file:
                yield self._pieces(file, one)

    @contextmanager
    def named(self) -> Iterator[None]:
        """Say of which file it is that one isn't read at all."""
        try:
            yield
        except UsageFileError as error:
            if self._read_last is None:
                raise
            raise UsageFileError(error.fault, f"{self._read_last.name}: {error.detail}") from None

    def _pieces(self, file: IO[bytes], one: InputFile) -> Iterator[bytes]:
        digest = hashlib.sha256()
        while piece := file.read(_PIECE):
            digest.update(piece)
            one.size += len(piece)
            self._done += len(piece)
            if self._progress is not None and self._total:
                self._progress(self._done, max(self._total, self._done))
            yield piece
        one.sha256 = digest.hexdigest()


class TemporarySpool:
    """Runs that don't fit into memory, in a file without a name (`metering.runs.Spool`); it ends with the process."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._end = 0

    def keep(self, pieces: Iterable[bytes], /) -> Iterator[bytes]:
        """Write pieces; return what reads them back when it is asked to."""
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="tallystick-usage-")  # noqa: SIM115 - until `close`
        begins_at = self._end
        for piece in pieces:
            self._end += self._file.write(_LENGTH.pack(len(piece)) + piece)
        self._file.flush()
        return self._read_back(self._file.fileno(), begins_at, self._end)

    def close(self) -> None:
        """Give the file's room back."""
        if self._file is not None:
            self._file.close()

    @staticmethod
    def _read_back(descriptor: int, at: int, end: int) -> Iterator[bytes]:
        while at < end:
            (length,) = _LENGTH.unpack(os.pread(descriptor, _LENGTH.size, at))
            yield os.pread(descriptor, length, at + _LENGTH.size)
            at += _LENGTH.size + length


@contextmanager
def temporary_spool() -> Iterator[TemporarySpool]:
    """Give a spool, and its room back at the end."""
    with ExitStack() as ending:
        spool = TemporarySpool()
        ending.callback(spool.close)
        yield spool


def mapping_of(path: Path) -> tuple[Mapping, InputFile]:
    """Return the mapping that a file holds, and which file it was.

    Raises:
        UsageError: it isn't one; the place is named.
        OSError: it can't be read.
    """
    with path.open("rb") as file:
        data = file.read(MAPPING_BYTES_MAX + 1)
    return read_mapping(data, str(path)), InputFile(str(path), len(data), hashlib.sha256(data).hexdigest())


@contextmanager
def _opened(name: str) -> Iterator[IO[bytes]]:
    if name == STANDARD_INPUT:
        yield sys.stdin.buffer
        return
    with Path(name).open("rb") as file:
        yield file
