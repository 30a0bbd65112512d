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
from tallystick.views.balances import ReservationBalance, payee_sums, reservation_balances
from tallystick.views.changes import Change, reversed_line
from tallystick.views.claims import ClaimBalance, claim_balances
from tallystick.views.library import SQLiteCursor
from tallystick.views.store import ExactSums, exact_sums_table
from tallystick.vouchers.outcomes import Reversed
from tallystick.vouchers.quantities import format_instant
from tallystick.vouchers.rules.burns import BurnReverse, TimeBurn
from tallystick.vouchers.state import State

_SUMS: Final = (
    "lines_accepted",
    "lines_reversed",
    "gpu_milliseconds",
    "fee_fen",
    "from_voucher_fen",
    "reversed_fen",
)
_REFUSAL_SUMS: Final = ("lines", "gpu_milliseconds")
_BURNS: Final = ("provider_burns", ("provider", "programme"), _SUMS)
_REFUSALS: Final = ("provider_refusals", ("provider", "reason"), _REFUSAL_SUMS)

TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS statements (entry_index INTEGER PRIMARY KEY, at INTEGER NOT NULL, "
    "provider TEXT NOT NULL, ref TEXT NOT NULL, holder TEXT NOT NULL, "
    "lines_accepted INTEGER NOT NULL, lines_refused INTEGER NOT NULL, "
    "lines_reversed INTEGER NOT NULL, gpu_milliseconds INTEGER NOT NULL, fee_fen INTEGER NOT NULL, "
    "from_voucher_fen INTEGER NOT NULL, reversed_fen INTEGER NOT NULL)",
    "CREATE INDEX IF NOT EXISTS statements_by_provider ON statements (provider)",
    exact_sums_table(*_BURNS),
    exact_sums_table(*_REFUSALS),
)


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

    provider: str
    reason: str
    lines: int
    gpu_milliseconds: int


@dataclass(frozen=True, slots=True)
class ProviderStatement:
    """All about a provider: its sums, by programme too, and what they are made of."""

    balance: ProviderBalance
    programmes: tuple[ProviderBurns, ...]
    statements: tuple[StatementTotals, ...]
    refusals: tuple[RefusedLines, ...]
    reservations: tuple[ReservationBalance, ...]
    claims: tuple[ClaimBalance, ...]


class ProviderStatements:
    """What a batch of entries changes for providers."""

    def __init__(self) -> None:
        self._statements: list[tuple[int | str, ...]] = []
        self._reversals: list[tuple[int, int]] = []
        self._burns = ExactSums(*_BURNS)
        self._refusals = ExactSums(*_REFUSALS)

    def add(self, change: Change) -> None:
        """Take in one entry."""
        command = change.event.command
        if isinstance(command, TimeBurn):
            self._add_statement(change, command)
        elif isinstance(command, BurnReverse):
            assert isinstance(change.event.outcome, Reversed)
            statement_index, reservation = reversed_line(command, change.state)
            reversed_fen = change.event.outcome.returned_fen
            self._reversals.append((reversed_fen, statement_index))
            self._burns.add((command.party, reservation.programme), lines_reversed=1, reversed_fen=reversed_fen)

    def write(self, c: SQLiteCursor, _: State) -> None:
        """Write the batch; a reversal may be of one of its own statements."""
        c.executemany("INSERT INTO statements VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, 0)", self._statements)
        c.executemany(
            "UPDATE statements SET lines_reversed = lines_reversed + 1, reversed_fen = reversed_fen + ? "
            "WHERE entry_index = ?",
            self._reversals,
        )
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
                (command.party, sums.reservation.programme),
                lines_accepted=sums.lines_accepted,
                gpu_milliseconds=sums.gpu_milliseconds,
                fee_fen=sums.fee_fen,
                from_voucher_fen=sums.from_voucher_fen,
            )
        refused = 0
        for reason, refusal in change.refusals.items():
            refused += refusal.lines
            self._refusals.add(
                (command.party, reason.value), lines=refusal.lines, gpu_milliseconds=refusal.gpu_milliseconds
            )
        head = (event.index, event.at, command.party, command.ref, command.holder)
        self._statements.append((*head, accepted, refused, gpu_milliseconds, fee_fen, from_voucher_fen))


