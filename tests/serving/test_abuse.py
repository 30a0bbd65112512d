"""Whatever comes over a socket gets an answer or a closed connection, takes little, and the server goes on.

All of it is asked of every application that listens to strangers: `SERVING` names them.
"""

import asyncio
import contextlib
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from support.http_abuse import (
    MALFORMED,
    Abuse,
    Serving,
    Target,
    answers,
    assert_alive,
    assert_refused,
    connected,
    exchange,
    good_request,
    read_all,
)
from support.listening import SERVING
from tallystick.serving.bounds import Bounds
from tallystick.serving.server import Hooks, running

QUICK = Bounds(
    head_seconds=0.2, body_seconds=0.2, idle_seconds=0.2, stuck_seconds=0.2, linger_seconds=0.2, spared_seconds=0.0
)


ANSWERED = {name: abuse for name, abuse in MALFORMED.items() if abuse.statuses}

each_server = pytest.mark.parametrize("served", SERVING.values(), ids=SERVING)


@pytest.fixture(scope="module", params=list(SERVING.values()), ids=list(SERVING))
def target(request: pytest.FixtureRequest) -> Iterator[Target]:
    """A server with the bounds that it has at work."""
    with request.param(Bounds()) as running_server:
        yield running_server


@pytest.fixture(scope="module", params=["echo", "log"])
def busy_target(request: pytest.FixtureRequest) -> Iterator[Target]:
    """One that answers at once, and the one that matters most."""
    with SERVING[request.param](Bounds()) as running_server:
        yield running_server


@pytest.mark.parametrize("abuse", MALFORMED.values(), ids=MALFORMED)
def test_what_is_malformed_is_refused_and_ends_the_connection(abuse: Abuse, target: Target) -> None:
    """With one answer, or none where nothing was asked."""
    found = answers(exchange(target.url, abuse.bytes_for(target), finished=abuse.finished))
    assert len(found) == bool(abuse.statuses)
    for answer in found:
        assert_refused(target, answer, abuse.statuses)
    assert_alive(target)


@pytest.mark.parametrize(
    "abuse",
    [one for one in MALFORMED.values() if one.statuses],
    ids=[name for name, one in MALFORMED.items() if one.statuses],
)
def test_what_is_malformed_is_refused_after_the_answers_before_it(abuse: Abuse, busy_target: Target) -> None:
    """Sent ahead in one piece with two good requests: these are answered first, and in order."""
    ahead = 2 * good_request(busy_target, last=False)
    first, second, *rest = answers(
        exchange(busy_target.url, ahead + abuse.bytes_for(busy_target), finished=abuse.finished)
    )
    assert (first.status, second.status) == (busy_target.get_status, busy_target.get_status)
    assert len(rest) == 1
    assert_refused(busy_target, rest[0], abuse.statuses)


@pytest.mark.parametrize("path", ["/../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd", "/.git/config"])
def test_no_way_leads_to_a_file(path: str, target: Target) -> None:
    """Of the machine's."""
    request = f"GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode()
    [answer] = answers(exchange(target.url, request))
    assert answer.status == 404


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_a_method_that_a_path_does_not_have_is_refused(method: str, target: Target) -> None:
    """By the application: 405 says which there are; 404 hides that there is anything."""
    request = f"{method} {target.post} HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
    received = exchange(target.url, request)
    assert int(received.split(b" ")[1]) in {200, 204, 404, 405, 501}
    assert_alive(target)


