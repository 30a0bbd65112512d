"""A server starts, answers, and ends in its time, whatever is under way."""

import asyncio
import http.client
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from tallystick.errors import LedgerError
from tallystick.serving.bounds import Bounds
from tallystick.serving.refused import Answered
from tallystick.serving.server import Hooks, Place, make_server, running


async def echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse(await request.body())


ECHO = Starlette(routes=[Route("/echo", echo, methods=["GET", "POST"])])


def ask(url: str, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes, str | None]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        return response.status, response.read(), response.getheader("Request-Id")
    finally:
        connection.close()


def test_a_server_in_a_thread_answers_until_the_block_ends() -> None:
    """Each answer has a name of its own, and is told of."""
    answered: list[Answered] = []
    with running(ECHO, hooks=Hooks(on_answer=answered.append)) as server:
        status, body, first = ask(server.url, "POST", "/echo?x=1", b"hello")
        assert (status, body) == (200, b"hello")
        _, _, second = ask(server.url, "GET", "/nothing")
        url = server.url
    assert first != second
    assert [(one.method, one.target, one.status, one.request_id) for one in answered] == [
        ("POST", "/echo?x=1", 200, first),
        ("GET", "/nothing", 404, second),
    ]
    with pytest.raises(ConnectionRefusedError):
        ask(url, "GET", "/echo")


def test_what_is_under_way_is_answered_at_the_end() -> None:
    """After `on_drain`, and saying that the connection ends; nothing new is taken."""
    order: list[str] = []
    arrived, may_answer = threading.Event(), threading.Event()

    async def slow(request: Request) -> PlainTextResponse:
        arrived.set()
        await asyncio.to_thread(may_answer.wait)
        order.append("answered")
        return PlainTextResponse("late")

    def on_drain() -> None:
        order.append("draining")
        may_answer.set()

    app = Starlette(routes=[Route("/", slow)])
    with running(app, hooks=Hooks(on_drain=on_drain)) as server:
        parts = urlsplit(server.url)
        idle = socket.create_connection((parts.hostname, parts.port), timeout=20)
        connection = http.client.HTTPConnection(parts.netloc, timeout=20)
        connection.request("GET", "/")
        arrived.wait()
    response = connection.getresponse()
    assert (response.status, response.read(), response.getheader("Connection")) == (200, b"late", "close")
    assert order == ["draining", "answered"]
    assert idle.recv(10) == b""
    connection.close()
    idle.close()


@pytest.mark.parametrize("what", ["stream", "on_drain", "lifespan"])
def test_what_does_not_end_is_broken_off(what: str) -> None:
    """A stream, a hook or an application's end that would take for ever."""

    async def endless(*_: Any) -> None:
        await asyncio.Event().wait()

    async def pieces() -> Any:
        yield b"first"
        await endless()

    async def stream(request: Request) -> StreamingResponse:
        return StreamingResponse(pieces())

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            assert (await receive())["type"] == "lifespan.startup"
            await send({"type": "lifespan.startup.complete"})
            await receive()
            if what == "lifespan":
                await endless()
            await send({"type": "lifespan.shutdown.complete"})
        else:
            await stream_app(scope, receive, send)

    stream_app = Starlette(routes=[Route("/", stream)])
    hooks = Hooks(on_drain=endless if what == "on_drain" else lambda: None)
    with running(app, bounds=Bounds(drain_seconds=1.0), hooks=hooks) as server:
        connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=20)
        connection.request("GET", "/")
        response = connection.getresponse()
        assert response.read(5) == b"first"
        began = time.monotonic()
    assert time.monotonic() - began < 5
    with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
        response.read()
    connection.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_process_with_status_0(number: signal.Signals, tmp_path: Path) -> None:
    """And nothing is said on stderr."""
    program = tmp_path / "program.py"
    program.write_text(
        "from starlette.applications import Starlette\n"
        "from tallystick.serving.server import Hooks, Place, serve\n"
        "serve(Starlette(), Place(), hooks=Hooks(on_started=lambda url: print(url, flush=True)))\n"
        "print('drained')\n"
    )
    with subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        url = process.stdout.readline().decode().strip()
        assert ask(url, "GET", "/")[0] == 404
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, b"drained\n", b"")


