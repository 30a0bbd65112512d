"""A party that may command nothing for now, and one that is taken back."""

from typing import Final, Literal

from tallystick.vouchers.outcomes import Nothing
from tallystick.vouchers.quantities import PartyId, Text
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.keys import check_under
from tallystick.vouchers.rules.rule import (
    NETWORK,
    TREASURY,
    Accounts,
    Event,
    History,
    Names,
    Postings,
    Rule,
    Signers,
    own_party,
    party_account,
    quorum,
)
from tallystick.vouchers.state import State


class PartySuspend(Rule):
    """A party may command nothing until it is reinstated."""

    kind: Literal["party.suspend/1"]
    subject: PartyId
    reason: Text

    event_kind = "party.suspended/1"
    outcome = Nothing
    about = ("subject",)
    roles = NETWORK | TREASURY
    refusals = (
        Reason.SUBJECT_UNKNOWN,
        Reason.SUBJECT_NOT_UNDER_PARTY,
        Reason.SUBJECT_SUSPENDED,
    )

    def signers(self, state: State, at: int) -> Signers:
        """One signature of the party, of the network its quorum."""
        return own_party(self, state)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """By its admitter alone."""
        refusal = check_under(state, self.subject, self.party, or_itself=False)
        if refusal:
            return refusal
        if state.parties[self.subject].suspended:
            return Refusal(Reason.SUBJECT_SUSPENDED, self.subject)
        return Nothing()

    def evolve(self, state: State, event: Event) -> Postings:
        """It may command nothing."""
        state.parties[self.subject].suspended = True
        return ()

    def touches(self, state: State, event: Event) -> Accounts:
        """The party that it is about, if that is a holder or a provider."""
        return party_account(state, self.subject)

    def concerns(self, state: State, event: Event) -> Names:
        """The party."""
        return [f"party {self.subject}"]

    def follows(self) -> Names:
        """Nothing."""
        return ()

    def asks(self, event: Event, history: History) -> Names:
        """The party."""
        return [f"party {self.subject}"]


class PartyReinstate(Rule):
    """A suspended party is taken back."""

    kind: Literal["party.reinstate/1"]
    subject: PartyId
    reason: Text

    event_kind = "party.reinstated/1"
    outcome = Nothing
    about = ("subject",)
    roles = NETWORK | TREASURY
    refusals = (
        Reason.SUBJECT_UNKNOWN,
        Reason.SUBJECT_NOT_UNDER_PARTY,
        Reason.SUBJECT_NOT_SUSPENDED,
    )

    def signers(self, state: State, at: int) -> Signers:
        """The party's quorum."""
        return quorum(self, state)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """By its admitter alone."""
        refusal = check_under(state, self.subject, self.party, or_itself=False)
        if refusal:
            return refusal
        if not state.parties[self.subject].suspended:
            return Refusal(Reason.SUBJECT_NOT_SUSPENDED, self.subject)
        return Nothing()

    def evolve(self, state: State, event: Event) -> Postings:
        """It may command again."""
        state.parties[self.subject].suspended = False
        return ()

    def touches(self, state: State, event: Event) -> Accounts:
        """The party that it is about, if that is a holder or a provider."""
        return party_account(state, self.subject)

    def concerns(self, state: State, event: Event) -> Names:
        """The party."""
        return [f"party {self.subject}"]

    def follows(self) -> Names:
        """Nothing."""
        return ()

    def asks(self, event: Event, history: History) -> Names:
        """The party."""
        return [f"party {self.subject}"]


RULES: Final = (PartySuspend, PartyReinstate)
