"""A log's service at work: its application on a server, until SIGTERM, and an end in order.

    SIGTERM ─► /readyz is 503 ─► no new notes ─► groups under way are answered ─► streams end ─► the log is let go

A request that was read is answered, whatever becomes of the service.
"""

from collections.abc import Callable
from typing import Final

from tallystick.serving.server import Hooks, Place, serve
from tallystick.web.application import create_app
from tallystick.web.entries_in import BATCH_BYTES_MAX, NOTE_SIZE_MAX
from tallystick.web.served_log import ServedLog

_LARGER: Final = frozenset({"/v1/entries:batch", "/v1/check:batch"})


def body_limit(method: str, path: str) -> int | None:
    """Return how large a request's body may be (bytes); of notes one byte more than of any that is admitted."""
    return BATCH_BYTES_MAX if path in _LARGER else NOTE_SIZE_MAX + 1


def serve_log(service: ServedLog, place: Place, on_started: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT, and return once all is answered and the log let go.

    Args:
        service: of a log that is followed already.
        place: where to listen.
        on_started: takes the URL, once requests are answered.
    """
    hooks = Hooks(on_started=on_started, on_drain=service.drain)
    serve(create_app(service), place, hooks=hooks, body_limit=body_limit)
