"""Figures over HTTP: what moved day by day.

    GET /v1/days?of=programme&id=…&from=&until=    of a thing or the network, by the day on which it is booked

Of a thing, who sees all of it has its figures; of the network, who may read the log as a whole.
"""

from dataclasses import fields
from typing import Annotated, Final

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from tallystick.forms.times import read_day
from tallystick.views.daily import DayKind, MovedOnDay
from tallystick.views.served_views import Answering
from tallystick.web.asking import TEXT_MAX, Asked
from tallystick.web.entries_out import ReaderHere, ReadsHere
from tallystick.web.resources import ID_MAX
from tallystick.web.seen import Seen
from tallystick.web.seen_figures import check_sees_all
from tallystick.web.view_answers import Made, ViewRoute, answer_from_views, wants_csv
from tallystick.wire.figures import daily, daily_rows

DAY_COLUMNS: Final = ["day", *(one.name for one in fields(MovedOnDay) if one.name != "day")]
router: Final = APIRouter(route_class=ViewRoute, prefix="/v1", tags=["figures"])
Id = Annotated[str | None, Field(max_length=ID_MAX, description="Its id; none of the network.")]
Day = Annotated[str | None, Field(max_length=TEXT_MAX, description="A day of the network's, for example 2026-01-05.")]


class DaysAsked(Asked):
    """The parameters of days."""

    of: Annotated[DayKind, Field(description="Of what.")]
    id: Id = None
    first: Annotated[Day, Field(alias="from")] = None
    until: Day = None


@router.get("/days", response_class=Response)
async def days(
    request: Request, reads: ReadsHere, reader: ReaderHere, asked: Annotated[DaysAsked, Query()]
) -> Response:
    """Return what moved of a thing, or of the network, on each of some days, and what that came to at their ends."""
    first, last = (None if one is None else read_day(one) for one in (asked.first, asked.until))

    def make(answering: Answering) -> Made:
        series = Seen(answering, reader).days(asked.of, asked.id, first, last)
        return Made(daily_rows(series) if wants_csv(request) else daily(answering.size, series))

    return await answer_from_views(
        request, reads, asked, make, check=lambda: check_sees_all(reader, asked.of, asked.id), columns=DAY_COLUMNS
    )
