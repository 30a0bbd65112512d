"""Answers from the views to GET: of the newest rows or of the past, as JSON or CSV, or that nothing has changed."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from tallystick.printing.csv_bytes import csv_bytes
from tallystick.views.served_views import Answering
from tallystick.web.asking import Answered, Asked, answered_from
from tallystick.web.conditional import (
    GetRoute,
    has,
    headers_of,
    json_response,
    next_page,
    not_modified,
    tag_of,
)
from tallystick.web.reads import Reads, reads_of
from tallystick.web.rights import reader_of

CSV: Final = "csv"
_PAST: Final = frozenset(Asked.model_fields)


class ViewRoute(GetRoute):
    """A route whose answer is of the newest entries: who has it is told so before anything else is looked at."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers."""
        answer = super().get_route_handler()

        async def handler(request: Request) -> Response:
            if "if-none-match" in request.headers and _PAST.isdisjoint(request.query_params):
                reads = reads_of(request)
                size = reads.views.size
                headers = headers_of(size, tag=tag_of(size, CSV if wants_csv(request) else ""))
                if size == reads.newest.size and has(request, headers["ETag"]):
                    await reader_of(request)
                    return not_modified(headers)
            return await answer(request)

        return handler


class Made(NamedTuple):
    """An answer's value, and what its next page begins with."""

    said: Any
    more: Mapping[str, str | int] | None = None


async def answer_from_views(
    request: Request,
    reads: Reads,
    asked: Asked,
    make: Callable[[Answering], Made],
    *,
    check: Callable[[], object] = lambda: None,
    columns: list[str] | None = None,
) -> Response:
    """Answer a question from views as of what is asked for.

    Args:
        request: as it came.
        reads: answers.
        asked: as of when.
        make: makes the answer, in a worker thread.
        check: asked of the newest views, in the same way, before those of the past are.
        columns: of the rows, where these may be had as CSV too.
    """
    is_csv = columns is not None and wants_csv(request)
    form = CSV if is_csv else ""
    answered = await answered_from(reads, asked)
    headers = _headers(answered, answered.size, form)
    if has(request, headers["ETag"]) and (answered.then is not None or answered.size == reads.newest.size):
        return not_modified(headers)
    if answered.then is not None:
        await reads.answer(lambda _: check())

    def made(answering: Answering) -> tuple[int, Made]:
        return answering.size, make(answering)

    size, (said, more) = await reads.answer(made, answered.then)
    headers = _headers(answered, size, form) | (next_page(request, **more) if more else {})
    if is_csv:
        assert columns is not None
        return Response(csv_bytes(columns, said), 200, headers, "text/csv; charset=utf-8")
    return json_response(said, headers)


def _headers(answered: Answered, size: int, form: str) -> dict[str, str]:
    return headers_of(size, tag=tag_of(size, form), kept=answered.kept)


def wants_csv(request: Request) -> bool:
    """Return whether CSV is asked for, and JSON isn't rather."""
    wanted = [one.partition(";")[0].strip() for one in request.headers.get("accept", "").lower().split(",")]
    return "text/csv" in wanted and "application/json" not in wanted[: wanted.index("text/csv")]
