"""Vouchers and reservations."""

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
from tallystick.vouchers.deciding.ids import check_new_id
from tallystick.vouchers.deciding.programmes import check_own_programme, check_provider
from tallystick.vouchers.events import Issued, Nothing, Released, Returned
from tallystick.vouchers.holdings import Voucher
from tallystick.vouchers.programmes import Programme
from tallystick.vouchers.quantities import DAY_US, SECOND_US, format_instant
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.state import State


def voucher_issue(state: State, command: VoucherIssue, at: int) -> Issued | Refusal:
    """Within the programme's window, floor, cap and envelope."""
    refusal = check_new_id(command.voucher, command.party, state.vouchers) or check_own_programme(
        state, command.programme, command.party
    )
    if refusal:
        return refusal
    programme = state.programmes[command.programme]
    rules = programme.rules
    if programme.closed:
        return Refusal(Reason.PROGRAMME_CLOSED, command.programme)
    for instant in (at, command.valid_from):
        if not rules.opens_at <= instant < rules.closes_at:
            return Refusal(Reason.OUTSIDE_PROGRAMME_WINDOW, format_instant(instant))
    refusal = check_receiving_holder(state, command.holder)
    if refusal:
        return refusal
    if command.face_fen < rules.holder_floor_fen:
        return Refusal(Reason.BELOW_HOLDER_FLOOR, f"the floor is {rules.holder_floor_fen} fen")
    if command.face_fen > programme.book["unissued"]:
        return Refusal(Reason.EXCEEDS_ENVELOPE, f"{programme.book['unissued']} fen are unissued")
    refusal = _check_cap(programme, command.holder, command.face_fen)
    if refusal:
        return refusal
    return Issued(command.valid_from + rules.validity_days * DAY_US)


def voucher_transfer(state: State, command: VoucherTransfer, at: int) -> Nothing | Refusal:
    """Where the programme lets it, to a holder whose cap has room."""
    refusal = (
        check_new_id(command.into, command.party, state.vouchers)
        or check_receiving_holder(state, command.to)
        or _check_own_voucher(state, command.voucher, command.party)
    )
    if refusal:
        return refusal
    voucher = state.vouchers[command.voucher]
    programme = state.programmes[voucher.programme]
    if programme.rules.transfer == "forbidden":
        return Refusal(Reason.TRANSFER_FORBIDDEN, voucher.programme)
    if command.to == command.party:
        return Refusal(Reason.TRANSFER_TO_ONESELF, command.to)
    return (
        _check_good(voucher, command.voucher, at)
        or _check_cap(programme, command.to, command.amount_fen)
        or _check_available(voucher, command.amount_fen)
        or Nothing()
    )


def voucher_suspend(state: State, command: VoucherSuspend, at: int) -> Nothing | Refusal:
    """A good voucher, by its treasury."""
    refusal = check_treasurys_voucher(state, command.voucher, command.party)
    return refusal or _check_good(state.vouchers[command.voucher], command.voucher, at) or Nothing()


def voucher_resume(state: State, command: VoucherResume, at: int) -> Nothing | Refusal:
    """A suspended voucher, by its treasury."""
    refusal = check_treasurys_voucher(state, command.voucher, command.party)
    if refusal:
        return refusal
    voucher = state.vouchers[command.voucher]
    if voucher.status != "suspended":
        return Refusal(Reason.VOUCHER_NOT_SUSPENDED, command.voucher)
    if voucher.is_spent_time(at):
        return Refusal(Reason.VOUCHER_ENDED, command.voucher)
    return Nothing()


def voucher_revoke(state: State, command: VoucherRevoke, at: int) -> Returned | Refusal:
    """Before its validity is over; suspended or not."""
    refusal = check_treasurys_voucher(state, command.voucher, command.party)
    if refusal:
        return refusal
    voucher = state.vouchers[command.voucher]
    if voucher.is_spent_time(at):
        return Refusal(Reason.VOUCHER_ENDED, command.voucher)
    return Returned(voucher.available_fen)


def voucher_lapse(state: State, command: VoucherLapse, at: int) -> Returned | Refusal:
    """Once its validity is over."""
    refusal = check_treasurys_voucher(state, command.voucher, command.party)
    if refusal:
        return refusal
    voucher = state.vouchers[command.voucher]
    if voucher.has_ended:
        return Refusal(Reason.VOUCHER_ENDED, command.voucher)
    if at < voucher.valid_until:
        return Refusal(Reason.VOUCHER_NOT_OVER, f"valid until {format_instant(voucher.valid_until)}")
    return Returned(voucher.available_fen)


