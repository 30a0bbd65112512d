"""Requests that were damaged on their way get well-formed answers or none, and leave no fault and no connection."""

import random

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from support.http_abuse import answers, exchange
from support.schedules import schedule
from tallystick.serving.bounds import Bounds
from tallystick.serving.server import Hooks, running

GOOD = (
    b"GET /echo?a=%C3%BC HTTP/1.1\r\nHost: h\r\nAccept: */*\r\n\r\n",
    b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Type: text/plain\r\nContent-Length: 11\r\n\r\nhello\r\nyou\n",
    b"POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
    b"GET http://h/echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    b"GET /echo HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
)
BITS = (
    b"\r\n",
    b"\n",
    b"\r",
    b" ",
    b":",
    b"\x00",
    b"\xff",
    b"%",
    b"%00",
    b",",
    b"0",
    b"Content-Length: 3\r\n",
    b"\r\n\r\n",
)


def mutated(chance: random.Random) -> bytes:
    """Return a few requests one behind the other, damaged in a few places."""
    data = bytearray(b"".join(chance.choices(GOOD, k=chance.randint(1, 4))))
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(data) + 1)
        match chance.randrange(5):
            case 0 if place < len(data):
                data[place] = chance.randrange(256)
            case 1:
                del data[place : place + chance.randint(1, 40)]
            case 2:
                data[place:place] = chance.choice(BITS)
            case 3:
                data[place:place] = data[: chance.randint(1, 120)]
            case _:
                data[place:place] = bytes(chance.choices(b"aA1:;= ", k=chance.randint(1, 3_000)))
    return bytes(data)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(schedule(1, 20)))
def test_damaged_requests_do_no_damage(seed: int) -> None:
    """What comes back is HTTP, whole answers of ours, the last of which may be a refusal."""
    chance = random.Random(seed)
    faults: list[BaseException] = []

    async def echo(request: Request) -> PlainTextResponse:
        return PlainTextResponse(await request.body())

    app = Starlette(routes=[Route("/echo", echo, methods=["GET", "POST"])])
    hooks = Hooks(on_fault=lambda error, scope: faults.append(error))
    with running(app, bounds=Bounds(linger_seconds=0.2), hooks=hooks) as server:
        seen = set()
        for _ in range(500):
            data = mutated(chance)
            for answer in answers(exchange(server.url, data, finished=True)):
                seen.add(answer.status)
                assert answer.status < 200 or answer.fields["request-id"], data
    assert faults == []
    assert server.config.phases.open == 0
    assert seen >= {200, 400, 404, 411}
    assert seen <= {100, 200, 400, 404, 405, 411, 413, 414, 417, 431, 501, 503, 505}
