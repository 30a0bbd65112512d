"""Events of sealed books."""

from tallystick.vouchers.commands import BookSeal
from tallystick.vouchers.events import Event, Sealed
from tallystick.vouchers.seals import Seal
from tallystick.vouchers.state import Posting, State


def book_sealed(state: State, command: BookSeal, event: Event) -> tuple[Posting, ...]:
    """The days are sealed; what the accounts were touched by is folded."""
    assert isinstance(event.outcome, Sealed)
    state.seals[command.seal] = Seal(event.index, command.last_day, event.outcome.accounts, event.outcome.root)
    for touches in state.touches.values():
        touches.fold()
    return ()
