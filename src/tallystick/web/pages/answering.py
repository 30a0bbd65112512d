"""A request for a page: as of when, what its reader sees, and the page as HTML, or one of its tables as CSV.

    ?as_of= ?day=    of an earlier time, as everywhere (`asking.py`)
    ?lang=           en or zh; kept in a cookie
    ?theme=          light, dark or system; kept in a cookie, and the address is asked for again without it
    ?csv=<table>     a table of the page

The ETag of a page is of the log's size and of all else that it depends on, so a reader who has it isn't sent it again.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from tallystick import __version__
from tallystick.errors import NotALedgerError, NotFoundError, TallystickError
from tallystick.printing.csv_bytes import csv_bytes
from tallystick.web.asking import Asked as AsOf
from tallystick.web.asking import answered_from
from tallystick.web.conditional import has, headers_of, next_page, not_modified
from tallystick.web.pages.compressing import COMPRESSED_FROM_BYTES, packed, takes_gzip
from tallystick.web.pages.frame import LANGUAGE_COOKIE, THEME_COOKIE, THEMES, Frame, theme_of
from tallystick.web.pages.page import Asked, Page, PageRoute, Place, Table
from tallystick.web.pages.rendering import Renderer
from tallystick.web.pages.static_files import STATIC
from tallystick.web.pages.words import Words, language_of, words_in
from tallystick.web.pending import waiting_for
from tallystick.web.problems import HttpProblem, problem_object
from tallystick.web.reads import Reads, reads_of
from tallystick.web.rights import ReadersRights, reader_of
from tallystick.web.seen import Seen
from tallystick.web.seen_log import SeenLog
from tallystick.wire.statuses import HttpReason

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""Of every page."""
VARY: Final = "Authorization, Cookie, Accept-Language, Accept-Encoding"
COOKIE_SECONDS: Final = 31_536_000
_OK: Final = 200
_HTML: Final = "text/html; charset=utf-8"
_CSV: Final = "text/csv; charset=utf-8"
_AS_OF: Final = ("as_of", "day")


class Made(NamedTuple):
    """What was made for a request: its type, its bytes, and headers of its own."""

    media_type: str
    data: bytes
    headers: Mapping[str, str]


def install(app: Starlette, place: Place) -> None:
    """Have an application's pages be shown of its log."""

    def zone() -> int | None:
        reads: Reads = app.state.reads
        try:
            return reads.newest.utc_offset_seconds()
        except NotALedgerError:
            return None

    app.state.place = place
    app.state.renderer = Renderer(zone)


def route_of(page: PageRoute) -> Route:
    """Return the route of a page."""

    async def answer(request: Request) -> Response:
        try:
            return await _answer(page, request)
        except TallystickError as error:
            return problem_page(request, error)

    answer.__name__ = page.template.removesuffix(".html").replace("-", "_")
    return Route(page.path, answer, name=f"page {page.path}")


async def _answer(page: PageRoute, request: Request) -> Response:
    if "theme" in request.query_params:
        return with_theme(request)
    words = words_of(request)
    reader = await reader_of(request)
    if page.shows_waiting and reader.reader is not None:
        request.state.waiting = await waiting_for(request, reader.reader)
    response = await (_of_log if page.is_log_alone else _of_views)(page, request, words, reader)
    keep_language(request, response)
    return response


def keep_language(request: Request, response: Response) -> None:
    """Have a language that was chosen be kept."""
    if "lang" in request.query_params and response.status_code == _OK:
        response.set_cookie(LANGUAGE_COOKIE, words_of(request).language, COOKIE_SECONDS, samesite="strict")


async def _of_views(page: PageRoute, request: Request, words: Words, reader: ReadersRights) -> Response:
    """Answer from the views of the time that is asked for."""
    reads = reads_of(request)
    answered = await answered_from(reads, _as_of(request))
    headers = _headers(page, request, words, reader, answered.size)
    if has(request, headers.get("ETag", "")) and (answered.then is not None or answered.size == reads.newest.size):
        return not_modified(headers)

    def make(answering: Any) -> tuple[int, Made]:  # noqa: ANN401 - as `Reads.answer` gives it
        seen = Seen(answering, reader)
        return seen.size, _made(page, request, words, reader, seen, seen.at)

    size, made = await reads.answer(make, answered.then)
    return _answered(request, made, _headers(page, request, words, reader, size))


async def _of_log(page: PageRoute, request: Request, words: Words, reader: ReadersRights) -> Response:
    """Answer from the log's newest snapshot, or its first entries, whatever the views are like."""
    reads = reads_of(request)
    if page.asks_views and reads.views.size:
        await reads.views_at(None)
    asked = _as_of(request)
    then = None if asked.as_of is None else (await answered_from(reads, asked)).size
    headers = _headers(page, request, words, reader, reads.newest.size if then is None else then)
    if has(request, headers.get("ETag", "")):
        return not_modified(headers)

    def make(log: Any) -> tuple[int, Made]:  # noqa: ANN401 - as `Reads.from_log` gives it
        seen = SeenLog(log, reader, reads.ask, then)
        return seen.size, _made(page, request, words, reader, seen, seen.at)

    size, made = await reads.from_log(make)
    return _answered(request, made, _headers(page, request, words, reader, size))


def _answered(request: Request, made: Made, headers: Mapping[str, str]) -> Response:
    if "Location" in made.headers:
        return Response(status_code=303, headers={**headers, **made.headers})
    return compressed(request, made.data, {**headers, **made.headers}, made.media_type)


