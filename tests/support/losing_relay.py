"""A relay before a service that loses the answers to notes: they have arrived, and their sender never hears of it."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2

LOST = "/v1/entries"


class _Relayed(http.server.BaseHTTPRequestHandler):
    """One request, passed on."""

    server: "LosingRelay"

    def do_GET(self) -> None:
        self._pass_on(b"")

    def do_POST(self) -> None:
        self._pass_on(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's own name
        """Print nothing."""

    def _pass_on(self, body: bytes) -> None:
        headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
        answer = httpx2.request(self.command, self.server.behind + self.path, content=body, headers=headers, timeout=30)
        if self.command == "POST" and self.path.startswith(LOST):
            self.close_connection = True
            return
        self.send_response(answer.status_code)
        for name, value in answer.headers.items():
            if name.lower() not in ("connection", "date", "server", "transfer-encoding", "content-encoding"):
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.content)


class LosingRelay(http.server.ThreadingHTTPServer):
    """Listens on a free port.

    Attributes:
        behind: the URL of the service.
    """

    daemon_threads = True

    def __init__(self, behind: str) -> None:
        super().__init__(("127.0.0.1", 0), _Relayed)
        self.behind = behind


@contextmanager
def losing_answers(behind: str) -> Iterator[str]:
    """Give the URL of a relay."""
    with LosingRelay(behind) as relay:
        thread = threading.Thread(target=relay.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{relay.server_port}"
        finally:
            relay.shutdown()
            thread.join()
