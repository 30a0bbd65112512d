"""Events of vouchers and reservations."""

from tallystick.vouchers.commands import (
    ReservationRelease,
    VoucherIssue,
    VoucherLapse,
    VoucherReserve,
    VoucherResume,
    VoucherRevoke,
    VoucherSuspend,
    VoucherTransfer,
)
from tallystick.vouchers.events import Event, Issued, Released, Returned
from tallystick.vouchers.holdings import Reservation, Voucher
from tallystick.vouchers.programmes import Account
from tallystick.vouchers.state import Posting, State


def voucher_issued(state: State, command: VoucherIssue, event: Event) -> tuple[Posting, ...]:
    """Out of the envelope, into a holder's hands."""
    assert isinstance(event.outcome, Issued)
    programme = state.programmes[command.programme]
    programme.issued_fen += command.face_fen
    _grant(programme.granted_fen, command.holder, command.face_fen)
    state.vouchers[command.voucher] = Voucher(
        programme=command.programme,
        holder=command.holder,
        face_fen=command.face_fen,
        available_fen=command.face_fen,
        burned_fen=0,
        valid_from=command.valid_from,
        valid_until=event.outcome.valid_until,
    )
    issue = Posting(command.programme, "unissued", command.programme, "available", command.voucher, command.face_fen)
    return (state.post(issue),)


def voucher_transferred(state: State, command: VoucherTransfer, event: Event) -> tuple[Posting, ...]:
    """A part becomes a voucher of its own."""
    parent = state.vouchers[command.voucher]
    granted_fen = state.programmes[parent.programme].granted_fen
    _grant(granted_fen, parent.holder, -command.amount_fen)
    _grant(granted_fen, command.to, command.amount_fen)
    parent.available_fen -= command.amount_fen
    state.vouchers[command.into] = Voucher(
        programme=parent.programme,
        holder=command.to,
        face_fen=command.amount_fen,
        available_fen=command.amount_fen,
        burned_fen=0,
        valid_from=parent.valid_from,
        valid_until=parent.valid_until,
        parent=command.voucher,
    )
    transfer = Posting(parent.programme, "available", command.voucher, "available", command.into, command.amount_fen)
    return (state.post(transfer),)


def voucher_suspended(state: State, command: VoucherSuspend, event: Event) -> tuple[Posting, ...]:
    """Frozen."""
    state.vouchers[command.voucher].status = "suspended"
    return ()


def voucher_resumed(state: State, command: VoucherResume, event: Event) -> tuple[Posting, ...]:
    """Good again."""
    state.vouchers[command.voucher].status = "active"
    return ()


def voucher_revoked(state: State, command: VoucherRevoke, event: Event) -> tuple[Posting, ...]:
    """Ended by its treasury; what was revoked no longer counts against the holder's cap."""
    voucher = state.vouchers[command.voucher]
    voucher.status = "revoked"
    programme = state.programmes[voucher.programme]
    programme.revoked_fen += voucher.available_fen
    _grant(programme.granted_fen, voucher.holder, -voucher.available_fen)
    return _give_back(state, command.voucher, event)


def voucher_lapsed(state: State, command: VoucherLapse, event: Event) -> tuple[Posting, ...]:
    """Ended by time."""
    voucher = state.vouchers[command.voucher]
    voucher.status = "lapsed"
    state.programmes[voucher.programme].lapsed_fen += voucher.available_fen
    return _give_back(state, command.voucher, event)


def voucher_reserved(state: State, command: VoucherReserve, event: Event) -> tuple[Posting, ...]:
    """A promise to one provider."""
    voucher = state.vouchers[command.voucher]
    voucher.available_fen -= command.amount_fen
    state.reservations[command.reservation] = Reservation(
        id=command.reservation,
        voucher=command.voucher,
        programme=voucher.programme,
        holder=voucher.holder,
        provider=command.provider,
        amount_fen=command.amount_fen,
        remaining_fen=command.amount_fen,
        until=command.until,
    )
    reserve = Posting(
        voucher.programme, "available", command.voucher, "reserved", command.reservation, command.amount_fen
    )
    return (state.post(reserve),)


def reservation_released(state: State, command: ReservationRelease, event: Event) -> tuple[Posting, ...]:
    """The promise is over; what remains goes where the outcome says."""
    assert isinstance(event.outcome, Released)
    reservation = state.reservations[command.reservation]
    reservation.closed = True
    reservation.remaining_fen -= event.outcome.released_fen
    return put_back(state, "reserved", reservation.id, reservation, event.outcome.released_fen, event.outcome.to)


def put_back(
    state: State, source: Account, source_id: str, reservation: Reservation, amount_fen: int, to: str
) -> tuple[Posting, ...]:
    """Move an amount from an account back to the reservation, its voucher, or its programme."""
    voucher = state.vouchers[reservation.voucher]
    programme = state.programmes[reservation.programme]
    if to == "reservation":
        reservation.remaining_fen += amount_fen
        posting = Posting(reservation.programme, source, source_id, "reserved", reservation.id, amount_fen)
    elif to == "voucher":
        voucher.available_fen += amount_fen
        posting = Posting(reservation.programme, source, source_id, "available", reservation.voucher, amount_fen)
    else:
        if voucher.status == "lapsed":
            programme.lapsed_fen += amount_fen
        else:
            programme.revoked_fen += amount_fen
            _grant(programme.granted_fen, voucher.holder, -amount_fen)
        posting = Posting(reservation.programme, source, source_id, "unissued", reservation.programme, amount_fen)
    return (state.post(posting),) if amount_fen else ()


def _give_back(state: State, voucher_id: str, event: Event) -> tuple[Posting, ...]:
    assert isinstance(event.outcome, Returned)
    voucher = state.vouchers[voucher_id]
    amount_fen = event.outcome.returned_fen
    voucher.available_fen -= amount_fen
    posting = Posting(voucher.programme, "available", voucher_id, "unissued", voucher.programme, amount_fen)
    return (state.post(posting),) if amount_fen else ()


def _grant(granted_fen: dict[str, int], holder: str, amount_fen: int) -> None:
    granted_fen[holder] = granted_fen.get(holder, 0) + amount_fen
