"""Sealed books: a period is closed, and what the books hold is committed to."""

from typing import Final, Literal

from tallystick.signing.algorithms import SHA256
from tallystick.transparency.merkle import leaf_hash, root_of
from tallystick.vouchers.accounts import account_leaves
from tallystick.vouchers.outcomes import Sealed
from tallystick.vouchers.quantities import SECOND_US, Day, OwnedId, format_day, format_instant
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.checks import check_new_id
from tallystick.vouchers.rules.rule import (
    EVERY_PARTY,
    OPERATOR,
    SEALS,
    Accounts,
    Event,
    History,
    Names,
    Postings,
    Rule,
    Signers,
    own_party,
)
from tallystick.vouchers.seals import Seal
from tallystick.vouchers.state import State


class BookSeal(Rule):
    """The log's operator closes the days up to one."""

    kind: Literal["book.seal/1"]
    seal: OwnedId
    last_day: Day

    event_kind = "book.sealed/1"
    outcome = Sealed
    about = (EVERY_PARTY,)
    roles = OPERATOR
    refusals = (
        Reason.ID_OUTSIDE_OWN_NAMESPACE,
        Reason.ID_ALREADY_USED,
        Reason.SEAL_PERIOD_NOT_OVER,
        Reason.SEAL_GRACE_NOT_OVER,
        Reason.SEAL_NOT_LATER,
    )

    def signers(self, state: State, at: int) -> Signers:
        """One signature of the party, of the network its quorum."""
        return own_party(self, state)

    def decide(self, state: State, at: int) -> Sealed | Refusal:
        """Days that are over, and the network's grace after them too; later than those sealed before."""
        refusal = check_new_id(self.seal, self.party, state.seals)
        if refusal:
            return refusal
        assert state.network is not None
        over_at = state.start_of(self.last_day + 1)
        if at < over_at:
            return Refusal(Reason.SEAL_PERIOD_NOT_OVER, format_day(self.last_day), not_before=over_at)
        due_at = over_at + state.network.parameters.sealing_grace_seconds * SECOND_US
        if at < due_at:
            detail = f"{format_day(self.last_day)} can be sealed from {format_instant(due_at)} on"
            return Refusal(Reason.SEAL_GRACE_NOT_OVER, detail, not_before=due_at)
        if state.sealed_day is not None and self.last_day <= state.sealed_day:
            return Refusal(Reason.SEAL_NOT_LATER, f"sealed up to {format_day(state.sealed_day)}")
        leaves = [leaf_hash(leaf) for _, leaf in account_leaves(state)]
        return Sealed(len(leaves), SHA256.to_text(root_of(leaves)))

    def evolve(self, state: State, event: Event) -> Postings:
        """The days are sealed; what the accounts were touched by is folded."""
        assert isinstance(event.outcome, Sealed)
        state.seals[self.seal] = Seal(event.index, self.last_day, event.outcome.accounts, event.outcome.root)
        for touches in state.touches.values():
            touches.fold()
        return ()

    def touches(self, state: State, event: Event) -> Accounts:
        """No account."""
        return set()

    def concerns(self, state: State, event: Event) -> Names:
        """All seals."""
        return [SEALS]

    def follows(self) -> Names:
        """Nothing."""
        return ()

    def asks(self, event: Event, history: History) -> Names:
        """Nothing."""
        return ()


RULES: Final = (BookSeal,)
