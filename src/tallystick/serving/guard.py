"""The guard stands before an application: a request reaches it whole, in one encoding, with its bounds kept, or never.

    1  version, path, header fields that must not come twice, `Expect`, method      refused unread
    2  the length of a body is stated, is allowed here, and there is room for it    refused unread
    3  the body arrives, all of it, in time                                         or 400, 408
    4  the application answers; every answer has a Request-Id                       or 500

Pure ASGI. What isn't HTTP never gets here: connection.py answers that.
"""

import re
import secrets
import time
from collections.abc import Callable, Iterable, MutableMapping
from itertools import count
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tallystick.errors import LedgerError, RequestRefusedError
from tallystick.serving.bounds import Bounds
from tallystick.serving.refused import Answered, Refused, Tell, tell_as_problem

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f]")
_BODILESS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_ONCE: Final = frozenset(
    {
        b"authorization",
        b"content-encoding",
        b"content-length",
        b"content-type",
        b"expect",
        b"host",
        b"if-none-match",
        b"last-event-id",
        b"transfer-encoding",
    }
)

CUT: Final = "tallystick.cut"
"""Where the connection says in a scope why its body ended early, as a `Refused`."""

BodyLimit = Callable[[str, str], int | None]
"""Returns the largest body in bytes for a method and a path, None for the server's own bound."""

OnAnswer = Callable[[Answered], None]
OnFault = Callable[[BaseException, Scope], None]


