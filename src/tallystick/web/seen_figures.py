"""Figures that one reader sees: what moved and was used, what waits, what is newest.

Of a thing, who sees all of it has its figures; of the network, who may read the log as a whole.
"""

from typing import Final

from tallystick.errors import NotFoundError, UsageError
from tallystick.views.ageing import Ageing, AgeingKind
from tallystick.views.daily import DAYS_MAX, DailySeries, DayKind
from tallystick.views.recent import LinesOf, StatedLines, Statements, Timeline, TimelineKind
from tallystick.views.served_views import Answering
from tallystick.views.usage import UsageByItem, UsageKind, UsageRow, UsedBy
from tallystick.views.waiting import Waiting, WaitingKind
from tallystick.vouchers.reading_rights import Sight
from tallystick.web.rights import ReadersRights

NETWORK: Final = "network"


class SeenFigures:
    """What one reader sees of figures at one moment; asked in a worker thread.

    Each method refuses who may not see all of the thing.

    Raises:
        NotFoundError: there is none, or not all of it is this reader's to see.
        HttpProblem: of the network, to who may not read all.
        UsageError: a thing without an id, or the network with one.
    """

    def __init__(self, answering: Answering, reader: ReadersRights) -> None:
        """Take the rows of the moment, and what may be seen of them."""
        self._answering = answering
        self.reader: Final = reader

    def days(
        self, of: DayKind, id_: str | None = None, first: int | None = None, last: int | None = None
    ) -> DailySeries:
        """Return what moved of a thing, or of the network, day by day (days since 1970); at most `DAYS_MAX` days."""
        self._check(of, id_)
        if first is not None and last is not None and not 0 <= last - first < DAYS_MAX:
            raise UsageError(f"from and until are at most {DAYS_MAX:,} days, in this order")
        return self._answering.days(of, id_, first, last)

    def usage_by_item(self, of: UsageKind, id_: str | None = None) -> UsageByItem:
        """Return what was used of a thing, or of the network, by item."""
        self._check(of, id_)
        return self._answering.usage_by_item(of, id_)

    def usage_rows(self, by: UsedBy) -> list[UsageRow]:
        """Return what was used of each treasury, programme or provider of which all may be seen."""
        rows = self._answering.usage_rows(by)
        own = self.reader.own_of(by, [row.id for row in rows])
        return [row for row in rows if row.id in own]

    def ageing(self, of: AgeingKind, id_: str) -> Ageing:
        """Return what is owed, and of what is claimed since when."""
        self._check(of, id_)
        return self._answering.ageing(of, id_)

    def waiting(self, of: WaitingKind, id_: str | None = None, within_days: int = 30) -> Waiting:
        """Return what waits, and what ends within some days."""
        self._check(of, id_)
        return self._answering.waiting(of, id_, within_days)

    def lines(self, of: LinesOf, id_: str, limit: int, before: int | None = None) -> StatedLines:
        """Return the lines of a thing's statements, newest first, about so many."""
        self._check(of, id_)
        return self._answering.lines(limit, before, **{of: id_})

    def statements(self, of: LinesOf, id_: str, limit: int, before: int | None = None) -> Statements:
        """Return a thing's statements, newest first."""
        self._check(of, id_)
        return self._answering.statements(limit, before, **{of: id_})

    def timeline(self, of: TimelineKind, id_: str, limit: int, before: int | None = None) -> Timeline:
        """Return what happened to a thing, newest first."""
        self._check(of, id_)
        return self._answering.timeline(of, id_, limit, before)

    def _check(self, of: str, id_: str | None) -> None:
        check_sees_all(self.reader, of, id_)
        if id_ is not None:
            try:
                self._answering.check_there(of, id_)
            except NotFoundError:
                raise self.reader.not_found(of, id_) from None


def check_sees_all(reader: ReadersRights, of: str, id_: str | None) -> None:
    """Refuse who may not see all of a thing, or of the network.

    Raises:
        NotFoundError: not all of the thing is this reader's to see.
        HttpProblem: of the network, to who may not read all.
        UsageError: a thing without an id, or the network with one.
    """
    if (id_ is None) != (of == NETWORK):
        raise UsageError(f"say the id of the {of}" if id_ is None else "the network has no id")
    if id_ is None:
        reader.check_follows()
    elif reader.sight(of, id_) is not Sight.ALL:
        raise reader.not_found(of, id_)
