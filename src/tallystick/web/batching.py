"""Notes of many requests are decided in groups: what came while a group was under way goes into the next one.

A request hands over its notes and waits. Whenever no group is under way, all that waits, up to a group's measure, goes
to the ledger in a worker thread. No timer: an idle service answers a single note at once, and a busy one commits
together what came meanwhile. A second group goes beside the first, so that one is read while the other is committed, as
soon as it is worth a transaction of its own.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from itertools import islice
from typing import Final, NamedTuple

from tallystick.errors import StoreFailedError
from tallystick.ledger.pending import GROUP_BYTES_MAX, GROUP_NOTES_MAX, NoteAnswer
from tallystick.web.problems import HttpProblem
from tallystick.wire.statuses import HttpReason

GROUPS_UNDER_WAY_MAX: Final = 2
SECOND_GROUP_NOTES_MIN: Final = 32
NOTES_UNDER_WAY_MAX: Final = 8 * GROUP_NOTES_MAX
BYTES_UNDER_WAY_MAX: Final = 8 * GROUP_BYTES_MAX


class _Brought(NamedTuple):
    """The notes of one request, and where their answers go."""

    notes: Sequence[bytes]
    size: int
    answers: "asyncio.Future[list[NoteAnswer]]"


class Batcher:
    """Groups notes on their way to the ledger; used from one event loop."""

    def __init__(self, submit: Callable[[Sequence[bytes]], list[NoteAnswer]], executor: Executor) -> None:
        """Take what decides a group, and where that runs: it needs as many threads as groups may be under way."""
        self._submit = submit
        self._executor = executor
        self._waiting: deque[_Brought] = deque()
        self._under_way: list[list[_Brought]] = []
        self._is_awake = False
        self._is_draining = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._notes_waiting = 0
        self.notes_under_way = 0
        self.bytes_under_way = 0

    async def submit(self, notes: Sequence[bytes]) -> list[NoteAnswer]:
        """Return the answers to some notes, in order.

        Raises:
            HttpProblem: as much is under way as is taken at once, or the service is about to end.
            LedgerError: as `Ledger.submit` raises it, for all notes of the group.
        """
        if self._is_draining:
            raise HttpProblem(HttpReason.DRAINING, headers={"Connection": "close"})
        size = sum(map(len, notes))
        if self.notes_under_way + len(notes) > NOTES_UNDER_WAY_MAX or self.bytes_under_way + size > BYTES_UNDER_WAY_MAX:
            raise HttpProblem(HttpReason.SERVICE_BUSY)
        loop = asyncio.get_running_loop()
        brought = _Brought(notes, size, loop.create_future())
        self._waiting.append(brought)
        self._notes_waiting += len(notes)
        self.notes_under_way += len(notes)
        self.bytes_under_way += size
        self._idle.clear()
        if not self._is_awake:  # once all requests of this turn of the loop are here
            self._is_awake = True
            loop.call_soon(self._start)
        return await brought.answers

    def drain(self) -> None:
        """Take no more notes."""
        self._is_draining = True

    def give_up(self) -> None:
        """Let go of a store that hangs: what waits for it is answered, though nobody knows what is kept of it."""
        error = StoreFailedError("the store doesn't answer; submit again to find out what was kept")
        for brought in [*self._waiting, *[brought for group in self._under_way for brought in group]]:
            if not brought.answers.done():
                brought.answers.set_exception(error)
        self._waiting.clear()
        self._notes_waiting = 0

    async def wait_idle(self) -> None:
        """Wait until nothing is under way."""
        await self._idle.wait()

    def _start(self) -> None:
        self._is_awake = False
        while self._waiting and self._may_start():
            group = self._next_group()
            self._under_way.append(group)
            notes = [note for brought in group for note in brought.notes]
            running = asyncio.get_running_loop().run_in_executor(self._executor, self._submit, notes)
            running.add_done_callback(partial(self._finish, group))

    def _may_start(self) -> bool:
        """Return whether what waits may go to the ledger now."""
        if not self._under_way:
            return True
        return len(self._under_way) < GROUPS_UNDER_WAY_MAX and self._notes_waiting >= SECOND_GROUP_NOTES_MIN

    def _next_group(self) -> list[_Brought]:
        """Take from the front what fits into one transaction; the notes of one request stay together."""
        group = [self._waiting.popleft()]
        notes, size = len(group[0].notes), group[0].size
        while (
            self._waiting
            and notes + len(self._waiting[0].notes) <= GROUP_NOTES_MAX
            and size + self._waiting[0].size < GROUP_BYTES_MAX
        ):
            group.append(self._waiting.popleft())
            notes += len(group[-1].notes)
            size += group[-1].size
        self._notes_waiting -= notes
        return group

    def _finish(self, group: list[_Brought], done: "asyncio.Future[list[NoteAnswer]]") -> None:
        self._under_way = [one for one in self._under_way if one is not group]
        error = done.exception()
        answers = iter(() if error is not None else done.result())
        for brought in group:
            own = [*islice(answers, len(brought.notes))]
            self.notes_under_way -= len(brought.notes)
            self.bytes_under_way -= brought.size
            if brought.answers.done():  # its request is gone, and its notes were decided all the same
                continue
            if error is not None:
                brought.answers.set_exception(error)
            else:
                brought.answers.set_result(own)
        self._start()
        if not self._under_way and not self._waiting:
            self._idle.set()
