"""Evidence gives bytes, and trusts nothing about them: whatever is odd in it becomes a finding.

What keeps it from being read says nothing about it: that alone raises, a `SourceUnreadableError`, and ends the audit.

    store_evidence.py    a ledger's tables, every cell of them: by sqlite_evidence.py or postgres_evidence.py
    tile_evidence.py     an exported folder in the layout of C2SP tlog-tiles
    evidence_source.py   which of them a source is

Evidence can begin at an entry: then nothing before it is read, but for the hashes that are asked for.
What the bytes mean is replay's matter, whether they hang together the tree's. Evidence is read once, from beginning
to end, and in pieces: memory doesn't grow with it.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple, Protocol

from tallystick.findings import FindingCode

COSIGNED: Final = "checkpoint.cosigned"
"""Under which name the newest checkpoint that witnesses cosigned lies beside a ledger's tables."""


class StoredRun(NamedTuple):
    """Entries that lie there one after another, from index `first` on.

    Attributes:
        data: their bytes; None where they can't be read, which is a finding already.
        topics: what they are filed under, None where that isn't text; or None if no topics are kept.
    """

    first: int
    data: list[bytes | None]
    topics: list[str | None] | None


class StoredCheckpoint(NamedTuple):
    """A row of the series of checkpoints: number and size as the row says, and the signed note."""

    number: int
    size: object
    note: object


class Evidence(Protocol):
    """Where an audit gets its bytes from.

    Attributes:
        name: what a person calls it.
        hash_code: the finding for a stored hash above the leaves that is wrong.
    """

    name: str
    hash_code: FindingCode

    def newest_checkpoint(self) -> bytes | None:
        """Return the newest signed checkpoint, or None if there is none."""

    def cosigned(self) -> bytes | None:
        """Return what lies beside the log as its newest cosigned checkpoint, if it is kept apart and there is one.

        It was read no later than the newest checkpoint, so it can't be of a larger tree while a writer is at work.
        """

    def first_entry(self, origin: str, size: int) -> bytes | None:
        """Return entry 0 of a log of this size, if the evidence begins there; None if it can't be read.

        That is no finding: why not, `entries` notes or raises.
        """

    def entries(self, origin: str, size: int | None) -> Iterator[StoredRun]:
        """Yield what is there of entries 0 … size - 1, or from where it begins, by index, in runs of at most 256.

        Without a size: all that are there.
        """

    def hashes(self, level: int, tile: int, width: int) -> list[bytes | None]:
        """Return the first `width` hashes that a tile is said to hold; None for what is missing, which was noted."""

    def checkpoints(self) -> Iterator[StoredCheckpoint]:
        """Yield the series of checkpoints by number, if one is kept, from the size on at which the evidence begins."""

    def first_checkpoint(self) -> int:
        """Return which number the first of them must have."""

    def references(self, start: int, stop: int) -> list[tuple[object, object, object]] | None:
        """Return the (index, party, ref) kept for entries start … stop - 1 by index; None if no such index is kept."""

    def state_sizes(self) -> list[int]:
        """Return after how many entries saved states are said to lie there, ascending; none where none is kept.

        Nothing of them is believed, so what is wrong with the list is no finding.

        Raises:
            SourceUnreadableError: this machine can't read it.
        """

    def state(self, size: int, size_max: int) -> bytes | None:
        """Return the saved state after so many entries, header and all, at most a byte more than `size_max`.

        None if there is none.

        Raises:
            NotAFileError: what is there is no file.
            SourceUnreadableError: this machine can't read it.
        """

    def report_unexpected_rows(self, origin: str, size: int) -> None:
        """Note what lies there besides the entries and the tree of this size, and what is known to lack unread."""

    def close(self) -> None:
        """Let go of files."""
