"""An exported log, in a folder or on the web, gives what every log gives, and nothing that writes.

What was exported is entries, tree and newest checkpoint: there is no series of checkpoints, no index of references, and
nothing beside it. Cosignatures are lines of its checkpoint.
"""

from collections.abc import Iterator, Sequence

from tallystick.errors import MalformedError
from tallystick.ledger.store import CheckpointRow, LogStore
from tallystick.signing.note import Note
from tallystick.static.log import StaticLog
from tallystick.transparency.encoding import HASH_SIZE
from tallystick.transparency.merkle import TILE_WIDTH
from tallystick.vouchers.entry import split_entry
from tallystick.vouchers.rulebook import parse_command


class StaticStore:
    """A `ReadStore` over static files."""

    def __init__(self, log: StaticLog) -> None:
        self._log = log

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield the bytes of entries start … stop - 1."""
        return self._log.entries(start, stop)

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

    def find_references(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """Return the entry index of each (party, ref) that was used; no index was exported, so all entries are read."""
        wanted, found = set(keys), {}
        entries = self.entries(0, self._log.checkpoint.size) if wanted else iter(())
        for index, data in enumerate(entries):
            try:
                command = parse_command(Note.from_bytes(split_entry(data)[1]).text)
            except MalformedError:
                continue  # replaying the log says so
            if (command.party, command.ref) in wanted:
                found[command.party, command.ref] = index
                if len(found) == len(wanted):
                    break
        return found

    def close(self) -> None:
        """Let go of the files."""
        self._log.close()


AnyStore = LogStore | StaticStore
"""What a SOURCE is opened as: a ledger's store, which may grow meanwhile, or an export."""
