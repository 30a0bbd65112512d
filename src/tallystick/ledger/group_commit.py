"""Callers at once become groups: one of them writes for all that came while the group before was written.

    arrive    a caller hands in its notes, already read, and waits; who finds no one writing writes
    verify    as soon as what arrived is worth a task, its signatures go to the processes; the rest when it is taken,
              before the lock is held under which the state is read
    write     all that waits, up to a transaction's measure, is written as one
    leave     a caller whose own notes are answered hands the writing on to the one that has waited longest; one that is
              interrupted before its notes were taken takes them back

There is no timer: one caller alone is served at once, and of many the more come together the slower the disk is. Each
caller sleeps on a lock of its own and is woken once, with its answers or to write: were all to wait for one lock, each
would have to get it in turn before the next group could begin.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from tallystick.errors import StoreFailedError
from tallystick.ledger.pending import GROUP_NOTES_MAX, Group, fail

WORTH_VERIFYING_AHEAD: Final = 16
"""From so many notes on, what arrived is given to a process before it is taken."""


class GroupCommit:
    """The groups that wait, and whose turn it is to write; used from any thread."""

    def __init__(
        self,
        writer_lock: threading.RLock,
        verify: Callable[[Sequence[Group]], object],
        write: Callable[[Sequence[Group]], None],
    ) -> None:
        """Take what is done with groups.

        Args:
            writer_lock: held while groups are taken, and while they are written; others hold it while they read what a
                write changes.
            verify: begins to verify the signatures in some groups, together.
            write: answers some groups in order, in one transaction.
        """
        self._writer_lock = writer_lock
        self._verify = verify
        self._write = write
        self._lock = threading.Lock()
        self._arrived: deque[Group] = deque()
        self._unverified: list[Group] = []
        self._writing: Group | None = None  # whose caller writes, or was woken to

    @property
    def waiting(self) -> int:
        """How many groups wait to be taken."""
        return len(self._arrived)

    def submit(self, group: Group) -> None:
        """Return once a group is done, written by this caller or by another.

        Raises:
            BaseException: an interrupt of this thread, or what `write` raised in it.
        """
        try:
            if not self._arrive(group):
                group.wake.acquire()
            while not group.done:  # what came before comes first, and may fill a transaction
                self._write_next(group)
        finally:
            self._leave(group)

    def _arrive(self, group: Group) -> bool:
        """Let a group wait, and return whether its caller is to write."""
        ahead: list[Group] = []
        with self._lock:
            self._arrived.append(group)
            if group.verification is None:
                self._unverified.append(group)
                if sum([len(one.notes) for one in self._unverified]) >= WORTH_VERIFYING_AHEAD:
                    ahead, self._unverified = self._unverified, []
            if self._writing is None:
                self._writing = group
        if ahead:
            self._verify(ahead)
        return self._writing is group

    def _write_next(self, own: Group) -> None:
        """Write what waits, up to a transaction's measure, and wake its callers."""
        groups: list[Group] = []
        try:
            with self._writer_lock:  # whoever reads the state meanwhile lets more come together
                groups = self._take()
            for group in groups:
                if group.verification is not None:
                    group.verification.finish()
            with self._writer_lock:
                self._write(groups)
        except BaseException:
            # Ctrl-C, say, in one submitter's thread: the others that were written along must not take it for success.
            fail(groups, StoreFailedError("the writer was interrupted; submit again to find out what was kept"))
            raise
        finally:
            for group in groups:
                group.done = True
                if group is not own:
                    group.wake.release()

    def _take(self) -> list[Group]:
        """Return the groups that come next, their signatures being verified."""
        with self._lock:
            groups = [self._arrived.popleft()]
            notes = len(groups[0].notes)
            while self._arrived and notes + len(self._arrived[0].notes) <= GROUP_NOTES_MAX:
                groups.append(self._arrived.popleft())
                notes += len(groups[-1].notes)
            taken = set(map(id, groups))
            rest = [group for group in self._unverified if id(group) in taken]
            self._unverified = [group for group in self._unverified if id(group) not in taken]
        if rest:
            self._verify(rest)
        return groups

    def _leave(self, group: Group) -> None:
        """Let the caller that has waited longest write, if this group's did; take back what was never taken."""
        with self._lock:
            if not group.done and group in self._arrived:  # interrupted before its turn
                self._arrived.remove(group)
                self._unverified = [one for one in self._unverified if one is not group]
            if self._writing is group:
                self._writing = self._arrived[0] if self._arrived else None
                if self._writing is not None:
                    self._writing.wake.release()
