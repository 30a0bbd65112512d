"""Puts the service together: `create_app(service)` is an ASGI application over a log that is followed already.

Each part brings its routes: those that take notes are plain routes and come first, the others are routers of FastAPI.

    entries_in.py   notes in                    resources.py, tiles.py, following.py   what is read
    health.py       is it well?                 sessions.py, pending.py                logins, half-signed notes
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fastapi import APIRouter, FastAPI

from tallystick import __version__
from tallystick.web import entries_in, health, problems
from tallystick.web.served_log import ServedLog

ROUTERS: Final[tuple[APIRouter, ...]] = (health.router,)
"""The routers of the parts, in order: `tiles.router`, `resources.router`, `following.router`, `sessions.router` …"""


def create_app(service: ServedLog) -> FastAPI:
    """Return the application of a service."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await service.close()

    app = FastAPI(
        title="Tallystick",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.state.service = service
    app.router.routes[:0] = entries_in.ROUTES
    for router in ROUTERS:
        app.include_router(router)
    problems.install(app)
    return app
