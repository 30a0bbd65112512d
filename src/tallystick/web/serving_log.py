"""A log's service at work: its application on a server, until SIGTERM, and an end in order.

    SIGTERM ─► /readyz is 503 ─► no new notes ─► groups under way are answered ─► streams end ─► the log is let go

A request that was read is answered, whatever becomes of the service.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Final

from starlette.types import Scope

from tallystick.serving.refused import Answered
from tallystick.serving.server import Hooks, Place, running, serve
from tallystick.signing.note import NOTE_SIZE_MAX
from tallystick.web.application import create_app
from tallystick.web.entries_in import BATCH_BYTES_MAX
from tallystick.web.logs import described, log
from tallystick.web.metrics import Metrics
from tallystick.web.served_log import ServedLog

_LARGER: Final = frozenset({"/v1/entries:batch", "/v1/check:batch"})
_WORTH_A_LINE: Final = 500
TELL_SECONDS: Final = 0.5
"""How long a drain goes on answering: clients at work then hear of it, instead of losing a connection that they use."""


def body_limit(method: str, path: str) -> int | None:
    """Return how large a request's body may be (bytes); of notes one byte more than of any that is admitted."""
    return BATCH_BYTES_MAX if path in _LARGER else NOTE_SIZE_MAX + 1


def serve_log(
    service: ServedLog,
    place: Place,
    *,
    admin: Place | None = None,
    on_started: Callable[[str], None] = lambda url: None,
    log_requests: bool = False,
) -> None:
    """Serve until SIGTERM or SIGINT, and return once all is answered and the log let go.

    Args:
        service: of a log that is followed already.
        place: where to listen.
        admin: where the operator asks for metrics; None for nowhere.
        on_started: takes the URL, once requests are answered.
        log_requests: whether each request is logged, or those alone that met a fault.
    """
    metrics = Metrics(service)
    hooks = hooks_of(service, metrics, on_started=on_started, log_requests=log_requests)
    with nullcontext() if admin is None else _admin(metrics, admin):
        proxies = service.settings.proxies
        serve(create_app(service), place, hooks=hooks, body_limit=body_limit, trusted_proxies=proxies)
    log.info("ended")


def hooks_of(
    service: ServedLog,
    metrics: Metrics,
    *,
    on_started: Callable[[str], None] = lambda url: None,
    log_requests: bool = False,
    tell_seconds: float = TELL_SECONDS,
) -> Hooks:
    """Return what a server tells a service: each answer is counted, and logged where it is worth a line."""
    service.on_group = metrics.count_group

    def started(url: str) -> None:
        log.info("listening", url=url)
        service.urls.update({url, url.replace("//127.0.0.1:", "//localhost:")})
        on_started(url)

    async def drain() -> None:
        log.info("draining")
        await asyncio.gather(service.drain(), asyncio.sleep(tell_seconds))

    def answered(answer: Answered) -> None:
        metrics.count_answer(answer)
        if log_requests or answer.status >= _WORTH_A_LINE:
            _log_answer(answer)

    def closed(client: str, why: str) -> None:
        metrics.closed.inc()

    def fault(error: BaseException, scope: Scope) -> None:
        metrics.faults.inc()
        log.error("fault", method=scope.get("method"), path=scope.get("path"), **described(error))

    return Hooks(on_started=started, on_drain=drain, on_answer=answered, on_closed=closed, on_fault=fault)


@contextmanager
def _admin(metrics: Metrics, place: Place) -> Iterator[None]:
    with running(metrics, place) as server:
        log.info("metrics", url=f"{server.url}/metrics")
        yield


def _log_answer(answer: Answered) -> None:
    level = log.warning if answer.status >= _WORTH_A_LINE else log.info
    level(
        "answered",
        request_id=answer.request_id,
        method=answer.method,
        path=answer.target.partition("?")[0],
        status=answer.status,
        seconds=round(answer.seconds, 6),
        client=answer.client,
        detail=answer.detail,
    )
