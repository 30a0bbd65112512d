"""Views for as long as a log is served: one thread follows, others ask; an answer is of one moment, which it says.

    follow      takes in what the log has more: one thread at a time
    asked       gives rows of one moment to one thread: READERS_MAX at once, each with a connection of its own
    listen      has it told how many entries were followed

The rows are those of `views.db`, which the command line follows as well. A file that was damaged, deleted or replaced
is opened or made anew, and questions wait for it.
"""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from tallystick.errors import TooBusyError, ViewsDamagedError, ViewsUnusableError
from tallystick.progress import Progress
from tallystick.publishing.growing_log import GrowingLog, GrownTo
from tallystick.publishing.reader import Reader
from tallystick.views.figure_questions import Found
from tallystick.views.follower import LogFollower
from tallystick.views.fresh_entries import FreshEntries
from tallystick.views.library import SQLiteCursor
from tallystick.views.questions import Questions
from tallystick.views.schema import TABLES
from tallystick.views.view_store import ViewStore
from tallystick.vouchers.state import State

READERS_MAX: Final = 4
READER_SECONDS: Final = 5.0
"""How long a question waits until another is done."""
STATE_SAVED_AFTER_ENTRIES: Final = 50_000


class Answering(Questions):
    """Questions to rows of one moment, by one thread.

    Attributes:
        size: how many entries the rows are of.
        at: the log's time of the last of them (microseconds).
        log: a snapshot with at least these entries.
    """

    def __init__(self, c: SQLiteCursor, size: int, at: int, log: Reader, last_day: str | None = None) -> None:
        """Take the cursor, what it is of, and the log, for what isn't in rows."""
        self._c = c
        self.size: Final = size
        self.at: Final = at
        self.log: Final = log
        self.last_day = last_day

    def ask(self, question: Callable[[SQLiteCursor], Found]) -> Found:
        """Answer a question from the rows."""
        return question(self._c)

    def entries(self, indices: Iterable[int]) -> Iterator[bytes]:
        """Yield entries of the log.

        Raises:
            NotALedgerError: one can't be read.
        """
        return map(self.log.entry, indices)


class ServedViews:
    """The views of a log that is served.

    Attributes:
        fresh: takes entries that this process has written, so that following needn't read them again.
        questions: how many were asked, for whoever measures.
    """

    def __init__(self, log: GrowingLog, path: Path) -> None:
        """Open the file; nothing is followed yet.

        Raises:
            ViewsUnusableError: it can't be opened or made.
        """
        self._log = log
        self._path = path
        self._following = threading.Lock()
        self._listeners: list[GrownTo] = []
        self.fresh: Final = FreshEntries()
        self._follower = self._opened()
        self._size = 0
        self.questions = 0
        self._readers = _Readers(path, log.newest.origin)

    @property
    def path(self) -> Path:
        """Where the rows are kept."""
        return self._path

    @property
    def size(self) -> int:
        """How many entries were followed; 0 until what lay there, or is made again, has reached the log's end once."""
        return self._size

    def listen(self, followed_to: GrownTo) -> None:
        """Have it told how many entries were followed, in the thread that follows."""
        self._listeners.append(followed_to)

    def follow(self, progress: Progress | None = None) -> int:
        """Take in what the log has more, and return how many entries that were.

        Args:
            progress: told after every batch how far it is; what it raises ends this, and what was followed stays.

        Raises:
            LedgerError: the log can't be read, or the file not written; what was followed before stays.
        """
        with self._following:
            if not self._follower.store.is_in_place():
                self._follower.close()
                self._follower = self._opened()
            followed = self._follower.follow(progress)
            size = self._follower.place.size
            self._size = size
        for followed_to in self._listeners:
            followed_to(size)
        return followed

    def with_state(self, look: Callable[[State], Found]) -> Found:
        """Return what is found in the state at the last entry followed; nothing is followed meanwhile, so be quick.

        Raises:
            LedgerError: the log can't be read.
        """
        with self._following:
            return look(self._follower.state())

    @contextmanager
    def asked(self) -> Iterator[Answering]:
        """Give rows of one moment, which are checked before this ends: an answer counts only after it.

        Raises:
            TooBusyError: too many ask.
            ViewsUnusableError: the rows can't be read; damaged ones are made again, and can be asked later.
        """
        if not self._size:
            raise ViewsUnusableError("balances and lists are being built from the log; ask again in a moment")
        with self._readers.one(self._follower.store) as store:
            self.questions += 1
            try:
                with store.reading() as c:
                    place = store.place_in(c)
                    yield Answering(c, place.size, place.at, self._snapshot(place.size))
            except ViewsDamagedError:
                self._make_again()
                raise

    def close(self) -> None:
        """Let go of the file; the state is kept in it, so that the next start is quick."""
        with self._following:
            with suppress(ViewsUnusableError):
                self._follower.save_state()
            self._follower.close()
        self._readers.close()

    def _opened(self) -> LogFollower:
        @contextmanager
        def read() -> Iterator[Reader]:
            yield self._log.refresh()

        return LogFollower(
            self._log.source,
            self._log.newest.origin,
            self._path,
            read=read,
            fresh=self.fresh,
            state_saved_after=STATE_SAVED_AFTER_ENTRIES,
        )

    def _snapshot(self, size: int) -> Reader:
        """Return the log with at least so many entries: another process may have followed further."""
        newest = self._log.newest
        return newest if newest.size >= size else self._log.refresh()

    def _make_again(self) -> None:
        """Make the rows anew, in another file of the same name."""
        with self._following:
            self._follower.start_anew()
            self._size = 0
        # Whoever follows next finds an empty file.


class _Readers:
    """Connections that only read, as many as there are questions at once."""

    def __init__(self, path: Path, origin: str) -> None:
        self._path = path
        self._origin = origin
        self._free: queue.LifoQueue[tuple[ViewStore, ViewStore] | None] = queue.LifoQueue()
        for _ in range(READERS_MAX):
            self._free.put(None)

    @contextmanager
    def one(self, follower: ViewStore) -> Iterator[ViewStore]:
        """Give a connection to the file that the follower has open."""
        try:
            free = self._free.get(timeout=READER_SECONDS)
        except queue.Empty:
            raise TooBusyError("too many questions are being answered; ask again in a moment") from None
        try:
            if free is not None and free[1] is not follower:
                free[0].close()
                free = None
            store = ViewStore(self._path, self._origin, TABLES, beside=follower) if free is None else free[0]
            free = (store, follower)
            yield store
        finally:
            self._free.put(free)

    def close(self) -> None:
        """Close those that aren't in use."""
        with suppress(queue.Empty):
            while True:
                free = self._free.get_nowait()
                if free is not None:
                    free[0].close()
