"""What figures answer, for the service's description (description.py): the shapes of the views' dataclasses."""

from collections.abc import Callable
from typing import Any, Final

from tallystick.views.daily import Moved, MovedOnDay
from tallystick.wire import JsonObject

_TEXT: Final[JsonObject] = {"type": "string"}
_MAYBE: Final[JsonObject] = {"type": ["string", "null"]}


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

    about = {"of": _TEXT, "id": _MAYBE, "entries": integer}
    span = {"from": _TEXT, "until": _TEXT}
    return {
        "/v1/days": whole(**about, today=_TEXT, **span, before=shape_of(Moved), days=rows(MovedOnDay)),
    }
