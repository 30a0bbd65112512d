"""What each provider burned, of which programme, what was refused it and why, and what it is owed.

Lines, fees and GPU-time count every line that was accepted, also one that was taken back later; `reversed_fen` and
`lines_reversed` say how much that was. Where a programme pays holders, what was burned here is owed to them. So

    from_voucher − reversed = to_holders + unclaimed + claimed + paid

A refused line belongs to its provider and reason only: the reservation that it names may not exist.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Final

from tallystick.errors import UsageError
from tallystick.views.balances import PARTIES, RESERVATIONS, ReservationBalance, payee_sums
from tallystick.views.changes import Change, reversed_line
from tallystick.views.claims import ClaimBalance, claim_balances
from tallystick.views.library import SQLiteCursor
from tallystick.views.programme_balances import programmes_that_pay_holders
from tallystick.views.view_tables import BatchSums, ExactSum, IndexKey, Key, Sum, Table, condition, values_of
from tallystick.vouchers.outcomes import Reversed
from tallystick.vouchers.quantities import format_instant
from tallystick.vouchers.rules.burning import BurnReverse, TimeBurn
from tallystick.vouchers.state import State


@dataclass(frozen=True, slots=True)
class StatementTotals:
    """One statement: its entry, its customer, and the sums of its lines; GPU-time and amounts are of accepted lines."""

    index: int
    at: str
    ref: str
    holder: str
    lines_accepted: int
    lines_refused: int
    lines_reversed: int
    gpu_milliseconds: int
    fee_fen: int
    from_voucher_fen: int
    reversed_fen: int


@dataclass(frozen=True, slots=True)
class ProviderBalance:
    """A provider over all programmes.

    Attributes:
        reserved_fen: promised to it.
        to_holders_fen: burned at it, and owed to holders, whom the programme pays.
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
    unclaimed_fen: int = 0
    claimed_fen: int = 0
    paid_fen: int = 0


@dataclass(frozen=True, slots=True)
class ProviderBurns:
    """A provider within one programme."""

    provider: str
    programme: str
    reserved_fen: int = 0
    lines_accepted: int = 0
    lines_reversed: int = 0
    gpu_milliseconds: int = 0
    fee_fen: int = 0
    from_voucher_fen: int = 0
    reversed_fen: int = 0
    to_holders_fen: int = 0
    unclaimed_fen: int = 0
    claimed_fen: int = 0
    paid_fen: int = 0


@dataclass(frozen=True, slots=True)
class RefusedLines:
    """How many lines of a provider were refused for one reason, and their GPU-time."""

    provider: Key
    reason: Key
    lines: ExactSum
    gpu_milliseconds: ExactSum


@dataclass(frozen=True, slots=True)
class ProviderStatement:
    """All about a provider: its sums, by programme too, and what they are made of."""

    balance: ProviderBalance
    programmes: tuple[ProviderBurns, ...]
    statements: tuple[StatementTotals, ...]
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
    holder: str
    lines_accepted: int
    lines_refused: int
    lines_reversed: Sum
    gpu_milliseconds: int
    fee_fen: int
    from_voucher_fen: int
    reversed_fen: Sum


@dataclass(frozen=True, slots=True)
class BurnsRow:
    """What a provider burned of one programme, as `ProviderBurns` has it."""

    provider: Key
    programme: Key
    lines_accepted: ExactSum
    lines_reversed: ExactSum
    gpu_milliseconds: ExactSum
    fee_fen: ExactSum
    from_voucher_fen: ExactSum
    reversed_fen: ExactSum


STATEMENTS: Final = Table("statements", StatementRow, lookups=("provider",))
BURNS: Final = Table("provider_burns", BurnsRow, lookups=("programme",))
REFUSALS: Final = Table("provider_refusals", RefusedLines)


