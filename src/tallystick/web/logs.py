"""What the service logs: a JSON object a line, on standard error, and never what a note, a token or a passphrase says.

    {"event": "answered", "time", "level", "request_id", "method", "path", "status", "seconds", "client", "detail"}
    {"event": "writing" | "standing_by" | "fenced" | "store_failed" | "stopped", "detail"}
    {"event": "listening", "url"}, "draining", "fault"

Of an address the path alone is logged: what stands behind the question mark is somebody's question. Of an exception its
type and its places in the code are logged, not its words, which may quote what was sent.
"""

import logging
import sys
import traceback
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import orjson
import structlog

from tallystick.wire.json_text import escaped_json

FRAMES_MAX: Final = 12
_TEXT_MAX: Final = 2_000

Event = MutableMapping[str, Any]
log: Final[structlog.stdlib.BoundLogger] = structlog.wrap_logger(
    logging.getLogger("tallystick.service"),
    processors=[structlog.stdlib.render_to_log_kwargs],
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)


@contextmanager
def lines_on_stderr(level: int = logging.INFO) -> Iterator[None]:
    """Have all that the package logs written as JSON lines, for as long as this lasts."""
    before: Final[list[Any]] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _first_line,
    ]
    render: list[Any] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, _as_json]
    handler = _Lines()
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=before, processors=render))
    package = logging.getLogger("tallystick")
    kept = package.handlers, package.propagate, package.level
    package.handlers, package.propagate = [handler], False
    package.setLevel(level)
    try:
        yield
    finally:
        package.handlers, package.propagate = kept[:2]
        package.setLevel(kept[2])


def described(error: BaseException) -> dict[str, Any]:
    """Return an exception's type and its places in the code, without its words."""
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES_MAX:]
    places = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
    return {"type": f"{type(error).__module__}.{type(error).__qualname__}", "places": places}


class _Lines(logging.StreamHandler[Any]):
    """Writes to standard error as it is when a line is written; a reader that has gone ends nothing."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        """Say nothing of it: where it would be said is what failed."""


def _first_line(_: object, __: str, event: Event) -> Event:
    """Take the lines after the first, which are a traceback's, for themselves, and cut what is long."""
    first, *rest = str(event["event"]).split("\n")
    event["event"] = first[:_TEXT_MAX]
    if rest:
        event["trace"] = [line.strip()[:_TEXT_MAX] for line in rest[: 4 * FRAMES_MAX]]
    return event


def _as_json(_: object, __: str, event: Event) -> str:
    event.pop("exc_info", None)
    return escaped_json(orjson.dumps(dict(event), default=str).decode())
