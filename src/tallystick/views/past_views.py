"""Views of the past for as long as a log is served: each is made by replaying the log, so few are made, and some kept.

One is made at a time, in a thread of its own. Who asks for it waits, but not for ever; who asks for another meanwhile
is told to come again. The least recently asked are dropped when all together are larger than `bytes_max`.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from tallystick.errors import TallystickError, TooBusyError
from tallystick.publishing.growing_log import GrowingLog
from tallystick.views.follow import Views
from tallystick.views.served_views import Answering
from tallystick.vouchers.quantities import format_day

BYTES_MAX: Final = 256 * 1024 * 1024
DAY_KEPT_SECONDS: Final = 60.0
"""How long views of a day are asked again though the log has grown."""
UNHURRIED_AFTER_SECONDS: Final = 2.0
WAIT_SECONDS: Final = 20.0
"""How long one waits for views that another has asked for."""


class Then(NamedTuple):
    """What counts: the first `size` entries, and of these, if a day is given, what is booked up to it (since 1970)."""

    size: int
    day: int | None = None


class _Kept:
    """Views of a moment, once they are made."""

    def __init__(self) -> None:
        self.made = threading.Event()
        self.asking = threading.Lock()
        self.views: Views | None = None
        self.bytes = 0
        self.made_at = 0.0
        self.error: TallystickError | None = None


class PastViews:
    """Views of moments of a log's past."""

    def __init__(self, log: GrowingLog, bytes_max: int = BYTES_MAX) -> None:
        """Keep none yet.

        Args:
            log: the log.
            bytes_max: of all that are kept; the newest is kept whatever its size.
        """
        self._log = log
        self._bytes_max = bytes_max
        self._lock = threading.Lock()
        self._making = threading.Lock()
        self._kept: OrderedDict[Then, _Kept] = OrderedDict()
        self._closed = threading.Event()

    @contextmanager
    def asked(self, then: Then) -> Iterator[Answering]:
        """Give rows as of a moment.

        Raises:
            TooBusyError: others are being made.
            NotALedgerError: the log can't be read.
        """
        kept = self._made(then)
        with kept.asking:
            views = kept.views
            if views is None:
                raise TooBusyError("that past was dropped meanwhile; ask again")
            last_day = None if then.day is None else format_day(then.day)
            with views.reading() as (c, place):
                yield Answering(c, place.size, place.at, self._log.newest, last_day)

    def kept_of_day(self, day: int) -> Then | None:
        """Return the moment of views of a day that were made not long ago, if there are any: making them is dear."""
        now = time.monotonic()
        with self._lock:
            found = [
                then
                for then, kept in self._kept.items()
                if then.day == day and kept.made.is_set() and now - kept.made_at < DAY_KEPT_SECONDS
            ]
        return max(found, default=None)

    def close(self) -> None:
        """Drop all."""
        self._closed.set()
        with self._making, self._lock:
            dropped = [*self._kept.values()]
            self._kept.clear()
        for kept in dropped:
            _drop(kept)

    def _made(self, then: Then) -> _Kept:
        """Return the views of a moment, made here and now if there are none."""
        with self._lock:
            kept = self._kept.get(then)
            is_first = kept is None
            if kept is None:
                if not self._making.acquire(blocking=False):
                    raise TooBusyError("views of another time are being made; ask again in a moment")
                kept = self._kept[then] = _Kept()
            self._kept.move_to_end(then)
        if is_first:
            threading.Thread(target=self._make, args=(then, kept), name="past views", daemon=True).start()
        if not kept.made.wait(WAIT_SECONDS):
            raise TooBusyError("the views of that time are being made; ask again in a moment")
        if kept.error is not None:
            raise type(kept.error)(str(kept.error))
        return kept

    def _make(self, then: Then, kept: _Kept) -> None:
        """Make views by replaying the log, and make room for them."""
        begun = last = time.monotonic()

        def go_on(_done: int, _of: int) -> None:
            nonlocal last
            took = time.monotonic() - last
            # A long replay leaves every other moment to those who write and ask for what is now.
            if self._closed.wait(took if last - begun > UNHURRIED_AFTER_SECONDS else 0):
                raise TooBusyError("the service is about to end")
            last = time.monotonic()

        try:
            with self._log.as_ledger_errors():
                views = Views.of_past(self._log.source, self._log.newest, then.size, then.day, go_on)
            kept.views, kept.bytes = views, views.memory_bytes()
        except TallystickError as error:
            kept.error = error
            with self._lock:
                self._kept.pop(then, None)
        finally:
            self._making.release()
            kept.made_at = time.monotonic()
            kept.made.set()
        with self._lock:
            dropped = []
            while len(self._kept) > 1 and sum(one.bytes for one in self._kept.values()) > self._bytes_max:
                dropped.append(self._kept.popitem(last=False)[1])
        for one in dropped:
            _drop(one)


def _drop(kept: _Kept) -> None:
    """Let go of views, once nobody asks them."""
    with kept.asking:
        if kept.views is not None:
            kept.views.close()
            kept.views = None
