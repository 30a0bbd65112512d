"""The explorer alone: pages and answers over any source, read-only, for who runs it on this machine.

    tallystick explore SOURCE --port 8474

There is no writer, no key and no login: who can read the source may see all of it. So it answers programs on this
machine alone: a request that names another host than it listens at is refused, whoever made a browser send it.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from tallystick.serving.server import Hooks, serve
from tallystick.serving.server import Place as Listening
from tallystick.vouchers.reading_rights import Reading
from tallystick.web import problem_pages, problems, rights, routers
from tallystick.web.pages import answering
from tallystick.web.pages.every_page import ROUTES
from tallystick.web.pages.page import Place
from tallystick.web.problems import HttpProblem, problem_response
from tallystick.web.reads import Reads
from tallystick.web.rights import Rights
from tallystick.web.served_application import ServedApplication
from tallystick.web.sessions import Sessions
from tallystick.wire.statuses import HttpReason

_LOCAL: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})


def create_explorer(reads: Reads, place: Place, clock: Callable[[], int]) -> FastAPI:
    """Return the application that shows a log to everybody who reaches it.

    Args:
        reads: the log and its views.
        place: what the site is.
        clock: the time (microseconds).
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with reads.running():
            yield

    app = ServedApplication(lifespan)
    app.state.reads = reads
    rights.install(app, Rights(Reading.OPEN, reads, Sessions(reads, (), clock)))
    for router in (*routers.READING, problem_pages.router):
        app.include_router(router)
    answering.install(app, place)
    app.router.routes.extend(ROUTES)
    problems.install(app, answering.problem_page)
    return app


def explore(
    reads: Reads, place: Place, listening: Listening, clock: Callable[[], int], on_started: Callable[[str], None]
) -> None:
    """Show a log until SIGTERM or SIGINT.

    Args:
        reads: the log and its views; let go of at the end.
        place: what the site is.
        listening: where to listen.
        clock: the time (microseconds).
        on_started: takes the URL, once requests are answered.
    """

    async def drain() -> None:
        reads.drain()

    app = create_explorer(reads, place, clock)
    hooks = Hooks(on_started=on_started, on_drain=drain)
    serve(KnownHosts(app, _LOCAL | {listening.host}), listening, hooks=hooks)


class KnownHosts:
    """Lets no request pass that names another host: a page from elsewhere can make a browser send one."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        """Take the application, and the names that it is called by, without a port."""
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "http":
            host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
            if host.lower().removesuffix(f":{_port_in(host)}") not in self._hosts:
                problem = HttpProblem(HttpReason.BAD_REQUEST, f"this explorer isn't called {host!a:.100}")
                await problem_response(problem)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _port_in(host: str) -> str:
    """Return the port of a host's name; what it has none of is the name itself, which is no port."""
    port = host.rpartition(":")[2]
    return port if port.isdecimal() else ""
