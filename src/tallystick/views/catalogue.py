"""What can be bought, from whom, at what price: items, tariffs, accreditations, and what providers have installed.

Of a tariff and a capacity, one is in force at a time: the newest that has begun. Whether it has, the log's time of the
last entry followed says.
"""

import json
from dataclasses import dataclass
from typing import ClassVar, Final

from tallystick.errors import NotFoundError
from tallystick.views.balances import log_time
from tallystick.views.changes import Change, Commands
from tallystick.views.library import SQLiteCursor
from tallystick.views.view_tables import IndexKey, Key, Table
from tallystick.vouchers.quantities import SECOND_US, format_day, format_instant
from tallystick.vouchers.rules.accreditations import ProviderAccredit, ProviderDelist
from tallystick.vouchers.rules.capacity import CapacityDeclare
from tallystick.vouchers.rules.items import ItemRegister, TariffPublish
from tallystick.vouchers.state import State


@dataclass(frozen=True, slots=True)
class ItemBalance:
    """What can be bought; `counted` names the unit of what is counted, `filing` the approval of a filed model."""

    item: Key
    name: str
    unit: str
    counted: str | None
    origin: str | None
    filing: str | None
    registered_index: int


@dataclass(frozen=True, slots=True)
class TariffRow:
    """A provider's price as an entry published it."""

    provider: Key
    item: Key
    entry_index: IndexKey
    valid_from: str
    price_fen: int


@dataclass(frozen=True, slots=True)
class TariffBalance:
    """A provider's public price for a unit of an item.

    Attributes:
        status: `in_force`, `to_come`, or `replaced` by a later one.
        index: the entry that published it.
    """

    provider: str
    item: str
    valid_from: str
    price_fen: int
    status: str
    index: int


@dataclass(frozen=True, slots=True)
class AccreditationRow:
    """An accreditation as entries have it; `items` is its limits' JSON."""

    programme: Key
    provider: Key
    entry_index: IndexKey
    valid_from: str
    valid_until: str | None
    items: str
    batch: str | None
    delisted_index: int | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class ItemLimit:
    """An item of an accreditation, and the most that a unit of it may cost."""

    item: str
    price_limit_fen: int


@dataclass(frozen=True, slots=True)
class AccreditationBalance:
    """A provider counts for a programme, of some items up to a price.

    Attributes:
        status: `in_force`, `to_come` or `ended`.
        valid_until: from when on it no longer counts; None without an end.
        index, delisted_index: the entries that began and ended it.
        reason: why it was ended.
    """

    programme: str
    provider: str
    valid_from: str
    valid_until: str | None
    status: str
    items: tuple[ItemLimit, ...]
    batch: str | None
    index: int
    delisted_index: int | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class CapacityRow:
    """A declaration as an entry made it; `capacity` is its JSON, by item."""

    provider: Key
    entry_index: IndexKey
    first_day: str
    capacity: str


@dataclass(frozen=True, slots=True)
class Installed:
    """How many of an item are installed."""

    item: str
    installed: int


@dataclass(frozen=True, slots=True)
class CapacityBalance:
    """What a provider says that it has of each item, from a day on; of an item that isn't named, none.

    Attributes:
        status: `in_force`, `to_come`, or `replaced` by a later one.
        index: the entry that declared it.
    """

    provider: str
    first_day: str
    status: str
    capacity: tuple[Installed, ...]
    index: int


@dataclass(frozen=True, slots=True)
class ItemAccount:
    """An item, and every provider's prices of it over time."""

    balance: ItemBalance
    tariffs: tuple[TariffBalance, ...]


@dataclass(frozen=True, slots=True)
class Today:
    """The network's day of the last entry followed, and the newest day that may be sealed then."""

    one: IndexKey
    day: str
    sealable_day: str


ITEMS: Final = Table("items", ItemBalance)
TARIFFS: Final = Table("tariffs", TariffRow, lookups=("item",))
ACCREDITATIONS: Final = Table("accreditations", AccreditationRow, lookups=("provider",))
CAPACITIES: Final = Table("capacities", CapacityRow)
TODAY: Final = Table("today", Today)


