"""What of a log's history a question is about: now, at least some size, up to an entry or a time, or up to a day.

min_size=N       of at least so many entries: waits a few seconds for them, or is told that the views are behind
as_of=INDEX      up to this entry; it never changes
as_of=TIME       up to a time, or a day's end; it never changes once an entry is later
day=DAY          of what is booked up to a day, whenever it was recorded
"""

from typing import Annotated, Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from tallystick.errors import NotFoundError
from tallystick.forms.times import Moment, read_day, read_index_or_moment
from tallystick.publishing.reader import Reader
from tallystick.transparency.encoding import SIZE_MAX
from tallystick.views.follow import size_at
from tallystick.views.past_views import Then
from tallystick.web.conditional import AS_OF_NOW, FOR_EVER
from tallystick.web.problems import HttpProblem
from tallystick.web.reads import Reads
from tallystick.wire.statuses import HttpReason

TEXT_MAX: Final = 64


class Asked(BaseModel):
    """The parameters that every question about the log's books may have."""

    model_config = ConfigDict(extra="forbid")

    as_of: Annotated[
        str | None, Field(max_length=TEXT_MAX, description="Up to an entry's index, a time, or a day's end.")
    ] = None
    day: Annotated[str | None, Field(max_length=TEXT_MAX, description="Of what is booked up to a day.")] = None
    min_size: Annotated[
        int | None, Field(ge=0, le=SIZE_MAX, description="Of at least so many entries; waits 5 seconds for them.")
    ] = None


class Answered(NamedTuple):
    """From what a question is answered.

    Attributes:
        size: how many entries.
        then: the views of the past; None for the newest.
        kept: the answer's Cache-Control.
    """

    size: int
    then: Then | None
    kept: str


async def answered_from(reads: Reads, asked: Asked) -> Answered:
    """Return from what a question is answered, once it can be.

    Raises:
        HttpProblem: the views are behind the size that was asked for.
        NotFoundError: there is no such entry.
        UsageError: not a time, or not a day.
    """
    if asked.min_size is not None and not await reads.views_at(asked.min_size):
        raise HttpProblem(HttpReason.BEHIND, f"{reads.views.size} entries were followed, not {asked.min_size}")
    if asked.as_of is None and asked.day is None:
        await reads.views_at(None)
        return Answered(reads.views.size, None, AS_OF_NOW)
    return await reads.from_log(lambda log: _then(reads, log, asked))


def _then(reads: Reads, log: Reader, asked: Asked) -> Answered:
    day = None if asked.day is None else read_day(asked.day)
    if asked.as_of is None:
        assert day is not None
        then = reads.past.kept_of_day(day)
        if then is None or then.size < (asked.min_size or 0):
            then = Then(log.size, day)
        return Answered(then.size, then, AS_OF_NOW)
    when = read_index_or_moment(asked.as_of)
    if isinstance(when, int):
        if when >= log.size:
            raise NotFoundError(f"there is no entry {when}: the log has {log.size:,}, counted from 0")
        size = when + 1
    else:
        size = size_at(log, _last_instant(log, when))
    is_final = isinstance(when, int) or size < log.size
    return Answered(size, Then(size, day), FOR_EVER if is_final else AS_OF_NOW)


def _last_instant(log: Reader, when: Moment) -> int:
    return when.last_instant(log.utc_offset_seconds)
