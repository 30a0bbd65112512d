"""Cells of an operator's sheet: texts, times and numbers, as people and spreadsheets write them."""

from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Final

from tallystick.metering.amounts import amount, cell_amount
from tallystick.metering.instants import SECOND_US, Moment, instants, moment
from tallystick.metering.mapping import Mapping
from tallystick.metering.workbook import Formula

_SERIAL_EPOCH: Final = datetime(1899, 12, 30)
_SERIALS: Final = range(20_000, 80_000)  # days from 1954 to 2119
_EPOCHS: Final = range(631_152_000, 7_258_118_400)  # seconds, from 1990 to 2200
_MILLIS: Final = 1000
_NOTHING: Final = frozenset({"", "none", "null", "nan", "nat", "n/a", "unknown", "-", "--", "—", "/", "无", "\\n"})
_GOING_ON: Final = frozenset({"运行中", "使用中", "进行中", "至今", "未结束", "running", "now"})


def text_of_cell(cell: object) -> str:
    """Return a cell as a text without spaces around it; a whole number without a decimal point."""
    if isinstance(cell, Formula):
        return text_of_cell(cell.value)
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell).strip()


def is_nothing(cell: object) -> bool:
    """Whether a cell says that there is nothing: empty, None, NaN, a dash."""
    return not isinstance(cell, Formula) and text_of_cell(cell).lower() in _NOTHING


def is_going_on(cell: object) -> bool:
    """Whether an end's cell says that there is none yet."""
    return is_nothing(cell) or text_of_cell(cell).lower() in _GOING_ON


def number_of_cell(cell: object) -> Fraction | None:
    """Return a number; None for what isn't one, and for a formula."""
    return None if isinstance(cell, Formula) else cell_amount(cell)


def times_of_cell(cell: object, mapping: Mapping, *, is_end: bool) -> tuple[int, ...]:
    """Return which instants a cell can be, µs since the epoch; none if it is no time, or a formula.

    A number is a spreadsheet's count of days, or seconds or milliseconds since 1970; with the mapping's `trace_start`
    it is seconds since that.
    """
    at = _moment(cell, mapping)
    if at is None:
        seconds = _seconds(cell, mapping)
        if seconds is None:
            return ()
        is_last = is_end and mapping.end == "last_second"
        return ((seconds + is_last) * SECOND_US,)
    return instants(_end(at, mapping) if is_end else at, mapping.zone)


def has_wall_time(cell: object, mapping: Mapping) -> bool:
    """Whether a cell is a time that needs the mapping's zone."""
    at = _moment(cell, mapping)
    return at is not None and at.offset is None


def _end(at: Moment, mapping: Mapping) -> Moment:
    """Return the first second that wasn't held any more."""
    is_last = mapping.end == "last_second"
    if at.is_date and (is_last or mapping.sheet.whole_days):
        return at._replace(wall=at.wall + timedelta(days=1))
    is_midnight = (at.wall.hour, at.wall.minute, at.wall.second) == (0, 0, 0)
    return at._replace(wall=at.wall + timedelta(seconds=1)) if is_last and not is_midnight else at


def _moment(cell: object, mapping: Mapping) -> Moment | None:
    """Return the date and time that a cell is; None if it is none, or a number of seconds."""
    if isinstance(cell, datetime):
        return Moment(_nearest_second(cell))
    if isinstance(cell, date):
        # a spreadsheet's midnight looks like a date
        return Moment(datetime(cell.year, cell.month, cell.day), None, mapping.sheet.whole_days)
    number = amount(cell)
    if number is None:
        return moment(cell) if isinstance(cell, str) else None
    if mapping.trace_start is not None or int(number) not in _SERIALS:
        return None
    days = int(number)
    seconds = round((number - days) * 86_400)
    return Moment(_SERIAL_EPOCH + timedelta(days=days, seconds=seconds))


def _nearest_second(at: datetime) -> datetime:
    return at.replace(microsecond=0) + timedelta(seconds=at.microsecond >= 500_000)


def _seconds(cell: object, mapping: Mapping) -> int | None:
    """Return the seconds since 1970 that a cell with a number means."""
    number = amount(cell)
    if number is None or number < 0:
        return None
    if mapping.trace_start is not None:
        seconds = round(number) + round(mapping.trace_start.timestamp())
    else:
        seconds = round(number if number < _EPOCHS.stop else number / _MILLIS)
    return seconds if seconds in _EPOCHS else None
