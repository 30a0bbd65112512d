"""What each provider burned, who paid it, what was refused it and why, and what it is owed.

Lines, fees and GPU-time count by statement, and every line that was accepted counts, also one that was taken back
later; `reversed_fen` and `lines_reversed` say how much that was. Several programmes may pay for one line: so by
programme there are payments, and no fees. Where a programme pays holders, what was burned here is owed to them; where a
contract says `either`, to the first of both that claims. So for a provider, and within each programme

    from_voucher − reversed = to_holders + either + unclaimed + withheld + claimed + settled + forfeited

A refused line belongs to its provider and reason: no programme paid for it. A service is a statement of one line,
without GPU-time; what it was of, rendered.py says.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import ClassVar, Final

from tallystick.errors import NotFoundError
from tallystick.views.balances import PARTIES, RESERVATIONS, ReservationBalance
from tallystick.views.changes import Change, Commands
from tallystick.views.claims import ClaimBalance, claim_balances
from tallystick.views.contract_payments import CONTRACTS, ContractBalance, contract_balances, provider_payment_sums
from tallystick.views.demands import PAYEES
from tallystick.views.library import SQLiteCursor
from tallystick.views.rendered import Rendered, rendered_of
from tallystick.views.view_tables import BatchSums, ExactSum, IndexKey, Key, Sum, Table, condition, values_of
from tallystick.vouchers.quantities import format_instant
from tallystick.vouchers.rules.burning import BurnReverse, TimeBurn
from tallystick.vouchers.rules.service_burning import ServiceBurn
from tallystick.vouchers.state import State


@dataclass(frozen=True, slots=True)
class StatementTotals:
    """One statement: its entry, its contract, and the sums of its lines; GPU-time and amounts are of accepted lines.

    Attributes:
        absorbed_fen: of the contract's other support.
        from_voucher_fen: what programmes paid.
    """

    index: int
    at: str
    ref: str
    contract: str
    holder: str
    lines_accepted: int
    lines_refused: int
    lines_reversed: int
    gpu_milliseconds: int
    fee_fen: int
    absorbed_fen: int
    from_voucher_fen: int
    reversed_fen: int


@dataclass(frozen=True, slots=True)
class ProviderBalance:
    """A provider over all programmes.

    Attributes:
        reserved_fen: promised to it.
        to_holders_fen: burned at it, and owed to holders, whom the programme or the contract names.
        either_fen: burned at it under contracts that say `either`, and owed to the first of both to claim.
        settled_fen: all that settlements paid to it, set off or not; of it `paid_fen` stands, and `receivable_fen` is
            asked back.
        forfeited_fen: what was owed to it and went back to programmes: disallowed, or not claimed in time.
    """

    provider: str
    name: str
    suspended: bool
    reserved_fen: int = 0
    lines_accepted: int = 0
    lines_refused: int = 0
    lines_reversed: int = 0
    gpu_milliseconds: int = 0
    fee_fen: int = 0
    from_voucher_fen: int = 0
    reversed_fen: int = 0
    to_holders_fen: int = 0
    either_fen: int = 0
    unclaimed_fen: int = 0
    withheld_fen: int = 0
    claimed_fen: int = 0
    settled_fen: int = 0
    forfeited_fen: int = 0
    paid_fen: int = 0
    receivable_fen: int = 0


@dataclass(frozen=True, slots=True)
class ProviderBurns:
    """A provider within one programme: what that paid, and to whom it is owed.

    Attributes:
        lines_paid: of how many lines it paid something; of one line several programmes may.
        lines_reversed: those of them that were taken back.
    """

    provider: str
    programme: str
    reserved_fen: int = 0
    lines_paid: int = 0
    lines_reversed: int = 0
    from_voucher_fen: int = 0
    reversed_fen: int = 0
    to_holders_fen: int = 0
    either_fen: int = 0
    unclaimed_fen: int = 0
    withheld_fen: int = 0
    claimed_fen: int = 0
    settled_fen: int = 0
    forfeited_fen: int = 0
    paid_fen: int = 0
    receivable_fen: int = 0


@dataclass(frozen=True, slots=True)
class RefusedLines:
    """How many lines of a provider were refused for one reason, and their GPU-time."""

    provider: Key
    reason: Key
    lines: ExactSum
    gpu_milliseconds: ExactSum


@dataclass(frozen=True, slots=True)
class ProviderStatement:
    """All about a provider: its sums, by programme and contract too, and what they are made of."""

    balance: ProviderBalance
    programmes: tuple[ProviderBurns, ...]
    contracts: tuple[ContractBalance, ...]
    statements: tuple[StatementTotals, ...]
    services: tuple[Rendered, ...]
    refusals: tuple[RefusedLines, ...]
    reservations: tuple[ReservationBalance, ...]
    claims: tuple[ClaimBalance, ...]


@dataclass(frozen=True, slots=True)
class StatementRow:
    """A statement as `StatementTotals` has it, and whose it is."""

    entry_index: IndexKey
    provider: str
    at: int
    ref: str
    contract: str
    holder: str
    lines_accepted: int
    lines_refused: int
    lines_reversed: Sum
    gpu_milliseconds: int
    fee_fen: int
    absorbed_fen: int
    from_voucher_fen: int
    reversed_fen: Sum


STATEMENTS: Final = Table("statements", StatementRow, lookups=("provider", "contract", "holder"))
REFUSALS: Final = Table("provider_refusals", RefusedLines)


class ProviderStatements:
    """What a batch of entries changes for providers."""

    commands: ClassVar[Commands] = (TimeBurn, ServiceBurn, BurnReverse)

    def __init__(self) -> None:
        self._statements: list[StatementRow] = []
        self._reversals: list[tuple[int, int, int]] = []
        self._refusals = BatchSums(REFUSALS)

    def add(self, change: Change) -> None:
        """Take in one entry."""
        if change.statement is not None:
            self._add_statement(change)
        elif change.reversed is not None:
            reversed_fen = sum(change.moved_fen().values())
            self._reversals.append((1, reversed_fen, change.reversed.statement.index))

    def write(self, c: SQLiteCursor, _: State) -> None:
        """Write the batch; a reversal may be of one of its own statements."""
        STATEMENTS.insert(c, self._statements)
        STATEMENTS.change(c, self._reversals, "lines_reversed", "reversed_fen")
        self._refusals.write(c)

    def _add_statement(self, change: Change) -> None:
        event, sums = change.event, change.statement
        assert sums is not None
        provider = event.command.party
        for reason, refusal in sums.refusals.items():
            self._refusals.add(provider, reason.value, lines=refusal.lines, gpu_milliseconds=refusal.gpu_milliseconds)
        self._statements.append(
            StatementRow(
                entry_index=event.index,
                provider=provider,
                at=event.at,
                ref=event.command.ref,
                contract=sums.contract,
                holder=change.state.contracts[sums.contract].holder,
                lines_accepted=sums.lines_accepted,
                lines_refused=sums.lines_refused,
                lines_reversed=0,
                gpu_milliseconds=sums.gpu_milliseconds,
                fee_fen=sums.fee_fen,
                absorbed_fen=sums.absorbed_fen,
                from_voucher_fen=sum(change.moved_fen().values()),
                reversed_fen=0,
            )
        )


# -- questions --------------------------------------------------------------------------------------------------------


def provider_balances(c: SQLiteCursor, *, provider: str | None = None) -> tuple[ProviderBalance, ...]:
    """Return providers that were admitted, in order of their ids: all, or one."""
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    for row in CONTRACTS.rows(c, provider=provider):
        of_lines = sums[row.provider]
        of_lines["lines_accepted"] += row.lines_accepted
        of_lines["lines_refused"] += row.lines_refused
        of_lines["lines_reversed"] += row.lines_reversed
        of_lines["gpu_milliseconds"] += row.gpu_milliseconds
        of_lines["fee_fen"] += row.fee_fen
    for (one, _), amounts in _sums_by_programme(c, provider=provider).items():
        sums[one].update({name: amount for name, amount in amounts.items() if name.endswith("_fen")})
    return tuple(
        ProviderBalance(one.party, one.name, one.suspended, **sums[one.party])
        for one in PARTIES.rows(c, party=provider, role="provider")
    )


def provider_burns(
    c: SQLiteCursor, *, provider: str | None = None, programme: str | None = None
) -> tuple[ProviderBurns, ...]:
    """Return providers within programmes, in order of both ids, where they have to do with each other."""
    return tuple(
        ProviderBurns(one, of_programme, **sums)
        for (one, of_programme), sums in sorted(_sums_by_programme(c, provider=provider, programme=programme).items())
    )


def refused_lines(c: SQLiteCursor, *, provider: str | None = None) -> tuple[RefusedLines, ...]:
    """Return refused lines by provider and reason: all, or one provider's."""
    return REFUSALS.rows(c, provider=provider)


