"""How the members of JSON are shown, by their names: amounts, times, names of things, which lead to their pages."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, cast, get_args

from tallystick.web.pages.addresses import PLURALS
from tallystick.web.pages.page import CellKind, Column, Table
from tallystick.web.pages.words import Words

_BY_NAME: Final[Mapping[str, CellKind]] = {
    "payee": "party",
    "claimant": "party",
    "admitter": "party",
    "operator": "party",
    "attester": "party",
    "parent": "voucher",
    "status": "status",
    "role": "role",
    "purpose": "purpose",
    "basis": "basis",
    "origin": "origin",
    "unit": "unit",
    "verdict": "verdict",
    "closed": "yes_no",
    "reversed": "yes_no",
    "passed": "yes_no",
    "suspended": "yes_no",
    "related_party": "yes_no",
    "index": "entry",
    "objection": "objection",
    "kind": "event_kind",
    "reason": "reason",
    "refused": "reason",
    "gpu_milliseconds": "gpu_time",
    "until": "instant",
    "at": "instant",
    "quorum": "count",
}
_BY_END: Final[tuple[tuple[str, CellKind], ...]] = (
    ("_fen", "yuan"),
    ("_gpu_milliseconds", "gpu_time"),
    ("_bp", "share"),
    ("_at", "instant"),
    ("_index", "entry"),
    ("_hash", "hash"),
    ("_day", "day"),
    ("counts_from", "instant"),
    ("compromised_since", "instant"),
    ("valid_from", "instant"),
    ("valid_until", "instant"),
)
_COUNTS: Final = frozenset(
    {
        "vouchers",
        "programmes",
        "claims",
        "claims_open",
        "lines",
        "lines_accepted",
        "lines_refused",
        "lines_reversed",
        "lines_paid",
    }
)
_NONE: Final[Mapping[str, CellKind]] = {}
OF_THINGS: Final[Mapping[str, Mapping[str, CellKind]]] = {
    "programme": {"payee": "payee_class"},
    "contract": {"claimant": "payee_class"},
    "application": {"status": "status of application"},
    "claim": {"status": "status of claim"},
    "key": {"status": "status of key"},
    "mandate": {"status": "status of mandate"},
    "voucher": {"status": "status of voucher"},
}
"""By the kind of a thing, the members that mean something else there than elsewhere.

A role, and not a party; states that are called otherwise.
"""
_KINDS: Final = frozenset(get_args(CellKind))


def kind_of(name: str) -> CellKind:
    """Return how a member of this name is shown."""
    if name in _BY_NAME:
        return _BY_NAME[name]
    if name in PLURALS and name in _KINDS:
        return cast(CellKind, name)
    if name in _COUNTS:
        return "count"
    return next((kind for end, kind in _BY_END if name.endswith(end)), "text")


def columns_of(names: Iterable[str], words: Words, kinds: Mapping[str, CellKind] = _NONE) -> tuple[Column, ...]:
    """Return the columns of members, with the headings of their names; some are shown otherwise than by their name."""
    return tuple([Column(name, words.member(name), kinds.get(name) or kind_of(name)) for name in names])


def table_of(
    name: str,
    caption: str,
    rows: Sequence[Mapping[str, Any]],
    words: Words,
    *,
    columns: Iterable[str] = (),
    kinds: Mapping[str, CellKind] = _NONE,
    empty: str = "",
) -> Table:
    """Return a table of rows as they are in JSON, with the members that are named, or all that are no lists."""
    names = list(columns) or [
        member for member in dict.fromkeys(member for row in rows for member in row) if _is_plain(member, rows)
    ]
    return Table(name, caption, columns_of(names, words, kinds), rows, empty=empty)


def _is_plain(member: str, rows: Sequence[Mapping[str, Any]]) -> bool:
    return not any(isinstance(row.get(member), list | tuple | dict) for row in rows)
