"""What is asked back from a treasury: claims, open until they are paid or rejected."""

from dataclasses import dataclass, field
from typing import Literal

ClaimStatus = Literal["open", "paid", "rejected"]


@dataclass(slots=True)
class Claim:
    """What a claimant claims of a programme for some days, both ends included; `by_day` says where it came from."""

    index: int
    programme: str
    claimant: str
    first_day: int
    last_day: int
    amount_fen: int
    by_day: dict[int, int] = field(default_factory=dict)
    status: ClaimStatus = "open"

    def holds(self, day: int, statement_index: int) -> bool:
        """Return whether a line of that statement, ended on that day, is claimed by this."""
        return self.status != "rejected" and self.index > statement_index and self.first_day <= day <= self.last_day
