"""Who pays a fee under a contract: its programmes in their order, under the ceilings.

docs/rules.md, "Who pays it"; one pass, so that a line costs no more with history.
"""

from dataclasses import dataclass
from typing import NamedTuple

from tallystick.vouchers.contracts import Contract
from tallystick.vouchers.holdings import Reservation
from tallystick.vouchers.programmes import Item, Programme, Proration
from tallystick.vouchers.quantities import share_fen
from tallystick.vouchers.refusals import Reason
from tallystick.vouchers.state import State


class Paid(NamedTuple):
    """What an accepted line comes to: its fee, what it absorbs of other support, and who pays (reservation, fen)."""

    fee_fen: int
    absorbed_fen: int
    payments: list[tuple[str, int]]


class _Purse:
    """An open reservation as one statement sees it: its terms, and what the lines so far left of it."""

    __slots__ = ("holder_class", "id", "left_fen", "rules", "shares", "until", "valid_from", "valid_until")

    def __init__(self, state: State, reservation: Reservation) -> None:
        voucher = state.vouchers[reservation.voucher]
        self.id = reservation.id
        self.left_fen = state.book["reserved", reservation.id]
        self.until = state.ends_of(reservation)
        self.valid_from = voucher.valid_from
        self.valid_until = voucher.valid_until
        self.holder_class = voucher.holder_class
        self.rules = state.rules_of(voucher)
        self.shares: dict[str, tuple[int, int] | None] = {}

    def share_of(self, item_id: str, item: Item) -> tuple[int, int] | None:
        """Return share and ceiling (basis points) of an item; a statement's lines ask for the same few."""
        if item_id not in self.shares:
            self.shares[item_id] = self.rules.share_of(item_id, item, self.holder_class)
        return self.shares[item_id]


class _Part(NamedTuple):
    """A programme that pays: its share of the fee (fen), its ceiling (basis points), and the purses that may."""

    share_fen: int
    ceiling_bp: int
    purses: list[_Purse]


@dataclass(frozen=True, slots=True)
class Service:
    """What was metered, and what its fee is for: the item, when it was rendered (microseconds), the price of a unit."""

    item: str
    starts_at: int
    ends_at: int
    price_fen: int


