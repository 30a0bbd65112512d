"""What answers GET: the log's newest snapshot and the views, followed by two threads, and asked by many.

    log follower     looks for a newer snapshot, at once when the writer has committed (`log.refresh`), or now and then
    views follower   takes in what the log has more, when a question waits for it, or now and then
    event loop       requests wait here, for entries or for the views, and cost no thread
    worker threads   answer from a snapshot or from rows of one moment

Nothing is answered that isn't committed and replicated. What goes wrong while following is kept in `trouble`, and the
last good snapshot and rows go on being shown.
"""

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final, Self, TypeVar

import anyio.to_thread
from starlette.requests import Request

from tallystick.errors import NotALedgerError, NotFoundError, TallystickError, TooBusyError, ViewsDamagedError
from tallystick.publishing.growing_log import GrowingLog
from tallystick.publishing.reader import Reader
from tallystick.sources import AnySource
from tallystick.views.follow import place_of_views
from tallystick.views.past_views import PastViews, Then
from tallystick.views.questions import Questions
from tallystick.views.served_views import READERS_MAX, Answering, ServedViews
from tallystick.vouchers.state import State
from tallystick.web.problems import HttpProblem
from tallystick.wire.statuses import HttpReason

_log: Final = logging.getLogger(__name__)
LOG_LOOKED_AT_SECONDS: Final = 0.5
VIEWS_FOLLOW_SECONDS: Final = 1.0
VIEWS_TRIED_AGAIN_SECONDS: Final = 10.0
"""After what kept them: a damaged log is read up to there each time."""
CATCH_UP_SECONDS: Final = 2.0
"""How long a question waits for entries that were there when it came; then it is answered from the rows there are."""
BUILDING_SECONDS: Final = 20.0
"""The same while the views are being built: there are no rows yet."""
MIN_SIZE_SECONDS: Final = 5.0
"""How long it waits for a size that it asks for."""
QUESTIONS_WAITING_MAX: Final = 64

Found = TypeVar("Found")
_VIEWS: Final = "views"


class Growth:
    """Requests that wait until something has grown; told from any thread, awaited in one event loop."""

    def __init__(self, size: Callable[[], int]) -> None:
        """Take what says how large it is."""
        self._size = size
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: set[asyncio.Future[None]] = set()
        self._is_draining = False

    def begin(self) -> None:
        """Take the running event loop."""
        self._loop = asyncio.get_running_loop()

    def tell(self, _: int = 0) -> None:
        """Wake those that wait."""
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # the loop has ended, and with it all that waited
                loop.call_soon_threadsafe(self._wake)

    def drain(self) -> None:
        """Let nobody wait any longer."""
        self._is_draining = True
        self.tell()

    @property
    def is_draining(self) -> bool:
        """Whether nobody waits any longer."""
        return self._is_draining

    @property
    def waiting(self) -> int:
        """How many requests wait."""
        return len(self._waiting)

    async def reach(self, size: int, seconds: float) -> bool:
        """Wait until it is that large, at most so long, and return whether it is."""
        end = asyncio.get_running_loop().time() + seconds
        while self._size() < size and not self._is_draining:
            future = asyncio.get_running_loop().create_future()
            self._waiting.add(future)
            try:
                async with asyncio.timeout_at(end):
                    await future
            except TimeoutError:
                break
            finally:
                self._waiting.discard(future)
        return self._size() >= size

    def _wake(self) -> None:
        for future in self._waiting:
            if not future.done():
                future.set_result(None)


