"""What answers GET, on a real port, in an application of its own: without what writes."""

import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx2
import uvicorn
from fastapi import FastAPI

from support.small_ledger import LOG_KEY, PROVIDER
from tallystick.ledger import Admitted, open_ledger
from tallystick.publishing import read_ledger
from tallystick.vouchers.quantities import DAY_US, SECOND_US, format_day
from tallystick.vouchers.reading_rights import Reading
from tallystick.web import pending as half_signed
from tallystick.web import problems, rights, routers, sessions
from tallystick.web.flood import FailureBuckets
from tallystick.web.pages import answering
from tallystick.web.pages.every_page import ROUTES
from tallystick.web.pages.page import Place
from tallystick.web.pending import Pending
from tallystick.web.pending_file import PendingFile
from tallystick.web.reads import Reads

SERVICE_URL = "https://vouchers.example"


def application(reads: Reads, pending: Path, reading: str, clock: Callable[[], int]) -> FastAPI:
    """The routers of reading, of logins and of half-signed notes."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with reads.running():
            yield
        app.state.pending.close()

    app = FastAPI(lifespan=lifespan)
    app.state.reads = reads
    rights.install(app, rights.Rights(Reading(reading), reads, sessions.Sessions(reads, [SERVICE_URL], clock)))
    app.state.failures = FailureBuckets()
    app.state.pending = Pending(pending, reads, clock)
    problems.install(app, answering.problem_page)
    for router in (*routers.READING, sessions.router, half_signed.router):
        app.include_router(router)
    answering.install(app, Place())
    app.router.routes.extend(ROUTES)
    return app


class Clock:
    """A service's clock, which stands still."""

    def __init__(self, now: int) -> None:
        self.now = self.start = now

    def __call__(self) -> int:
        return self.now


def clock_after(folder: Path) -> Clock:
    """A clock that shows the second after a ledger's last entry."""
    with read_ledger(folder) as reader:
        return Clock(reader.state().at + SECOND_US)


class Running:
    """A service that runs: its address, what it reads, and a client."""

    def __init__(self, url: str, reads: Reads, client: httpx2.Client, app: FastAPI) -> None:
        self.url = url
        self.reads = reads
        self.client = client
        self._app = app

    def forget(self) -> None:
        """Forget all logins and half-signed notes, as a new service has none."""
        kept: PendingFile = self._app.state.pending._file
        kept.drop_stale(2**62)
        for kept_of_sessions in (self._app.state.sessions._sessions, self._app.state.sessions._logged_out):
            kept_of_sessions.clear()

    def login(self, data: bytes) -> dict[str, str]:
        """Open a session, and return the header that shows its token."""
        answer = self.client.post("/v1/sessions", content=data)
        assert answer.status_code == 201, answer.text
        return {"authorization": f"Bearer {answer.json()['token']}"}

    def get(self, path: str, **headers: str) -> httpx2.Response:
        """Ask; a header's name with underscores."""
        return self.client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})


@contextmanager
def reading(
    source: Path | str,
    views_path: Path | None = None,
    *,
    who: str = "open",
    clock: Callable[[], int] = lambda: 0,
) -> Iterator[Running]:
    """Run the service over a ledger until the block ends; `who` may read what."""
    reads = Reads.open(source, views_path)
    pending = reads.views.path.with_name("pending.db")
    app = application(reads, pending, who, clock)
    config = uvicorn.Config(app, port=0, log_level="error", timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)
    socket = config.bind_socket()
    socket.listen()  # who connects before the thread runs waits
    thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]})
    thread.start()
    url = f"http://127.0.0.1:{socket.getsockname()[1]}"
    try:
        with httpx2.Client(base_url=url, timeout=40) as client:
            yield Running(url, reads, client, app)
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
