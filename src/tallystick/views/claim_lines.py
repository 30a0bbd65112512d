"""What a claim is made of: of each lot and day how much, and the lines that were burned there.

A lot is a voucher under a contract. A claim takes what is burned of it on a day, so all lines booked there that no
earlier claim took; what rounding leaves stays there, and the next claim takes it. So of each lot and day

    lines + left by earlier claims = amount + left by this one

Lines are many, so they aren't kept here: which statements have them is, and they are read from the log.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, NamedTuple

from tallystick.views.balances import RESERVATIONS
from tallystick.views.changes import Change, Commands
from tallystick.views.library import SQLiteCursor
from tallystick.views.line_usage import days_of_lines
from tallystick.views.view_tables import IndexKey, Key, Table, condition
from tallystick.vouchers.book import dated_lot_of, lot_in
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.outcomes import Burned, Claimed
from tallystick.vouchers.quantities import DAY_US, SECOND_US, format_day, format_instant
from tallystick.vouchers.rules.burning import BurnReverse, TimeBurn
from tallystick.vouchers.rules.claiming import RedemptionClaim
from tallystick.vouchers.rules.network import NetworkFound
from tallystick.vouchers.rules.rule import Event
from tallystick.vouchers.rules.service_burning import ServiceBurn
from tallystick.vouchers.state import State

WITHHELD: Final = ""
"""Takes the place of a day where something was claimed before and withheld."""


@dataclass(frozen=True, slots=True)
class StatementLot:
    """What a statement's lines took of a lot, booked on a day; lines and GPU-time are of those that took something."""

    entry_index: IndexKey
    voucher: Key
    day: Key
    contract: str
    amount_fen: int
    lines: int
    gpu_milliseconds: int


@dataclass(frozen=True, slots=True)
class ClaimLotRow:
    """What a claim took of a lot, of what was booked on a day or was withheld."""

    claim: Key
    contract: Key
    voucher: Key
    day: Key
    claimed_index: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class ReversedRow:
    """A line that was taken back, by the entry of its statement, and the entry that did it."""

    entry_index: IndexKey
    line: IndexKey
    reversed_index: int


@dataclass(frozen=True, slots=True)
class ClaimLot:
    """What a claim takes of a lot.

    Attributes:
        contract, voucher: the lot.
        day: on which it is booked; None of what was claimed before and withheld.
        amount_fen: how much.
    """

    contract: str
    voucher: str
    day: str | None
    amount_fen: int


@dataclass(frozen=True, slots=True)
class ClaimLine:
    """A line that a claim is made of; of a service, the one that it is.

    Attributes:
        index, ref: of its statement.
        line: its number there, over all its groups, from 0.
        day: on which it is booked.
        job: None of a service.
        starts_at, ends_at: of a service the beginning of its first day, and the end of its last.
        gpu_milliseconds: 0 of a service.
        quantity: of a counted service; else None.
        fee_fen: what it costs.
        amount_fen: what the claim's programme pays of it out of the voucher.
        reversed: whether it was taken back later, of what was withheld.
    """

    index: int
    ref: str
    line: int
    contract: str
    voucher: str
    day: str
    item: str
    job: str | None
    starts_at: str
    ends_at: str
    gpu_milliseconds: int
    quantity: int | None
    fee_fen: int
    amount_fen: int
    reversed: bool


STATEMENT_LOTS: Final = Table(
    "statement_lots",
    StatementLot,
    # With all that days are summed from (daily.py): so these read the index alone.
    lookups=("voucher, contract, day, amount_fen, lines, gpu_milliseconds",),
)
CLAIM_LOTS: Final = Table("claim_lots", ClaimLotRow, lookups=("voucher",))
REVERSED_LINES: Final = Table("reversed_lines", ReversedRow)


