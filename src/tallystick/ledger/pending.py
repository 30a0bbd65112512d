"""Notes on their way through the writer, in groups of one caller that are worth a transaction and yet soon done."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from tallystick.errors import LedgerError
from tallystick.ledger.verification import Verification
from tallystick.transparency.receipt import Receipt
from tallystick.vouchers.admit import SignedCommand
from tallystick.vouchers.refusals import Refusal
from tallystick.vouchers.rules.rule import Event

GROUP_NOTES_MAX: Final = 512
GROUP_BYTES_MAX: Final = 4_000_000


class ProvesEntries(Protocol):
    """What an entry's receipt comes from: the ledger that it is in."""

    def receipt(self, index: int, /) -> Receipt:
        """Return the proof that an entry is in the log."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A command that is an entry: durable, and under a signed checkpoint.

    Attributes:
        index: of its entry.
        entry: the entry's bytes.
        is_new: False if it was recorded before and has come again.
        ledger: where the receipt comes from.
        event: what the entry says.
    """

    index: int
    entry: bytes
    is_new: bool
    ledger: ProvesEntries = field(repr=False)
    event: Event = field(repr=False)

    def receipt(self) -> Receipt:
        """Return the proof that the entry is in the log; it can be checked offline for ever."""
        return self.ledger.receipt(self.index)


NoteAnswer = Admitted | Refusal


@dataclass(slots=True)
class PendingNote:
    """A note as it was read, and its answer, once there is one; a refusal as its reading is its answer."""

    reading: SignedCommand | Refusal
    answer: NoteAnswer | None = None


def _held_lock() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock


@dataclass(slots=True, eq=False)
class Group:
    """Some notes of one caller.

    Attributes:
        notes: in order.
        verification: of what is signed in them; None if it hasn't begun.
        error: raised instead of giving answers.
        done: whether each note is answered, or there is an error.
        wake: released once, when the group is done by another caller or this one is to write.
    """

    notes: list[PendingNote]
    verification: Verification | None = None
    error: LedgerError | None = None
    done: bool = False
    wake: threading.Lock = field(default_factory=_held_lock, repr=False)

    @property
    def answers(self) -> list[NoteAnswer]:
        """What the notes came to, in order, once the group is done."""
        return [note.answer for note in self.notes if note.answer is not None]


def fail(groups: Sequence[Group], error: LedgerError) -> None:
    """Let an error be raised to the groups' callers."""
    for group in groups:
        group.error = error


def in_groups(notes: Sequence[bytes]) -> Iterator[list[bytes]]:
    """Yield the notes in order, in groups."""
    group: list[bytes] = []
    size = 0
    for note in notes:
        group.append(note)
        size += len(note)
        if len(group) == GROUP_NOTES_MAX or size >= GROUP_BYTES_MAX:
            yield group
            group, size = [], 0
    if group:
        yield group
