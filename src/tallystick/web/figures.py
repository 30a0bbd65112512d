"""Figures over HTTP: what moved and was used, what waits, what is newest.

    GET /v1/days?of=programme&id=…&from=&until=    what moved, by the day on which it is booked
    GET /v1/usage-by-item?of=provider&id=…         what was used of which item, and of which origin
    GET /v1/usage?by=provider                      what was used of each
    GET /v1/ageing?of=treasury&id=…                what is owed, and of what is claimed since when
    GET /v1/waiting?of=holder&id=…&within_days=30  what waits, and what is about to end
    GET /v1/lines?of=holder&id=…&before=           lines of the newest statements, and which claims took of them
    GET /v1/statements?of=provider&id=…&before=    the newest statements
    GET /v1/timeline?of=voucher&id=…&before=       what happened to a thing, newest first

Of a thing, who sees all of it has its figures; of the network, who may read the log as a whole.
"""

from collections.abc import Callable
from dataclasses import fields
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from tallystick.forms.times import read_day
from tallystick.transparency.encoding import SIZE_MAX
from tallystick.views.ageing import AgeingKind
from tallystick.views.daily import DayKind, Moved
from tallystick.views.provider_statement import StatementTotals
from tallystick.views.recent import LinesOf, StatedLine, TimelineKind, TimelineLine
from tallystick.views.served_views import Answering
from tallystick.views.usage import ItemUsage, UsageKind, UsedBy
from tallystick.views.waiting import DAYS_AHEAD_MAX, WaitingKind
from tallystick.web.asking import TEXT_MAX, Asked
from tallystick.web.entries_out import ReaderHere, ReadsHere
from tallystick.web.reads import Reads
from tallystick.web.resources import ID_MAX, ROWS_MAX, ROWS_USUAL
from tallystick.web.rights import ReadersRights
from tallystick.web.seen import Seen
from tallystick.web.seen_figures import check_sees_all
from tallystick.web.view_answers import Made, ViewRoute, answer_from_views, wants_csv
from tallystick.wire.figures import about, daily, daily_rows, newest, used
from tallystick.wire.resources import rows

WITHIN_DAYS_USUAL: Final = 30
router: Final = APIRouter(route_class=ViewRoute, prefix="/v1", tags=["figures"])
Id = Annotated[str, Field(max_length=ID_MAX, description="The id of the thing.")]
IdOrNone = Annotated[str | None, Field(max_length=ID_MAX, description="Its id; none of the network.")]
Day = Annotated[str | None, Field(max_length=TEXT_MAX, description="A day of the network's, for example 2026-01-05.")]


class DaysAsked(Asked):
    """The parameters of days."""

    of: Annotated[DayKind, Field(description="Of what.")]
    id: IdOrNone = None
    first: Annotated[Day, Field(alias="from")] = None
    until: Day = None


class UsageAsked(Asked):
    """The parameters of usage by item."""

    of: Annotated[UsageKind, Field(description="Of what.")]
    id: IdOrNone = None


class UsedAsked(Asked):
    """The parameters of what was used of each."""

    by: Annotated[UsedBy, Field(description="A row for each of these.")]


class AgeingAsked(Asked):
    """The parameters of ageing."""

    of: Annotated[AgeingKind, Field(description="Of whose debts or claims.")]
    id: Id


class WaitingAsked(Asked):
    """The parameters of what waits."""

    of: Annotated[WaitingKind, Field(description="Of what.")] = "network"
    id: IdOrNone = None
    within_days: Annotated[int, Field(ge=0, le=DAYS_AHEAD_MAX, description="What ends within so many days.")] = (
        WITHIN_DAYS_USUAL
    )


class NewestAsked(Asked):
    """The parameters of a page of what is newest."""

    id: Id
    before: Annotated[int | None, Field(ge=0, le=SIZE_MAX, description="Before this entry.")] = None
    limit: Annotated[int, Field(ge=1, le=ROWS_MAX, description="How many rows at most.")] = ROWS_USUAL


class LinesAsked(NewestAsked):
    """The parameters of statements and their lines."""

    of: Annotated[LinesOf, Field(description="Of whose statements.")]


class TimelineAsked(NewestAsked):
    """The parameters of what happened to a thing."""

    of: Annotated[TimelineKind, Field(description="Of what.")]


def _columns_of(row: type[Any]) -> list[str]:
    return [one.name for one in fields(row)]


async def _answer(
    request: Request,
    reads: Reads,
    reader: ReadersRights,
    asked: Any,  # noqa: ANN401 - with `of` and `id`
    make: Callable[[Seen], Made],
    columns: list[str] | None = None,
) -> Response:
    """Answer with figures of a thing; with columns of rows, also as CSV."""

    def made(answering: Answering) -> Made:
        return make(Seen(answering, reader))

    def check() -> None:
        check_sees_all(reader, asked.of, asked.id)

    return await answer_from_views(request, reads, asked, made, check=check, columns=columns)


