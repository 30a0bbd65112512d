"""Times are read in every form in which they are printed, and printed in the network's zone, which is said once a page.

    2026-01-05T08:00:00Z          in UTC; also with a fraction, or without seconds
    2026-01-05T16:00:00+08:00     at an offset
    2026-01-05T16:00:00           in the network's zone, as pages print it
    2026-01-05                    a day of the network's: as of its end where the past is asked for, else its beginning

The zone is the `utc_offset_seconds` of the network's founding. JSON and CSV have RFC 3339 in UTC.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tallystick.errors import UsageError
from tallystick.vouchers.quantities import format_instant, parse_day, parse_instant

FORMS: Final = (
    "a time like 2026-01-05T08:00:00Z, 2026-01-05T16:00:00+08:00 or 2026-01-05T16:00:00 (the network's zone), "
    "or a day like 2026-01-05"
)
INDEX_DIGITS_MAX: Final = 19  # of 63 bits
_SHOWN_MAX: Final = 40  # of what was typed

_FORM: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[T ]([0-9]{2}:[0-9]{2})(?::([0-9]{2}))?(?:(?<=:[0-9]{2}:[0-9]{2})\.([0-9]{1,6}))?"
    r"(?:(Z)|([+-])([0-9]{2}):?([0-5][0-9]))?)?"
)
_DAY: Final = timedelta(days=1)
_MICROSECOND: Final = timedelta(microseconds=1)
_FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_US: Final = (datetime(9999, 12, 31, tzinfo=UTC) - _FIRST + _DAY) // _MICROSECOND - 1
_EARLIEST: Final = datetime(1969, 12, 31)
_WIDEST_OFFSET: Final = timedelta(hours=14)  # as the network's own

# What holds a time in a command, an event or an answer; a burn line's own two are `from` and `to`.
TIMES: Final = frozenset(
    {"at", "signed_at", "opens_at", "closes_at", "valid_from", "valid_until", "until", "since", "from", "to"}
    | {"claimed_at", "settled_at", "demanded_at", "oldest_claimed_at", "filed_at", "withdrawn_at"}
    | {"starts_at", "ends_at", "counts_from", "compromised_since"}
)


@dataclass(frozen=True, slots=True)
class Moment:
    """A time as it was typed; `offset` is None where it is meant in the network's zone."""

    text: str
    local: datetime
    offset: timedelta | None
    is_day: bool

    @classmethod
    def read(cls, text: str) -> "Moment":
        """Return the time that a text is.

        Raises:
            UsageError: it is none.
        """
        found = _FORM.fullmatch(text)
        if found is None:
            raise _is_no_time(text)
        day, minutes, seconds, fraction, utc, sign, offset_hours, offset_minutes = found.groups()
        spelled = f"{day}T{minutes or '00:00'}:{seconds or '00'}.{(fraction or '').ljust(6, '0')}"
        offset = timedelta(0) if utc else None
        if sign:
            offset = timedelta(hours=int(offset_hours), minutes=int(offset_minutes)) * (-1 if sign == "-" else 1)
        try:
            moment = cls(text, datetime.fromisoformat(spelled), offset, minutes is None)
        except ValueError:
            raise _is_no_time(text) from None
        if moment.local < _EARLIEST or abs(offset or timedelta(0)) > _WIDEST_OFFSET:
            raise _is_no_time(text)
        return moment

    def instant(self, zone: Callable[[], int]) -> int:
        """Return it in microseconds since 1970 in UTC, and before 10000; of a day, its beginning.

        Args:
            zone: returns the network's offset in seconds; asked only where none was typed.
        """
        offset = timedelta(seconds=zone()) if self.offset is None else self.offset
        since = self.local - _FIRST.replace(tzinfo=None) - offset
        return min(max(0, since // _MICROSECOND), _LAST_US)

    def exact_instant(self, zone: int) -> int:
        """Return it in microseconds since 1970 in UTC; of a day, its beginning.

        Args:
            zone: the network's offset in seconds.

        Raises:
            ValueError: before 1970, or after 9999.
        """
        offset = timedelta(seconds=zone) if self.offset is None else self.offset
        instant = (self.local - _FIRST.replace(tzinfo=None) - offset) // _MICROSECOND
        if not 0 <= instant <= _LAST_US:
            raise ValueError("must lie in the years 1970 to 9999")
        return instant

    def last_instant(self, zone: Callable[[], int]) -> int:
        """Return it in microseconds; of a day, its last one."""
        return min(self.instant(zone) + (_DAY // _MICROSECOND - 1 if self.is_day else 0), _LAST_US)


def _is_no_time(text: str) -> UsageError:
    shown = text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}…"
    return UsageError(f"{shown!r} is not {FORMS}")


def index_of(text: str) -> int | None:
    """Return the entry's index that a text is, None if it is something else: a time, a day, a seal's id."""
    is_index = text.isascii() and text.isdecimal() and len(text) <= INDEX_DIGITS_MAX
    return int(text) if is_index else None


def read_index_or_moment(text: str) -> int | Moment:
    """Return an entry's index, or a time.

    Raises:
        UsageError: it is neither.
    """
    index = index_of(text)
    if index is not None:
        return index
    try:
        return Moment.read(text)
    except UsageError as error:
        raise UsageError(str(error).replace("is not a time", "is neither an entry's index nor a time")) from None


def read_day(text: str) -> int:
    """Return the day (days since 1970) that a text is.

    Raises:
        UsageError: it is none.
    """
    try:
        return parse_day(text)
    except ValueError:
        raise UsageError(f"{text[:_SHOWN_MAX]!a} is not a day like 2026-01-05") from None


def zone_name(zone: int) -> str:
    """Return an offset in seconds as `UTC+08:00`, or `UTC`."""
    if not zone:
        return "UTC"
    minutes, seconds = divmod(abs(zone), 60)
    sign = "-" if zone < 0 else "+"
    return f"UTC{sign}{minutes // 60:02d}:{minutes % 60:02d}" + (f":{seconds:02d}" if seconds else "")


def local(instant: int, zone: int) -> str:
    """Return an instant (microseconds) at an offset (seconds), without the offset."""
    try:
        shifted = _FIRST.replace(tzinfo=None) + timedelta(microseconds=instant, seconds=zone)
    except OverflowError:  # the first and the last hours of all
        return utc(instant)
    return shifted.isoformat(timespec="microseconds" if shifted.microsecond else "seconds")


def utc(instant: int) -> str:
    """Return an instant (microseconds) in UTC, with `Z`, without a fraction that is nothing."""
    return format_instant(instant).replace(".000000Z", "Z")


def with_local_times(value: Any, zone: int | None) -> Any:  # noqa: ANN401 - JSON values of any shape
    """Return JSON values with their times at an offset (seconds); as they are, but shorter, where it isn't known."""
    if isinstance(value, Mapping):
        return {
            name: _local_time(inner, zone) if name in TIMES else with_local_times(inner, zone)
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [with_local_times(inner, zone) for inner in value]
    return value


def _local_time(value: Any, zone: int | None) -> Any:  # noqa: ANN401
    try:
        instant = parse_instant(value)
    except ValueError:  # a party in `to`, or nothing
        return value
    return utc(instant) if zone is None else local(instant, zone)
