"""Where in a log a paper was made: from there it can be made again, and each of its entries proved.

The root is that of the tree of so many entries. Where the log has grown since, it is worked out from tiles, and a
consistency proof leads from it to the checkpoint's root (`publishing.proving`).
"""

from dataclasses import dataclass

from tallystick.errors import NotFoundError
from tallystick.publishing.proving import prove_consistency
from tallystick.publishing.reader import Reader
from tallystick.transparency.encoding import base64_to_text
from tallystick.vouchers.entry import Entry


@dataclass(frozen=True, slots=True)
class LogPlace:
    """A place in a log.

    Attributes:
        origin: the log's.
        index: of the last entry that counts.
        at: the log's time of it (microseconds).
        size: how many entries count.
        root: of the tree of these: 32 bytes.
        zone: the network's offset from UTC (seconds).
    """

    origin: str
    index: int
    at: int
    size: int
    root: bytes
    zone: int

    @property
    def root_text(self) -> str:
        """The root in base64, as a checkpoint has it."""
        return base64_to_text(self.root).decode()


def place_in(reader: Reader, size: int | None = None) -> LogPlace:
    """Return the place after so many entries of a log; all, if not given.

    Raises:
        NotFoundError: there is no entry yet.
        ProofInvalidError: the log's tree doesn't lead to its checkpoint.
        NotALedgerError: an entry or a tile can't be read.
        StoreFailedError: a failover may lose it; nothing is handed on.
    """
    size = reader.size if size is None else size
    if size == 0:
        raise NotFoundError("the log had no entry then: there is nothing to say of it")
    root = prove_consistency(reader, size).old_root
    event = Entry.from_bytes(reader.entry(size - 1)).event
    return LogPlace(reader.origin, size - 1, event.at, size, root, reader.utc_offset_seconds())
