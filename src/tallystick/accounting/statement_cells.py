"""Cells of statements: what views say, in the words of a language, in units that people read.

Amounts are yuan with two decimals, GPU-time is GPU-hours truncated to three, days are of the network's zone; an end is
the last day before it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Final, Protocol

from tallystick.accounting.log_place import LogPlace
from tallystick.accounting.statement_words import StatementWords
from tallystick.forms.amounts import yuan
from tallystick.forms.times import TIMES, local, zone_name
from tallystick.printing.text import gpu_hours, one_line
from tallystick.vouchers.quantities import format_day, parse_instant

_COUNTS: Final = frozenset(
    {"lines", "lines_accepted", "lines_paid", "lines_refused", "lines_reversed", "vouchers", "quantity", "index"}
)
_NOT_SUMMED: Final = frozenset({"index", "quantity"})
_STATES: Final = frozenset({"status", "payee"})
_ENDS: Final = frozenset({"valid_until", "until", "closes_at"})


class Record(Protocol):
    """An answer of the views."""

    __dataclass_fields__: ClassVar[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, and whether numbers are below it."""

    heading: str
    is_number: bool


@dataclass(frozen=True, slots=True)
class StatementTable:
    """A table of a statement.

    Attributes:
        title: what is in it.
        columns: of each row.
        rows: cells of text.
        total: the sums, if there are any.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    total: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Period:
    """Days of the network's calendar (since 1970); None: without a beginning, or without an end."""

    first_day: int | None = None
    last_day: int | None = None

    def has(self, day: int) -> bool:
        """Return whether a day lies in it."""
        after = self.first_day is None or self.first_day <= day
        return after and (self.last_day is None or day <= self.last_day)


@dataclass(frozen=True)
class StatementCells:
    """What makes tables: words, the place in the log, and the period."""

    words: StatementWords
    place: LogPlace
    period: Period

    def table(
        self, section: str, names: str, records: Iterable[Record], *, has_total: bool = True, prose: str = ""
    ) -> StatementTable:
        """Return a table of some fields of records; the field `prose` is a stranger's words."""
        fields = names.split()
        values = [[getattr(record, name) for name in fields] for record in records]
        rows = [[self._cell(name, value, prose) for name, value in zip(fields, row, strict=True)] for row in values]
        total = None
        if has_total and len(values) > 1:
            sums = [
                self._cell(name, sum(row[at] for row in values), prose) if _is_summed(name) else ""
                for at, name in enumerate(fields)
            ]
            total = (self.words.place("total"), *sums[1:])
        columns = [Column(self.words.field(name), _is_number(name)) for name in fields]
        return StatementTable(self.words.section(section), tuple(columns), tuple(map(tuple, rows)), total)

    def summary(self, names: str, balance: Record, before: Mapping[str, Any] | None) -> StatementTable:
        """Return a balance's amounts, one below the other, with those before the period if there is one."""
        said, words = asdict(balance), self.words
        columns = [Column("", is_number=False), Column(words.place("closing"), is_number=True)]
        if before is not None:
            first_day = format_day(self.period.first_day or 0)
            columns[1:1] = [Column(words.place("opening", first_day), is_number=True)]
            columns.insert(2, Column(words.place("change"), is_number=True))
        rows = []
        for name in names.split():
            opening = 0 if before is None else before.get(name, 0)
            if not (said[name] or opening):
                continue
            amounts = [said[name]] if before is None else [opening, said[name] - opening, said[name]]
            rows.append((words.field(name), *[self._cell(name, amount, "") for amount in amounts]))
        return StatementTable(words.section("summary"), tuple(columns), tuple(rows))

    def in_period(self, records: Iterable[Any], *times: str, is_open: Callable[[Any], bool] | None = None) -> list[Any]:
        """Return the records of which one of some times lies in the period, or that are open."""
        return [
            record
            for record in records
            if any(getattr(record, name) and self.period.has(self._day(getattr(record, name))) for name in times)
            or (is_open is not None and is_open(record))
        ]

    def period_text(self) -> str:
        """Return the period in words."""
        first, last = self.period.first_day, self.period.last_day
        begin = self.words.place("first") if first is None else format_day(first)
        end = local(self.place.at, self.place.zone)[: len("2026-01-05")] if last is None else format_day(last)
        return f"{begin} {self.words.place('to')} {end}"

    def day_text(self, instant: str, *, is_end: bool = False) -> str:
        """Return the day of a time in the network's zone; of an end, the last day before it."""
        return local(parse_instant(instant) - is_end, self.place.zone)[: len("2026-01-05")]

    def foot(self) -> tuple[str, ...]:
        """Return what every page says: where in which log it was made."""
        place, say = self.place, self.words.place
        at = local(place.at, place.zone).replace("T", " ")
        return (
            f"{say('log')} {place.origin} · {say('as_of')} {place.index:,} · {say('log_time')} {at} "
            f"({zone_name(place.zone)})",
            f"{say('size')} {place.size:,} {say('entries')} · {say('root')} {place.root_text}",
        )

    def command(self, kind: str, about: str) -> str:
        """Return the command that makes the same file again."""
        period = [
            f" --{name} {format_day(day)}"
            for name, day in (("from", self.period.first_day), ("until", self.period.last_day))
            if day is not None
        ]
        asked = f"tallystick statement SOURCE {kind} {about} --lang {self.words.language} --as-of {self.place.index}"
        return asked + "".join(period)

    def _day(self, instant: str) -> int:
        return (parse_instant(instant) + self.place.zone * 1_000_000) // 86_400_000_000

    def _cell(self, name: str, value: Any, prose: str) -> str:  # noqa: ANN401 - a field of a view
        if value is None or value == "":
            return ""
        if isinstance(value, bool):
            return self.words.place("yes" if value else "no")
        if isinstance(value, int):
            in_unit = yuan if name.endswith("_fen") else _hours if name == "gpu_milliseconds" else None
            return in_unit(value) if in_unit else f"{value:,}"
        if name in TIMES:
            return self.day_text(value, is_end=name in _ENDS)
        if name in _STATES:
            return self.words.state(value)
        if name == "kind":
            return self.words.event(value)
        return self.words.reason(value) if name == "reason" and name != prose else one_line(str(value))


def _hours(gpu_milliseconds: int) -> str:
    return ("-" if gpu_milliseconds < 0 else "") + gpu_hours(abs(gpu_milliseconds))


def _is_number(name: str) -> bool:
    return name.endswith("_fen") or name == "gpu_milliseconds" or name in _COUNTS


def _is_summed(name: str) -> bool:
    return _is_number(name) and name not in _NOT_SUMMED
