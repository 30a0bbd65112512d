"""A file that a person named for output is replaced whole or made; nothing that lies there otherwise is destroyed.

    -, /dev/stdout, /dev/fd/N     written to as they are open, wherever that leads
    a device, a pipe              written to; it stays what it is. A disk, a socket and a folder are refused
    a symbolic link               followed; what it leads to is replaced or made, where that lies
    an ordinary file              replaced whole (durable_files.py), and keeps its mode and owner, if it is empty or
                                  holds the kind of thing that is written; else it is refused, unless forced
    a file without write permission, or with more names (hard links), is refused

All of it is looked at before the work begins, and again before the first byte is written. What goes to a pipe or to
standard output comes as it is made: there it can't be whole or not at all.
"""

import os
import re
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from tallystick.durable_files import whole_file
from tallystick.errors import UsageError

STANDARD_OUTPUT: Final = "-"

_LOOKED_AT: Final = 1_048_576  # bytes at a file's beginning, to see what kind it is
_LINKS_MAX: Final = 40  # as the system has it
_OPEN_FILES: Final = re.compile(r"/dev/fd|/proc/(?:self|\d+)(?:/task/\d+)?/fd")
_NUMBER: Final = re.compile("[0-9]{1,9}")
_ENDS_AS_A_FOLDER: Final = re.compile(r"(?:^|/)\.{0,2}$")
_WRITABLE: Final = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


class Kind(NamedTuple):
    """What a command writes, and how a file is known that may be replaced by it.

    Attributes:
        name: for a person, with its article.
        is_one: whether the beginning of a file, at most 1 MiB, is of this kind.
    """

    name: str
    is_one: Callable[[bytes], bool]


class NamedFile:
    """Where something goes, as a person named it.

    Attributes:
        name: as it was given.
        is_standard_output: nothing else should be printed there then.
        is_replaced: it is an ordinary file, or none yet: it will be whole or not there.
        path: where links lead: the file that is replaced or made.
    """

    def __init__(self, name: str | Path, kind: Kind, *, force: bool | None = None) -> None:
        """Look at the place; nothing is changed.

        Args:
            name: a path, or `-`. Only text can tell `-` from `./-`: a `Path` is always a file.
            kind: what will be written.
            force: replace a file of another kind too; None if the person has no such choice.

        Raises:
            UsageError: it can't be written there without harm; the text is one line and says what to do.
            OSError: it can't be looked at.
        """
        self.name = str(name)
        self._kind = kind
        self._force = force
        if not self.name or _ENDS_AS_A_FOLDER.search(self.name):
            raise UsageError(f"{self.name or 'an empty name'} is a folder's name: give the name of a file in it")
        self._is_dash = name == STANDARD_OUTPUT
        with self._naming():
            self._descriptor, self.path = (1, Path(self.name)) if self._is_dash else self._follow()
            self.is_standard_output = self._descriptor == 1
            self.is_replaced = self._descriptor is None and self._look()

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Give what to write to; an ordinary file is whole and durable at the end, or as it was.

        Raises:
            UsageError: the place has changed, and now it can't be written there without harm.
            OSError: no room or no right to; what was there is untouched, if it is an ordinary file.
        """
        if self._is_dash:
            yield sys.stdout.buffer  # a test's, or the system's
            sys.stdout.buffer.flush()
            return
        with self._naming():
            if self._descriptor is not None:
                sys.stdout.flush()
                opened: AbstractContextManager[BinaryIO] = os.fdopen(os.dup(self._descriptor), "wb")
            else:
                opened = whole_file(self.path) if self._look() else os.fdopen(self._open_as_it_is(), "wb")
        # Only what has no name yet: the work in between reads files of its own.
        with self._naming(only_unnamed=True), opened as file:
            yield file

    def write(self, data: bytes) -> None:
        """Write all of it at once; raises what `open` does."""
        with self.open() as file:
            file.write(data)

    def _follow(self) -> tuple[int | None, Path]:
        """Follow links to what is meant: a file that this process has open already, by its number, or a path."""
        path = Path(self.name)
        for _ in range(_LINKS_MAX):
            folder = path.parent.resolve()
            there = folder / path.name
            if _OPEN_FILES.fullmatch(str(folder)) and _NUMBER.fullmatch(path.name):
                if str(folder) not in ("/dev/fd", f"/proc/{os.getpid()}/fd"):
                    raise UsageError(f"{self.name} is an open file of another process: give a file's name")
                return int(path.name), there
            if not there.is_symlink():
                return None, there
            path = folder / there.readlink()
        raise UsageError(f"{self.name} is a link that leads in circles: give a file's name")

    def _look(self) -> bool:
        """Return whether an ordinary file will be made or replaced; False if what is there is written to as it is.

        Raises:
            UsageError: it is neither.
        """
        shown = self._shown()
        folder = self.path.parent
        try:
            found = self.path.stat()
        except FileNotFoundError:
            if not folder.exists():
                raise UsageError(f"there is no folder {_folder_of(self.name, folder)}") from None
            return True
        except NotADirectoryError:
            raise UsageError(f"{_folder_of(self.name, folder)} is not a folder") from None
        if stat.S_ISDIR(found.st_mode):
            raise UsageError(f"{shown} is a folder: give the name of a file in it")
        if stat.S_ISSOCK(found.st_mode):
            raise UsageError(f"{shown} is a socket: give the name of a file, or of a pipe")
        if stat.S_ISBLK(found.st_mode):
            raise UsageError(f"{shown} is a disk, and what is on it would be lost: give the name of a file")
        if not stat.S_ISREG(found.st_mode):
            return False
        if not found.st_mode & _WRITABLE or not os.access(self.path, os.W_OK):
            mode = f"{stat.S_IMODE(found.st_mode):04o}"
            raise UsageError(f"{shown} is write-protected (mode {mode}): give another name, or make it writable first")
        if not self._force:
            self._check_that_nothing_is_lost(found)
        return True

    def _check_that_nothing_is_lost(self, found: os.stat_result) -> None:
        if found.st_nlink > 1:
            self._refuse(f"has {found.st_nlink} names (hard links), and the others would keep what it holds now")
        if found.st_uid != os.geteuid() and os.geteuid() != 0:
            self._refuse("belongs to another user, and would be yours afterwards")
        if found.st_size == 0 and self.path.suffix != ".lock":
            return
        try:
            with self.path.open("rb") as file:
                is_one = self._kind.is_one(file.read(_LOOKED_AT))
        except PermissionError:
            self._refuse("can't be read to see what it holds")
        if not is_one:
            self._refuse(f"holds something else than {self._kind.name}")

    def _refuse(self, why: str) -> None:
        choice = "" if self._force is None else ", or --force to replace it"
        raise UsageError(f"{self._shown()} {why}: give another name{choice}")

    def _open_as_it_is(self) -> int:
        with self._naming():
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOCTTY)  # neither made nor emptied
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise UsageError(f"{self._shown()} became another file just now: give the same command again")
        return descriptor

    @contextmanager
    def _naming(self, *, only_unnamed: bool = False) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if not only_unnamed or error.filename is None or error.filename == str(self.path):
                error.filename, error.filename2 = self.name, None
            raise

    def _shown(self) -> str:
        """Return the name, and where links lead from there."""
        return f"{self.name} (a link to {self.path})" if Path(self.name).is_symlink() else self.name


def _folder_of(name: str, folder: Path) -> Path:
    """Return a folder as the person wrote it, if no link led elsewhere."""
    written = Path(name).parent
    return written if written.resolve() == folder else folder
