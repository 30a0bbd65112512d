"""One connection: uvicorn's own, over httptools, with an end to all that a stranger can draw out.

uvicorn 0.54 bounds the idle time between requests and nothing else. Added here:

- a bound on connections, on the time of a head and of a body, and on an answer that isn't taken (phases.py)
- a bound on target, head and number of header fields while they arrive, and on requests sent ahead
- what isn't HTTP is answered after the requests before it, as the application's refusals are, and with a Request-Id
- a client that has sent all that it will is still answered; one that stopped inside a body is told so
- after the last answer the rest of what comes is read and thrown away for a while: closing on unread bytes would reset
  the connection, and the answer would be lost

There are no WebSockets, and `Upgrade` is passed over, as RFC 9110 allows.
"""

import asyncio
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from tallystick.errors import RequestRefusedError
from tallystick.serving.bounds import Bounds
from tallystick.serving.guard import CUT
from tallystick.serving.phases import Phase, Phases
from tallystick.serving.refused import Answered, Refused

if TYPE_CHECKING:
    from uvicorn._types import ASGIApplication, ASGISendEvent
    from uvicorn.server import ServerState

    from tallystick.serving.settings import BoundedConfig

_BY_MESSAGE: Final = (
    ("Invalid HTTP version", Refused.VERSION_UNKNOWN, "only HTTP/1.0 and HTTP/1.1 are spoken here"),
    ("Content-Length overflow", Refused.BODY_TOO_LARGE, "no body of this length is taken here"),
    ("Duplicate Content-Length", Refused.REQUEST_MALFORMED, "Content-Length must not come twice"),
    ("Content-Length can't be", Refused.REQUEST_MALFORMED, "state a Content-Length, and no Transfer-Encoding"),
    (
        "Transfer-Encoding can't be",
        Refused.REQUEST_MALFORMED,
        "state a Content-Length, and no Transfer-Encoding",
    ),
    ("Content-Length", Refused.REQUEST_MALFORMED, "the length of the body is no number"),
    ("Transfer-Encoding", Refused.REQUEST_MALFORMED, "this Transfer-Encoding is not taken here"),
    ("Data after", Refused.REQUEST_MALFORMED, "more came after a request that closes the connection"),
)
_THROWN_AWAY_MAX: Final = 2**20


