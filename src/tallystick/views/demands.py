"""What treasuries ask back of what they paid, and what each payee was paid of each programme.

    amount = left + received + set off + cancelled                  of each demand
    settled = paid + receivable + received (by bank or set off)     of each payee and programme

What comes back can be issued again.
"""

from dataclasses import dataclass
from typing import ClassVar, Final

from tallystick.errors import NotFoundError
from tallystick.views.changes import Change, Commands
from tallystick.views.library import SQLiteCursor
from tallystick.views.view_tables import BatchSums, ExactSum, IndexKey, Key, Sum, Table
from tallystick.vouchers.book import CARRIED_OVER, Posting
from tallystick.vouchers.quantities import format_day, format_instant
from tallystick.vouchers.rules.recovery import RecoveryCancel, RecoveryDemand, RecoveryReceive
from tallystick.vouchers.rules.settlement import RedemptionSettle
from tallystick.vouchers.state import State


@dataclass(frozen=True, slots=True)
class DemandRow:
    """A demand as `DemandBalance` has it, but for what follows from its sums."""

    demand: Key
    programme: str
    payee: str
    amount_fen: int
    received_fen: Sum
    set_off_fen: Sum
    cancelled_fen: Sum
    reason: str
    evidence_hash: str
    demanded_at: str
    demanded_index: int


@dataclass(frozen=True, slots=True)
class DemandActRow:
    """An entry that changed what is left of a demand; what it says, `DemandAct` says."""

    demand: Key
    entry_index: IndexKey
    at: int
    kind: str
    amount_fen: int
    text: str


@dataclass(frozen=True, slots=True)
class PayeeRow:
    """What a payee was paid of a programme and may keep, what is asked back of it, and what came back."""

    payee: Key
    programme: Key
    paid_fen: Sum
    receivable_fen: Sum
    received_fen: ExactSum


DEMANDS: Final = Table("demands", DemandRow, lookups=("programme", "payee"))
DEMAND_ACTS: Final = Table("demand_acts", DemandActRow)
PAYEES: Final = Table("payees", PayeeRow, lookups=("programme",))


@dataclass(frozen=True, slots=True)
class DemandBalance:
    """A demand as it stands.

    Attributes:
        left_fen: what is still to come back.
        received_fen: what came back by bank.
        set_off_fen: what was set off in settlements of the payee's claims.
        cancelled_fen: what isn't asked back any more, and stays paid.
    """

    demand: str
    programme: str
    payee: str
    amount_fen: int
    left_fen: int
    received_fen: int
    set_off_fen: int
    cancelled_fen: int
    reason: str
    evidence_hash: str
    demanded_at: str
    demanded_index: int


@dataclass(frozen=True, slots=True)
class DemandAct:
    """One entry that changed what is left of a demand.

    Attributes:
        index, at: of the entry.
        kind: of the event, for example `recovery.received/1`.
        amount_fen: how much less is left.
        text: the payment, the claim, or why it was cancelled.
    """

    index: int
    at: str
    kind: str
    amount_fen: int
    text: str


@dataclass(frozen=True, slots=True)
class DemandAccount:
    """A demand, and what became of it, in the order of the log."""

    balance: DemandBalance
    acts: tuple[DemandAct, ...]


