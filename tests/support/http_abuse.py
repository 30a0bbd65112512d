"""What strangers send to a server that listens: raw bytes, what may come back, and a client that counts it.

`MALFORMED` is written for no application in particular: `{post}` stands for a path that takes a body, `{get}` for one
that doesn't, and `{too_long}` for one more byte than the bodies of that path may have.
"""

import contextlib
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from tallystick.serving.bounds import Bounds

PATIENCE_SECONDS: Final = 20.0


class Target(NamedTuple):
    """A server that runs, and what is asked of it."""

    url: str
    get: str
    get_status: int
    post: str
    body_bytes_max: int
    content_type: str = "application/problem+json"


Serving = Callable[[Bounds], AbstractContextManager[Target]]


@dataclass(frozen=True, slots=True)
class Abuse:
    """Bytes, and the statuses that may come back; an empty tuple for a connection closed without an answer."""

    data: bytes
    statuses: tuple[int, ...]
    finished: bool = False

    def bytes_for(self, target: Target) -> bytes:
        """Return the bytes for a server."""
        data = self.data.replace(b"{post}", target.post.encode()).replace(b"{get}", target.get.encode())
        return data.replace(b"{too_long}", b"%d" % (target.body_bytes_max + 1))


_GET: Final = b"GET {get} HTTP/1.1\r\nHost: h\r\n"
_POST: Final = b"POST {post} HTTP/1.1\r\nHost: h\r\n"
_CHUNKED: Final = _POST + b"Transfer-Encoding: chunked\r\n\r\n"

