"""Who pays for a line under a contract: its programmes in their order, in one pass, under the ceilings.

docs/rules.md, "Who pays it". What a line costs a unit and which programmes are eligible depends on its item, and on
which instants it lies between: those at which a price, an accreditation, a voucher or a reservation begins or ends.
Most lines of a statement lie between the same ones, so that is found out once for all, until a reservation is empty.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tallystick.vouchers.book import Book
from tallystick.vouchers.contracts import Contract, price_at
from tallystick.vouchers.fields import ItemUnit
from tallystick.vouchers.holdings import Reservation
from tallystick.vouchers.programmes import Programme
from tallystick.vouchers.quantities import BASIS_POINTS, INSTANT_MAX, SECOND_US, share_fen, start_of_day
from tallystick.vouchers.refusals import Reason
from tallystick.vouchers.rules.invoices import Invoice, truncated
from tallystick.vouchers.state import State

CONTRACTS_KNOWN_MAX: Final = 4_096

_NEVER: Final = INSTANT_MAX + 1


class Purse:
    """An open reservation as one statement sees it: its terms, and what the lines so far left of it."""

    __slots__ = ("holder_class", "id", "left_fen", "rules", "until", "valid_from", "valid_until")

    def __init__(self, state: State, reservation: Reservation) -> None:
        voucher = state.vouchers[reservation.voucher]
        self.id = reservation.id
        self.left_fen = state.book["reserved", reservation.id]
        self.until = state.ends_of(reservation)
        self.valid_from = voucher.valid_from
        self.valid_until = voucher.valid_until
        self.holder_class = voucher.holder_class
        self.rules = state.rules_of(voucher)


Paid = tuple[int, list[tuple[Purse, int]]]
"""What a line absorbs of other support (fen), and who pays how much."""


class _Part(NamedTuple):
    """A programme that pays: its share and ceiling (basis points), and the purses that may.

    `prorated_fen` is its share of an invoice, which is of a part of the fee and truncated; None: of the whole fee.
    """

    share_bp: int
    ceiling_bp: int
    purses: list[Purse]
    prorated_fen: int | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for an item's lines that begin and end between certain instants (microseconds).

    Attributes:
        earliest, before: a line begins from the first on, and before the second.
        after, latest: it ends after the first, and at the second at the latest.
        reason_before_time: why such a line is refused, whatever its time.
        reason_before_jobs: why it is, where its time is in order.
        reason: why it is, where its job's time is free and the contract's amount suffices.
        price_fen: of a unit.
        parts: the programmes that pay, in their order.
        lowest_ceiling_bp: of these.
        only: the one reservation that pays, if there is one alone, and the lower of its share and ceiling.
    """

    earliest: int = 0
    before: int = _NEVER
    after: int = -1
    latest: int = _NEVER
    reason_before_time: Reason | None = None
    reason_before_jobs: Reason | None = None
    reason: Reason | None = None
    price_fen: int = 0
    parts: list[_Part] = field(default_factory=list)
    lowest_ceiling_bp: int = 0
    only: tuple[Purse, int] | None = None


