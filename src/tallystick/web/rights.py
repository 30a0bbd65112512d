"""Stand-in until the rights are decided: every reader may read everything."""

from collections.abc import Sequence
from enum import IntEnum
from typing import TypeVar

from starlette.requests import Request

from tallystick.errors import NotFoundError
from tallystick.vouchers.rules.rule import Event
from tallystick.wire import JsonObject

Row = TypeVar("Row")


class Sight(IntEnum):
    """How much of a thing a reader may see."""

    NOTHING = 0
    TERMS = 1
    ALL = 2


class ReadersRights:
    """What one reader may read."""

    name = ""
    reads_all = True

    def check_follows(self) -> None:
        """Raise unless the reader may read the log as a whole."""

    def sight(self, kind: str, id_: str) -> Sight:
        """Return how much of a thing the reader may see."""
        return Sight.ALL

    def check(self, kind: str, id_: str) -> Sight:
        """Return the same, or raise."""
        return self.sight(kind, id_)

    def not_found(self, kind: str, id_: object) -> NotFoundError:
        """Return what is said of a thing that isn't there, or isn't the reader's to see."""
        return NotFoundError(f"there is no {kind} {id_}")

    def terms(self, kind: str, resource: JsonObject) -> JsonObject:
        """Return what is left of a resource for `Sight.TERMS`."""
        return resource

    def rows(self, kind: str, rows: Sequence[Row]) -> list[Row]:
        """Return the rows that the reader may see."""
        return list(rows)

    def may_read_entry(self, event: Event) -> bool:
        """Return whether the reader may see an entry."""
        return True

    def may_read_ref(self, party: str) -> bool:
        """Return whether the reader may ask for a party's references."""
        return True


async def reader_of(request: Request) -> ReadersRights:
    """Return who asks."""
    return ReadersRights()
