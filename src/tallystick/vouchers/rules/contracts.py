"""Contracts: signed and amended by both sides, holder and provider."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, Field, model_validator

from tallystick.vouchers.contracts import Contract
from tallystick.vouchers.fields import CLOSED, ITEMS_MAX, Claimant, ContractBasis
from tallystick.vouchers.outcomes import Nothing
from tallystick.vouchers.quantities import (
    AHEAD_MAX_US,
    DAY_US,
    Day,
    Fen,
    FenOrZero,
    Hash,
    ItemId,
    OwnedId,
    PartyId,
    PriceFen,
    by_item,
    format_day,
)
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.checks import (
    check_items,
    check_new_id,
    check_own_contract,
    check_provider,
    check_receiving_holder,
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
)
from tallystick.vouchers.state import State

DAYS_AROUND_MAX: Final = AHEAD_MAX_US // DAY_US
"""A contract begins at most so many days before or after it is signed."""
CONTRACT_DAYS_MAX: Final = 3_660


class ItemPrice(BaseModel):
    """The price of an item's unit: a GPU-hour, or one of what is counted."""

    model_config = CLOSED

    item: ItemId
    price_fen: PriceFen


Prices = Annotated[tuple[ItemPrice, ...], Field(min_length=1, max_length=ITEMS_MAX), AfterValidator(by_item)]


class ContractSign(Rule):
    """A holder and a provider agree on what is bought, at which prices, and up to which amount."""

    kind: Literal["contract.sign/1"]
    contract: OwnedId
    holder: PartyId
    provider: PartyId
    document_hash: Hash
    amount_fen: Fen
    first_day: Day
    last_day: Day
    items: Prices
    basis: ContractBasis
    claimant: Claimant
    related_party: bool
    other_support_fen: FenOrZero

    event_kind = "contract.signed/1"
    outcome = Nothing
    about = ("contract",)
    roles = HOLDER | PROVIDER
    refusals = (
        Reason.ID_OUTSIDE_OWN_NAMESPACE,
        Reason.ID_ALREADY_USED,
        Reason.NOT_OWN_CONTRACT,
        Reason.WINDOW_INVALID,
        Reason.DATE_TOO_FAR_AHEAD,
        Reason.CONTRACT_BEGAN_TOO_LONG_AGO,
        Reason.PROVIDER_UNKNOWN,
        Reason.ITEM_UNKNOWN,
        Reason.HOLDER_UNKNOWN,
        Reason.RECEIVER_SUSPENDED,
        Reason.DOCUMENT_ALREADY_USED,
    )

    def signers(self, state: State, at: int) -> Signers:
        """One signature of the holder, and one of the provider."""
        sides = [party for party in (self.holder, self.provider) if party in state.parties]
        return {self.party: 1} | dict.fromkeys(sides, 1)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """Between two who are in good standing, about a document that no other contract has."""
        return (
            check_new_id(self.contract, self.party, state.contracts, state.left["contract"])
            or self._check_sides()
            or self._check_days(state, at)
            or self._check_parties(state)
            or self._check_document(state)
            or Nothing()
        )

    def _check_sides(self) -> Refusal | None:
        if self.party in (self.holder, self.provider):
            return None
        return Refusal(Reason.NOT_OWN_CONTRACT, f"it is of {self.holder} and {self.provider}")

    def _check_days(self, state: State, at: int) -> Refusal | None:
        today = state.day_of(at)
        if not self.first_day <= self.last_day < self.first_day + CONTRACT_DAYS_MAX or self.last_day < today:
            return Refusal(Reason.WINDOW_INVALID, f"last_day {format_day(self.last_day)}")
        if self.first_day > today + DAYS_AROUND_MAX:
            return Refusal(Reason.DATE_TOO_FAR_AHEAD, f"first_day {format_day(self.first_day)}")
        if self.first_day < today - DAYS_AROUND_MAX:
            return Refusal(Reason.CONTRACT_BEGAN_TOO_LONG_AGO, f"first_day {format_day(self.first_day)}")
        return None

    def _check_parties(self, state: State) -> Refusal | None:
        refusal = check_provider(state, self.provider)
        if refusal:
            return refusal
        refusal = check_items(state, [one.item for one in self.items]) or check_receiving_holder(state, self.holder)
        if refusal:
            return refusal
        if state.parties[self.provider].suspended:
            return Refusal(Reason.RECEIVER_SUSPENDED, self.provider)
        return None

    def _check_document(self, state: State) -> Refusal | None:
        other = state.documents.get(self.document_hash)
        if other is None:
            return None
        return Refusal(Reason.DOCUMENT_ALREADY_USED, f"it is {other or 'of a contract that has left'}")

    def evolve(self, state: State, event: Event) -> Postings:
        """A contract, under which nothing was charged yet."""
        state.documents[self.document_hash] = self.contract
        state.contracts[self.contract] = Contract(
            provider=self.provider,
            holder=self.holder,
            document_hash=self.document_hash,
            amount_fen=self.amount_fen,
            first_day=self.first_day,
            last_day=self.last_day,
            basis=self.basis,
            claimant=self.claimant,
            related_party=self.related_party,
            other_support_fen=self.other_support_fen,
            prices={one.item: [(0, one.price_fen)] for one in self.items},
        )
        return ()

    def touches(self, state: State, event: Event) -> Accounts:
        """The contract, its holder and its provider."""
        return {f"contract {self.contract}", f"holder {self.holder}", f"provider {self.provider}"}

    def concerns(self, state: State, event: Event) -> Names:
        """The contract, and its document."""
        return [f"life {self.contract}", f"document {self.document_hash}"]

    def follows(self) -> Names:
        """The contract, its holder and its provider."""
        return [f"party {self.holder}", f"party {self.provider}"]

    def asks(self, event: Event, history: History) -> Names:
        """The items, and the document."""
        return [*(f"item {one.item}" for one in self.items), f"document {self.document_hash}"]