class ContractPayers:
    """A contract's programmes while a statement is decided: what its lines so far took, on top of the state.

    Attributes:
        chargeable_fen: what may still be charged under the contract.
        other_support_fen: what is left of other support.
    """

    @classmethod
    def known(cls, state: State, contract_id: str, unit: ItemUnit, of_another_unit: Reason) -> "ContractPayers":
        """Return those that pay for lines, as they were for the contract's last statement where nothing else changed.

        What they pay by is changed by no statement but for the balances, and `evolve` drops it with every other entry
        (docs/decisions/0164). All callers ask for the same unit.
        """
        known = state.payers.get(contract_id)
        if isinstance(known, cls) and known._is_resumed(state.book):
            return known
        found = cls(state, contract_id, unit, of_another_unit)
        if len(state.payers) >= CONTRACTS_KNOWN_MAX:
            del state.payers[next(iter(state.payers))]
        state.payers[contract_id] = found
        return found

    def __init__(self, state: State, contract_id: str, unit: ItemUnit, of_another_unit: Reason) -> None:
        self._items = state.items
        self._all_programmes = state.programmes
        self._utc_offset_seconds = state.utc_offset_us // SECOND_US
        self._burn_window_us = state.burn_window_us
        self._unit = unit
        self._of_another_unit = of_another_unit
        self._contract_id = contract_id
        self._contract = contract = state.contracts[contract_id]
        self._reservations = [*contract.reservations]
        self._begins_at = self._start_of(contract.first_day)
        self._ends_at = self._start_of(contract.last_day + 1)
        self._tariffs = state.tariffs.get(contract.provider, {})
        self.chargeable_fen = contract.amount_fen - state.book["charged", contract_id]
        self.other_support_fen = contract.other_support_fen - state.book["absorbed", contract_id]
        self._programmes = _purses_by_programme(state, contract)
        self._purses = [purse for purses in self._programmes.values() for purse in purses]
        self._terms: dict[str, Terms] = {}  # by item, the newest

    @property
    def items_known(self) -> set[str]:
        """The items of which terms are known."""
        return {*self._terms}

    def _is_resumed(self, book: Book) -> bool:
        """Read the balances anew, and return whether the reservations are still the same."""
        contract = self._contract
        if contract.reservations != self._reservations:
            return False
        self.chargeable_fen = contract.amount_fen - book["charged", self._contract_id]
        self.other_support_fen = contract.other_support_fen - book["absorbed", self._contract_id]
        for purse in self._purses:
            left_fen = book["reserved", purse.id]
            if bool(left_fen) != bool(purse.left_fen):  # emptied by a statement that wasn't recorded
                self._terms.clear()
            purse.left_fen = left_fen
        return True

    def terms(self, item_id: str, starts_at: int, ends_at: int) -> Terms:
        """Return what holds for a line of an item and an interval (microseconds)."""
        terms = self._terms.get(item_id)
        if terms is None or not terms.earliest <= starts_at < terms.before or not terms.after < ends_at <= terms.latest:
            terms = self._found_terms(item_id, starts_at, ends_at)
            if item_id in self._items:  # of what strangers make up, nothing is kept
                self._terms[item_id] = terms
        return terms

    def pay(self, terms: Terms, fee: int, *, takes_available: bool) -> Paid | Reason:
        """Return what the programmes pay of a fee; nothing is taken note of.

        Args:
            terms: what holds for the line.
            fee: in fen.
            takes_available: a programme whose reservations hold less than its part pays what they hold.
        """
        if fee > self.chargeable_fen:
            return Reason.EXCEEDS_CONTRACT
        if terms.reason is not None:
            return terms.reason
        absorbed_fen = min(self.other_support_fen, share_fen(fee, terms.lowest_ceiling_bp))
        payments = _payments(terms.parts, fee, absorbed_fen, takes_available)
        return payments if isinstance(payments, Reason) else (absorbed_fen, payments)

    def parts_of_invoice(self, invoice: Invoice, at: int) -> list[_Part] | Reason:
        """Return the programmes that pay an invoice, in their order; or why the first that was asked doesn't.

        Args:
            invoice: what it is about.
            at: the log's time (microseconds).
        """
        found = [
            self._part_of_invoice(self._all_programmes[name], open_purses, invoice, at)
            for name, purses in self._programmes.items()
            if (open_purses := [purse for purse in purses if purse.left_fen])
        ]
        parts = [part for part in found if isinstance(part, _Part)]
        return parts or next((reason for reason in found if isinstance(reason, Reason)), Reason.NOTHING_RESERVED)

    def pay_invoice(self, invoice: Invoice, at: int, *, takes_available: bool) -> Paid | Reason:
        """Return what the programmes pay of an invoice's fee, each for the part of it that it counts.

        Args:
            invoice: what it is about.
            at: the log's time (microseconds).
            takes_available: as in `pay`.
        """
        fee = invoice.fee_fen
        if fee > self.chargeable_fen:
            return Reason.EXCEEDS_CONTRACT
        parts = self.parts_of_invoice(invoice, at)
        if isinstance(parts, Reason):
            return parts
        lowest_bp = min([part.ceiling_bp for part in parts])
        absorbed_fen = min(self.other_support_fen, share_fen(fee, lowest_bp))
        payments = _payments(parts, fee, absorbed_fen, takes_available)
        return payments if isinstance(payments, Reason) else (absorbed_fen, payments)

    def take_note(self, fee: int, paid: Paid) -> None:
        """Take off what a line took; who pays is found out anew once a reservation is empty."""
        absorbed_fen, payments = paid
        self.chargeable_fen -= fee
        self.other_support_fen -= absorbed_fen
        for purse, amount_fen in payments:
            purse.left_fen -= amount_fen
            if not purse.left_fen:
                self._terms.clear()

    def _found_terms(self, item_id: str, starts_at: int, ends_at: int) -> Terms:
        """Return what holds for a line, and between which instants the same holds."""
        item = self._items.get(item_id)
        if item is None:
            return Terms(reason_before_time=Reason.ITEM_UNKNOWN)
        if item.unit != self._unit:
            return Terms(reason_before_time=self._of_another_unit)
        within = *_around(self._beginnings(item_id), starts_at), *_before(self._ends(), ends_at)
        contract_price = self._contract.price_fen(item_id, starts_at)
        if contract_price is None:
            return Terms(*within, reason_before_time=Reason.ITEM_NOT_IN_CONTRACT)
        if starts_at < self._begins_at or ends_at > self._ends_at:
            return Terms(*within, reason_before_jobs=Reason.OUTSIDE_CONTRACT)
        tariff = price_at(self._tariffs.get(item_id, ()), starts_at)
        if tariff is None:
            return Terms(*within, reason_before_jobs=Reason.TARIFF_MISSING)
        price_fen = min(contract_price, tariff)
        parts: list[_Part] = []
        first_reason: Reason | None = None
        for programme_id, purses in self._programmes.items():
            open_purses = [purse for purse in purses if purse.left_fen]
            if open_purses:
                programme = self._all_programmes[programme_id]
                part = self._part_of(programme, open_purses, (item_id, price_fen), starts_at, ends_at)
                if isinstance(part, Reason):
                    first_reason = first_reason or part
                else:
                    parts.append(part)
        if not parts:
            return Terms(*within, price_fen=price_fen, reason=first_reason or Reason.NOTHING_RESERVED)
        lowest_bp = min([part.ceiling_bp for part in parts])
        is_one = len(parts) == len(parts[0].purses) == 1
        only = (parts[0].purses[0], min(parts[0].share_bp, parts[0].ceiling_bp)) if is_one else None
        return Terms(*within, price_fen=price_fen, parts=parts, lowest_ceiling_bp=lowest_bp, only=only)

    def _part_of(
        self, programme: Programme, purses: list[Purse], priced: tuple[str, int], starts_at: int, ends_at: int
    ) -> _Part | Reason:
        """Return how a programme pays for a line of an item and price, or why it is passed over."""
        item_id, price_fen = priced
        accreditation = programme.accreditation(self._contract.provider, starts_at, ends_at)
        limit_fen = None if accreditation is None else accreditation.price_limits_fen.get(item_id)
        if limit_fen is None:
            return Reason.PROVIDER_NOT_ACCREDITED
        if price_fen > limit_fen:
            return Reason.PRICE_ABOVE_LIMIT
        fitting = [purse for purse in purses if purse.valid_from <= starts_at and ends_at <= purse.until]
        if not fitting:
            is_too_early = starts_at < purses[0].valid_from
            return Reason.OUTSIDE_VOUCHER_VALIDITY if is_too_early else Reason.OUTSIDE_RESERVATION
        oldest = fitting[0]
        share = oldest.rules.share_of(item_id, self._items[item_id], oldest.holder_class)
        return Reason.ITEM_NOT_COVERED if share is None else _Part(*share, fitting)

    def _part_of_invoice(self, programme: Programme, purses: list[Purse], invoice: Invoice, at: int) -> _Part | Reason:
        """Return how a programme pays for an invoice: for the part of it that lies in its window."""
        reasons = [self._against(purse, invoice, at) for purse in purses]
        fitting = [purse for purse, reason in zip(purses, reasons, strict=True) if reason is None]
        if not fitting:
            return reasons[0] or Reason.NOTHING_RESERVED
        oldest = fitting[0]
        counted = invoice.prorated(oldest.rules.proration)
        assert counted is not None
        first_day, last_day, base_fen = counted
        starts_at, ends_at = self._start_of(first_day), self._start_of(last_day + 1)
        accreditation = programme.accreditation(self._contract.provider, starts_at, ends_at)
        if accreditation is None or invoice.item not in accreditation.price_limits_fen:
            return Reason.PROVIDER_NOT_ACCREDITED
        share = oldest.rules.share_of(invoice.item, self._items[invoice.item], oldest.holder_class)
        if share is None:
            return Reason.ITEM_NOT_COVERED
        prorated_fen = truncated(share_fen(base_fen, share[0]), oldest.rules.proration)
        return _Part(*share, fitting, prorated_fen)

    def _against(self, purse: Purse, invoice: Invoice, at: int) -> Reason | None:
        """Return why a reservation can't pay for an invoice, if there is a reason."""
        counted = invoice.prorated(purse.rules.proration)
        if counted is None:
            return Reason.OUTSIDE_PRORATION_WINDOW
        starts_at, ends_at = self._start_of(counted[0]), self._start_of(counted[1] + 1)
        if ends_at < at - self._burn_window_us:
            return Reason.JOB_TIME_TOO_LONG_AGO
        if starts_at < purse.valid_from or ends_at > purse.valid_until:
            return Reason.OUTSIDE_VOUCHER_VALIDITY
        return Reason.OUTSIDE_RESERVATION if purse.until < min(at, ends_at) else None

    def _start_of(self, day: int) -> int:
        return start_of_day(day, self._utc_offset_seconds)

    def _beginnings(self, item_id: str) -> Iterable[int]:
        """Yield the instants from which on something else may hold for a line that begins then."""
        yield self._begins_at
        yield from (valid_from for valid_from, _ in self._contract.prices.get(item_id, ()))
        yield from (valid_from for valid_from, _ in self._tariffs.get(item_id, ()))
        yield from (purse.valid_from for purse in self._purses)
        for programme in self._programmes:
            accreditations = self._all_programmes[programme].accreditations.get(self._contract.provider, ())
            yield from (one.valid_from for one in accreditations)

    def _ends(self) -> Iterable[int]:
        """Yield the instants up to which the same may hold for a line that ends then."""
        yield self._ends_at
        yield from (purse.until for purse in self._purses)
        for programme in self._programmes:
            accreditations = self._all_programmes[programme].accreditations.get(self._contract.provider, ())
            yield from (one.valid_until for one in accreditations if one.valid_until is not None)


