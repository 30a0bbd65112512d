"""A witness over HTTP: few bytes, little time and no trust for anybody who connects, and one line of log a request.

    POST /add-checkpoint                          answered as deciding.py says
    GET  /<hex SHA-256 of the origin>/checkpoint  the newest checkpoint cosigned, 404 if there is none

Bounded are the body (413), the connections at a time (the next is closed unheard) and the time from waiting for a
request to its last byte (tallystick.serving). A body needs its length stated (411), and as many bytes as stated (400).
If the state can't be read or kept, the answer is 503 and no signature. Connections are kept open for more, as the
specification asks.

There is no TLS: listen on loopback, and let a web server in front have certificates and limits for each client.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tallystick.errors import LedgerError
from tallystick.serving.bounds import Bounds
from tallystick.serving.refused import Answered, tell_as_text
from tallystick.serving.server import BoundedServer, Hooks, Place, make_server
from tallystick.witness.cosigner import Witness
from tallystick.witness.deciding import TEXT, WitnessAnswer
from tallystick.witness.request import REQUEST_SIZE_MAX

CONNECTIONS_MAX: Final = 64
REQUEST_SECONDS: Final = 30.0

BOUNDS: Final = Bounds(
    connections_max=CONNECTIONS_MAX,
    head_seconds=REQUEST_SECONDS,
    body_seconds=REQUEST_SECONDS,
    idle_seconds=REQUEST_SECONDS,
    body_bytes_max=REQUEST_SIZE_MAX,
)

_TAKEN: Final = "a witness has POST /add-checkpoint and GET /<origin hash>/checkpoint"

Log = Callable[[str], None]
"""Takes one line, without control characters."""


def witness_server(
    witness: Witness,
    place: Place,
    log: Log,
    *,
    bounds: Bounds = BOUNDS,
    on_started: Callable[[str], None] = lambda url: None,
) -> BoundedServer:
    """Return a server that listens, and answers for a witness once it is run.

    Args:
        witness: who answers.
        place: where to listen.
        log: told of each request, before its answer is seen.
        bounds: what those who connect may take.
        on_started: takes the URL, once requests are answered.

    Raises:
        LedgerError: the address isn't ours, or the port is taken.
    """
    hooks = Hooks(
        on_started=on_started,
        on_answer=lambda answered: log(log_line(answered)),
        on_closed=lambda client, why: log(f"{client} closed: {why}"),
        on_fault=lambda error, scope: log(f"failed: {type(error).__name__}"),
    )
    return make_server(witness_app(witness), place, bounds=bounds, hooks=hooks, tell=tell_as_text)


def witness_app(witness: Witness) -> Starlette:
    """Return the application that answers for a witness."""

    async def add_checkpoint(request: Request) -> Response:
        body = await request.body()
        try:
            answer = await asyncio.to_thread(witness.add_checkpoint, body)
        except LedgerError:
            answer = said(503, "the witness can't keep its state now; it signed nothing")
        return response(request, answer)

    async def newest(request: Request) -> Response:
        try:
            note = await asyncio.to_thread(witness.latest_note, request.path_params["origin_hash"])
        except LedgerError:
            return response(request, said(503, "the witness can't read its state now"))
        if note is None:
            return response(request, said(404, "no checkpoint was cosigned for this log"))
        return response(request, WitnessAnswer(200, note))

    app = Starlette(
        routes=[
            Route("/add-checkpoint", add_checkpoint, methods=["POST"]),
            Route("/{origin_hash}/checkpoint", newest, methods=["GET"]),
        ],
        exception_handlers={HTTPException: refusing(_TAKEN)},
    )
    app.router.redirect_slashes = False
    return app


def refusing(text: str) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Return what answers, with a line of text, a request that no route takes."""

    async def refuse(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        answered = response(request, said(status, text))
        answered.headers.update(getattr(error, "headers", None) or {})
        return answered

    return refuse


def response(request: Request, answer: WitnessAnswer) -> Response:
    """Return an answer as HTTP has it; why it is no other is for the log."""
    if answer.status != 200:
        request.state.detail = answer.text.replace("\n", " ")
    return Response(answer.body, answer.status, {"Content-Type": answer.content_type})


def said(status: int, text: str) -> WitnessAnswer:
    """Return an answer of one line."""
    return WitnessAnswer(status, f"{text}\n".encode(), TEXT)


def log_line(answered: Answered) -> str:
    """Return one line on an answer, without control characters."""
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    asked = f"{answered.method} {answered.target}"
    why = f" {answered.detail}" if answered.detail else ""
    return f"{at} {answered.client} {asked[:120]!a} {answered.status}{why[:300]}"
