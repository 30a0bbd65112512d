"""How an event changes the state: the one place where a state is written.

What each command does is its rule's; here is what every entry does.
"""

from tallystick.vouchers.leaving import let_go
from tallystick.vouchers.rules.books import BookSeal
from tallystick.vouchers.rules.burning import TimeBurn
from tallystick.vouchers.rules.rule import Event, Postings, touched
from tallystick.vouchers.seals import Touches
from tallystick.vouchers.state import Reference, State


def evolve(state: State, event: Event, *, is_part: bool = False) -> Postings:
    """Change a state, in place, by the event that comes next.

    Args:
        state: before the event.
        event: the next.
        is_part: the state is of some entries of a log alone, which don't say what has ended: all of it stays.

    Returns:
        What moved between accounts, in order: views and accounts are made of these.

    Raises:
        ValueError: the event isn't the next one.
    """
    if event.index != state.size:
        raise ValueError(f"event {event.index} after {state.size} entries")
    command = event.command
    state.at = event.at
    _forget(state)
    if not isinstance(command, TimeBurn):
        state.payers.clear()  # rules/paying.py
    postings = command.evolve(state, event)
    for name in command.parties_named():
        named = state.parties.get(name)
        if named is not None:  # else in a part of a log
            named.is_named = True
    for change in state.log_keys[-1:]:
        if change.over_index is None and event.at >= change.overlap_until:
            change.over_index = event.index
    for posting in postings:
        state.post(posting)
    if isinstance(command, BookSeal) and not is_part:
        let_go(state, event.index)
    for account in sorted(touched(state, event)):  # a set has no order of its own, and saved states must be equal
        touches = state.touches.get(account)
        if touches is None:
            touches = state.touches[account] = Touches()
        touches.add(event.index)
    state.size += 1
    reference = f"{command.party} {command.ref}"
    state.references[reference] = Reference(event.text_sha256, event.index, event.at)
    state.reference_order.append(reference)
    return postings


def _forget(state: State) -> None:
    """Drop what no rule can ask about any more; `State.reference` and `State.statement` draw the same line."""
    oldest = state.at - state.reference_memory_us
    while state.reference_order and state.references[state.reference_order[0]].at < oldest:
        del state.references[state.reference_order.popleft()]
    oldest = state.at - state.burn_window_us
    while state.statement_order:
        provider, ref = state.statement_order[0]
        if state.statements[provider][ref].at >= oldest:
            break
        state.statement_order.popleft()
        state.forget(provider, ref)