class LinesOfClaims:
    """What a batch of entries adds to lots, and to what claims took of them."""

    commands: ClassVar[Commands] = (TimeBurn, ServiceBurn, BurnReverse, RedemptionClaim)

    def __init__(self) -> None:
        self._burned: list[StatementLot] = []
        self._claimed: list[ClaimLotRow] = []
        self._reversed: list[ReversedRow] = []

    def add(self, change: Change) -> None:
        """Take in one entry."""
        index, command = change.event.index, change.event.command
        if isinstance(command, TimeBurn | ServiceBurn):
            amounts_fen: dict[tuple[str, str, int], int] = {}
            for move in change.moves:
                lot = dated_lot_of(move.posting.target_id)
                amounts_fen[lot] = amounts_fen.get(lot, 0) + move.posting.amount_fen
            used = _used_of_vouchers(change)
            self._burned += [
                StatementLot(index, voucher, format_day(day), contract, amount_fen, *used[voucher, day])
                for (voucher, contract, day), amount_fen in amounts_fen.items()
            ]
        elif isinstance(command, BurnReverse) and change.reversed is not None:
            self._reversed.append(ReversedRow(change.reversed.statement.index, command.line, index))
        elif isinstance(command, RedemptionClaim):
            assert isinstance(change.event.outcome, Claimed)
            for _, source, source_id, _, _, amount_fen in [move.posting for move in change.moves]:
                voucher, contract = lot_in(source, source_id)
                day = WITHHELD if source == "withheld" else format_day(dated_lot_of(source_id).day)
                self._claimed.append(ClaimLotRow(command.claim, contract, voucher, day, index, amount_fen))

    def write(self, c: SQLiteCursor, _: State) -> None:
        """Write the batch."""
        STATEMENT_LOTS.insert(c, self._burned)
        CLAIM_LOTS.insert(c, self._claimed)
        REVERSED_LINES.insert(c, self._reversed)


def _used_of_vouchers(change: Change) -> dict[tuple[str, int], tuple[int, int]]:
    """Return lines and GPU-time (milliseconds) of a statement by voucher and day."""
    assert change.statement is not None
    found: dict[tuple[str, int], tuple[int, int]] = {}
    for used in change.statement.used:
        for kind, voucher in used.payers:
            if kind == "voucher":
                lines, gpu_milliseconds = found.get((voucher, used.day), (0, 0))
                found[voucher, used.day] = lines + used.lines, gpu_milliseconds + used.gpu_milliseconds
    return found


# -- questions --------------------------------------------------------------------------------------------------------


class ClaimedStatements(NamedTuple):
    """Which statements have the lines of a claim, and what must be known to tell which lines these are.

    Attributes:
        lots: by entry, the lots (voucher and day) of which the claim took its lines.
        vouchers: by reservation.
        reversed_at: by entry and line, the entry that took it back.
        claimed_index: the claim's entry.
    """

    lots: Mapping[int, set[tuple[str, str]]]
    vouchers: Mapping[str, str]
    reversed_at: Mapping[tuple[int, int], int]
    claimed_index: int


def taken_by_day(
    c: SQLiteCursor, vouchers: Iterable[str], contract: str | None = None
) -> list[tuple[str, int, int, int]]:
    """Return by day what lines took of some vouchers (fen), how many, and their GPU-time (milliseconds).

    Args:
        c: reads the views.
        vouchers: their ids.
        contract: under which alone, if one is given.
    """
    where, values = condition(contract=contract)
    c.execute(
        f"SELECT day, {_exact_sum('amount_fen')}, sum(lines), {_exact_sum('gpu_milliseconds')} "  # noqa: S608 - our own
        f"FROM statement_lots {where or 'WHERE TRUE'} AND voucher IN (SELECT value FROM json_each(?)) GROUP BY day",
        [*values, json.dumps([*vouchers])],
    )
    return [
        (day, (fen_high << 32) + fen_low, lines, (gpu_high << 32) + gpu_low)
        for day, fen_high, fen_low, lines, gpu_high, gpu_low in c.fetchall()
    ]


def _exact_sum(column: str) -> str:
    """Return what sums a column in two halves: the sum may outgrow 64 bits, and SQLite would refuse it."""
    return f"sum({column} >> 32), sum({column} & 4294967295)"


def claim_lots(c: SQLiteCursor, claim: str) -> tuple[ClaimLot, ...]:
    """Return what a claim took, in the order of contracts, vouchers and days."""
    return tuple(
        ClaimLot(row.contract, row.voucher, row.day or None, row.amount_fen) for row in CLAIM_LOTS.rows(c, claim=claim)
    )


