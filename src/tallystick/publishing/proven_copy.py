"""What a log has more than a copy of it, group by group, each proven before it is handed on.

A group is a checkpoint and the entries that it is over. It is proven when

    (1) the checkpoint is the next of the series, and the log's key has signed its note
    (2) its entries can be read, and each says its own place
    (3) the tree that was rebuilt from all entries so far has its root

Tree hashes, kinds and references are made from the entries; nothing else of the source is believed. An export has just
its newest checkpoint, no series: what it has more is one group.

A source that isn't the copy's own future is refused. Whether the log was decided rightly isn't found out here.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import Final, NamedTuple

from tallystick.errors import (
    MalformedError,
    NotALedgerError,
    ProofInvalidError,
    StoreFailedError,
    UsageError,
    VerificationError,
)
from tallystick.ledger.library import PersistenceError, StoredEvent
from tallystick.ledger.opening import POLICY
from tallystick.ledger.sidecar import COSIGNED
from tallystick.ledger.store import CheckpointRow, Group, LogStore, ReferenceRow, Sidecar
from tallystick.ledger.tail import AUDIT_SAYS_MORE, Cosigned, check_cosigned_checkpoint, edge_at
from tallystick.progress import Progress
from tallystick.publishing.static_store import AnyStore, StaticStore
from tallystick.signing.keys import VerifierKey
from tallystick.signing.note import Note, open_note
from tallystick.static.files import CHECKPOINT_SIZE_MAX
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.transparency.merkle import RightEdge, leaf_hash
from tallystick.transparency.policy import POLICY_SIZE_MAX, Policy
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.rules.rule import Event


@dataclass(frozen=True, slots=True)
class Copied:
    """What came of a backup or a restore.

    Attributes:
        origin: the log's.
        size: how many entries the copy has now.
        new_entries: how many of them were copied this time.
        checkpoints: how many the copy has now.
        are_signatures_checked: False if no policy said which key signs the log's checkpoints.
    """

    origin: str
    size: int
    new_entries: int
    checkpoints: int
    are_signatures_checked: bool


class ProvenGroup(NamedTuple):
    """A group as the target is given it."""

    events: list[StoredEvent]
    group: Group
    size_bytes: int


class ProvenCopy:
    """A source as it stood when this was made, and how much of it is proven so far."""

    def __init__(self, source: AnyStore, name: str, policy: Policy | None) -> None:
        """Read what the source says of itself.

        Raises:
            NotALedgerError: there is no checkpoint, or not one that the log's key signed.
            ProofInvalidError: the source isn't what witnesses cosigned.
            StoreFailedError: a failover may lose what the source shows.
            UsageError: the policy is of another log.
        """
        self._source = source
        self._ledger = None if isinstance(source, StaticStore) else source  # which has its series of checkpoints
        self._name = name
        self._policy = policy
        self._keys: tuple[VerifierKey, ...] = ()
        try:
            # Read before the checkpoint: then it can't be of a larger tree, unless the log was cut back.
            cosigned = self._ledger.sidecar.read(COSIGNED, CHECKPOINT_SIZE_MAX) if self._ledger is not None else None
            newest = source.newest_checkpoint()
        except (PersistenceError, sqlite3.Error) as error:
            raise self._damaged(f"it can't be read ({error})") from None
        if newest is None:
            raise NotALedgerError(f"{name} holds no checkpoint; {AUDIT_SAYS_MORE}")
        try:
            if self._ledger is not None:
                self._ledger.wait_replicated()
        except PersistenceError as error:
            raise StoreFailedError(
                f"{name} can't confirm that a failover keeps what it shows, so nothing is copied: {error}"
            ) from None
        self.newest: Final = newest
        self.origin: Final = self._read_checkpoint(newest).origin
        if policy is not None:
            self._keys = tuple([line.vkey for line in policy.logs if line.vkey.name == self.origin])
            if not self._keys:
                raise UsageError(f"the trust policy doesn't name the log of {name}, {self.origin}")
            self._read_checkpoint(newest)
        if self._ledger is None:
            cosigned = newest.note if _without_witnesses(newest.note, self.origin) != newest.note else None
        self._cosigned = self._check_cosigned(cosigned)
        self._edge = RightEdge()
        self._number = 0
        self._new_entries = 0

    def resume_from(self, target: LogStore, name: str) -> None:
        """Take what an earlier backup has as proven, if it hangs together and is the source's past."""
        there = target.newest_checkpoint()
        if there is None:
            return
        try:
            checkpoint = Checkpoint.from_text(Note.from_bytes(there.note).text)
            edge = edge_at(target, there.size)
        except (MalformedError, NotALedgerError) as error:
            raise UsageError(f"the backup in {name} is damaged ({error}): choose another folder") from None
        if checkpoint.origin != self.origin:
            raise UsageError(f"{name} holds a backup of another log, {checkpoint.origin}: choose another folder")
        if edge.root() != checkpoint.root or target.entry_count() != there.size:
            raise UsageError(f"the backup in {name} is damaged: choose another folder; {AUDIT_SAYS_MORE}")
        if there.size > self.newest.size:
            raise ProofInvalidError(
                f"history_rewritten: the backup has {there.size:,} entries and {self._name} {self.newest.size:,}: it "
                "is an older copy of the log, or it was cut back; nothing was written"
            )
        is_same_series = self._ledger is not None and next(self._ledger.checkpoints(there.number), None) == there
        if not is_same_series and edge_at(self._source, there.size).root() != edge.root():
            raise ProofInvalidError(
                f"history_rewritten: the first {there.size:,} entries of {self._name} are not those of the backup in "
                f"{name}; keep it, it is evidence; nothing was written"
            )
        if self._ledger is not None and not is_same_series:
            raise UsageError(f"{name} has other checkpoints over the same entries: choose another folder")
        self._read_checkpoint(there)  # an earlier one may have been made without a policy
        self._check_cosigned(target.sidecar.read(COSIGNED, CHECKPOINT_SIZE_MAX))
        self._edge, self._number = edge, there.number + 1

    def groups(self, progress: Progress | None) -> Iterator[ProvenGroup]:
        """Yield what the source has more, each group proven.

        Raises:
            NotALedgerError: the next one is damaged.
        """
        try:
            entries = self._source.entries(self._edge.size, self.newest.size)
            for row in self._rows():
                yield self._prove(row, entries)
                if progress is not None:
                    progress(self._edge.size, self.newest.size)
        except (PersistenceError, sqlite3.Error, MalformedError) as error:
            raise self._damaged(f"it can't be read ({error})") from None
        if self._edge.size != self.newest.size:
            raise self._damaged(f"checkpoint {self._number} is missing")

    def put_sidecar(self, sidecar: Sidecar, files: Sidecar | None) -> None:
        """Keep what lies beside the log, where something newer isn't there already."""
        if self._cosigned is not None:
            with sidecar.exclusive_lock():
                there = sidecar.read(COSIGNED, CHECKPOINT_SIZE_MAX)
                if there != self._cosigned.note and _size_of(there) <= self._cosigned.checkpoint.size:
                    sidecar.write(COSIGNED, self._cosigned.note)
        if self._policy is not None and files is not None:
            text = self._policy.to_text()
            with files.exclusive_lock():
                if files.read(POLICY, POLICY_SIZE_MAX) != text:
                    files.write(POLICY, text)

    def result(self) -> Copied:
        """Return what came of it."""
        checkpoints = max(self._number, self.newest.number + 1)  # the latter, where nothing was left to do
        return Copied(self.origin, self.newest.size, self._new_entries, checkpoints, bool(self._keys))

    def _rows(self) -> Iterator[CheckpointRow]:
        """Yield the checkpoints that come next, up to the newest when this began."""
        if self._ledger is not None:
            yield from takewhile(lambda row: row.number <= self.newest.number, self._ledger.checkpoints(self._number))
        elif self.newest.size > self._edge.size:
            yield CheckpointRow(self._number, self.newest.size, _without_witnesses(self.newest.note, self.origin))

    def _prove(self, row: CheckpointRow, entries: Iterator[bytes]) -> ProvenGroup:
        if row.number != self._number:
            raise self._damaged(f"checkpoint {self._number} is missing")
        checkpoint = self._read_checkpoint(row)  # (1)
        first = self._edge.size
        if checkpoint.origin != self.origin or checkpoint.size <= first:
            raise self._damaged(f"checkpoint {row.number} is not one of this series")
        events, references = [], []
        for index, data in enumerate(islice(entries, row.size - first), start=first):
            event = self._read_entry(data, index)
            events.append(StoredEvent(self.origin, index + 1, event.kind, data))
            references.append(ReferenceRow(index, event.command.party, event.command.ref))
        tree_hashes = self._edge.extend([leaf_hash(event.state) for event in events])
        if self._edge.size != row.size or self._edge.root() != checkpoint.root:  # (3)
            raise self._damaged(f"entries {first:,} to {row.size - 1:,} don't give the root of checkpoint {row.number}")
        self._number += 1
        self._new_entries += len(events)
        return ProvenGroup(events, Group(tree_hashes, references, row), sum(len(event.state) for event in events))

    def _read_entry(self, data: object, index: int) -> Event:  # (2)
        try:
            if not isinstance(data, bytes):
                raise MalformedError("it isn't stored as bytes")
            event = Entry.from_bytes(data).event
            if event.index != index:
                raise MalformedError(f"it says that it is entry {event.index}")
        except MalformedError as error:
            raise self._damaged(f"entry {index} can't be used ({error})") from None
        return event

    def _read_checkpoint(self, row: CheckpointRow) -> Checkpoint:
        try:
            if type(row.size) is not int or not isinstance(row.note, bytes):
                raise MalformedError("its row isn't of a number and bytes")
            note = open_note(row.note, self._keys)[0] if self._keys else Note.from_bytes(row.note)
            checkpoint = Checkpoint.from_text(note.text)
        except (MalformedError, VerificationError) as error:
            raise self._damaged(f"checkpoint {row.number} is not one of this log ({error})") from None
        if checkpoint.size != row.size:
            raise self._damaged(f"checkpoint {row.number} says size {checkpoint.size:,}, and its row {row.size:,}")
        return checkpoint

    def _check_cosigned(self, note: bytes | None) -> Cosigned | None:
        with suppress(MalformedError):  # one that can't be read is of no use, and no evidence
            return check_cosigned_checkpoint(self._source, note, self.origin, self.newest.size)
        return None

    def _damaged(self, what: str) -> NotALedgerError:
        return NotALedgerError(f"{self._name}: {what}; {AUDIT_SAYS_MORE}")


def _without_witnesses(note: bytes, origin: str) -> bytes:
    """Return a checkpoint's note with the log's own lines, which are by keys that bear the log's name."""
    opened = Note.from_bytes(note)
    return Note(opened.text, tuple([line for line in opened.signatures if line.name == origin])).to_bytes()


def _size_of(note: bytes | None) -> int:
    """Return the size that a checkpoint says, 0 if it is none."""
    with suppress(MalformedError):
        return Checkpoint.from_text(Note.from_bytes(note or b"").text).size
    return 0
