"""A service of a log in few lines, over a real ledger: for clients, and with a `twist` for servers that lie or fail.

It speaks what docs/http.md says of entries, checks, checkpoints, tiles and receipts; nothing of rights and views.
"""

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from support.small_ledger import PROVIDER
from tallystick.client import Patience
from tallystick.ledger import Admitted, Ledger
from tallystick.ledger.checking import check_notes
from tallystick.publishing import read_ledger
from tallystick.transparency.tiles import Tile, parse_tile_path
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.quantities import DAY_US, SECOND_US, format_instant
from tallystick.vouchers.refusals import Refusal
from tallystick.wire.answers import recorded, refused

PATIENCE = Patience(
    connect_seconds=5, silence_seconds=10, attempt_seconds=15, total_seconds=20, first_pause_seconds=0.01
)


class Time:
    """A clock that a test moves."""

    def __init__(self, now: int) -> None:
        self.now = now
        self.notes = 0

    def __call__(self) -> int:
        return self.now

    def note(self) -> bytes:
        """A note that the small ledger admits: a tariff later than those before it."""
        self.notes += 1
        later = (self.now + DAY_US) // SECOND_US * SECOND_US + self.notes * SECOND_US
        fields = {"item": "h100", "price_fen": 2_000 + self.notes, "valid_from": format_instant(later)}
        return PROVIDER.note("tariff.publish", self.now, ref=f"client-{self.notes}", **fields)


class Said(NamedTuple):
    """An answer: status, body, type, and more headers."""

    status: int
    body: bytes
    type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


Twist = Callable[[str, str, bytes, Said], Said | None]
"""Given method, target, body and the honest answer, it returns another, or None to hang up."""


def as_problem(refusal: Refusal, status: int = 409) -> dict[str, Any]:
    """A refusal as a problem object."""
    return refused(refusal) | {"title": refusal.reason.meaning, "status": status}


class LogServer(http.server.ThreadingHTTPServer):
    """Serves a ledger; `asked` has each method and target."""

    daemon_threads = True

    def __init__(self, folder: Path, ledger: Ledger | None, clock: Callable[[], int]) -> None:
        self.folder = folder
        self.ledger = ledger
        self.clock = clock
        self.asked: list[str] = []
        self.bodies: list[bytes] = []
        self.twist: Twist | None = None
        super().__init__(("127.0.0.1", 0), _Answering)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def count(self, beginning: str) -> int:
        """How often something was asked that begins like this."""
        return sum(one.startswith(beginning) for one in self.asked)


class _Answering(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: LogServer

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's own name
        pass

    def _answer(self, body: bytes) -> None:
        self.server.asked.append(f"{self.command} {self.path}")
        self.server.bodies.append(body)
        said: Said | None = self._said(body)
        if self.server.twist is not None:
            assert said is not None
            said = self.server.twist(self.command, self.path, body, said)
        if said is None:
            self.close_connection = True
            return
        self.send_response_only(said.status)
        for name, value in (("Content-Type", said.type), ("Content-Length", str(len(said.body))), *said.headers):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(said.body)

    def _said(self, body: bytes) -> Said:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        path = parts.path.removeprefix("/")
        if self.command == "POST":
            return self._posted(path, body)
        with read_ledger(self.server.folder) as reader:
            if path == "checkpoint":
                return Said(200, reader.checkpoint_note(), "text/plain; charset=utf-8")
            if path.startswith("tile/"):
                tile = parse_tile_path(path)
                assert isinstance(tile, Tile)
                return Said(200, reader.read_tile(*tile), "application/octet-stream")
            if path == "v1/entries":
                start, limit = int(query["from"]), int(query["limit"])
                entries = enumerate(reader.entries(start, start + limit), start=start)
                lines = [json.dumps({"index": index, "entry": data.decode()}) + "\n" for index, data in entries]
                return Said(200 if lines else 204, "".join(lines).encode(), "application/jsonl")
            if path.startswith("v1/entries/") and path.endswith("/receipt"):
                index = int(path.split("/")[2])
                if index < reader.size:
                    return Said(200, reader.receipt(index).to_bytes(), "text/x.tlog-proof")
            if path == "v1/info":
                return Said(200, json.dumps({"origin": reader.origin}).encode())
        return Said(404, b'{"reason":"not_found","detail":"there is no such thing"}', "application/problem+json")

    def _posted(self, path: str, body: bytes) -> Said:
        ledger = self.server.ledger
        if ledger is None:
            return Said(503, b"")
        if path == "v1/entries":
            [answer] = ledger.submit([body])
            if isinstance(answer, Refusal):
                return Said(409, json.dumps(as_problem(answer)).encode(), "application/problem+json")
            return Said(201 if answer.is_new else 200, answer.receipt().to_bytes(), "text/x.tlog-proof")
        notes = [json.loads(line).encode() for line in body.splitlines()]
        if path == "v1/entries:batch":
            said = [_submitted(answer) for answer in ledger.submit(notes)]
        elif path == "v1/check:batch":
            with read_ledger(self.server.folder) as reader:
                said = [_checked(answer) for answer in check_notes(reader.state, notes, self.server.clock())]
        else:
            return Said(404, b"")
        return Said(200, b"".join(json.dumps(one).encode() + b"\n" for one in said), "application/jsonl")


def _submitted(answer: Admitted | Refusal) -> dict[str, Any]:
    if isinstance(answer, Refusal):
        return as_problem(answer)
    said = recorded(Entry.from_bytes(answer.entry).event, is_new=answer.is_new)
    return said | {"status": 201 if answer.is_new else 200, "entry": answer.entry.decode()}


def _checked(answer: Entry | Refusal) -> dict[str, Any]:
    return as_problem(answer) if isinstance(answer, Refusal) else recorded(answer.event, is_new=True)


@contextmanager
def serving_log(folder: Path, ledger: Ledger | None, clock: Callable[[], int] = lambda: 0) -> Iterator[LogServer]:
    """Serve a ledger until the block ends."""
    with LogServer(folder, ledger, clock) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