class Demands:
    """What a batch of entries changes for demands and payees."""

    commands: ClassVar[Commands] = None

    def __init__(self) -> None:
        self._demands: list[DemandRow] = []
        self._changes: list[tuple[int, int, int, str]] = []
        self._acts: list[DemandActRow] = []
        self._payees = BatchSums(PAYEES)

    def add(self, change: Change) -> None:
        """Take in one entry."""
        for move in change.moves:
            self._add_to_payee(move.posting, change.state)
        match change.event.command:
            case RecoveryDemand() as command:
                self._add_demand(command, change)
            case RecoveryReceive(demand=demand, payment=payment):
                text = f"{payment.reference}, of {format_day(payment.day)}"
                self._add_act(change, demand, text, received_fen=payment.amount_fen)
            case RecoveryCancel() as command:
                self._add_act(change, command.demand, command.reason, cancelled_fen=command.amount_fen)
            case RedemptionSettle() as command:
                for one in command.offsets or ():
                    self._add_act(change, one.demand, f"of claim {command.claim}", set_off_fen=one.amount_fen)

    def write(self, c: SQLiteCursor, _: State) -> None:
        """Write the batch; a demand may be fulfilled in its own batch."""
        DEMANDS.insert(c, self._demands)
        DEMANDS.change(c, self._changes, "received_fen", "set_off_fen", "cancelled_fen")
        DEMAND_ACTS.insert(c, self._acts)
        self._payees.write(c)

    def _add_to_payee(self, posting: Posting, state: State) -> None:
        programme, source, source_id, target, target_id, amount_fen = posting
        for account, account_id, change_fen in ((source, source_id, -amount_fen), (target, target_id, amount_fen)):
            if account == "paid":
                payee = account_id.rpartition(" ")[2]
                if payee != CARRIED_OVER:
                    self._payees.add(payee, programme, paid_fen=change_fen)
            elif account == "receivable":
                self._payees.add(state.demands[account_id].payee, programme, receivable_fen=change_fen)
        if source == "receivable" and target == "unissued":
            self._payees.add(state.demands[source_id].payee, programme, received_fen=amount_fen)

    def _add_demand(self, command: RecoveryDemand, change: Change) -> None:
        event = change.event
        self._demands.append(
            DemandRow(
                demand=command.demand,
                programme=command.programme,
                payee=command.payee,
                amount_fen=command.amount_fen,
                received_fen=0,
                set_off_fen=0,
                cancelled_fen=0,
                reason=command.reason,
                evidence_hash=command.evidence_hash,
                demanded_at=format_instant(event.at),
                demanded_index=event.index,
            )
        )

    def _add_act(
        self,
        change: Change,
        demand: str,
        text: str,
        *,
        received_fen: int = 0,
        set_off_fen: int = 0,
        cancelled_fen: int = 0,
    ) -> None:
        event = change.event
        self._changes.append((received_fen, set_off_fen, cancelled_fen, demand))
        amount_fen = received_fen + set_off_fen + cancelled_fen
        self._acts.append(DemandActRow(demand, event.index, event.at, event.kind, amount_fen, text))


# -- questions --------------------------------------------------------------------------------------------------------


def demand_balances(
    c: SQLiteCursor, *, demand: str | None = None, programme: str | None = None, payee: str | None = None
) -> tuple[DemandBalance, ...]:
    """Return demands in the order in which they were made: all, one, or those of a programme or on a payee."""
    rows = DEMANDS.rows(c, in_order_of="demanded_index", demand=demand, programme=programme, payee=payee)
    return tuple(map(_balance, rows))


def _balance(row: DemandRow) -> DemandBalance:
    return DemandBalance(
        demand=row.demand,
        programme=row.programme,
        payee=row.payee,
        amount_fen=row.amount_fen,
        left_fen=row.amount_fen - row.received_fen - row.set_off_fen - row.cancelled_fen,
        received_fen=row.received_fen,
        set_off_fen=row.set_off_fen,
        cancelled_fen=row.cancelled_fen,
        reason=row.reason,
        evidence_hash=row.evidence_hash,
        demanded_at=row.demanded_at,
        demanded_index=row.demanded_index,
    )


def demand_account(c: SQLiteCursor, demand: str) -> DemandAccount:
    """Return all about a demand.

    Raises:
        NotFoundError: there is none of that id.
    """
    balances = demand_balances(c, demand=demand)
    if not balances:
        raise NotFoundError(f"there is no demand {demand}")
    acts = [
        DemandAct(row.entry_index, format_instant(row.at), row.kind, row.amount_fen, row.text)
        for row in DEMAND_ACTS.rows(c, demand=demand)
    ]
    return DemandAccount(balances[0], tuple(acts))
