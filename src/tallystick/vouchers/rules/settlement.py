"""Settlement: what becomes of a claim, contract by contract; and what was withheld for good."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, Field, model_validator

from tallystick.vouchers.book import Lot, Posting
from tallystick.vouchers.fields import CLOSED, SubjectType
from tallystick.vouchers.outcomes import Nothing
from tallystick.vouchers.quantities import Day, Fen, FenOrZero, OwnedId, Text, format_day
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.checks import check_own_programme, unknown
from tallystick.vouchers.rules.claiming import CONTRACTS_MAX
from tallystick.vouchers.rules.gates import check_passed
from tallystick.vouchers.rules.mandates import (
    MANDATE_REFUSALS,
    check_mandate,
    count_mandate,
    mandate_name,
    officers_or_mandate,
    treasury_of,
)
from tallystick.vouchers.rules.officers import officers_at_any_amount
from tallystick.vouchers.rules.rule import (
    OPERATOR,
    TREASURY,
    Accounts,
    Event,
    History,
    Names,
    Postings,
    Rule,
    Signers,
    party_account,
)
from tallystick.vouchers.state import State

OFFSETS_MAX: Final = 16


class PaymentFields(BaseModel):
    """A payment outside the log: what the bank says of it."""

    model_config = CLOSED

    amount_fen: Fen
    day: Day
    reference: Text


class SettledRow(BaseModel):
    """What becomes of what is claimed under one contract."""

    model_config = CLOSED

    contract: OwnedId
    paid_fen: FenOrZero
    withheld_fen: Fen | None = None
    reason: Text | None = None

    @model_validator(mode="after")
    def _says_why(self) -> "SettledRow":
        if (self.withheld_fen is None) != (self.reason is None):
            raise ValueError("withheld_fen and reason go together")
        return self

    @property
    def settled_fen(self) -> int:
        """What is settled by it."""
        return self.paid_fen + (self.withheld_fen or 0)


class Offset(BaseModel):
    """What of a payment is set off against a demand on the payee."""

    model_config = CLOSED

    demand: OwnedId
    amount_fen: Fen


def _by_contract(rows: tuple[SettledRow, ...]) -> tuple[SettledRow, ...]:
    if any(one.contract >= other.contract for one, other in pairwise(rows)):
        raise ValueError("must be in ascending order of contracts, each once")
    return rows


def _by_demand(offsets: tuple[Offset, ...]) -> tuple[Offset, ...]:
    if any(one.demand >= other.demand for one, other in pairwise(offsets)):
        raise ValueError("must be in ascending order of demands, each once")
    return offsets


class RedemptionSettle(Rule):
    """A treasury finishes a claim: of each contract it pays, and withholds with a reason; demands are set off."""

    kind: Literal["redemption.settle/1"]
    claim: OwnedId
    rows: Annotated[tuple[SettledRow, ...], Field(min_length=1, max_length=CONTRACTS_MAX), AfterValidator(_by_contract)]
    offsets: Annotated[
        tuple[Offset, ...] | None,
        Field(min_length=1, max_length=OFFSETS_MAX),
        AfterValidator(lambda one: one and _by_demand(one)),
    ] = None
    payment: PaymentFields | None = None
    mandate: OwnedId | None = None

    event_kind = "redemption.settled/1"
    outcome = Nothing
    about = ("claim",)
    roles = TREASURY | OPERATOR
    refusals = (
        *MANDATE_REFUSALS,
        Reason.PROGRAMME_UNKNOWN,
        Reason.NOT_OWN_PROGRAMME,
        Reason.CLAIM_UNKNOWN,
        Reason.CLAIM_ALREADY_SETTLED,
        Reason.SETTLEMENT_DIFFERS_FROM_CLAIM,
        Reason.DEMAND_UNKNOWN,
        Reason.DEMAND_ON_ANOTHER,
        Reason.EXCEEDS_RECEIVABLE,
        Reason.PAYMENT_DIFFERS,
        Reason.PAYMENT_IN_THE_FUTURE,
        Reason.PAYMENT_REFERENCE_USED,
        Reason.GATE_NOT_PASSED,
    )

    @property
    def paid_fen(self) -> int:
        """What is paid of the claim, set off or not."""
        return sum([row.paid_fen for row in self.rows])

    @property
    def offset_fen(self) -> int:
        """What of that is set off."""
        return sum([one.amount_fen for one in self.offsets or ()])

    def signers(self, state: State, at: int) -> Signers:
        """One signature of the party; `required` of the treasury's officers where fewer signed more than they may."""
        return officers_or_mandate(state, self.party, self.mandate, self.paid_fen, at)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """An open claim, every contract of it, in full."""
        claim = state.claims.get(self.claim)
        programme = None if claim is None else claim.programme
        treasury = treasury_of(state, self.party, self.mandate)
        return (
            check_mandate(state, self, self.mandate, programme, self.paid_fen, at)
            or _check_open_claim(state, self.claim, treasury)
            or self._check_rows(state)
            or self._check_offsets(state, treasury)
            or self._check_payment(state, treasury, at)
            or self._check_gates(state, at)
            or Nothing()
        )

    def _check_rows(self, state: State) -> Refusal | None:
        claimed_fen: dict[str, int] = {}
        for lot, amount_fen in state.claimed(self.claim):
            claimed_fen[lot.contract] = claimed_fen.get(lot.contract, 0) + amount_fen
        if [*claimed_fen] != [row.contract for row in self.rows]:
            return Refusal(Reason.SETTLEMENT_DIFFERS_FROM_CLAIM, f"it is of {', '.join(claimed_fen)}"[:200])
        for row in self.rows:
            if row.settled_fen != claimed_fen[row.contract]:
                detail = f"{claimed_fen[row.contract]} fen are claimed under {row.contract}"
                return Refusal(Reason.SETTLEMENT_DIFFERS_FROM_CLAIM, detail, limit_fen=claimed_fen[row.contract])
        return None

    def _check_offsets(self, state: State, treasury: str) -> Refusal | None:
        """Refuse demands that can't be set off; of several refusals the first in order of precedence."""
        claimant = state.claims[self.claim].claimant
        refusals: list[Refusal | None] = []
        for offset in self.offsets or ():
            refusal = check_demand(state, offset.demand, treasury)
            if refusal is None and state.demands[offset.demand].payee != claimant:
                detail = f"{offset.demand} is on {state.demands[offset.demand].payee}"
                refusal = Refusal(Reason.DEMAND_ON_ANOTHER, detail)
            refusals.append(refusal or check_receivable(state, offset.demand, offset.amount_fen))
        return min([one for one in refusals if one], key=lambda one: self.refusals.index(one.reason), default=None)

    def _check_payment(self, state: State, treasury: str, at: int) -> Refusal | None:
        due_fen = self.paid_fen - self.offset_fen
        paid_fen = 0 if self.payment is None else self.payment.amount_fen
        if due_fen < 0:
            return Refusal(Reason.PAYMENT_DIFFERS, f"{self.offset_fen} fen are set off of {self.paid_fen} fen")
        if due_fen != paid_fen:
            return Refusal(Reason.PAYMENT_DIFFERS, f"{due_fen} fen are to be paid", limit_fen=due_fen)
        return None if self.payment is None else check_payment(state, treasury, self.payment, at)

    def _check_gates(self, state: State, at: int) -> Refusal | None:
        """Refuse a payment whose gates aren't passed; to withhold needs none."""
        claim = state.claims[self.claim]
        paid = [row.contract for row in self.rows if row.paid_fen]
        if not paid:
            return None
        side: SubjectType = "provider" if state.parties[claim.claimant].role == "provider" else "holder"
        subjects: dict[SubjectType, Sequence[str]] = {"claim": [self.claim], "contract": paid, side: [claim.claimant]}
        return check_passed(state, claim.programme, "settle", claim.claimant, subjects, at)

    def evolve(self, state: State, event: Event) -> Postings:
        """Settled for good; what is withheld can be claimed again."""
        count_mandate(state, event, self.mandate, self.paid_fen)
        treasury = treasury_of(state, self.party, self.mandate)
        claim = state.claims[self.claim]
        paid_id = f"{claim.programme} {claim.claimant}"
        left_fen = {row.contract: row.paid_fen for row in self.rows}
        postings = list[Posting]()
        for lot, amount_fen in state.claimed(self.claim):
            source_id = lot.claimed_id(self.claim)
            paid_fen = min(amount_fen, left_fen.get(lot.contract, 0))
            if paid_fen:
                postings.append(Posting(claim.programme, "claimed", source_id, "paid", paid_id, paid_fen))
                left_fen[lot.contract] -= paid_fen
            if amount_fen > paid_fen:
                postings.append(
                    Posting(claim.programme, "claimed", source_id, "withheld", lot.id, amount_fen - paid_fen)
                )
        postings += [receive(state, offset.demand, offset.amount_fen) for offset in self.offsets or ()]
        claim.status, claim.lots = "settled", []
        if self.payment is not None:
            note_payment(state, treasury, self.payment, self.claim)
        return tuple(postings)

    def touches(self, state: State, event: Event) -> Accounts:
        """The programme, the claimant, each contract, and the programme of each demand that is set off."""
        claim = state.claims[self.claim]
        demands = {f"programme {state.demands[one.demand].programme}" for one in self.offsets or ()}
        contracts = {f"contract {row.contract}" for row in self.rows}
        return {f"programme {claim.programme}"} | party_account(state, claim.claimant) | contracts | demands

    def concerns(self, state: State, event: Event) -> Names:
        """The claim, its contracts, the demands, and what was paid to the payee."""
        claim = state.claims[self.claim]
        yield f"claim {self.claim}"
        yield f"paid {claim.programme} {claim.claimant}"
        yield from (f"life {row.contract}" for row in self.rows)
        yield from (f"demand {one.demand}" for one in self.offsets or ())

    def follows(self) -> Names:
        """The claim, its demands, the party, and the mandate."""
        demands = [f"demand {one.demand}" for one in self.offsets or ()]
        return [f"claim {self.claim}", *demands, f"party {self.party}", *mandate_name(self.mandate)]

    def asks(self, event: Event, history: History) -> Names:
        """Verdicts on the claim, its claimant and its contracts, and all that was burned and claimed under these."""
        claimant = history.claimant_of(self.claim)
        yield from (f"attestations {subject}" for subject in (f"claim {self.claim}", f"provider {claimant}"))
        yield f"attestations holder {claimant}"
        for row in self.rows:
            yield from (f"life {row.contract}", f"attestations contract {row.contract}")