def test_an_address_that_cannot_be_had_is_one_line() -> None:
    """A port that is taken, and an address that isn't ours."""
    with running(ECHO) as server:
        port = urlsplit(server.url).port
        assert port is not None
        with pytest.raises(LedgerError, match=f"127.0.0.1:{port} can't be listened on: Address already in use"):
            make_server(ECHO, Place(port=port))
    with pytest.raises(LedgerError, match=r"192\.0\.2\.1:0 can't be listened on"):
        make_server(ECHO, Place(host="192.0.2.1"))


def test_a_unix_socket_is_listened_on(tmp_path: Path) -> None:
    """For a web server in front on the same machine."""
    with running(ECHO, Place(uds=tmp_path / "socket")), socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.connect(str(tmp_path / "socket"))
        client.sendall(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
        received = b""
        while more := client.recv(65_536):
            received += more
    assert received.startswith(b"HTTP/1.1 200 OK\r\n")
    assert received.endswith(b"\r\n\r\nhi")


def test_a_unix_socket_is_named_as_long_as_it_is_listened_on(tmp_path: Path) -> None:
    """One that a killed server left is taken over; one that is listened on, or another file, isn't."""
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(path))
    with running(ECHO, Place(uds=path)), pytest.raises(LedgerError, match="Address already in use"):
        make_server(ECHO, Place(uds=path))
    assert not path.exists()
    path.write_text("something")
    with pytest.raises(LedgerError, match="Address already in use"):
        make_server(ECHO, Place(uds=path))
    assert path.read_text() == "something"


def test_an_application_that_fails_to_start_is_heard_of() -> None:
    """Its server doesn't pretend to be up."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no disk"})

    with pytest.raises(LedgerError, match="no disk"), running(app):
        pass


def test_what_an_application_raises_is_one_answer_and_one_word_to_its_log() -> None:
    """Before its answer began; after that, the connection ends."""
    raised: list[BaseException] = []

    async def before(request: Request) -> PlainTextResponse:
        raise ValueError("secret")

    async def pieces() -> Any:
        yield b"first"
        raise ValueError("secret")

    async def within(request: Request) -> StreamingResponse:
        return StreamingResponse(pieces())

    app = Starlette(routes=[Route("/before", before), Route("/within", within)])
    with running(app, hooks=Hooks(on_fault=lambda error, scope: raised.append(error))) as server:
        status, body, request_id = ask(server.url, "GET", "/before")
        assert (status, b"secret" in body, request_id is not None) == (500, False, True)
        with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
            ask(server.url, "GET", "/within")
        assert ask(server.url, "GET", "/nothing")[0] == 404
    assert [str(error) for error in raised] == ["secret", "secret"]


def test_no_answer_is_lost_at_the_end() -> None:
    """Of clients at work: what the application did, its client hears of."""
    done: set[int] = set()
    heard: set[int] = set()
    warm, busy = threading.Barrier(17), threading.Event()

    async def work(request: Request) -> PlainTextResponse:
        body = await request.body()
        await asyncio.sleep(0)
        done.add(int(body))
        return PlainTextResponse(body)

    def ask_until_closed(url: str, numbers: range) -> None:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
        connection.connect()
        warm.wait()
        for number in numbers:
            try:
                connection.request("POST", "/", str(number))
                response = connection.getresponse()
                heard.add(int(response.read()))
                if len(heard) > 500:
                    busy.set()
            except (OSError, http.client.HTTPException):
                break
            if response.will_close:
                break
        connection.close()

    app = Starlette(routes=[Route("/", work, methods=["POST"])])
    with running(app) as server:
        numbers = [range(start, start + 1_000_000) for start in range(0, 16_000_000, 1_000_000)]
        clients = [threading.Thread(target=ask_until_closed, args=(server.url, own)) for own in numbers]
        for client in clients:
            client.start()
        warm.wait()
        assert busy.wait(20)
    for client in clients:
        client.join()
    assert len(done) > 500
    assert done == heard


def test_while_the_application_drains_all_is_answered_once_more() -> None:
    """A new connection too, so that a balancer sees it; each answer ends its connection."""
    draining, may_end = threading.Event(), threading.Event()

    async def on_drain() -> None:
        draining.set()
        await asyncio.to_thread(may_end.wait)

    with running(ECHO, hooks=Hooks(on_drain=on_drain)) as server:
        kept = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=20)
        kept.request("GET", "/echo")
        assert kept.getresponse().read() == b""
        server.stop()
        assert draining.wait(20)
        new = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=20)
        for connection in (kept, new):
            connection.request("GET", "/echo")
            response = connection.getresponse()
            assert (response.status, response.getheader("Connection"), response.read()) == (200, "close", b"")
            connection.close()
        may_end.set()
