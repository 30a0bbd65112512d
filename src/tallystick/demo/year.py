"""The story's calendar: months of the network's time zone, twelve of them or as many as the jobs need."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final, Self

from tallystick.demo.workload import Job
from tallystick.vouchers.quantities import day_of, format_day, parse_day, start_of_day

UTC_OFFSET_SECONDS: Final = 8 * 3_600
YEAR: Final = 2025
MONTHS: Final = 12
SEAL_DAY: Final = 12
"""So many days after a quarter, its books are sealed."""


@dataclass(frozen=True, slots=True)
class Year:
    """Days are counted from 1970-01-01, as the log counts them.

    Attributes:
        month_starts: the first day of every month, and the day after the last.
    """

    month_starts: tuple[int, ...]

    @classmethod
    def of_story(cls) -> Self:
        """Return the year that is played where no jobs are given."""
        return cls(_months(date(YEAR, 1, 1), parse_day(f"{YEAR}-12-31")))

    @classmethod
    def of_jobs(cls, jobs: Iterable[Job]) -> Self:
        """Return the year that begins with the first job's month, longer if a job ends after it."""
        days = [(_local_day(job.starts_at), _local_day(job.ends_at)) for job in jobs]
        first = date.fromisoformat(format_day(min(starts for starts, _ in days)))
        return cls(_months(first.replace(day=1), max(ends for _, ends in days)))

    @property
    def first_day(self) -> int:
        """The first day."""
        return self.month_starts[0]

    @property
    def end_day(self) -> int:
        """The day after the last month."""
        return self.month_starts[-1]

    @property
    def window_end_day(self) -> int:
        """The day after the twelfth month: programmes close."""
        return self.month_starts[MONTHS]

    @property
    def seals(self) -> tuple[int, ...]:
        """Days, counted from the first, on which books are sealed while vouchers are good."""
        return tuple(self.month_starts[month] - self.first_day + SEAL_DAY for month in range(3, MONTHS, 3))

    @property
    def claim_cycle(self) -> str:
        """How often is claimed: by the quarter, or, where the story's quarters aren't the calendar's, by the month."""
        month = date.fromisoformat(format_day(self.first_day)).month
        return "quarter" if (month - 1) % 3 == 0 and len(self.month_starts) % 3 == 1 else "month"

    def month_of(self, day: int) -> int:
        """Return the number of a day's month, from 0."""
        for month, (starts, ends) in enumerate(pairwise(self.month_starts)):
            if starts <= day < ends:
                return month
        raise ValueError(f"{format_day(day)} is not in the story")

    def month_name(self, month: int) -> str:
        """Return `2026-01`."""
        return format_day(self.month_starts[month])[:7]


def report_day(job: Job) -> int:
    """Return the day on which a job is reported: the one after its end, or so much later as it says."""
    return _local_day(job.ends_at) + 1 + job.days_late


def instant(day: int, minutes: int = 0) -> int:
    """Return the time so many minutes into a day (microseconds)."""
    return start_of_day(day, UTC_OFFSET_SECONDS) + minutes * 60_000_000


def _local_day(at: int) -> int:
    return day_of(at, UTC_OFFSET_SECONDS)


def _months(first: date, last_day: int) -> tuple[int, ...]:
    """Return the starts of months from `first`, which is one: MONTHS of them or up to the last day, and the end."""
    starts = []
    month = first
    while True:
        starts.append(parse_day(month.isoformat()))
        if starts[-1] > last_day and len(starts) > MONTHS:
            return tuple(starts)
        month = date(month.year + month.month // 12, month.month % 12 + 1, 1)
