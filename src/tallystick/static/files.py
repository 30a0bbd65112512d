"""A file is read up to a limit and never beyond it, wherever it lies; a stated length counts for nothing.

A partial tile may be deleted once the full one is there (tlog-tiles, "Partial Tiles"): whoever doesn't find the one
reads the other and cuts it. Where a server denies access to the one, the other is read too, and the denial counts only
if it isn't there either.
"""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from tallystick.errors import AccessDeniedError, NotAFileError
from tallystick.signing.note import NOTE_SIZE_MAX
from tallystick.sources import StaticFolder, StaticUrl
from tallystick.transparency.tiles import TILE_WIDTH

_NO_FILE: Final = frozenset({errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENXIO, errno.ENODEV})
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
            NotAFileError: what is there is no ordinary file.
            OSError: any other: this machine can't read it now.
            AccessDeniedError: the server denies access, which may mean that there is none.
            LedgerError: the server gave no usable answer, however often it was asked.
        """

    def close(self) -> None:
        """Let go of connections."""


class ListedFiles(StaticFiles, Protocol):
    """Static files of which it can be asked what lies in a folder."""

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder; none if it isn't there, or on the web, where nobody says.

        Raises:
            OSError: this machine can't read it now.
        """


class Found(NamedTuple):
    """A tile's or a bundle's file: its bytes, its path, and the width that its path says it has."""

    data: bytes
    path: str
    width: int


class FolderFiles:
    """The files of a folder.

    Three things can be wrong with a path, and they mean different things:

        None            nothing is there (ENOENT, ENOTDIR; also behind a link): the folder lacks this file
        NotAFileError   something else is there (a folder, pipe, socket or device, links in a circle, a name that no
                        file can have): the folder lacks this file too, and whoever made it is to be asked
        OSError         any other (EACCES, EIO, EMFILE, ENOMEM, ...): this machine can't read now what may well be right
    """

    def __init__(self, folder: Path) -> None:
        self.name = str(folder)

    def read(self, path: str, size_max: int) -> bytes | None:
        """Return a file's bytes, at most one more than `size_max`; None if there is none.

        Raises:
            NotAFileError: what is there is no ordinary file.
            OSError: any other: this machine can't read it now.
        """
        place = f"{self.name}/{path}"
        try:
            # Not blocking: opening a pipe would wait for a writer for ever.
            descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
            try:
                status = os.fstat(descriptor)
                if not stat.S_ISREG(status.st_mode):
                    raise NotAFileError(errno.EINVAL, "not a file", place)
                # Its own length first: for the limit's, megabytes would be laid out for each file.
                data = _read_up_to(descriptor, min(status.st_size, size_max) + 1)
                is_longer = len(data) > status.st_size
                return data + _read_up_to(descriptor, size_max + 1 - len(data)) if is_longer else data
            finally:
                os.close(descriptor)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            if error.errno in _NO_FILE and not isinstance(error, NotAFileError):
                raise NotAFileError(error.errno, error.strerror, place) from None
            if error.filename is None:
                error.filename = place
            raise

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder below this one; none if it isn't there.

        Raises:
            OSError: this machine can't read it now.
        """
        try:
            return [path.name for path in Path(self.name, folder).iterdir()]
        except OSError as error:
            if isinstance(error, FileNotFoundError | NotADirectoryError) or error.errno in _NO_FILE:
                return []
            raise

    def close(self) -> None:
        """Nothing is held open."""


def _read_up_to(descriptor: int, size: int) -> bytes:
    """Return so many bytes of a file, or fewer where it ends."""
    data = os.read(descriptor, size)
    while data and len(data) < size:
        more = os.read(descriptor, size - len(data))
        if not more:
            break
        data += more
    return data


def open_files(source: StaticFolder | StaticUrl) -> ListedFiles:
    """Return the files of an exported log; nothing is read yet.

    Raises:
        UsageError: a URL that can't be one of an exported log.
    """
    if isinstance(source, StaticFolder):
        return FolderFiles(source.folder)
    # Imported here: whoever reads a folder needs no HTTP and no TLS.
    from tallystick.static.web import WebFiles  # noqa: PLC0415

    return WebFiles(source.url, token=source.token)


def find_file(files: StaticFiles, path_of: Callable[[int], str], width: int, width_size_max: int) -> Found | None:
    """Return a tile's or bundle's file of this width, or else the full one.

    Args:
        files: where it lies.
        path_of: its path, by width.
        width: 1 to 256.
        width_size_max: the most bytes that one of its places takes.

    Raises:
        AccessDeniedError: access to one of them is denied, and the other isn't there.
        OSError, LedgerError: it can't be read.
    """
    denied = None
    for file_width in (width, TILE_WIDTH)[: 1 if width == TILE_WIDTH else 2]:
        path = path_of(file_width)
        try:
            data = files.read(path, file_width * width_size_max)
        except AccessDeniedError as error:
            denied = error  # some object stores say so of what isn't there
            continue
        if data is not None:
            return Found(data, path, file_width)
    if denied is not None:
        raise denied
    return None
