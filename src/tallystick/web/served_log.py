"""What every request may need of the service that answers it: `served_log_of(request)` has all of it.

    source, settings     where the log is, and what the operator said of the service
    writing              the writer or the one standing by (running.py); `writing.is_writing`
    submit(notes)        decided in a group with others' notes (batching.py)
    in_thread(f, ...)    what blocks, in a worker thread

`app.state.service` is the service; the parts keep theirs beside it.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final, ParamSpec, TypeVar

from starlette.requests import Request

from tallystick.ledger.pending import NoteAnswer
from tallystick.publishing.reader import Reader, read_ledger
from tallystick.sources import WritableSource
from tallystick.web.batching import GROUPS_UNDER_WAY_MAX, Batcher
from tallystick.web.running import Writing

READERS_AT_ONCE: Final = 8

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class ServingSettings:
    """What the operator says of the service.

    Attributes:
        origin: the log's.
        vkeys: the public halves of the keys that sign its checkpoints here.
        reading: who may read what: `open`, `parties` or `own`.
        policy: the trust policy's text, if there is one beside the log.
        prefix: the path under which all is mounted, without a slash at its end; empty for the root.
        health_after_seconds: how old the newest checkpoint may be to be healthy; None for any age.
    """

    origin: str
    vkeys: tuple[str, ...]
    reading: str = "own"
    policy: str | None = None
    prefix: str = ""
    health_after_seconds: int | None = None


class ServedLog:
    """One log's service, while it runs."""

    def __init__(self, source: WritableSource, settings: ServingSettings, writing: Writing) -> None:
        """Take the parts; `writing` has been started, and is stopped with the service."""
        self.source: Final = source
        self.settings: Final = settings
        self.writing: Final = writing
        self.prefix: Final = settings.prefix
        self.is_draining = False
        self.checking = asyncio.Semaphore(1)
        self._deciding = ThreadPoolExecutor(GROUPS_UNDER_WAY_MAX, "deciding")
        self._reading = ThreadPoolExecutor(READERS_AT_ONCE, "reading")
        self.batcher: Final = Batcher(self._submit, self._deciding)
        self._committed: list[Callable[[], None]] = []

    @property
    def size(self) -> int:
        """How many entries the log has, as far as this process knows."""
        return self.writing.size

    def headers(self) -> dict[str, str]:
        """Return what every answer from the log's newest state has."""
        return {"Tallystick-Size": str(self.size)}

    def on_commit(self, wake: Callable[[], None]) -> None:
        """Have something called in a worker thread after each group that was committed, before it is answered."""
        self._committed.append(wake)

    async def submit(self, notes: Sequence[bytes]) -> list[NoteAnswer]:
        """Return the answers to notes, in order, durable.

        Raises:
            HttpProblem: it is busy, about to end, or another process writes.
            LedgerError: as `Ledger.submit` raises it.
        """
        return await self.batcher.submit(notes)

    async def in_thread(
        self, call: Callable[_Parameters, _Result], *args: _Parameters.args, **kwargs: _Parameters.kwargs
    ) -> _Result:
        """Return what a call returns that blocks."""
        return await asyncio.get_running_loop().run_in_executor(self._reading, partial(call, *args, **kwargs))

    def reader(self) -> Reader:
        """Return a reader of the log as it is now, to be closed."""
        return read_ledger(self.source)

    async def drain(self) -> None:
        """Take no more notes, and wait until those that were taken are answered."""
        self.is_draining = True
        self.batcher.drain()
        await self.batcher.wait_idle()

    async def close(self) -> None:
        """Let go of the log, once all that was taken is answered."""
        await self.drain()
        await asyncio.get_running_loop().run_in_executor(None, self.writing.stop)
        self._deciding.shutdown()
        self._reading.shutdown()

    def _submit(self, notes: Sequence[bytes]) -> list[NoteAnswer]:
        answers = self.writing.submit(notes)
        for wake in self._committed:
            wake()
        return answers


def served_log_of(request: Request) -> ServedLog:
    """Return the service that a request came to."""
    service = request.app.state.service
    assert isinstance(service, ServedLog)
    return service
