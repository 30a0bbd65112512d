"""What money came to day by day, as a chart and as the table beside it: from the daily series of the views.

issued       reserved + available + owed + paid: what was issued and not come back, by where it is
envelope     the same, and what isn't issued: what is left of it against an even pace
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import dropwhile
from typing import Any, Final

from tallystick.vouchers.quantities import parse_day
from tallystick.web.charts import Chart, Layer, Mark, Pace
from tallystick.web.pages.cells import columns_of
from tallystick.web.pages.drawn import Drawn
from tallystick.web.pages.page import Column, Table
from tallystick.web.pages.windows import Window
from tallystick.web.pages.words import N_, Words
from tallystick.web.seen import DAYS_MAX, DailySeries

DAYS_SHOWN: Final = 366
"""Of a series as a chart and a table; of a longer one, each month's last day is shown."""
_LAYERS: Final = (
    ("paid_fen", N_("Paid"), "paid"),
    ("owed_fen", N_("Owed"), "owed"),
    ("reserved_fen", N_("Reserved"), "reserved"),
    ("available_fen", N_("Available"), "available"),
)
"""From the lowest to the highest: the member of a row, its name, its tone."""
_LEFT: Final = (("unspent_fen", N_("With holders"), "available"), ("unissued_fen", N_("Not issued"), "other"))
"""The same of what isn't used."""


@dataclass(frozen=True, slots=True)
class ByDay:
    """Money day by day.

    Attributes:
        rows: of the first day and of each on which anything moved: what it came to at its end.
        first, last, today: of the chart; nothing is known beyond today.
    """

    rows: tuple[dict[str, Any], ...]
    first: date
    last: date
    today: date

    @classmethod
    def of(cls, series: DailySeries, last: date | None = None) -> "ByDay":
        """Return a series.

        Args:
            series: as the views have it.
            last: the chart's last day, if nothing moves after it; None: today, and the chart begins with the first day
                that came to anything.
        """
        today, rows = date.fromisoformat(series.today), _thinned([*_levels(series)])
        if last is None:
            rows = [*dropwhile(_is_nothing, rows)] or rows
        first = date.fromisoformat(series.first if last else rows[0]["day"])
        return cls(tuple(rows), first, max(first, date.fromisoformat(rows[-1]["day"]), last or today), today)

    def issued(self, words: Words, title: str) -> Chart:
        """Draw what was issued, by where it is."""
        told = words.gettext("What is paid, owed, reserved and available, one above the other, day by day.")
        return self._drawn(words, title, told, _LAYERS)

    def left(self, words: Words, title: str, window: Window, envelope_fen: int) -> Chart:
        """Draw what isn't used of an envelope, against an even pace."""
        told = words.gettext("What isn't used of the envelope, day by day, and the straight line of an even pace.")
        pace = Pace(words.gettext("Even pace"), window.first, envelope_fen, window.last)
        return self._drawn(words, title, told, _LEFT, pace)

    def table(self, name: str, caption: str, words: Words) -> Table:
        """Return the days as a table."""
        columns = (
            *columns_of(("day", "paid_fen", "owed_fen", "reserved_fen", "available_fen"), words),
            Column("unspent_fen", words.gettext("With holders"), "yuan"),
        )
        if self.rows and self.rows[0]["unissued_fen"] is not None:
            columns = (*columns, *columns_of(("unissued_fen",), words))
        return Table(name, caption, columns, self.rows)

    def _drawn(
        self,
        words: Words,
        title: str,
        description: str,
        layers: tuple[tuple[str, str, str], ...],
        pace: Pace | None = None,
    ) -> Chart:
        drawn = [
            Layer(words.gettext(name), tone, [(date.fromisoformat(row["day"]), row[member]) for row in self.rows])
            for member, name, tone in layers
        ]
        is_open = self.first <= self.today < self.last
        marks = [Mark(words.gettext("Today"), self.today)] if is_open else []
        return Drawn(words).burn_down(
            *(title, description, drawn),
            since=self.first,
            until=self.last,
            upto=self.today,
            pace=pace,
            marks=marks,
        )


def days_of(window: Window) -> tuple[int, int]:
    """Return the first and the last day of a window's series, in days since 1970.

    It goes up to the day of the page: what was used is claimed and paid when the window is over.
    """
    first, _, today = (parse_day(day.isoformat()) for day in window)
    return max(first, today - DAYS_MAX + 1), max(first, today)


def _is_nothing(row: dict[str, Any]) -> bool:
    return not any(row[member] for member, _, _ in _LAYERS)


def _thinned(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows, or of very many the last of each month."""
    if len(rows) <= DAYS_SHOWN:
        return rows
    return [*{row["day"][: len("2026-01")]: row for row in rows}.values()]


def _levels(series: DailySeries) -> Iterator[dict[str, Any]]:
    """Yield what a thing's money came to: before the first day, and at the end of each on which anything moved."""
    paid_fen = series.before.paid_fen
    has_first = bool(series.days) and series.days[0].day == series.first
    for day, moved in [
        *([] if has_first else [(series.first, series.before)]),
        *((one.day, one) for one in series.days),
    ]:
        if moved is not series.before:
            paid_fen += moved.paid_fen
        available_fen, reserved_fen = moved.available_left_fen or 0, moved.reserved_left_fen
        yield {
            "day": day,
            "paid_fen": paid_fen,
            "owed_fen": moved.owed_fen,
            "reserved_fen": reserved_fen,
            "available_fen": available_fen,
            "unspent_fen": available_fen + reserved_fen,
            "unissued_fen": moved.unissued_left_fen,
        }
