"""What the service counts, for Prometheus: a closed list of names, asked for on a port of the operator's own.

Labels have few values each: a route is the pattern that a path matched, never the path; a reason is of a closed list.
Nothing here says whose notes they are.
"""

import shutil
from collections.abc import Iterator, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from starlette.types import Receive, Scope, Send

from tallystick import __version__
from tallystick.ledger.pending import NoteAnswer
from tallystick.serving.guard import METHODS
from tallystick.serving.refused import Answered
from tallystick.sources import folder_of
from tallystick.vouchers.refusals import Refusal
from tallystick.web.running import Status
from tallystick.web.served_log import ServedLog

_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_NOTES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


class Metrics:
    """The counters of one service, in a registry of their own."""

    def __init__(self, service: ServedLog) -> None:
        """Count for a service."""
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series of each, which says when this process began
        self.registry: Final = CollectorRegistry()
        self.requests: Final = Counter(
            "tallystick_requests", "Requests answered.", ["route", "method", "status"], registry=self.registry
        )
        self.seconds: Final = Histogram(
            "tallystick_request_seconds",
            "From the whole head of a request to the end of its answer.",
            ["route"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.closed: Final = Counter(
            "tallystick_connections_closed_unheard", "Connections closed without a request.", registry=self.registry
        )
        self.faults: Final = Counter("tallystick_faults", "Exceptions that nobody foresaw.", registry=self.registry)
        self.notes: Final = Counter(
            "tallystick_notes", "Notes decided: new, again or refused.", ["answer"], registry=self.registry
        )
        self.refusals: Final = Counter(
            "tallystick_refusals", "Notes refused, by reason.", ["reason"], registry=self.registry
        )
        self.group_notes: Final = Histogram(
            "tallystick_group_notes", "Notes in a group.", buckets=_NOTES, registry=self.registry
        )
        self.group_seconds: Final = Histogram(
            "tallystick_group_seconds", "From a group's start to its answers.", buckets=_SECONDS, registry=self.registry
        )
        self.groups_failed: Final = Counter(
            "tallystick_groups_failed", "Groups that got an error instead of answers.", registry=self.registry
        )
        self._counted: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        for answer in ("new", "again", "refused"):
            self.notes.labels(answer)
        self.registry.register(_State(service))
        ProcessCollector(registry=self.registry)

    def count_answer(self, answered: Answered) -> None:
        """Count an answer to a request."""
        key = (answered.route, answered.method, answered.status)
        counted = self._counted.get(key)
        if counted is None:
            route = answered.route or "none"
            method = answered.method if answered.method in METHODS else "other"
            counted = (self.requests.labels(route, method, str(answered.status)), self.seconds.labels(route))
            if method != "other":  # what strangers make up isn't remembered
                self._counted[key] = counted
        counted[0].inc()
        counted[1].observe(answered.seconds)

    def count_group(self, answers: Sequence[NoteAnswer] | None, seconds: float) -> None:
        """Count a group that was answered; None says that it got an error instead."""
        if answers is None:
            self.groups_failed.inc()
            return
        self.group_notes.observe(len(answers))
        self.group_seconds.observe(seconds)
        refused = [answer for answer in answers if isinstance(answer, Refusal)]
        new = sum(1 for answer in answers if not isinstance(answer, Refusal) and answer.is_new)
        self.notes.labels("new").inc(new)
        self.notes.labels("again").inc(len(answers) - len(refused) - new)
        self.notes.labels("refused").inc(len(refused))
        for refusal in refused:
            self.refusals.labels(refusal.reason.value).inc()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer `GET /metrics` on the operator's port; it is an ASGI application."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        is_found = scope["path"] == "/metrics" and scope["method"] in ("GET", "HEAD")
        body = generate_latest(self.registry) if is_found else b"there is /metrics here, and nothing else\n"
        kind = CONTENT_TYPE_LATEST.encode() if is_found else b"text/plain; charset=utf-8"
        headers = [(b"content-type", kind), (b"content-length", b"%d" % len(body)), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 200 if is_found else 404, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


class _State(Collector):
    """What the service is like at the moment of asking."""

    def __init__(self, service: ServedLog) -> None:
        self._service = service

    def collect(self) -> Iterator[Metric]:
        """Yield what is asked of the service."""
        service = self._service
        yield _gauge("tallystick_info", "Which version this is.", 1, version=__version__)
        statuses = GaugeMetricFamily("tallystick_status", "What it does about writing: one is 1.", labels=["status"])
        for status in Status:
            statuses.add_metric([status.value], service.writing.status is status)
        yield statuses
        yield _gauge("tallystick_draining", "Whether it is about to end.", service.is_draining)
        yield CounterMetricFamily("tallystick_fenced", "How often another writer took over.", service.writing.fenced)
        yield _gauge("tallystick_log_entries", "Entries committed for good.", service.size)
        yield _gauge("tallystick_shown_entries", "Entries of the snapshot that is shown.", service.reads.newest.size)
        yield _gauge("tallystick_views_lag_entries", "Entries that the views are behind.", service.reads.views_lag)
        yield _gauge("tallystick_notes_under_way", "Notes taken and not answered.", service.batcher.notes_under_way)
        yield _gauge("tallystick_bytes_under_way", "Bytes of these notes.", service.batcher.bytes_under_way)
        folder = folder_of(service.source)
        if folder is not None:
            yield _gauge("tallystick_disk_free_bytes", "Room beside the log.", shutil.disk_usage(folder).free)


async def _live(receive: Receive, send: Send) -> None:
    """Have nothing to begin, and nothing to end."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def _gauge(name: str, meaning: str, value: float, **labels: str) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, meaning, labels=list(labels))
    family.add_metric(list(labels.values()), value)
    return family
