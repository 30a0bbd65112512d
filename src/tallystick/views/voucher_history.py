"""All that ever happened to a voucher, one line an entry, oldest first.

A statement is one line of each voucher that paid some of it, however many lines of its own it has: what it took of the
voucher, out of all its reservations. Claims and payments don't show: they are about what was burned, not about the
voucher.
"""

from dataclasses import dataclass
from typing import Final

from tallystick.errors import UsageError
from tallystick.views.balances import RESERVATIONS, VOUCHERS, ReservationBalance, VoucherBalance
from tallystick.views.changes import Change
from tallystick.views.library import SQLiteCursor
from tallystick.views.view_tables import IndexKey, Key, Table
from tallystick.vouchers.outcomes import Released, Returned, Reversed
from tallystick.vouchers.quantities import format_instant
from tallystick.vouchers.rules.burning import BurnReverse, TimeBurn
from tallystick.vouchers.rules.recovery import VoucherLapse, VoucherRevoke
from tallystick.vouchers.rules.reservations import ReservationRelease, VoucherReserve
from tallystick.vouchers.rules.vouchers import VoucherIssue, VoucherResume, VoucherSuspend, VoucherTransfer
from tallystick.vouchers.state import State


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """A line of a voucher's history, in the order of the log; what it says, `HistoryLine` says."""

    voucher: Key
    entry_index: IndexKey
    at: int
    kind: str
    party: str
    ref: str
    amount_fen: int
    available_fen: int
    text: str


HISTORIES: Final = Table("voucher_history", HistoryRow)


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One entry as it touched a voucher.

    Attributes:
        index, at: of the entry.
        kind: of the event, for example `voucher.reserved/1`.
        party, ref: who commanded it, under which reference.
        amount_fen: what moved, never negative; the kind says where.
        available_fen: what was available of the voucher just after.
        text: the rest, for a person.
    """

    index: int
    at: str
    kind: str
    party: str
    ref: str
    amount_fen: int
    available_fen: int
    text: str


@dataclass(frozen=True, slots=True)
class VoucherHistory:
    """A voucher, its reservations, the vouchers transferred out of it, and what happened to it."""

    balance: VoucherBalance
    reservations: tuple[ReservationBalance, ...]
    parts: tuple[VoucherBalance, ...]
    history: tuple[HistoryLine, ...]


class VoucherHistories:
    """What a batch of entries adds to histories."""

    def __init__(self) -> None:
        self._rows: list[HistoryRow] = []

    def add(self, change: Change) -> None:
        """Take in one entry."""
        event = change.event
        command = event.command
        for voucher, amount_fen, text in _touched(change):
            what = (event.index, event.at, event.kind, command.party, command.ref)
            self._rows.append(HistoryRow(voucher, *what, amount_fen, change.available_fen(voucher), text))

    def write(self, c: SQLiteCursor, _: State) -> None:
        """Write the batch."""
        HISTORIES.insert(c, self._rows)


def _touched(change: Change) -> list[tuple[str, int, str]]:
    """Return the voucher, the amount and a text, of each voucher that an entry touches."""
    outcome = change.event.outcome
    state = change.state
    match change.event.command:
        case VoucherIssue() as command:
            bound = f", under {command.contract} alone" if command.contract is not None else ""
            applied = f" for {command.application}" if command.application is not None else ""
            return [(command.voucher, command.face_fen, f"to {command.holder}{applied}{bound}")]
        case VoucherTransfer() as command:
            return [
                (command.voucher, command.amount_fen, f"to {command.to} as {command.into}"),
                (command.into, command.amount_fen, f"from {command.party}, out of {command.voucher}"),
            ]
        case VoucherSuspend() | VoucherResume() as command:
            return [(command.voucher, 0, command.reason)]
        case VoucherRevoke() as command:
            assert isinstance(outcome, Returned)
            return [(command.voucher, outcome.returned_fen, command.reason)]
        case VoucherLapse() as command:
            assert isinstance(outcome, Returned)
            return [(command.voucher, outcome.returned_fen, "")]
        case VoucherReserve() as command:
            provider = state.reservations[command.reservation].provider
            text = f"{command.reservation} for {provider}, under {command.contract}"
            return [(command.voucher, command.amount_fen, text)]
        case ReservationRelease() as command:
            assert isinstance(outcome, Released)
            voucher = state.reservations[command.reservation].voucher
            return [(voucher, outcome.released_fen, f"{command.reservation} to the {outcome.to}")]
        case TimeBurn() as command:
            assert change.statement is not None
            moved_fen = change.moved_fen()
            return [
                (voucher, moved_fen[voucher], f"{lines} line{'s' * (lines > 1)} under {command.contract}")
                for voucher, lines in change.statement.lines_by_voucher.items()
            ]
        case BurnReverse() as command:
            assert isinstance(outcome, Reversed)
            return _returned(command, outcome, change)
    # Of a command about which there is nothing more to say: each voucher that it touches, and what moved.
    vouchers = [name.removeprefix("voucher ") for name in change.names if name.startswith("voucher ")]
    return [(one, change.moved_fen().get(one, 0), "") for one in vouchers]


def _returned(command: BurnReverse, outcome: Reversed, change: Change) -> list[tuple[str, int, str]]:
    """Return a line for each voucher that had paid what a reversal takes back, out of one reservation or several."""
    places: dict[str, list[str]] = {}
    for reservation, _, to in outcome.returned:
        places.setdefault(change.state.reservations[reservation].voucher, []).append(to)
    moved_fen = change.moved_fen()
    line = f"line {command.line} of {command.statement}"
    return [
        (voucher, moved_fen[voucher], f"{line} to the {' and the '.join(dict.fromkeys(to))}: {command.reason}")
        for voucher, to in places.items()
    ]


def voucher_history(c: SQLiteCursor, voucher: str) -> VoucherHistory:
    """Return all about a voucher.

    Raises:
        UsageError: there is none of that id.
    """
    balances = VOUCHERS.rows(c, voucher=voucher)
    if not balances:
        raise UsageError(f"there is no voucher {voucher}")
    history = [
        HistoryLine(
            row.entry_index,
            format_instant(row.at),
            row.kind,
            row.party,
            row.ref,
            row.amount_fen,
            row.available_fen,
            row.text,
        )
        for row in HISTORIES.rows(c, voucher=voucher)
    ]
    return VoucherHistory(
        balances[0],
        RESERVATIONS.rows(c, voucher=voucher),
        VOUCHERS.rows(c, parent=voucher),
        tuple(history),
    )
