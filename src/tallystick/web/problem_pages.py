"""`/problems/<reason>`: a short page that says what a problem's reason means, and what to do; it is a problem's `type`.

It is the same for everybody, and of no log: no login, and nothing that anybody did is in it.
"""

from html import escape
from typing import Annotated, Final

from fastapi import APIRouter, Path
from starlette.requests import Request
from starlette.responses import Response

from tallystick.errors import NotFoundError
from tallystick.web.conditional import GetRoute, json_response
from tallystick.wire import JsonObject
from tallystick.wire.problem_advice import advice

REASON_LENGTH_MAX: Final = 64
HTML: Final = "text/html"
_HEADERS: Final = {"Cache-Control": "public, max-age=86400", "Vary": "Accept"}
_PAGE_HEADERS: Final = _HEADERS | {"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff"}

router: Final = APIRouter(route_class=GetRoute, tags=["service"])


@router.get("/problems/{reason}", response_class=Response)
async def problem_page(
    request: Request,
    reason: Annotated[str, Path(min_length=1, max_length=REASON_LENGTH_MAX, description="A problem's `reason`.")],
) -> Response:
    """Say what a problem's reason means, and what to do about it."""
    said = advice(reason)
    if said is None:
        raise NotFoundError(f"there is no reason {reason!a}")
    if HTML in request.headers.get("accept", "").lower():
        return Response(_page(said), 200, _PAGE_HEADERS, f"{HTML}; charset=utf-8")
    return json_response(said, _HEADERS)


def _page(said: JsonObject) -> str:
    """Return the page; `…` in what the lists say is code there."""
    again = f"<p>{_marked(str(said['again']))}</p>\n" if said["again"] else ""
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{escape(said["reason"])}</title>\n'
        f"<h1>{escape(said['reason'])}</h1>\n<p>{_marked(str(said['title']))}. (HTTP {said['status']})</p>\n"
        f"<h2>What to do</h2>\n<p>{_marked(str(said['advice']))}</p>\n{again}</html>\n"
    )


def _marked(text: str) -> str:
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts))
