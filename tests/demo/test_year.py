"""The calendar is made of whole months, at least twelve."""

import pytest

from tallystick.demo.workload import Job
from tallystick.demo.year import Year, instant, report_day
from tallystick.vouchers.quantities import SECOND_US, format_day, format_instant, parse_instant


def job(starts: str, seconds: int) -> Job:
    """A job by its start and length."""
    starts_at = parse_instant(starts)
    return Job("row-1", "startup-a", starts_at, starts_at + seconds * SECOND_US, seconds, 1_000)


def test_a_year_begins_with_the_first_jobs_month() -> None:
    """By the network's time, which is eight hours ahead of UTC."""
    year = Year.of_jobs([job("2017-09-04T10:30:41.000000Z", 60), job("2017-08-31T16:00:00.000000Z", 60)])
    assert format_day(year.first_day) == "2017-09-01"
    assert format_day(year.end_day) == format_day(year.window_end_day) == "2018-09-01"
    assert year.month_name(3) == "2017-12"


@pytest.mark.parametrize(("days", "end"), [(300, "2018-01-01"), (364, "2018-01-01"), (366, "2018-02-01")])
def test_a_year_is_as_long_as_its_jobs(days: int, end: str) -> None:
    """Twelve months, or to the end of the month in which the last job ends."""
    year = Year.of_jobs([job("2017-01-01T00:00:00.000000Z", days * 86_400)])
    assert format_day(year.end_day) == end
    assert format_day(year.window_end_day) == "2018-01-01"


def test_a_job_is_reported_the_day_after_it_ended() -> None:
    """A job that ends at midnight ends on the new day."""
    assert format_day(report_day(job("2017-09-04T15:59:00.000000Z", 59))) == "2017-09-05"
    assert format_day(report_day(job("2017-09-04T15:59:00.000000Z", 60))) == "2017-09-06"


def test_an_instant_is_counted_from_local_midnight() -> None:
    """Half past midnight in Shanghai is afternoon of the day before in UTC."""
    year = Year.of_story()
    assert format_instant(instant(year.first_day, 30)) == "2024-12-31T16:30:00.000000Z"
