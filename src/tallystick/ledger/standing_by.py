"""A writer in waiting: it follows the log in memory, and takes over within moments of the writer's end.

What it has followed it need not load. Whether the writer is gone the store's lock tells; that it was, and its last
commit with it, `acquire` makes sure before the tail is believed.
"""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from tallystick.errors import LedgerBusyError, LedgerError
from tallystick.ledger.library import PersistenceError
from tallystick.ledger.log_signing import LogSigner
from tallystick.ledger.record import LedgerRecord
from tallystick.ledger.snapshots import write_snapshot
from tallystick.ledger.submit import Ledger
from tallystick.ledger.tail import Tail, bring_up
from tallystick.vouchers.parties import Network

SECONDS_BETWEEN_TRIES: Final = 0.2
SNAPSHOT_AFTER_ENTRIES: Final = 50_000


class StandBy:
    """Follows a log that another process writes.

    One thread uses it at a time.
    """

    def __init__(
        self, record: LedgerRecord, signer: LogSigner, tail: Tail, become_writer: Callable[[Tail], Ledger]
    ) -> None:
        """Use `opening.stand_by` to make one.

        Args:
            record: where the entries are.
            signer: has the log's keys.
            tail: where the log stood.
            become_writer: returns the writer, whose own the tail is then; raises LedgerBusyError while there is one.
        """
        self._record = record
        self._store = record.store
        self._signer = signer
        self._tail: Tail | None = tail
        self._become_writer = become_writer

    @property
    def size(self) -> int:
        """How many entries were followed."""
        return 0 if self._tail is None else self._tail.edge.size

    @property
    def network(self) -> Network | None:
        """What entry 0 and later ones say of the network; None before it is founded, and while the log is loaded."""
        return None if self._tail is None else self._tail.state.network

    def follow(self) -> int:
        """Take in what the log has more, and return how many entries that were; all, if it had to be loaded anew.

        Raises:
            NotALedgerError: the log doesn't hang together any more.
            PersistenceError: the store can't be reached now.
        """
        tail, self._tail = self._tail, None  # if it fails halfway, state and edge are not of one size
        old_size = 0 if tail is None else tail.edge.size
        self._tail = bring_up(self._store, self._signer.verifiers, tail)
        return self._tail.edge.size - (old_size if self._tail is tail else 0)

    def take_over(self) -> Ledger | None:
        """Return the open ledger, whose store is closed with it; None while another process writes.

        Raises:
            NotALedgerError: the log doesn't hang together any more.
            PersistenceError: the store can't be reached now.
        """
        self.follow()
        assert self._tail is not None
        tail, self._tail = self._tail, None
        try:
            return self._become_writer(tail)
        except LedgerBusyError:
            self._tail = tail
            return None

    def wait(self, timeout_seconds: float | None = None) -> Ledger | None:
        """Follow the log until the writer is gone, and return the open ledger; None if that takes too long.

        A store that can't be reached is waited for: it may be about to come back, here or on another machine.

        Raises:
            NotALedgerError: the log doesn't hang together any more.
        """
        until = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        while True:
            with suppress(PersistenceError):
                ledger = self.take_over()
                if ledger is not None:
                    return ledger
            self._save()
            left = SECONDS_BETWEEN_TRIES if until is None else min(SECONDS_BETWEEN_TRIES, until - time.monotonic())
            if left <= 0:
                return None
            time.sleep(left)

    def close(self) -> None:
        """Let go of the store, if no ledger was made of it."""
        self._record.close()

    def _save(self) -> None:
        """Save the state now and then: the writer never has the time, and a crash would leave an old one."""
        tail = self._tail
        if tail is not None and tail.edge.size - tail.saved_size >= SNAPSHOT_AFTER_ENTRIES:
            tail.saved_size = tail.edge.size
            with suppress(LedgerError, OSError, PersistenceError):
                write_snapshot(self._store.sidecar, tail.state, tail.edge.root(), self._signer.newest_key(tail.state))
