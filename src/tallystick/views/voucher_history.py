"""All that ever happened to a voucher, one line an entry, oldest first.

A statement is one line of each voucher that paid some of it, however many lines of its own it has: what it took of the
voucher, out of all its reservations. Claims and settlements don't show: they are about what was burned, not about the
voucher. What of that goes back to the programme because nobody claimed it in time does, when that is booked.
"""

from dataclasses import dataclass
from typing import ClassVar, Final

from tallystick.errors import NotFoundError
from tallystick.views.balances import RESERVATIONS, VOUCHERS, ReservationBalance, VoucherBalance
from tallystick.views.changes import Change, Commands, mandate_of
from tallystick.views.library import SQLiteCursor
from tallystick.views.view_tables import IndexKey, Key, Table
from tallystick.vouchers.book import Lot
from tallystick.vouchers.outcomes import Expired, Released, Returned, Reversed
from tallystick.vouchers.quantities import format_instant
from tallystick.vouchers.rules.burning import BurnReverse, TimeBurn
from tallystick.vouchers.rules.endings import BookExpire, VoucherRevoke
from tallystick.vouchers.rules.importing import VoucherImport
from tallystick.vouchers.rules.reservations import ReservationExtend, ReservationRelease, VoucherReserve
from tallystick.vouchers.rules.service_burning import ServiceBurn
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

    commands: ClassVar[Commands] = None

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


Told = tuple[str, int, str]
"""Of a voucher: its id, an amount, and a text."""


def _touched(change: Change) -> list[Told]:
    """Return what is told of each voucher that an entry touches, and by which mandate it was done."""
    told = _told(change)
    mandate = mandate_of(change.event.command)
    return told if mandate is None else [(one, amount_fen, f"{text}, by {mandate}") for one, amount_fen, text in told]


def _told(change: Change) -> list[Told]:
    outcome = change.event.outcome
    match change.event.command:
        case TimeBurn() | ServiceBurn():
            return _burned(change)
        case VoucherIssue() as command:
            bound = f", under {command.contract} alone" if command.contract is not None else ""
            applied = f" for {command.application}" if command.application is not None else ""
            return [(command.voucher, command.face_fen, f"to {command.holder}{applied}{bound}")]
        case VoucherImport() as command:
            return [(command.voucher, command.face_fen, f"to {command.holder}, from before the log")]
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
        case VoucherReserve() | ReservationExtend() | ReservationRelease():
            return [_reserved(change)]
        case BookExpire():
            assert isinstance(outcome, Expired)
            return _expired(outcome, change.state)
        case BurnReverse() as command:
            assert isinstance(outcome, Reversed)
            return _returned(command, outcome, change)
    # Of a command about which there is nothing more to say: each voucher that it touches, and what moved.
    moved_fen = change.moved_fen()
    return [(one, moved_fen.get(one, 0), "") for one in change.things.get("voucher", ())]


def _reserved(change: Change) -> Told:
    """Return what is told of a reservation that was made, extended or released."""
    command, outcome = change.event.command, change.event.outcome
    assert isinstance(command, VoucherReserve | ReservationExtend | ReservationRelease)
    reservation = change.state.reservations[command.reservation]
    amount_fen = change.moved_fen().get(reservation.voucher, 0)
    if isinstance(command, VoucherReserve):
        text = f"{command.reservation} for {reservation.provider}, under {command.contract}"
    elif isinstance(command, ReservationExtend):
        text = command.reservation if command.until is None else f"{command.reservation}, for longer"
    else:
        assert isinstance(outcome, Released)
        text = f"{command.reservation} to the {outcome.to}"
    return reservation.voucher, amount_fen, text


def _burned(change: Change) -> list[Told]:
    """Return what a statement took of each voucher, out of all its reservations."""
    command, moved_fen = change.event.command, change.moved_fen()
    assert change.statement is not None
    by_voucher = change.statement.lines_by_voucher.items()
    if isinstance(command, ServiceBurn):
        what = (
            f"an invoice for {command.item}" if command.quantity is None else f"{command.quantity:,} of {command.item}"
        )
        texts = [(voucher, what) for voucher, _ in by_voucher]
    else:
        texts = [(voucher, f"{lines} line{'s' * (lines > 1)}") for voucher, lines in by_voucher]
    contract = change.statement.contract
    return [(voucher, moved_fen[voucher], f"{text} under {contract}") for voucher, text in texts]


def _expired(outcome: Expired, state: State) -> list[Told]:
    """Return what went back to each voucher, or, if it has ended, to its programme: that is the amount, then."""
    texts: dict[str, list[str]] = {}
    back_fen: dict[str, dict[str, int]] = {}
    for kind, name, amount_fen, to in outcome.rows:
        match kind:
            case "voucher":
                voucher, text = name, "all to the programme"
            case "reservation":
                voucher, text = state.reservations[name].voucher, f"{name} to the {to}"
            case "lot":
                voucher, contract = Lot(*name.split(" "))
                text = f"unclaimed under {contract} to the programme"
        texts.setdefault(voucher, []).append(text)
        there_fen = back_fen.setdefault(voucher, {})
        there_fen[to] = there_fen.get(to, 0) + amount_fen
    return [
        (voucher, there_fen.get("programme", there_fen.get("voucher", 0)), ", ".join(texts[voucher]))
        for voucher, there_fen in back_fen.items()
    ]


def _returned(command: BurnReverse, outcome: Reversed, change: Change) -> list[Told]:
    """Return a line for each voucher that had paid what a reversal takes back, out of one reservation or several."""
    places: dict[str, list[str]] = {}
    for reservation, _, to in outcome.returned:
        places.setdefault(change.state.reservations[reservation].voucher, []).append(to)
    moved_fen = change.moved_fen()
    line = f"line {command.line} of {command.statement}"
    return [
        (voucher, moved_fen[voucher], f"{line} to the {' and the '.join(dict.fromkeys(to))}: {command.reason}")
        for voucher, to in places.items()
        if voucher in moved_fen  # up to a day, of what was withheld nothing came back yet
    ]


def voucher_history(c: SQLiteCursor, voucher: str) -> VoucherHistory:
    """Return all about a voucher.

    Raises:
        NotFoundError: there is none of that id.
    """
    balances = VOUCHERS.rows(c, voucher=voucher)
    if not balances:
        raise NotFoundError(f"there is no voucher {voucher}")
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
