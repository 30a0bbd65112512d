"""Servers that are gone, that aren't who they should be, or that never end: one line, in bounded time and memory."""

import http.server
import itertools
import socket
import threading
import time as machine
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.actors import key_of
from support.log_server import PATIENCE, LogServer, Said, Time, serving_log
from support.small_ledger import POLICY
from support.tls import self_signed, server_context
from support.web_server import ScriptedServer
from tallystick.client import Client, Patience
from tallystick.errors import (
    AnswerMalformedError,
    ProblemError,
    ServerError,
    TallystickError,
    UnreachableError,
    UntrustedServerError,
)
from tallystick.ledger import Ledger
from tallystick.transparency.policy import Policy

MakeClient = Callable[..., Client]
SHORT = Patience(connect_seconds=1, silence_seconds=0.3, attempt_seconds=0.5, total_seconds=1, first_pause_seconds=0.01)


LATER = (("Retry-After", "3600"),)
"""Later than anybody here waits for, so it is told at once."""


def free_url() -> str:
    """A URL at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as there:
        return f"http://127.0.0.1:{there.getsockname()[1]}"


@contextmanager
def over_tls(server: http.server.HTTPServer, pem: Path) -> Iterator[str]:
    """Serve HTTPS until the block ends."""
    server.socket = server_context(pem).wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()


def one_line(error: TallystickError) -> str:
    """What a person is told."""
    assert "\n" not in str(error)
    return str(error)


def test_a_server_that_is_gone_is_one_line(impatient: MakeClient) -> None:
    url = free_url()
    with impatient(url, patience=SHORT) as client, pytest.raises(UnreachableError) as gone:
        client.checkpoint()
    assert one_line(gone.value) == f"{url}: Connection refused"


def test_of_a_pair_the_one_that_is_there_answers(impatient: MakeClient, server: LogServer, time: Time) -> None:
    with impatient([free_url(), server.url]) as client:
        assert client.submit(time.note()).is_new
        assert client.submit(time.note()).is_new
        assert client.current_url == server.url


def test_of_a_pair_the_one_that_writes_is_found(
    impatient: MakeClient, server: LogServer, folder: Path, time: Time
) -> None:
    standing_by = b'{"reason":"not_writing","detail":"another process writes the log"}'
    with serving_log(folder, None) as other:
        other.twist = lambda *_: Said(503, standing_by, "application/problem+json", LATER)
        with impatient([other.url, server.url]) as client:
            assert client.submit(time.note()).is_new
        with impatient([other.url]) as client, pytest.raises(ProblemError) as refused:
            client.submit(time.note())
    assert refused.value.reason == "not_writing"


def test_a_name_that_isnt_known_is_not_asked_for_again(impatient: MakeClient) -> None:
    with impatient("http://no-such-name.invalid") as client, pytest.raises(UntrustedServerError) as unknown:
        client.checkpoint()
    assert "see that the URL is right" in one_line(unknown.value)


def test_a_certificate_of_nobodys_is_refused_and_says_what_to_do(
    impatient: MakeClient, server: LogServer, folder: Path, ledger: Ledger, tmp_path: Path
) -> None:
    pem = self_signed(tmp_path)
    with LogServer(folder, ledger, lambda: 0) as secure, over_tls(secure, pem) as url:
        with impatient(url) as client, pytest.raises(UntrustedServerError) as untrusted:
            client.checkpoint()
        assert "self-signed certificate" in one_line(untrusted.value)
        assert secure.asked == []
        with impatient([url, server.url]) as client:  # the other of a pair may be sound
            client.checkpoint()
        with impatient(url, ca_file=pem) as client:
            assert client.checkpoint().size > 0


@pytest.mark.parametrize(
    ("made", "told"),
    [({"days": -1}, "certificate has expired"), ({"address": "127.0.0.9"}, "IP address mismatch")],
)
def test_a_certificate_for_another_time_or_place_is_refused(
    impatient: MakeClient, folder: Path, tmp_path: Path, made: dict[str, int], told: str
) -> None:
    pem = self_signed(tmp_path, **made)  # type: ignore[arg-type]
    with (
        LogServer(folder, None, lambda: 0) as secure,
        over_tls(secure, pem) as url,
        impatient(url, ca_file=pem) as client,
        pytest.raises(UntrustedServerError) as untrusted,
    ):
        client.checkpoint()
    assert told in one_line(untrusted.value)
    assert "this machine's clock" in str(untrusted.value)


def test_a_server_without_tls_is_told_from_one_that_is_gone(impatient: MakeClient, server: LogServer) -> None:
    url = server.url.replace("http:", "https:")
    with impatient(url) as client, pytest.raises(UntrustedServerError) as plain:
        client.checkpoint()
    assert "is it an http:// URL?" in one_line(plain.value)


def test_another_log_at_the_same_url_is_one_line(impatient: MakeClient, server: LogServer, time: Time) -> None:
    policy = Policy.for_log(key_of("other.example/log").verifier)
    with impatient(server.url, policy=policy) as client:
        for ask in (client.checkpoint, client.info, lambda: client.submit(time.note())):
            with pytest.raises(UntrustedServerError) as other:
                ask()
            assert "the URL and the policy belong together" in one_line(other.value)


def test_a_clock_that_is_wrong_is_told_with_the_refusal(client: Client, server: LogServer, time: Time) -> None:
    """The log's time is in the past here, so this machine's clock is ahead of what the server says that it is."""

    def dated(method: str, target: str, body: bytes, said: Said) -> Said:
        reason = b'{"reason":"signed_in_the_future","detail":"by 3600 s","transient":true}'
        return Said(409, reason, "application/problem+json", (("Date", "Mon, 01 Jan 2024 00:00:00 GMT"),))

    server.twist = dated
    with pytest.raises(ProblemError) as early:
        client.submit(time.note())
    assert "minutes ahead of the server's: set it, and sign again" in one_line(early.value)


def test_a_redirect_is_not_followed(client: Client, server: LogServer) -> None:
    server.twist = lambda *_: Said(307, b"", headers=(("Location", "http://elsewhere.example/"),))
    with pytest.raises(UntrustedServerError, match="if you trust that place, give its URL"):
        client.checkpoint()
    assert len(server.asked) == 1


NO_ANSWERS = (
    Said(200, b""),
    Said(200, b"{"),
    Said(200, b"[" * 100_000),
    Said(200, b"\xff"),
    Said(200, b"9" * 10_000),
    Said(200, b"null"),
    Said(200, b"{}", headers=(("Content-Encoding", "gzip"),)),
    Said(204, b""),
)


def test_an_answer_that_is_none_is_one_line(client: Client, server: LogServer, time: Time) -> None:
    asks: list[Callable[[], object]] = [
        client.checkpoint,
        client.info,
        client.balances,
        client.pending.list,
        lambda: client.receipt(0),
        lambda: client.show("voucher", "acme/v-1"),
        lambda: client.submit(time.note()),
        lambda: client.submit([time.note()]),
        lambda: client.check(time.note()),
    ]
    for said in NO_ANSWERS:
        server.twist = lambda *_, said=said: said
        for ask in asks:
            with pytest.raises(ServerError) as wrong:
                ask()
            one_line(wrong.value)


BODIES = (b"", b'{"reason": 5}', b"<html>\x1b[2J", b'{"reason": "a\\u001b[2J\\n", "detail": {}}')


def test_a_refusal_in_any_words_is_one_line(server: LogServer, impatient: MakeClient) -> None:
    with impatient(server.url) as client:
        for status, body in itertools.product((400, 401, 403, 404, 405, 413, 500, 502), BODIES):
            said = Said(status, body, "application/problem+json", LATER)
            server.twist = lambda *_, said=said: said
            with pytest.raises(ProblemError) as refused:
                client.checkpoint()
            assert one_line(refused.value).isprintable()
            assert refused.value.status == status


def endless(head: bytes, piece: bytes, seconds: float = 0.0) -> Callable[[socket.socket], None]:
    """An answer that goes on for ever."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(piece)
            machine.sleep(seconds)

    return answer


