"""FastAPI as it is served here: its server logs and answers faults, and is told by which route one was answered."""

from fastapi import FastAPI
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class ServedApplication(FastAPI):
    """FastAPI, without its outermost layer: what nobody foresaw goes to the server, which logs and answers it."""

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