class Guard:
    """An ASGI application that guards another."""

    def __init__(
        self,
        app: ASGIApp,
        bounds: Bounds,
        *,
        body_limit: BodyLimit | None = None,
        tell: Tell = tell_as_problem,
        on_answer: OnAnswer | None = None,
        on_fault: OnFault | None = None,
    ) -> None:
        """Guard an application.

        Args:
            app: the application.
            bounds: of target and bodies; the others are the server's.
            body_limit: says which paths take larger bodies, or smaller ones.
            tell: words refusals.
            on_answer: told of each answer when it has been sent, or given up.
            on_fault: told of what the application raised.
        """
        self._app = app
        self._bounds = bounds
        self._body_limit = body_limit
        self.tell: Final = tell
        self.on_answer: Final = on_answer
        self._on_fault = on_fault
        self._room = bounds.bodies_bytes_max
        self.request_ids: Final = RequestIds()
        self.failed: Exception | None = None
        """What the application's lifespan ended with, if not well."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass on what is none."""
        if scope["type"] == "lifespan":
            await self._live(scope, receive, send)
            return
        answer = _Answer(scope, send, self.request_ids.new(), self.on_answer)
        scope.setdefault("state", {})["request_id"] = answer.request_id
        held = 0
        try:
            stated = self._stated_length(scope)
            held = self._hold(stated)
            if stated:
                receive = _Rest(await _whole_body(scope, receive, stated), receive)
        except RequestRefusedError as error:
            await answer.refuse(Refused.of(error), error.detail, self.tell)
        else:
            await self._run(scope, receive, answer)
        finally:
            self._room += held
            answer.end()

    async def _run(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        """Let the application answer; if it fails, say so.

        Raises:
            ConnectionAbortedError: it failed within its answer; what went out can't be taken back.
        """
        try:
            await self._app(scope, receive, answer.send)
        except Exception as error:
            if self._on_fault is not None:
                self._on_fault(error, scope)
            if answer.status and not answer.is_complete:
                raise ConnectionAbortedError from None
        if not answer.status:
            await answer.refuse(Refused.INTERNAL_FAULT, "the request could not be answered", self.tell)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application's lifespan, and keep what it raised."""

        async def send_on(message: Message) -> None:
            if message["type"].endswith(".failed"):
                self.failed = self.failed or LedgerError(f"the application says: {message.get('message')}")
                message = {"type": message["type"]}
            await send(message)

        try:
            await self._app(scope, receive, send_on)
        except Exception as error:
            self.failed = error

    def _stated_length(self, scope: Scope) -> int:
        """Return the length of the body of a request that may be read, 0 if it has none.

        Raises:
            RequestRefusedError: it may not.
        """
        _check_start(scope, self._bounds)
        fields = _fields(scope["headers"])
        if scope["http_version"] == "1.1" and b"host" not in fields:
            raise Refused.REQUEST_MALFORMED.error("a request of HTTP/1.1 names its Host")
        if fields.get(b"expect", b"100-continue").lower() != b"100-continue":
            raise Refused.EXPECTATION_UNKNOWN.error("only 100-continue may be expected")
        method = scope["method"]
        if method not in METHODS:
            raise Refused.METHOD_UNKNOWN.error("this method is not known here")
        return self._length(method, scope["path"], fields)

    def _length(self, method: str, path: str, fields: dict[bytes, bytes]) -> int:
        stated = fields.get(b"content-length")
        if b"transfer-encoding" in fields or (stated is None and method in ("POST", "PUT", "PATCH")):
            raise Refused.LENGTH_REQUIRED.error(
                "state the length of the body (Content-Length), and send it in one piece"
            )
        if stated is None or stated == b"0":
            return 0
        if method in _BODILESS:
            raise Refused.REQUEST_MALFORMED.error(f"{method} takes no body")
        if not stated.isdigit():
            raise Refused.REQUEST_MALFORMED.error("the length of the body is no number")
        own = self._body_limit(method, path) if self._body_limit is not None else None
        limit = self._bounds.body_bytes_max if own is None else own
        if len(stated) > 15 or int(stated) > limit:
            raise Refused.BODY_TOO_LARGE.error(f"a body has at most {limit} bytes here")
        return int(stated)

    def _hold(self, length: int) -> int:
        if length > self._room:
            raise Refused.SERVICE_BUSY.error("too many bodies are under way; try again")
        self._room -= length
        return length


class RequestIds:
    """Gives every request of a server another name: 8 random characters of the server's, and a number."""

    def __init__(self) -> None:
        self._server = secrets.token_hex(4)
        self._numbers = count(1)

    def new(self) -> str:
        """Return the next one."""
        return f"{self._server}-{next(self._numbers)}"


class _Answer:
    """An answer on its way; it is told of once, before its last byte is sent or when it is given up."""

    __slots__ = ("_began", "_detail", "_on_answer", "_scope", "_send", "is_complete", "request_id", "status")

    def __init__(self, scope: Scope, send: Send, request_id: str, on_answer: OnAnswer | None) -> None:
        self._scope = scope
        self._send = send
        self._on_answer = on_answer
        self._began = time.perf_counter()
        self._detail = ""
        self.request_id: Final = request_id
        self.status = 0
        self.is_complete = False

    async def send(self, message: Message) -> None:
        """Send on, and name the request in the head."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            named = (b"request-id", self.request_id.encode())
            message = {**message, "headers": [*message.get("headers", ()), named]}
        elif not message.get("more_body", False):
            self.is_complete = True
            self.end()
        await self._send(message)

    async def refuse(self, refused: Refused, detail: str, tell: Tell) -> None:
        """Answer with a refusal, and let the connection end: what is left of the request isn't read."""
        self._detail = detail
        told = tell(refused, detail)
        headers = [
            (b"content-type", told.content_type.encode()),
            (b"content-length", b"%d" % len(told.body)),
            (b"cache-control", b"no-store"),
            (b"connection", b"close"),
        ]
        if refused is Refused.SERVICE_BUSY:
            headers.append((b"retry-after", b"1"))
        await self.send({"type": "http.response.start", "status": refused.status, "headers": headers})
        await self.send({"type": "http.response.body", "body": told.body})

    def end(self) -> None:
        """Tell of the answer, if that wasn't done."""
        told, self._on_answer = self._on_answer, None
        if told is not None:
            told(_answered(self._scope, self, self._detail, time.perf_counter() - self._began))


class _Rest:
    """Receives a body that is here already, and then what comes of the connection."""

    __slots__ = ("_body", "_receive", "_taken")

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body = body
        self._receive = receive
        self._taken = False

    async def __call__(self) -> Message:
        if self._taken:
            return await self._receive()
        self._taken = True
        return {"type": "http.request", "body": self._body, "more_body": False}


async def _whole_body(scope: Scope, receive: Receive, stated: int) -> bytes:
    """Return a body of the stated length.

    Raises:
        RequestRefusedError: it ended early, or took too long.
    """
    pieces: list[bytes] = []
    length = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Refused.BODY_INCOMPLETE.error("the connection ended before the body")
        pieces.append(message.get("body", b""))
        length += len(pieces[-1])
        if not message.get("more_body", False) or length >= stated:
            break
    if length != stated:
        cut: Refused = scope.get(CUT, Refused.BODY_INCOMPLETE)
        raise cut.error(f"the body has {length} bytes, and {stated} were stated")
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _check_start(scope: Scope, bounds: Bounds) -> None:
    """Refuse a version, or a path in an encoding, that isn't ours."""
    if scope["http_version"] not in ("1.0", "1.1"):
        raise Refused.VERSION_UNKNOWN.error("only HTTP/1.0 and HTTP/1.1 are spoken here")
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope["query_string"]
    if len(raw) + len(query) > bounds.target_bytes_max:
        raise Refused.TARGET_TOO_LONG.error(f"path and query have at most {bounds.target_bytes_max} bytes")
    if b"%" in raw or not raw.isascii():
        _check_text(raw, "path")
    if b"%" in query or not query.isascii():
        _check_text(query, "query")


def _check_text(part: bytes, name: str) -> None:
    """Refuse what isn't text once it is decoded; unencoded control characters are no HTTP."""
    try:
        text = unquote_to_bytes(part).decode()
    except UnicodeDecodeError:
        raise Refused.REQUEST_MALFORMED.error(f"the {name} is not UTF-8") from None
    if _CONTROL.search(text):
        raise Refused.REQUEST_MALFORMED.error(f"the {name} has control characters")


def _fields(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """Return the header fields that must not come twice.

    Raises:
        RequestRefusedError: one comes twice.
    """
    fields: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in _ONCE:
            if name in fields:
                raise Refused.REQUEST_MALFORMED.error(f"{name.decode().title()} must not come twice")
            fields[name] = value
    return fields


def _answered(scope: Scope, answer: _Answer, detail: str, seconds: float) -> Answered:
    state: MutableMapping[str, Any] = scope["state"]
    client = scope.get("client")
    query = scope["query_string"]
    target = (scope.get("raw_path") or scope["path"].encode()) + (b"?" + query if query else b"")
    return Answered(
        client=client[0] if client else "-",
        method=scope["method"],
        target=target[:200].decode("latin-1"),
        status=answer.status,
        request_id=answer.request_id,
        seconds=seconds,
        detail=detail or str(state.get("detail", "")),
        route=str(state.get("route", "")),
    )
