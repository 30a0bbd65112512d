"""By which edition of the rules the log goes on; docs/decisions/0062-an-edition-is-adopted-in-the-log.md."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator

from tallystick.vouchers.editions import must_be_known
from tallystick.vouchers.outcomes import Nothing
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.rule import (
    EDITIONS,
    EVERY_PARTY,
    NETWORK,
    Accounts,
    Event,
    History,
    Names,
    Postings,
    Rule,
    Signers,
    quorum,
)
from tallystick.vouchers.state import State


class RulesAdopt(Rule):
    """The next edition of the rules, in force from the next entry on."""

    kind: Literal["rules.adopt/1"]
    edition: Annotated[int, AfterValidator(must_be_known)]

    event_kind = "rules.adopted/1"
    outcome = Nothing
    about = (EVERY_PARTY,)
    roles = NETWORK
    refusals = (Reason.EDITION_NOT_LATER,)

    def signers(self, state: State, at: int) -> Signers:
        """The party's quorum."""
        return quorum(self, state)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """A later edition than the one in force."""
        assert state.network is not None
        in_force = state.network.edition
        if self.edition <= in_force:
            return Refusal(Reason.EDITION_NOT_LATER, f"edition {in_force} is in force")
        return Nothing()

    def evolve(self, state: State, event: Event) -> Postings:
        """What follows is decided by it."""
        assert state.network is not None
        state.network.edition = self.edition
        return ()

    def touches(self, state: State, event: Event) -> Accounts:
        """No account."""
        return set()

    def concerns(self, state: State, event: Event) -> Names:
        """All editions adopted."""
        return [EDITIONS]

    def follows(self) -> Names:
        """The party, whose quorum signs."""
        return [f"party {self.party}"]

    def asks(self, event: Event, history: History) -> Names:
        """Nothing; the editions adopted before are in every dossier."""
        return ()


RULES: Final = (RulesAdopt,)
