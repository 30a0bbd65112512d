"""FastAPI as it is served here: its server logs and answers faults, and is told by which route one was answered."""

from typing import Any

from fastapi import FastAPI
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.types import ASGIApp, Lifespan, Message, Receive, Scope, Send

from tallystick import __version__


class ServedApplication(FastAPI):
    """FastAPI, without its outermost layer: what nobody foresaw goes to the server, which logs and answers it."""

    def __init__(self, lifespan: Lifespan[Any]) -> None:
        """Make it, without routes; its description is served by a route of ours, if at all."""
        super().__init__(
            title="Tallystick",
            version=__version__,
            lifespan=lifespan,
            docs_url=None,
            redoc_url=None,
            openapi_url=None,
            redirect_slashes=False,
        )

    def build_middleware_stack(self) -> ASGIApp:
        """Return the layers, from the one that turns exceptions into problems on."""
        outermost = super().build_middleware_stack()
        assert isinstance(outermost, ServerErrorMiddleware)
        return outermost.app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and say by which route: its pattern, for what is counted."""

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                scope.setdefault("state", {})["route"] = getattr(scope.get("route"), "path", "")
            await send(message)

        await super().__call__(scope, receive, send_on)
