"""Questions about figures: what moved and was used, what waits, what is newest; asked of whatever rows there are."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from tallystick.views.ageing import Ageing, AgeingKind, ageing
from tallystick.views.daily import DailySeries, DayKind, daily_series
from tallystick.views.library import SQLiteCursor
from tallystick.views.recent import (
    StatedLines,
    Statements,
    Timeline,
    TimelineKind,
    recent_lines,
    recent_statements,
    timeline,
)
from tallystick.views.things import check_there
from tallystick.views.usage import UsageByItem, UsageKind, UsageRow, UsedBy, usage_by_item, usage_rows
from tallystick.views.waiting import Waiting, WaitingKind, waiting

Found = TypeVar("Found")


class FigureQuestions(ABC):
    """The questions about figures; whether a thing is there, `check_there` says."""

    @abstractmethod
    def ask(self, question: Callable[[SQLiteCursor], Found]) -> Found:
        """Answer a question from rows."""

    @abstractmethod
    def entries(self, indices: Iterable[int]) -> Iterator[bytes]:
        """Yield entries of the log.

        Raises:
            NotALedgerError: one can't be read.
        """

    def check_there(self, kind: str, thing: str) -> None:
        """Do nothing if there is a thing of a kind and an id.

        Raises:
            NotFoundError: there is none.
        """
        self.ask(lambda c: check_there(c, kind, thing))

    def days(
        self, of: DayKind, subject: str | None = None, first: int | None = None, last: int | None = None
    ) -> DailySeries:
        """Return what moved of a thing, or of the network, day by day (`daily.daily_series`)."""
        return self.ask(lambda c: daily_series(c, of, subject, first, last))

    def usage_by_item(self, of: UsageKind, subject: str | None = None) -> UsageByItem:
        """Return what was used of a thing, or of the network, by item."""
        return self.ask(lambda c: usage_by_item(c, of, subject))

    def usage_rows(self, by: UsedBy) -> tuple[UsageRow, ...]:
        """Return what was used of each treasury, programme or provider."""
        return self.ask(lambda c: usage_rows(c, by))

    def ageing(self, of: AgeingKind, subject: str) -> Ageing:
        """Return what is owed, and of what is claimed since when."""
        return self.ask(lambda c: ageing(c, of, subject))

    def waiting(self, of: WaitingKind, subject: str | None, within_days: int) -> Waiting:
        """Return what waits, and what ends within some days."""
        return self.ask(lambda c: waiting(c, of, subject, within_days))

    def statements(self, limit: int, before: int | None = None, **equal: str | None) -> Statements:
        """Return statements, newest first (`recent.recent_statements`)."""
        return self.ask(lambda c: recent_statements(c, limit, before, **equal))

    def lines(self, limit: int, before: int | None = None, **equal: str | None) -> StatedLines:
        """Return the lines of statements, newest first (`recent.recent_lines`).

        Raises:
            NotALedgerError: an entry can't be read.
        """
        return self.ask(lambda c: recent_lines(c, self.entries, limit, before, **equal))

    def timeline(self, of: TimelineKind, subject: str, limit: int, before: int | None = None) -> Timeline:
        """Return what happened to a thing, newest first."""
        return self.ask(lambda c: timeline(c, of, subject, limit, before))
