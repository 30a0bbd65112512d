"""What a provider says that it has: how many of each item, from a day on."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, Field

from tallystick.vouchers.fields import CLOSED, ITEMS_MAX
from tallystick.vouchers.outcomes import Nothing
from tallystick.vouchers.quantities import AHEAD_MAX_US, DAY_US, Day, ItemId, by_item, format_day
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.checks import check_items
from tallystick.vouchers.rules.rule import (
    EVERY_PARTY,
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
from tallystick.vouchers.state import Capacity, State


class InstalledItem(BaseModel):
    """How many of an item are installed."""

    model_config = CLOSED

    item: ItemId
    installed: Annotated[int, Field(ge=1, le=1_000_000)]


class CapacityDeclare(Rule):
    """What a provider has installed of each item, from a day on; of an item that it leaves out, none."""

    kind: Literal["capacity.declare/1"]
    capacity: Annotated[tuple[InstalledItem, ...], Field(max_length=ITEMS_MAX), AfterValidator(by_item)]
    first_day: Day

    event_kind = "capacity.declared/1"
    outcome = Nothing
    about = (EVERY_PARTY,)
    roles = PROVIDER
    refusals = (
        Reason.DATE_IN_THE_PAST,
        Reason.DATE_TOO_FAR_AHEAD,
        Reason.CAPACITY_NOT_LATER,
        Reason.ITEM_UNKNOWN,
        Reason.ITEM_NOT_GPU_TIME,
    )

    def signers(self, state: State, at: int) -> Signers:
        """One signature of the party, of the network its quorum."""
        return own_party(self, state)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """From today or later on, at most a year ahead, and later than the declaration before it."""
        today, start = state.day_of(at), f"first_day {format_day(self.first_day)}"
        if self.first_day < today:
            return Refusal(Reason.DATE_IN_THE_PAST, start)
        if self.first_day > today + AHEAD_MAX_US // DAY_US:
            return Refusal(Reason.DATE_TOO_FAR_AHEAD, start)
        before = state.capacities.get(self.party)
        if before and self.first_day <= before[-1][0]:
            detail = f"the declaration before it is from {format_day(before[-1][0])} on"
            return Refusal(Reason.CAPACITY_NOT_LATER, detail)
        refusal = check_items(state, [one.item for one in self.capacity])
        if refusal:
            return refusal
        for one in self.capacity:
            if state.items[one.item].unit != "gpu_time":
                return Refusal(Reason.ITEM_NOT_GPU_TIME, one.item)
        return Nothing()

    def evolve(self, state: State, event: Event) -> Postings:
        """It is coming, or in force; what another one replaced is dropped."""
        installed = {one.item: one.installed for one in self.capacity}
        kept = standing(state, self.party, event.at)
        state.capacities[self.party] = [*kept, (self.first_day, installed)]
        return ()

    def touches(self, state: State, event: Event) -> Accounts:
        """The provider."""
        return {f"provider {self.party}"}

    def concerns(self, state: State, event: Event) -> Names:
        """The provider's capacity."""
        return [f"capacity {self.party}"]

    def follows(self) -> Names:
        """Nothing."""
        return ()

    def asks(self, event: Event, history: History) -> Names:
        """The declarations before, and the items."""
        return [f"capacity {self.party}", *[f"item {one.item}" for one in self.capacity]]


def standing(state: State, provider: str, at: int) -> list[Capacity]:
    """Return a provider's declarations at a time (microseconds): the one in force, if there is one, and those to come.

    What another one replaced counts no more, whether the state has dropped it yet or not.
    """
    declared, today = state.capacities.get(provider, []), state.day_of(at)
    replaced = sum([after[0] <= today for after in declared[1:]])
    return declared[replaced:]


RULES: Final = (CapacityDeclare,)
