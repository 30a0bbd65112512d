"""Figures that one reader sees: what moved day by day.

Of a thing, who sees all of it has its figures; of the network, who may read the log as a whole.
"""

from typing import Final

from tallystick.errors import NotFoundError, UsageError
from tallystick.views.daily import DAYS_MAX, DailySeries, DayKind
from tallystick.views.served_views import Answering
from tallystick.vouchers.reading_rights import Sight
from tallystick.web.rights import ReadersRights

NETWORK: Final = "network"


class SeenFigures:
    """What one reader sees of figures at one moment; asked in a worker thread."""

    def __init__(self, answering: Answering, reader: ReadersRights) -> None:
        """Take the rows of the moment, and what may be seen of them."""
        self._answering = answering
        self.reader: Final = reader

    def days(
        self, of: DayKind, id_: str | None = None, first: int | None = None, last: int | None = None
    ) -> DailySeries:
        """Return what moved of a thing, or of the network, day by day (days since 1970).

        Raises:
            NotFoundError: there is none, or not all of it is this reader's to see.
            HttpProblem: of the network, to who may not read all.
            UsageError: too many days, or the end is before the beginning.
        """
        self.check_figures(of, id_)
        if first is not None and last is not None and not 0 <= last - first < DAYS_MAX:
            raise UsageError(f"from and until are at most {DAYS_MAX:,} days, in this order")
        return self._answering.days(of, id_, first, last)

    def check_figures(self, of: str, id_: str | None) -> None:
        """Refuse who may not see all of a thing, and what isn't there.

        Raises:
            NotFoundError: there is none, or not all of it is this reader's to see.
            HttpProblem: of the network, to who may not read all.
            UsageError: a thing without an id, or the network with one.
        """
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
