"""A witness over HTTP: few bytes, little time and no trust for anybody who connects, and one line of log a request.

    POST /add-checkpoint                          answered as deciding.py says
    GET  /<hex SHA-256 of the origin>/checkpoint  the newest checkpoint cosigned, 404 if there is none

Bounded are the body (413), the connections at a time (the next is closed unheard) and the time from waiting for a
request to its last byte. A body needs its length stated (411), and as many bytes as stated (400). If the state can't be
read or kept, the answer is 503 and no signature. Connections are kept open for more, as the specification asks.

There is no TLS: listen on loopback, and let a web server in front have certificates and limits for each client.
"""

import contextlib
import http.server
import socket
import socketserver
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from tallystick.errors import LedgerError
from tallystick.witness.cosigner import Witness
from tallystick.witness.deciding import TEXT, WitnessAnswer
from tallystick.witness.request import REQUEST_SIZE_MAX

CONNECTIONS_MAX: Final = 64
REQUEST_SECONDS: Final = 30.0

_ADD_CHECKPOINT: Final = "/add-checkpoint"
_CHECKPOINT: Final = "/checkpoint"
_DRAINED_MAX: Final = 2**20

Log = Callable[[str], None]
"""Takes one line, without control characters."""


class WitnessServer(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """Listens once it is made; `serve_forever` answers, until `shutdown` is called from another thread."""

    daemon_threads = True
    request_queue_size = CONNECTIONS_MAX

    def __init__(
        self, witness: Witness, host: str, port: int, log: Log, *, request_seconds: float = REQUEST_SECONDS
    ) -> None:
        """Listen.

        Args:
            witness: who answers.
            host: the address to listen on.
            port: the port, 0 for any that is free.
            log: told of each request.
            request_seconds: for waiting for a request and getting it whole.

        Raises:
            OSError: the address isn't ours, or the port is taken.
        """
        self.witness: Final = witness
        self.log: Final = log
        self.request_seconds: Final = request_seconds
        self._free = threading.BoundedSemaphore(CONNECTIONS_MAX)
        if ":" in host:
            self.address_family = socket.AF_INET6
        super().__init__((host, port), _Exchange)

    def server_bind(self) -> None:
        """Bind, and ask no name server what the address is called."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[:2]  # type: ignore[assignment]

    @property
    def url(self) -> str:
        """Where it listens."""
        host, port = self.server_address[:2]
        return f"http://[{host!s}]:{port}" if ":" in str(host) else f"http://{host!s}:{port}"

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - the library's signature
        """Start a thread for a connection, or close it if there are too many."""
        if not self._free.acquire(blocking=False):
            self.log(f"{client_address[0]} closed: {CONNECTIONS_MAX} connections are open")
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._free.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Answer a connection, and count it out."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Log what went wrong with a connection in one line; mostly the other side hung up."""
        self.log(f"{client_address[0]} closed: {type(sys.exception()).__name__}")


class _Exchange(http.server.BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "tallystick-witness"
    sys_version = ""
    disable_nagle_algorithm = True
    server: WitnessServer

    def handle_one_request(self) -> None:
        """Answer one request; whatever takes too long is cut off."""
        timer = threading.Timer(self.server.request_seconds, self._cut)
        timer.daemon = True
        timer.start()
        try:
            super().handle_one_request()
        finally:
            timer.cancel()

    def do_POST(self) -> None:
        """Answer add-checkpoint."""
        body = self._body()
        if isinstance(body, WitnessAnswer):
            self.close_connection = True  # what is left of the body can't be told from a next request
            self._answer(body)
            self._drain()
        elif self.path != _ADD_CHECKPOINT:
            self._answer(_said(404, "a witness has POST /add-checkpoint and GET /<origin hash>/checkpoint"))
        else:
            try:
                answer = self.server.witness.add_checkpoint(body)
            except LedgerError:
                answer = _said(503, "the witness can't keep its state now; it signed nothing")
            self._answer(answer)

    def do_GET(self) -> None:
        """Answer with the newest checkpoint cosigned."""
        # No client sends a body with GET; if one does, it is not the next request.
        if self.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in self.headers:
            self.close_connection = True
        if self.path == _ADD_CHECKPOINT:
            self._answer(_said(405, "this is asked with POST"))
            return
        note = None
        if self.path.startswith("/") and self.path.endswith(_CHECKPOINT):
            try:
                note = self.server.witness.latest_note(self.path[1 : -len(_CHECKPOINT)])
            except LedgerError:
                self._answer(_said(503, "the witness can't read its state now"))
                return
        self._answer(
            _said(404, "no checkpoint was cosigned for this log") if note is None else WitnessAnswer(200, note)
        )

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer what isn't HTTP as we know it: in text, on one line, without repeating what was asked."""
        self.close_connection = True
        self.request_version = self.protocol_version  # what came names none, or an odd one; our answer has a head
        self._answer(_said(code, {501: "this method is not known here"}.get(code, "this is no request")))

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing here: `_answer` knows more."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401 - the library's signature
        """Log nothing of the library's."""

    def _body(self) -> bytes | WitnessAnswer:
        """Return the body, or why it isn't read."""
        lengths = self.headers.get_all("Content-Length", [])
        if "Transfer-Encoding" in self.headers or len(lengths) != 1:
            return _said(411, "state the length of the body, once, and send it in one piece")
        stated = lengths[0]
        if not (stated.isascii() and stated.isdigit()):
            return _said(400, "the length of the body is no number")
        if len(stated) > 9 or int(stated) > REQUEST_SIZE_MAX:
            return _said(413, f"a request has at most {REQUEST_SIZE_MAX} bytes")
        body = self.rfile.read(int(stated))
        if len(body) != int(stated):
            return _said(400, "the body is shorter than stated")
        return body

    def _answer(self, answer: WitnessAnswer) -> None:
        asked = f"{getattr(self, 'command', None) or '-'} {getattr(self, 'path', '-')}"
        why = "" if answer.status == 200 else f" {answer.text}"
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.server.log(f"{at} {self.client_address[0]} {asked[:120]!a} {answer.status}{why[:300]}")
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if getattr(self, "command", None) != "HEAD":
            self.wfile.write(answer.body)

    def _drain(self) -> None:
        """Read on for a while: closing on unread bytes would reset the connection before our answer is seen."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            left = _DRAINED_MAX
            while left > 0 and (piece := self.rfile.read1(min(left, 65_536))):
                left -= len(piece)

    def _cut(self) -> None:
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)


def _said(status: int, text: str) -> WitnessAnswer:
    return WitnessAnswer(status, f"{text}\n".encode(), TEXT)