class Catalogue:
    """What a batch of entries adds to what can be bought."""

    commands: ClassVar[Commands] = (ItemRegister, TariffPublish, ProviderAccredit, ProviderDelist, CapacityDeclare)

    def __init__(self) -> None:
        self._items: list[ItemBalance] = []
        self._tariffs: list[TariffRow] = []
        self._accreditations: list[AccreditationRow] = []
        self._ends: list[tuple[int, ProviderDelist]] = []
        self._capacities: list[CapacityRow] = []

    def add(self, change: Change) -> None:
        """Take in one entry."""
        index = change.event.index
        match change.event.command:
            case ItemRegister() as one:
                self._items.append(
                    ItemBalance(one.item, one.name, one.unit, one.counted, one.origin, one.filing, index)
                )
            case TariffPublish() as one:
                since = format_instant(one.valid_from)
                self._tariffs.append(TariffRow(one.party, one.item, index, since, one.price_fen))
            case ProviderAccredit() as one:
                since = format_instant(one.valid_from)
                limits = json.dumps([(limit.item, limit.price_limit_fen) for limit in one.items])
                self._accreditations.append(
                    AccreditationRow(one.programme, one.provider, index, since, None, limits, one.batch, None, None)
                )
            case ProviderDelist() as one:
                self._ends.append((index, one))
            case CapacityDeclare() as one:
                installed = json.dumps([(have.item, have.installed) for have in one.capacity])
                self._capacities.append(CapacityRow(one.party, index, format_day(one.first_day), installed))

    def write(self, c: SQLiteCursor, state: State) -> None:
        """Write the batch; an accreditation may end in its own batch, and begin again."""
        ITEMS.insert(c, self._items)
        TARIFFS.insert(c, self._tariffs)
        ACCREDITATIONS.insert(c, self._accreditations)
        ends = [
            (format_instant(end.valid_until), index, end.reason, end.programme, end.provider, _ended(c, index, end))
            for index, end in self._ends
        ]
        ACCREDITATIONS.change(c, ends, "valid_until", "delisted_index", "reason")
        CAPACITIES.insert(c, self._capacities)
        assert state.network is not None
        sealable = state.day_of(state.at - state.network.parameters.sealing_grace_seconds * SECOND_US) - 1
        TODAY.add(c, [Today(0, format_day(state.day_of(state.at)), format_day(sealable))])


def _ended(c: SQLiteCursor, index: int, end: ProviderDelist) -> int:
    """Return the entry of the accreditation that a delisting ends: the newest before it."""
    rows = ACCREDITATIONS.rows(c, programme=end.programme, provider=end.provider)
    return max(row.entry_index for row in rows if row.entry_index < index)


# -- questions --------------------------------------------------------------------------------------------------------


def item_account(c: SQLiteCursor, item: str) -> ItemAccount:
    """Return an item and its prices.

    Raises:
        NotFoundError: there is none of that id.
    """
    balances = ITEMS.rows(c, item=item)
    if not balances:
        raise NotFoundError(f"there is no item {item}")
    return ItemAccount(balances[0], tariff_balances(c, item=item))


def tariff_balances(
    c: SQLiteCursor, *, provider: str | None = None, item: str | None = None
) -> tuple[TariffBalance, ...]:
    """Return prices in order of provider, item and entry: all, those of a provider, of an item, or both."""
    now = log_time(c)
    rows = TARIFFS.rows(c, provider=provider, item=item)
    newest = {(row.provider, row.item): row.valid_from for row in rows if row.valid_from <= now}
    return tuple(
        TariffBalance(
            row.provider,
            row.item,
            row.valid_from,
            row.price_fen,
            _status(row.valid_from, now, newest.get((row.provider, row.item))),
            row.entry_index,
        )
        for row in rows
    )


def accreditation_balances(
    c: SQLiteCursor, *, programme: str | None = None, provider: str | None = None
) -> tuple[AccreditationBalance, ...]:
    """Return accreditations in order of programme, provider and entry."""
    now = log_time(c)
    return tuple(_accreditation(row, now) for row in ACCREDITATIONS.rows(c, programme=programme, provider=provider))


def capacity_balances(c: SQLiteCursor, *, provider: str | None = None) -> tuple[CapacityBalance, ...]:
    """Return declarations in order of provider and entry."""
    rows = CAPACITIES.rows(c, provider=provider)
    today = next((row.day for row in TODAY.rows(c)), "")
    newest = {row.provider: row.first_day for row in rows if row.first_day <= today}
    return tuple(
        CapacityBalance(
            row.provider,
            row.first_day,
            _status(row.first_day, today, newest.get(row.provider)),
            tuple(Installed(*one) for one in json.loads(row.capacity)),
            row.entry_index,
        )
        for row in rows
    )


def _status(since: str, now: str, newest: str | None) -> str:
    return "to_come" if since > now else "in_force" if since == newest else "replaced"


def _accreditation(row: AccreditationRow, now: str) -> AccreditationBalance:
    is_over = row.valid_until is not None and row.valid_until <= now
    return AccreditationBalance(
        programme=row.programme,
        provider=row.provider,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        status="ended" if is_over else "to_come" if row.valid_from > now else "in_force",
        items=tuple(ItemLimit(*one) for one in json.loads(row.items)),
        batch=row.batch,
        index=row.entry_index,
        delisted_index=row.delisted_index,
        reason=row.reason,
    )
