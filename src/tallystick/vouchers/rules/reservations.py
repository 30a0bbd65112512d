"""Reservations: what a holder promises a provider, and what is left of it."""

from typing import Final, Literal

from pydantic import model_validator

from tallystick.vouchers.book import Account, Posting
from tallystick.vouchers.fields import CONTRACT_PROGRAMMES_MAX, CONTRACT_RESERVATIONS_MAX
from tallystick.vouchers.holdings import Reservation
from tallystick.vouchers.outcomes import Nothing, Released
from tallystick.vouchers.quantities import SECOND_US, Fen, Instant, OwnedId, format_day, format_instant
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.checks import (
    check_available,
    check_good,
    check_holders_contract,
    check_new_id,
    check_own_voucher,
    check_sum,
    unknown,
)
from tallystick.vouchers.rules.mandates import MANDATE_REFUSALS, check_mandate, mandate_name, treasury_of
from tallystick.vouchers.rules.rule import (
    HOLDER,
    OPERATOR,
    PROVIDER,
    TREASURY,
    Accounts,
    Event,
    History,
    Names,
    Postings,
    Rule,
    Signers,
    accreditations_of,
    own_party,
    voucher_accounts,
)
from tallystick.vouchers.state import State


class VoucherReserve(Rule):
    """A holder promises a contract's provider what it may burn of a voucher, and until when."""

    kind: Literal["voucher.reserve/1"]
    reservation: OwnedId
    voucher: OwnedId
    contract: OwnedId
    amount_fen: Fen
    until: Instant

    event_kind = "voucher.reserved/1"
    outcome = Nothing
    about = ("reservation",)
    roles = HOLDER
    refusals = (
        Reason.ID_OUTSIDE_OWN_NAMESPACE,
        Reason.ID_ALREADY_USED,
        Reason.CONTRACT_UNKNOWN,
        Reason.NOT_OWN_CONTRACT,
        Reason.CONTRACT_ENDED,
        Reason.WINDOW_INVALID,
        Reason.RECEIVER_SUSPENDED,
        Reason.VOUCHER_UNKNOWN,
        Reason.NOT_OWN_VOUCHER,
        Reason.VOUCHER_BOUND_TO_CONTRACT,
        Reason.VOUCHER_SUSPENDED,
        Reason.VOUCHER_ENDED,
        Reason.BASIS_DIFFERS,
        Reason.RESERVATION_OUTLIVES_VOUCHER,
        Reason.RESERVATION_OUTLIVES_CONTRACT,
        Reason.TOO_MANY_PROGRAMMES,
        Reason.TOO_MANY_RESERVATIONS,
        Reason.EXCEEDS_AVAILABLE_BALANCE,
        Reason.SUM_TOO_LARGE,
        Reason.PROVIDER_NOT_ACCREDITED,
    )

    def signers(self, state: State, at: int) -> Signers:
        """One signature of the party, of the network its quorum."""
        return own_party(self, state)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """Under the holder's own contract, within its days and the voucher's, where the provider is accredited now."""
        return (
            check_new_id(self.reservation, self.party, state.reservations, state.left["reservation"])
            or check_holders_contract(state, self.contract, self.party)
            or self._check_contract(state, at)
            or check_own_voucher(state, self.voucher, self.party)
            or self._check_voucher(state, at)
            or self._check_room(state, at)
            or Nothing()
        )

    def _check_contract(self, state: State, at: int) -> Refusal | None:
        contract = state.contracts[self.contract]
        if contract.last_day < state.day_of(at):
            return Refusal(Reason.CONTRACT_ENDED, f"its last day was {format_day(contract.last_day)}")
        if self.until <= at:
            return Refusal(Reason.WINDOW_INVALID, f"until {format_instant(self.until)}")
        if state.parties[contract.provider].suspended:
            return Refusal(Reason.RECEIVER_SUSPENDED, contract.provider)
        return None

    def _check_voucher(self, state: State, at: int) -> Refusal | None:
        voucher, contract = state.vouchers[self.voucher], state.contracts[self.contract]
        if voucher.contract not in (None, self.contract):
            return Refusal(Reason.VOUCHER_BOUND_TO_CONTRACT, f"{self.voucher} is spent under {voucher.contract}")
        refusal = check_good(voucher, self.voucher, at)
        if refusal:
            return refusal
        basis = state.programmes[voucher.programme].rules.basis
        if basis not in ("both", contract.basis):
            return Refusal(Reason.BASIS_DIFFERS, f"{self.contract} is {contract.basis}, {voucher.programme} {basis}")
        if self.until > voucher.valid_until:
            return Refusal(Reason.RESERVATION_OUTLIVES_VOUCHER, f"valid until {format_instant(voucher.valid_until)}")
        if self.until > state.start_of(contract.last_day + 1):
            return Refusal(Reason.RESERVATION_OUTLIVES_CONTRACT, f"its last day is {format_day(contract.last_day)}")
        return None

    def _check_room(self, state: State, at: int) -> Refusal | None:
        programme, contract = state.vouchers[self.voucher].programme, state.contracts[self.contract]
        if programme not in contract.programmes and len(contract.programmes) >= CONTRACT_PROGRAMMES_MAX:
            return Refusal(Reason.TOO_MANY_PROGRAMMES, self.contract)
        if len(contract.reservations) >= CONTRACT_RESERVATIONS_MAX:
            return Refusal(Reason.TOO_MANY_RESERVATIONS, self.contract)
        refusal = check_available(state, self.voucher, self.amount_fen) or check_sum(
            state, "promised", contract.provider, self.amount_fen
        )
        if refusal:
            return refusal
        if state.programmes[programme].accreditation(contract.provider, at, at + 1) is None:
            return Refusal(Reason.PROVIDER_NOT_ACCREDITED, f"{contract.provider} under {programme}")
        return None

    def evolve(self, state: State, event: Event) -> Postings:
        """A promise to one provider; its programme pays for the contract, in the order of rank."""
        voucher, contract = state.vouchers[self.voucher], state.contracts[self.contract]
        state.reservations[self.reservation] = Reservation(
            id=self.reservation,
            voucher=self.voucher,
            contract=self.contract,
            programme=voucher.programme,
            holder=voucher.holder,
            provider=contract.provider,
            amount_fen=self.amount_fen,
            until=self.until,
        )
        contract.reservations.append(self.reservation)
        state.add_due(state.due_of(state.reservations[self.reservation]))
        if voucher.programme not in contract.programmes:
            contract.programmes.append(voucher.programme)
            contract.programmes.sort(key=lambda one: state.programmes[one].rules.rank)  # equal ranks keep their order
        return (Posting(voucher.programme, "available", self.voucher, "reserved", self.reservation, self.amount_fen),)

    def touches(self, state: State, event: Event) -> Accounts:
        """The voucher, its holder, its programme and the contract's provider."""
        reservation = state.reservations[self.reservation]
        return voucher_accounts(state, reservation.voucher) | {f"provider {reservation.provider}"}

    def concerns(self, state: State, event: Event) -> Names:
        """The reservation and the contract."""
        return [f"reservation {self.reservation}", f"life {self.contract}"]

    def follows(self) -> Names:
        """The voucher's terms, and the contract."""
        return [f"terms {self.voucher}", f"life {self.contract}"]

    def asks(self, event: Event, history: History) -> Names:
        """The provider's accreditations."""
        return accreditations_of(history, self.contract)


