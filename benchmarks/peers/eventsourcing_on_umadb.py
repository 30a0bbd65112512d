"""The library `eventsourcing` on UmaDB, by `eventsourcing-umadb`: the application that `make bench` runs on SQLite.

How: an aggregate saves events with a burn line's fields, 1,000 in a save, through one connection; the library makes
each event, encodes it and hands it on while the clock runs. Processor time is that of application and server.

As UmaDB, it verifies no signature, decides nothing and grows no tree; saves of one aggregate that run against each
other are refused, by a tag for its id and version on every event.
"""

import sys
import time
from pathlib import Path
from typing import Final

from peers import umadb
from peers.burn_lines import burn_line
from peers.programs import cpu_seconds_of, free_port, serving, tell, told_by

FIGURES: Final = {
    "library_umadb_batched": ("a second", "plain `eventsourcing` on UmaDB: unsigned events, 1,000 in a save"),
    "library_umadb_batched_cpu": ("a second of CPU", "the same, a second of processor time of application and server"),
}
EVENTS: Final = 10_000
BATCH: Final = 1_000


def available() -> str | None:
    """Return why it can't be measured here."""
    return umadb.available()


def measure(folder: Path, scale: float) -> dict[str, float]:
    """Events saved by plain eventsourcing on UmaDB, 1,000 at once, durable."""
    port = free_port()
    served = [str(umadb.PROGRAM), "--listen", f"127.0.0.1:{port}", "--db-path", str(folder / "events")]
    batches = max(1, int(EVENTS * scale) // BATCH)
    with serving(served, port) as server:
        return told_by([str(umadb.PYTHON), "-P", "-m", __name__, str(port), str(server), str(batches)])


def save(port: int, server: int, batches: int) -> dict[str, float]:
    """Save batches of events, and return the rates: what the peers' own Python does."""
    from uuid import UUID  # noqa: PLC0415 - what follows is only there

    from eventsourcing.application import Application  # noqa: PLC0415
    from eventsourcing.domain import Aggregate, event  # noqa: PLC0415

    class Meter(Aggregate):
        """What the plain library saves."""

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

    application = Application[UUID](
        env={"PERSISTENCE_MODULE": "eventsourcing_umadb", "UMADB_URI": f"http://127.0.0.1:{port}"}
    )
    meter = Meter()
    application.save(meter)
    of_server, of_client, begin = cpu_seconds_of(server), time.process_time(), time.perf_counter()
    for first in range(0, batches * BATCH, BATCH):
        for number in range(first, first + BATCH):
            meter.burn(**burn_line(number))
        application.save(meter)
    seconds = time.perf_counter() - begin
    cpu_seconds = time.process_time() - of_client + cpu_seconds_of(server) - of_server
    return {
        "library_umadb_batched": batches * BATCH / seconds,
        "library_umadb_batched_cpu": batches * BATCH / cpu_seconds,
    }


if __name__ == "__main__":
    tell(save(*map(int, sys.argv[1:])))
