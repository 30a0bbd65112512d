"""Events of settlement."""

from tallystick.vouchers.commands import RedemptionClaim, RedemptionPay, RedemptionReject
from tallystick.vouchers.events import Claimed, Event
from tallystick.vouchers.redemptions import Claim
from tallystick.vouchers.state import Posting, State


def redemption_claimed(state: State, command: RedemptionClaim, event: Event) -> tuple[Posting, ...]:
    """What is unclaimed in the period is claimed."""
    assert isinstance(event.outcome, Claimed)
    programme = state.programmes[command.programme]
    unclaimed_fen = programme.unclaimed_fen[command.party]
    by_day = {
        day: unclaimed_fen.pop(day) for day in sorted(unclaimed_fen) if command.first_day <= day <= command.last_day
    }
    state.claims[command.claim] = Claim(
        index=event.index,
        programme=command.programme,
        claimant=command.party,
        first_day=command.first_day,
        last_day=command.last_day,
        amount_fen=event.outcome.amount_fen,
        by_day=by_day,
    )
    programme.claims.setdefault(command.party, []).append(command.claim)
    claim = Posting(command.programme, "burned", command.party, "claimed", command.claim, event.outcome.amount_fen)
    return (state.post(claim),)


def redemption_paid(state: State, command: RedemptionPay, event: Event) -> tuple[Posting, ...]:
    """Settled for good."""
    claim = state.claims[command.claim]
    claim.status = "paid"
    payment = Posting(claim.programme, "claimed", command.claim, "paid", claim.claimant, claim.amount_fen)
    return (state.post(payment),)


def redemption_rejected(state: State, command: RedemptionReject, event: Event) -> tuple[Posting, ...]:
    """Unclaimed again, day by day."""
    claim = state.claims[command.claim]
    claim.status = "rejected"
    claim.rejected_index = event.index
    unclaimed_fen = state.programmes[claim.programme].unclaimed_fen[claim.claimant]
    for day, amount_fen in claim.by_day.items():
        unclaimed_fen[day] = unclaimed_fen.get(day, 0) + amount_fen
    back = Posting(claim.programme, "claimed", command.claim, "burned", claim.claimant, claim.amount_fen)
    return (state.post(back),)
