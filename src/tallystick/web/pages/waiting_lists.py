"""What waits for somebody, and what ends soon: how many of each, and a table of the first."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from tallystick.web.pages.cells import columns_of
from tallystick.web.pages.page import Column, Table
from tallystick.web.pages.words import N_, Words
from tallystick.wire import DataclassValue

ROWS_WAITING: Final = 20
"""Of each list; its own page has all."""
_DAYS: Final[Mapping[str, str]] = {
    "age_days": N_("Days it waits"),
    "days_left": N_("Days left"),
    "verdicts": N_("Verdicts that stand"),
}


@dataclass(frozen=True, slots=True)
class _List:
    """A list of what waits: its member, what it is called, the member of its rows' days and what that is called."""

    member: str
    caption: str
    days: str
    columns: tuple[str, ...]


_LISTS: Final = (
    _List(
        "claims",
        N_("Claims to decide, oldest first"),
        "age_days",
        ("claim", "programme", "claimant", "amount_fen", "last_day", "claimed_at", "age_days"),
    ),
    _List(
        "applications",
        N_("Applications that are open, oldest first"),
        "age_days",
        ("application", "programme", "holder", "amount_fen", "left_fen", "filed_at", "age_days", "verdicts"),
    ),
    _List(
        "vouchers",
        N_("Vouchers that are over or end soon"),
        "days_left",
        ("voucher", "programme", "holder", "valid_until", "days_left", "available_fen", "reserved_fen"),
    ),
    _List(
        "reservations",
        N_("Reservations that are over or end soon"),
        "days_left",
        ("reservation", "contract", "holder", "provider", "until", "days_left", "remaining_fen"),
    ),
    _List(
        "programmes",
        N_("Programmes that close soon"),
        "days_left",
        ("programme", "treasury", "closes_at", "days_left", "unissued_fen"),
    ),
    _List(
        "mandates",
        N_("Mandates that end soon"),
        "days_left",
        ("mandate", "treasury", "operator", "until", "days_left", "left_fen"),
    ),
    _List(
        "accreditations",
        N_("Accreditations that end soon"),
        "days_left",
        ("provider", "programme", "valid_until", "days_left"),
    ),
)


@dataclass(frozen=True, slots=True)
class Waits:
    """How many wait of a kind.

    Attributes:
        table: the name of the table with the first of them.
        caption: what they are.
        count, more: how many, and whether there are more than are counted.
        amount_fen: of how much.
        age_days: how long the first has waited; None of what ends.
        days_left: when the first ends; None of what waits.
    """

    table: str
    caption: str
    count: int
    more: bool
    amount_fen: int
    age_days: int | None
    days_left: int | None


def waits_of(waiting: DataclassValue, words: Words) -> list[Waits]:
    """Return how many wait of each kind of which any do."""
    said = asdict(waiting)
    return [
        Waits(
            f"waiting_{one.member}",
            words.gettext(one.caption),
            said[one.member]["count"],
            said[one.member]["more"],
            said[one.member]["amount_fen"],
            *(said[one.member]["rows"][0].get(name) for name in ("age_days", "days_left")),
        )
        for one in _LISTS
        if said[one.member]["count"]
    ]


def waiting_tables(
    waiting: DataclassValue, words: Words, limit: int = ROWS_WAITING, without: Sequence[str] = ()
) -> list[Table]:
    """Return a table of the first of each kind of which any wait.

    Args:
        waiting: what waits (`views.waiting.Waiting`).
        words: the reader's language.
        limit: how many rows of each.
        without: columns that would say the same in every row.
    """
    said: dict[str, Any] = asdict(waiting)
    return [
        Table(
            f"waiting_{one.member}",
            words.gettext(one.caption),
            [_column(name, words) for name in one.columns if name not in without],
            said[one.member]["rows"][:limit],
        )
        for one in _LISTS
        if said[one.member]["count"]
    ]


def _column(name: str, words: Words) -> Column:
    if name in _DAYS:
        return Column(name, words.gettext(_DAYS[name]), "count")
    return columns_of((name,), words)[0]
