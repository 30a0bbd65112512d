"""Lists of everything that a command names, page by page: a page goes on after the row that the last one ended with.

A list is in the order of its rows' ids, as the views keep them; of applications, claims and demands in that of the log.
Pages of what there may be very many of are read from the file one by one; of the rest, the whole list is.

A row that isn't shown is as if it weren't there: no page ends with it, and none goes on after it.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final, Literal, NamedTuple

from tallystick.errors import NotFoundError
from tallystick.views.applications import ApplicationBalance, application_balances
from tallystick.views.balances import (
    RESERVATIONS,
    VOUCHERS,
    HolderBalance,
    ReservationBalance,
    VoucherBalance,
    holder_balances,
)
from tallystick.views.catalogue import (
    ITEMS,
    AccreditationBalance,
    CapacityBalance,
    ItemBalance,
    TariffBalance,
    accreditation_balances,
    capacity_balances,
    tariff_balances,
)
from tallystick.views.claims import ClaimBalance, claim_balances
from tallystick.views.contract_payments import ContractBalance, contract_balances
from tallystick.views.demands import DemandBalance, demand_balances
from tallystick.views.library import SQLiteCursor
from tallystick.views.mandates import MandateBalance, mandate_balances
from tallystick.views.parties import KeyBalance, PartyBalance, key_balances, party_balances
from tallystick.views.payees import PayeeBalance, payee_balances
from tallystick.views.programme_balances import ProgrammeBalance, programme_balances
from tallystick.views.provider_statement import ProviderBalance, provider_balances
from tallystick.views.treasuries import TreasuryBalance, treasury_balances
from tallystick.views.view_tables import Table

By = Literal[
    "programme",
    "holder",
    "provider",
    "voucher",
    "contract",
    "application",
    "mandate",
    "claim",
    "demand",
    "payee",
    "treasury",
]
"""What has a row in a table of balances."""
ListKind = Literal[By, "reservation", "party", "key", "item", "tariff", "accreditation", "capacity"]

ROWS_READ_AT_ONCE: Final = 512


class Page(NamedTuple):
    """Some rows, and after which the next page goes on; None at the end of the list."""

    rows: list[Any]
    after: str | None


@dataclass(frozen=True)
class Listing:
    """How a list is read.

    Attributes:
        row: what its rows are.
        ids: the fields that tell a row from the others, in their order; together, with a space between, what a page
            goes on after.
        filters: fields by whose values a list can be narrowed.
        all_rows: reads the whole list.
        table: or else the table whose rows they are, in the order of its keys.
    """

    row: type[Any]
    ids: tuple[str, ...]
    filters: tuple[str, ...] = ()
    all_rows: Callable[[SQLiteCursor], Sequence[Any]] | None = None
    table: Table[Any] | None = None

    @property
    def columns(self) -> list[str]:
        """The names of its rows' fields, in their order."""
        return [field.name for field in fields(self.row)]

    def id_of(self, row: object) -> str:
        """Return what a page goes on after that ends with a row."""
        return " ".join(str(getattr(row, name)) for name in self.ids)


LISTS: Final[Mapping[ListKind, Listing]] = {
    "programme": Listing(ProgrammeBalance, ("programme",), ("treasury", "closed"), programme_balances),
    "holder": Listing(HolderBalance, ("holder",), (), holder_balances),
    "provider": Listing(ProviderBalance, ("provider",), (), provider_balances),
    "voucher": Listing(VoucherBalance, ("voucher",), ("holder", "programme", "contract", "status"), table=VOUCHERS),
    "contract": Listing(ContractBalance, ("contract",), ("holder", "provider"), contract_balances),
    "application": Listing(
        ApplicationBalance, ("application",), ("holder", "programme", "status"), application_balances
    ),
    "mandate": Listing(MandateBalance, ("mandate",), ("treasury", "operator", "status"), mandate_balances),
    "claim": Listing(ClaimBalance, ("claim",), ("programme", "claimant", "status"), claim_balances),
    "demand": Listing(DemandBalance, ("demand",), ("programme", "payee"), demand_balances),
    "payee": Listing(PayeeBalance, ("payee", "programme"), ("payee", "programme"), payee_balances),
    "treasury": Listing(TreasuryBalance, ("treasury",), (), treasury_balances),
    "reservation": Listing(
        ReservationBalance,
        ("reservation",),
        ("contract", "voucher", "programme", "holder", "provider"),
        table=RESERVATIONS,
    ),
    "party": Listing(PartyBalance, ("party",), ("role", "status", "admitter"), party_balances),
    "key": Listing(KeyBalance, ("key",), ("party", "purpose", "status"), key_balances),
    "item": Listing(ItemBalance, ("item",), ("unit", "origin"), ITEMS.rows),
    "tariff": Listing(TariffBalance, ("provider", "item", "index"), ("provider", "item", "status"), tariff_balances),
    "accreditation": Listing(
        AccreditationBalance,
        ("programme", "provider", "index"),
        ("programme", "provider", "status"),
        accreditation_balances,
    ),
    "capacity": Listing(CapacityBalance, ("provider", "index"), ("provider", "status"), capacity_balances),
}


def page_of(
    c: SQLiteCursor,
    kind: ListKind,
    limit: int,
    *,
    after: str | None = None,
    keep: Callable[[Sequence[Any]], Sequence[Any]] = lambda rows: rows,
    among: Collection[str] | None = None,
    **equal: object,
) -> Page:
    """Return a page of a list.

    Args:
        c: reads the views.
        kind: what is listed.
        limit: how many rows at most.
        after: the id of the row that the page goes on after; None for the first.
        keep: returns those of some rows that are shown.
        among: the ids of all that are shown at most, where they are known to be few: no other row is read.
        equal: what some fields must be, of the list's `filters`; None for anything.

    Raises:
        NotFoundError: there is no row to go on after.
    """
    listing = LISTS[kind]
    if after is not None and listing.all_rows is not None:
        known = [row for row in listing.all_rows(c) if listing.id_of(row) == after]
        if not keep(known):
            raise NotFoundError(f"there is no {kind} {after} to go on after")
    wanted = {name: value for name, value in equal.items() if value is not None}
    shown: list[Any] = []
    for rows in _batches(c, listing, after, among, wanted):
        for row in keep(rows):
            if len(shown) == limit:
                return Page(shown, listing.id_of(shown[-1]))
            shown.append(row)
    return Page(shown, None)


def _batches(
    c: SQLiteCursor,
    listing: Listing,
    after: str | None,
    among: Collection[str] | None,
    wanted: Mapping[str, object],
) -> Iterator[Sequence[Any]]:
    """Yield the rows after one, some at a time."""
    rows: Sequence[Any]
    if listing.table is not None:
        while rows := listing.table.page(c, ROWS_READ_AT_ONCE, after, among, **wanted):
            yield rows
            after = listing.id_of(rows[-1])
        return
    assert listing.all_rows is not None
    rows = listing.all_rows(c)
    start = 0 if after is None else next(place for place, row in enumerate(rows, 1) if listing.id_of(row) == after)
    found = [row for row in rows[start:] if all(_is(row, name, value) for name, value in wanted.items())]
    for place in range(0, len(found), ROWS_READ_AT_ONCE):
        yield found[place : place + ROWS_READ_AT_ONCE]


def _is(row: object, name: str, value: object) -> bool:
    found: object = getattr(row, name)
    return found == value
