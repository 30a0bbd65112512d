"""Where a command goes and what is known there: a ledger on this machine, or a service.

Both say the network's zone, what things are called and which there are, what would be decided, and record. A service is
asked through `tallystick.client`, which verifies every receipt before it returns it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tallystick.cli.lookups import Candidate
    from tallystick.usage.logs import ProviderLog
    from tallystick.wire import JsonObject


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a note: as `submit --json` says it, and the receipt of what was recorded."""

    said: "JsonObject"
    receipt: bytes | None = None


class Place(Protocol):
    """Where a command goes."""

    @property
    def origin(self) -> str:
        """The log's origin."""

    @property
    def zone(self) -> int:
        """The network's offset in seconds."""

    def clock(self) -> int:
        """Return when it is now (microseconds)."""

    def name_of(self, kind: str, id_: str) -> str | None:
        """Return what a party, a programme or an item is called, None if that isn't known."""

    def candidates(self, kind: str, party: str) -> "list[Candidate]":
        """Return the things of a kind that a party's command may name; empty if none is known."""

    def knows_all(self) -> bool:
        """Return whether what isn't among the candidates isn't there."""

    def check(self, notes: Sequence[bytes]) -> "list[JsonObject]":
        """Return what would be decided on notes, one after another."""

    def submit(self, notes: Sequence[bytes]) -> list[Answer]:
        """Record notes, or say why not, in order."""

    def leave(self, note: bytes) -> "JsonObject | None":
        """Leave a note for those who are to sign it too, and say who they are; None where nothing can be left."""

    def waiting(self, name: str) -> bytes:
        """Return the note that waits for a signature of ours: by its id, the id's beginning, or PARTY/REF.

        Raises:
            UsageError: there is none, or several, or nothing can wait here.
        """

    def provider_log(self) -> "ProviderLog":
        """Return the log, as a provider may read it, as it is now."""

    def close(self) -> None:
        """Let go of what is open."""
