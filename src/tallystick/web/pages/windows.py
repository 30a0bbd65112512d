"""The days that something is open for, in the network's own calendar, and how many of them are over."""

from datetime import date
from typing import NamedTuple, Self

from tallystick.vouchers.quantities import day_of, format_day, parse_instant
from tallystick.web.seen import Seen


class Window(NamedTuple):
    """A window of days: its first, its last, and the day of the page, which may lie outside of it."""

    first: date
    last: date
    today: date

    @classmethod
    def of(cls, seen: Seen, first_day: str, ends_at: str) -> Self:
        """Return the window from a day on, up to the instant at which it ends."""
        last = day_of(parse_instant(ends_at) - 1, seen.utc_offset_seconds)
        today = day_of(parse_instant(seen.at), seen.utc_offset_seconds)
        first = date.fromisoformat(first_day)
        return cls(first, max(first, _date(last)), _date(today))

    @property
    def days(self) -> int:
        """How many days it has, its last day too."""
        return (self.last - self.first).days + 1

    @property
    def gone(self) -> int:
        """How many of them are over or today."""
        return min(max((self.today - self.first).days + 1, 0), self.days)

    @property
    def left(self) -> int:
        """How many are still to come."""
        return self.days - self.gone

    def evenly(self, amount: int) -> int:
        """Return what of an amount would be used by now if it were used evenly, truncated."""
        return amount * self.gone // self.days


def local_day(seen: Seen, instant: str) -> str:
    """Return the day on which an instant lies, in the network's calendar."""
    return format_day(day_of(parse_instant(instant), seen.utc_offset_seconds))


def _date(day: int) -> date:
    return date.fromisoformat(format_day(day))
