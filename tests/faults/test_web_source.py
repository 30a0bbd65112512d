"""A server lies, hangs, breaks off or never ends: reading is bounded, and what is no answer is not taken for one."""

import gzip
import socket
import ssl
import struct
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from support.web_server import Answer, ScriptedServer, serving
from tallystick.errors import AccessDeniedError, LedgerError, UsageError
from tallystick.static import web
from tallystick.static.web import WebFiles

FOUND = b"HTTP/1.1 302 Found\r\nConnection: close\r\nLocation: "
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nright"


OPENED: list[WebFiles] = []


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(web, "PAUSES_SECONDS", (0.0, 0.0, 0.0))
    yield
    while OPENED:
        OPENED.pop().close()


def files_at(url: str, **more: Any) -> WebFiles:
    """Return the files below a URL, closed after the test."""
    OPENED.append(WebFiles(url, **({"timeout_seconds": 0.2, "attempt_seconds": 0.4} | more)))
    return OPENED[-1]


def reset(connection: socket.socket) -> None:
    connection.sendall(GOOD[:-2])
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def hang(connection: socket.socket) -> None:
    connection.recv(1)


def hang_in_the_body(connection: socket.socket) -> None:
    connection.sendall(GOOD[:-2])
    connection.recv(1)


def drip(connection: socket.socket, head: bytes = b"HTTP/1.1 200 OK\r\n\r\n", piece: bytes = b"x") -> None:
    connection.sendall(head)
    for _ in range(100):
        time.sleep(0.05)
        connection.sendall(piece)


def drip_headers(connection: socket.socket) -> None:
    drip(connection, b"HTTP/1.1 200 OK\r\nX: ", b"x")


def endless_continue(connection: socket.socket) -> None:
    drip(connection, b"", b"HTTP/1.1 100 Continue\r\n\r\n")


def endless_body(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b"x" * 65_536)


