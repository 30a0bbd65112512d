"""What a stranger may take of a server: connections, bytes and seconds."""

import os
import resource
from dataclasses import dataclass
from typing import Final

from tallystick.errors import UsageError

CONNECTIONS_MAX: Final = 1_000
SPARED_SECONDS: Final = 1.0
HEAD_SECONDS: Final = 10.0
BODY_SECONDS: Final = 30.0
IDLE_SECONDS: Final = 60.0
STUCK_SECONDS: Final = 30.0
LINGER_SECONDS: Final = 2.0
TARGET_BYTES_MAX: Final = 8_192
HEAD_BYTES_MAX: Final = 32_768
HEADERS_MAX: Final = 100
BODY_BYTES_MAX: Final = 65_535
BODIES_BYTES_MAX: Final = 67_108_864
PIPELINED_MAX: Final = 16
DRAIN_SECONDS: Final = 10.0

_SPARE_DESCRIPTORS: Final = 64
"""For the application's own files and sockets, beside those that are open when the server starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The bounds of one server; those in seconds are kept to within a quarter of them, or a second if that is less.

    Args:
        connections_max: open at a time. A new one beyond it takes the place of the one that waits for its next request
            the longest, if that waits for `spared_seconds` or more; else the new one is closed unheard.
        spared_seconds: for so long a connection that asks nothing isn't given up for a new one.
        head_seconds: from the connection, or the first byte of a head, until the head is whole.
        body_seconds: from there until the body is whole.
        idle_seconds: between an answer and the next request.
        stuck_seconds: for which a client may leave an answer lying that is sent to it.
        linger_seconds: for which the rest of a refused request is read and thrown away, so that the refusal arrives.
        target_bytes_max: of path and query.
        head_bytes_max: of all header fields.
        headers_max: their number.
        body_bytes_max: of a body, where the application doesn't say otherwise (`BodyLimit`).
        bodies_bytes_max: of all bodies that are held at a time.
        pipelined_max: requests of one connection that may wait for the one before.
        drain_seconds: from the signal to stop until the server has stopped.
    """

    connections_max: int = CONNECTIONS_MAX
    spared_seconds: float = SPARED_SECONDS
    head_seconds: float = HEAD_SECONDS
    body_seconds: float = BODY_SECONDS
    idle_seconds: float = IDLE_SECONDS
    stuck_seconds: float = STUCK_SECONDS
    linger_seconds: float = LINGER_SECONDS
    target_bytes_max: int = TARGET_BYTES_MAX
    head_bytes_max: int = HEAD_BYTES_MAX
    headers_max: int = HEADERS_MAX
    body_bytes_max: int = BODY_BYTES_MAX
    bodies_bytes_max: int = BODIES_BYTES_MAX
    pipelined_max: int = PIPELINED_MAX
    drain_seconds: float = DRAIN_SECONDS

    @property
    def tick_seconds(self) -> float:
        """How often the server looks for connections that have taken too long."""
        shortest = min(self.head_seconds, self.body_seconds, self.idle_seconds, self.stuck_seconds, self.linger_seconds)
        return max(0.01, min(1.0, shortest / 4))


def connections_that_fit(wanted: int) -> int:
    """Return how many connections a process can hold now: those wanted, or what the limit of descriptors leaves.

    Raises:
        UsageError: it leaves none.
    """
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if soft == resource.RLIM_INFINITY:
        return wanted
    left = soft - _descriptors_in_use() - _SPARE_DESCRIPTORS
    if left < 1:
        raise UsageError(f"the limit of {soft} open files leaves none for connections; raise it (`ulimit -n`)")
    return min(wanted, left)


def _descriptors_in_use() -> int:
    for folder in ("/proc/self/fd", "/dev/fd"):
        try:
            return len(os.listdir(folder))  # noqa: PTH208 - as many calls as it has
        except OSError:
            continue
    return 32