class ContractAmend(Rule):
    """Both sides agree on another amount, last day, price or other support."""

    kind: Literal["contract.amend/1"]
    contract: OwnedId
    amount_fen: Fen | None = None
    last_day: Day | None = None
    items: Prices | None = None
    items_from: Day | None = None
    other_support_fen: FenOrZero | None = None

    event_kind = "contract.amended/1"
    outcome = Nothing
    about = ("contract",)
    roles = HOLDER | PROVIDER
    refusals = (
        Reason.CONTRACT_UNKNOWN,
        Reason.NOT_OWN_CONTRACT,
        Reason.CONTRACT_ENDED,
        Reason.WINDOW_INVALID,
        Reason.DATE_IN_THE_PAST,
        Reason.DATE_TOO_FAR_AHEAD,
        Reason.ITEM_UNKNOWN,
        Reason.BELOW_CHARGED,
        Reason.OTHER_SUPPORT_LOWERED,
    )

    @model_validator(mode="after")
    def _says_something(self) -> "ContractAmend":
        if (self.items is None) != (self.items_from is None):
            raise ValueError("items and items_from go together")
        if all(one is None for one in (self.amount_fen, self.last_day, self.items, self.other_support_fen)):
            raise ValueError("must amend amount_fen, last_day, items or other_support_fen")
        return self

    def signers(self, state: State, at: int) -> Signers:
        """One signature of the holder, and one of the provider."""
        contract = state.contracts.get(self.contract)
        return {self.party: 1} if contract is None else {self.party: 1, contract.holder: 1, contract.provider: 1}

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """Before its last day is over; never below what was charged, never back in time."""
        return (
            check_own_contract(state, self.contract, self.party)
            or self._check_days(state.contracts[self.contract], state.day_of(at))
            or check_items(state, [one.item for one in self.items or ()])
            or self._check_amounts(state)
            or Nothing()
        )

    def _check_days(self, contract: Contract, today: int) -> Refusal | None:
        if contract.last_day < today:
            return Refusal(Reason.CONTRACT_ENDED, f"its last day was {format_day(contract.last_day)}")
        last_day, items_from = self.last_day, self.items_from
        if last_day is not None and not contract.first_day <= last_day < contract.first_day + CONTRACT_DAYS_MAX:
            return Refusal(Reason.WINDOW_INVALID, f"last_day {format_day(last_day)}")
        if last_day is not None and last_day < today:
            return Refusal(Reason.DATE_IN_THE_PAST, f"last_day {format_day(last_day)}")
        if items_from is not None and items_from <= today:
            return Refusal(Reason.DATE_IN_THE_PAST, f"items_from {format_day(items_from)}")
        if items_from is not None and items_from > today + DAYS_AROUND_MAX:
            return Refusal(Reason.DATE_TOO_FAR_AHEAD, f"items_from {format_day(items_from)}")
        return None

    def _check_amounts(self, state: State) -> Refusal | None:
        contract = state.contracts[self.contract]
        charged_fen = state.book["charged", self.contract]
        if self.amount_fen is not None and self.amount_fen < charged_fen:
            return Refusal(Reason.BELOW_CHARGED, f"{charged_fen} fen were charged", limit_fen=charged_fen)
        if self.other_support_fen is not None and self.other_support_fen < contract.other_support_fen:
            detail = f"it is {contract.other_support_fen} fen"
            return Refusal(Reason.OTHER_SUPPORT_LOWERED, detail, limit_fen=contract.other_support_fen)
        return None

    def evolve(self, state: State, event: Event) -> Postings:
        """What it says anew; verdicts on the contract are void, but for an early end.

        A price from a day on takes the place of those from later days.
        """
        contract = state.contracts[self.contract]
        if not self._is_early_end(contract):
            state.attestations.pop(f"contract {self.contract}", None)
        if self.amount_fen is not None:
            contract.amount_fen = self.amount_fen
        if self.last_day is not None:
            self._end_at(state, contract, self.last_day)
        if self.other_support_fen is not None:
            contract.other_support_fen = self.other_support_fen
        if self.items is not None and self.items_from is not None:
            valid_from = state.start_of(self.items_from)
            for one in self.items:
                before = contract.prices.get(one.item, [])
                earlier = [price for price in before if price[0] < valid_from]
                contract.prices[one.item] = [*earlier, (valid_from, one.price_fen)]
        return ()

    def _is_early_end(self, contract: Contract) -> bool:
        """Return whether all that it says is that the contract ends earlier."""
        others = (self.amount_fen, self.items, self.other_support_fen)
        return self.last_day is not None and self.last_day <= contract.last_day and all(one is None for one in others)

    def _end_at(self, state: State, contract: Contract, last_day: int) -> None:
        """Set the last day; it ends the contract's reservations."""
        held = [state.reservations[name] for name in contract.reservations]
        for reservation in held:
            state.remove_due(state.due_of(reservation))
        contract.last_day = last_day
        for reservation in held:
            state.add_due(state.due_of(reservation))

    def touches(self, state: State, event: Event) -> Accounts:
        """The contract, its holder and its provider."""
        contract = state.contracts[self.contract]
        return {f"contract {self.contract}", f"holder {contract.holder}", f"provider {contract.provider}"}

    def concerns(self, state: State, event: Event) -> Names:
        """The contract, and the verdicts on it, which it may end."""
        return [f"life {self.contract}", f"attestations contract {self.contract}"]

    def follows(self) -> Names:
        """The contract."""
        return [f"life {self.contract}"]

    def asks(self, event: Event, history: History) -> Names:
        """The items."""
        return [f"item {one.item}" for one in self.items or ()]


RULES: Final = (ContractSign, ContractAmend)
