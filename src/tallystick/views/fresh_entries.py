"""Entries that this process has just written, as it read them: its views need not read them once more.

The views follow the log alone: an entry is taken from here only where the log has the same bytes at its index. All else
is read from those bytes: after a start, of another writer's entries, and of what there was no room for.
"""

import threading
from collections.abc import Iterable
from typing import Final

from tallystick.vouchers.entry import Entry

ENTRIES_MAX: Final = 8_192
BYTES_MAX: Final = 8_000_000
"""Of entries; read, they take some ten times as much."""


class FreshEntries:
    """Entries that were kept by one thread, to be taken by another.

    Attributes:
        taken: how many were, for whoever measures.
    """

    def __init__(self) -> None:
        """Start with none."""
        self._lock = threading.Lock()
        self._entries: dict[int, Entry] = {}
        self._bytes = 0
        self.taken = 0

    def keep(self, entries: Iterable[Entry]) -> None:
        """Keep those for which there is room: the oldest, which are followed first."""
        with self._lock:
            for entry in entries:
                if len(self._entries) < ENTRIES_MAX and self._bytes + len(entry.data) <= BYTES_MAX:
                    self._bytes += len(entry.data)
                    self._entries[entry.event.index] = entry

    def entry(self, index: int, data: bytes) -> Entry:
        """Return the entry that the log has at an index, and let go of those up to it.

        Raises:
            EntryMalformedError: it can't be read.
            EditionUnknownError: it founds a network by rules that this version doesn't know, or adopts them.
        """
        with self._lock:
            kept = self._entries.get(index)
            while self._entries and (oldest := next(iter(self._entries))) <= index:
                self._bytes -= len(self._entries.pop(oldest).data)
            if kept is None or kept.data != data:
                return Entry.from_bytes(data)
            self.taken += 1
            return kept
