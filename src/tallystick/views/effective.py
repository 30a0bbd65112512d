"""What an entry comes to up to a day, by the day on which its lines are booked, which may be before its own.

A line is booked on the day that the book has for it: that of its end, or, of one that is reported late, of a correction
and of an invoice, that of its entry. So is what takes it back while it isn't claimed. All else is booked on the day of
its entry. No part of an entry is booked later than the entry.
"""

from dataclasses import replace

from tallystick.views.changes import Change, Move, sums_of
from tallystick.views.line_usage import days_of_lines
from tallystick.vouchers.book import Posting, dated_lot_of
from tallystick.vouchers.outcomes import Burned
from tallystick.vouchers.rules.burning import BurnReverse, TimeBurn
from tallystick.vouchers.rules.service_burning import ServiceBurn
from tallystick.vouchers.state import State


def booked_day(posting: Posting, change: Change) -> int:
    """Return the day (days since 1970) on which a posting of a change is booked."""
    if posting.target == "burned":
        return dated_lot_of(posting.target_id).day
    if posting.source == "burned" and change.reversed is not None:
        return dated_lot_of(posting.source_id).day
    return change.state.day_of(change.event.at)


def booked_by(change: Change, day: int) -> Change | None:
    """Return what of a later entry is booked on a day (days since 1970) or before; None if nothing is."""
    event, state = change.event, change.state
    command, outcome = event.command, event.outcome
    if isinstance(command, TimeBurn | ServiceBurn):
        assert isinstance(outcome, Burned)
        days = days_of_lines(command, event, state.utc_offset_us)
        counted = {number for number, booked in enumerate(days) if booked <= day}
        if not counted:
            return None
        return replace(_part(change, day), statement=sums_of(command, outcome, state, days, counted))
    if isinstance(command, BurnReverse) and change.reversed is not None:
        statement, line = change.reversed
        booked = state.day_of(statement.at if line.is_booked_late else line.ends_at)
        return _part(change, day) if booked <= day else None
    return None


def _part(change: Change, day: int) -> Change:
    moves: list[Move] = [move for move in change.moves if booked_day(move.posting, change) <= day]
    names = [name for name in change.names if not name.startswith("rules ")]
    things = {kind: some for kind, some in change.things.items() if kind != "rules"}
    return replace(change, moves=moves, names=names, things=things)


def completed(then: State, now: State) -> State:
    """Return the state of then, and in it also the things that are only there now."""
    then.network = now.network
    for name in ("parties", "keys", "programmes", "mandates", "contracts", "vouchers", "reservations", "items"):
        setattr(then, name, getattr(now, name) | getattr(then, name))
    return then