def voucher_reserve(state: State, command: VoucherReserve, at: int) -> Nothing | Refusal:
    """For a provider that the programme accredits now, within the voucher's validity."""
    refusal = check_new_id(command.reservation, command.party, state.reservations)
    if refusal:
        return refusal
    if command.until <= at:
        return Refusal(Reason.WINDOW_INVALID, f"until {format_instant(command.until)}")
    refusal = check_provider(state, command.provider)
    if refusal:
        return refusal
    if state.parties[command.provider].suspended:
        return Refusal(Reason.RECEIVER_SUSPENDED, command.provider)
    refusal = _check_own_voucher(state, command.voucher, command.party)
    if refusal:
        return refusal
    voucher = state.vouchers[command.voucher]
    refusal = _check_good(voucher, command.voucher, at)
    if refusal:
        return refusal
    if command.until > voucher.valid_until:
        return Refusal(Reason.RESERVATION_OUTLIVES_VOUCHER, f"valid until {format_instant(voucher.valid_until)}")
    refusal = _check_available(voucher, command.amount_fen)
    if refusal:
        return refusal
    if not state.programmes[voucher.programme].is_accredited(command.provider, at, at + 1):
        return Refusal(Reason.PROVIDER_NOT_ACCREDITED, f"{command.provider} under {voucher.programme}")
    return Nothing()


def reservation_release(state: State, command: ReservationRelease, at: int) -> Released | Refusal:
    """By its provider at any time; by its holder when it is over and statements had time to arrive."""
    reservation = state.reservations.get(command.reservation)
    if reservation is None:
        return Refusal(Reason.RESERVATION_UNKNOWN, command.reservation)
    if command.party not in (reservation.provider, reservation.holder):
        return Refusal(Reason.NOT_OWN_RESERVATION, command.reservation)
    if reservation.closed:
        return Refusal(Reason.RESERVATION_CLOSED, command.reservation)
    assert state.network is not None
    free_at = reservation.until + state.network.founding.release_grace_seconds * SECOND_US
    if command.party == reservation.holder and at < free_at:
        return Refusal(Reason.RESERVATION_NOT_OVER, f"its holder may from {format_instant(free_at)}")
    ended = state.vouchers[reservation.voucher].has_ended
    return Released(reservation.remaining_fen, "programme" if ended else "voucher")


def check_receiving_holder(state: State, holder: str) -> Refusal | None:
    """Refuse who isn't a holder, or is suspended."""
    party = state.parties.get(holder)
    if party is None or party.role != "holder":
        return Refusal(Reason.HOLDER_UNKNOWN, holder)
    return Refusal(Reason.RECEIVER_SUSPENDED, holder) if party.suspended else None


def check_treasurys_voucher(state: State, voucher_id: str, treasury: str) -> Refusal | None:
    """Refuse a voucher that isn't there, or is of another treasury's programme."""
    voucher = state.vouchers.get(voucher_id)
    if voucher is None:
        return Refusal(Reason.VOUCHER_UNKNOWN, voucher_id)
    return check_own_programme(state, voucher.programme, treasury)


def _check_own_voucher(state: State, voucher_id: str, holder: str) -> Refusal | None:
    voucher = state.vouchers.get(voucher_id)
    if voucher is None:
        return Refusal(Reason.VOUCHER_UNKNOWN, voucher_id)
    return None if voucher.holder == holder else Refusal(Reason.NOT_OWN_VOUCHER, f"{voucher_id} is of {voucher.holder}")


def _check_good(voucher: Voucher, voucher_id: str, at: int) -> Refusal | None:
    if voucher.status == "suspended":
        return Refusal(Reason.VOUCHER_SUSPENDED, voucher_id)
    return Refusal(Reason.VOUCHER_ENDED, voucher_id) if voucher.is_spent_time(at) else None


def _check_cap(programme: Programme, holder: str, amount_fen: int) -> Refusal | None:
    room_fen = programme.rules.holder_cap_fen - programme.granted_fen.get(holder, 0)
    return (
        Refusal(Reason.EXCEEDS_HOLDER_CAP, f"{holder} has room for {room_fen} fen") if amount_fen > room_fen else None
    )


def _check_available(voucher: Voucher, amount_fen: int) -> Refusal | None:
    if amount_fen > voucher.available_fen:
        return Refusal(Reason.EXCEEDS_AVAILABLE_BALANCE, f"{voucher.available_fen} fen are available")
    return None
