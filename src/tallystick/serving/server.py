"""A server for strangers: uvicorn with bounds, a guard before the application, and an end within its time.

    serve(app, host=…, port=…)      blocks until SIGTERM or SIGINT, drains, and returns
    running(app)                    serves from a thread until the block ends; for tests

At the end, in this order and within `drain_seconds`:

    1  `on_drain` is called: the application takes no more of what takes long, and ends what it streams
    2  no connection is accepted; those that ask nothing are closed
    3  answers under way are sent, each with `Connection: close`; what takes longer is broken off
    4  the application's lifespan ends

There is no TLS: a web server in front has the certificates. `uds` is a path to listen on for that.
"""

import asyncio
import contextlib
import errno
import inspect
import logging
import signal
import socket
import threading
from collections.abc import Awaitable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp

from tallystick.errors import LedgerError, UsageError
from tallystick.serving.bounds import Bounds
from tallystick.serving.connection import BoundedProtocol
from tallystick.serving.guard import BodyLimit, Guard
from tallystick.serving.refused import Tell, tell_as_problem
from tallystick.serving.settings import BoundedConfig, Hooks, Place

__all__ = ["BoundedServer", "Hooks", "Place", "in_thread", "make_server", "running", "serve"]

_CLOSING_SECONDS: Final = 0.5
"""Kept of `drain_seconds` for the application's lifespan, and for breaking off what takes too long."""


