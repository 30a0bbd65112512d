"""Applications: what a holder asks a treasury for, and what it declares."""

from typing import Final, Literal

from pydantic import BaseModel

from tallystick.vouchers.fields import CLOSED
from tallystick.vouchers.outcomes import Nothing
from tallystick.vouchers.quantities import Fen, FenOrZero, Hash, OwnedId, Word, format_instant
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.reviews import Application
from tallystick.vouchers.rules.checks import check_holders_contract, check_new_id, unknown
from tallystick.vouchers.rules.rule import (
    HOLDER,
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


class Declarations(BaseModel):
    """What a holder declares of itself; no rule decides by it."""

    model_config = CLOSED

    related_party: bool
    other_support_fen: FenOrZero


class ApplicationFile(Rule):
    """A holder asks for an amount under a programme."""

    kind: Literal["application.file/1"]
    application: OwnedId
    programme: OwnedId
    amount_fen: Fen
    holder_class: Word | None = None
    contract: OwnedId | None = None
    declarations: Declarations
    evidence_hash: Hash

    event_kind = "application.filed/1"
    outcome = Nothing
    about = ("application",)
    roles = HOLDER
    refusals = (
        Reason.ID_OUTSIDE_OWN_NAMESPACE,
        Reason.ID_ALREADY_USED,
        Reason.PROGRAMME_UNKNOWN,
        Reason.PROGRAMME_CLOSED,
        Reason.CONTRACT_UNKNOWN,
        Reason.NOT_OWN_CONTRACT,
    )

    def signers(self, state: State, at: int) -> Signers:
        """One signature of the party, of the network its quorum."""
        return own_party(self, state)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """For a programme that isn't over; it may be reviewed before that opens."""
        refusal = check_new_id(self.application, self.party, state.applications, state.left["application"])
        if refusal:
            return refusal
        programme = state.programmes.get(self.programme)
        if programme is None:
            return Refusal(Reason.PROGRAMME_UNKNOWN, self.programme)
        if at >= programme.closes_at:
            return Refusal(Reason.PROGRAMME_CLOSED, f"it ended at {format_instant(programme.closes_at)}")
        refusal = None if self.contract is None else check_holders_contract(state, self.contract, self.party)
        return refusal or Nothing()

    def evolve(self, state: State, event: Event) -> Postings:
        """An application for which nothing is issued yet."""
        asked = Application(self.programme, self.party, self.amount_fen, self.holder_class, self.contract)
        state.applications[self.application] = asked
        return ()

    def touches(self, state: State, event: Event) -> Accounts:
        """The holder and the programme."""
        return {f"holder {self.party}", f"programme {self.programme}"}

    def concerns(self, state: State, event: Event) -> Names:
        """The application."""
        return [f"application {self.application}"]

    def follows(self) -> Names:
        """Nothing."""
        return ()

    def asks(self, event: Event, history: History) -> Names:
        """The programme, and the contract."""
        return [f"rules {self.programme}", *([] if self.contract is None else [f"life {self.contract}"])]


class ApplicationWithdraw(Rule):
    """A holder takes an application back: nothing more is issued for it."""

    kind: Literal["application.withdraw/1"]
    application: OwnedId

    event_kind = "application.withdrawn/1"
    outcome = Nothing
    about = ("application",)
    roles = HOLDER
    refusals = (
        Reason.APPLICATION_UNKNOWN,
        Reason.NOT_OWN_APPLICATION,
        Reason.APPLICATION_WITHDRAWN,
    )

    def signers(self, state: State, at: int) -> Signers:
        """One signature of the party, of the network its quorum."""
        return own_party(self, state)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """Its own, once; also when something was issued for it."""
        application = state.applications.get(self.application)
        if application is None:
            return unknown(state, Reason.APPLICATION_UNKNOWN, "application", self.application)
        if application.holder != self.party:
            return Refusal(Reason.NOT_OWN_APPLICATION, f"{self.application} is of {application.holder}")
        if application.withdrawn:
            return Refusal(Reason.APPLICATION_WITHDRAWN, self.application)
        return Nothing()

    def evolve(self, state: State, event: Event) -> Postings:
        """Its id stays taken; verdicts on it say nothing any more."""
        state.applications[self.application].withdrawn = True
        state.attestations.pop(f"application {self.application}", None)
        return ()

    def touches(self, state: State, event: Event) -> Accounts:
        """The holder and the programme."""
        return {f"holder {self.party}", f"programme {state.applications[self.application].programme}"}

    def concerns(self, state: State, event: Event) -> Names:
        """The application."""
        return [f"application {self.application}"]

    def follows(self) -> Names:
        """The application."""
        return [f"application {self.application}"]

    def asks(self, event: Event, history: History) -> Names:
        """Nothing."""
        return ()


RULES: Final = (ApplicationFile, ApplicationWithdraw)
