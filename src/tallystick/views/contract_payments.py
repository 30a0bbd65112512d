"""Contracts, what was charged under each, and what each programme paid for it: by this, who is owed what.

Fees, lines and GPU-time are a contract's, because a statement belongs to one contract and several programmes pay it;
what a programme paid is a contract's too, and from it follow the sums of providers, payees and programmes. So

    from_voucher − reversed = unclaimed + withheld + claimed + settled + forfeited

for each contract and programme. What isn't settled, and hasn't gone back to the programme, is owed to the payee. A
contract that says `either` has none until one of its sides claims; nothing of it is claimed or settled before.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from tallystick.views.changes import Change, Commands, Move
from tallystick.views.demands import PAYEES
from tallystick.views.library import SQLiteCursor
from tallystick.views.view_tables import BatchSums, ExactSum, Fixed, Key, Sum, Table
from tallystick.vouchers.book import Account, lot_in
from tallystick.vouchers.outcomes import Claimed
from tallystick.vouchers.quantities import format_day
from tallystick.vouchers.rules.reservations import VoucherReserve
from tallystick.vouchers.state import State

_OWED: Final[dict[Account, str]] = {"burned": "unclaimed_fen", "withheld": "withheld_fen", "claimed": "claimed_fen"}
_OF_PAYEE: Final = (*_OWED.values(), "settled_fen", "forfeited_fen")


@dataclass(frozen=True, slots=True)
class ContractRow:
    """A contract, its terms as they stand, and the sums of its statements' lines, those taken back among them.

    Attributes:
        claimant: who claims where a programme leaves that to the contract; `either` until one of both does.
        charged_fen, absorbed_fen: the fees of lines that stand, and what these absorbed of other support.
    """

    contract: Key
    provider: Fixed
    holder: Fixed
    document_hash: str
    basis: str
    claimant: str
    related_party: bool
    first_day: str
    last_day: str
    amount_fen: int
    charged_fen: Sum
    other_support_fen: int
    absorbed_fen: Sum
    lines_accepted: ExactSum
    lines_refused: ExactSum
    lines_reversed: ExactSum
    gpu_milliseconds: ExactSum
    fee_fen: ExactSum


@dataclass(frozen=True, slots=True)
class PaymentsRow:
    """What a programme paid for a contract, where that lies, and to whom it is owed.

    Attributes:
        payee: None as long as the contract says `either`.
        lines_paid: of how many lines it paid something.
        lines_reversed: of how many lines that were taken back it had.
        from_voucher_fen, reversed_fen: what it paid of lines, and what of that was taken back.
        settled_fen: what settlements paid of it, set off or not.
        forfeited_fen: what went back to the programme: disallowed, or not claimed in time.
    """

    contract: Key
    programme: Key
    provider: Fixed
    holder: Fixed
    payee: str | None
    lines_paid: ExactSum
    lines_reversed: ExactSum
    from_voucher_fen: ExactSum
    reversed_fen: ExactSum
    unclaimed_fen: Sum
    withheld_fen: Sum
    claimed_fen: Sum
    settled_fen: Sum
    forfeited_fen: Sum


@dataclass(frozen=True, slots=True)
class ContractBalance:
    """A contract as it stands.

    Attributes:
        claimant: `provider`, `holder`, or `either` until the first of them claims; where a programme leaves it to the
            contract.
        related_party: they say that they are related.
        chargeable_fen: what may still be charged.
        other_support_fen, other_support_left_fen: support from elsewhere, and what lines haven't absorbed of it.
        gpu_milliseconds, fee_fen: of accepted lines, those taken back among them.
    """

    contract: str
    provider: str
    holder: str
    basis: str
    claimant: str
    related_party: bool
    first_day: str
    last_day: str
    amount_fen: int
    charged_fen: int
    chargeable_fen: int
    other_support_fen: int
    other_support_left_fen: int
    lines_accepted: int
    lines_refused: int
    lines_reversed: int
    gpu_milliseconds: int
    fee_fen: int


CONTRACTS: Final = Table("contracts", ContractRow, lookups=("provider", "holder"))
PAYMENTS: Final = Table("contract_payments", PaymentsRow, lookups=("programme", "provider", "holder", "payee"))


class ContractPayments:
    """What a batch of entries changes for contracts."""

    commands: ClassVar[Commands] = None

    def __init__(self) -> None:
        self._contracts = BatchSums(CONTRACTS)
        self._payments = BatchSums(PAYMENTS)

    def add(self, change: Change) -> None:
        """Take in one entry."""
        command = change.event.command
        for name in change.things.get("contract", ()):
            self._contracts.of(name)
        if isinstance(command, VoucherReserve):
            self._payments.of(command.contract, change.state.vouchers[command.voucher].programme)
        for move in change.moves:
            self._add_move(move)
        if change.statement is not None:
            self._add_statement(change)
        elif change.reversed is not None:
            self._add_reversal(change)
        elif isinstance(change.event.outcome, Claimed):
            self._add_claimed_contracts(change.event.outcome, change.state)

    def write(self, c: SQLiteCursor, state: State) -> None:
        """Write the batch; `state` is the one after its last entry."""
        self._contracts.write(c, lambda contract: _said_of(contract, state))
        self._payments.write(c, lambda contract, programme: _said_of_payments(contract, programme, state))

    def _add_move(self, move: Move) -> None:
        programme, source, source_id, target, target_id, amount_fen = move.posting
        if source in _OWED:
            sums = self._payments.of(lot_in(source, source_id).contract, programme)
            sums[_OWED[source]] -= amount_fen
            if target not in _OWED:
                went = "settled" if target == "paid" else "forfeited" if move.reservation is None else "reversed"
                sums[f"{went}_fen"] += amount_fen
        if target in _OWED:
            sums = self._payments.of(lot_in(target, target_id).contract, programme)
            sums[_OWED[target]] += amount_fen
            if source not in _OWED:
                sums["from_voucher_fen"] += amount_fen

    def _add_statement(self, change: Change) -> None:
        sums = change.statement
        assert sums is not None
        self._contracts.add(
            sums.contract,
            charged_fen=sums.fee_fen,
            absorbed_fen=sums.absorbed_fen,
            lines_accepted=sums.lines_accepted,
            lines_refused=sums.lines_refused,
            gpu_milliseconds=sums.gpu_milliseconds,
            fee_fen=sums.fee_fen,
        )
        for programme, lines in sums.lines_paid.items():
            self._payments.add(sums.contract, programme, lines_paid=lines)

    def _add_reversal(self, change: Change) -> None:
        assert change.reversed is not None
        statement, line = change.reversed
        self._contracts.add(
            statement.contract, charged_fen=-line.fee_fen, absorbed_fen=-line.absorbed_fen, lines_reversed=1
        )
        for programme in {change.state.reservations[name].programme for name, _ in line.payments}:
            self._payments.add(statement.contract, programme, lines_reversed=1)

    def _add_claimed_contracts(self, outcome: Claimed, state: State) -> None:
        """Say anew who is owed what under contracts that said `either` until this claim: by all their programmes."""
        for contract, _ in outcome.rows:
            self._contracts.of(contract)
            for programme in state.contracts[contract].programmes:
                self._payments.of(contract, programme)


def _said_of(name: str, state: State) -> dict[str, Any]:
    contract = state.contracts[name]
    return {
        "provider": contract.provider,
        "holder": contract.holder,
        "document_hash": contract.document_hash,
        "basis": contract.basis,
        "claimant": contract.claimant,
        "related_party": contract.related_party,
        "first_day": format_day(contract.first_day),
        "last_day": format_day(contract.last_day),
        "amount_fen": contract.amount_fen,
        "other_support_fen": contract.other_support_fen,
    }


def _said_of_payments(contract: str, programme: str, state: State) -> dict[str, Any]:
    sides = state.contracts[contract]
    return {"provider": sides.provider, "holder": sides.holder, "payee": state.claimant(programme, contract)}


# -- questions --------------------------------------------------------------------------------------------------------


def payee_sums(
    c: SQLiteCursor, *, payee: str | None = None, programme: str | None = None
) -> dict[tuple[str, str], Counter[str]]:
    """Return by payee and programme what is owed to it, what was settled, and what of that stands or is asked back."""
    sums: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    # Summed here, not in SQL: over many programmes a sum may outgrow 64 bits, and SQLite would refuse it.
    for row in PAYMENTS.rows(c, payee=payee, programme=programme):
        if row.payee is not None:
            sums[row.payee, row.programme].update({name: getattr(row, name) for name in _OF_PAYEE})
    for one in PAYEES.rows(c, payee=payee, programme=programme):
        sums[one.payee, one.programme].update({"paid_fen": one.paid_fen, "receivable_fen": one.receivable_fen})
    return sums


def either_sums(c: SQLiteCursor) -> Counter[str]:
    """Return by programme what is unclaimed under contracts of which either side may claim: it is nobody's yet."""
    sums: Counter[str] = Counter()
    for row in PAYMENTS.rows(c):
        if row.payee is None:
            sums[row.programme] += row.unclaimed_fen
    return sums


