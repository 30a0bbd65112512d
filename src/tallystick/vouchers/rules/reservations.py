"""Reservations: what a holder promises a provider, and what is left of it."""

from typing import Final, Literal

from tallystick.vouchers.book import Account, Posting
from tallystick.vouchers.holdings import Reservation
from tallystick.vouchers.outcomes import Nothing, Released
from tallystick.vouchers.quantities import SECOND_US, Fen, Instant, OwnedId, PartyId, format_instant
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.checks import (
    check_available,
    check_good,
    check_new_id,
    check_own_voucher,
    check_provider,
)
from tallystick.vouchers.rules.rule import (
    HOLDER,
    PROVIDER,
    Accounts,
    Event,
    History,
    Names,
    Postings,
    Rule,
    Signers,
    accreditation_of,
    own_party,
    voucher_accounts,
)
from tallystick.vouchers.state import State


class VoucherReserve(Rule):
    """A holder promises a provider what it may burn of a voucher, and until when."""

    kind: Literal["voucher.reserve/1"]
    reservation: OwnedId
    voucher: OwnedId
    provider: PartyId
    amount_fen: Fen
    until: Instant

    event_kind = "voucher.reserved/1"
    outcome = Nothing
    roles = HOLDER
    refusals = (
        Reason.ID_OUTSIDE_OWN_NAMESPACE,
        Reason.ID_ALREADY_USED,
        Reason.WINDOW_INVALID,
        Reason.PROVIDER_UNKNOWN,
        Reason.RECEIVER_SUSPENDED,
        Reason.VOUCHER_UNKNOWN,
        Reason.NOT_OWN_VOUCHER,
        Reason.VOUCHER_SUSPENDED,
        Reason.VOUCHER_ENDED,
        Reason.RESERVATION_OUTLIVES_VOUCHER,
        Reason.EXCEEDS_AVAILABLE_BALANCE,
        Reason.PROVIDER_NOT_ACCREDITED,
    )

    def signers(self, state: State, at: int) -> Signers:
        """One signature of the party, of the network its quorum."""
        return own_party(self, state)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """For a provider that the programme accredits now, within the voucher's validity."""
        refusal = check_new_id(self.reservation, self.party, state.reservations)
        if refusal:
            return refusal
        if self.until <= at:
            return Refusal(Reason.WINDOW_INVALID, f"until {format_instant(self.until)}")
        refusal = check_provider(state, self.provider)
        if refusal:
            return refusal
        if state.parties[self.provider].suspended:
            return Refusal(Reason.RECEIVER_SUSPENDED, self.provider)
        refusal = check_own_voucher(state, self.voucher, self.party)
        if refusal:
            return refusal
        voucher = state.vouchers[self.voucher]
        refusal = check_good(voucher, self.voucher, at)
        if refusal:
            return refusal
        if self.until > voucher.valid_until:
            return Refusal(Reason.RESERVATION_OUTLIVES_VOUCHER, f"valid until {format_instant(voucher.valid_until)}")
        refusal = check_available(state, self.voucher, self.amount_fen)
        if refusal:
            return refusal
        if not state.programmes[voucher.programme].is_accredited(self.provider, at, at + 1):
            return Refusal(Reason.PROVIDER_NOT_ACCREDITED, f"{self.provider} under {voucher.programme}")
        return Nothing()

    def evolve(self, state: State, event: Event) -> Postings:
        """A promise to one provider."""
        voucher = state.vouchers[self.voucher]
        state.reservations[self.reservation] = Reservation(
            id=self.reservation,
            voucher=self.voucher,
            programme=voucher.programme,
            holder=voucher.holder,
            provider=self.provider,
            amount_fen=self.amount_fen,
            until=self.until,
        )
        return (Posting(voucher.programme, "available", self.voucher, "reserved", self.reservation, self.amount_fen),)

    def touches(self, state: State, event: Event) -> Accounts:
        """The voucher, its holder, its programme and the reservation's provider."""
        reservation = state.reservations[self.reservation]
        return voucher_accounts(state, reservation.voucher) | {f"provider {reservation.provider}"}

    def concerns(self, state: State, event: Event) -> Names:
        """The reservation."""
        return [f"reservation {self.reservation}"]

    def follows(self) -> Names:
        """The voucher's terms, the provider, and the reservation."""
        return [f"terms {self.voucher}", f"party {self.provider}", f"reservation {self.reservation}"]

    def asks(self, event: Event, history: History) -> Names:
        """The provider's accreditations."""
        return accreditation_of(history, self.reservation, self.provider)