# -- questions --------------------------------------------------------------------------------------------------------


def provider_balances(c: SQLiteCursor) -> list[ProviderBalance]:
    """Return all providers that were admitted, in order of their ids."""
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    for (provider, _), amounts in _sums_by_programme(c).items():
        sums[provider].update(amounts)
    for refused in refused_lines(c):
        sums[refused.provider]["lines_refused"] += refused.lines
    c.execute("SELECT party, name, suspended FROM parties WHERE role = 'provider' ORDER BY party")
    return [
        ProviderBalance(provider, name, bool(suspended), **sums[provider]) for provider, name, suspended in c.fetchall()
    ]


def provider_burns(c: SQLiteCursor) -> list[ProviderBurns]:
    """Return providers within programmes, in order of both ids, where they have to do with each other."""
    c.execute("SELECT party FROM parties WHERE role = 'provider'")
    providers = {row[0] for row in c.fetchall()}
    return [
        ProviderBurns(provider, programme, **sums)
        for (provider, programme), sums in sorted(_sums_by_programme(c).items())
        if provider in providers
    ]


def refused_lines(c: SQLiteCursor, where: str = "", *values: str) -> list[RefusedLines]:
    """Return refused lines by provider and reason: all, or those for which a condition holds (our own SQL)."""
    c.execute(
        f"SELECT provider, reason, lines, gpu_milliseconds FROM provider_refusals {where} "  # noqa: S608 - our own SQL
        "ORDER BY provider, reason",
        values,
    )
    return [RefusedLines(row[0], row[1], int(row[2]), int(row[3])) for row in c.fetchall()]


def provider_statement(c: SQLiteCursor, provider: str) -> ProviderStatement:
    """Return all about a provider.

    Raises:
        UsageError: there is none of that id.
    """
    balances = [balance for balance in provider_balances(c) if balance.provider == provider]
    if not balances:
        raise UsageError(f"there is no provider {provider}")
    c.execute(
        "SELECT entry_index, at, ref, holder, lines_accepted, lines_refused, lines_reversed, gpu_milliseconds, "
        "fee_fen, from_voucher_fen, reversed_fen FROM statements WHERE provider = ? ORDER BY entry_index",
        (provider,),
    )
    statements = [StatementTotals(index, format_instant(at), *rest) for index, at, *rest in c.fetchall()]
    return ProviderStatement(
        balances[0],
        tuple(burns for burns in provider_burns(c) if burns.provider == provider),
        tuple(statements),
        tuple(refused_lines(c, "WHERE provider = ?", provider)),
        tuple(reservation_balances(c, "WHERE provider = ?", provider)),
        tuple(claim_balances(c, "WHERE claimant = ?", provider)),
    )


def _sums_by_programme(c: SQLiteCursor) -> dict[tuple[str, str], Counter[str]]:
    """Return sums by provider (or other payee) and programme."""
    sums: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    c.execute(f"SELECT provider, programme, {', '.join(_SUMS)} FROM provider_burns")  # noqa: S608 - our own names
    for provider, programme, *amounts in c.fetchall():
        sums[provider, programme].update(dict(zip(_SUMS, map(int, amounts), strict=True)))
    c.execute("SELECT programme FROM programmes WHERE payee = 'holder'")
    to_holders = {row[0] for row in c.fetchall()}
    for (_, programme), burned in sums.items():
        if programme in to_holders:
            burned["to_holders_fen"] = burned["from_voucher_fen"] - burned["reversed_fen"]
    c.execute("SELECT provider, programme, sum(remaining_fen) FROM reservations GROUP BY provider, programme")
    for provider, programme, reserved_fen in c.fetchall():
        sums[provider, programme]["reserved_fen"] += reserved_fen
    for key, owed in payee_sums(c).items():
        sums[key].update(owed)
    return sums
