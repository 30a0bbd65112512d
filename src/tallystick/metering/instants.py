"""Times that sources write: with an offset they are instants; without, they are wall times of the mapping's zone.

A wall time is two instants in the hour that a clock is set back, and none in the hour that is left out. Where a record
says how long it lasted that decides; where nothing does, the record isn't burned.
"""

import re
import unicodedata
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from tallystick.metering.amounts import CELL_LENGTH_MAX
from tallystick.metering.reasons import SkipReason

SECOND_US: Final = 1_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_WALL: Final = datetime(1970, 1, 1)
_YEARS: Final = range(1970, 2201)
_MOMENT: Final = re.compile(
    r"(\d{4})(?:-|/|\.|年)(\d{1,2})(?:-|/|\.|月)(\d{1,2})日?"
    r"(?:(?:T|t|\s+|(?<=日))(\d{1,2})(?::|时)(\d{1,2})(?:(?::|分)(\d{1,2})(\.\d{1,9})?秒?|分)?"
    r"\s*(Z|z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2})?)?",
    re.ASCII,
)


class Moment(NamedTuple):
    """A date and time of day as written, rounded to the second.

    Attributes:
        wall: what a clock showed.
        offset: what it is ahead of UTC; None if that isn't said.
        is_date: no time of day was said.
    """

    wall: datetime
    offset: timedelta | None = None
    is_date: bool = False


class Interval(NamedTuple):
    """From when to when, µs since the epoch."""

    starts_at: int
    ends_at: int


def moment(text: str) -> Moment | None:
    """Return a time as written, year first: `2026-03-10T20:00:00Z`, `2026/1/2 8:30`; None if it isn't one."""
    if len(text) > CELL_LENGTH_MAX:
        return None
    found = _MOMENT.fullmatch((text if text.isascii() else unicodedata.normalize("NFKC", text)).strip())
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    is_end_of_day = (hour, int(minute or 0), int(second or 0)) == ("24", 0, 0) and not fraction
    try:
        wall = datetime(
            int(year), int(month), int(day), 0 if is_end_of_day else int(hour or 0), int(minute or 0), int(second or 0)
        )
        if is_end_of_day:
            wall += timedelta(days=1)
        elif fraction and fraction[1] >= "5":
            wall += timedelta(seconds=1)
    except (ValueError, OverflowError):
        return None
    offset = _offset(zone) if zone else None
    if wall.year not in _YEARS or (zone and offset is None):
        return None
    return Moment(wall, offset, hour is None)


def _offset(zone: str) -> timedelta | None:
    if zone.upper() in {"Z", "UTC", "GMT"}:
        return timedelta(0)
    digits = zone[1:].replace(":", "").ljust(4, "0")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours > 14 or minutes > 59:
        return None
    sign = -1 if zone[0] == "-" else 1
    return sign * timedelta(hours=hours, minutes=minutes)


def instants(at: Moment, zone: ZoneInfo | None) -> tuple[int, ...]:
    """Return which instants a time can be, µs since the epoch: one; two or none around a change of the clock.

    Args:
        at: the time.
        zone: of wall times; without one a wall time is no instant.
    """
    if at.offset is not None:
        return (_us(at.wall - at.offset),)
    if zone is None:
        return ()
    wall = at.wall
    offsets = _offsets_at(wall.replace(minute=wall.minute // 15 * 15, second=0), zone)
    return tuple([_us(wall) - offset for offset in offsets])


@lru_cache(maxsize=4096)
def _offsets_at(wall: datetime, zone: ZoneInfo) -> tuple[int, ...]:
    """Return how far ahead of UTC (µs) a zone's clock can be in the quarter of an hour after a wall time.

    Clocks have been changed at whole quarters only since 1972.
    """
    found = set[int]()
    for fold in (0, 1):
        utc = wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)
        if utc.astimezone(zone).replace(tzinfo=None) == wall:
            found.add(_us(wall) - _us(utc.replace(tzinfo=None)))
    return tuple(sorted(found, reverse=True))


def instant(text: object) -> int | None:
    """Return the instant of a text with an offset, µs since the epoch, rounded to the second; None if it isn't one."""
    at = moment(text) if isinstance(text, str) else None
    return None if at is None or at.offset is None else instants(at, None)[0]


def interval(starts: tuple[int, ...], ends: tuple[int, ...], seconds: int | None = None) -> Interval | SkipReason:
    """Return the one interval that both ends and the seconds allow, or why there is none.

    Args:
        starts: what the beginning can be.
        ends: what the end can be.
        seconds: how long the record says that it lasted, if it does; it decides between readings.
    """
    pairs = [Interval(start, end) for start in starts for end in ends]
    if not pairs:
        return SkipReason.UNREADABLE
    if len(pairs) > 1 and seconds is not None:
        fitting = [one for one in pairs if one.ends_at - one.starts_at == seconds * SECOND_US]
        pairs = fitting or pairs
    if len(pairs) > 1:
        return SkipReason.TIME_AMBIGUOUS
    return SkipReason.INTERVAL_INVALID if pairs[0].ends_at < pairs[0].starts_at else pairs[0]


def rfc3339(at: int) -> str:
    """Return an instant (µs since the epoch) as a text, for messages and remarks."""
    return (_EPOCH + timedelta(microseconds=at)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _us(wall: datetime) -> int:
    since = wall - _EPOCH_WALL
    return (since.days * 86_400 + since.seconds) * SECOND_US
