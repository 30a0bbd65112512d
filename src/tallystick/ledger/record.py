"""eventsourcing's Application over a log: one originator with version index + 1, so the primary key orders and fences.

It adapts, it doesn't decide. Stored bytes are the entry's own, topics are event kinds set by hand, and the
environment is just what is passed: the library would let the process environment override it.
"""

from dataclasses import dataclass
from typing import Any, Final, cast

from tallystick.ledger.library import (
    Application,
    DomainEventProtocol,
    Environment,
    EnvType,
    InfrastructureFactory,
    Mapper,
    StoredEvent,
    get_topic,
)
from tallystick.ledger.store import Group, LogStore
from tallystick.vouchers.entry import Entry

ENTRIES_READ_AT_ONCE: Final = 256


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry as the library sees it: an event of one originator, the log."""

    originator_id: str
    originator_version: int
    entry: Entry


class EntryMapper(Mapper[str]):
    """Keeps an entry's bytes as they are, under its event's kind."""

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEvent:
        """Return what the store keeps of a `Recorded`."""
        recorded = cast(Recorded, domain_event)
        entry = recorded.entry
        return StoredEvent(recorded.originator_id, recorded.originator_version, entry.event.kind, entry.data)

    def to_domain_event(self, stored_event: StoredEvent) -> Recorded:
        """Return the `Recorded` that is kept.

        Raises:
            EntryMalformedError: the bytes are no entry.
        """
        return Recorded(
            str(stored_event.originator_id), stored_event.originator_version, Entry.from_bytes(stored_event.state)
        )


class LedgerRecord(Application[str]):
    """The log's entries in an event store."""

    def construct_env(self, name: str, env: EnvType | None = None) -> Environment:
        """Return exactly the environment that was passed."""
        return Environment(name, env or {})

    @property
    def store(self) -> LogStore:
        """The recorder, as the store that it is."""
        return cast(LogStore, self.recorder)

    def close(self) -> None:
        """Let go of the store, which the library doesn't know to hold more than connections."""
        self.store.close()
        super().close()

    def keep(self, origin: str, entries: list[Entry], group: Group) -> None:
        """Commit a group: its entries, tree hashes, references and checkpoint, or nothing.

        Raises:
            PersistenceError: nothing was kept, or (the connection being lost) that is unknown.
        """
        recorded = [Recorded(origin, entry.event.index + 1, entry) for entry in entries]
        self.events.put(recorded, group=group)


def environment(factory: type[InfrastructureFactory[Any]], **settings: str) -> dict[str, str]:
    """Return the whole environment of a LedgerRecord whose store the given factory makes."""
    return {
        "PERSISTENCE_MODULE": get_topic(factory),
        "MAPPER_TOPIC": get_topic(EntryMapper),
        "ORIGINATOR_ID_TYPE": "text",
        **settings,
    }
