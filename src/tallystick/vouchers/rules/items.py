"""What can be bought, and at what price."""

from typing import Final, Literal

from tallystick.vouchers.fields import ChipOrigin
from tallystick.vouchers.outcomes import Nothing
from tallystick.vouchers.programmes import Accelerator
from tallystick.vouchers.quantities import (
    AHEAD_MAX_US,
    AcceleratorId,
    Instant,
    PriceFenPerGpuHour,
    Text,
    format_instant,
)
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.rule import (
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


class AcceleratorRegister(Rule):
    """A model of accelerator, and whether it counts as domestic."""

    kind: Literal["accelerator.register/1"]
    accelerator: AcceleratorId
    name: Text
    origin: ChipOrigin

    event_kind = "accelerator.registered/1"
    outcome = Nothing
    roles = NETWORK
    refusals = (Reason.ID_ALREADY_USED,)

    def signers(self, state: State) -> Signers:
        """One signature of the party, of the network its quorum."""
        return own_party(self, state)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """A model is registered once."""
        if self.accelerator in state.accelerators:
            return Refusal(Reason.ID_ALREADY_USED, self.accelerator)
        return Nothing()

    def evolve(self, state: State, event: Event) -> Postings:
        """A model, domestic or foreign."""
        state.accelerators[self.accelerator] = Accelerator(self.name, self.origin)
        return ()

    def touches(self, state: State, event: Event) -> Accounts:
        """No account."""
        return set()

    def concerns(self, state: State, event: Event) -> Names:
        """The accelerator."""
        return [f"accelerator {self.accelerator}"]

    def follows(self) -> Names:
        """Nothing."""
        return ()

    def asks(self, event: Event, history: History) -> Names:
        """Nothing."""
        return ()


class TariffPublish(Rule):
    """A provider's price for an accelerator from a date on."""

    kind: Literal["tariff.publish/1"]
    accelerator: AcceleratorId
    price_fen_per_gpu_hour: PriceFenPerGpuHour
    valid_from: Instant

    event_kind = "tariff.published/1"
    outcome = Nothing
    roles = PROVIDER
    refusals = (
        Reason.DATE_IN_THE_PAST,
        Reason.DATE_TOO_FAR_AHEAD,
        Reason.TARIFF_NOT_LATER,
        Reason.NOTICE_TOO_SHORT,
        Reason.ACCELERATOR_UNKNOWN,
    )

    def signers(self, state: State) -> Signers:
        """One signature of the party, of the network its quorum."""
        return own_party(self, state)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """A price from now or later on, at most a year ahead, and a rise after the network's notice."""
        start = f"valid_from {format_instant(self.valid_from)}"
        if self.valid_from < at:
            return Refusal(Reason.DATE_IN_THE_PAST, start)
        if self.valid_from > at + AHEAD_MAX_US:
            return Refusal(Reason.DATE_TOO_FAR_AHEAD, start)
        before = state.tariffs.get(self.party, {}).get(self.accelerator)
        if before and self.valid_from <= before[-1][0]:
            return Refusal(
                Reason.TARIFF_NOT_LATER, f"the tariff before it is valid from {format_instant(before[-1][0])}"
            )
        if before and self.price_fen_per_gpu_hour > before[-1][1] and self.valid_from < at + state.tariff_notice_us:
            earliest = format_instant(at + state.tariff_notice_us)
            return Refusal(Reason.NOTICE_TOO_SHORT, f"more than {before[-1][1]} fen from {earliest} on")
        if self.accelerator not in state.accelerators:
            return Refusal(Reason.ACCELERATOR_UNKNOWN, self.accelerator)
        return Nothing()

    def evolve(self, state: State, event: Event) -> Postings:
        """A price from a date on."""
        tariffs = state.tariffs.setdefault(self.party, {}).setdefault(self.accelerator, [])
        tariffs.append((self.valid_from, self.price_fen_per_gpu_hour))
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
        """The tariffs before, and the accelerator."""
        return [f"tariffs {self.party}", f"accelerator {self.accelerator}"]


RULES: Final = (AcceleratorRegister, TariffPublish)
