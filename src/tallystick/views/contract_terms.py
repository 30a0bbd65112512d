"""A contract's terms over time: what was signed, and what each amendment says; and each price from which day on."""

from dataclasses import dataclass
from typing import ClassVar, Final

from tallystick.views.changes import Change, Commands
from tallystick.views.library import SQLiteCursor
from tallystick.views.view_tables import IndexKey, Key, Table
from tallystick.vouchers.quantities import format_day, format_instant
from tallystick.vouchers.rules.contracts import ContractAmend, ContractSign, ItemPrice
from tallystick.vouchers.state import State


@dataclass(frozen=True, slots=True)
class TermsRow:
    """A contract's terms as they were after an entry that said them anew."""

    contract: Key
    entry_index: IndexKey
    at: int
    amount_fen: int
    last_day: str
    other_support_fen: int


@dataclass(frozen=True, slots=True)
class PriceRow:
    """A price that an entry set; the first ones are from the contract's first day on."""

    contract: Key
    item: Key
    entry_index: IndexKey
    first_day: str
    price_fen: int


@dataclass(frozen=True, slots=True)
class ContractTerms:
    """A contract's terms from an entry on, until the next: the first was signed, the others amend it."""

    index: int
    at: str
    amount_fen: int
    last_day: str
    other_support_fen: int


@dataclass(frozen=True, slots=True)
class ContractPrice:
    """A price of an item's unit (a GPU-hour, or one of what is counted) from a day on, and the entry that set it."""

    item: str
    first_day: str
    price_fen: int
    index: int


CONTRACT_TERMS: Final = Table("contract_terms", TermsRow)
CONTRACT_PRICES: Final = Table("contract_prices", PriceRow)


class ContractsTerms:
    """What a batch of entries adds to contracts' terms."""

    commands: ClassVar[Commands] = (ContractSign, ContractAmend)

    def __init__(self) -> None:
        self._terms: list[TermsRow] = []
        self._prices: list[PriceRow] = []

    def add(self, change: Change) -> None:
        """Take in one entry."""
        match change.event.command:
            case ContractSign() as command:
                self._add(change, command.contract, command.items, command.first_day)
            case ContractAmend() as command:
                self._add(change, command.contract, command.items or (), command.items_from or 0)

    def write(self, c: SQLiteCursor, _: State) -> None:
        """Write the batch."""
        CONTRACT_TERMS.insert(c, self._terms)
        CONTRACT_PRICES.insert(c, self._prices)

    def _add(self, change: Change, name: str, items: tuple[ItemPrice, ...], first_day: int) -> None:
        event, contract = change.event, change.state.contracts[name]
        amounts = contract.amount_fen, format_day(contract.last_day), contract.other_support_fen
        self._terms.append(TermsRow(name, event.index, event.at, *amounts))
        self._prices += [PriceRow(name, one.item, event.index, format_day(first_day), one.price_fen) for one in items]


# -- questions --------------------------------------------------------------------------------------------------------


def contract_terms(c: SQLiteCursor, contract: str) -> tuple[ContractTerms, ...]:
    """Return a contract's terms in the order of the log."""
    return tuple(
        ContractTerms(row.entry_index, format_instant(row.at), row.amount_fen, row.last_day, row.other_support_fen)
        for row in CONTRACT_TERMS.rows(c, contract=contract)
    )


def contract_prices(c: SQLiteCursor, contract: str) -> tuple[ContractPrice, ...]:
    """Return a contract's prices by item and day; those that an amendment replaced before they held aren't told."""
    standing: dict[str, list[ContractPrice]] = {}
    for row in CONTRACT_PRICES.rows(c, contract=contract):
        earlier = [one for one in standing.get(row.item, ()) if one.first_day < row.first_day]
        standing[row.item] = [*earlier, ContractPrice(row.item, row.first_day, row.price_fen, row.entry_index)]
    return tuple(price for item in sorted(standing) for price in standing[item])
