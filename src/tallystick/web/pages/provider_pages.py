"""A provider's page: what it is owed and paid, what it may claim, its statements, what was refused it, what it has.

Nothing on it grows with the log but tables that go on page by page.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from tallystick.vouchers.quantities import parse_day
from tallystick.web.pages.cells import table_of
from tallystick.web.pages.lists_beside import ROWS_BESIDE, list_beside
from tallystick.web.pages.page import Asked, Column, Page, PageRoute, Table
from tallystick.web.pages.words import Words
from tallystick.web.seen import Seen
from tallystick.wire.resources import rows

ITEMS_MAX: Final = 1_000
"""Of a provider that are shown."""
A_YEAR_DAYS: Final = 366
CAPACITY_DAYS: Final = 30
"""Over how many days what was used is held against the declared capacity."""
_A_GPU_DAY: Final = 1_000 * 86_400
"""In GPU-milliseconds, which are thousandths of a GPU times seconds."""
_WHOLE: Final = 10_000
STATEMENT: Final = (
    *("index", "at", "ref", "contract", "holder", "lines_accepted", "lines_refused", "lines_reversed"),
    *("gpu_milliseconds", "fee_fen", "absorbed_fen", "from_voucher_fen", "reversed_fen"),
)
_BY_PROGRAMME: Final = (
    *("programme", "unclaimed_fen", "claimed_fen", "withheld_fen", "paid_fen", "receivable_fen", "to_holders_fen"),
    *("either_fen", "from_voucher_fen", "reversed_fen", "forfeited_fen", "reserved_fen", "lines_paid"),
)
_STATED: Final = frozenset(
    {"index", "at", "ref", "contract", "holder", "lines_accepted", "fee_fen", "from_voucher_fen"}
)
"""What every table of statements has; the rest, where any of it is there."""
_ALWAYS: Final = frozenset({"programme", "unclaimed_fen", "claimed_fen", "paid_fen"})


class UsedOfCapacity(NamedTuple):
    """What a provider used over some days, of what its capacity in force gives.

    Attributes:
        days: how many.
        used_gpu_milliseconds: of accepted lines, less what was taken back.
        gives_gpu_milliseconds: of all items that it declared.
        share_bp: the one of the other.
    """

    days: int
    used_gpu_milliseconds: int
    gives_gpu_milliseconds: int
    share_bp: int


def _provider(seen: Seen, asked: Asked) -> Page:
    id_, words = asked.path["id"], asked.words
    said: Mapping[str, Any] = seen.summary("provider", id_)["provider"]
    balance = said["balance"]
    sees_all = seen.sees_all_of("provider", id_)
    values: dict[str, Any] = {"id": id_, "balance": balance, "sees_all": sees_all, "capacity": None}
    tables = [_items(seen, id_, words)]
    if sees_all:
        values |= {"owed_fen": owed_fen(balance), "capacity": used_of_capacity(seen, id_)}
        tables += provider_tables(seen, asked, id_, said)
        tables += [
            list_beside(seen, asked, "contract", "contracts", words.gettext("Contracts"), provider=id_),
            _reservations(seen, id_, words),
        ]
    return Page(balance["name"] or id_, values, tables)


def owed_fen(balance: Mapping[str, Any]) -> int:
    """Return what a payee is owed: not claimed, claimed and not settled, or withheld."""
    return sum(int(balance[name]) for name in ("unclaimed_fen", "claimed_fen", "withheld_fen"))


def provider_tables(seen: Seen, asked: Asked, provider: str, said: Mapping[str, Any]) -> list[Table]:
    """Return what a provider's accountant makes a claim of: programmes, claims, statements, refused lines."""
    words = asked.words
    return [
        _by_programme(said["programmes"], words),
        list_beside(seen, asked, "claim", "claims", words.gettext("Claims"), claimant=provider),
        statements_beside(seen, asked, "provider", provider),
        refused_beside(said["refusals"], words),
    ]


def _by_programme(found: Sequence[Mapping[str, Any]], words: Words) -> Table:
    found = [row for row in found if any(row[name] for name in _BY_PROGRAMME if name != "programme")]
    columns = [name for name in _BY_PROGRAMME if name in _ALWAYS or any(row[name] for row in found)]
    none = words.gettext("Nothing was burned here yet.")
    return table_of("programmes", words.gettext("Programme by programme"), found, words, columns=columns, empty=none)


