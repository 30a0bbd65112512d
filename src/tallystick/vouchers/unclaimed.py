"""Where a claimant finds what it may claim: lots of which something is burned and unclaimed, or withheld.

It follows from the book, and isn't saved.
"""

from bisect import insort
from collections import Counter
from dataclasses import dataclass, field
from typing import Final, Literal

WITHHELD: Final = -1
"""Takes the place of a day where something was claimed before and withheld."""

Places = dict[str, list[int]]
"""Of one programme and contract: by voucher, on which days something is burned and unclaimed, ascending."""


@dataclass(slots=True)
class Unclaimed:
    """Lots that can be claimed.

    Attributes:
        places: by programme and contract.
        open_places: by voucher, in how many places something of it lies; none with 0.
    """

    places: dict[str, dict[str, Places]] = field(default_factory=dict)
    open_places: Counter[str] = field(default_factory=Counter)

    def add(self, programme: str, account: Literal["burned", "withheld"], account_id: str) -> str | None:
        """Note that something lies in an account, and return the voucher if it is the first of it."""
        voucher, contract, place = _place_of(account, account_id)
        there = self.places.setdefault(programme, {}).setdefault(contract, {}).setdefault(voucher, [])
        if place in there:
            return None
        insort(there, place)
        self.open_places[voucher] += 1
        return voucher if self.open_places[voucher] == 1 else None

    def remove(self, programme: str, account: Literal["burned", "withheld"], account_id: str) -> str | None:
        """Note that nothing lies there any more, and return the voucher if it was the last of it."""
        voucher, contract, place = _place_of(account, account_id)
        by_contract = self.places[programme]
        by_contract[contract][voucher].remove(place)
        if not by_contract[contract][voucher]:
            del by_contract[contract][voucher]
        if not by_contract[contract]:
            del by_contract[contract]
        if not by_contract:
            del self.places[programme]
        self.open_places[voucher] -= 1
        if self.open_places[voucher]:
            return None
        del self.open_places[voucher]
        return voucher


def _place_of(account: Literal["burned", "withheld"], account_id: str) -> tuple[str, str, int]:
    """Return voucher, contract and place of an account's id."""
    voucher, contract, *day = account_id.split(" ")
    return voucher, contract, int(day[0]) if account == "burned" else WITHHELD
