"""The members of closed lists in English: what pages call kinds, reasons, states and fields, by their codes."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple


class ClosedList(NamedTuple):
    """The texts of a list.

    Attributes:
        texts: by code.
        context: of the texts in the catalogue, where a word alone could mean something else.
    """

    texts: Mapping[str, str]
    context: str | None


LISTS: Final[Mapping[str, ClosedList]] = MappingProxyType(
    {
        name: ClosedList({}, None)
        for name in (
            *("kind", "reason", "advice", "finding", "pattern", "pattern meaning", "severity", "certainty", "status"),
            *("role", "purpose", "cause", "verdict", "basis", "voucher kind", "origin", "unit", "payee", "transfer"),
            *("cycle", "thing", "act", "member"),
        )
    }
)
