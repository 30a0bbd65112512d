"""Conditional requests by the size of the tree: an answer is as old as the entries that it was made from.

ETag: "<size>"            what was answered from the newest entries; "<size>-csv" of another form than JSON
If-None-Match             is compared as a number with the log's size, before anything is looked up: 304
Tallystick-Size: <size>   of the tree that it was answered from
Cache-Control             private, no-cache             as of now: kept, and asked for again
                          private, max-age=…, immutable as of an entry that is there: it never changes
                          no-store                      the checkpoint
Vary                      Authorization, Cookie, Accept what a party sees is its own
Link: <…>; rel="next"     the next page of a list

A 304 says that the log hasn't grown, and nothing of the thing that was asked for.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import orjson
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from tallystick.wire.json_text import exact_json

SIZE: Final = "Tallystick-Size"
YEAR_SECONDS: Final = 31_536_000
AS_OF_NOW: Final = "private, no-cache"
FOR_EVER: Final = f"private, max-age={YEAR_SECONDS}, immutable"
FOR_EVER_TO_ALL: Final = f"public, max-age={YEAR_SECONDS}, immutable"
NEVER_KEPT: Final = "no-store"
VARY: Final = "Authorization, Cookie, Accept"


class GetRoute(APIRoute):
    """A route of GET that answers HEAD too, as RFC 9110 asks; the server leaves the body out."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match HEAD as GET."""
        return super().matches(_as_get(scope))

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer HEAD as GET."""
        await super().handle(_as_get(scope), receive, send)


def _as_get(scope: Scope) -> Scope:
    return {**scope, "method": "GET"} if scope["type"] == "http" and scope["method"] == "HEAD" else scope


def tag_of(size: int, form: str = "") -> str:
    """Return the ETag of an answer from so many entries."""
    return f'"{size}-{form}"' if form else f'"{size}"'


def has(request: Request, tag: str) -> bool:
    """Return whether the asker has what a tag names (RFC 9110 §13.1.2; tags are compared weakly)."""
    known = request.headers.get("if-none-match", "")
    return bool(known) and (known.strip() == "*" or tag in {one.strip().removeprefix("W/") for one in known.split(",")})


def headers_of(size: int, *, tag: str | None = None, kept: str = AS_OF_NOW, vary: str = VARY) -> dict[str, str]:
    """Return the headers of an answer.

    Args:
        size: of the tree that it was answered from.
        tag: its ETag, if it has one.
        kept: its Cache-Control.
        vary: which headers of a request make another answer of it.
    """
    headers = {SIZE: str(size), "Cache-Control": kept} | ({"Vary": vary} if vary else {})
    return headers | ({"ETag": tag} if tag else {})


def not_modified(headers: Mapping[str, str]) -> Response:
    """Return that the asker has it."""
    return Response(status_code=304, headers=headers)


def json_response(said: Any, headers: Mapping[str, str], status: int = 200) -> Response:  # noqa: ANN401 - JSON values
    """Return an answer as JSON, with integers that every reader takes for what they are."""
    return Response(_json(said), status, headers, "application/json")


def lines_response(lines: list[Any], headers: Mapping[str, str]) -> Response:
    """Return an answer as JSON lines."""
    data = b"".join(map(_json, lines))
    return Response(data, headers=headers, media_type="application/jsonl")


def _json(said: Any) -> bytes:  # noqa: ANN401 - JSON values
    return orjson.dumps(exact_json(said), option=orjson.OPT_APPEND_NEWLINE)


def next_page(request: Request, **changed: str | int) -> dict[str, str]:
    """Return the header that leads to the next page: the same request with other parameters."""
    parameters = dict(request.query_params) | {name.rstrip("_"): str(value) for name, value in changed.items()}
    return {"Link": f'<{request.url.path}?{urlencode(parameters)}>; rel="next"'}
