"""Entries as they come, as server-sent events: for browsers, and for whoever would rather be told than ask.

    GET /v1/events        from the next entry on; ?from=INDEX or Last-Event-ID for where to go on

    id: 17                                                       the entry's index
    data: {"specversion": "1.0", "type": "voucher.issued/1", …}  a CloudEvent, whose data is the entry in full

A comment comes every quarter of a minute, so that proxies leave the stream open. When the service ends it says `retry:`
and closes; the browser asks again by itself, with the last id. Who may not read an entry isn't told of it.

A stream holds one page of events at most, and sends the next once that one is taken. A reader that takes nothing is cut
by the server (`serving`), which ends its stream.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from functools import partial
from typing import Annotated, Final

import orjson
from fastapi import APIRouter, Header, Query
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tallystick.errors import MalformedError, NotALedgerError, TallystickError, UsageError
from tallystick.forms.times import index_of
from tallystick.publishing.reader import Reader
from tallystick.transparency.encoding import SIZE_MAX
from tallystick.web.conditional import NEVER_KEPT, SIZE, GetRoute
from tallystick.web.entries_out import ReaderHere, ReadsHere
from tallystick.web.problems import HttpProblem
from tallystick.web.reads import Reads
from tallystick.web.rights import ReadersRights
from tallystick.wire.events import cloud_event
from tallystick.wire.json_text import exact_json
from tallystick.wire.statuses import HttpReason

STREAMS_MAX: Final = 256
STREAMS_OF_ONE_MAX: Final = 16
EVENTS_AT_ONCE: Final = 64
EVENT_BYTES_AT_ONCE: Final = 262_144
PING_SECONDS: Final = 15.0
RETRY_MS: Final = 2_000

router: Final = APIRouter(route_class=GetRoute, prefix="/v1", tags=["entries"])


def _open(streams: Counter[str], name: str) -> None:
    """Count one stream more of a reader's.

    Raises:
        HttpProblem: there are too many.
    """
    if streams.total() >= STREAMS_MAX or streams[name] >= STREAMS_OF_ONE_MAX:
        raise HttpProblem(HttpReason.TOO_MANY_REQUESTS, "too many event streams are open")
    streams[name] += 1


def _close(streams: Counter[str], name: str) -> None:
    streams[name] -= 1


@router.get("/events", response_class=Response)
async def events(
    request: Request,
    reads: ReadsHere,
    reader: ReaderHere,
    first: Annotated[int | None, Query(alias="from", ge=0, le=SIZE_MAX, description="The first entry's index.")] = None,
    last_event_id: Annotated[str | None, Header(description="The index of the last event that came.")] = None,
) -> Response:
    """Return entries as they come, as server-sent events."""
    start = reads.newest.size if first is None else first
    if last_event_id:
        last = index_of(last_event_id)
        if last is None or last > SIZE_MAX:
            raise UsageError(f"Last-Event-ID is an entry's index, and not {last_event_id[:40]!a}")
        start = last + 1
    name = reader.name or (request.client.host if request.client else "")
    _open(reads.streams, name)
    return EventStream(_told(reads, reader, start), reads.newest.size, lambda: _close(reads.streams, name))


async def _told(reads: Reads, reader: ReadersRights, index: int) -> AsyncIterator[bytes]:
    """Yield the events from an index on, and a comment where there are none for a while."""
    growth = reads.log_growth if reader.reads_all else reads.views_growth  # what an entry is about, the views know
    yield b": %d entries\n\n" % reads.newest.size
    while not growth.is_draining:
        try:
            await reader.check_session()
            if not await growth.reach(index + 1, PING_SECONDS):
                if not growth.is_draining:
                    yield b": ping\n\n"
                continue
            data, index = await reads.from_log(partial(_page, reader, index))
        except (HttpProblem, TallystickError):
            return  # the session or the log can't be read any more; whoever asks again is told why
        if data:
            yield data
    yield b"retry: %d\n\n" % RETRY_MS


def _page(reader: ReadersRights, first: int, log: Reader) -> tuple[bytes, int]:
    """Return some events as text, and the index after them."""
    told: list[bytes] = []
    size, index = 0, first
    for data in log.entries(first, first + EVENTS_AT_ONCE):
        try:
            if reader.may_follow(index, data):
                said = orjson.dumps(exact_json(cloud_event(log.origin, index, data)))
                told.append(b"id: %d\ndata: %b\n\n" % (index, said))
        except MalformedError as error:
            raise NotALedgerError(f"entry {index} can't be read ({error}); `tallystick audit` says more") from None
        index += 1
        size += len(data)
        if size > EVENT_BYTES_AT_ONCE:
            break
    return b"".join(told), index


class EventStream(Response):
    """An answer that goes on until its events end, or its reader goes away."""

    media_type = "text/event-stream"

    def __init__(self, told: AsyncIterator[bytes], size: int, closed: Callable[[], None]) -> None:
        """Take the events, the log's size, and what is called once it has ended."""
        super().__init__(headers={"Cache-Control": NEVER_KEPT, SIZE: str(size), "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._told = told
        self._closed = closed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head, and events until they end."""
        gone = asyncio.ensure_future(_gone(receive))
        sending = asyncio.ensure_future(self._send(send))
        try:
            await asyncio.wait({gone, sending}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (gone, sending):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            self._closed()

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for data in self._told:
            await send({"type": "http.response.body", "body": data, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _gone(receive: Receive) -> None:
    """Wait until the reader has gone away."""
    while (await receive())["type"] != "http.disconnect":
        pass
