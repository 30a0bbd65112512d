"""The log in memory, for tests and for trying things out: the same contract, nothing survives."""

from collections.abc import Iterator, Sequence
from typing import cast

from tallystick.ledger.library import IntegrityError, POPOApplicationRecorder, POPOFactory, StoredEvent
from tallystick.ledger.record import environment
from tallystick.ledger.sidecar import MemorySidecar
from tallystick.ledger.store import CheckpointRow, Group, Sidecar


class MemoryLogRecorder(POPOApplicationRecorder):
    """The library's in-memory recorder, with a group's other rows beside the events."""

    def __init__(self) -> None:
        super().__init__()
        self._tree: dict[int, list[bytes]] = {}
        self._checkpoints: list[CheckpointRow] = []
        self._references: dict[tuple[str, str], int] = {}
        self._sidecar = MemorySidecar()

    @property
    def sidecar(self) -> Sidecar:
        """What lies beside the log, in memory too."""
        return self._sidecar

    def acquire(self) -> None:
        """No other process can have this log, and a commit that failed is over."""

    def wait_replicated(self) -> None:
        """No other process can have begun."""

    def _insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: object) -> Sequence[int] | None:
        group = cast("Group | None", kwargs.get("group"))
        if group is None:
            return super()._insert_events(stored_events, **kwargs)
        with self._database_lock:
            self._check(group)
            ids = super()._insert_events(stored_events, **kwargs)
            for level, _, tree_hash in group.tree_hashes:
                self._tree.setdefault(level, []).append(tree_hash)
            self._references.update({(party, ref): index for index, party, ref in group.references})
            self._checkpoints.append(group.checkpoint)
            return ids

    def _check(self, group: Group) -> None:
        """Refuse what a primary key or a unique index would refuse."""
        if group.checkpoint.number != len(self._checkpoints):
            raise IntegrityError(f"checkpoint {group.checkpoint.number} after {len(self._checkpoints)}")
        if any((party, ref) in self._references for _, party, ref in group.references):
            raise IntegrityError("a reference is taken")

    def entries(self, start: int, stop: int) -> Iterator[bytes]:
        """Yield entries in order."""
        for stored_event in self._stored_events[start:stop]:
            yield stored_event.state

    def entry_count(self) -> int:
        """Return the highest index + 1."""
        return len(self._stored_events)

    def tree_hashes(self, level: int, start: int, stop: int) -> list[bytes]:
        """Return hashes of one tile level."""
        return self._tree.get(level, [])[start:stop]

    def newest_checkpoint(self) -> CheckpointRow | None:
        """Return the checkpoint with the highest number."""
        return self._checkpoints[-1] if self._checkpoints else None

    def checkpoints(self, start: int) -> Iterator[CheckpointRow]:
        """Yield checkpoints in order."""
        yield from self._checkpoints[start:]

    def find_references(self, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """Return the entry index of each (party, ref) that was used."""
        return {key: self._references[key] for key in keys if key in self._references}

    def close(self) -> None:
        """Nothing is held."""


class MemoryLogFactory(POPOFactory):
    """The library's factory, for our recorder."""

    def application_recorder(self) -> MemoryLogRecorder:
        """Return a new, empty log."""
        return MemoryLogRecorder()


def memory_environment() -> dict[str, str]:
    """Return the environment of a LedgerRecord that lives in this process alone."""
    return environment(MemoryLogFactory)
