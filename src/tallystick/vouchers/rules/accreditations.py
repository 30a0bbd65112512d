"""Accreditations: for which programmes a provider counts, of which items up to which price, from when to when."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, Field

from tallystick.vouchers.fields import CLOSED, ITEMS_MAX
from tallystick.vouchers.outcomes import Nothing
from tallystick.vouchers.programmes import Accreditation
from tallystick.vouchers.quantities import (
    Instant,
    ItemId,
    OwnedId,
    PartyId,
    PriceFen,
    Text,
    by_item,
    format_instant,
)
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.checks import check_items, check_own_programme, check_provider
from tallystick.vouchers.rules.rule import (
    EVERY_PARTY,
    TREASURY,
    Accounts,
    Event,
    History,
    Names,
    Postings,
    Rule,
    Signers,
    own_party,
    quorum,
)
from tallystick.vouchers.state import State


class PriceLimit(BaseModel):
    """An item that a provider is accredited for, and the most that a unit of it may cost."""

    model_config = CLOSED

    item: ItemId
    price_limit_fen: PriceFen


class ProviderAccredit(Rule):
    """A provider counts for a programme from a service date on, for some items up to a price."""

    kind: Literal["provider.accredit/1"]
    programme: OwnedId
    provider: PartyId
    valid_from: Instant
    items: Annotated[tuple[PriceLimit, ...], Field(min_length=1, max_length=ITEMS_MAX), AfterValidator(by_item)]
    batch: Text | None = None

    event_kind = "provider.accredited/1"
    outcome = Nothing
    about = (EVERY_PARTY,)
    roles = TREASURY
    refusals = (
        Reason.PROGRAMME_UNKNOWN,
        Reason.NOT_OWN_PROGRAMME,
        Reason.OUTSIDE_PROGRAMME_WINDOW,
        Reason.PROVIDER_UNKNOWN,
        Reason.PROVIDER_ALREADY_ACCREDITED,
        Reason.ITEM_UNKNOWN,
    )

    def signers(self, state: State, at: int) -> Signers:
        """The party's quorum."""
        return quorum(self, state)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """From a service date on within the programme, which may lie in the past; never twice at a time."""
        refusal = check_own_programme(state, self.programme, self.party)
        if refusal:
            return refusal
        programme = state.programmes[self.programme]
        if not programme.opens_at <= self.valid_from < programme.closes_at:
            return Refusal(Reason.OUTSIDE_PROGRAMME_WINDOW, f"valid_from {format_instant(self.valid_from)}")
        refusal = check_provider(state, self.provider)
        if refusal:
            return refusal
        before = programme.accreditations.get(self.provider)
        if before and (before[-1].valid_until is None or self.valid_from < before[-1].valid_until):
            return Refusal(Reason.PROVIDER_ALREADY_ACCREDITED, self.provider)
        return check_items(state, [one.item for one in self.items]) or Nothing()

    def evolve(self, state: State, event: Event) -> Postings:
        """An accreditation without an end."""
        accreditations = state.programmes[self.programme].accreditations.setdefault(self.provider, [])
        limits_fen = {one.item: one.price_limit_fen for one in self.items}
        accreditations.append(Accreditation(self.valid_from, limits_fen))
        return ()

    def touches(self, state: State, event: Event) -> Accounts:
        """The programme and the provider."""
        return {f"programme {self.programme}", f"provider {self.provider}"}

    def concerns(self, state: State, event: Event) -> Names:
        """The provider's accreditations."""
        return [f"accreditation {self.programme} {self.provider}"]

    def follows(self) -> Names:
        """The programme."""
        return [f"rules {self.programme}"]

    def asks(self, event: Event, history: History) -> Names:
        """The provider, its accreditations, and the items."""
        yield f"party {self.provider}"
        yield f"accreditation {self.programme} {self.provider}"
        yield from (f"item {one.item}" for one in self.items)


class ProviderDelist(Rule):
    """A provider no longer counts for a programme from a service date on."""

    kind: Literal["provider.delist/1"]
    programme: OwnedId
    provider: PartyId
    valid_until: Instant
    reason: Text

    event_kind = "provider.delisted/1"
    outcome = Nothing
    about = (EVERY_PARTY,)
    roles = TREASURY
    refusals = (
        Reason.PROGRAMME_UNKNOWN,
        Reason.NOT_OWN_PROGRAMME,
        Reason.DATE_IN_THE_PAST,
        Reason.PROVIDER_UNKNOWN,
        Reason.PROVIDER_NOT_ACCREDITED,
    )

    def signers(self, state: State, at: int) -> Signers:
        """One signature of the party, of the network its quorum."""
        return own_party(self, state)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """From a service date on, never in the past: what ran in good faith counts."""
        refusal = check_own_programme(state, self.programme, self.party)
        if refusal:
            return refusal
        if self.valid_until < at:
            return Refusal(Reason.DATE_IN_THE_PAST, f"valid_until {format_instant(self.valid_until)}")
        refusal = check_provider(state, self.provider)
        if refusal:
            return refusal
        before = state.programmes[self.programme].accreditations.get(self.provider)
        if not before or not before[-1].holds_at(self.valid_until):
            return Refusal(Reason.PROVIDER_NOT_ACCREDITED, self.provider)
        return Nothing()

    def evolve(self, state: State, event: Event) -> Postings:
        """The accreditation ends."""
        state.programmes[self.programme].accreditations[self.provider][-1].valid_until = self.valid_until
        return ()

    def touches(self, state: State, event: Event) -> Accounts:
        """The programme and the provider."""
        return {f"programme {self.programme}", f"provider {self.provider}"}

    def concerns(self, state: State, event: Event) -> Names:
        """The provider's accreditations."""
        return [f"accreditation {self.programme} {self.provider}"]

    def follows(self) -> Names:
        """The programme."""
        return [f"rules {self.programme}"]

    def asks(self, event: Event, history: History) -> Names:
        """The provider and its accreditations."""
        return [f"party {self.provider}", f"accreditation {self.programme} {self.provider}"]


RULES: Final = (ProviderAccredit, ProviderDelist)
