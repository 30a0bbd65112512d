"""What is newest about a thing, page by page: its statements and their lines, and what happened to it, in short.

A page goes on before an entry. It reads the rows that it shows, by an index, however many there are.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from tallystick.views.balances import RESERVATIONS
from tallystick.views.claim_lines import CLAIM_LOTS, statements_in
from tallystick.views.contract_lines import ContractLine, lines_of_statement, reversed_lines
from tallystick.views.entry_index import recorded_entries
from tallystick.views.library import SQLiteCursor
from tallystick.views.provider_statement import STATEMENTS, StatementTotals, statement_totals
from tallystick.views.voucher_history import HISTORIES
from tallystick.vouchers.outcomes import Burned
from tallystick.vouchers.quantities import format_instant

LinesOf = Literal["provider", "holder", "contract"]
"""Of whom recent lines are told."""
TimelineKind = Literal["voucher", "contract", "claim", "application", "reservation", "demand", "mandate", "programme"]
NEWEST: Final = 2**62
"""An entry before which all are."""


@dataclass(frozen=True, slots=True)
class StatedLine(ContractLine):
    """A line, whose it is, and what became of what vouchers paid of it.

    Attributes:
        claims: that took of what was burned where and when it was.
        unclaimed_fen: what vouchers paid of it, and no claim took; 0 if it was taken back.
    """

    at: str
    provider: str
    holder: str
    contract: str
    claims: tuple[str, ...]
    unclaimed_fen: int


@dataclass(frozen=True, slots=True)
class TimelineLine:
    """An entry as it touched a thing.

    Attributes:
        amount_fen: of a voucher, what moved; of a contract, what vouchers paid of a statement; else None.
        available_fen: of a voucher, what was available just after; else None.
        text: the rest, for a person; empty where there is nothing more to say.
    """

    index: int
    at: str
    kind: str
    party: str
    ref: str
    amount_fen: int | None
    available_fen: int | None
    text: str


class Statements(NamedTuple):
    """Statements, newest first, and before which entry the next page goes on; None at the end."""

    rows: tuple[StatementTotals, ...]
    next: int | None


class Timeline(NamedTuple):
    """What happened, newest first, and before which entry the next page goes on; None at the end."""

    lines: tuple[TimelineLine, ...]
    next: int | None


class StatedLines(NamedTuple):
    """Lines, of the newest statement first, and before which entry the next page goes on; None at the end."""

    lines: tuple[StatedLine, ...]
    next: int | None


def recent_statements(c: SQLiteCursor, limit: int, before: int | None = None, **equal: str | None) -> Statements:
    """Return statements, newest first.

    Args:
        c: reads the views.
        limit: how many at most.
        before: only those before this entry.
        equal: what `provider`, `holder` or `contract` must be; None for anything.
    """
    rows = STATEMENTS.newest(c, "entry_index", limit + 1, NEWEST if before is None else before, **equal)
    shown = tuple(map(statement_totals, rows[:limit]))
    return Statements(shown, shown[-1].index if len(rows) > limit else None)


def recent_lines(
    c: SQLiteCursor,
    entries: Callable[[Iterable[int]], Iterator[bytes]],
    limit: int,
    before: int | None = None,
    **equal: str | None,
) -> StatedLines:
    """Return the lines of statements, newest first: so many statements that they have `limit` lines, or one with more.

    Args:
        c: reads the views.
        entries: reads entries of the log.
        limit: of lines.
        before: only statements before this entry.
        equal: what `provider`, `holder` or `contract` must be; None for anything.

    Raises:
        NotALedgerError: an entry can't be read.
    """
    found = recent_statements(c, limit, before, **equal)
    shown: list[StatementTotals] = []
    lines = 0
    for one in found.rows:
        lines += one.lines_accepted + one.lines_refused
        if shown and lines > limit:
            break
        shown.append(one)
    is_whole = len(shown) == len(found.rows)
    providers = {row.entry_index: row.provider for one in shown for row in STATEMENTS.rows(c, entry_index=one.index)}
    told = _stated(c, shown, providers, entries)
    return StatedLines(tuple(told), found.next if is_whole else shown[-1].index)


def _stated(
    c: SQLiteCursor,
    shown: list[StatementTotals],
    providers: dict[int, str],
    entries: Callable[[Iterable[int]], Iterator[bytes]],
) -> Iterator[StatedLine]:
    taken_back = reversed_lines(c, [one.index for one in shown])
    lots = _Lots(c)
    texts = entries([0, *(one.index for one in shown)])
    for statement, (event, utc_offset_us) in zip(shown, statements_in(texts), strict=True):
        outcome = event.outcome
        assert isinstance(outcome, Burned)
        for line in lines_of_statement(event, taken_back, utc_offset_us):
            claims: dict[str, None] = {}
            unclaimed_fen = 0
            for reservation, amounts_fen in outcome.paid:
                if amounts_fen[line.line]:
                    claim = lots.claim_of(reservation, statement.contract, line.day, event.index)
                    if claim is None:
                        unclaimed_fen += 0 if line.reversed else amounts_fen[line.line]
                    else:
                        claims[claim] = None
            yield StatedLine(
                **{name: getattr(line, name) for name in ContractLine.__dataclass_fields__},
                at=statement.at,
                provider=providers[statement.index],
                holder=statement.holder,
                contract=statement.contract,
                claims=tuple(claims),
                unclaimed_fen=unclaimed_fen,
            )


class _Lots:
    """Which claims took of the lots of statements; each voucher is asked for once."""

    def __init__(self, c: SQLiteCursor) -> None:
        self._c = c
        self._vouchers: dict[str, str] = {}
        self._claimed: dict[tuple[str, str], dict[str, list[tuple[int, str]]]] = {}

    def claim_of(self, reservation: str, contract: str, day: str, index: int) -> str | None:
        """Return the claim that took what was burned by an entry of a reservation, booked on a day."""
        voucher = self._vouchers.get(reservation)
        if voucher is None:
            voucher = next(row.voucher for row in RESERVATIONS.rows(self._c, reservation=reservation))
            self._vouchers[reservation] = voucher
        claimed = self._claimed.get((voucher, contract))
        if claimed is None:
            claimed = self._claimed[voucher, contract] = {}
            for row in CLAIM_LOTS.rows(self._c, voucher=voucher, contract=contract):
                claimed.setdefault(row.day, []).append((row.claimed_index, row.claim))
        return next((claim for claimed_index, claim in sorted(claimed.get(day, ())) if claimed_index > index), None)


def timeline(c: SQLiteCursor, of: TimelineKind, subject: str, limit: int, before: int | None = None) -> Timeline:
    """Return what happened to a thing that is there, newest first.

    Args:
        c: reads the views.
        of: the kind of the thing.
        subject: its id.
        limit: how many entries at most.
        before: only those before this entry.
    """
    lines = (
        _of_voucher(c, subject, limit + 1, before) if of == "voucher" else _of_any(c, of, subject, limit + 1, before)
    )
    shown = tuple(lines[:limit])
    return Timeline(shown, shown[-1].index if len(lines) > limit else None)


def _of_voucher(c: SQLiteCursor, voucher: str, limit: int, before: int | None) -> list[TimelineLine]:
    rows = HISTORIES.newest(c, "entry_index", limit, NEWEST if before is None else before, voucher=voucher)
    return [
        TimelineLine(
            row.entry_index,
            format_instant(row.at),
            row.kind,
            row.party,
            row.ref,
            row.amount_fen,
            row.available_fen,
            row.text,
        )
        for row in rows
    ]


def _of_any(c: SQLiteCursor, of: str, subject: str, limit: int, before: int | None) -> list[TimelineLine]:
    found = recorded_entries(c, limit, before=before, concerning=f"{of} {subject}")
    amounts_fen: dict[int, int] = {}
    if of == "contract":
        rows = [row for one in found for row in STATEMENTS.rows(c, entry_index=one.entry_index)]
        amounts_fen = {row.entry_index: row.from_voucher_fen for row in rows}
    return [
        TimelineLine(one.entry_index, one.at, one.kind, one.party, one.ref, amounts_fen.get(one.entry_index), None, "")
        for one in found
    ]