class ProviderStatements:
    """What a batch of entries changes for providers."""

    def __init__(self) -> None:
        self._statements: list[StatementRow] = []
        self._reversals: list[tuple[int, int, int]] = []
        self._burns = BatchSums(BURNS)
        self._refusals = BatchSums(REFUSALS)

    def add(self, change: Change) -> None:
        """Take in one entry."""
        command = change.event.command
        if isinstance(command, TimeBurn):
            self._add_statement(change, command)
        elif isinstance(command, BurnReverse):
            assert isinstance(change.event.outcome, Reversed)
            statement_index, reservation = reversed_line(command, change.state)
            reversed_fen = change.event.outcome.returned_fen
            self._reversals.append((1, reversed_fen, statement_index))
            self._burns.add(command.party, reservation.programme, lines_reversed=1, reversed_fen=reversed_fen)

    def write(self, c: SQLiteCursor, _: State) -> None:
        """Write the batch; a reversal may be of one of its own statements."""
        STATEMENTS.insert(c, self._statements)
        STATEMENTS.change(c, self._reversals, "lines_reversed", "reversed_fen")
        self._burns.write(c)
        self._refusals.write(c)

    def _add_statement(self, change: Change, command: TimeBurn) -> None:
        event = change.event
        accepted = gpu_milliseconds = fee_fen = from_voucher_fen = 0
        for sums in change.burns.values():
            if not sums.lines_accepted:
                continue
            accepted += sums.lines_accepted
            gpu_milliseconds += sums.gpu_milliseconds
            fee_fen += sums.fee_fen
            from_voucher_fen += sums.from_voucher_fen
            self._burns.add(
                command.party,
                sums.reservation.programme,
                lines_accepted=sums.lines_accepted,
                gpu_milliseconds=sums.gpu_milliseconds,
                fee_fen=sums.fee_fen,
                from_voucher_fen=sums.from_voucher_fen,
            )
        refused = 0
        for reason, refusal in change.refusals.items():
            refused += refusal.lines
            self._refusals.add(
                command.party, reason.value, lines=refusal.lines, gpu_milliseconds=refusal.gpu_milliseconds
            )
        self._statements.append(
            StatementRow(
                entry_index=event.index,
                provider=command.party,
                at=event.at,
                ref=command.ref,
                holder=command.holder,
                lines_accepted=accepted,
                lines_refused=refused,
                lines_reversed=0,
                gpu_milliseconds=gpu_milliseconds,
                fee_fen=fee_fen,
                from_voucher_fen=from_voucher_fen,
                reversed_fen=0,
            )
        )


# -- questions --------------------------------------------------------------------------------------------------------


def provider_balances(c: SQLiteCursor, *, provider: str | None = None) -> tuple[ProviderBalance, ...]:
    """Return providers that were admitted, in order of their ids: all, or one."""
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    for (one, _), amounts in _sums_by_programme(c, provider=provider).items():
        sums[one].update(amounts)
    for refused in refused_lines(c, provider=provider):
        sums[refused.provider]["lines_refused"] += refused.lines
    return tuple(
        ProviderBalance(one.party, one.name, one.suspended, **sums[one.party])
        for one in PARTIES.rows(c, party=provider, role="provider")
    )


def provider_burns(
    c: SQLiteCursor, *, provider: str | None = None, programme: str | None = None
) -> tuple[ProviderBurns, ...]:
    """Return providers within programmes, in order of both ids, where they have to do with each other."""
    providers = {one.party for one in PARTIES.rows(c, party=provider, role="provider")}
    return tuple(
        ProviderBurns(one, of_programme, **sums)
        for (one, of_programme), sums in sorted(_sums_by_programme(c, provider=provider, programme=programme).items())
        if one in providers
    )


def refused_lines(c: SQLiteCursor, *, provider: str | None = None) -> tuple[RefusedLines, ...]:
    """Return refused lines by provider and reason: all, or one provider's."""
    return REFUSALS.rows(c, provider=provider)


def provider_statement(c: SQLiteCursor, provider: str) -> ProviderStatement:
    """Return all about a provider.

    Raises:
        UsageError: there is none of that id.
    """
    balances = provider_balances(c, provider=provider)
    if not balances:
        raise UsageError(f"there is no provider {provider}")
    return ProviderStatement(
        balances[0],
        provider_burns(c, provider=provider),
        tuple(map(_totals, STATEMENTS.rows(c, provider=provider))),
        refused_lines(c, provider=provider),
        RESERVATIONS.rows(c, provider=provider),
        claim_balances(c, claimant=provider),
    )


def _totals(row: StatementRow) -> StatementTotals:
    said = values_of(row)
    del said["provider"]
    return StatementTotals(index=said.pop("entry_index"), at=format_instant(said.pop("at")), **said)


def _sums_by_programme(
    c: SQLiteCursor, *, provider: str | None = None, programme: str | None = None
) -> dict[tuple[str, str], Counter[str]]:
    """Return sums by provider (or other payee) and programme: all, or those of one of either."""
    sums: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    to_holders = programmes_that_pay_holders(c)
    for row in BURNS.rows(c, provider=provider, programme=programme):
        amounts = values_of(row)
        burned = sums[amounts.pop("provider"), amounts.pop("programme")]
        burned.update(amounts)
        if row.programme in to_holders:
            burned["to_holders_fen"] = row.from_voucher_fen - row.reversed_fen
    where, values = condition(provider=provider, programme=programme)
    c.execute(
        f"SELECT provider, programme, sum(remaining_fen) FROM reservations {where} "  # noqa: S608 - our own names
        "GROUP BY provider, programme",
        values,
    )
    for one, of_programme, reserved_fen in c.fetchall():
        sums[one, of_programme]["reserved_fen"] += reserved_fen
    for key, owed in payee_sums(c, payee=provider, programme=programme).items():
        sums[key].update(owed)
    return sums
