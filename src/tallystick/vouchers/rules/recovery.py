"""What was paid without right is asked back: demanded, received, or given up."""

from typing import Final, Literal

from tallystick.vouchers.book import Posting
from tallystick.vouchers.outcomes import Nothing
from tallystick.vouchers.quantities import Fen, Hash, OwnedId, PartyId, Text
from tallystick.vouchers.redemptions import Demand
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.checks import check_new_id, check_own_programme
from tallystick.vouchers.rules.officers import count_signatures, officers_at_any_amount, officers_needed
from tallystick.vouchers.rules.rule import (
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
from tallystick.vouchers.rules.settlement import (
    PaymentFields,
    check_demand,
    check_payment,
    check_receivable,
    note_payment,
    receive,
)
from tallystick.vouchers.state import State


class RecoveryDemand(Rule):
    """A treasury asks back a part of what it paid to a payee of a programme."""

    kind: Literal["recovery.demand/1"]
    demand: OwnedId
    programme: OwnedId
    payee: PartyId
    amount_fen: Fen
    reason: Text
    evidence_hash: Hash

    event_kind = "recovery.demanded/1"
    outcome = Nothing
    about = ("demand",)
    roles = TREASURY
    refusals = (
        Reason.ID_OUTSIDE_OWN_NAMESPACE,
        Reason.ID_ALREADY_USED,
        Reason.PROGRAMME_UNKNOWN,
        Reason.NOT_OWN_PROGRAMME,
        Reason.EXCEEDS_PAID,
    )

    def signers(self, state: State, at: int) -> Signers:
        """One signature of the party; `required` of its officers where fewer have signed more than `threshold_fen`."""
        return {self.party: officers_needed(state, self.party, self.amount_fen, at)}

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """At most what was paid to the payee under the programme, and isn't asked back yet."""
        refusal = check_new_id(self.demand, self.party, state.demands, state.left["demand"]) or check_own_programme(
            state, self.programme, self.party
        )
        if refusal:
            return refusal
        paid_fen = state.book["paid", f"{self.programme} {self.payee}"]
        if self.amount_fen > paid_fen:
            return Refusal(Reason.EXCEEDS_PAID, f"{paid_fen} fen were paid to {self.payee}", limit_fen=paid_fen)
        return Nothing()

    def evolve(self, state: State, event: Event) -> Postings:
        """It is owed to the treasury."""
        count_signatures(state, event, self.party, self.amount_fen)
        state.demands[self.demand] = Demand(self.programme, self.payee, self.amount_fen)
        source = f"{self.programme} {self.payee}"
        return (Posting(self.programme, "paid", source, "receivable", self.demand, self.amount_fen),)

    def touches(self, state: State, event: Event) -> Accounts:
        """The programme and the payee."""
        return {f"programme {self.programme}"} | party_account(state, self.payee)

    def concerns(self, state: State, event: Event) -> Names:
        """The demand, and what was paid to the payee."""
        return [f"demand {self.demand}", f"paid {self.programme} {self.payee}"]

    def follows(self) -> Names:
        """The programme, and what was paid to the payee."""
        return [f"rules {self.programme}", f"party {self.payee}", f"paid {self.programme} {self.payee}"]

    def asks(self, event: Event, history: History) -> Names:
        """Nothing."""
        return ()


class RecoveryReceive(Rule):
    """What was demanded was paid back."""

    kind: Literal["recovery.receive/1"]
    demand: OwnedId
    payment: PaymentFields

    event_kind = "recovery.received/1"
    outcome = Nothing
    about = ("demand",)
    roles = TREASURY
    refusals = (
        Reason.DEMAND_UNKNOWN,
        Reason.DEMAND_ON_ANOTHER,
        Reason.EXCEEDS_RECEIVABLE,
        Reason.PAYMENT_IN_THE_FUTURE,
        Reason.PAYMENT_REFERENCE_USED,
    )

    def signers(self, state: State, at: int) -> Signers:
        """As many as the party's officers' rule requires, at any amount."""
        return officers_at_any_amount(state, self.party)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """At most what is left of its own demand."""
        return (
            check_demand(state, self.demand, self.party)
            or check_receivable(state, self.demand, self.payment.amount_fen)
            or check_payment(state, self.party, self.payment, at)
            or Nothing()
        )

    def evolve(self, state: State, event: Event) -> Postings:
        """It can be issued again."""
        note_payment(state, self.party, self.payment, self.demand)
        return (receive(state, self.demand, self.payment.amount_fen),)

    def touches(self, state: State, event: Event) -> Accounts:
        """The programme and the payee."""
        demand = state.demands[self.demand]
        return {f"programme {demand.programme}"} | party_account(state, demand.payee)

    def concerns(self, state: State, event: Event) -> Names:
        """The demand."""
        return [f"demand {self.demand}"]

    def follows(self) -> Names:
        """The demand."""
        return [f"demand {self.demand}"]

    def asks(self, event: Event, history: History) -> Names:
        """Nothing."""
        return ()


class RecoveryCancel(Rule):
    """A treasury gives up a part of a demand: it was paid rightly, or won't come back."""

    kind: Literal["recovery.cancel/1"]
    demand: OwnedId
    amount_fen: Fen
    reason: Text

    event_kind = "recovery.cancelled/1"
    outcome = Nothing
    about = ("demand",)
    roles = TREASURY
    refusals = (
        Reason.DEMAND_UNKNOWN,
        Reason.DEMAND_ON_ANOTHER,
        Reason.EXCEEDS_RECEIVABLE,
    )

    def signers(self, state: State, at: int) -> Signers:
        """As many as the party's officers' rule requires, at any amount."""
        return officers_at_any_amount(state, self.party)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """At most what is left of its own demand."""
        return (
            check_demand(state, self.demand, self.party)
            or check_receivable(state, self.demand, self.amount_fen)
            or Nothing()
        )

    def evolve(self, state: State, event: Event) -> Postings:
        """It stays paid."""
        demand = state.demands[self.demand]
        target = f"{demand.programme} {demand.payee}"
        return (Posting(demand.programme, "receivable", self.demand, "paid", target, self.amount_fen),)

    def touches(self, state: State, event: Event) -> Accounts:
        """The programme and the payee."""
        demand = state.demands[self.demand]
        return {f"programme {demand.programme}"} | party_account(state, demand.payee)

    def concerns(self, state: State, event: Event) -> Names:
        """The demand, and what was paid to the payee."""
        demand = state.demands[self.demand]
        return [f"demand {self.demand}", f"paid {demand.programme} {demand.payee}"]

    def follows(self) -> Names:
        """The demand."""
        return [f"demand {self.demand}"]

    def asks(self, event: Event, history: History) -> Names:
        """Nothing."""
        return ()


RULES: Final = (RecoveryDemand, RecoveryReceive, RecoveryCancel)