def test_a_body_that_is_expected_is_asked_for(target: Target) -> None:
    """100 Continue once the head is good, and then the answer."""
    body = b"x" * 100
    head = f"POST {target.post} HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 100\r\n".encode()
    with connected(target.url) as connection:
        connection.sendall(head + b"Connection: close\r\n\r\n")
        assert connection.recv(65_536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        [answer] = answers(read_all(connection))
    assert answer.status >= 200


def test_a_client_that_sends_no_more_is_still_answered(target: Target) -> None:
    """Half-closed behind a whole request, or behind several."""
    for count in (1, 5):
        found = answers(exchange(target.url, count * good_request(target, last=False), finished=True))
        assert [answer.status for answer in found] == count * [target.get_status]


def test_requests_in_single_bytes_are_requests(target: Target) -> None:
    """However the network cuts them."""
    with connected(target.url) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in good_request(target):
            connection.send(bytes([byte]))
        [answer] = answers(read_all(connection))
    assert answer.status == target.get_status


def test_requests_sent_ahead_are_answered_in_order_up_to_a_number(target: Target) -> None:
    """Beyond it the rest is refused: a client may send ahead, and not without end."""
    found = answers(exchange(target.url, 1_000 * good_request(target, last=False)))
    good = [answer for answer in found if answer.status == target.get_status]
    assert 1 <= len(good) <= Bounds().pipelined_max + 1
    assert [answer.status for answer in found] == len(good) * [target.get_status] + [503]


def test_an_upgrade_is_passed_over(target: Target) -> None:
    """As if it had not been asked for; the connection ends."""
    request = good_request(target, last=False)[:-2] + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    [answer] = answers(exchange(target.url, request + b"PRI * HTTP/2.0"))
    assert (answer.status, answer.fields["connection"]) == (target.get_status, "close")


@each_server
@pytest.mark.parametrize(
    ("start", "statuses"),
    [
        ("", []),
        ("GET {get} HTT", [408]),
        ("GET {get} HTTP/1.1\r\nHost: h\r\n", [408]),
        ("POST {post} HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n", [408]),
        ("POST {post} HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc", [408]),
        ("POST {post} HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n", [100, 408]),
    ],
    ids=["nothing", "a line", "a head", "no body", "a body", "what is expected"],
)
def test_what_stops_is_ended(start: str, statuses: list[int], served: Serving) -> None:
    """In its time, with an answer if anything was asked."""
    with served(QUICK) as target:
        data = start.format(get=target.get, post=target.post).encode()
        assert [answer.status for answer in answers(exchange(target.url, data))] == statuses
        with connected(target.url) as connection:  # behind an answer as well
            connection.sendall(good_request(target, last=False) + data)
            found = [answer.status for answer in answers(read_all(connection))]
        assert found == [target.get_status, *statuses]
        assert_alive(target)


@each_server
@pytest.mark.parametrize("whole", ["head", "body"])
def test_what_dribbles_is_ended(whole: str, served: Serving) -> None:
    """Bytes that come one by one don't give it more time."""
    with served(QUICK) as target, connected(target.url) as connection:
        head = f"POST {target.post} HTTP/1.1\r\nHost: h\r\nContent-Length: 60000\r\n"
        connection.sendall(head.encode() + (b"\r\n" if whole == "body" else b""))
        connection.settimeout(0.02)
        received = b""
        with contextlib.suppress(ConnectionError):
            while True:
                connection.send(b"a")
                with contextlib.suppress(TimeoutError):
                    more = connection.recv(65_536)
                    received += more
                    if not more:
                        break
        assert answers(received)[0].status == 408
        assert_alive(target)


@each_server
def test_connections_that_ask_nothing_give_way(served: Serving) -> None:
    """The one that has waited the longest is closed for the next; the service is there for who asks."""
    with served(Bounds(connections_max=5, spared_seconds=0.0)) as target, contextlib.ExitStack() as opened:
        idle = [opened.enter_context(connected(target.url)) for _ in range(5)]
        assert_alive(target)
        assert idle[0].recv(1) == b""
        idle[4].sendall(good_request(target))
        [answer] = answers(read_all(idle[4]))
        assert answer.status == target.get_status


@each_server
def test_connections_beyond_the_bound_are_closed(served: Serving) -> None:
    """If none of the others may be given up; those go on."""
    with served(Bounds(connections_max=5, spared_seconds=60.0)) as target, contextlib.ExitStack() as opened:
        idle = [opened.enter_context(connected(target.url)) for _ in range(5)]
        assert exchange(target.url, good_request(target)) == b""
        for connection in idle:
            connection.sendall(good_request(target))
            [answer] = answers(read_all(connection))
            assert answer.status == target.get_status


@each_server
def test_bodies_under_way_are_bounded_together(served: Serving) -> None:
    """What is stated is counted before it comes; the one that is too many may come again."""
    with served(Bounds(bodies_bytes_max=1_000)) as target, contextlib.ExitStack() as opened:
        head = f"POST {target.post} HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 600\r\n\r\n".encode()
        first = opened.enter_context(connected(target.url))
        first.sendall(head)
        assert first.recv(65_536).startswith(b"HTTP/1.1 100 ")
        [refused] = answers(exchange(target.url, head))
        assert_refused(target, refused, (503,))
        assert refused.fields["retry-after"] == "1"
        first.close()
        assert_alive(target)


def test_a_reader_that_never_reads_is_ended() -> None:
    """What is made for it is bounded by what the kernel takes, and ends."""
    made = 0
    ended = threading.Event()

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal made
        try:
            while True:
                yield b"x" * 65_536
                made += 65_536
                await asyncio.sleep(0)
        finally:
            ended.set()

    async def stream(request: Request) -> StreamingResponse:
        return StreamingResponse(pieces(), media_type="text/event-stream")

    app = Starlette(routes=[Route("/", stream)])
    with running(app, bounds=QUICK) as server, connected(server.url) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        assert ended.wait(20)
        assert made < 2**25
        [answer] = answers(exchange(server.url, b"GET /no HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"))
        assert answer.status == 404


def test_an_answer_arrives_whole_at_a_slow_reader() -> None:
    """As long as it reads at all, in the time for an answer that lies."""
    size = 3_000_000

    async def large(request: Request) -> PlainTextResponse:
        return PlainTextResponse(b"x" * size)

    app = Starlette(routes=[Route("/", large)])
    with running(app, bounds=QUICK) as server, connected(server.url) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        connection.sendall(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        received = b""
        quiet = threading.Event()
        while more := connection.recv(65_536):
            received += more
            quiet.wait(0.02)
    assert len(answers(received)[0].body) == size


def test_as_many_connections_as_there_are_descriptors_do_not_stop_it(tmp_path: Path) -> None:
    """In a process with a low limit, and clients that open more than that and ask nothing."""
    program = tmp_path / "program.py"
    program.write_text(
        "import resource\n"
        "from starlette.applications import Starlette\n"
        "from tallystick.serving.bounds import Bounds\n"
        "from tallystick.serving.server import Hooks, Place, serve\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))\n"
        "hooks = Hooks(on_started=lambda url: print(url, flush=True))\n"
        "serve(Starlette(), Place(), bounds=Bounds(spared_seconds=0.0), hooks=hooks)\n"
    )
    with subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        target = Target(process.stdout.readline().decode().strip(), "/", 404, "/", 0)
        with contextlib.ExitStack() as opened:
            for number in range(200):
                connection = opened.enter_context(connected(target.url))
                if number % 2:
                    connection.sendall(b"GET / HT")
                if number % 10 == 0:
                    assert_alive(target)
            assert_alive(target)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=20)
    assert (process.returncode, err) == (0, b"")


def test_an_answer_that_is_not_taken_does_not_keep_its_connection() -> None:
    """Although it was the last, and fits between what the kernel holds and what counts as stuck."""
    closed = threading.Event()

    async def large(request: Request) -> PlainTextResponse:
        return PlainTextResponse(b"x" * 20_000_000)

    def on_closed(client: str, why: str) -> None:
        assert (client, why) == ("127.0.0.1", "it does not take its answer")
        closed.set()

    app = Starlette(routes=[Route("/", large)])
    with running(app, bounds=QUICK, hooks=Hooks(on_closed=on_closed)) as server, connected(server.url) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        assert closed.wait(20)
        assert server.config.phases.open == 0


def test_a_large_head_in_pieces_is_within_its_bound(target: Target) -> None:
    """Bytes count once, whatever pieces they come in, and not those of the request before."""
    fields = b"".join(b"X-%d: %s\r\n" % (number, b"v" * 900) for number in range(33))
    request = good_request(target).replace(b"Connection: close\r\n", b"Connection: close\r\n" + fields)
    with connected(target.url) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start in range(0, len(request), 100):
            connection.send(request[start : start + 100])
        [answer] = answers(read_all(connection))
    assert answer.status == target.get_status


def test_a_head_behind_a_large_body_is_within_its_bound() -> None:
    """Where both come in one piece."""

    async def take(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(len(await request.body())))

    app = Starlette(routes=[Route("/", take, methods=["GET", "POST"])])
    with running(app, bounds=Bounds(body_bytes_max=2**20)) as server, connected(server.url) as connection:
        post = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\n" + b"b" * 200_000
        get = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
        connection.sendall(post + get[:20])
        connection.sendall(get[20:])
        assert [answer.body for answer in answers(read_all(connection))] == [b"200000", b"0"]
