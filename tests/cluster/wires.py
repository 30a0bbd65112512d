"""Forwarders of TCP connections that can be cut like a cable: nothing is closed, nothing arrives any more.

What was under way when a wire was cut is delivered when it is mended, as TCP would deliver it; a connection that is
begun meanwhile hangs. Whoever wants to notice a cut has to have a timeout.
"""

import asyncio
import threading
from collections.abc import Collection, Mapping
from contextlib import suppress
from functools import partial

BLOCK = 1 << 16


class Wires:
    """Forwarders on 127.0.0.1, in a thread of their own."""

    def __init__(self, targets: Mapping[int, int]) -> None:
        """Forward each port to another; all of them listen when this returns."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="wires", daemon=True)
        self._thread.start()
        self._whole: dict[int, asyncio.Event] = {}
        self._connections: set[asyncio.Task[None]] = set()
        self._servers: list[asyncio.Server] = []
        asyncio.run_coroutine_threadsafe(self._listen(targets), self._loop).result()

    def cut(self, ports: Collection[int]) -> None:
        """Let nothing through that comes in or goes back by these ports."""
        self._set(ports, whole=False)

    def mend(self, ports: Collection[int]) -> None:
        """Deliver what waited, and go on."""
        self._set(ports, whole=True)

    def close(self) -> None:
        """Close everything."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _set(self, ports: Collection[int], *, whole: bool) -> None:
        async def change() -> None:
            for port in ports:
                (self._whole[port].set if whole else self._whole[port].clear)()

        asyncio.run_coroutine_threadsafe(change(), self._loop).result()

    async def _listen(self, targets: Mapping[int, int]) -> None:
        for port, target in targets.items():
            self._whole[port] = whole = asyncio.Event()
            whole.set()
            self._servers.append(await asyncio.start_server(partial(self._begin, whole, target), "127.0.0.1", port))

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _begin(
        self, whole: asyncio.Event, target: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        with suppress(OSError, asyncio.CancelledError):
            await _forward(whole, target, reader, writer)
        writer.close()


async def _forward(
    whole: asyncio.Event, target: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Carry one connection until either side ends it."""
    await whole.wait()
    far_reader, far_writer = await asyncio.open_connection("127.0.0.1", target)
    try:
        ways = [asyncio.create_task(_carry(whole, *way)) for way in ((reader, far_writer), (far_reader, writer))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
    finally:
        far_writer.close()


async def _carry(whole: asyncio.Event, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        data = await reader.read(BLOCK)
        await whole.wait()
        if not data:
            return
        writer.write(data)
        await writer.drain()
