"""What one reader sees of a log at one moment: rows of one snapshot, and nothing that the reader may not read.

The API's routes and the pages are both made from it, so a page shows what the API would answer to the same reader. What
there is no right to see is answered like what isn't there (`rights.py`). Values are those of JSON: whole fen, times as
RFC 3339 in UTC.
"""

from collections.abc import Callable
from functools import cached_property, partial
from typing import Any, Final, NamedTuple

from tallystick.errors import EntryMalformedError, NotALedgerError, NotFoundError
from tallystick.transparency.merkle import RightEdge
from tallystick.views.daily import DAYS_MAX, DailySeries
from tallystick.views.entry_index import RecordedEntry
from tallystick.views.lists import LISTS, By, ListKind
from tallystick.views.searching import QUERY_MAX, Hit
from tallystick.views.served_views import Answering
from tallystick.views.summaries import SummaryKind
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.quantities import format_instant
from tallystick.vouchers.reading_rights import Sight
from tallystick.web.rights import ReadersRights
from tallystick.web.seen_figures import SeenFigures
from tallystick.wire import DataclassValue, JsonObject
from tallystick.wire.resources import resource, rows

__all__ = [
    "DAYS_MAX",
    "LISTS",
    "QUERY_MAX",
    "By",
    "DailySeries",
    "Hit",
    "ListKind",
    "Seen",
    "SeenEntries",
    "SeenRows",
]

LOOKED_AT_MAX: Final = 2_000
"""Of entries, for one page: who may see few of many gets a short page, and goes on from there."""


class SeenRows(NamedTuple):
    """Some rows of a list, and after which the next page goes on; None at the end."""

    rows: list[Any]
    after: str | None

    def as_json(self) -> list[JsonObject]:
        """Return the rows as they are in JSON."""
        return rows(self.rows)


class SeenEntries(NamedTuple):
    """Entries in short, newest first, and before which index the next page goes on; None at the end."""

    entries: list[RecordedEntry]
    before: int | None

    def as_json(self) -> list[JsonObject]:
        """Return the entries as they are in JSON."""
        return [{"index": row.pop("entry_index")} | row for row in rows(self.entries)]


class Seen(SeenFigures):
    """What one reader sees at one moment; asked in a worker thread.

    Attributes:
        size: how many entries it is of.
        reader: who reads.
        origin: the log's.
    """

    def __init__(self, answering: Answering, reader: ReadersRights) -> None:
        """Take the rows of the moment, and what may be seen of them."""
        super().__init__(answering, reader)
        self.size: Final = answering.size
        self.origin: Final = answering.log.origin

    @property
    def at(self) -> str:
        """The log's time of the last entry."""
        return format_instant(self._answering.at)

    @property
    def utc_offset_seconds(self) -> int:
        """By how much the network's own time is ahead of UTC."""
        return self._answering.log.utc_offset_seconds()

    @cached_property
    def root(self) -> bytes:
        """The root of the tree of so many entries.

        Raises:
            NotALedgerError: the tree can't be read.
        """
        return RightEdge.from_tiles(self.size, self._answering.log.read_tile).root()

    # -- things --------------------------------------------------------------------------------------------------------

    def one(self, kind: str, id_: str) -> JsonObject:
        """Return all about one thing, or its terms where that is all that may be seen.

        Raises:
            NotFoundError: there is none, or it isn't this reader's to see.
        """
        return self._told(kind, id_, lambda: getattr(self._answering, kind)(id_))

    def summary(self, kind: SummaryKind, id_: str) -> JsonObject:
        """Return the same without the lists beside it that may be long: these are had page by page.

        Raises:
            NotFoundError: there is none, or it isn't this reader's to see.
        """
        return self._told(kind, id_, lambda: self._answering.summary(kind, id_))

    def _told(self, kind: str, id_: str, ask: Callable[[], DataclassValue]) -> JsonObject:
        # Of a key, every reader of its party's terms may see what there is.
        whose, of_whom = ("party", id_.partition("/")[0]) if kind == "key" else (kind, id_)
        sight = self.reader.sight(whose, of_whom)
        if sight is Sight.NOTHING:
            raise self.reader.not_found(kind, id_)
        try:
            account = ask()
        except NotFoundError:
            raise self.reader.not_found(kind, id_) from None
        said = resource(kind, account)
        return said if sight is Sight.ALL or kind == "key" else self.reader.terms(kind, said)

    def sees_all_of(self, kind: str, id_: str) -> bool:
        """Return whether all of a thing may be seen, and not its terms alone."""
        return self.reader.sight(kind, id_) is Sight.ALL

    # -- lists ---------------------------------------------------------------------------------------------------------

    def listed(self, kind: ListKind, limit: int, *, after: str | None = None, **equal: object) -> SeenRows:
        """Return a page of a list; of things whose terms alone may be seen, those.

        Raises:
            NotFoundError: there is no row to go on after.
        """
        keep, among = partial(self.reader.listed, kind), self.reader.few_of(kind)
        page = self._answering.listed(kind, limit, after=after, keep=keep, among=among, **equal)
        return SeenRows(page.rows, page.after)

    def balances(self, by: By, limit: int, *, after: str | None = None) -> SeenRows:
        """Return a page of balances: the things of which all may be seen.

        Raises:
            NotFoundError: there is no row to go on after.
        """
        keep, among = partial(self.reader.rows, by), self.reader.few_of(by)
        page = self._answering.listed(by, limit, after=after, keep=keep, among=among)
        return SeenRows(page.rows, page.after)

    # -- entries -------------------------------------------------------------------------------------------------------

    def recorded(self, limit: int, *, before: int | None = None, **wanted: object) -> SeenEntries:
        """Return entries in short, newest first (`views.entry_index.recorded_entries`)."""
        found: list[RecordedEntry] = []
        looked_at = 0
        while len(found) <= limit and looked_at < LOOKED_AT_MAX:
            some = self._answering.recorded(limit + 1, before=before, **wanted)
            if not some:
                return SeenEntries(found, None)
            before, looked_at = some[-1].entry_index, looked_at + len(some)
            found += some if self.reader.reads_all else [one for one in some if self._may_read(one.entry_index)]
        shown = found[:limit]
        last = shown[-1].entry_index if shown != found else before
        return SeenEntries(shown, last or 0)

    def entry(self, index: int) -> Entry:
        """Return an entry.

        Raises:
            NotFoundError: there is none, or it isn't this reader's to see.
            NotALedgerError: it can't be read.
        """
        if index >= self.size:
            raise self.reader.not_found("entry", index)
        entry = self._entry(index)
        if not self.reader.reads_all and not self.reader.may_read_entry(entry.event):
            raise self.reader.not_found("entry", index)
        return entry

    def _may_read(self, index: int) -> bool:
        return self.reader.may_read_entry(self._entry(index).event)

    def _entry(self, index: int) -> Entry:
        try:
            return Entry.from_bytes(next(self._answering.entries([index])))
        except EntryMalformedError as error:
            raise NotALedgerError(f"entry {index} can't be read ({error}); `tallystick audit` says more") from None

    # -- search --------------------------------------------------------------------------------------------------------

    def search(self, text: str) -> list[Hit]:
        """Return what a text leads to: things and entries, exact ones first."""

        def keep(hit: Hit) -> bool:
            if hit.kind == "entry":
                return self.reader.reads_all or self._may_read(int(hit.id))
            kind, id_ = ("party", hit.id.partition("/")[0]) if hit.kind == "key" else (hit.kind, hit.id)
            return self.reader.sight(kind, id_) is not Sight.NOTHING

        return self._answering.search(text, self._answering.log, keep) if text else []