class ReservationRelease(Rule):
    """What remains of a reservation goes back."""

    kind: Literal["reservation.release/1"]
    reservation: OwnedId

    event_kind = "reservation.released/1"
    outcome = Released
    roles = HOLDER | PROVIDER
    refusals = (
        Reason.RESERVATION_UNKNOWN,
        Reason.NOT_OWN_RESERVATION,
        Reason.RESERVATION_CLOSED,
        Reason.RESERVATION_NOT_OVER,
    )

    def signers(self, state: State, at: int) -> Signers:
        """One signature of the party, of the network its quorum."""
        return own_party(self, state)

    def decide(self, state: State, at: int) -> Released | Refusal:
        """By its provider at any time; by its holder when it is over and statements had time to arrive."""
        reservation = state.reservations.get(self.reservation)
        if reservation is None:
            return Refusal(Reason.RESERVATION_UNKNOWN, self.reservation)
        if self.party not in (reservation.provider, reservation.holder):
            return Refusal(Reason.NOT_OWN_RESERVATION, self.reservation)
        if reservation.closed:
            return Refusal(Reason.RESERVATION_CLOSED, self.reservation)
        assert state.network is not None
        free_at = reservation.until + state.network.parameters.release_grace_seconds * SECOND_US
        if self.party == reservation.holder and at < free_at:
            detail = f"its holder may from {format_instant(free_at)}"
            return Refusal(Reason.RESERVATION_NOT_OVER, detail, not_before=free_at)
        ended = state.vouchers[reservation.voucher].has_ended
        return Released(state.book["reserved", self.reservation], "programme" if ended else "voucher")

    def evolve(self, state: State, event: Event) -> Postings:
        """The promise is over; what remains goes where the outcome says."""
        assert isinstance(event.outcome, Released)
        reservation = state.reservations[self.reservation]
        reservation.closed = True
        return put_back("reserved", reservation.id, reservation, event.outcome.released_fen, event.outcome.to)

    def touches(self, state: State, event: Event) -> Accounts:
        """The voucher, its holder, its programme and the reservation's provider."""
        reservation = state.reservations[self.reservation]
        return voucher_accounts(state, reservation.voucher) | {f"provider {reservation.provider}"}

    def concerns(self, state: State, event: Event) -> Names:
        """The reservation."""
        return [f"reservation {self.reservation}"]

    def follows(self) -> Names:
        """The reservation."""
        return [f"reservation {self.reservation}"]

    def asks(self, event: Event, history: History) -> Names:
        """Nothing."""
        return ()


def put_back(
    source: Account,
    source_id: str,
    reservation: Reservation,
    amount_fen: int,
    to: Literal["reservation", "voucher", "programme"],
) -> Postings:
    """Move an amount from an account back to the reservation, its voucher, or its programme."""
    if not amount_fen:
        return ()
    target: Account
    match to:
        case "reservation":
            target, target_id = "reserved", reservation.id
        case "voucher":
            target, target_id = "available", reservation.voucher
        case "programme":
            target, target_id = "unissued", reservation.programme
    return (Posting(reservation.programme, source, source_id, target, target_id, amount_fen),)


RULES: Final = (VoucherReserve, ReservationRelease)
