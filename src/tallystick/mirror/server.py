"""A mirror over HTTP, within the bounds that strangers have (tallystick.serving).

    POST /add-checkpoint, /add-entries          answered as mirror.py says
    GET  /<hex SHA-256 of the origin>/checkpoint, /<...>/tile/...   the mirrored log (C2SP tlog-tiles)

An upload is read whole before it is answered, compressed (gzip) or not, and has at most as many bytes as one package of
the largest entries, or 32 of usual ones; beyond that it is 413, and comes again in smaller parts. A few are read at a
time.
"""

import asyncio
import io
from collections.abc import Callable
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tallystick.errors import LedgerError, MalformedError, TileMalformedError
from tallystick.mirror.mirror import Mirror
from tallystick.mirror.packages import PACKAGE_SIZE_MAX, TICKET_SIZE_MAX
from tallystick.serving.bounds import Bounds
from tallystick.serving.refused import tell_as_text
from tallystick.serving.server import BoundedServer, Hooks, Place, make_server
from tallystick.static.files import FolderFiles
from tallystick.static.gzip_stream import gunzip
from tallystick.transparency.tiles import BUNDLE_SIZE_MAX, parse_tile_path
from tallystick.witness.deciding import TEXT, WitnessAnswer
from tallystick.witness.request import REQUEST_SIZE_MAX
from tallystick.witness.server import Log, log_line, refusing, response, said

UPLOAD_SIZE_MAX: Final = PACKAGE_SIZE_MAX + 2 * (2 + TICKET_SIZE_MAX) + 16
UPLOADS_MAX: Final = 2

_ADD_ENTRIES: Final = "/add-entries"
_BINARY: Final = "application/octet-stream"
_TAKEN: Final = "a mirror has POST /add-checkpoint, POST /add-entries and GET /<origin hash>/..."
_UNAVAILABLE: Final = 503


def mirror_server(
    mirror: Mirror,
    place: Place,
    log: Log,
    *,
    bounds: Bounds | None = None,
    on_started: Callable[[str], None] = lambda url: None,
) -> BoundedServer:
    """Return a server that listens, and answers for a mirror once it is run; as `witness_server`.

    Raises:
        LedgerError: the address isn't ours, or the port is taken.
    """
    hooks = Hooks(
        on_started=on_started,
        on_answer=lambda answered: log(log_line(answered)),
        on_closed=lambda client, why: log(f"{client} closed: {why}"),
        on_fault=lambda error, scope: log(f"failed: {type(error).__name__}"),
    )
    return make_server(
        mirror_app(mirror),
        place,
        bounds=bounds or Bounds(),
        hooks=hooks,
        tell=tell_as_text,
        body_limit=lambda method, path: UPLOAD_SIZE_MAX if path == _ADD_ENTRIES else REQUEST_SIZE_MAX,
    )


def mirror_app(mirror: Mirror) -> Starlette:
    """Return the application that answers for a mirror."""
    uploads = asyncio.Semaphore(UPLOADS_MAX)

    async def add_checkpoint(request: Request) -> Response:
        return await _answer(request, mirror.add_checkpoint, await request.body())

    async def add_entries(request: Request) -> Response:
        if request.headers.get("Content-Type") != _BINARY:
            return _response(request, said(415, f"an upload is {_BINARY}"))
        async with uploads:
            try:
                body = await asyncio.to_thread(_unpacked, await request.body(), request.headers.get("Content-Encoding"))
            except (MalformedError, ConnectionError) as error:
                return _response(request, said(400, str(error)))
            if body is None:
                return _response(request, said(415, "an upload is compressed with gzip, or not at all"))
            if len(body) > UPLOAD_SIZE_MAX:
                return _response(request, said(413, f"an upload has at most {UPLOAD_SIZE_MAX} bytes"))
            return await _answer(request, mirror.add_entries, body)

    async def read(request: Request) -> Response:
        hashed, path = request.path_params["origin_hash"], request.path_params["path"]
        return await asyncio.to_thread(_read, mirror, request, hashed, path)

    app = Starlette(
        routes=[
            Route("/add-checkpoint", add_checkpoint, methods=["POST"]),
            Route(_ADD_ENTRIES, add_entries, methods=["POST"]),
            Route("/{origin_hash}/{path:path}", read, methods=["GET"]),
        ],
        exception_handlers={HTTPException: refusing(_TAKEN)},
    )
    app.router.redirect_slashes = False
    return app


async def _answer(request: Request, ask: Callable[[bytes], WitnessAnswer], body: bytes) -> Response:
    try:
        answer = await asyncio.to_thread(ask, body)
    except (LedgerError, OSError):
        answer = said(_UNAVAILABLE, "the mirror can't keep this now; it signed nothing")
    return _response(request, answer)


def _read(mirror: Mirror, request: Request, hashed: str, path: str) -> Response:
    """Answer with a file of a mirrored log."""
    folder = mirror.folder_of(hashed)
    if folder is not None and path == "checkpoint":
        try:
            note = mirror.latest_note(hashed)
        except LedgerError:
            return _response(request, said(_UNAVAILABLE, "the mirror can't read its state now"))
        if note is not None:
            return Response(note, 200, {"Content-Type": TEXT, "Cache-Control": "no-store"})
    elif folder is not None:
        try:
            data = _file(folder, path)
        except (LedgerError, OSError):
            return _response(request, said(_UNAVAILABLE, "the mirror can't read this now"))
        if data is not None:
            kept = "public, max-age=604800, immutable"
            return Response(data, 200, {"Content-Type": _BINARY, "Cache-Control": kept})
    return _response(request, said(404, "the mirror has no such file"))


def _file(folder: Path, path: str) -> bytes | None:
    try:
        parse_tile_path(path)
    except TileMalformedError:
        return None
    return FolderFiles(folder).read(path, BUNDLE_SIZE_MAX)


def _unpacked(body: bytes, encoding: str | None) -> bytes | None:
    """Return an upload, unpacked up to one byte more than it may have; None if its encoding isn't known.

    Raises:
        MalformedError, ConnectionError: not a whole gzip stream.
    """
    if encoding in (None, "identity"):
        return body
    return gunzip(io.BytesIO(body).read, UPLOAD_SIZE_MAX + 1) if encoding == "gzip" else None


def _response(request: Request, answer: WitnessAnswer) -> Response:
    answered = response(request, answer)
    answered.headers["Accept-Encoding"] = "gzip"
    return answered
