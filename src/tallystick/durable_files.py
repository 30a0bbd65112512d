"""A file is there whole or not at all, and once synced it is there after a crash of the machine too.

    (1) each file aside, made durable; then renamed     once a batch
    (2) every folder that got one, made durable          once

A reader sees the old file or the new one. Killed in between, a folder has some files of the new and none by halves.
One file alone is aside in its own folder, under a hidden name.
"""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

from tallystick.errors import LedgerBusyError

PUBLIC_MODE: Final = 0o644
"""Of what is made to be handed out: exports, receipts, reports."""

PRIVATE_MODE: Final = 0o640
"""Of what lies in a ledger's folder: its owner's, and its group's to read; the umask takes away more."""

ASIDE: Final = ".unfinished"
"""Below the folder: files that aren't whole yet. Empty unless a process was killed."""

FILES_A_BATCH: Final = 64


class DurableFiles:
    """Files that are whole and durable when they can be seen under their names, and seen for good once synced."""

    def __init__(self, folder: Path, mode: int = PUBLIC_MODE) -> None:
        self._folder = folder
        self._mode = mode
        self._aside = folder / ASIDE
        self._aside.mkdir(exist_ok=True)
        for left_over in self._aside.iterdir():
            left_over.unlink()
        self._opened: list[int] = []
        self._places: list[str] = []  # where the opened files belong
        self._touched: set[Path] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close_all()
        if error is None:
            self._aside.rmdir()

    def write(self, path: str, data: bytes) -> None:
        """Take a file in; it replaces one of the same name when its batch is full, or at the next `sync`."""
        aside = os.open(
            self._aside_path(len(self._places)), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, self._mode
        )
        self._opened.append(aside)
        if self._mode == PRIVATE_MODE:
            give_to_owner(aside, self._folder)
        with _named(self._folder / path), os.fdopen(aside, "wb", closefd=False) as file:
            file.write(data)
        self._places.append(path)
        if len(self._places) == FILES_A_BATCH:
            self._rename_all()

    def sync(self) -> None:
        """Return once all files, and their names, are durable."""
        self._rename_all()
        for folder in sorted(self._touched):
            sync_folder(folder)
        self._touched.clear()

    def _rename_all(self) -> None:
        # All are written before the first is synced, so that the disk can take them together.
        with _named(self._folder):
            for aside in self._opened:
                os.fsync(aside)
        self._close_all()
        for number, place in enumerate(self._places):
            path = self._folder / place
            path.parent.mkdir(parents=True, exist_ok=True)
            self._aside_path(number).replace(path)
            # Folders above it too, even old ones: an export that was killed may have made them, and not got this far.
            self._touched |= {path.parents[up] for up in range(place.count("/") + 1)}
        self._places.clear()

    def _close_all(self) -> None:
        while self._opened:
            os.close(self._opened.pop())

    def _aside_path(self, number: int) -> Path:
        return self._aside / str(number)


def create_private(path: Path, mode: int = PRIVATE_MODE) -> int:
    """Return a descriptor of a new, empty file, open for reading and writing; the umask takes away of its mode.

    Raises:
        FileExistsError: there is something of that name.
        OSError: it can't be made.
    """
    made = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        give_to_owner(made, path.parent)
    except BaseException:
        os.close(made)
        raise
    return made


def give_to_owner(opened: int, folder: Path) -> None:
    """Give a file that root made in another user's folder to that user, who couldn't use it otherwise."""
    if os.geteuid() == 0:
        owner = folder.stat()
        if owner.st_uid != 0:
            os.fchown(opened, owner.st_uid, owner.st_gid)


@contextmanager
def whole_file(path: Path, mode: int = 0o666) -> Iterator[BinaryIO]:
    """Give a file to write that is there whole and durable at the end, or not at all.

    One of that name is replaced, and its mode and owner are kept; a new one has what the umask leaves of `mode`. A link
    of that name would be replaced too: named_files.py follows it first.

    Raises:
        OSError: no folder, no room or no right to; what was there is untouched.
    """
    aside = path.with_name(f".{secrets.token_hex(8)}{ASIDE}")  # no longer than any name may be
    with _named(path, hidden=aside):
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with _named(path, hidden=aside), os.fdopen(descriptor, "wb") as file:
            if mode == PRIVATE_MODE:
                give_to_owner(descriptor, path.parent)
            _keep_mode_and_owner(path, descriptor)
            yield file
            file.flush()
            os.fsync(descriptor)
        with _named(path, hidden=aside):
            aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def _keep_mode_and_owner(path: Path, descriptor: int) -> None:
    """Give an open file the mode and owner of the one that it will replace, and never more readers than that."""
    try:
        old = path.stat()
    except FileNotFoundError:
        return
    os.fchmod(descriptor, 0o600)
    mode = old.st_mode & 0o777
    with suppress(PermissionError):
        os.fchown(descriptor, old.st_uid, -1)
    try:
        os.fchown(descriptor, -1, old.st_gid)
    except PermissionError:
        mode &= ~0o070  # they were for another group
    os.fchmod(descriptor, mode)


@contextmanager
def _named(path: Path, hidden: Path | None = None) -> Iterator[None]:
    """Say which file it was, of an error that doesn't, or that names a hidden one: a descriptor has no name."""
    try:
        yield
    except OSError as error:
        if error.filename is None or (hidden is not None and str(error.filename) == str(hidden)):
            error.filename, error.filename2 = str(path), None
        raise


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


@contextmanager
def exclusive_lock(folder: Path) -> Iterator[None]:
    """Keep others who write to a folder out; the system lets go of the lock when this process ends, however it ends.

    Raises:
        LedgerBusyError: one is at work.
    """
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LedgerBusyError(f"{folder} is being written by another process; try again when it is done") from None
        yield
    finally:
        os.close(opened)
