"""What was claimed of each programme, for which days, and what became of it."""

from dataclasses import dataclass
from typing import Final

from tallystick.views.changes import Change
from tallystick.views.library import SQLiteCursor
from tallystick.vouchers.quantities import format_day
from tallystick.vouchers.rules.redemptions import RedemptionClaim, RedemptionPay, RedemptionReject
from tallystick.vouchers.state import State

TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS claims (claim TEXT PRIMARY KEY, programme TEXT NOT NULL, claimant TEXT NOT NULL, "
    "first_day INTEGER NOT NULL, last_day INTEGER NOT NULL, amount_fen INTEGER NOT NULL, status TEXT NOT NULL, "
    "claimed_index INTEGER NOT NULL, settled_index INTEGER, text TEXT NOT NULL) WITHOUT ROWID",
)


@dataclass(frozen=True, slots=True)
class ClaimBalance:
    """A claim: for which days (both belong to it), of how much, and what became of it.

    Attributes:
        status: `open`, `paid` or `rejected`.
        claimed_index, settled_index: the entries; None while it is open.
        text: the payment's reference, or why it was rejected.
    """

    claim: str
    programme: str
    claimant: str
    first_day: str
    last_day: str
    amount_fen: int
    status: str
    claimed_index: int
    settled_index: int | None
    text: str


class Claims:
    """What a batch of entries changes for claims."""

    def __init__(self) -> None:
        self._claims: list[tuple[int | str, ...]] = []
        self._settlements: list[tuple[int | str, ...]] = []

    def add(self, change: Change) -> None:
        """Take in one entry."""
        index = change.event.index
        match change.event.command:
            case RedemptionClaim() as command:
                amount_fen = sum(move.posting.amount_fen for move in change.moves)
                days = (command.first_day, command.last_day)
                self._claims.append((command.claim, command.programme, command.party, *days, amount_fen, index))
            case RedemptionPay() as command:
                self._settlements.append(("paid", index, command.payment_reference, command.claim))
            case RedemptionReject() as command:
                self._settlements.append(("rejected", index, command.reason, command.claim))

    def write(self, c: SQLiteCursor, _: State) -> None:
        """Write the batch; a claim may be settled in its own batch."""
        c.executemany("INSERT INTO claims VALUES (?, ?, ?, ?, ?, ?, 'open', ?, NULL, '')", self._claims)
        c.executemany("UPDATE claims SET status = ?, settled_index = ?, text = ? WHERE claim = ?", self._settlements)


# -- questions --------------------------------------------------------------------------------------------------------


def claim_balances(c: SQLiteCursor, where: str = "", *values: str) -> list[ClaimBalance]:
    """Return claims in the order in which they were made: all, or those for which a condition holds (our own SQL)."""
    c.execute(
        "SELECT claim, programme, claimant, first_day, last_day, amount_fen, status, "  # noqa: S608 - our own SQL
        f"claimed_index, settled_index, text FROM claims {where} ORDER BY claimed_index",
        values,
    )
    return [
        ClaimBalance(claim, of, who, format_day(first), format_day(last), *rest)
        for claim, of, who, first, last, *rest in c.fetchall()
    ]
