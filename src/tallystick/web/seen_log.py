"""What one reader sees of a log's tree: checkpoints and hashes, which are for everybody, and bytes that it may read.

It needs no views, so it is there on a bare export, and where the views can't be made.
"""

from functools import cached_property
from typing import Final

from tallystick.publishing.reader import Reader
from tallystick.web.rights import ReadersRights


class SeenLog:
    """A log's newest snapshot; asked in a worker thread.

    Attributes:
        size: how many entries it has.
        reader: who reads.
        origin: the log's.
    """

    def __init__(self, log: Reader, reader: ReadersRights) -> None:
        """Take the snapshot, and who reads it."""
        self._log = log
        self.reader: Final = reader
        self.size: Final = log.size
        self.origin: Final = log.origin

    @cached_property
    def root(self) -> bytes:
        """The tree's root, as the checkpoint has it."""
        return self._log.checkpoint.root

    @property
    def checkpoint_note(self) -> bytes:
        """The newest signed checkpoint, with the cosignatures that are known of it.

        Raises:
            NotALedgerError: what lies beside the log can't be read.
            ProofInvalidError: it is of another log's past.
        """
        return self._log.checkpoint_note()
