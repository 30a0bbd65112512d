"""What was claimed of each programme, for which days, and what became of it."""

from dataclasses import dataclass
from typing import Final

from tallystick.views.changes import Change
from tallystick.views.library import SQLiteCursor
from tallystick.views.view_tables import Key, Table
from tallystick.vouchers.quantities import format_day
from tallystick.vouchers.rules.settlement import RedemptionClaim, RedemptionPay, RedemptionReject
from tallystick.vouchers.state import State


@dataclass(frozen=True, slots=True)
class ClaimBalance:
    """A claim: for which days (both belong to it), of how much, and what became of it.

    Attributes:
        status: `open`, `paid` or `rejected`.
        claimed_index, settled_index: the entries; None while it is open.
        text: the payment's reference, or why it was rejected.
    """

    claim: Key
    programme: str
    claimant: str
    first_day: str
    last_day: str
    amount_fen: int
    status: str
    claimed_index: int
    settled_index: int | None
    text: str


CLAIMS: Final = Table("claims", ClaimBalance, lookups=("programme", "claimant"))


class Claims:
    """What a batch of entries changes for claims."""

    def __init__(self) -> None:
        self._claims: list[ClaimBalance] = []
        self._settlements: list[tuple[str, int, str, str]] = []

    def add(self, change: Change) -> None:
        """Take in one entry."""
        index = change.event.index
        match change.event.command:
            case RedemptionClaim() as command:
                days = (format_day(command.first_day), format_day(command.last_day))
                whose = (command.claim, command.programme, command.party)
                amount_fen = sum(move.posting.amount_fen for move in change.moves)
                self._claims.append(ClaimBalance(*whose, *days, amount_fen, "open", index, None, ""))
            case RedemptionPay() as command:
                self._settlements.append(("paid", index, command.payment_reference, command.claim))
            case RedemptionReject() as command:
                self._settlements.append(("rejected", index, command.reason, command.claim))

    def write(self, c: SQLiteCursor, _: State) -> None:
        """Write the batch; a claim may be settled in its own batch."""
        CLAIMS.insert(c, self._claims)
        CLAIMS.change(c, self._settlements, "status", "settled_index", "text")


def claim_balances(
    c: SQLiteCursor, *, programme: str | None = None, claimant: str | None = None
) -> tuple[ClaimBalance, ...]:
    """Return claims in the order in which they were made: all, or those of a programme or claimant."""
    return CLAIMS.rows(c, in_order_of="claimed_index", programme=programme, claimant=claimant)