def statements_beside(seen: Seen, asked: Asked, kind: Literal["provider", "holder", "contract"], id_: str) -> Table:
    """Return a thing's statements, newest first, each with the way to its entry and its lines."""
    words, name = asked.words, "statements"
    limit = asked.rows_of(name) if asked.query.get("csv") == name else ROWS_BESIDE
    found = seen.statements(kind, id_, limit, asked.before(name))
    shown = rows(found.rows)
    columns = [one for one in STATEMENT if one != kind and (one in _STATED or any(row[one] for row in shown))]
    caption = words.gettext("Statements, newest first; the entry has its lines")
    none = words.gettext("There is no statement yet.")
    return table_of(name, caption, shown, words, columns=columns, empty=none).going_on(found.next)


def refused_beside(refusals: Iterable[Mapping[str, Any]], words: Words) -> Table:
    """Return how many lines were refused for which reason, the most frequent first, and what can be done."""
    found = sorted(refusals, key=lambda one: -int(one["lines"]))
    shown = [{**one, "advice": words.advice(one["reason"])} for one in found]
    columns = (
        Column("reason", words.gettext("Refused because"), "reason"),
        Column("lines", words.gettext("Lines"), "count"),
        Column("gpu_milliseconds", words.gettext("GPU-time"), "gpu_time"),
        Column("advice", words.gettext("What to do")),
    )
    none = words.gettext("No line was refused.")
    return Table("refused", words.gettext("Refused lines"), columns, shown, empty=none)


def _reservations(seen: Seen, provider: str, words: Words) -> Table:
    found = rows(seen.waiting("provider", provider, A_YEAR_DAYS).reservations.rows)
    columns = ("reservation", "contract", "holder", "until", "days_left", "remaining_fen")
    none = words.gettext("Nothing is reserved.")
    caption = words.gettext("Open reservations, the soonest to end first")
    return table_of("reservations", caption, found, words, columns=columns, empty=none)


# -- what it has ------------------------------------------------------------------------------------------------------


def _items(seen: Seen, provider: str, words: Words) -> Table:
    """Return the items of a provider: its prices in force, and how many of each it says that it has."""
    tariffs = seen.listed("tariff", ITEMS_MAX, provider=provider, status="in_force").as_json()
    declared = _declared(seen, provider)
    prices = {row["item"]: row for row in tariffs}
    shown = [
        {
            "item": item,
            "price_fen": prices.get(item, {}).get("price_fen"),
            "valid_from": prices.get(item, {}).get("valid_from"),
            "tariff_index": prices.get(item, {}).get("index"),
            "installed": declared.get(item),
        }
        for item in sorted({*prices, *declared})
    ]
    columns = (
        Column("item", words.gettext("Item"), "item"),
        Column("price_fen", words.gettext("Price in force"), "yuan"),
        Column("valid_from", words.gettext("Since"), "instant"),
        Column("tariff_index", words.gettext("Published by"), "entry"),
        Column("installed", words.gettext("Declared to have"), "count"),
    )
    none = words.gettext("It has published no price and declared no capacity.")
    return Table("offer", words.gettext("Prices and capacity in force"), columns, shown, empty=none)


def _declared(seen: Seen, provider: str) -> dict[str, int]:
    """Return how many of each item a provider says that it has now."""
    found = seen.listed("capacity", ITEMS_MAX, provider=provider, status="in_force").as_json()
    return {one["item"]: one["installed"] for row in found for one in row["capacity"]}


def used_of_capacity(seen: Seen, provider: str) -> UsedOfCapacity | None:
    """Return what was used in the last days of what the declared capacity gives; None if none is declared."""
    installed = sum(_declared(seen, provider).values())
    if not installed:
        return None
    today = parse_day(seen.days("provider", provider).today)
    days = seen.days("provider", provider, today - CAPACITY_DAYS + 1, today).days
    used = sum(one.gpu_milliseconds - one.reversed_gpu_milliseconds for one in days)
    gives = installed * CAPACITY_DAYS * _A_GPU_DAY
    return UsedOfCapacity(CAPACITY_DAYS, used, gives, used * _WHOLE // gives)


PAGES: Final = (PageRoute("/providers/{id}", "provider.html", _provider),)