def provider_payment_sums(
    c: SQLiteCursor, *, provider: str | None = None, programme: str | None = None
) -> dict[tuple[str, str], Counter[str]]:
    """Return by provider and programme what it paid for the provider's contracts, and to whom that is owed."""
    sums: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for row in PAYMENTS.rows(c, provider=provider, programme=programme):
        of_both = sums[row.provider, row.programme]
        of_both["lines_paid"] += row.lines_paid
        of_both["lines_reversed"] += row.lines_reversed
        of_both["from_voucher_fen"] += row.from_voucher_fen
        of_both["reversed_fen"] += row.reversed_fen
        if row.payee == row.provider:
            of_both.update({name: getattr(row, name) for name in _OF_PAYEE})
        else:
            owed_to = "either_fen" if row.payee is None else "to_holders_fen"
            of_both[owed_to] += row.from_voucher_fen - row.reversed_fen
    return sums


def contract_balances(
    c: SQLiteCursor, *, contract: str | None = None, provider: str | None = None, holder: str | None = None
) -> tuple[ContractBalance, ...]:
    """Return contracts in order of their ids: all, one, or those of a provider or holder."""
    return tuple(map(contract_balance, CONTRACTS.rows(c, contract=contract, provider=provider, holder=holder)))


def contract_balance(row: ContractRow) -> ContractBalance:
    """Return a contract as it is shown."""
    return ContractBalance(
        contract=row.contract,
        provider=row.provider,
        holder=row.holder,
        basis=row.basis,
        claimant=row.claimant,
        related_party=row.related_party,
        first_day=row.first_day,
        last_day=row.last_day,
        amount_fen=row.amount_fen,
        charged_fen=row.charged_fen,
        chargeable_fen=row.amount_fen - row.charged_fen,
        other_support_fen=row.other_support_fen,
        other_support_left_fen=row.other_support_fen - row.absorbed_fen,
        lines_accepted=row.lines_accepted,
        lines_refused=row.lines_refused,
        lines_reversed=row.lines_reversed,
        gpu_milliseconds=row.gpu_milliseconds,
        fee_fen=row.fee_fen,
    )
