"""Puts the service together: `create_app(service)` is an ASGI application over a log that is followed already.

Each part brings its routes: those that take notes are plain routes and come first, the others are routers of FastAPI.

    entries_in.py   notes in                    resources.py, tiles.py, following.py   what is read
    health.py       is it well?                 sessions.py, pending.py                logins, half-signed notes
    pages/          the explorer
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fastapi import APIRouter, FastAPI
from starlette.types import Receive, Scope, Send

from tallystick import __version__
from tallystick.vouchers.reading_rights import Reading
from tallystick.web import (
    description,
    entries_in,
    health,
    info,
    logins,
    pending,
    problem_pages,
    problems,
    rights,
    routers,
    sessions,
)
from tallystick.web.flood import FailureBuckets
from tallystick.web.pages import answering
from tallystick.web.pages.every_page import ROUTES
from tallystick.web.pages.page import Place
from tallystick.web.pending import Pending
from tallystick.web.report_file import ReportFile
from tallystick.web.rights import Rights
from tallystick.web.served_application import ServedApplication
from tallystick.web.served_log import ServedLog
from tallystick.web.sessions import Sessions

PENDING: Final = "pending.db"
"""Beside the views."""

ROUTERS: Final[tuple[APIRouter, ...]] = (
    health.router,
    info.router,
    *routers.READING,
    sessions.router,
    logins.router,
    pending.router,
    problem_pages.router,
    description.router,
)
"""The routers of the parts, in order."""


_TAKING_NOTES: Final = {route.path: route.endpoint for route in entries_in.ROUTES}


class LogApplication(ServedApplication):
    """An application that takes notes past all layers: together they cost as much as the answer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take a note, or answer."""
        take_notes = _TAKING_NOTES.get(scope["path"]) if scope.get("method") == "POST" else None
        if take_notes is None:
            await super().__call__(scope, receive, send)
            return
        scope["app"] = self
        scope.setdefault("state", {})["route"] = scope["path"]
        await entries_in.answer(take_notes, scope, receive, send)


def create_app(service: ServedLog) -> FastAPI:
    """Return the application of a service."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with service.running():
            yield
        app.state.pending.close()

    app = LogApplication(lifespan)
    app.state.service = service
    app.state.reads = service.reads
    logins = Sessions(service.reads, service.urls, service.clock)
    service.on_recorded = logins.take_in
    rights.install(app, Rights(Reading(service.settings.reading), service.reads, logins))
    app.state.failures = FailureBuckets()
    app.state.pending = Pending(service.reads.views.path.with_name(PENDING), service.reads, service.clock)
    app.router.routes[:0] = entries_in.ROUTES
    for router in ROUTERS:
        app.include_router(router)
    settings = service.settings
    report = None if settings.report is None else ReportFile(settings.report)
    answering.install(app, Place(report=report, policy=settings.policy))
    app.router.routes.extend(ROUTES)
    problems.install(app, answering.problem_page)
    return app


def described_app() -> FastAPI:
    """Return an application that has all routes and answers none: for its description."""
    app = FastAPI(title="Tallystick", version=__version__)
    for router in ROUTERS:
        app.include_router(router)
    return app
