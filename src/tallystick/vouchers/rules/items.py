"""What can be bought, and at what price."""

from typing import Final, Literal

from tallystick.vouchers.fields import ChipOrigin, ItemUnit
from tallystick.vouchers.outcomes import Nothing
from tallystick.vouchers.programmes import Item
from tallystick.vouchers.quantities import (
    AHEAD_MAX_US,
    Instant,
    ItemId,
    PriceFen,
    Text,
    format_instant,
)
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.rule import (
    EVERY_PARTY,
    NETWORK,
    PROVIDER,
    Accounts,
    Event,
    History,
    Names,
    Postings,
    Rule,
    Signers,
    own_party,
)
from tallystick.vouchers.state import State


class ItemRegister(Rule):
    """What can be bought: its unit, where it comes from, and the approval number of a filed model."""

    kind: Literal["item.register/1"]
    item: ItemId
    name: Text
    unit: ItemUnit
    counted: Text | None = None
    origin: ChipOrigin | None = None
    filing: Text | None = None

    event_kind = "item.registered/1"
    outcome = Nothing
    about = (EVERY_PARTY,)
    roles = NETWORK
    refusals = (
        Reason.ID_ALREADY_USED,
        Reason.ITEM_UNIT_INVALID,
    )

    def signers(self, state: State, at: int) -> Signers:
        """One signature of the party, of the network its quorum."""
        return own_party(self, state)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """Once, and with the name of the unit where that is counted."""
        if self.item in state.items:
            return Refusal(Reason.ID_ALREADY_USED, self.item)
        if (self.unit == "count") != (self.counted is not None):
            return Refusal(Reason.ITEM_UNIT_INVALID, self.item)
        return Nothing()

    def evolve(self, state: State, event: Event) -> Postings:
        """An item for ever."""
        state.items[self.item] = Item(self.name, self.unit, self.counted, self.origin, self.filing)
        return ()

    def touches(self, state: State, event: Event) -> Accounts:
        """No account."""
        return set()

    def concerns(self, state: State, event: Event) -> Names:
        """The item."""
        return [f"item {self.item}"]

    def follows(self) -> Names:
        """Nothing."""
        return ()

    def asks(self, event: Event, history: History) -> Names:
        """Nothing."""
        return ()


class TariffPublish(Rule):
    """A provider's public price for a unit of an item (a GPU-hour, or one of what is counted) from a date on."""

    kind: Literal["tariff.publish/1"]
    item: ItemId
    price_fen: PriceFen
    valid_from: Instant

    event_kind = "tariff.published/1"
    outcome = Nothing
    about = (EVERY_PARTY,)
    roles = PROVIDER
    refusals = (
        Reason.DATE_IN_THE_PAST,
        Reason.DATE_TOO_FAR_AHEAD,
        Reason.TARIFF_NOT_LATER,
        Reason.NOTICE_TOO_SHORT,
        Reason.ITEM_UNKNOWN,
    )

    def signers(self, state: State, at: int) -> Signers:
        """One signature of the party, of the network its quorum."""
        return own_party(self, state)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """A price from now or later on, at most a year ahead, and a rise after the network's notice."""
        start = f"valid_from {format_instant(self.valid_from)}"
        if self.valid_from < at:
            return Refusal(Reason.DATE_IN_THE_PAST, start)
        if self.valid_from > at + AHEAD_MAX_US:
            return Refusal(Reason.DATE_TOO_FAR_AHEAD, start)
        before = state.tariffs.get(self.party, {}).get(self.item)
        if before and self.valid_from <= before[-1][0]:
            return Refusal(
                Reason.TARIFF_NOT_LATER, f"the tariff before it is valid from {format_instant(before[-1][0])}"
            )
        if before and self.price_fen > before[-1][1] and self.valid_from < at + state.tariff_notice_us:
            earliest = format_instant(at + state.tariff_notice_us)
            return Refusal(Reason.NOTICE_TOO_SHORT, f"more than {before[-1][1]} fen from {earliest} on")
        if self.item not in state.items:
            return Refusal(Reason.ITEM_UNKNOWN, self.item)
        return Nothing()

    def evolve(self, state: State, event: Event) -> Postings:
        """A price from a date on."""
        tariffs = state.tariffs.setdefault(self.party, {}).setdefault(self.item, [])
        tariffs.append((self.valid_from, self.price_fen))
        return ()

    def touches(self, state: State, event: Event) -> Accounts:
        """The provider."""
        return {f"provider {self.party}"}

    def concerns(self, state: State, event: Event) -> Names:
        """The provider's tariffs."""
        return [f"tariffs {self.party}"]

    def follows(self) -> Names:
        """Nothing."""
        return ()

    def asks(self, event: Event, history: History) -> Names:
        """The tariffs before, and the item."""
        return [f"tariffs {self.party}", f"item {self.item}"]


RULES: Final = (ItemRegister, TariffPublish)