def _around(instants: Iterable[int], instant: int) -> tuple[int, int]:
    """Return the last of some instants that isn't after one, and the first that is."""
    earliest, before = 0, _NEVER
    for one in instants:
        if one <= instant:
            earliest = max(earliest, one)
        else:
            before = min(before, one)
    return earliest, before


def _before(instants: Iterable[int], instant: int) -> tuple[int, int]:
    """Return the last of some instants that is before one, and the first that isn't."""
    after, latest = -1, _NEVER
    for one in instants:
        if one < instant:
            after = max(after, one)
        else:
            latest = min(latest, one)
    return after, latest


def _purses_by_programme(state: State, contract: Contract) -> dict[str, list[Purse]]:
    """Return the open reservations of a contract, oldest first, by programme in the order in which they pay."""
    purses: dict[str, list[Purse]] = {programme: [] for programme in contract.programmes}
    for reservation_id in contract.reservations:
        reservation = state.reservations[reservation_id]
        purses[reservation.programme].append(Purse(state, reservation))
    return purses


def _payments(
    parts: list[_Part], fee: int, absorbed_fen: int, takes_available: bool
) -> list[tuple[Purse, int]] | Reason:
    """Return who pays how much of a fee: one pass, in which the strictest ceiling of those that pay holds for all."""
    payments: list[tuple[Purse, int]] = []
    bound_bp = BASIS_POINTS
    spent_fen = absorbed_fen
    for share_bp, ceiling_bp, purses, prorated_fen in parts:
        ceiling_bp = min(ceiling_bp, bound_bp)  # noqa: PLW2901 - the strictest so far
        pay_fen = share_fen(fee, share_bp) if prorated_fen is None else prorated_fen
        room_fen = share_fen(fee, ceiling_bp) - spent_fen
        pay_fen = min(pay_fen, room_fen)
        if pay_fen <= 0:
            continue
        bound_bp = ceiling_bp
        for purse in purses:
            taken_fen = pay_fen if pay_fen <= purse.left_fen else purse.left_fen
            if taken_fen:
                payments.append((purse, taken_fen))
                pay_fen -= taken_fen
                spent_fen += taken_fen
                if not pay_fen:
                    break
        if pay_fen and not takes_available:
            return Reason.EXCEEDS_RESERVATION
    return payments
