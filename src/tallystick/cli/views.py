"""Questions are answered from views that have followed the log first: as of now, or as of an entry or a time.

An answer never comes from a stale file, and a question leaves nothing but `views.db`, which can be deleted at any time.
Where that file can't be read or written, or there is only an export, or a fresh answer is asked for, the answer is
worked out in memory. Times leave here as text, amounts as whole fen.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Final

from tallystick.cli import output

if TYPE_CHECKING:
    from tallystick.cli.over_http import Login, Served
    from tallystick.forms.times import Moment
    from tallystick.publishing import Reader
    from tallystick.sources import Source
    from tallystick.views import Views
    from tallystick.views.lists import By, ListKind
    from tallystick.wire import JsonObject


_RECORDED_BY: Final = {"account": "concerning"}
"""What views call a member that entries are asked by."""


@dataclass
class Asked:
    """Views that were asked as of now, of an entry or of a time.

    Attributes:
        views: as of then.
        reader: opens the log once, whatever more is asked of it.
        when: the last time that counts, if a time was given.
        day: the last day that counts, if one was given.
    """

    views: "Views"
    reader: "Callable[[], Reader]"
    when: "Moment | None"
    day: str | None

    @cached_property
    def zone(self) -> int:
        """The network's offset in seconds."""
        from tallystick.cli.moments import zone_in

        return zone_in(self.reader())

    def balances(self, by: "By") -> "JsonObject":
        """Return balances, as `--json` prints them."""
        from tallystick.wire.resources import balances

        return balances(by, self.views.size, self.views.balances(by))

    def show(self, kind: str, id_: str) -> "JsonObject":
        """Return all about one thing, as `--json` prints it."""
        from tallystick.wire.resources import resource

        return resource(kind, getattr(self.views, kind)(id_))

    def listed(
        self, kind: "ListKind", wanted: dict[str, Any], limit: int, after: str | None
    ) -> "tuple[JsonObject, str | None]":
        """Return a page of a list, as `--json` prints it, and the id after which it goes on."""
        from tallystick.wire.resources import listing

        page = self.views.listed(kind, limit, after=after, **wanted)
        return listing(kind, self.views.size, page.rows), page.after

    def recorded(self, wanted: dict[str, Any], limit: int, before: int | None) -> "tuple[JsonObject, str | None]":
        """Return entries in short, newest first, as `--json` prints them, and before which index they go on."""
        from tallystick.wire.resources import recorded

        found = self.views.recorded(
            limit + 1, before=before, **{_RECORDED_BY.get(name, name): wanted[name] for name in wanted}
        )
        more = str(found[limit - 1].entry_index) if len(found) > limit else None
        return recorded(self.views.size, found[:limit]), more

    def search(self, text: str) -> "JsonObject":
        """Return what a text leads to, as `--json` prints it."""
        from tallystick.wire.resources import search

        return search(text, self.views.size, self.views.search(text, self.reader()))

    @property
    def as_of(self) -> str:
        """What the answer is of, in words: how many entries, and the time of the last."""
        from tallystick.forms.times import local, zone_name

        if self.day is not None:
            last = f", what is booked up to {self.day}"
        else:
            last = f" (the last of {local(self.views.at, self.zone)})" if self.views.size else ""
        return f"after {self.views.size:,} entries{last}, in yuan, times in {zone_name(self.zone)}"

    def say_when(self) -> None:
        """Say on standard error if the time or day that was asked for lies outside the log."""
        from tallystick.forms.times import Moment, local, zone_name

        when = Moment.read(self.day) if self.when is None and self.day is not None else self.when
        if when is None:
            return
        if not self.views.size:
            output.notice(f"the log's first entry is after {when.text}: there was nothing yet")
            return
        is_whole = self.reader().size <= self.views.size
        if is_whole and when.instant(lambda: self.zone) > self.views.at:
            last = f"{local(self.views.at, self.zone)} ({zone_name(self.zone)})"
            output.notice(f"the log's last entry is of {last}: this is what was known then, not at {when.text}")


