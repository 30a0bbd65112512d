"""What is asked of a treasury, and what it asks back: claims, payments, demands."""

from dataclasses import dataclass, field
from typing import Literal

ClaimStatus = Literal["open", "settled"]


@dataclass(slots=True)
class Claim:
    """What a claimant claims of a programme.

    `lots` has the ids of the lots that its money is of, as long as it is open, in order (book.py).
    """

    index: int
    programme: str
    claimant: str
    last_day: int
    lots: list[str] = field(default_factory=list)
    status: ClaimStatus = "open"


@dataclass(slots=True)
class Demand:
    """What a treasury asks back of what it paid to a payee; what is left of it lies in `receivable`."""

    programme: str
    payee: str
    amount_fen: int