class ReservationExtend(Rule):
    """A holder adds to a reservation, or lets it end later."""

    kind: Literal["reservation.extend/1"]
    reservation: OwnedId
    amount_fen: Fen | None = None
    until: Instant | None = None

    event_kind = "reservation.extended/1"
    outcome = Nothing
    about = ("reservation",)
    roles = HOLDER
    refusals = (
        Reason.RESERVATION_UNKNOWN,
        Reason.NOT_OWN_RESERVATION,
        Reason.RESERVATION_CLOSED,
        Reason.RESERVATION_OVER,
        Reason.WINDOW_INVALID,
        Reason.RECEIVER_SUSPENDED,
        Reason.VOUCHER_SUSPENDED,
        Reason.VOUCHER_ENDED,
        Reason.RESERVATION_OUTLIVES_VOUCHER,
        Reason.RESERVATION_OUTLIVES_CONTRACT,
        Reason.EXCEEDS_AVAILABLE_BALANCE,
        Reason.SUM_TOO_LARGE,
        Reason.PROVIDER_NOT_ACCREDITED,
    )

    @model_validator(mode="after")
    def _says_something(self) -> "ReservationExtend":
        if self.amount_fen is None and self.until is None:
            raise ValueError("must add an amount, or say another end")
        return self

    def signers(self, state: State, at: int) -> Signers:
        """One signature of the party, of the network its quorum."""
        return own_party(self, state)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """Before its end, within voucher and contract, for a provider that is accredited now."""
        reservation = state.reservations.get(self.reservation)
        if reservation is None:
            return unknown(state, Reason.RESERVATION_UNKNOWN, "reservation", self.reservation)
        if reservation.holder != self.party:
            return Refusal(Reason.NOT_OWN_RESERVATION, self.reservation)
        if reservation.closed:
            return Refusal(Reason.RESERVATION_CLOSED, self.reservation)
        if state.ends_of(reservation) <= at:
            return Refusal(Reason.RESERVATION_OVER, f"it ended at {format_instant(state.ends_of(reservation))}")
        return self._check_terms(state, reservation, at) or self._check_room(state, reservation, at) or Nothing()

    def _check_terms(self, state: State, reservation: Reservation, at: int) -> Refusal | None:
        voucher, contract = state.vouchers[reservation.voucher], state.contracts[reservation.contract]
        if self.until is not None and self.until <= reservation.until:
            return Refusal(Reason.WINDOW_INVALID, f"it ends at {format_instant(reservation.until)}")
        if state.parties[reservation.provider].suspended:
            return Refusal(Reason.RECEIVER_SUSPENDED, reservation.provider)
        refusal = check_good(voucher, reservation.voucher, at)
        if refusal or self.until is None:
            return refusal
        if self.until > voucher.valid_until:
            return Refusal(Reason.RESERVATION_OUTLIVES_VOUCHER, f"valid until {format_instant(voucher.valid_until)}")
        if self.until > state.start_of(contract.last_day + 1):
            return Refusal(Reason.RESERVATION_OUTLIVES_CONTRACT, f"its last day is {format_day(contract.last_day)}")
        return None

    def _check_room(self, state: State, reservation: Reservation, at: int) -> Refusal | None:
        amount_fen = self.amount_fen or 0
        refusal = check_available(state, reservation.voucher, amount_fen) or check_sum(
            state, "promised", reservation.provider, amount_fen
        )
        if refusal:
            return refusal
        if state.programmes[reservation.programme].accreditation(reservation.provider, at, at + 1) is None:
            return Refusal(Reason.PROVIDER_NOT_ACCREDITED, f"{reservation.provider} under {reservation.programme}")
        return None

    def evolve(self, state: State, event: Event) -> Postings:
        """More is promised, or for longer."""
        reservation = state.reservations[self.reservation]
        if self.until is not None:
            state.remove_due(state.due_of(reservation))
            reservation.until = self.until
            state.add_due(state.due_of(reservation))
        if self.amount_fen is None:
            return ()
        reservation.amount_fen += self.amount_fen
        source, target = reservation.voucher, self.reservation
        return (Posting(reservation.programme, "available", source, "reserved", target, self.amount_fen),)

    def touches(self, state: State, event: Event) -> Accounts:
        """The voucher, its holder, its programme and the contract's provider."""
        reservation = state.reservations[self.reservation]
        return voucher_accounts(state, reservation.voucher) | {f"provider {reservation.provider}"}

    def concerns(self, state: State, event: Event) -> Names:
        """The reservation and its contract."""
        return [f"reservation {self.reservation}", f"life {state.reservations[self.reservation].contract}"]

    def follows(self) -> Names:
        """The reservation."""
        return [f"reservation {self.reservation}"]

    def asks(self, event: Event, history: History) -> Names:
        """The whole life of its contract, and the provider's accreditations."""
        return contract_life(history, self.reservation)


