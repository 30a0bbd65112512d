"""A programme's years, quarter by quarter: what moved in each, by the day on which it is booked.

A line is booked on the day that the book has for it: that of its end, or, of one that is reported late, that of its
entry. A reversal of what isn't claimed is booked on its line's day. All else is booked on the day of its entry.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from tallystick.views.daily import sums_of
from tallystick.views.days import days_of
from tallystick.views.library import SQLiteCursor


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


_SUMS: Final = tuple(name for name in Quarter.__dataclass_fields__ if name != "quarter")


def programme_quarters(c: SQLiteCursor, programme: str) -> tuple[Quarter, ...]:
    """Return the quarters in which anything of a programme moved, in their order."""
    sums: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(_SUMS, 0))
    for day, moved in days_of(c, f"programme {programme}"):
        for name, amount_fen in sums_of(moved).items():
            if name in _SUMS and amount_fen:
                sums[_quarter_of(day)][name] += amount_fen
    return tuple(Quarter(quarter, **amounts) for quarter, amounts in sums.items())


def _quarter_of(day: str) -> str:
    year, month, _ = day.split("-")
    return f"{year} Q{(int(month) + 2) // 3}"