def silent(connection: socket.socket) -> None:
    """The beginning of an answer, and then nothing."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
    connection.recv(1)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (endless(CHUNKED, b"10000\r\n" + bytes(65_536) + b"\r\n"), AnswerMalformedError),
        (endless(b"HTTP/1.1 200 OK\r\n\r\n", bytes(65_536)), AnswerMalformedError),
        (silent, UnreachableError),
        (endless(b"HTTP/1.1 200 OK\r\n", b"X-More: " + b"x" * 60_000 + b"\r\n"), UnreachableError),
        (endless(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", b"x", 0.05), UnreachableError),
        (endless(b"", b"H", 0.05), UnreachableError),
        (endless(b"HTTP/1.1 200 OK\r\nX-Drip: ", b"x", 0.05), UnreachableError),
        (endless(b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", 0.05), UnreachableError),
        (b"SSH-2.0-OpenSSH_9.2\r\n", UnreachableError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", UnreachableError),
    ],
)
def test_an_answer_that_never_ends_ends_here(
    impatient: MakeClient, answer: bytes | Callable[[socket.socket], None], kind: type[TallystickError]
) -> None:
    begun = machine.monotonic()
    with (
        ScriptedServer(answer) as server,
        impatient(server.url, patience=SHORT if kind is UnreachableError else PATIENCE) as client,
        pytest.raises(kind) as wrong,
    ):
        client.checkpoint()
    one_line(wrong.value)
    assert machine.monotonic() - begun < 15


def test_a_url_that_is_none_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    for url in ("ftp://x", "http://", "http://a b", "http://u:secret@x", "http://x?y", "http://x:0", "http://[", ""):
        with pytest.raises(TallystickError) as refused:
            Client(url, POLICY)
        assert "secret" not in one_line(refused.value)
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(TallystickError, match="no certificate"):
        Client("https://log.example", POLICY, ca_file=tmp_path / "ca.pem")


def test_the_client_leaves_no_socket_open(impatient: MakeClient, server: LogServer) -> None:
    """A warning is an error in tests: a socket that is collected while it is open would be one."""
    client = impatient(server.url)
    client.checkpoint()
    client.close()