MALFORMED: Final = {
    "nothing of HTTP": Abuse(b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", (400,)),
    "a word": Abuse(b"hello\r\n\r\n", (400,)),
    "a name that is no method": Abuse(b"FETCH {get} HTTP/1.1\r\nHost: h\r\n\r\n", (400,)),
    "a method in small letters": Abuse(b"get {get} HTTP/1.1\r\nHost: h\r\n\r\n", (400,)),
    "a method of WebDAV": Abuse(b"PROPFIND {get} HTTP/1.1\r\nHost: h\r\n\r\n", (501,)),
    "TRACE": Abuse(b"TRACE {get} HTTP/1.1\r\nHost: h\r\n\r\n", (501,)),
    "CONNECT": Abuse(b"CONNECT elsewhere:443 HTTP/1.1\r\nHost: h\r\n\r\n", (501,)),
    "a preface of HTTP/2": Abuse(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400, 505)),
    "HTTP/2.0": Abuse(b"GET {get} HTTP/2.0\r\nHost: h\r\n\r\n", (505,)),
    "HTTP/9.9": Abuse(b"GET {get} HTTP/9.9\r\nHost: h\r\n\r\n", (505,)),
    "HTTP/0.9": Abuse(b"GET {get}\r\n\r\n", (505,)),
    "no Host": Abuse(b"GET {get} HTTP/1.1\r\n\r\n", (400,)),
    "two Hosts": Abuse(_GET + b"Host: h\r\n\r\n", (400,)),
    "two Authorizations": Abuse(_GET + b"Authorization: a\r\nAuthorization: b\r\n\r\n", (400,)),
    "two lengths": Abuse(_POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc", (400,)),
    "the same length twice": Abuse(_POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nab", (400,)),
    "two lengths in one": Abuse(_POST + b"Content-Length: 2, 2\r\n\r\nab", (400,)),
    "two types": Abuse(_POST + b"Content-Type: a/b\r\nContent-Type: c/d\r\nContent-Length: 0\r\n\r\n", (400,)),
    "two codings": Abuse(
        _POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", (400, 411)
    ),
    "length and coding": Abuse(_POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", (400,)),
    "coding and length": Abuse(_POST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", (400,)),
    "no length": Abuse(_POST + b"\r\n", (411,)),
    "chunks": Abuse(_CHUNKED + b"2\r\nab\r\n0\r\n\r\n", (411,)),
    "a chunk longer than it says": Abuse(_CHUNKED + b"2\r\nabcdef\r\n0\r\n\r\n", (400, 411)),
    "a chunk of no size": Abuse(_CHUNKED + b"zz\r\nab\r\n", (400, 411)),
    "a chunk of all sizes": Abuse(_CHUNKED + b"ffffffffffffffffff\r\nab\r\n", (400, 411)),
    "a chunk of a negative size": Abuse(_CHUNKED + b"-2\r\nab\r\n", (400, 411)),
    "chunks that don't end": Abuse(_CHUNKED + b"2\r\nab\r\n", (400, 411), finished=True),
    "an extension of a chunk that doesn't end": Abuse(_CHUNKED + b"2;" + b"a" * 200_000, (400, 411)),
    "gzip as coding": Abuse(_POST + b"Transfer-Encoding: gzip\r\n\r\nab", (400, 411)),
    "chunked in capitals with a blank": Abuse(_POST + b"Transfer-Encoding:  CHUNKED \r\n\r\n0\r\n\r\n", (400, 411)),
    "a length with a sign": Abuse(_POST + b"Content-Length: +2\r\n\r\nab", (400,)),
    "a negative length": Abuse(_POST + b"Content-Length: -2\r\n\r\nab", (400,)),
    "a length in Python": Abuse(_POST + b"Content-Length: 2_0\r\n\r\nab", (400,)),
    "a length in hex": Abuse(_POST + b"Content-Length: 0x2\r\n\r\nab", (400,)),
    "an empty length": Abuse(_POST + b"Content-Length: \r\n\r\n", (400,)),
    "a length beyond all": Abuse(_POST + b"Content-Length: 99999999999999999999999\r\n\r\n", (413,)),
    "one byte too many": Abuse(_POST + b"Content-Length: {too_long}\r\n\r\n", (413,)),
    "one byte too many, expected": Abuse(_POST + b"Expect: 100-continue\r\nContent-Length: {too_long}\r\n\r\n", (413,)),
    "fewer bytes than stated": Abuse(_POST + b"Content-Length: 9\r\n\r\nabc", (400,), finished=True),
    "a body with GET": Abuse(_GET + b"Content-Length: 3\r\n\r\nabc", (400,)),
    "chunks with GET": Abuse(_GET + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", (411,)),
    "an expectation": Abuse(_POST + b"Expect: the best\r\nContent-Length: 0\r\n\r\n", (417,)),
    "two expectations": Abuse(
        _POST + b"Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n", (400,)
    ),
    "a long target": Abuse(b"GET {get}?" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: h\r\n\r\n", (414,)),
    "a target that doesn't end": Abuse(b"GET {get}?" + b"a" * 400_000, (414,)),
    "a field that doesn't end": Abuse(_GET + b"a: " + b"b" * 400_000, (431,)),
    "a field's name that doesn't end": Abuse(_GET + b"b" * 400_000, (431,)),
    "a large field": Abuse(_GET + b"a: " + b"b" * 70_000 + b"\r\n\r\n", (431,)),
    "many fields": Abuse(_GET + b"a: b\r\n" * 200 + b"\r\n", (431,)),
    "a blank before the colon": Abuse(_GET + b"a : b\r\n\r\n", (400,)),
    "a field on two lines": Abuse(_GET + b"a: b\r\n c\r\n\r\n", (400,)),
    "a field without a name": Abuse(_GET + b": b\r\n\r\n", (400,)),
    "a field without a colon": Abuse(_GET + b"b\r\n\r\n", (400,)),
    "a byte 0 in a field": Abuse(_GET + b"a: \x00\r\n\r\n", (400,)),
    "lines that end in LF": Abuse(b"GET {get} HTTP/1.1\nHost: h\n\n", (400,)),
    "a lonely CR": Abuse(_GET + b"a: b\rc\r\n\r\n", (400,)),
    "a byte 0 in the target": Abuse(b"GET {get}\x00 HTTP/1.1\r\nHost: h\r\n\r\n", (400,)),
    "an escape in the target": Abuse(b"GET {get}\x1b[2J HTTP/1.1\r\nHost: h\r\n\r\n", (400,)),
    "a byte beyond ASCII in the target": Abuse(b"GET {get}\xff HTTP/1.1\r\nHost: h\r\n\r\n", (400,)),
    "an encoded byte 0": Abuse(b"GET {get}%00 HTTP/1.1\r\nHost: h\r\n\r\n", (400,)),
    "an encoded newline": Abuse(b"GET {get}%0a HTTP/1.1\r\nHost: h\r\n\r\n", (400,)),
    "no UTF-8 in the target": Abuse(b"GET {get}%ff%fe HTTP/1.1\r\nHost: h\r\n\r\n", (400,)),
    "no UTF-8 in the query": Abuse(b"GET {get}?a=%ff HTTP/1.1\r\nHost: h\r\n\r\n", (400,)),
    "a target with a blank": Abuse(b"GET {get} {get} HTTP/1.1\r\nHost: h\r\n\r\n", (400,)),
    "a target without a slash": Abuse(b"GET a/b HTTP/1.1\r\nHost: h\r\n\r\n", (400,)),
    "a target of another kind": Abuse(b"GET file:///etc/passwd HTTP/1.1\r\nHost: h\r\n\r\n", (400, 404)),
    "an upgrade with a body": Abuse(
        _POST + b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\n\r\nabc", (400,)
    ),
    "half a head, and no more": Abuse(b"GET {get} HTT", (), finished=True),
    "nothing at all": Abuse(b"", (), finished=True),
    "empty lines": Abuse(b"\r\n" * 1_000, (), finished=True),
}


class Answer(NamedTuple):
    """An answer as it came over the wire."""

    status: int
    fields: dict[str, str]
    body: bytes


@contextlib.contextmanager
def connected(url: str) -> Iterator[socket.socket]:
    """Connect, and close at the end of the block."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE_SECONDS) as connection:
        yield connection


def exchange(url: str, data: bytes, *, finished: bool = False) -> bytes:
    """Send bytes on a connection of their own, and return all that comes until the server closes it."""
    with connected(url) as connection:
        with contextlib.suppress(OSError):  # the server may have closed before the last byte
            connection.sendall(data)
            if finished:
                connection.shutdown(socket.SHUT_WR)
        return read_all(connection)


def read_all(connection: socket.socket) -> bytes:
    """Return what comes until the connection is closed or reset."""
    received = b""
    with contextlib.suppress(ConnectionError):
        while more := connection.recv(65_536):
            received += more
    return received


def answers(received: bytes) -> list[Answer]:
    """Return the answers in what was received; each states its length, or is in chunks."""
    found = []
    while received:
        head, end, received = received.partition(b"\r\n\r\n")
        assert end, head
        start, *lines = head.decode("latin-1").split("\r\n")
        match = re.fullmatch(r"HTTP/1\.1 ([1-5][0-9][0-9]) .*", start)
        assert match, start
        fields = dict(line.lower().split(": ", 1) for line in lines)
        status = int(match[1])
        length = int(fields.get("content-length", "0"))
        body = b""
        if fields.get("transfer-encoding") == "chunked":
            while not body.endswith(b"0\r\n\r\n"):
                piece, end, received = received.partition(b"0\r\n\r\n")
                assert end
                body += piece + end
        elif status >= 200:
            body, received = received[:length], received[length:]
            assert len(body) == length
        found.append(Answer(status, fields, body))
    return found


def good_request(target: Target, *, last: bool = True) -> bytes:
    """Return a request that the server answers."""
    return f"GET {target.get} HTTP/1.1\r\nHost: h\r\n{'Connection: close' if last else 'X: y'}\r\n\r\n".encode()


def assert_alive(target: Target) -> None:
    """Assert that the server answers as before."""
    [answer] = answers(exchange(target.url, good_request(target)))
    assert answer.status == target.get_status


def assert_refused(target: Target, answer: Answer, statuses: tuple[int, ...]) -> None:
    """Assert that an answer is a refusal in the application's words, with a name, after which the connection ends."""
    assert answer.status in statuses
    assert answer.fields["connection"] == "close"
    assert answer.fields["content-type"] == target.content_type
    assert answer.fields["request-id"]
    assert answer.body.endswith(b"\n")
    assert b"Traceback" not in answer.body