def endless_headers(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X: y\r\n" * 10_000)


def endless_line(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"x" * 65_536)


def endless_chunks(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"4\r\nxxxx\r\n" * 1_000)


FAILING: dict[str, Answer] = {
    "nothing": b"",
    "no HTTP": b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
    "reset": reset,
    "hangs": hang,
    "hangs in the body": hang_in_the_body,
    "drips its headers": drip_headers,
    "100 Continue for ever": endless_continue,
    "headers for ever": endless_headers,
    "a line for ever": endless_line,
    "promises more than it sends": b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nright",
    "promises far more": b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nright",
    "breaks off in a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nrig",
    "breaks off between chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nright\r\n",
    "a chunk's size is no number": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfive\r\nright\r\n0\r\n\r\n",
    "500": b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
    "503 and a lie": b"HTTP/1.1 503 Busy\r\nContent-Length: 3\r\n\r\nbusy, indeed",
    "429": b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 99999999\r\nContent-Length: 0\r\n\r\n",
}
FINAL: dict[str, Answer] = {
    "403": b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
    "206": b"HTTP/1.1 206 Partial Content\r\nContent-Length: 5\r\n\r\nright",
    "204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "304": b"HTTP/1.1 304 Not Modified\r\n\r\n",
    "301 to nowhere": b"HTTP/1.1 301 Moved\r\nContent-Length: 0\r\n\r\n",
    "gzip that is none": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nright",
    "br": b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 5\r\n\r\nright",
    "gzip twice": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip\r\nContent-Length: 5\r\n\r\nright",
    "another host": FOUND + b"http://127.0.0.2/x\r\nContent-Length: 0\r\n\r\n",
    "another port": FOUND + b"http://127.0.0.1:1/x\r\nContent-Length: 0\r\n\r\n",
    "another scheme": FOUND + b"file:///etc/passwd\r\nContent-Length: 0\r\n\r\n",
    "no URL": FOUND + b"http://[::1/x\r\nContent-Length: 0\r\n\r\n",
    "in circles": FOUND + b"/again\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("name", FAILING)
def test_a_passing_failure_is_tried_again(name: str) -> None:
    """And the answer that comes then is the right one, with nothing left over of the wrong one."""
    with ScriptedServer(FAILING[name], GOOD) as server:
        assert files_at(server.url).read("a", 8) == b"right"
        assert server.targets == ["/a", "/a"]


@pytest.mark.parametrize("name", FAILING)
def test_a_lasting_failure_ends_in_one_error(name: str) -> None:
    """After four attempts, soon, and in one line."""
    started = time.monotonic()
    with ScriptedServer(FAILING[name]) as server:
        with pytest.raises(LedgerError, match="/a can't be fetched: ") as raised:
            files_at(server.url).read("a", 2_000)
        assert server.targets == ["/a"] * 4
    assert time.monotonic() - started < 8
    assert str(raised.value).isprintable()


@pytest.mark.parametrize("name", FINAL)
def test_what_is_final_is_not_tried_again(name: str) -> None:
    """One error, and one request, or four where it leads in circles."""
    with ScriptedServer(FINAL[name], GOOD if name != "in circles" else FINAL[name]) as server:
        with pytest.raises(LedgerError) as raised:
            files_at(server.url).read("a", 8)
        assert len(server.targets) == (4 if name == "in circles" else 1)
    assert server.url in str(raised.value)
    assert str(raised.value).isprintable()


def gzipped(body: bytes, encoding: bytes = b"gzip") -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n%s" % (encoding, len(body), body)


PACKED = gzip.compress(b"right", mtime=0)


@pytest.mark.parametrize("encoding", [b"gzip", b"x-gzip", b" GZip"])
@pytest.mark.parametrize(
    "packed",
    [PACKED, gzip.compress(b"ri") + gzip.compress(b"ght"), gzip.compress(b"right", 0)],
    ids=["packed", "in two parts", "stored"],
)
def test_what_comes_packed_is_unpacked(encoding: bytes, packed: bytes) -> None:
    """As logs may choose without being asked; the connection goes on."""
    with ScriptedServer(gzipped(packed, encoding), GOOD) as server:
        files = files_at(server.url)
        assert [files.read("a", 8), files.read("b", 8)] == [b"right", b"right"]


def test_gzip_is_asked_for() -> None:
    """And no other encoding; not of who gets a question, whose answers are short."""
    heads: list[bytes] = []

    def answering(connection: socket.socket) -> None:
        heads.append(connection.recv(65_536))
        connection.sendall(GOOD.replace(b"200 OK", b"200 OK\r\nConnection: close"))

    with ScriptedServer(answering, before_reading=True) as server:
        files_at(server.url).read("a", 8)
        files_at(server.url).post("a", b"?", 8)
    assert b"\r\nAccept-Encoding: gzip, identity\r\n" in heads[0]
    assert b"gzip" not in heads[1]


BROKEN = {
    "garbage behind it": (PACKED + b"garbage", "is followed by something else"),
    "zeros behind it": (PACKED + bytes(100), "is followed by something else"),
    "none": (b"right", "is damaged, or it is none"),
    "another checksum": (PACKED[:-8] + bytes(8), "is damaged"),
    "deflate": (zlib.compress(b"right"), "is damaged"),
    "nothing in it, again and again": (gzip.compress(b"") * 10_000, "far longer"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_packed_wrongly_is_refused(name: str) -> None:
    """At once, and the connection isn't used on."""
    packed, said = BROKEN[name]
    with ScriptedServer(gzipped(packed), GOOD) as server:
        files = files_at(server.url)
        with pytest.raises(LedgerError, match=said):
            files.read("a", 8)
        assert files.read("b", 8) == b"right"
        assert server.targets == ["/a", "/b"]


@pytest.mark.parametrize("kept", [0, 5, 12, len(PACKED) - 8, len(PACKED) - 1])
def test_a_packed_answer_that_is_cut_short_is_tried_again(kept: int) -> None:
    """Even where the server says that it is all: behind HTTP/1.0 that can't be known."""
    with ScriptedServer(gzipped(PACKED[:kept]), GOOD) as server:
        assert files_at(server.url).read("a", 8) == b"right"
    with ScriptedServer(gzipped(PACKED[:kept])) as server, pytest.raises(LedgerError, match="ends in the middle"):
        files_at(server.url).read("a", 8)


@pytest.mark.parametrize("size_max", [0, 5, 100_000])
def test_a_bomb_ends_at_the_limit(size_max: int) -> None:
    """100 MB in 100 kB: one byte beyond the limit is unpacked, and little memory is used."""
    bomb = gzip.compress(bytes(100_000_000), 9)
    with ScriptedServer(gzipped(bomb), GOOD) as server:
        files = files_at(server.url, attempt_seconds=5)
        tracemalloc.start()
        try:
            assert files.read("a", size_max) == bytes(size_max + 1)
            assert tracemalloc.get_traced_memory()[1] < 2_000_000
        finally:
            tracemalloc.stop()
        assert files.read("b", 8) == b"right"


def test_what_is_denied_says_so() -> None:
    """It may be missing, so it is told from other refusals; where it leads is for who asks."""
    with ScriptedServer(FINAL["403"]) as server, pytest.raises(AccessDeniedError, match="denied, or it is missing"):
        files_at(server.url).read("a", 8)


@pytest.mark.parametrize("answer", [endless_body, endless_chunks])
@pytest.mark.parametrize("size_max", [0, 5, 100_000])
def test_an_endless_body_is_read_one_byte_beyond_the_limit(answer: Any, size_max: int) -> None:
    """Enough to be found too long."""
    with ScriptedServer(answer, GOOD) as server:
        files = files_at(server.url, attempt_seconds=5)
        assert files.read("a", size_max) == b"x" * (size_max + 1)
        assert files.read("b", 8) == b"right"


def test_a_body_that_drips_ends_with_the_attempt() -> None:
    """Each wait is short enough, and all of them together aren't."""
    with ScriptedServer(drip, GOOD) as server:
        started = time.monotonic()
        assert files_at(server.url).read("a", 1_000) == b"right"
        assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    ("answer", "read"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nright", b"rig"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nright", b"right"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nright", b"right"),
        (b"HTTP/1.0 200 OK\r\n\r\nright", b"right"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nri\r\n3\r\nght\r\n0\r\n\r\n", b"right"),
    ],
)
def test_a_length_is_not_trusted(answer: bytes, read: bytes) -> None:
    """One that is too small gives less, which whoever knows the length finds; the next file is whole again."""
    with ScriptedServer(answer, GOOD) as server:
        files = files_at(server.url)
        assert files.read("a", 8) == read
        assert files.read("b", 8) == b"right"


@pytest.mark.parametrize("status", [b"404 Not Found", b"410 Gone"])
def test_what_is_not_there_is_none(status: bytes) -> None:
    """However long the page that says so."""
    page = b"HTTP/1.1 %s\r\nContent-Length: 1000000\r\n\r\n" % status
    with ScriptedServer(page + b"x" * 1_000_000, GOOD) as server:
        files = files_at(server.url)
        assert files.read("a", 8) is None
        assert files.read("b", 8) == b"right"


def test_a_redirect_on_the_same_server_is_followed() -> None:
    """By its path, from where the file was looked for."""
    moved = b"HTTP/1.1 308 Moved\r\nConnection: close\r\nLocation: ../new/a?version=2\r\nContent-Length: 0\r\n\r\n"
    with ScriptedServer(moved, GOOD) as server:
        assert files_at(f"{server.url}/old/b/").read("a", 8) == b"right"
        assert server.targets == ["/old/b/a", "/old/new/a?version=2"]


def test_pauses_grow_and_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a server in trouble isn't hammered, and a person doesn't wait for ever."""
    monkeypatch.undo()
    pauses: list[float] = []
    with ScriptedServer(FAILING["500"]) as server, pytest.raises(LedgerError, match="the server answers 500"):
        files_at(server.url, pause=pauses.append).read("a", 8)
    assert [most / 2 <= pause <= most for pause, most in zip(pauses, web.PAUSES_SECONDS, strict=True)] == [True] * 3


def test_one_connection_serves_many_files(tmp_path: Path) -> None:
    """Asked of a usual server, whose 503 passes."""
    (tmp_path / "a").write_bytes(b"right")
    with serving(tmp_path) as server:
        server.troubles = 2
        files = files_at(server.url, timeout_seconds=5, attempt_seconds=5)
        assert [files.read("a", 5), files.read("none", 5), files.read("a", 4)] == [b"right", None, b"right"]
        assert server.asked == {"/a": 4, "/none": 1}


URLS = [
    f"http://{'9' * 5_000}/",
    f"http://{'a' * 64}.example/",
    "http://a..b/",
    *("ftp://log.example", "http://", "http:///x", "https://log.example:0", "https://log.example:x"),
    *("https://log.example:99999", "https://[::1", "https://log.example/a b", "https://lög.example", "://"),
    *(
        "https://user:secret@log.example",
        "https://log.example/?a=b",
        "https://log.example/#a",
        "https://log.example/\n",
    ),
]


@pytest.mark.parametrize("url", URLS)
def test_what_is_no_url_of_a_log_is_refused(url: str) -> None:
    """Before anything is asked of anybody."""
    with pytest.raises(UsageError):
        WebFiles(url)


@pytest.fixture
def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


def test_a_server_that_is_not_there(closed_port: int) -> None:
    """The name of the trouble is in the line."""
    with pytest.raises(LedgerError, match="Connection refused"):
        files_at(f"http://127.0.0.1:{closed_port}").read("a", 8)
    with pytest.raises(LedgerError, match=r"log\.invalid"):
        files_at("http://log.invalid").read("a", 8)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    signed = builder.add_extension(address, critical=False).sign(key, hashes.SHA256())
    folder = tmp_path_factory.mktemp("tls")
    (folder / "cert.pem").write_bytes(signed.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return folder / "cert.pem", folder / "key.pem"


def over_tls(certificate: tuple[Path, Path], answer: Answer) -> Answer:
    """Answer behind a handshake; what was read before it is none of HTTP."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)

    def answering(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(65_536)
            if callable(answer):
                answer(secured)
            else:
                secured.sendall(answer)

    return answering


def test_a_certificate_nobody_vouches_for_is_refused(certificate: tuple[Path, Path]) -> None:
    """At once, and not again."""
    with ScriptedServer(over_tls(certificate, GOOD), before_reading=True) as server:
        with pytest.raises(LedgerError, match="self-signed certificate"):
            files_at(server.url.replace("http:", "https:")).read("a", 8)
        assert len(server.targets) == 1


@pytest.mark.parametrize("trouble", [hang, drip, endless_continue, GOOD[:-1], b"no HTTP\r\n\r\n"])
def test_over_tls_it_is_the_same(
    trouble: Answer, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Limits hold, and what is whole is read."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    answers = [over_tls(certificate, answer) for answer in (trouble, GOOD)]
    with ScriptedServer(*answers, before_reading=True) as server:
        assert files_at(server.url.replace("http:", "https:"), attempt_seconds=0.5).read("a", 1_000) == b"right"
        assert len(server.targets) == 2


def drip_a_handshake(connection: socket.socket) -> None:
    drip(connection, b"\x16\x03\x03\x20\x00", b"\0")


def test_a_handshake_that_never_ends_does() -> None:
    """As an answer would."""
    with ScriptedServer(drip_a_handshake, before_reading=True) as server:
        started = time.monotonic()
        with pytest.raises(LedgerError, match=r"timed out|no answer within"):
            files_at(server.url.replace("http:", "https:")).read("a", 8)
    assert time.monotonic() - started < 8
