"""What comes back of a voucher that its treasury ends, or that time has ended."""

from typing import Final, Literal

from tallystick.vouchers.book import Posting
from tallystick.vouchers.outcomes import Returned
from tallystick.vouchers.quantities import OwnedId, Text, format_instant
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.checks import check_treasurys_voucher
from tallystick.vouchers.rules.rule import (
    TREASURY,
    Accounts,
    Event,
    History,
    Names,
    Postings,
    Rule,
    Signers,
    own_party,
    voucher_accounts,
)
from tallystick.vouchers.state import State


class VoucherRevoke(Rule):
    """What is available of a voucher goes back to the envelope."""

    kind: Literal["voucher.revoke/1"]
    voucher: OwnedId
    reason: Text

    event_kind = "voucher.revoked/1"
    outcome = Returned
    roles = TREASURY
    refusals = (
        Reason.PROGRAMME_UNKNOWN,
        Reason.NOT_OWN_PROGRAMME,
        Reason.VOUCHER_UNKNOWN,
        Reason.VOUCHER_ENDED,
    )

    def signers(self, state: State, at: int) -> Signers:
        """One signature of the party, of the network its quorum."""
        return own_party(self, state)

    def decide(self, state: State, at: int) -> Returned | Refusal:
        """Before its validity is over; suspended or not."""
        refusal = check_treasurys_voucher(state, self.voucher, self.party)
        if refusal:
            return refusal
        voucher = state.vouchers[self.voucher]
        if voucher.is_spent_time(at):
            return Refusal(Reason.VOUCHER_ENDED, self.voucher)
        return Returned(state.book["available", self.voucher])

    def evolve(self, state: State, event: Event) -> Postings:
        """Ended by its treasury; what was revoked no longer counts against the holder's cap."""
        state.vouchers[self.voucher].status = "revoked"
        return _give_back(state, self.voucher, event)

    def touches(self, state: State, event: Event) -> Accounts:
        """The voucher, its holder and its programme."""
        return voucher_accounts(state, self.voucher)

    def concerns(self, state: State, event: Event) -> Names:
        """The voucher's terms."""
        return [f"terms {self.voucher}"]

    def follows(self) -> Names:
        """The voucher's terms."""
        return [f"terms {self.voucher}"]

    def asks(self, event: Event, history: History) -> Names:
        """Its whole history: what returns must be exact."""
        return [f"voucher {self.voucher}"]


def _give_back(state: State, voucher_id: str, event: Event) -> Postings:
    assert isinstance(event.outcome, Returned)
    programme = state.vouchers[voucher_id].programme
    amount_fen = event.outcome.returned_fen
    return (Posting(programme, "available", voucher_id, "unissued", programme, amount_fen),) if amount_fen else ()


RULES: Final = (
    VoucherRevoke,
)
