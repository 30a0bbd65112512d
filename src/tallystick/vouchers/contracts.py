"""Contracts: what a holder and a provider both signed; every line is burned under one.

What was charged under a contract, and what of other support its lines absorbed, is in the book (book.py).
"""

from dataclasses import dataclass, field

from tallystick.vouchers.fields import Claimant, ContractBasis


@dataclass(slots=True)
class Contract:
    """A contract as it stands.

    Attributes:
        document_hash: of the document that both signed.
        amount_fen: the most that may be charged under it.
        first_day, last_day: days since 1970, by the network's calendar; both belong to it.
        basis: lines of use, or invoices.
        claimant: who claims where a programme's payee is the contract; `either` until the first claim.
        related_party: the two say that they are related.
        other_support_fen: support from elsewhere, spent before any programme pays.
        prices: by item, from when on (microseconds) and fen a unit, ascending.
        programmes: those that pay for it, by rank, then by their first reservation.
        reservations: the open ones, in order.
    """

    provider: str
    holder: str
    document_hash: str
    amount_fen: int
    first_day: int
    last_day: int
    basis: ContractBasis
    claimant: Claimant
    related_party: bool
    other_support_fen: int
    prices: dict[str, list[tuple[int, int]]]
    programmes: list[str] = field(default_factory=list)
    reservations: list[str] = field(default_factory=list)

    def other_side(self, party: str) -> str:
        """Return the side that a party isn't."""
        return self.holder if party == self.provider else self.provider

    def price_fen(self, item: str, instant: int) -> int | None:
        """Return the price of an item's unit at an instant; None: the contract has none."""
        return price_at(self.prices.get(item, ()), max(instant, 0))  # 1970-01-01 may begin before it does in UTC


def price_at(prices: "list[tuple[int, int]] | tuple[()]", instant: int) -> int | None:
    """Return the newest of ascending prices (valid from, fen) that is valid at an instant, if there is one."""
    for valid_from, price_fen in reversed(prices):
        if valid_from <= instant:
            return price_fen
    return None
