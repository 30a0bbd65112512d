"""An exported log, in a folder or on the web, is read like a store; it can't be written.

What was exported is entries, tree and newest checkpoint: there is no index of references, and no snapshot.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from tallystick.errors import MalformedError, UsageError
from tallystick.ledger.beside import MemoryBeside
from tallystick.ledger.library import StoredEvent
from tallystick.ledger.store import Beside, CheckpointRow
from tallystick.signing.note import Note
from tallystick.static.log import StaticLog
from tallystick.transparency.merkle import TILE_WIDTH
from tallystick.transparency.spelling import HASH_SIZE
from tallystick.vouchers.commands import parse_command
from tallystick.vouchers.entry import split_entry


class StaticStore:
    """The reads of a `LogStore` over static files."""

    def __init__(self, log: StaticLog) -> None:
        self._log = log

    @property
    def beside(self) -> Beside:
        """Nothing lies beside an export: cosignatures are lines of its checkpoint."""
        return MemoryBeside()

    def settle(self) -> None:
        """Refuse.

        Raises:
            UsageError: always.
        """
        raise UsageError("an export is read-only: write to the ledger that it was made from")

    def confirm(self) -> None:
        """Nothing is published that doesn't stay."""

    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        **kwargs: Any,  # noqa: ANN401 - the library's own signature
    ) -> Sequence[int] | None:
        """Refuse.

        Raises:
            UsageError: always.
        """
        raise UsageError("an export is read-only: write to the ledger that it was made from")

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the bytes of entries start … stop - 1."""
        return self._log.entries(start, stop)

    def entry_count(self) -> int:
        """Return the checkpoint's size."""
        return self._log.checkpoint.size

    def tree_hashes(self, level: int, start: int, stop: int) -> list[bytes]:
        """Return hashes start … stop - 1 of a tile level, from as many tiles as they lie in."""
        hashes: list[bytes] = []
        while start < stop:
            n, place = divmod(start, TILE_WIDTH)
            width = min(TILE_WIDTH, stop - n * TILE_WIDTH)
            tile = self._log.read_tile(level, n, width)
            hashes += [tile[at : at + HASH_SIZE] for at in range(place * HASH_SIZE, width * HASH_SIZE, HASH_SIZE)]
            start = n * TILE_WIDTH + width
        return hashes

    def newest_checkpoint(self) -> CheckpointRow:
        """Return the checkpoint; its number in the writer's series isn't known, and 0 stands for it."""
        return CheckpointRow(0, self._log.checkpoint.size, self._log.note)

    def checkpoints(self, start: int) -> Iterator[CheckpointRow]:
        """Yield the one that was exported."""
        yield from [self.newest_checkpoint()][start:]

    def find_references(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """Return the entry index of each (party, ref) that was used; no index was exported, so all entries are read."""
        wanted, found = set(keys), {}
        entries = self.entries(0, self._log.checkpoint.size) if wanted else iter(())
        for index, data in enumerate(entries):
            try:
                command = parse_command(Note.from_bytes(split_entry(data)[1]).text)
            except MalformedError:
                continue  # whoever replays the log says so
            if (command.party, command.ref) in wanted:
                found[command.party, command.ref] = index
                if len(found) == len(wanted):
                    break
        return found

    def close(self) -> None:
        """Let go of the files."""
        self._log.close()
