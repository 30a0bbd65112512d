"""What is asked back from a treasury: claims, open until they are paid or rejected."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

ClaimStatus = Literal["open", "paid", "rejected"]


@dataclass(slots=True)
class Claim:
    """What a claimant claims of a programme for some days, both ends included.

    `lots` has the ids that its money had in `burned`, as long as it is open (book.py).
    """

    index: int
    programme: str
    claimant: str
    first_day: int
    last_day: int
    lots: list[str] = field(default_factory=list)
    status: ClaimStatus = "open"
    rejected_index: int | None = None


def claim_on(claims: Iterable[Claim], day: int, statement_index: int, is_rounded: bool) -> Claim | None:
    """Return the claim that holds a line of a statement, ended on a day.

    Args:
        claims: all of the line's programme and claimant, in order.
        day: on which the line ended.
        statement_index: the statement's entry.
        is_rounded: the programme's claims are rounded down to more than a fen.

    A claim takes what is unclaimed when it is made; a rejection frees it again. So the line is with the first claim
    after its statement that covers its day, and after a rejection with the next one that came after that. Where claims
    are rounded, a later one may have what the first left over of the line: it is with that one too.
    """
    holder: Claim | None = None
    for claim in claims:
        if is_rounded:
            is_free = holder is None or holder.status == "rejected"
        else:
            is_free = holder is None or (holder.rejected_index is not None and holder.rejected_index < claim.index)
        if is_free and claim.index > statement_index and claim.first_day <= day <= claim.last_day:
            holder = claim
    return holder if holder is not None and holder.status != "rejected" else None
