"""What was claimed of each programme, contract by contract, and what became of it.

    amount = paid + withheld        of a claim that is settled, and of each of its contracts
    paid = set off + payment

What is withheld can be claimed again, so it may be a part of a later claim, too.
"""

from dataclasses import dataclass
from typing import ClassVar, Final

from tallystick.errors import NotFoundError
from tallystick.views.changes import Change, Commands
from tallystick.views.claim_lines import ClaimLine, ClaimLot, claim_lots
from tallystick.views.contract_payments import CONTRACTS
from tallystick.views.library import SQLiteCursor
from tallystick.views.reviews import GateStanding, ToldVerdict, gates_before, verdicts_on
from tallystick.views.view_tables import Key, Table
from tallystick.vouchers.outcomes import Claimed
from tallystick.vouchers.quantities import format_day, format_instant
from tallystick.vouchers.rules.claiming import RedemptionClaim
from tallystick.vouchers.rules.settlement import RedemptionSettle
from tallystick.vouchers.state import State


@dataclass(frozen=True, slots=True)
class ClaimBalance:
    """A claim: of how much, up to which day, and what became of it; amounts of an open one are 0 but for its own.

    Attributes:
        last_day: up to which what was burned is claimed.
        status: `open` or `settled`.
        paid_fen: what is paid of it, set off or not.
        withheld_fen: the rest.
        set_off_fen: what of that which is paid is set off against demands on the claimant.
        payment_fen, payment_day, payment_reference: what the bank says of the rest; 0 and nothing without a payment.
        claimed_at, claimed_index, settled_at, settled_index: of the entries; None while it is open.
    """

    claim: Key
    programme: str
    claimant: str
    last_day: str
    status: str
    amount_fen: int
    paid_fen: int
    withheld_fen: int
    set_off_fen: int
    payment_fen: int
    payment_day: str | None
    payment_reference: str | None
    claimed_at: str
    claimed_index: int
    settled_at: str | None
    settled_index: int | None


@dataclass(frozen=True, slots=True)
class ClaimedContract:
    """What is claimed under one contract, and what became of it; `reason` is why some of it is withheld."""

    claim: Key
    contract: Key
    claimed_fen: int
    paid_fen: int
    withheld_fen: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class ClaimOffset:
    """What of a claim's payment was set off against a demand."""

    claim: Key
    demand: Key
    amount_fen: int


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """A contract of a claim, as its claim shows it."""

    contract: str
    claimed_fen: int
    paid_fen: int
    withheld_fen: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class SetOff:
    """What was set off against a demand, as the claim shows it."""

    demand: str
    amount_fen: int


@dataclass(frozen=True, slots=True)
class ClaimAccount:
    """A claim, its contracts in the order of their ids, and the demands that its payment was set off against.

    Attributes:
        gates: those before its settlement, as long as it is open.
        verdicts: what attesters said of it.
        lots: what it is made of, by contract, voucher and day.
        lines: the lines that were burned there; read from the log.
    """

    balance: ClaimBalance
    rows: tuple[ClaimRow, ...]
    offsets: tuple[SetOff, ...]
    gates: tuple[GateStanding, ...]
    verdicts: tuple[ToldVerdict, ...]
    lots: tuple[ClaimLot, ...]
    lines: tuple[ClaimLine, ...] = ()


CLAIMS: Final = Table("claims", ClaimBalance, lookups=("programme", "claimant", "status"))
CLAIMED_CONTRACTS: Final = Table("claimed_contracts", ClaimedContract)
CLAIM_OFFSETS: Final = Table("claim_offsets", ClaimOffset)
_SETTLED: Final = (
    "status",
    "paid_fen",
    "withheld_fen",
    "set_off_fen",
    "payment_fen",
    "payment_day",
    "payment_reference",
    "settled_at",
    "settled_index",
)


