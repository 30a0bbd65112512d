"""A programme's years, quarter by quarter: what moved in each, by the day on which it is booked.

A line is booked on the day that the book has for it: that of its end, or, of one that is reported late, that of its
entry. A reversal of what isn't claimed is booked on its line's day. All else is booked on the day of its entry.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import ClassVar, Final

from tallystick.views.changes import Change, Commands, Move
from tallystick.views.effective import booked_day
from tallystick.views.library import SQLiteCursor
from tallystick.views.programme_balances import came_back
from tallystick.views.view_tables import BatchSums, ExactSum, Key, Table, values_of
from tallystick.vouchers.quantities import format_day
from tallystick.vouchers.state import State


@dataclass(frozen=True, slots=True)
class DayRow:
    """What moved of a programme on a day."""

    programme: Key
    day: Key
    issued_fen: ExactSum
    burned_fen: ExactSum
    reversed_fen: ExactSum
    claimed_fen: ExactSum
    paid_fen: ExactSum
    withheld_fen: ExactSum
    expired_fen: ExactSum
    revoked_fen: ExactSum
    forfeited_fen: ExactSum
    demanded_fen: ExactSum
    cancelled_fen: ExactSum
    received_fen: ExactSum


@dataclass(frozen=True, slots=True)
class Quarter:
    """What moved of a programme in a quarter, by the day on which it is booked.

    Attributes:
        quarter: of the calendar, for example `2026 Q1`.
        issued_fen: also what was imported.
        burned_fen, reversed_fen: lines and services, and what was taken back of such.
        claimed_fen: asked for; what was withheld before and is claimed again counts again.
        paid_fen: by settlements, set off or not; and what was used of imported vouchers before the log began.
        withheld_fen: by settlements.
        expired_fen, revoked_fen: of vouchers, gone back to the envelope.
        forfeited_fen: burned, and gone back: disallowed, or not claimed in time.
        demanded_fen, cancelled_fen, received_fen: asked back, given up of that, and come back.
    """

    quarter: str
    issued_fen: int
    burned_fen: int
    reversed_fen: int
    claimed_fen: int
    paid_fen: int
    withheld_fen: int
    expired_fen: int
    revoked_fen: int
    forfeited_fen: int
    demanded_fen: int
    cancelled_fen: int
    received_fen: int


PROGRAMME_DAYS: Final = Table("programme_days", DayRow)
_SUMS: Final = tuple(name for name in Quarter.__dataclass_fields__ if name != "quarter")
_MOVES: Final = {
    ("burned", "claimed"): "claimed_fen",
    ("withheld", "claimed"): "claimed_fen",
    ("claimed", "paid"): "paid_fen",
    ("claimed", "withheld"): "withheld_fen",
    ("paid", "receivable"): "demanded_fen",
    ("receivable", "paid"): "cancelled_fen",
}


class ProgrammeDays:
    """What a batch of entries adds to programmes' days."""

    commands: ClassVar[Commands] = None

    def __init__(self) -> None:
        self._days = BatchSums(PROGRAMME_DAYS)

    def add(self, change: Change) -> None:
        """Take in one entry."""
        for move in change.moves:
            names = _moved(move, change.state)
            if names:
                day = format_day(booked_day(move.posting, change))
                self._days.add(move.posting.programme, day, **dict.fromkeys(names, move.posting.amount_fen))

    def write(self, c: SQLiteCursor, _: State) -> None:
        """Write the batch."""
        self._days.write(c)


def _moved(move: Move, state: State) -> list[str]:
    """Return which sums of a day a posting adds to."""
    _, source, _, target, _, _ = move.posting
    if (source, target) in _MOVES:
        return [_MOVES[source, target]]
    if source == "unissued":
        return [] if target == "envelope" else ["issued_fen", *(["paid_fen"] if target == "paid" else [])]
    if target == "burned":
        return ["burned_fen"]
    if source in ("burned", "withheld") and move.reservation is not None:
        ended = target == "unissued" and move.voucher is not None
        return ["reversed_fen", *([f"{came_back(source, move.voucher, state)}_fen"] if ended else [])]
    if target == "unissued" and source != "envelope":
        return [f"{came_back(source, move.voucher, state)}_fen"]
    return []


def programme_quarters(c: SQLiteCursor, programme: str) -> tuple[Quarter, ...]:
    """Return the quarters in which anything of a programme moved, in their order."""
    sums: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(_SUMS, 0))
    for row in PROGRAMME_DAYS.rows(c, programme=programme):
        quarter = sums[_quarter_of(row.day)]
        for name, amount_fen in values_of(row).items():
            if name in quarter:
                quarter[name] += amount_fen
    return tuple(Quarter(quarter, **amounts) for quarter, amounts in sums.items())


def _quarter_of(day: str) -> str:
    year, month, _ = day.split("-")
    return f"{year} Q{(int(month) + 2) // 3}"
