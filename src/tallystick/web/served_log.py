"""What every request may need of the service that answers it: `served_log_of(request)` has all of it.

    source, settings     where the log is, and what the operator said of the service
    writing              the writer or the one standing by (running.py); `writing.is_writing`
    submit(notes)        decided in a group with others' notes (batching.py)
    in_thread(f, ...)    what blocks, in a worker thread

`app.state.service` is the service; the parts keep theirs beside it.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from starlette.requests import Request

from tallystick.errors import RequestRefusedError, TallystickError, WriterFencedError
from tallystick.ledger.checking import check_notes
from tallystick.ledger.pending import Admitted, NoteAnswer
from tallystick.ledger.submit import system_clock
from tallystick.sources import LedgerDatabase, WritableSource
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.refusals import Refusal
from tallystick.vouchers.state import State
from tallystick.web.batching import GROUPS_UNDER_WAY_MAX, Batcher
from tallystick.web.reads import Reads
from tallystick.web.running import Writing
from tallystick.wire import JsonObject

CHECKS_AT_ONCE: Final = 4
DRAIN_SECONDS: Final = 8.0
LETTING_GO_SECONDS: Final = 0.3

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
        urls: what parties call it, without a slash at the end: a login is for one of these.
        report: the file of the last audit's report, which pages show.
        proxies: addresses whose X-Forwarded-For says for whom they ask.
    """

    origin: str
    vkeys: tuple[str, ...]
    reading: str = "own"
    policy: str | None = None
    prefix: str = ""
    health_after_seconds: int | None = None
    urls: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    report: Path | None = None


class ServedLog:
    """One log's service, while it runs.

    Attributes:
        urls: what parties call it: as the settings have it, and where it listens.
        clock: the time (microseconds).
    """

    def __init__(
        self,
        source: WritableSource,
        settings: ServingSettings,
        writing: Writing,
        reads: Reads,
        clock: Callable[[], int] = system_clock,
    ) -> None:
        """Take the parts; `writing` has been started, and is stopped with the service."""
        self.urls: Final = {url.rstrip("/") for url in settings.urls}
        self.clock: Final = clock
        self.source: Final = source
        self.settings = settings
        self.writing: Final = writing
        self.reads: Final = reads
        self.prefix: Final = settings.prefix
        self.is_draining = False
        self._drained_by = 0.0
        self.on_recorded: Callable[[Sequence[NoteAnswer]], None] = lambda answers: None
        self.on_group: Callable[[Sequence[NoteAnswer] | None, float], None] = lambda answers, seconds: None
        self.checking = asyncio.Semaphore(1)
        self.examining = asyncio.Lock()
        self.examined: tuple[float, JsonObject, list[str]] = (-math.inf, {}, [])
        self._deciding = ThreadPoolExecutor(GROUPS_UNDER_WAY_MAX, "deciding")
        self._checking = ThreadPoolExecutor(CHECKS_AT_ONCE, "checking")
        self._looking = ThreadPoolExecutor(1, "looking")
        self._is_look_queued = False
        self.batcher: Final = Batcher(self._submit, self._deciding)

    @property
    def size(self) -> int:
        """How many entries the log has, as far as this process knows."""
        return self.writing.size

    def headers(self) -> dict[str, str]:
        """Return what every answer from the log's newest state has."""
        return {"Tallystick-Size": str(self.size)}

    async def submit(self, notes: Sequence[bytes]) -> list[NoteAnswer]:
        """Return the answers to notes, in order, durable.

        Raises:
            HttpProblem: it is busy, about to end, or another process writes.
            LedgerError: as `Ledger.submit` raises it.
        """
        return await self.batcher.submit(notes)

    def check(self, notes: Sequence[bytes]) -> list[Entry | Refusal]:
        """Return what would be decided on notes, one after another; blocks.

        A service that stands by decides on the state that its views have, which may be moments old.

        Raises:
            LedgerError: the log can't be read.
        """
        with suppress(RequestRefusedError, WriterFencedError):
            return self.writing.check(notes)
        saved = self.reads.with_state(State.to_bytes)
        return check_notes(lambda: State.from_bytes(saved), notes, self.clock())

    async def in_thread(
        self, call: Callable[_Parameters, _Result], *args: _Parameters.args, **kwargs: _Parameters.kwargs
    ) -> _Result:
        """Return what a call returns that blocks."""
        return await asyncio.get_running_loop().run_in_executor(self._checking, partial(call, *args, **kwargs))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow the log for as long as this lasts; then let go of it, once all that was taken is answered."""
        async with self.reads.running():
            try:
                yield
            finally:
                await self.drain()
                await self.in_thread(self.writing.stop, LETTING_GO_SECONDS)
                self._deciding.shutdown(wait=False)
                self._checking.shutdown(wait=False)
                self._looking.shutdown(wait=False, cancel_futures=True)

    async def drain(self) -> None:
        """Take no more notes, end what waits or streams, and wait until the notes that were taken are answered.

        A store that hangs is waited for no longer than `DRAIN_SECONDS`; then they are told to submit again.
        """
        loop = asyncio.get_running_loop()
        self.is_draining = True
        self.batcher.drain()
        self.reads.drain()
        self._drained_by = self._drained_by or loop.time() + DRAIN_SECONDS
        try:
            async with asyncio.timeout_at(self._drained_by):
                await self.batcher.wait_idle()
        except TimeoutError:
            self.batcher.give_up()

    def _submit(self, notes: Sequence[bytes]) -> list[NoteAnswer]:
        began = time.perf_counter()
        try:
            answers = self.writing.submit(notes)
        except BaseException:
            self.on_group(None, time.perf_counter() - began)
            raise
        new = [answer for answer in answers if isinstance(answer, Admitted) and answer.is_new]
        self.reads.views.fresh.keep(Entry(answer.event, answer.entry) for answer in new)
        self.on_recorded(answers)
        self.on_group(answers, time.perf_counter() - began)
        if not isinstance(self.source, LedgerDatabase):
            self._look()
        elif not self._is_look_queued:  # there it is a commit of its own, which nobody's answer waits for
            self._is_look_queued = True
            self._looking.submit(self._look)
        return answers

    def _look(self) -> None:
        """Show what was committed; one who asks for a size waits for that by itself."""
        self._is_look_queued = False
        with suppress(TallystickError):  # the log follower finds it too, and says what is wrong
            self.reads.log.refresh()


def served_log_of(request: Request) -> ServedLog:
    """Return the service that a request came to."""
    service = request.app.state.service
    assert isinstance(service, ServedLog)
    return service
