"""What answers GET, on a real port, in an application of its own: without what writes."""

import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

import httpx2
import uvicorn
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse

from support.small_ledger import LOG_KEY, PROVIDER
from tallystick.errors import NotFoundError, TallystickError, TooBusyError, UsageError
from tallystick.ledger import Admitted, open_ledger
from tallystick.publishing import read_ledger
from tallystick.vouchers.quantities import DAY_US, SECOND_US, format_day
from tallystick.web import routers
from tallystick.web.reads import Reads
from tallystick.wire.problems import code_of

STATUSES: Final[Mapping[type[TallystickError], int]] = {NotFoundError: 404, UsageError: 422, TooBusyError: 503}


def application(reads: Reads) -> FastAPI:
    """The routers of reading alone."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with reads.running():
            yield

    async def answer(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, TallystickError)
        status = next((status for kind, status in STATUSES.items() if isinstance(error, kind)), 500)
        return JSONResponse({"reason": code_of(type(error)), "detail": str(error)}, status)

    app = FastAPI(lifespan=lifespan)
    app.state.reads = reads
    app.add_exception_handler(TallystickError, answer)
    for router in routers.READING:
        app.include_router(router)
    return app


class Running:
    """A service that runs: its address, what it reads, and a client."""

    def __init__(self, url: str, reads: Reads, client: httpx2.Client) -> None:
        self.url = url
        self.reads = reads
        self.client = client

    def get(self, path: str, **headers: str) -> httpx2.Response:
        """Ask; a header's name with underscores."""
        return self.client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})


@contextmanager
def reading(source: Path | str, views_path: Path | None = None) -> Iterator[Running]:
    """Run the service over a ledger until the block ends."""
    reads = Reads.open(source, views_path)
    config = uvicorn.Config(application(reads), port=0, log_level="error", timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)
    socket = config.bind_socket()
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]})
    thread.start()
    url = f"http://127.0.0.1:{socket.getsockname()[1]}"
    try:
        with httpx2.Client(base_url=url, timeout=40) as client:
            yield Running(url, reads, client)
    finally:
        reads.drain()
        server.should_exit = True
        thread.join()


def add_entry(folder: Path) -> int:
    """Let the provider of a small ledger declare what it has, and return the entry's index."""
    with read_ledger(folder) as reader:
        state = reader.state()
    at = state.at + SECOND_US
    fields = {"capacity": [{"item": "h100", "installed": state.size}], "first_day": format_day(at // DAY_US + 1)}
    note = PROVIDER.note("capacity.declare", at, **fields)
    with open_ledger(folder, LOG_KEY, clock=lambda: at) as ledger:
        answer = ledger.submit([note])[0]
    assert isinstance(answer, Admitted), answer
    return answer.index