class RedemptionDisallow(Rule):
    """A treasury keeps for good what it withheld under a contract; of a claimant who is out, also what is unclaimed."""

    kind: Literal["redemption.disallow/1"]
    programme: OwnedId
    contract: OwnedId
    amount_fen: Fen
    reason: Text

    event_kind = "redemption.disallowed/1"
    outcome = Nothing
    about = ("contract",)
    roles = TREASURY
    refusals = (
        Reason.PROGRAMME_UNKNOWN,
        Reason.NOT_OWN_PROGRAMME,
        Reason.CONTRACT_UNKNOWN,
        Reason.EXCEEDS_WITHHELD,
    )

    def signers(self, state: State, at: int) -> Signers:
        """As many as the party's officers' rule requires, at any amount."""
        return officers_at_any_amount(state, self.party)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """At most what is withheld; what is unclaimed too, where its claimant is suspended or delisted."""
        refusal = check_own_programme(state, self.programme, self.party)
        if refusal:
            return refusal
        if self.contract not in state.contracts:
            return unknown(state, Reason.CONTRACT_UNKNOWN, "contract", self.contract)
        there_fen = sum([amount_fen for _, _, _, amount_fen in self._parts(state, at)])
        if self.amount_fen > there_fen:
            return Refusal(Reason.EXCEEDS_WITHHELD, f"{there_fen} fen can be disallowed", limit_fen=there_fen)
        return Nothing()

    def _parts(self, state: State, at: int) -> list[tuple[Lot, Literal["burned", "withheld"], str, int]]:
        """Return what can be disallowed, in order: what is withheld by voucher, then what is unclaimed."""
        places = state.unclaimed.places.get(self.programme, {}).get(self.contract, {})
        lots = [Lot(voucher, self.contract) for voucher in sorted(places)]
        parts: list[tuple[Lot, Literal["burned", "withheld"], str, int]] = [
            (lot, "withheld", lot.id, state.book["withheld", lot.id]) for lot in lots if state.book["withheld", lot.id]
        ]
        if not self._claimant_is_out(state, at):
            return parts
        for lot in lots:
            for day in places[lot.voucher]:
                burned_id = f"{lot.id} {day}"
                if day >= 0:
                    parts.append((lot, "burned", burned_id, state.book["burned", burned_id]))
        return parts

    def _claimant_is_out(self, state: State, at: int) -> bool:
        """Return whether nobody good can claim what is unclaimed."""
        contract = state.contracts[self.contract]
        claimant = state.claimant(self.programme, self.contract)
        sides = (contract.provider, contract.holder) if claimant is None else (claimant,)
        return all(self._is_out(state, side, at) for side in sides)

    def _is_out(self, state: State, party: str, at: int) -> bool:
        if state.parties[party].suspended:
            return True
        is_provider = state.parties[party].role == "provider"
        return is_provider and state.programmes[self.programme].accreditation(party, at, at + 1) is None

    def evolve(self, state: State, event: Event) -> Postings:
        """Back to the programme, and not to the holder's cap."""
        left_fen = self.amount_fen
        postings = list[Posting]()
        for lot, account, account_id, amount_fen in self._parts(state, event.at):
            taken_fen = min(left_fen, amount_fen)
            if taken_fen:
                state.book.note("forfeited", lot.id, taken_fen)
                postings.append(Posting(self.programme, account, account_id, "unissued", self.programme, taken_fen))
                left_fen -= taken_fen
        return tuple(postings)

    def touches(self, state: State, event: Event) -> Accounts:
        """The contract, its two sides, and the programme."""
        contract = state.contracts[self.contract]
        sides = {f"provider {contract.provider}", f"holder {contract.holder}"}
        return {f"contract {self.contract}", f"programme {self.programme}"} | sides

    def concerns(self, state: State, event: Event) -> Names:
        """The contract."""
        return [f"life {self.contract}"]

    def follows(self) -> Names:
        """The contract and the programme."""
        return [f"life {self.contract}", f"rules {self.programme}"]

    def asks(self, event: Event, history: History) -> Names:
        """The accreditations of the contract's provider."""
        provider = history.provider_of(self.contract)
        return [f"accreditation {self.programme} {provider}"]


