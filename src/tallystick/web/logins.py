"""Logging in and out with a browser: forms that set and end the cookie in which a browser has its token.

GET /login     the page: with a key file, by the page's script, or with a note from the command line
POST /login    `note`: one of `session.open/1`, made by the page or by `tallystick`; `next`: where to go on
GET /logout    asks whether that is meant
POST /logout   ends the session

The cookie is for this host alone, never shown to scripts, and not sent along from other sites. Browsers keep it from
https, and some from this very machine; over plain http from elsewhere there is no session, and the answer says so.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from tallystick.errors import TallystickError
from tallystick.vouchers.quantities import SECOND_US
from tallystick.vouchers.reading_rights import Reading
from tallystick.vouchers.refusals import Refusal
from tallystick.web.conditional import GetRoute
from tallystick.web.flood import buckets_of
from tallystick.web.pages.answering import bare_page, keep_language, problem_page, with_theme, words_of
from tallystick.web.pages.page import Page
from tallystick.web.problems import HttpProblem, problem_object
from tallystick.web.same_origin import check_same_origin
from tallystick.web.served_log import served_log_of
from tallystick.web.sessions import COOKIE, Sessions, cookie_of
from tallystick.wire.statuses import HttpReason

FORM_SIZE_MAX: Final = 16_384
_FIELDS_MAX: Final = 8
_SEE_OTHER: Final = 303
_FORM: Final = "application/x-www-form-urlencoded"
_NEVER_KEPT: Final = {"Cache-Control": "no-store"}
_THIS_MACHINE: Final = frozenset({"localhost", "127.0.0.1", "::1"})

router: Final = APIRouter(route_class=GetRoute, include_in_schema=False)


@router.get("/login")
async def login_page(request: Request) -> Response:
    """Show how to log in."""
    if "theme" in request.query_params:
        return with_theme(request)
    response = _login_page(request, request.query_params.get("next", ""))
    keep_language(request, response)
    return response


@router.get("/logout")
async def logout_page(request: Request) -> Response:
    """Ask whether to log out, where no form has done so."""
    return bare_page(request, "logout.html", Page(words_of(request).gettext("Log out")))


@router.post("/login")
async def log_in(request: Request) -> Response:
    """Open a session by the note in a form, and lead on to where the reader wanted to go."""
    next_ = ""
    try:
        buckets_of(request).check(request)
        check_same_origin(request, served_log_of(request).urls)
        _check_keeps_cookies(request)
        form = await _form_in(request)
        next_ = form.get("next", "")
        return await _logged_in(request, form)
    except TallystickError as error:
        return _login_page(request, next_, error)


async def _logged_in(request: Request, form: Mapping[str, str]) -> Response:
    service = served_log_of(request)
    sessions: Sessions = request.app.state.sessions
    opened = await sessions.open(_note_in(form.get("note", "")))
    buckets_of(request).count(request, [opened])
    if isinstance(opened, Refusal):
        return _login_page(request, form.get("next", ""), opened)
    token, session = opened
    seconds = max(0, (session.expires_at - service.clock()) // SECOND_US)
    return _leading_on(_local_path(form.get("next", ""), service.prefix), token, seconds)


def _login_page(request: Request, next_: str, problem: TallystickError | Refusal | None = None) -> Response:
    """Return the page, with what went wrong."""
    service, said = served_log_of(request), None if problem is None else problem_object(problem)
    values = {
        "problem": said,
        "next": _local_path(next_, service.prefix),
        "origin": service.settings.origin,
        "url": f"{request.url.scheme}://{request.url.netloc}{service.prefix}",
    }
    headers = problem.headers if isinstance(problem, HttpProblem) else {}
    page = Page(words_of(request).gettext("Log in"), values)
    return bare_page(request, "login.html", page, 200 if said is None else said["status"], headers)


@router.post("/logout")
async def log_out(request: Request) -> Response:
    """End the session of the browser that asks, and have it forget the token; without one there is nothing to do."""
    service = served_log_of(request)
    try:
        check_same_origin(request, service.urls)
    except HttpProblem as error:
        return problem_page(request, error)
    token = cookie_of(request)
    if token is not None:
        sessions: Sessions = request.app.state.sessions
        sessions.end(token)
    shown_to_all = service.settings.reading == Reading.OPEN
    return _leading_on(f"{service.prefix}/{'' if shown_to_all else 'login'}", "", 0)


def _leading_on(where: str, token: str, seconds: int) -> Response:
    answer = Response(status_code=_SEE_OTHER, headers={"Location": where} | _NEVER_KEPT)
    answer.set_cookie(COOKIE, token, max_age=seconds, path="/", secure=True, httponly=True, samesite="strict")
    return answer


def _check_keeps_cookies(request: Request) -> None:
    """Refuse a login from a page to which no browser gives the cookie back.

    Raises:
        HttpProblem: the page came over plain http, and not from this machine.
    """
    page = urlsplit(request.headers.get("origin", ""))
    if page.scheme == "http" and page.hostname not in _THIS_MACHINE:
        detail = "over plain http a browser keeps no session: open the service's https address"
        raise HttpProblem(HttpReason.BAD_REQUEST, detail)


def _note_in(text: str) -> bytes:
    r"""Return the note of a form's field: browsers end lines by \r\n, and people add or leave out the last one."""
    return text.replace("\r\n", "\n").rstrip("\n").encode() + b"\n"


def _local_path(path: str, prefix: str) -> str:
    """Return a path of this service that a form names; the first page for anything else, which could lead away."""
    is_ours = path.startswith(f"{prefix}/") and not path.startswith("//")
    return path if is_ours and path.isascii() and path.isprintable() and "\\" not in path else f"{prefix}/"


async def _form_in(request: Request) -> dict[str, str]:
    """Return the fields of a form, of one given twice the last.

    Raises:
        HttpProblem: it is too large, or no form.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise HttpProblem(HttpReason.UNSUPPORTED_MEDIA_TYPE, f"send a form: {_FORM}")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > FORM_SIZE_MAX:
            raise HttpProblem(HttpReason.BODY_TOO_LARGE, f"this form is {FORM_SIZE_MAX:,} bytes at most")
    try:
        fields = parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=_FIELDS_MAX, errors="strict")
    except ValueError:
        raise HttpProblem(HttpReason.BAD_REQUEST, "this is no form in UTF-8") from None
    return {name: values[-1] for name, values in fields.items()}