def _made(
    page: PageRoute, request: Request, words: Words, reader: ReadersRights, seen: Seen | SeenLog, at: str
) -> Made:
    """Return a page, or its table that is asked for."""
    waiting = getattr(request.state, "waiting", ())
    asked = Asked(dict(request.path_params), dict(request.query_params), words, request.app.state.place, waiting)
    made = page.make(seen, asked)
    if made.leads_to:
        return Made(_HTML, b"", {"Location": f"{request.scope.get('root_path', '')}{made.leads_to}"})
    if "csv" in asked.query:
        return _as_csv(request, _table(made, asked.query["csv"]))
    frame = _framed(
        request,
        words,
        origin=seen.origin,
        size=seen.size,
        at=at,
        root=seen.root.hex(),
        newest_size=reads_of(request).newest.size,
        reader=reader.name,
        role=reader.reader.role if reader.reader else "",
    )
    tables = {one.name: one for one in made.tables}
    values = {"frame": frame, "page": made, "tables": tables} | dict(made.values)
    return Made(_HTML, _renderer(request).render(page.template, words, values).encode(), {})


def compressed(
    request: Request, data: bytes, headers: Mapping[str, str], media_type: str, status: int = _OK
) -> Response:
    """Return an answer, compressed where the asker takes that and it is worth it."""
    if len(data) >= COMPRESSED_FROM_BYTES and takes_gzip(request):
        data, headers = packed(data), {**headers, "Content-Encoding": "gzip"}
    return Response(data, status, headers, media_type)


def problem_page(request: Request, error: TallystickError) -> Response:
    """Return the page that an error comes to, in words, with what to do."""
    said = problem_object(error)
    page = Page(words_of(request).reason(said["reason"]), {"problem": said})
    headers = error.headers if isinstance(error, HttpProblem) else {}
    return bare_page(request, "problem.html", page, said["status"], headers)


def bare_page(
    request: Request, template: str, page: Page, status: int = _OK, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a page that shows nothing of the log, to anybody, and is never kept."""
    words = words_of(request)
    values = {"frame": _bare_frame(request, words), "page": page} | dict(page.values)
    text = _renderer(request).render(template, words, values)
    kept = {**HEADERS, "Cache-Control": "no-store", "Vary": VARY, **(headers or {})}
    return compressed(request, text.encode(), kept, _HTML, status)


def words_of(request: Request) -> Words:
    """Return the language that a request asks for."""
    asked, cookie = request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)
    return words_in(language_of(asked, cookie, request.headers.get("accept-language")))


def _renderer(request: Request) -> Renderer:
    renderer: Renderer = request.app.state.renderer
    return renderer


def _as_of(request: Request) -> AsOf:
    """Return as of when a page is asked for.

    Raises:
        HttpProblem: it is said in a way that can't be read.
    """
    # An empty field of a form asks for now.
    said = {name: request.query_params[name].strip() for name in _AS_OF if request.query_params.get(name, "").strip()}
    try:
        return AsOf.model_validate(said)
    except ValidationError:
        raise HttpProblem(HttpReason.PARAMETER_INVALID, "as_of is an entry's index, a time or a day") from None


def _headers(page: PageRoute, request: Request, words: Words, reader: ReadersRights, size: int) -> dict[str, str]:
    if not page.is_of_log:
        return {**HEADERS, **headers_of(size, kept="no-store", vary=VARY)}
    depends = (
        __version__,
        STATIC.tag,
        words.language,
        theme_of(request.cookies.get(THEME_COOKIE)),
        reader.name,
        str(reader.reads_all),
        request.url.path,
        request.url.query,
    )
    digest = hashlib.sha256("\n".join(depends).encode(errors="surrogateescape")).hexdigest()[:16]
    return {**HEADERS, **headers_of(size, tag=f'"{size}-{digest}"', vary=VARY)}


def with_theme(request: Request) -> Response:
    """Return where a page is asked for again, with the theme that was chosen kept."""
    said = request.query_params["theme"]
    query = {name: value for name, value in request.query_params.items() if name != "theme"}
    response = RedirectResponse(request.url.path + (f"?{urlencode(query)}" if query else ""), 303)
    if said in THEMES:
        response.set_cookie(THEME_COOKIE, said, COOKIE_SECONDS, samesite="strict")
    return response


def _table(page: Page, name: str) -> Table:
    """Return a table of a page.

    Raises:
        NotFoundError: the page has none of that name.
    """
    table: Table | None = next((one for one in page.tables if one.name == name), None)
    if table is None:
        raise NotFoundError(f"this page has no table {name!a:.100}")
    return table


def _as_csv(request: Request, table: Table) -> Made:
    """Return a table with its values as they are in JSON, and where its further rows are."""
    columns = [column.name for column in table.columns]
    data = csv_bytes(columns, [{column: row.get(column) for column in columns} for row in table.rows])
    headers = {"Content-Disposition": f'attachment; filename="{table.name}.csv"'}
    if table.after is not None:
        headers |= next_page(request, **{f"{table.name}_after": table.after})
    return Made(_CSV, data, headers)


def _bare_frame(request: Request, words: Words) -> Frame:
    """Return a frame that shows nothing of the log."""
    return _framed(request, words, origin="", size=0, at="", root="", newest_size=0, reader="", role="")


def _framed(request: Request, words: Words, **shown: Any) -> Frame:  # noqa: ANN401 - fields of several types
    base: str = request.scope.get("root_path", "")
    return Frame(
        path=request.url.path.removeprefix(base),
        query=dict(request.query_params),
        base=base,
        words=words,
        theme=theme_of(request.cookies.get(THEME_COOKIE)),
        place=request.app.state.place,
        **shown,
    )
