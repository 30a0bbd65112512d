"""What plain `eventsourcing` does: events with a burn line's fields and what it came to, unsigned and undecided."""

import time
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from parts import postgres
from places import Place
from rounds import Part

BATCH = 1_000
"""Events in a transaction."""


class Meter(Aggregate):
    """Something that burns."""

    @event("Burned")
    def burn(
        self,
        contract: str,
        item: str,
        job: str,
        gpu_milli: int,
        starts_at: str,
        ends_at: str,
        seconds: int,
        fee_fen: int,
        reservation: str,
        paid_fen: int,
    ) -> None:
        self.job = job


class Meters(Application[UUID]):
    """The library's application on its own recorders."""


def burn(meter: Meter, number: int) -> None:
    """Let a meter burn one line like those of the statements."""
    meter.burn(
        "holder/k1",
        "ascend-910b",
        f"job-{number}",
        8_000,
        "2026-01-01T00:00:00Z",
        "2026-01-01T01:00:00Z",
        3_600,
        4_800,
        "holder/r1",
        1_440,
    )


def rate_of(environment: dict[str, str], events: int, at_once: int) -> float:
    """Return events a second that the library saves, so many in a transaction."""
    application = Meters(env=environment)
    try:
        meter = Meter()
        application.save(meter)
        begin = time.perf_counter()
        for first in range(0, events, at_once):
            for number in range(first, first + at_once):
                burn(meter, number)
            application.save(meter)
        return events / (time.perf_counter() - begin)
    finally:
        application.close()


def measure(place: Place) -> dict[str, float]:
    """Unsigned events saved by plain eventsourcing on SQLite: a transaction each, and 1,000 in one."""
    figures = {}
    for name, events, at_once in (("one_by_one", 1_500, 1), ("batched", 20_000, BATCH)):
        with place.folder() as where:
            environment = {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(where / "plain.db")}
            figures[f"library_sqlite_{name}"] = rate_of(environment, place.count(events, at_once), at_once)
    return figures


def measure_postgres(place: Place) -> dict[str, float]:
    """Unsigned events saved by plain eventsourcing on PostgreSQL, 1,000 in a transaction."""
    environment = _environment(urlsplit(postgres.fresh_database(place)))
    return {"library_postgres_batched": rate_of(environment, place.count(20_000, BATCH), BATCH)}


def _environment(url: SplitResult) -> dict[str, str]:
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": url.path.removeprefix("/"),
        "POSTGRES_HOST": url.hostname or "",
        "POSTGRES_PORT": str(url.port),
        "POSTGRES_USER": url.username or "",
        "POSTGRES_PASSWORD": "",
    }


PARTS = (Part("library", measure), Part("library_postgres", measure_postgres, postgres.missing))