class Reads:
    """A log and its views, for those who ask over HTTP.

    Attributes:
        log: whose newest snapshot is shown.
        views: balances and lists.
        past: the same as of earlier.
        streams: how many event streams each reader has open.
        dossiers: how many are being written.
    """

    def __init__(self, log: GrowingLog, views: ServedViews) -> None:
        """Use `open` to make one."""
        self.log: Final = log
        self.views: Final = views
        self.past: Final = PastViews(log)
        self.log_growth: Final = Growth(lambda: log.newest.size)
        self.views_growth: Final = Growth(lambda: views.size)
        log.listen(self.log_growth.tell)
        views.listen(self.views_growth.tell)
        self._troubles: dict[str, Exception] = {}
        self._is_ending = threading.Event()
        self._views_wanted = threading.Event()
        self._questions = 0
        self.streams: Final = Counter[str]()
        self.dossiers = 0
        self._limiter: anyio.CapacityLimiter | None = None
        self._answering = threading.local()

    @classmethod
    def open(cls, source: AnySource, views_path: Path | None = None) -> Self:
        """Open a log and its views; nothing is followed before `running`.

        Args:
            source: a ledger folder, or the URL of a PostgreSQL ledger.
            views_path: where the views are kept; for a folder `views.db` in it, else in the user's cache.

        Raises:
            LedgerError: the log can't be read, or there is no place for the views.
        """
        log = GrowingLog(source)
        try:
            return cls(log, ServedViews(log, views_path or place_of_views(log.source)))
        except BaseException:
            log.close()
            raise

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow log and views for as long as this lasts, and let go of both."""
        self._limiter = anyio.CapacityLimiter(READERS_MAX)
        self.log_growth.begin()
        self.views_growth.begin()
        followers = [
            threading.Thread(target=self._follow_log, name="log follower"),
            threading.Thread(target=self._follow_views, name="views follower"),
        ]
        for follower in followers:
            follower.start()
        try:
            yield
        finally:
            self.drain()
            self._is_ending.set()
            self._views_wanted.set()
            for follower in followers:
                await anyio.to_thread.run_sync(follower.join)
            self.close()

    def close(self) -> None:
        """Let go of views and log."""
        self.past.close()
        self.views.close()
        self.log.close()

    def drain(self) -> None:
        """Answer what waits, and let nothing wait any more; from any thread."""
        self.log_growth.drain()
        self.views_growth.drain()

    @property
    def newest(self) -> Reader:
        """The log's newest snapshot."""
        return self.log.newest

    @property
    def views_lag(self) -> int:
        """How many entries the views are behind the log."""
        return max(0, self.log.newest.size - self.views.size)

    @property
    def trouble(self) -> str | None:
        """What keeps log or views from being followed, if anything does."""
        return "; ".join(map(_in_words, self._troubles.values())) or None

    # -- answers, in worker threads ------------------------------------------------------------------------------------

    def ask(self, question: Callable[[Questions], Found]) -> Found:
        """Answer a question from the newest rows; within an answer from that one's own. Blocks: for worker threads.

        Raises:
            TooBusyError: too many ask.
            ViewsUnusableError: the rows can't be read.
        """
        current: Answering | None = getattr(self._answering, "current", None)
        if current is not None:
            return question(current)
        return self._ask_now(question)

    def with_state(self, call: Callable[[State], Found]) -> Found:
        """Call with the state after the last entry followed, which is kept from changing. Blocks: for worker threads.

        Raises:
            LedgerError: the log can't be read.
        """
        with self.log.as_ledger_errors():
            return self.views.with_state(call)

    async def answer(self, question: Callable[[Answering], Found], then: Then | None = None) -> Found:
        """Answer a question from rows of one moment, the newest or one of the past, in a worker thread.

        Raises:
            HttpProblem: too many ask.
            ViewsUnusableError: the rows can't be read.
            NotALedgerError: the log can't be read.
        """
        if self._questions >= QUESTIONS_WAITING_MAX:
            raise HttpProblem(HttpReason.SERVICE_BUSY, "too many questions are waiting for an answer")
        self._questions += 1
        try:
            return await self._answer(question, then)
        except TooBusyError as error:
            raise HttpProblem(HttpReason.SERVICE_BUSY, str(error)) from None
        finally:
            self._questions -= 1

    async def _answer(self, question: Callable[[Answering], Found], then: Then | None) -> Found:
        if then is not None:
            return await anyio.to_thread.run_sync(self._ask_then, question, then)
        try:
            return await anyio.to_thread.run_sync(self._ask_now, question, limiter=self._limiter)
        except ViewsDamagedError:  # they are being made again
            self._views_wanted.set()
            if not await self.views_growth.reach(1, CATCH_UP_SECONDS):
                raise
            return await anyio.to_thread.run_sync(self._ask_now, question, limiter=self._limiter)

    async def from_log(self, question: Callable[[Reader], Found]) -> Found:
        """Answer a question from the log's newest snapshot, in a worker thread.

        What isn't in it is looked for in a newer one: the writer gives receipts under checkpoints that are newer.

        Raises:
            StoreFailedError: the store can't be read.
        """
        return await anyio.to_thread.run_sync(self._ask_log, question)

    async def views_at(self, size: int | None) -> bool:
        """Wait for the views to have a size, or else what the log has now, and return whether they have it.

        Args:
            size: waited for; None waits for what the log has, but not long.
        """
        if size is None and _VIEWS in self._troubles:  # what keeps them is told, or the rows that there are
            return self.views.size >= self.newest.size
        wanted, seconds = (self.newest.size, CATCH_UP_SECONDS) if size is None else (size, MIN_SIZE_SECONDS)
        if not self.views.size:
            seconds = BUILDING_SECONDS
        if self.views.size < wanted:
            self._views_wanted.set()
        return await self.views_growth.reach(wanted, seconds)

    def _ask_log(self, question: Callable[[Reader], Found]) -> Found:
        asked = self.newest
        try:
            return self.log.ask(question)
        except NotFoundError:
            if self.log.refresh() is asked:
                raise
            return self.log.ask(question)

    def _ask_now(self, question: Callable[[Answering], Found]) -> Found:
        trouble = self._troubles.get(_VIEWS)
        if not self.views.size and isinstance(trouble, NotALedgerError):  # or it would be asked again in a moment
            raise type(trouble)(str(trouble))
        with self.log.as_ledger_errors(), self.views.asked() as answering:
            self._answering.current = answering
            try:
                return question(answering)
            finally:
                self._answering.current = None

    def _ask_then(self, question: Callable[[Answering], Found], then: Then) -> Found:
        with self.log.as_ledger_errors(), self.past.asked(then) as answering:
            return question(answering)

    # -- followers -----------------------------------------------------------------------------------------------------

    def _follow_log(self) -> None:
        while not self._is_ending.wait(LOG_LOOKED_AT_SECONDS):
            self._trying("log", self.log.refresh)

    def _follow_views(self) -> None:
        while not self._is_ending.is_set():
            if self.views_lag:
                self._trying(_VIEWS, lambda: self.views.follow(self._go_on))
            self._views_wanted.wait(VIEWS_TRIED_AGAIN_SECONDS if _VIEWS in self._troubles else VIEWS_FOLLOW_SECONDS)
            self._views_wanted.clear()

    def _go_on(self, _done: int, _of: int) -> None:
        if self._is_ending.is_set():
            raise TooBusyError("the service is about to end")

    def _trying(self, what: str, follow: Callable[[], object]) -> None:
        try:
            follow()
        except Exception as error:  # a follower that ended would leave old answers, and nobody would know
            if not isinstance(error, TallystickError):
                _log.exception("the %s can't be followed", what)
            self._troubles[what] = error
        else:
            self._troubles.pop(what, None)


def _in_words(error: Exception) -> str:
    return str(error) if isinstance(error, TallystickError) else f"{type(error).__name__}: {error}"


def reads_of(request: Request) -> Reads:
    """Return what a request is answered from."""
    reads: Reads = request.app.state.reads
    return reads