def provider_statement(c: SQLiteCursor, provider: str) -> ProviderStatement:
    """Return all about a provider.

    Raises:
        NotFoundError: there is none of that id.
    """
    balances = provider_balances(c, provider=provider)
    if not balances:
        raise NotFoundError(f"there is no provider {provider}")
    return ProviderStatement(
        balances[0],
        provider_burns(c, provider=provider),
        contract_balances(c, provider=provider),
        statements_of(c, provider=provider),
        rendered_of(c, provider=provider),
        refused_lines(c, provider=provider),
        RESERVATIONS.rows(c, provider=provider),
        claim_balances(c, claimant=provider),
    )


def statements_of(
    c: SQLiteCursor, *, provider: str | None = None, contract: str | None = None
) -> tuple[StatementTotals, ...]:
    """Return statements in the order of the log: all, or those of a provider or contract."""
    return tuple(map(statement_totals, STATEMENTS.rows(c, provider=provider, contract=contract)))


def statement_totals(row: StatementRow) -> StatementTotals:
    """Return a statement as it is shown."""
    said = values_of(row)
    del said["provider"]
    return StatementTotals(index=said.pop("entry_index"), at=format_instant(said.pop("at")), **said)


def _sums_by_programme(
    c: SQLiteCursor, *, provider: str | None = None, programme: str | None = None
) -> dict[tuple[str, str], Counter[str]]:
    """Return sums by provider and programme: all, or those of one of either."""
    sums = provider_payment_sums(c, provider=provider, programme=programme)
    for one in PARTIES.rows(c, party=provider, role="provider"):
        for row in PAYEES.rows(c, payee=one.party, programme=programme):
            sums[row.payee, row.programme].update({"paid_fen": row.paid_fen, "receivable_fen": row.receivable_fen})
    where, values = condition(provider=provider, programme=programme)
    c.execute(
        f"SELECT provider, programme, sum(remaining_fen) FROM reservations {where} "  # noqa: S608 - our own names
        "GROUP BY provider, programme",
        values,
    )
    for one, of_programme, reserved_fen in c.fetchall():
        sums[one, of_programme]["reserved_fen"] += reserved_fen
    return sums