class Claims:
    """What a batch of entries changes for claims."""

    commands: ClassVar[Commands] = (RedemptionClaim, RedemptionSettle)

    def __init__(self) -> None:
        self._claims: list[ClaimBalance] = []
        self._contracts: list[ClaimedContract] = []
        self._offsets: list[ClaimOffset] = []
        self._settlements: list[tuple[str | int | None, ...]] = []
        self._settled_contracts: list[tuple[str | int | None, ...]] = []

    def add(self, change: Change) -> None:
        """Take in one entry."""
        match change.event.command:
            case RedemptionClaim() as command:
                self._add_claim(command, change)
            case RedemptionSettle() as command:
                self._add_settlement(command, change)

    def write(self, c: SQLiteCursor, _: State) -> None:
        """Write the batch; a claim may be settled in its own batch."""
        CLAIMS.insert(c, self._claims)
        CLAIMED_CONTRACTS.insert(c, self._contracts)
        CLAIM_OFFSETS.insert(c, self._offsets)
        CLAIMS.change(c, self._settlements, *_SETTLED)
        CLAIMED_CONTRACTS.change(c, self._settled_contracts, "paid_fen", "withheld_fen", "reason")

    def _add_claim(self, command: RedemptionClaim, change: Change) -> None:
        event = change.event
        assert isinstance(event.outcome, Claimed)
        self._claims.append(
            ClaimBalance(
                claim=command.claim,
                programme=command.programme,
                claimant=command.party,
                last_day=format_day(command.last_day),
                status="open",
                amount_fen=event.outcome.amount_fen,
                paid_fen=0,
                withheld_fen=0,
                set_off_fen=0,
                payment_fen=0,
                payment_day=None,
                payment_reference=None,
                claimed_at=format_instant(event.at),
                claimed_index=event.index,
                settled_at=None,
                settled_index=None,
            )
        )
        self._contracts += [
            ClaimedContract(command.claim, contract, amount_fen, 0, 0, None)
            for contract, amount_fen in event.outcome.rows
        ]

    def _add_settlement(self, command: RedemptionSettle, change: Change) -> None:
        event, payment = change.event, command.payment
        amounts = (command.paid_fen, sum([row.withheld_fen or 0 for row in command.rows]), command.offset_fen)
        paid = (0, None, None) if payment is None else (payment.amount_fen, format_day(payment.day), payment.reference)
        when = (format_instant(event.at), event.index)
        self._settlements.append(("settled", *amounts, *paid, *when, command.claim))
        self._settled_contracts += [
            (row.paid_fen, row.withheld_fen or 0, row.reason, command.claim, row.contract) for row in command.rows
        ]
        self._offsets += [ClaimOffset(command.claim, one.demand, one.amount_fen) for one in command.offsets or ()]


# -- questions --------------------------------------------------------------------------------------------------------


def claim_balances(
    c: SQLiteCursor, *, claim: str | None = None, programme: str | None = None, claimant: str | None = None
) -> tuple[ClaimBalance, ...]:
    """Return claims in the order in which they were made: all, one, or those of a programme or claimant."""
    return CLAIMS.rows(c, in_order_of="claimed_index", claim=claim, programme=programme, claimant=claimant)


def claim_account(c: SQLiteCursor, claim: str) -> ClaimAccount:
    """Return all about a claim.

    Raises:
        NotFoundError: there is none of that id.
    """
    balances = claim_balances(c, claim=claim)
    if not balances:
        raise NotFoundError(f"there is no claim {claim}")
    rows = [
        ClaimRow(row.contract, row.claimed_fen, row.paid_fen, row.withheld_fen, row.reason)
        for row in CLAIMED_CONTRACTS.rows(c, claim=claim)
    ]
    offsets = [SetOff(one.demand, one.amount_fen) for one in CLAIM_OFFSETS.rows(c, claim=claim)]
    return ClaimAccount(
        balances[0],
        tuple(rows),
        tuple(offsets),
        _gates(c, balances[0], [row.contract for row in rows]),
        verdicts_on(c, f"claim {claim}"),
        claim_lots(c, claim),
    )


def _gates(c: SQLiteCursor, balance: ClaimBalance, contracts: list[str]) -> tuple[GateStanding, ...]:
    """Return the gates before the settlement of a claim that is open."""
    if balance.status != "open":
        return ()
    sides = [row for contract in contracts for row in CONTRACTS.rows(c, contract=contract)]
    other_side = {row.contract: row.holder if row.provider == balance.claimant else row.provider for row in sides}
    claimant = "provider" if any(row.provider == balance.claimant for row in sides) else "holder"
    subjects = {"claim": [balance.claim], "contract": contracts, claimant: [balance.claimant]}
    return gates_before(c, balance.programme, "settle", subjects, other_side)