def check_payment(state: State, treasury: str, payment: PaymentFields, at: int) -> Refusal | None:
    """Refuse a payment of a day to come, and a reference that the treasury used before."""
    if payment.day > state.day_of(at):
        return Refusal(Reason.PAYMENT_IN_THE_FUTURE, f"day {format_day(payment.day)}")
    used = state.payments.get(f"{treasury} {payment.reference}")
    return None if used is None else Refusal(Reason.PAYMENT_REFERENCE_USED, f"for {used}")


def note_payment(state: State, treasury: str, payment: PaymentFields, for_what: str) -> None:
    """Keep a payment's reference, which is used once."""
    state.payments[f"{treasury} {payment.reference}"] = for_what


def check_demand(state: State, demand_id: str, treasury: str) -> Refusal | None:
    """Refuse a demand that isn't there, or is another treasury's."""
    demand = state.demands.get(demand_id)
    if demand is None:
        return unknown(state, Reason.DEMAND_UNKNOWN, "demand", demand_id)
    owner = state.programmes[demand.programme].treasury
    return None if owner == treasury else Refusal(Reason.DEMAND_ON_ANOTHER, f"{demand_id} is of {owner}")


def check_receivable(state: State, demand_id: str, amount_fen: int) -> Refusal | None:
    """Refuse more than is left of a demand."""
    left_fen = state.book["receivable", demand_id]
    if amount_fen > left_fen:
        return Refusal(Reason.EXCEEDS_RECEIVABLE, f"{left_fen} fen are left of {demand_id}", limit_fen=left_fen)
    return None


def receive(state: State, demand_id: str, amount_fen: int) -> Posting:
    """Return what comes back of a demand: it can be issued again."""
    programme = state.demands[demand_id].programme
    return Posting(programme, "receivable", demand_id, "unissued", programme, amount_fen)


def _check_open_claim(state: State, claim_id: str, treasury: str) -> Refusal | None:
    claim = state.claims.get(claim_id)
    if claim is None:
        return unknown(state, Reason.CLAIM_UNKNOWN, "claim", claim_id)
    refusal = check_own_programme(state, claim.programme, treasury)
    if refusal:
        return refusal
    return None if claim.status == "open" else Refusal(Reason.CLAIM_ALREADY_SETTLED, f"{claim_id} is {claim.status}")


RULES: Final = (RedemptionSettle, RedemptionDisallow)
