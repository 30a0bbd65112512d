"""A file is read up to a limit and never beyond it, wherever it lies; a length that somebody states counts for nothing.

A partial tile may be deleted once the full one is there (tlog-tiles, "Partial Tiles"): whoever doesn't find the one
reads the other and cuts it.
"""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from tallystick.addresses import is_url
from tallystick.errors import NotAFileError
from tallystick.signing.note import NOTE_SIZE_MAX
from tallystick.transparency.tiles import TILE_WIDTH

CHECKPOINT: Final = "checkpoint"
TILES: Final = "tile"
CHECKPOINT_SIZE_MAX: Final = NOTE_SIZE_MAX


class StaticFiles(Protocol):
    """Where an exported log's files come from.

    Attributes:
        name: the folder or the URL, without a slash at its end.
    """

    name: str

    def read(self, path: str, size_max: int) -> bytes | None:
        """Return a file's bytes, or None if there is no such file.

        At most one byte more than `size_max` is read: enough to be found too long.

        Raises:
            OSError: it is there and can't be read.
            LedgerError: the server gave no usable answer, however often it was asked.
        """

    def close(self) -> None:
        """Let go of connections."""


class Found(NamedTuple):
    """A tile's or a bundle's file: its bytes, its path, and the width that its path says it has."""

    data: bytes
    path: str
    width: int


class FolderFiles:
    """The files of a folder."""

    def __init__(self, folder: Path) -> None:
        self.name = str(folder)
        self._folder = folder

    def read(self, path: str, size_max: int) -> bytes | None:
        """Return a file's bytes, at most one more than `size_max`; None if there is none.

        Raises:
            OSError: it can't be read, or is no ordinary file (a pipe would keep us waiting for ever).
        """
        place = self._folder / path
        try:
            if place.exists() and not place.is_file():
                raise NotAFileError(errno.EINVAL, "not a file", str(place))
            with place.open("rb") as file:
                return file.read(size_max + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def close(self) -> None:
        """Nothing is held open."""


def open_files(source: Path | str) -> StaticFiles:
    """Return the files of a folder or a URL; nothing is read yet.

    Raises:
        UsageError: a URL that can't be one of an exported log.
    """
    if isinstance(source, str) and is_url(source):
        # Imported here: whoever reads a folder needs no HTTP and no TLS.
        from tallystick.static.web import WebFiles  # noqa: PLC0415

        return WebFiles(source)
    return FolderFiles(Path(source))


def find_file(files: StaticFiles, path_of: Callable[[int], str], width: int, width_size_max: int) -> Found | None:
    """Return a tile's or bundle's file of this width, or else the full one.

    Args:
        files: where it lies.
        path_of: its path, by width.
        width: 1 to 256.
        width_size_max: the most bytes that one of its places takes.

    Raises:
        OSError, LedgerError: it can't be read.
    """
    for file_width in (width, TILE_WIDTH)[: 1 if width == TILE_WIDTH else 2]:
        path = path_of(file_width)
        data = files.read(path, file_width * width_size_max)
        if data is not None:
            return Found(data, path, file_width)
    return None