@dataclass
class AskedOverHttp:
    """A service that was asked as of now, of an entry or of a time, which it looks at by itself.

    Attributes:
        service: that answers.
        moment: the index or time that was given, if any.
        day: the last day that counts, if one was given.
    """

    service: "Served"
    moment: str | None
    day: str | None

    @property
    def zone(self) -> int:
        """The network's offset in seconds."""
        return self.service.zone

    def balances(self, by: "By") -> "JsonObject":
        """Return balances, as `--json` prints them."""
        return self.service.questions.balances(by, as_of=self.moment, day=self.day)

    def show(self, kind: str, id_: str) -> "JsonObject":
        """Return all about one thing, as `--json` prints it."""
        return self.service.questions.show(kind, id_, as_of=self.moment, day=self.day)

    def listed(
        self, kind: "ListKind", wanted: dict[str, Any], limit: int, after: str | None
    ) -> "tuple[JsonObject, str | None]":
        """Return a page of a list, as `--json` prints it, and the id after which it goes on."""
        narrowed = {name: str(value).lower() if isinstance(value, bool) else value for name, value in wanted.items()}
        return self.service.questions.listed_page(
            kind, limit=limit, after=after, as_of=self.moment, day=self.day, **narrowed
        )

    def recorded(self, wanted: dict[str, Any], limit: int, before: int | None) -> "tuple[JsonObject, str | None]":
        """Return entries in short, newest first, as `--json` prints them, and before which index they go on."""
        return self.service.questions.recorded_page(limit=limit, before=before, **wanted)

    def search(self, text: str) -> "JsonObject":
        """Return what a text leads to, as `--json` prints it."""
        return self.service.questions.search(text)

    @property
    def as_of(self) -> str:
        """What the answer is of, in words."""
        from tallystick.forms.times import zone_name

        last = f", what is booked up to {self.day}" if self.day is not None else ""
        return f"after {self.service.size:,} entries{last}, in yuan, times in {zone_name(self.zone)}"

    def say_when(self) -> None:
        """Say nothing: whether a time lies outside the log the service doesn't tell."""


@contextmanager
def open_answers(
    source: "Source", login: "Login", as_of: str | None, *, is_fresh: bool, by_day: str | None = None
) -> "Iterator[Asked | AskedOverHttp]":
    """Give what answers for a source, a service or views of its log, to be closed after use; raises as `open_views`."""
    from tallystick.cli.over_http import served

    with served(source, login, is_fresh=is_fresh) as service:
        if service is not None:
            yield AskedOverHttp(service, as_of, by_day)
            return
    with open_views(source, as_of, is_fresh=is_fresh, by_day=by_day) as asked:
        yield asked


@contextmanager
def open_views(source: "Source", as_of: str | None, *, is_fresh: bool, by_day: str | None = None) -> Iterator[Asked]:
    """Give the views of a ledger, to be closed after use.

    Args:
        source: where the log is.
        as_of: None for now; the index of the last entry that counts, or a time, of a day its end.
        is_fresh: from the log alone; what was asked for earlier isn't looked at.
        by_day: the last day that counts by what is booked, if any.

    Raises:
        UsageError: neither an index nor a time, or no day.
    """
    from tallystick.cli.moments import zone_in
    from tallystick.forms.times import read_day, read_index_or_moment
    from tallystick.publishing.reader import read_ledger
    from tallystick.views import Views, followed_views

    when = None if as_of is None else read_index_or_moment(as_of)
    day = None if by_day is None else read_day(by_day)
    with ExitStack() as open_now:
        reader = cache(lambda: open_now.enter_context(read_ledger(source)))
        with output.progress("Following the log") as progress:
            made: AbstractContextManager[Views]
            if when is None and day is None:
                made = followed_views(source, progress, is_fresh=is_fresh)
            elif when is None or isinstance(when, int):
                made = Views.as_of(source, index=when, day=day, progress=progress)
            else:
                last_at = when.last_instant(lambda: zone_in(reader()))
                made = Views.as_of(source, at=last_at, day=day, progress=progress)
            views = open_now.enter_context(made)
        yield Asked(views, reader, when if not isinstance(when, int) else None, by_day)
