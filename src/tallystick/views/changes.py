"""What one entry comes to for the views: its postings, each with the voucher that it is about, and a statement's sums.

A posting names a voucher, a reservation or a part of a claim; whose voucher's money that is, the state tells.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from tallystick.vouchers.book import USED, Posting, reservation_of
from tallystick.vouchers.holdings import Reservation
from tallystick.vouchers.outcomes import Burned
from tallystick.vouchers.refusals import Reason
from tallystick.vouchers.rules.burning import BurnReverse, TimeBurn
from tallystick.vouchers.rules.rule import Event
from tallystick.vouchers.state import State


class Move(NamedTuple):
    """A posting; the voucher whose money moves (of a transfer, the one that it leaves) and the reservation, if any.

    Of what was burned and is claimed, paid or rejected, neither: it stays what the voucher was used for.
    """

    posting: Posting
    voucher: str | None
    reservation: Reservation | None


@dataclass(slots=True)
class BurnSums:
    """The lines of one statement that name one reservation."""

    reservation: Reservation
    lines_accepted: int = 0
    lines_refused: int = 0
    fee_fen: int = 0
    from_voucher_fen: int = 0
    gpu_milliseconds: int = 0


@dataclass(slots=True)
class RefusalSums:
    """The lines of one statement that are refused for one reason."""

    lines: int = 0
    gpu_milliseconds: int = 0


@dataclass(slots=True)
class Change:
    """An event, the state just after it, and what it moved.

    Attributes:
        names: the accounts that it touches, and the things that it concerns, in order.
        burns: of a statement, by reservation, as far as there is one of that id.
        refusals: of a statement, by reason.
    """

    event: Event
    state: State
    moves: list[Move]
    names: list[str]
    burns: dict[str, BurnSums] = field(default_factory=dict)
    refusals: dict[Reason, RefusalSums] = field(default_factory=dict)

    def available_fen(self, voucher: str) -> int:
        """Return what is available of a voucher just after: the one amount that views take from the state."""
        return self.state.book["available", voucher]


def change_of(event: Event, postings: Iterable[Posting], state: State) -> Change:
    """Return what an event comes to.

    Args:
        event: the newest.
        postings: what `evolve` returned for it.
        state: just after it.
    """
    command = event.command
    moves = [_move(posting, state) for posting in postings]
    names = sorted({*command.touches(state, event), *command.concerns(state, event)})
    change = Change(event, state, moves, names)
    if isinstance(command, TimeBurn):
        _sum_lines(change, command)
    return change


def reversed_line(command: BurnReverse, state: State) -> tuple[int, Reservation]:
    """Return the entry index of the statement that a reversal is about, and the line's reservation."""
    statement = state.statements[command.party][command.statement]
    line = statement.line(command.line)
    assert line is not None
    return statement.index, state.reservations[line.reservation]


def _move(posting: Posting, state: State) -> Move:
    _, source, source_id, target, target_id, _ = posting
    if source in USED and target in USED:
        return Move(posting, None, None)
    name = reservation_of(source, source_id) or reservation_of(target, target_id)
    if name is not None:
        return Move(posting, state.reservations[name].voucher, state.reservations[name])
    if source == "available":
        return Move(posting, source_id, None)
    return Move(posting, target_id if target == "available" else None, None)


def _sum_lines(change: Change, command: TimeBurn) -> None:
    """Sum a statement once, so that each view takes a few numbers instead of a thousand lines."""
    outcome = change.event.outcome
    assert isinstance(outcome, Burned)
    refused = dict(outcome.refused)
    reservations = change.state.reservations
    burns = change.burns
    for number, line in enumerate(command.lines):
        sums = burns.get(line.reservation)
        if sums is None and line.reservation in reservations:
            sums = burns[line.reservation] = BurnSums(reservations[line.reservation])
        gpu_milliseconds = line.gpu_milli * line.seconds
        if number in refused:
            refusal = change.refusals.setdefault(refused[number], RefusalSums())
            refusal.lines += 1
            refusal.gpu_milliseconds += gpu_milliseconds
            if sums is not None:
                sums.lines_refused += 1
        elif sums is not None:
            sums.lines_accepted += 1
            sums.fee_fen += outcome.fee_fen[number]
            sums.from_voucher_fen += outcome.from_voucher_fen[number]
            sums.gpu_milliseconds += gpu_milliseconds
