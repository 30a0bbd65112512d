"""Settlement: claims, and what becomes of them."""

from tallystick.vouchers.commands import RedemptionClaim, RedemptionPay, RedemptionReject
from tallystick.vouchers.deciding.ids import check_new_id
from tallystick.vouchers.deciding.programmes import check_own_programme
from tallystick.vouchers.events import Claimed, Nothing
from tallystick.vouchers.quantities import format_day, start_of_day
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.state import State


def redemption_claim(state: State, command: RedemptionClaim, at: int) -> Claimed | Refusal:
    """By whom the programme pays, for days that are over."""
    refusal = check_new_id(command.claim, command.party, state.claims)
    if refusal:
        return refusal
    programme = state.programmes.get(command.programme)
    if programme is None:
        return Refusal(Reason.PROGRAMME_UNKNOWN, command.programme)
    if state.parties[command.party].role != programme.rules.payee:
        return Refusal(Reason.NOT_THE_PAYEE, f"{command.programme} pays the {programme.rules.payee}")
    if command.last_day < command.first_day:
        return Refusal(Reason.CLAIM_PERIOD_INVALID, f"{format_day(command.last_day)} is before the first day")
    assert state.network is not None
    if start_of_day(command.last_day + 1, state.network.founding.utc_offset_seconds) > at:
        return Refusal(Reason.CLAIM_PERIOD_NOT_OVER, format_day(command.last_day))
    unclaimed_fen = programme.unclaimed_fen.get(command.party, {})
    amount_fen = sum(amount for day, amount in unclaimed_fen.items() if command.first_day <= day <= command.last_day)
    if amount_fen == 0:
        return Refusal(Reason.NOTHING_TO_CLAIM)
    return Claimed(amount_fen)


def redemption_pay(state: State, command: RedemptionPay, at: int) -> Nothing | Refusal:
    """An open claim, in full."""
    refusal = _check_open_claim(state, command.claim, command.party)
    if refusal:
        return refusal
    claimed_fen = state.claims[command.claim].amount_fen
    if command.amount_fen != claimed_fen:
        return Refusal(Reason.AMOUNT_DIFFERS_FROM_CLAIM, f"claimed are {claimed_fen} fen")
    return Nothing()


def redemption_reject(state: State, command: RedemptionReject, at: int) -> Nothing | Refusal:
    """An open claim."""
    return _check_open_claim(state, command.claim, command.party) or Nothing()


def _check_open_claim(state: State, claim_id: str, treasury: str) -> Refusal | None:
    claim = state.claims.get(claim_id)
    if claim is None:
        return Refusal(Reason.CLAIM_UNKNOWN, claim_id)
    refusal = check_own_programme(state, claim.programme, treasury)
    if refusal:
        return refusal
    return None if claim.status == "open" else Refusal(Reason.CLAIM_ALREADY_SETTLED, f"{claim_id} is {claim.status}")