@router.get("/days", response_class=Response)
async def days(
    request: Request, reads: ReadsHere, reader: ReaderHere, asked: Annotated[DaysAsked, Query()]
) -> Response:
    """Return what moved of a thing, or of the network, on each of some days, and what that came to at their ends."""
    first, last = (None if one is None else read_day(one) for one in (asked.first, asked.until))

    def make(seen: Seen) -> Made:
        series = seen.days(asked.of, asked.id, first, last)
        return Made(daily_rows(series) if wants_csv(request) else daily(seen.size, series))

    return await _answer(request, reads, reader, asked, make, ["day", *_columns_of(Moved)])


@router.get("/usage-by-item", response_class=Response)
async def usage_by_item(
    request: Request, reads: ReadsHere, reader: ReaderHere, asked: Annotated[UsageAsked, Query()]
) -> Response:
    """Return what was used of which item, by a thing or in the network, and how much of which origin."""

    def make(seen: Seen) -> Made:
        usage = seen.usage_by_item(asked.of, asked.id)
        return Made(rows(usage.items) if wants_csv(request) else about(seen.size, usage))

    return await _answer(request, reads, reader, asked, make, _columns_of(ItemUsage))


@router.get("/usage", response_class=Response)
async def usage(
    request: Request, reads: ReadsHere, reader: ReaderHere, asked: Annotated[UsedAsked, Query()]
) -> Response:
    """Return what was used of each treasury, programme or provider, and how much on domestic chips."""

    def make(answering: Answering) -> Made:
        return Made(used(asked.by, answering.size, Seen(answering, reader).usage_rows(asked.by)))

    return await answer_from_views(request, reads, asked, make)


@router.get("/ageing", response_class=Response)
async def ageing(
    request: Request, reads: ReadsHere, reader: ReaderHere, asked: Annotated[AgeingAsked, Query()]
) -> Response:
    """Return what is owed by a treasury, of a programme or to a payee, and of what is claimed since when."""
    return await _answer(
        request, reads, reader, asked, lambda seen: Made(about(seen.size, seen.ageing(asked.of, asked.id)))
    )


@router.get("/waiting", response_class=Response)
async def waiting(
    request: Request, reads: ReadsHere, reader: ReaderHere, asked: Annotated[WaitingAsked, Query()]
) -> Response:
    """Return what waits for somebody, and what is about to end."""

    def make(seen: Seen) -> Made:
        return Made(about(seen.size, seen.waiting(asked.of, asked.id, asked.within_days)))

    return await _answer(request, reads, reader, asked, make)


@router.get("/lines", response_class=Response)
async def lines(
    request: Request, reads: ReadsHere, reader: ReaderHere, asked: Annotated[LinesAsked, Query()]
) -> Response:
    """Return the lines of a thing's newest statements, whole statements, and which claims took of them."""

    def make(seen: Seen) -> Made:
        found = seen.lines(asked.of, asked.id, asked.limit, asked.before)
        return _newest(request, seen, asked, "lines", found)

    return await _answer(request, reads, reader, asked, make, _columns_of(StatedLine))


@router.get("/statements", response_class=Response)
async def statements(
    request: Request, reads: ReadsHere, reader: ReaderHere, asked: Annotated[LinesAsked, Query()]
) -> Response:
    """Return a thing's newest statements."""

    def make(seen: Seen) -> Made:
        found = seen.statements(asked.of, asked.id, asked.limit, asked.before)
        return _newest(request, seen, asked, "statements", found)

    return await _answer(request, reads, reader, asked, make, _columns_of(StatementTotals))


@router.get("/timeline", response_class=Response)
async def timeline(
    request: Request, reads: ReadsHere, reader: ReaderHere, asked: Annotated[TimelineAsked, Query()]
) -> Response:
    """Return what happened to a thing, newest first."""

    def make(seen: Seen) -> Made:
        found = seen.timeline(asked.of, asked.id, asked.limit, asked.before)
        return _newest(request, seen, asked, "lines", found)

    return await _answer(request, reads, reader, asked, make, _columns_of(TimelineLine))


def _newest(
    request: Request, seen: Seen, asked: LinesAsked | TimelineAsked, name: str, found: tuple[Any, int | None]
) -> Made:
    shown, following = found
    said = rows(shown) if wants_csv(request) else newest(asked.of, asked.id, seen.size, name, shown, following)
    return Made(said, None if following is None else {"before": following})