class ReservationRelease(Rule):
    """What remains of a reservation goes back."""

    kind: Literal["reservation.release/1"]
    reservation: OwnedId
    mandate: OwnedId | None = None

    event_kind = "reservation.released/1"
    outcome = Released
    about = ("reservation",)
    roles = HOLDER | PROVIDER | TREASURY | OPERATOR
    refusals = (
        *MANDATE_REFUSALS,
        Reason.RESERVATION_UNKNOWN,
        Reason.NOT_OWN_RESERVATION,
        Reason.RESERVATION_CLOSED,
        Reason.RESERVATION_NOT_OVER,
    )

    def signers(self, state: State, at: int) -> Signers:
        """One signature of the party, of the network its quorum."""
        return own_party(self, state)

    def decide(self, state: State, at: int) -> Released | Refusal:
        """By its provider at any time; by its holder later, and at once, or by the treasury, if the provider is out."""
        reservation = state.reservations.get(self.reservation)
        of_programme = None if reservation is None else reservation.programme
        refusal = check_mandate(state, self, self.mandate, of_programme, 0, at)
        if refusal:
            return refusal
        if reservation is None:
            return unknown(state, Reason.RESERVATION_UNKNOWN, "reservation", self.reservation)
        party = treasury_of(state, self.party, self.mandate)
        provider, programme = reservation.provider, state.programmes[reservation.programme]
        accredited_until = programme.accredited_until(provider, at)
        provider_is_out = state.parties[provider].suspended or accredited_until == at
        if party not in (provider, reservation.holder, programme.treasury if provider_is_out else None):
            return Refusal(Reason.NOT_OWN_RESERVATION, self.reservation)
        if reservation.closed:
            return Refusal(Reason.RESERVATION_CLOSED, self.reservation)
        assert state.network is not None
        free_at = state.ends_of(reservation) + state.network.parameters.release_grace_seconds * SECOND_US
        if accredited_until is not None:
            free_at = min(free_at, accredited_until)  # it is delisted from then on
        if self.party == reservation.holder and not provider_is_out and at < free_at:
            detail = f"its holder may from {format_instant(free_at)}"
            return Refusal(Reason.RESERVATION_NOT_OVER, detail, not_before=free_at)
        ended = state.vouchers[reservation.voucher].has_ended
        return Released(state.book["reserved", reservation.id], "programme" if ended else "voucher")

    def evolve(self, state: State, event: Event) -> Postings:
        """The promise is over; what remains goes where the outcome says."""
        assert isinstance(event.outcome, Released)
        reservation = state.reservations[self.reservation]
        close(state, reservation)
        return put_back("reserved", reservation.id, reservation, event.outcome.released_fen, event.outcome.to)

    def touches(self, state: State, event: Event) -> Accounts:
        """The voucher, its holder, its programme and the reservation's provider."""
        reservation = state.reservations[self.reservation]
        return voucher_accounts(state, reservation.voucher) | {f"provider {reservation.provider}"}

    def concerns(self, state: State, event: Event) -> Names:
        """The reservation and its contract."""
        return [f"reservation {self.reservation}", f"life {state.reservations[self.reservation].contract}"]

    def follows(self) -> Names:
        """The reservation, and the mandate."""
        return [f"reservation {self.reservation}", *mandate_name(self.mandate)]

    def asks(self, event: Event, history: History) -> Names:
        """The whole life of its contract, and the provider's accreditations."""
        return contract_life(history, self.reservation)


def contract_life(history: History, reservation: str) -> Names:
    """Yield the contract of a reservation, and its provider's accreditations."""
    contract = history.contract_of(reservation)
    if contract is not None:
        yield f"life {contract}"
        yield from accreditations_of(history, contract)


def close(state: State, reservation: Reservation) -> None:
    """Close a reservation: nothing more is burned of it."""
    state.remove_due(state.due_of(reservation))
    reservation.closed = True
    state.contracts[reservation.contract].reservations.remove(reservation.id)


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


RULES: Final = (VoucherReserve, ReservationExtend, ReservationRelease)
