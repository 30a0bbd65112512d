"""What figures answer, for the service's description (description.py): the shapes of the views' dataclasses."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from tallystick.views.ageing import AgeClass
from tallystick.views.daily import Moved, MovedOnDay
from tallystick.views.provider_statement import StatementTotals
from tallystick.views.recent import StatedLine, TimelineLine
from tallystick.views.usage import ItemUsage, OriginUsage, UsageRow
from tallystick.views.waiting import (
    ClosingProgramme,
    EndingAccreditation,
    EndingMandate,
    EndingReservation,
    EndingVoucher,
    Seals,
    WaitingApplication,
    WaitingClaim,
)
from tallystick.wire import JsonObject

_TEXT: Final[JsonObject] = {"type": "string"}
_ENTRY: Final[JsonObject] = {"type": ["integer", "null"]}
_WAITING: Final[Mapping[str, type[Any]]] = {
    "claims": WaitingClaim,
    "applications": WaitingApplication,
    "vouchers": EndingVoucher,
    "reservations": EndingReservation,
    "mandates": EndingMandate,
    "accreditations": EndingAccreditation,
    "programmes": ClosingProgramme,
}
_MAYBE: Final[JsonObject] = {"type": ["string", "null"]}


AS_CSV: Final = ("/v1/days", "/v1/usage-by-item", "/v1/lines", "/v1/statements", "/v1/timeline")
"""Paths whose rows are had as CSV too."""


def figure_shapes(shape_of: Callable[[type[Any]], JsonObject], integer: JsonObject) -> dict[str, JsonObject]:
    """Return the shape of what each path of figures answers.

    Args:
        shape_of: returns the shape of a dataclass.
        integer: the shape of a whole number.
    """

    def whole(**properties: JsonObject) -> JsonObject:
        return {"type": "object", "required": [*properties], "properties": properties}

    def rows(row: type[Any]) -> JsonObject:
        return {"type": "array", "items": shape_of(row)}

    def some(row: type[Any]) -> JsonObject:
        return whole(count=integer, more={"type": "boolean"}, amount_fen=integer, rows=rows(row))

    about = {"of": _TEXT, "id": _MAYBE, "entries": integer}
    span = {"from": _TEXT, "until": _TEXT}
    return {
        "/v1/days": whole(**about, today=_TEXT, **span, before=shape_of(Moved), days=rows(MovedOnDay)),
        "/v1/usage-by-item": whole(**about, items=rows(ItemUsage), origins=rows(OriginUsage)),
        "/v1/usage": whole(by=_TEXT, entries=integer, rows=rows(UsageRow)),
        "/v1/ageing": whole(
            **about,
            now=_TEXT,
            classes=rows(AgeClass),
            **dict.fromkeys(("unclaimed_fen", "withheld_fen", "claimed_fen", "owed_fen"), integer),
        ),
        "/v1/waiting": whole(
            **about,
            now=_TEXT,
            today=_TEXT,
            within_days=integer,
            **{name: some(row) for name, row in _WAITING.items()},
            seals=shape_of(Seals),
        ),
        "/v1/lines": whole(**about, next=_ENTRY, lines=rows(StatedLine)),
        "/v1/statements": whole(**about, next=_ENTRY, statements=rows(StatementTotals)),
        "/v1/timeline": whole(**about, next=_ENTRY, lines=rows(TimelineLine)),
    }