def claimed_statements(c: SQLiteCursor, claim: str) -> ClaimedStatements:
    """Return which statements have the lines of a claim."""
    taken = CLAIM_LOTS.rows(c, claim=claim)
    claimed_index = taken[0].claimed_index if taken else 0
    lots: dict[int, set[tuple[str, str]]] = {}
    vouchers: dict[str, str] = {}
    for voucher, contract in sorted({(row.voucher, row.contract) for row in taken}):
        since = _claimed_before(c, voucher, contract, claimed_index)
        days = {row.day for row in taken if (row.voucher, row.contract) == (voucher, contract)}
        for lot in STATEMENT_LOTS.rows(c, voucher=voucher, contract=contract):
            if lot.day in days and since.get(lot.day, -1) < lot.entry_index < claimed_index:
                lots.setdefault(lot.entry_index, set()).add((voucher, lot.day))
        vouchers |= {one.reservation: voucher for one in RESERVATIONS.rows(c, voucher=voucher, contract=contract)}
    reversed_at = {
        (index, row.line): row.reversed_index for index in lots for row in REVERSED_LINES.rows(c, entry_index=index)
    }
    return ClaimedStatements(lots, vouchers, reversed_at, claimed_index)


def _claimed_before(c: SQLiteCursor, voucher: str, contract: str, claimed_index: int) -> dict[str, int]:
    """Return by day which entry claimed of a lot last before another."""
    rows = CLAIM_LOTS.rows(c, in_order_of="claimed_index", voucher=voucher, contract=contract)
    return {row.day: row.claimed_index for row in rows if row.claimed_index < claimed_index}


def lines_of_claim(found: ClaimedStatements, entries: Iterable[bytes]) -> Iterator[ClaimLine]:
    """Yield the lines of a claim, in the order of the log.

    Args:
        found: which statements have them.
        entries: entry 0, and those statements in the order of the log.
    """
    for event, utc_offset_us in statements_in(entries):
        yield from _lines(event, found, utc_offset_us)


def statements_in(entries: Iterable[bytes]) -> Iterator[tuple[Event, int]]:
    """Yield the events of statements, each with the network's offset (microseconds), given entry 0 before them."""
    rest = iter(entries)
    founding = Entry.from_bytes(next(rest)).event.command
    assert isinstance(founding, NetworkFound)
    for data in rest:
        yield Entry.from_bytes(data).event, founding.utc_offset_seconds * SECOND_US


def _lines(event: Event, found: ClaimedStatements, utc_offset_us: int) -> Iterator[ClaimLine]:
    command, outcome = event.command, event.outcome
    assert isinstance(command, TimeBurn | ServiceBurn)
    assert isinstance(outcome, Burned)
    days = [format_day(day) for day in days_of_lines(command, event, utc_offset_us)]
    lots = found.lots[event.index]
    for number, said in enumerate(said_of_lines(command, utc_offset_us)):
        taken_back = found.reversed_at.get((event.index, number))
        if taken_back is not None and taken_back < found.claimed_index:
            continue
        paid_fen: dict[str, int] = {}
        for reservation, amounts_fen in outcome.paid:
            voucher = found.vouchers.get(reservation)
            if voucher is not None and amounts_fen[number] and (voucher, days[number]) in lots:
                paid_fen[voucher] = paid_fen.get(voucher, 0) + amounts_fen[number]
        for voucher, amount_fen in paid_fen.items():
            yield ClaimLine(
                index=event.index,
                ref=command.ref,
                line=number,
                contract=command.contract,
                voucher=voucher,
                day=days[number],
                **said,
                fee_fen=outcome.fee_fen[number],
                amount_fen=amount_fen,
                reversed=taken_back is not None,
            )


def said_of_lines(command: TimeBurn | ServiceBurn, utc_offset_us: int) -> Iterator[dict[str, Any]]:
    """Yield what a statement says of each of its lines, in their order."""
    if isinstance(command, ServiceBurn):
        yield {
            "item": command.item,
            "job": None,
            "starts_at": format_instant(command.first_day * DAY_US - utc_offset_us),
            "ends_at": format_instant((command.last_day + 1) * DAY_US - utc_offset_us),
            "gpu_milliseconds": 0,
            "quantity": command.quantity,
        }
        return
    for item, line in command.lines():
        yield {
            "item": item,
            "job": line.job,
            "starts_at": format_instant(line.starts_at),
            "ends_at": format_instant(line.ends_at),
            "gpu_milliseconds": line.gpu_milli * line.seconds,
            "quantity": None,
        }
