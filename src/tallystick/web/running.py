"""The service's part in writing: it stands by where another process writes, takes over, and stands by again if fenced.

    standing_by ──► writing ──► fenced ──► standing_by ──► …
                      │  ▲
                      ▼  │
                 store_failed      the store can't be reached; the same process goes on when it is back

All of it happens in a thread of its own. Notes are decided in others, by `submit` and `check`, while there is a ledger;
one is closed only when nobody uses it. Each second the writer asks its store whether it is the writer still, so that
one that is idle notices too.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import Final

from tallystick.errors import NotALedgerError, StoreFailedError, TallystickError, UsageError, WriterFencedError
from tallystick.ledger import Ledger, StandBy
from tallystick.ledger.library import PersistenceError
from tallystick.ledger.pending import NoteAnswer
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.parties import Network
from tallystick.vouchers.refusals import Refusal
from tallystick.web.logs import log
from tallystick.web.problems import HttpProblem
from tallystick.wire.statuses import HttpReason

SECONDS_BETWEEN_TRIES: Final = 0.5
SECONDS_BETWEEN_LOOKS: Final = 1.0


class Status(StrEnum):
    """What the service does about writing."""

    STANDING_BY = "standing_by"
    WRITING = "writing"
    STORE_FAILED = "store_failed"
    FENCED = "fenced"
    STOPPED = "stopped"


class Writing:
    """A log's writer, or one in waiting.

    Attributes:
        status: what it does.
        trouble: why nothing can be written, in words; empty while it writes, or stands by in good order.
        fenced: how often another writer has taken over.
        network: its edition and parameters, as they were when this last looked.
    """

    def __init__(self, stand_by: Callable[[], StandBy]) -> None:
        """Take what follows the log, anew each time; nothing is opened before `start`."""
        self._stand_by = stand_by
        self._ledger: Ledger | None = None
        self._followed = 0
        self._users = 0
        self._unused = threading.Condition()
        self._wake = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self.status = Status.STOPPED
        self.trouble = ""
        self.fenced = 0
        self.network: Network | None = None

    @property
    def size(self) -> int:
        """How many entries there are, as far as this process knows."""
        ledger = self._ledger
        return self._followed if ledger is None else ledger.size

    @property
    def is_writing(self) -> bool:
        """Whether notes are decided here, and what was asked of the store last went well."""
        return self.status is Status.WRITING

    @property
    def has_ledger(self) -> bool:
        """Whether notes may be under way: there is a ledger that isn't closed."""
        return self._ledger is not None or self._users > 0

    def start(self) -> None:
        """Stand by, or write at once if nobody else does; what is wrong with the source is raised here.

        Raises:
            UsageError: a key whose turn it is to sign wasn't given.
            NotALedgerError: there is none, or it doesn't hang together.
            StoreFailedError: the database can't be reached.
        """
        waiting = self._stand_by()
        try:
            ledger = waiting.wait(0.0)
        except BaseException:
            waiting.close()
            raise
        self._use(waiting, ledger)
        self._thread = threading.Thread(target=self._run, args=(waiting, ledger), name="writing", daemon=True)
        self._thread.start()

    def stop(self, timeout_seconds: float | None = None) -> bool:
        """Let go of the log, once nothing that was begun is under way; return whether that came to pass in time."""
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout_seconds)
            return not self._thread.is_alive()
        return True

    def submit(self, notes: Sequence[bytes]) -> list[NoteAnswer]:
        """Do what `Ledger.submit` does.

        Raises:
            HttpProblem: another process writes the log.
            LedgerError: as `Ledger.submit` raises it.
        """
        with self._using() as ledger:
            return ledger.submit(notes)

    def check(self, notes: Sequence[bytes]) -> list[Entry | Refusal]:
        """Do what `Ledger.check` does.

        Raises:
            HttpProblem: another process writes the log.
            LedgerError: as `Ledger.check` raises it.
        """
        with self._using() as ledger:
            return ledger.check(notes)

    @contextmanager
    def _using(self) -> Iterator[Ledger]:
        with self._unused:
            ledger = self._ledger
            if ledger is None:
                raise HttpProblem(HttpReason.NOT_WRITING, self.trouble)
            self._users += 1
        try:
            yield ledger
        except StoreFailedError as error:
            self._set(Status.STORE_FAILED, str(error))
            raise
        except WriterFencedError:
            self._wake.set()
            raise
        finally:
            with self._unused:
                self._users -= 1
                self._unused.notify_all()

    def _run(self, waiting: StandBy | None, ledger: Ledger | None) -> None:
        while waiting is not None and not self._stopping:
            ledger = ledger or self._wait(waiting)
            if ledger is not None:  # which has the store now, and closes it
                self._write(ledger)
                ledger, waiting = None, self._stand_by_again()
        if waiting is not None:
            waiting.close()
        self._set(Status.STOPPED, "the service has let go of the log")

    def _wait(self, waiting: StandBy) -> Ledger | None:
        """Return the ledger, once it may be written; None if that isn't now."""
        try:
            ledger = waiting.wait(SECONDS_BETWEEN_TRIES)
        except (TallystickError, PersistenceError) as error:
            self._set(Status.STANDING_BY, f"the log can't be followed: {error}")
            self._is_stopped(SECONDS_BETWEEN_TRIES)
            return None
        self._use(waiting, ledger)
        return ledger

    def _use(self, waiting: StandBy, ledger: Ledger | None) -> None:
        if ledger is None:
            self._followed, self.network = waiting.size, waiting.network or self.network
            self._set(Status.STANDING_BY)
            return
        self.network = ledger.state.network
        with self._unused:
            self._ledger = ledger
        self._set(Status.WRITING)

    def _write(self, ledger: Ledger) -> None:
        """Look after the ledger until the service ends, or another process writes."""
        while not self._is_stopped(SECONDS_BETWEEN_LOOKS):
            try:
                ledger.confirm()
                self.network = ledger.state.network
            except WriterFencedError as error:
                self.fenced += 1
                self._set(Status.FENCED, str(error))
                break
            except (StoreFailedError, NotALedgerError, UsageError) as error:
                self._set(Status.STORE_FAILED, str(error))
            else:
                self._set(Status.WRITING)
        self._let_go(ledger)

    def _let_go(self, ledger: Ledger) -> None:
        """Close a ledger, once nobody uses it."""
        with self._unused:
            self._ledger, self._followed = None, ledger.size
            self._unused.wait_for(lambda: self._users == 0)
        ledger.close()

    def _stand_by_again(self) -> StandBy | None:
        while not self._stopping:
            try:
                return self._stand_by()
            except (TallystickError, PersistenceError) as error:
                self._set(Status.STORE_FAILED, str(error))
                self._is_stopped(SECONDS_BETWEEN_TRIES)
        return None

    def _is_stopped(self, seconds: float) -> bool:
        """Wait, until woken, and return whether the service ends."""
        self._wake.wait(seconds)
        self._wake.clear()
        return self._stopping

    def _set(self, status: Status, trouble: str = "") -> None:
        if (status, trouble) != (self.status, self.trouble):
            self.status, self.trouble = status, trouble
            say = log.warning if status in (Status.STORE_FAILED, Status.FENCED) else log.info
            say(status.value, **({"detail": trouble} if trouble else {}))