class BoundedProtocol(HttpToolsProtocol):
    """A connection of a server with bounds."""

    config: "BoundedConfig"

    def __init__(
        self,
        config: "BoundedConfig",
        server_state: "ServerState",
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.parser = httptools.HttpRequestParser(self)  # without the leniency of uvicorn's
        self.phase: Phase | None = None
        self._phases: Phases = config.phases
        self._bounds: Bounds = config.phases.bounds
        self._answering: BoundedCycle | None = None  # the request whose turn it is; `cycle` is the newest
        self._in_head = False
        self._heads = 0  # how many have begun
        self._head_bytes = 0  # of the fields that were parsed
        self._unparsed_bytes = 0  # of the pieces that brought nothing but more of one head
        self._deaf = False  # nothing more is parsed
        self._eof = False
        self._refusal: RequestRefusedError | None = None  # to be told after the answers under way
        self._left_unsent = -1
        self._thrown_away = 0

    # ---------------------------------------------------------------------------------- the transport's calls

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Admit the connection, or close it."""
        super().connection_made(transport)
        if not self._phases.admit(self):
            self.config.hooks.on_closed(self._client_name, f"{self._phases.open} connections are open")
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count the connection out."""
        self._phases.leave(self)
        self._deaf = True
        self.pipeline.clear()
        if self._answering is not None:  # uvicorn tells the newest request alone
            self._answering.disconnected = True
            self._answering.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came, or throw it away."""
        if self.phase is Phase.LINGERING:
            self._thrown_away += len(data)
            if self._thrown_away > _THROWN_AWAY_MAX:
                self.transport.abort()
        if self._deaf or self.phase is None or self.transport.is_closing():
            return
        was_in_head, head_before = self._in_head, self._heads
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._deaf = True
            self.cycle.keep_alive = False
            self._settle()
        except httptools.HttpParserError as error:
            self._refuse(_refusal_of(error))
        else:
            self._settle()
            if self._in_head and was_in_head and self._heads == head_before:
                self._bound_unparsed(len(data))

    def eof_received(self) -> bool:  # type: ignore[override]
        """Answer what came whole, say what is missing of the rest, and close then."""
        self._eof = True
        if self._answering is None:
            return False
        self._deaf = True
        if self.cycle.more_body:
            self._cut_body(Refused.BODY_INCOMPLETE)
        self.cycle.keep_alive = False
        return True

    def pause_writing(self) -> None:
        """Note that the client doesn't take its answer."""
        super().pause_writing()
        self._phases.stuck(self, is_stuck=True)

    def resume_writing(self) -> None:
        """Note that it does again."""
        super().resume_writing()
        self._phases.stuck(self, is_stuck=False)

    # ------------------------------------------------------------------------------------- the parser's calls

    def on_message_begin(self) -> None:
        """Begin a head, unless too many requests wait already."""
        if len(self.pipeline) >= self._bounds.pipelined_max:
            raise Refused.SERVICE_BUSY.error("too many requests were sent ahead")
        self._head_bytes = self._unparsed_bytes = 0
        self._heads += 1
        self._in_head = True
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Take a piece of the target."""
        super().on_url(url)
        if len(self.url) > self._bounds.target_bytes_max:
            raise Refused.TARGET_TOO_LONG.error(f"path and query have at most {self._bounds.target_bytes_max} bytes")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header field."""
        super().on_header(name, value)
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > self._bounds.head_bytes_max or len(self.headers) > self._bounds.headers_max:
            raise Refused.HEAD_TOO_LARGE.error(
                f"at most {self._bounds.headers_max} header fields with {self._bounds.head_bytes_max} bytes are taken",
            )

    def on_headers_complete(self) -> None:
        """Start the application on the request, or queue it."""
        self._in_head = False
        scope = self.scope
        scope["method"] = self.parser.get_method().decode("ascii")
        scope["http_version"] = version = self.parser.get_http_version()
        raw_path, query = _path_and_query(self.url)
        scope["path"] = self.root_path + unquote(raw_path.decode("ascii"))
        scope["raw_path"] = self.root_path.encode() + raw_path
        scope["query_string"] = query
        self.cycle = cycle = BoundedCycle(
            scope=scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=version == "1.1" and self.parser.should_keep_alive() and not self._phases.draining,
            on_response=self.on_response_complete,
        )
        if self._answering is None:
            self._start(cycle)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, self.app))

    # ------------------------------------------------------------------------------------------- what comes of it

    def on_response_complete(self) -> None:
        """Go on to the next request, or wait for one, or end."""
        self.server_state.total_requests += 1
        ended, self._answering = self._answering, None
        if self.transport.is_closing() or self.phase is None:
            return
        if ended is not None and ended.is_last:
            if self._deaf or ended.more_body:
                self._linger()
            else:
                self._close()
        elif self.pipeline:
            self.flow.resume_reading()
            self._start(cast("BoundedCycle", self.pipeline.pop()[0]))
            self._settle()
        elif self._refusal is not None:
            self._tell_refusal(self._refusal)
        else:
            self.flow.resume_reading()
            self._settle()

    def shutdown(self) -> None:
        """Answer what is under way, and close then; a connection that asks nothing is closed now."""
        if self._answering is None:
            self.transport.close()
        else:
            self.cycle.keep_alive = False

    def take_too_long(self) -> None:
        """End the phase."""
        if self.phase is Phase.BODY:
            self._deaf = True
            self._cut_body(Refused.REQUEST_TOO_SLOW)
        elif self.phase is Phase.HEAD and self._in_head:
            self._refuse(Refused.REQUEST_TOO_SLOW.error("the head took too long to arrive"))
        elif (left := self.transport.get_write_buffer_size()) and left != self._left_unsent and self.phase:
            self._left_unsent = left  # the client still reads
            self._phases.enter(self, self.phase)
        elif left:
            self.give_up("it does not take its answer")
        else:
            self.transport.abort()

    def give_up(self, why: str) -> None:
        """Close at once, and say why."""
        self.config.hooks.on_closed(self._client_name, why)
        self._phases.leave(self)
        self.transport.abort()

    @property
    def _client_name(self) -> str:
        return self.client[0] if self.client else "-"

    def _start(self, cycle: "BoundedCycle") -> None:
        self._answering = cycle
        self._start_asgi_task(cycle, self.app)

    def _settle(self) -> None:
        """Enter the phase that what came, or was answered, has led to."""
        if self._answering is not None:
            phase = Phase.BODY if self._answering.more_body else Phase.ANSWERING
        else:
            phase = Phase.HEAD if self._in_head else Phase.IDLE
        if phase is not self.phase:
            self._phases.enter(self, phase)

    def _cut_body(self, why: Refused) -> None:
        """Let the body end where it is; the guard compares what it has with what was stated."""
        cycle = self.cycle
        cycle.scope[CUT] = why  # type: ignore[typeddict-unknown-key]
        cycle.more_body = False
        cycle.keep_alive = False
        cycle.message_event.set()
        self._settle()

    def _bound_unparsed(self, length: int) -> None:
        """Bound what the parser keeps of a header field whose end hasn't come."""
        self._unparsed_bytes += length
        if self._unparsed_bytes > 2 * self._bounds.head_bytes_max + self._bounds.target_bytes_max:
            self._refuse(Refused.HEAD_TOO_LARGE.error("the head doesn't end"))

    def _refuse(self, refusal: RequestRefusedError) -> None:
        """Parse no more, and say why: now, or after the answers under way."""
        self._deaf = True
        if self._answering is None:
            self._tell_refusal(refusal)
        elif self.cycle.more_body:
            self._cut_body(Refused.BODY_INCOMPLETE)
        else:
            self._refusal = refusal
            self._settle()

    def _tell_refusal(self, refusal: RequestRefusedError) -> None:
        """Answer what never became a request of the application."""
        refused = Refused.of(refusal)
        request_id = self.config.guard.request_ids.new()
        told = self.config.guard.tell(refused, refusal.detail)
        fields = [
            *self.server_state.default_headers,
            (b"content-type", told.content_type.encode()),
            (b"content-length", b"%d" % len(told.body)),
            (b"cache-control", b"no-store"),
            (b"request-id", request_id.encode()),
            (b"connection", b"close"),
        ]
        head = b"".join([name + b": " + value + b"\r\n" for name, value in fields])
        self.transport.write(STATUS_LINE[refused.status] + head + b"\r\n" + told.body)
        if self.config.guard.on_answer is not None:
            target = (self.url[:200] if self._head_bytes or self._in_head else b"").decode("latin-1") or "-"
            self.config.guard.on_answer(
                Answered(self._client_name, "-", target, refused.status, request_id, 0.0, refusal.detail, "")
            )
        self._linger()

    def _linger(self) -> None:
        """Send no more, and read on for a while before closing."""
        self._deaf = True
        if self._eof:
            self._close()
            return
        self._phases.enter(self, Phase.LINGERING)
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()

    def _close(self) -> None:
        """Close, once the client has what was sent to it; that takes time as well."""
        self._phases.enter(self, Phase.LINGERING)
        self.transport.close()


