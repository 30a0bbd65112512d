"""In which phase each connection is, and since when: one look at the oldest of each phase finds who took too long.

    IDLE        between an answer and the next request
    HEAD        a new connection, or a head of which something has come
    BODY        the head is whole, the body isn't
    ANSWERING   the application's turn; no time is measured
    LINGERING   answered for the last time; what still comes is thrown away

Beside these a connection can be stuck: an answer lies before it that it doesn't take.

A connection that enters a phase goes to the end of its queue, so no timer is made for any of them.
"""

import time
from collections.abc import Callable, Iterator
from enum import IntEnum
from typing import Final, Protocol

from tallystick.serving.bounds import Bounds


class Phase(IntEnum):
    """What a connection waits for."""

    IDLE = 0
    HEAD = 1
    BODY = 2
    ANSWERING = 3
    LINGERING = 4


class Timed(Protocol):
    """A connection, as it is seen from here."""

    phase: Phase | None

    def take_too_long(self) -> None:
        """End the phase."""

    def give_up(self, why: str) -> None:
        """Close at once, and say why."""


class Phases:
    """The connections of one server."""

    def __init__(self, bounds: Bounds, connections_max: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.bounds: Final = bounds
        self.connections_max: Final = connections_max
        self.draining = False
        self._clock = clock
        self._open = 0
        self._queues: list[dict[Timed, float]] = [{} for _ in Phase]
        self._stuck: dict[Timed, float] = {}
        self._seconds = {
            Phase.IDLE: bounds.idle_seconds,
            Phase.HEAD: bounds.head_seconds,
            Phase.BODY: bounds.body_seconds,
            Phase.LINGERING: bounds.linger_seconds,
        }

    @property
    def open(self) -> int:
        """How many connections are open."""
        return self._open

    def admit(self, connection: Timed) -> bool:
        """Count a new connection in, if need be in the place of one that waits; or return False."""
        if self._open >= self.connections_max and not self._make_room():
            return False
        self._open += 1
        connection.phase = Phase.HEAD
        self._queues[Phase.HEAD][connection] = self._clock()
        return True

    def enter(self, connection: Timed, phase: Phase) -> None:
        """Let a connection's next phase begin, unless it was counted out."""
        if connection.phase is not None:
            self._queues[connection.phase].pop(connection, None)
            connection.phase = phase
            self._queues[phase][connection] = self._clock()

    def leave(self, connection: Timed) -> None:
        """Count a connection out, if it was counted in."""
        self._stuck.pop(connection, None)
        if connection.phase is not None:
            self._queues[connection.phase].pop(connection, None)
            connection.phase = None
            self._open -= 1

    def stuck(self, connection: Timed, *, is_stuck: bool) -> None:
        """Note that a connection takes no more of an answer now, or does again."""
        if is_stuck:
            self._stuck[connection] = self._clock()
        else:
            self._stuck.pop(connection, None)

    def end_overdue(self) -> None:
        """End the phases that have taken too long."""
        now = self._clock()
        for phase, seconds in self._seconds.items():
            for connection in list(_older(self._queues[phase], now - seconds)):
                connection.take_too_long()
        for connection in list(_older(self._stuck, now - self.bounds.stuck_seconds)):
            connection.give_up("it does not take its answer")

    def _make_room(self) -> bool:
        """Give up the connection that has waited the longest for a request to come."""
        oldest = [next(iter(queue.items()), None) for queue in map(self._queues.__getitem__, _UNASKED)]
        waited = min((entry for entry in oldest if entry is not None), key=lambda entry: entry[1], default=None)
        if waited is None or self._clock() - waited[1] < self.bounds.spared_seconds:
            return False
        waited[0].give_up("it asked nothing, and another took its place")
        return True


_UNASKED: Final = (Phase.IDLE, Phase.HEAD, Phase.LINGERING)


def _older(queue: dict[Timed, float], than: float) -> Iterator[Timed]:
    for connection, since in queue.items():
        if since > than:
            return
        yield connection
