"""What a client's caller is given: of a note that is an entry, all that was verified of it; of others what was said."""

from dataclasses import dataclass, field

from tallystick.errors import ProblemError
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.transparency.receipt import Receipt
from tallystick.vouchers.entry import Entry, split_entry
from tallystick.wire import JsonObject
from tallystick.wire.answers import recorded


@dataclass(frozen=True, slots=True)
class Recorded:
    """A note that is an entry of the log; everything in here was verified, but for `is_new`.

    Attributes:
        index: of its entry.
        is_new: the server says that it wasn't there before. It is False too if an earlier attempt of the same call had
            arrived and its answer was lost.
        receipt: proves that the entry is in the log.
        checkpoint: the tree that it proves it in.
        is_witnessed: the checkpoint fulfils the whole trust policy. If not, the log has signed it, and the witnesses
            that the policy asks for haven't yet; `Client.receipt` has such a receipt later.
    """

    index: int
    is_new: bool
    receipt: Receipt
    checkpoint: Checkpoint
    is_witnessed: bool = True

    @property
    def entry(self) -> bytes:
        """The entry's bytes."""
        assert self.receipt.entry is not None
        return self.receipt.entry

    @property
    def note(self) -> bytes:
        """The note as it was recorded."""
        return split_entry(self.entry)[1]

    @property
    def answer(self) -> JsonObject:
        """What is said of it, read from the entry (`tallystick.wire.answers.recorded`)."""
        return recorded(Entry.from_bytes(self.entry).event, is_new=self.is_new)


@dataclass(frozen=True, slots=True)
class Checked:
    """What `submit` would decide now, as the server says; nothing proves it.

    Attributes:
        accepted: whether the note would be an entry, or is one.
        answer: all that was said (`tallystick.wire.answers`).
        problem: why it would be refused; None if it is accepted.
    """

    accepted: bool
    answer: JsonObject = field(repr=False)
    problem: ProblemError | None = None


@dataclass(frozen=True, slots=True)
class LogEntry:
    """An entry that was proved to be in the log at its index."""

    index: int
    data: bytes

    @property
    def entry(self) -> Entry:
        """The entry, read.

        Raises:
            EntryMalformedError: it can't be; that it is in the log doesn't make it one.
            EditionUnknownError: it was made by rules that this version doesn't know.
        """
        return Entry.from_bytes(self.data)


Submitted = Recorded | ProblemError
"""What a note came to; a refusal among the answers to several notes is a value."""
