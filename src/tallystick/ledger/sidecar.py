"""What lies beside a log in a folder, or in memory: each thing whole, or as it was before.

snapshot.json          a saved state
checkpoint.cosigned    the newest checkpoint that witnesses cosigned
"""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

from tallystick.durable_files import PRIVATE_MODE, DurableFiles, exclusive_lock
from tallystick.errors import LedgerBusyError
from tallystick.static.files import FolderFiles

COSIGNED: Final = "checkpoint.cosigned"
"""The newest checkpoint that witnesses cosigned, with their lines (`tallystick checkpoint collect`)."""
SNAPSHOT: Final = "snapshot.json"


class FolderSidecar:
    """Files of a ledger folder."""

    def __init__(self, folder: Path, mode: int = PRIVATE_MODE) -> None:
        """Take the folder, and the mode of the files that are written: another for an export."""
        self._folder = folder
        self._mode = mode
        self._files = FolderFiles(folder)

    def read(self, name: str, size_max: int) -> bytes | None:
        """Return a file's bytes."""
        return self._files.read(name, size_max)

    def write(self, name: str, data: bytes) -> None:
        """Write a file aside, and rename it."""
        with DurableFiles(self._folder, self._mode) as files:
            files.write(name, data)
            files.sync()

    def exclusive_lock(self) -> AbstractContextManager[None]:
        """Lock the folder."""
        return exclusive_lock(self._folder)


class MemorySidecar:
    """A dictionary."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def read(self, name: str, size_max: int) -> bytes | None:
        """Return what is kept."""
        data = self._kept.get(name)
        return None if data is None else data[: size_max + 1]

    def write(self, name: str, data: bytes) -> None:
        """Keep it."""
        self._kept[name] = data

    @contextmanager
    def exclusive_lock(self) -> Iterator[None]:
        """Take the lock."""
        if not self._lock.acquire(blocking=False):
            raise LedgerBusyError("another process writes beside this log; try again when it is done")
        try:
            yield
        finally:
            self._lock.release()
