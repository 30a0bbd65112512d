"""Times and spans as Slurm prints them: wall times, with an offset or without, seconds of the epoch, `1-02:03:04`."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

NO_TIMES: Final = frozenset({"", "Unknown", "None", "None assigned", "N/A", "0", "4294967294", "4294967295"})
"""What stands where there is no instant."""
EPOCH_END: Final = 253_402_300_799
"""The last second of the year 9999."""
_WALL: Final = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d):(\d\d):(\d\d)(?:\.\d+)?(Z|[+-]\d\d:?\d\d)?", re.ASCII)
_SPAN: Final = re.compile(r"(?:(\d{1,6})-)?(?:(\d{1,4}):)?(\d{1,4}):(\d\d)(?:\.\d+)?", re.ASCII)
_NUMBER_DIGITS: Final = 12

Readings = tuple[int, ...]
"""Seconds since the epoch that a text may mean: none, where the clock was set forward over it; two, where back."""


class Instants:
    """Reads instants; wall times without an offset are of one zone.

    Attributes:
        lacks_zone: whether a wall time without an offset was met, and there is no zone.
        whole_hours: when hours of the zone begin, in seconds, by their texts (`2026-01-05T08`); None for those in
            which the clock is set. An hour that was never met isn't there.
    """

    def __init__(self, zone: ZoneInfo | None) -> None:
        self._zone = zone
        self.whole_hours: dict[str, int | None] = {}
        self.lacks_zone = False

    def readings(self, text: str) -> Readings | None:
        """Return what a text may mean; None if it is no time, or a wall time and there is no zone."""
        if text.isdecimal() and text.isascii():
            return (int(text),) if len(text) <= _NUMBER_DIGITS and int(text) <= EPOCH_END else None
        matched = _WALL.fullmatch(text)
        if matched is None:
            return None
        hour, minutes, seconds, offset = matched.groups()
        within = int(minutes) * 60 + int(seconds)
        if within >= 3600 or int(seconds) >= 60:
            return None
        if offset is not None:
            return self._with_offset(hour, within, offset)
        if self._zone is None:
            self.lacks_zone = True
            return None
        if hour not in self.whole_hours:
            self.whole_hours[hour] = self._whole_hour(hour)
        begins_at = self.whole_hours[hour]
        return (begins_at + within,) if begins_at is not None else self._near_a_change(hour, within)

    def _with_offset(self, hour: str, within: int, offset: str) -> Readings | None:
        try:
            at = datetime.fromisoformat(f"{hour}:00:00+00:00")
        except ValueError:
            return None
        signed = 0 if offset == "Z" else int(f"{offset[0]}1") * (int(offset[1:3]) * 3600 + int(offset[-2:]) * 60)
        return (round(at.timestamp()) + within - signed,)

    def _whole_hour(self, hour: str) -> int | None:
        """Return when an hour begins, if it has one beginning and its clock isn't set meanwhile."""
        first, last = self._near_a_change(hour, 0), self._near_a_change(hour, 3599)
        if first is None or last is None or len(first) != 1 or len(last) != 1 or last[0] - first[0] != 3599:
            return None
        return first[0]

    def _near_a_change(self, hour: str, within: int) -> Readings | None:
        try:
            wall = datetime.fromisoformat(f"{hour}:00:00") + timedelta(seconds=within)
            readings = {round(wall.replace(tzinfo=self._zone, fold=fold).timestamp()) for fold in (0, 1)}
            return tuple(sorted(one for one in readings if self._is_shown_as(one, wall)))
        except (ValueError, OverflowError):
            return None

    def _is_shown_as(self, at: int, wall: datetime) -> bool:
        return datetime.fromtimestamp(at, UTC).astimezone(self._zone).replace(tzinfo=None) == wall


def span_seconds(text: str) -> int | None:
    """Return the seconds of `[days-][hours:]minutes:seconds`, None if it is something else."""
    matched = _SPAN.fullmatch(text)
    if matched is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in matched.groups())
    if (matched[2] is not None and minutes >= 60) or seconds >= 60:
        return None
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