@dataclass(frozen=True, slots=True)
class Invoice:
    """What was invoiced: the item, and the days (since 1970) that it is for, both of them among these."""

    item: str
    first_day: int
    last_day: int

    def prorated(self, fee: int, proration: Proration | None) -> tuple[int, int, int] | None:
        """Return the days of it that a programme counts, the first and the last, and its fee for these.

        None: none of its days lies in the programme's window, or they are no time by its way of counting days.
        """
        if proration is None:
            return self.first_day, self.last_day, fee
        first_day, last_day = max(self.first_day, proration.first_day), min(self.last_day, proration.last_day)
        more = 1 if proration.day_count == "inclusive" else 0
        days, all_days = last_day - first_day + more, self.last_day - self.first_day + more
        if first_day > last_day or days <= 0:
            return None
        return first_day, last_day, _truncated(fee * days // all_days, proration)


def _truncated(amount_fen: int, proration: Proration | None) -> int:
    truncate_fen = 1 if proration is None else proration.truncate_fen
    return amount_fen // truncate_fen * truncate_fen


class ContractPayers:
    """A contract's programmes while a statement is decided: what its lines so far took, on top of the state."""

    def __init__(self, state: State, contract_id: str, at: int) -> None:
        self._state = state
        self._contract = contract = state.contracts[contract_id]
        self._at = at
        self._chargeable_fen = contract.amount_fen - state.book["charged", contract_id]
        self._other_support_fen = contract.other_support_fen - state.book["absorbed", contract_id]
        self._programmes = _purses_by_programme(state, contract)

    def pay(self, service: Service | Invoice, fee: int, takes_available: bool) -> Paid | Reason:
        """Return what the programmes pay of a fee; nothing is taken note of.

        Args:
            service: what it is for.
            fee: in fen.
            takes_available: a programme whose reservations hold less than its part pays what they hold.
        """
        if fee > self._chargeable_fen:
            return Reason.EXCEEDS_CONTRACT
        parts = list[_Part]()
        first_reason: Reason | None = None
        for programme_id, purses in self._programmes.items():
            open_purses = [purse for purse in purses if purse.left_fen]
            if not open_purses:
                continue
            part = self._part_of(programme_id, open_purses, service, fee)
            if isinstance(part, Reason):
                first_reason = first_reason or part
            else:
                parts.append(part)
        if not parts:
            return first_reason or Reason.NOTHING_RESERVED
        absorbed = min(self._other_support_fen, share_fen(fee, min([part.ceiling_bp for part in parts])))
        payments = _payments(parts, fee, absorbed, takes_available)
        return payments if isinstance(payments, Reason) else Paid(fee, absorbed, payments)

    def take_note(self, paid: Paid) -> None:
        """Take off what a line took."""
        self._chargeable_fen -= paid.fee_fen
        self._other_support_fen -= paid.absorbed_fen
        if paid.payments:
            paid_fen = dict(paid.payments)
            for purses in self._programmes.values():
                for purse in purses:
                    purse.left_fen -= paid_fen.get(purse.id, 0)

    def _part_of(self, programme_id: str, purses: list[_Purse], service: Service | Invoice, fee: int) -> _Part | Reason:
        """Return how a programme pays, or why it is passed over."""
        programme = self._state.programmes[programme_id]
        if isinstance(service, Invoice):
            return self._part_of_invoice(programme, purses, service, fee)
        starts_at, ends_at = service.starts_at, service.ends_at
        accreditation = programme.accreditation(self._contract.provider, starts_at, ends_at)
        limit_fen = None if accreditation is None else accreditation.price_limits_fen.get(service.item)
        if limit_fen is None:
            return Reason.PROVIDER_NOT_ACCREDITED
        if service.price_fen > limit_fen:
            return Reason.PRICE_ABOVE_LIMIT
        fitting = [purse for purse in purses if purse.valid_from <= starts_at and ends_at <= purse.until]
        if not fitting:
            is_too_early = starts_at < purses[0].valid_from
            return Reason.OUTSIDE_VOUCHER_VALIDITY if is_too_early else Reason.OUTSIDE_RESERVATION
        share = fitting[0].share_of(service.item, self._state.items[service.item])
        if share is None:
            return Reason.ITEM_NOT_COVERED
        share_bp, ceiling_bp = share
        return _Part(share_fen(fee, share_bp), ceiling_bp, fitting)

    def _part_of_invoice(
        self, programme: Programme, purses: list[_Purse], invoice: Invoice, fee: int
    ) -> _Part | Reason:
        """Return how a programme pays for an invoice: for the part of it that lies in its window."""
        reasons = [self._against(purse, invoice, fee) for purse in purses]
        fitting = [purse for purse, reason in zip(purses, reasons, strict=True) if reason is None]
        if not fitting:
            return reasons[0] or Reason.NOTHING_RESERVED
        proration = fitting[0].rules.proration
        counted = invoice.prorated(fee, proration)
        assert counted is not None
        first_day, last_day, base_fen = counted
        starts_at, ends_at = self._state.start_of(first_day), self._state.start_of(last_day + 1)
        accreditation = programme.accreditation(self._contract.provider, starts_at, ends_at)
        if accreditation is None or invoice.item not in accreditation.price_limits_fen:
            return Reason.PROVIDER_NOT_ACCREDITED
        share = fitting[0].share_of(invoice.item, self._state.items[invoice.item])
        if share is None:
            return Reason.ITEM_NOT_COVERED
        share_bp, ceiling_bp = share
        return _Part(_truncated(share_fen(base_fen, share_bp), proration), ceiling_bp, fitting)

    def _against(self, purse: _Purse, invoice: Invoice, fee: int) -> Reason | None:
        """Return why a reservation can't pay for an invoice, if there is a reason."""
        counted = invoice.prorated(fee, purse.rules.proration)
        if counted is None:
            return Reason.OUTSIDE_PRORATION_WINDOW
        starts_at, ends_at = self._state.start_of(counted[0]), self._state.start_of(counted[1] + 1)
        if ends_at < self._at - self._state.burn_window_us:
            return Reason.JOB_TIME_TOO_LONG_AGO
        if starts_at < purse.valid_from or ends_at > purse.valid_until:
            return Reason.OUTSIDE_VOUCHER_VALIDITY
        return Reason.OUTSIDE_RESERVATION if purse.until < self._at else None


def _purses_by_programme(state: State, contract: Contract) -> dict[str, list[_Purse]]:
    """Return the open reservations of a contract, oldest first, by programme in the order in which they pay."""
    purses: dict[str, list[_Purse]] = {programme: [] for programme in contract.programmes}
    for reservation_id in contract.reservations:
        reservation = state.reservations[reservation_id]
        purses[reservation.programme].append(_Purse(state, reservation))
    return purses


def _payments(parts: list[_Part], fee: int, absorbed_fen: int, takes_available: bool) -> list[tuple[str, int]] | Reason:
    """Return who pays how much of a fee: one pass, in which the strictest ceiling of those that pay holds for all."""
    payments = list[tuple[str, int]]()
    bound_bp: int | None = None
    spent_fen = absorbed_fen
    for part in parts:
        ceiling_bp = part.ceiling_bp if bound_bp is None else min(bound_bp, part.ceiling_bp)
        pay_fen = min(part.share_fen, share_fen(fee, ceiling_bp) - spent_fen)
        if pay_fen <= 0:
            continue
        bound_bp = ceiling_bp
        for purse in part.purses:
            taken_fen = min(pay_fen, purse.left_fen)
            if taken_fen:
                payments.append((purse.id, taken_fen))
                pay_fen -= taken_fen
                spent_fen += taken_fen
        if pay_fen and not takes_available:
            return Reason.EXCEEDS_RESERVATION
    return payments