class BoundedServer(uvicorn.Server):
    """One server on one socket, which listens already."""

    config: BoundedConfig

    def __init__(self, config: BoundedConfig, listening: socket.socket) -> None:
        super().__init__(config)
        self._listening = listening
        self._named = Path(listening.getsockname()) if listening.family == socket.AF_UNIX else None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told_to_stop = asyncio.Event()
        self.is_up: Final = threading.Event()

    @property
    def url(self) -> str:
        """Where it listens."""
        return _url(self._listening)

    def serve_blocking(self) -> None:
        """Serve until told to stop.

        Raises:
            Exception: whatever the application's lifespan ended with.
        """
        try:
            self.run([self._listening])
        except SystemExit:  # uvicorn's, if the application doesn't start
            if self.config.guard.failed is None:
                raise
        finally:
            self._listening.close()
            if self._named is not None:
                self._named.unlink(missing_ok=True)
        if self.config.guard.failed is not None:
            raise self.config.guard.failed

    def stop(self) -> None:
        """Tell the server to stop; from any thread."""
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # it has stopped already
                loop.call_soon_threadsafe(self._told_to_stop.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept connections, and say so."""
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(self._note_fault)
        await super().startup(sockets)
        if self.config.guard.failed is not None:
            raise self.config.guard.failed
        await self.on_tick(0)
        self.config.hooks.on_started(self.url)
        self.is_up.set()

    async def main_loop(self) -> None:
        """Look for connections that have taken too long, until told to stop."""
        tick_seconds = self.config.phases.bounds.tick_seconds
        while not self._told_to_stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._told_to_stop.wait(), tick_seconds)
            self.config.phases.end_overdue()
            await self.on_tick(0)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, within the time that there is for it."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.config.phases.bounds.drain_seconds - _CLOSING_SECONDS
        self.config.phases.draining = True
        await self._until(deadline, self._drain_hook())
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        while self.server_state.tasks and loop.time() < deadline:
            self.config.phases.end_overdue()
            await asyncio.wait(set(self.server_state.tasks), timeout=min(0.1, max(0.0, deadline - loop.time())))
        for task in set(self.server_state.tasks):
            task.cancel()
        await self._let_go(min(deadline, loop.time() + self.config.phases.bounds.linger_seconds))
        await self._until(deadline + _CLOSING_SECONDS, self.lifespan.shutdown())

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at SIGTERM and SIGINT, where signals come at all; what was set before is set again."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        for number in before:
            loop.add_signal_handler(number, self._told_to_stop.set)
        try:
            yield
        finally:
            for number, handler in before.items():
                loop.remove_signal_handler(number)
                signal.signal(number, handler)

    async def _let_go(self, deadline: float) -> None:
        """Wait until the clients have taken their answers, and close on those that don't."""
        loop = asyncio.get_running_loop()
        while self.server_state.connections and loop.time() < deadline:
            self.config.phases.end_overdue()
            await asyncio.sleep(0.01)
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    async def _drain_hook(self) -> None:
        waited = self.config.hooks.on_drain()
        if inspect.isawaitable(waited):
            await waited

    async def _until(self, deadline: float, work: Awaitable[None]) -> None:
        try:
            async with asyncio.timeout_at(deadline):
                await work
        except TimeoutError:
            pass
        except Exception as error:
            self.config.hooks.on_fault(error, {})

    def _note_fault(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, BaseException) and not isinstance(error, ConnectionAbortedError):
            self.config.hooks.on_fault(error, {})


def make_server(
    app: ASGIApp,
    place: Place,
    *,
    bounds: Bounds | None = None,
    hooks: Hooks | None = None,
    body_limit: BodyLimit | None = None,
    tell: Tell = tell_as_problem,
    trusted_proxies: Sequence[str] = (),
) -> BoundedServer:
    """Return a server that listens, and answers once it is run.

    Args:
        app: what answers.
        place: where to listen.
        bounds: what strangers may take.
        hooks: what the application is told.
        body_limit: which paths take larger bodies, or smaller ones.
        tell: words the server's refusals.
        trusted_proxies: addresses whose X-Forwarded-For is believed.

    Raises:
        LedgerError: the address isn't ours, or the port is taken.
        UsageError: no address, or the limit of open files leaves nothing for connections.
    """
    bounds, hooks = bounds or Bounds(), hooks or Hooks()
    guard = Guard(app, bounds, body_limit=body_limit, tell=tell, on_answer=hooks.on_answer, on_fault=hooks.on_fault)
    for logger in ("uvicorn.error", "uvicorn.access"):  # what matters is told to the hooks
        logging.getLogger(logger).disabled = True
    config = BoundedConfig(guard, bounds, hooks, trusted_proxies, BoundedProtocol)
    return BoundedServer(config, _listen(place))


def serve(app: ASGIApp, place: Place, **settings: Any) -> None:  # noqa: ANN401 - those of make_server
    """Serve until SIGTERM or SIGINT, and return once all is drained; the settings are those of `make_server`."""
    make_server(app, place, **settings).serve_blocking()


@contextlib.contextmanager
def running(app: ASGIApp, place: Place | None = None, **settings: Any) -> Iterator[BoundedServer]:  # noqa: ANN401
    """Serve from a thread until the block ends; the settings are those of `make_server`."""
    with in_thread(make_server(app, place or Place(), **settings)) as server:
        yield server


@contextlib.contextmanager
def in_thread(server: BoundedServer) -> Iterator[BoundedServer]:
    """Run a server from a thread until the block ends, and raise then what it ended with."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            server.serve_blocking()
        except BaseException as error:
            raised.append(error)
        finally:
            server.is_up.set()

    thread = threading.Thread(target=run, name="server")
    thread.start()
    server.is_up.wait()
    try:
        if not raised:
            yield server
    finally:
        server.stop()
        thread.join()
    if raised:
        raise raised[0]


def _listen(place: Place) -> socket.socket:
    """Return a listening socket.

    Raises:
        LedgerError: the address isn't ours, or the port is taken.
        UsageError: no address.
    """
    if not place.host:
        raise UsageError("give the address to listen on; 0.0.0.0 is every one that this machine has")
    family = socket.AF_UNIX if place.uds else socket.AF_INET6 if ":" in place.host else socket.AF_INET
    listening = socket.socket(family)
    try:
        if place.uds is not None:
            _remove_stale(place.uds)
            listening.bind(str(place.uds))
            place.uds.chmod(0o660)
        else:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((place.host, place.port))
        listening.listen(1024)
    except OSError as error:
        listening.close()
        where = place.uds or f"{place.host}:{place.port}"
        raise LedgerError(f"{where} can't be listened on: {error.strerror or error}") from None
    return listening


def _remove_stale(uds: Path) -> None:
    """Remove a Unix socket that nobody listens on: its server was killed."""
    if uds.is_socket():
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(uds)) == errno.ECONNREFUSED:
                uds.unlink(missing_ok=True)


def _url(listening: socket.socket) -> str:
    if listening.family == socket.AF_UNIX:
        return f"unix:{listening.getsockname()}"
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
