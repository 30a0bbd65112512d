"""Sealed books: a period is closed, and what the books hold is committed to."""

from tallystick.transparency.merkle import leaf_hash, root_of
from tallystick.vouchers.accounts import account_leaves
from tallystick.vouchers.commands import BookSeal
from tallystick.vouchers.deciding.ids import check_new_id
from tallystick.vouchers.events import Sealed
from tallystick.vouchers.quantities import format_day, start_of_day
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.state import State


def book_seal(state: State, command: BookSeal, at: int) -> Sealed | Refusal:
    """Days that are over, later than those sealed before."""
    refusal = check_new_id(command.seal, command.party, state.seals)
    if refusal:
        return refusal
    assert state.network is not None
    if start_of_day(command.last_day + 1, state.network.founding.utc_offset_seconds) > at:
        return Refusal(Reason.SEAL_PERIOD_NOT_OVER, format_day(command.last_day))
    if state.sealed_day is not None and command.last_day <= state.sealed_day:
        return Refusal(Reason.SEAL_NOT_LATER, f"sealed up to {format_day(state.sealed_day)}")
    leaves = [leaf_hash(leaf) for _, leaf in account_leaves(state)]
    return Sealed(len(leaves), root_of(leaves).hex())
