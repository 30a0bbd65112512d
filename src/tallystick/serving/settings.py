"""What a server is given: where it listens, what it tells its application, and uvicorn's settings that follow."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import uvicorn
from starlette.types import Scope

from tallystick.serving.bounds import Bounds, connections_that_fit
from tallystick.serving.guard import Guard
from tallystick.serving.phases import Phases
from tallystick.serving.refused import Answered


def _ignore(*_: object) -> None:
    """Do nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """What an application is told of its server; all are called in the event loop and must not block.

    Args:
        on_started: takes the URL, once requests are answered.
        on_drain: the server is told to stop; what it returns is awaited, for `drain_seconds` at most.
        on_answer: takes each answer, also those that the server gave itself.
        on_closed: takes a client's address and why its connection was closed without an answer, or within one.
        on_fault: takes what the application raised, and the request's scope (empty for what no request caused).
    """

    on_started: Callable[[str], None] = _ignore
    on_drain: Callable[[], Awaitable[None] | None] = field(default=lambda: None)
    on_answer: Callable[[Answered], None] | None = None
    on_closed: Callable[[str, str], None] = _ignore
    on_fault: Callable[[BaseException, Scope], None] = _ignore


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a server listens: a host and a port, 0 for any that is free, or the path of a Unix socket."""

    host: str = "127.0.0.1"
    port: int = 0
    uds: Path | None = None


class BoundedConfig(uvicorn.Config):
    """uvicorn's settings, and ours."""

    def __init__(
        self,
        guard: Guard,
        bounds: Bounds,
        hooks: Hooks,
        trusted_proxies: Sequence[str],
        protocol: type[asyncio.Protocol],
    ) -> None:
        super().__init__(
            guard,
            http=protocol,
            ws="none",
            loop="auto",
            lifespan="auto",
            interface="asgi3",
            log_config=None,
            access_log=False,
            workers=1,
            server_header=False,
            proxy_headers=bool(trusted_proxies),
            forwarded_allow_ips=list(trusted_proxies),
        )
        self.guard: Final = guard
        self.hooks: Final = hooks
        self.phases: Final = Phases(bounds, connections_that_fit(bounds.connections_max))
