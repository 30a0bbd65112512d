"""What is counted, and what is invoiced: burned under a contract in one line, paid as lines of GPU-time are."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from tallystick.vouchers.burns import BurnedLine, Group, pack_lines
from tallystick.vouchers.contracts import Contract
from tallystick.vouchers.fields import must_be_true
from tallystick.vouchers.job_times import JobTimes
from tallystick.vouchers.outcomes import Burned
from tallystick.vouchers.quantities import Day, Fen, Hash, ItemId, OwnedId, format_day
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.burn_lines import Corrected, corrected_line, is_more
from tallystick.vouchers.rules.checks import check_own_contract
from tallystick.vouchers.rules.invoices import Invoice
from tallystick.vouchers.rules.paying import ContractPayers, Paid
from tallystick.vouchers.rules.rule import (
    PROVIDER,
    Accounts,
    Event,
    History,
    Names,
    Postings,
    Rule,
    Signers,
    accreditations_of,
    own_party,
)
from tallystick.vouchers.rules.statements import (
    corrected_contracts,
    record,
    statement_accounts,
    statement_contract,
)
from tallystick.vouchers.state import State

_NOTHING_BURNED: Final = JobTimes()


class ServiceBurn(Rule):
    """What a provider rendered on some days: a quantity of a counted item, or what an invoice is about."""

    kind: Literal["service.burn/1"]
    contract: OwnedId
    item: ItemId
    first_day: Day
    last_day: Day
    quantity: Annotated[int, Field(ge=1, le=1_000_000_000)] | None = None
    document_hash: Hash | None = None
    fee_fen: Fen | None = None
    evidence_hash: Hash | None = None
    corrects: Corrected | None = None
    pay_available: Annotated[bool, AfterValidator(must_be_true)] | None = None
    prior_period: Annotated[bool, AfterValidator(must_be_true)] | None = None

    event_kind = "service.burned/1"
    outcome = Burned
    about = ("contract",)
    roles = PROVIDER
    refusals = (
        Reason.CONTRACT_UNKNOWN,
        Reason.NOT_OWN_CONTRACT,
        Reason.WINDOW_INVALID,
        Reason.ITEM_UNKNOWN,
        Reason.ITEM_NOT_COUNTED,
        Reason.DOCUMENT_ALREADY_USED,
        Reason.BASIS_DIFFERS,
        Reason.ITEM_NOT_IN_CONTRACT,
        Reason.JOB_TIME_IN_THE_FUTURE,
        Reason.JOB_TIME_TOO_LONG_AGO,
        Reason.PERIOD_SEALED,
        Reason.PERIOD_NOT_SEALED,
        Reason.CORRECTION_UNFOUNDED,
        Reason.OUTSIDE_CONTRACT,
        Reason.TARIFF_MISSING,
        Reason.SERVICE_DAYS_ALREADY_BURNED,
        Reason.EXCEEDS_CONTRACT,
        Reason.NOTHING_RESERVED,
        Reason.OUTSIDE_PRORATION_WINDOW,
        Reason.PROVIDER_NOT_ACCREDITED,
        Reason.PRICE_ABOVE_LIMIT,
        Reason.OUTSIDE_VOUCHER_VALIDITY,
        Reason.OUTSIDE_RESERVATION,
        Reason.ITEM_NOT_COVERED,
        Reason.EXCEEDS_RESERVATION,
        Reason.EXCEEDS_CORRECTED_LINE,
    )

    @model_validator(mode="after")
    def _is_counted_or_invoiced(self) -> "ServiceBurn":
        if (self.document_hash is None) != (self.fee_fen is None) or (self.quantity is None) == (self.fee_fen is None):
            raise ValueError("must have a quantity, or document_hash and fee_fen")
        if self.prior_period and (self.corrects is not None or self.quantity is None):
            raise ValueError("must say corrects or prior_period, not both, and prior_period of a quantity alone")
        return self

    def signers(self, state: State, at: int) -> Signers:
        """One signature of the party; a `meter` key will do."""
        return own_party(self, state)

    def decide(self, state: State, at: int) -> Burned | Refusal:
        """Under a contract of its basis, for days that are over and that nothing was burned for."""
        refusal = check_own_contract(state, self.contract, self.party) or self._check_terms(state)
        if refusal:
            return refusal
        contract = state.contracts[self.contract]
        reason = self._check_days(state, contract, at)
        if reason is not None:
            return Refusal(reason, f"{format_day(self.first_day)} to {format_day(self.last_day)}")
        answer = self._pay(state, contract, at)
        if isinstance(answer, Reason):
            return Refusal(answer, f"{self.item} under {self.contract}")
        fee_fen, (absorbed_fen, payments) = answer
        absorbed = ((0, absorbed_fen),) if absorbed_fen else ()
        return Burned(absorbed, (fee_fen,), tuple([(purse.id, (fen,)) for purse, fen in payments]), ())

    def _check_terms(self, state: State) -> Refusal | None:
        if self.last_day < self.first_day:
            return Refusal(Reason.WINDOW_INVALID, f"last_day {format_day(self.last_day)}")
        item = state.items.get(self.item)
        if item is None:
            return Refusal(Reason.ITEM_UNKNOWN, self.item)
        if self.quantity is not None and item.unit != "count":
            return Refusal(Reason.ITEM_NOT_COUNTED, self.item)
        used = None if self.document_hash is None else state.documents.get(self.document_hash)
        if used is not None and (self.corrects is None or used != f"{self.party} {self.corrects.statement}"):
            return Refusal(Reason.DOCUMENT_ALREADY_USED, f"it is of {used or 'a contract that has left'}")
        basis = "invoiced" if self.quantity is None else "metered"
        if state.contracts[self.contract].basis != basis:
            return Refusal(Reason.BASIS_DIFFERS, f"{self.contract} is {state.contracts[self.contract].basis}")
        return None

    def _check_days(self, state: State, contract: Contract, at: int) -> Reason | None:
        starts_at, ends_at = self._interval(state)
        if contract.price_fen(self.item, starts_at) is None:
            return Reason.ITEM_NOT_IN_CONTRACT
        if self.quantity is not None:
            if ends_at > at:
                return Reason.JOB_TIME_IN_THE_FUTURE
            if starts_at < at - state.burn_window_us:
                return Reason.JOB_TIME_TOO_LONG_AGO
            is_sealed = state.sealed_day is not None and self.last_day <= state.sealed_day
            if is_sealed and self.corrects is None and not self.prior_period:
                return Reason.PERIOD_SEALED
            if self.prior_period and not is_sealed:
                return Reason.PERIOD_NOT_SEALED
        elif self._is_too_late(state, at):
            return Reason.JOB_TIME_TOO_LONG_AGO
        if self.corrects is not None and self._corrected(state, at) is None:
            return Reason.CORRECTION_UNFOUNDED
        if self.first_day < contract.first_day or self.last_day > contract.last_day:
            return Reason.OUTSIDE_CONTRACT
        return None

    def _is_too_late(self, state: State, at: int) -> bool:
        """Return whether an invoice is refused as too late: by who pays, and yet before other reasons."""
        parts = self._payers(state).parts_of_invoice(self._invoice(), at)
        return parts is Reason.JOB_TIME_TOO_LONG_AGO

    def _payers(self, state: State) -> ContractPayers:
        return ContractPayers(state, self.contract, "count", Reason.ITEM_NOT_COUNTED)

    def _invoice(self) -> Invoice:
        assert self.fee_fen is not None
        return Invoice(self.item, self.first_day, self.last_day, self.fee_fen)

    def _pay(self, state: State, contract: Contract, at: int) -> tuple[int, Paid] | Reason:
        """Return the fee, and what is paid of it."""
        takes_available = self.pay_available is True
        if self.quantity is None:
            invoice = self._invoice()
            fee = invoice.fee_fen
            paid = self._payers(state).pay_invoice(invoice, at, takes_available=takes_available)
        else:
            starts_at, ends_at = self._interval(state)
            payers = self._payers(state)
            terms = payers.terms(self.item, starts_at, ends_at)
            if terms.reason_before_jobs is not None:
                return terms.reason_before_jobs
            job_times = state.job_times.get(self.party, {}).get(self.item, _NOTHING_BURNED)
            if job_times.is_burned(self._job, starts_at, ends_at):
                return Reason.SERVICE_DAYS_ALREADY_BURNED
            fee = self.quantity * terms.price_fen
            paid = payers.pay(terms, fee, takes_available=takes_available)
        if isinstance(paid, Reason):
            return paid
        corrected = self._corrected(state, at)
        if corrected is not None and is_more(self.quantity or 0, fee, paid, corrected):
            return Reason.EXCEEDS_CORRECTED_LINE
        return fee, paid

    @property
    def _job(self) -> str:
        """The contract, as no job of GPU-time can be called: an invoice may be of the same item."""
        return f"={self.contract}"

    @property
    def is_booked_late(self) -> bool:
        """Whether it is booked on the day of its entry, as an invoice, a correction and what is late are."""
        return self.quantity is None or self.corrects is not None or self.prior_period is True

    def _interval(self, state: State) -> tuple[int, int]:
        """Return its days as an interval (microseconds)."""
        return state.start_of(self.first_day), state.start_of(self.last_day + 1)

    def _corrected(self, state: State, at: int) -> BurnedLine | None:
        """Return the line taken back that it stands for, if it stands for one and that can be."""
        if self.corrects is None:
            return None
        return corrected_line(state, state.contracts[self.contract], self.corrects, self._interval(state), at)

    def evolve(self, state: State, event: Event) -> Postings:
        """One line: its job stands for the contract, and its quantity counts as GPU-time does."""
        assert isinstance(event.outcome, Burned)
        starts_at, ends_at = self._interval(state)
        ends_at -= 1  # within its last day, on which it is booked
        late = self.is_booked_late
        if self.document_hash is not None:
            state.documents[self.document_hash] = f"{self.party} {self.ref}"
        (fee_fen,) = event.outcome.fee_fen
        packed = pack_lines([0], [late], [starts_at], [ends_at], [self.quantity or 0], [1], [fee_fen])
        groups = [Group(event.index, self.item, ends_at, self._job, packed, [])]
        day = state.day_of(event.at) if late else self.last_day
        return record(state, event, self.contract, groups, [day], [] if self.corrects is None else [self.corrects])

    def touches(self, state: State, event: Event) -> Accounts:
        """The contract, its provider and holder, and the voucher and programme of each reservation that paid."""
        return statement_accounts(state, event, self.contract)

    def concerns(self, state: State, event: Event) -> Names:
        """The contract, an invoice's document, and the contract whose line it corrects."""
        yield f"life {self.contract}"
        if self.document_hash is not None:
            yield f"document {self.document_hash}"
        yield from corrected_contracts(state, self.party, [] if self.corrects is None else [self.corrects])

    def follows(self) -> Names:
        """The contract."""
        return [f"life {self.contract}"]

    def asks(self, event: Event, history: History) -> Names:
        """The provider's prices and accreditations, the item, the document, and the contract of what it corrects."""
        yield f"tariffs {self.party}"
        yield f"item {self.item}"
        yield from accreditations_of(history, self.contract)
        if self.document_hash is not None:
            yield f"document {self.document_hash}"
        if self.corrects is not None:
            yield from statement_contract(history, event, self.corrects.statement)


RULES: Final = (ServiceBurn,)