class BoundedCycle(RequestResponseCycle):
    """One request and its answer."""

    is_last = False
    """Whether the connection ends with this answer."""

    async def run_asgi(self, app: "ASGIApplication") -> None:
        """Run the application, which is a guard: what it raises ends the connection."""
        try:
            await app(self.scope, self.receive, self.send)  # type: ignore[call-arg, misc]
            if not self.response_complete and not self.disconnected:
                self.transport.abort()
        except BaseException:
            self.transport.abort()
            raise
        finally:
            self.on_response = lambda: None

    async def send(self, message: "ASGISendEvent") -> None:
        """Send on; the end of the last answer is the connection's to see, not uvicorn's to close on."""
        if self.response_started and not self.keep_alive and not message.get("more_body", False):
            self.is_last = True
            self.keep_alive = True
        await super().send(message)


def _path_and_query(target: bytes) -> tuple[bytes, bytes]:
    """Split a target in origin form, or in absolute form; of any other, all is the path.

    Raises:
        RequestRefusedError: neither.
    """
    if not target.startswith(b"/") and b"://" in target:
        try:
            parsed = httptools.parse_url(target)
        except httptools.HttpParserInvalidURLError:
            raise Refused.REQUEST_MALFORMED.error("the address asked for is none") from None
        return parsed.path or b"/", parsed.query or b""
    path, _, query = target.partition(b"?")
    return path, query


def _refusal_of(error: httptools.HttpParserError) -> RequestRefusedError:
    """Return what a fault of the parser's comes to; ours are raised within its calls."""
    if isinstance(error.__context__, RequestRefusedError):
        return error.__context__
    message = str(error)
    for part, refused, detail in _BY_MESSAGE:
        if part in message:
            return refused.error(detail)
    if isinstance(error, httptools.HttpParserInvalidMethodError):
        return Refused.REQUEST_MALFORMED.error("this is no request of HTTP/1.1")
    return Refused.REQUEST_MALFORMED.error("the head is not in the form of HTTP/1.1")
