"""UmaDB: an event store in Rust, asked over gRPC on loopback; the server comes in its wheel.

How: two connections append batches of events, so that the server has one to write while a client makes the next: of
1,000, as the event library saves, and of 5,000, at which it is at its best (1,000, 5,000 and 10,000 from one, two and
four connections were tried). The lines' bytes are there before, the events are made while the clock runs.
An event has a type, one tag (its contract) and a line's JSON. The server writes as it does by default, that is with two
fdatasync for a commit (strace). Processor time is that of the client and of the server.

It keeps events in order, finds them by tag and type, and can refuse an append if others came before (not asked for
here). It verifies no signature, decides nothing, and grows no tree that a reader could check.
"""

import sys
import time
from pathlib import Path
from threading import Thread
from typing import Final

from peers import INSTALLED
from peers.burn_lines import CONTRACT, read_lines, write_lines
from peers.programs import cpu_seconds_of, free_port, serving, tell, told_by

FIGURES: Final = {
    "umadb_batches": ("a second", "UmaDB (Rust, over gRPC on loopback): unsigned events, 1,000 in an append"),
    "umadb_batches_cpu": ("a second of CPU", "the same, a second of processor time of client and server"),
    "umadb_large_batches": ("a second", "the same, 5,000 in an append"),
    "umadb_large_batches_cpu": ("a second of CPU", "the same, a second of processor time"),
}
EVENTS: Final = 100_000
BATCHES: Final = {"umadb_batches": 1_000, "umadb_large_batches": 5_000}
CONNECTIONS: Final = 2
PROGRAM: Final = INSTALLED / "venv/bin/umadb"
PYTHON: Final = INSTALLED / "venv/bin/python"


def available() -> str | None:
    """Return why it can't be measured here."""
    return None if PROGRAM.exists() else f"UmaDB isn't in {INSTALLED}: make bench-peers"


def measure(folder: Path, scale: float) -> dict[str, float]:
    """Events appended to UmaDB, 1,000 and 5,000 at once, durable."""
    lines = write_lines(folder / "lines", int(EVENTS * scale))
    port = free_port()
    with serving([str(PROGRAM), "--listen", f"127.0.0.1:{port}", "--db-path", str(folder / "events")], port) as server:
        return told_by([str(PYTHON), "-P", "-m", "peers.umadb", str(port), str(server), str(lines)])


def append(port: int, server: int, lines: list[bytes]) -> dict[str, float]:
    """Append lines in batches of each size, and return the rates: what the peers' own Python does.

    Raises:
        RuntimeError: the server hasn't got all of them.
    """
    figures: dict[str, float] = {}
    for key, batch in BATCHES.items():
        seconds, cpu_seconds = _seconds(port, server, lines, batch)
        figures |= {key: len(lines) / seconds, f"{key}_cpu": len(lines) / cpu_seconds}
    return figures


def _seconds(port: int, server: int, lines: list[bytes], batch: int) -> tuple[float, float]:
    """Append lines through some connections, and return the time that took and the processor time."""
    import umadb  # noqa: PLC0415 - only there

    batches = [lines[first : first + batch] for first in range(0, len(lines), batch)]
    clients = [umadb.Client(f"http://127.0.0.1:{port}") for _ in range(CONNECTIONS)]
    for client in clients:
        client.append([umadb.Event("Connected", b"", [CONTRACT])])
    before = clients[0].head() or 0

    def append_share(number: int) -> None:
        for some in batches[number::CONNECTIONS]:
            clients[number].append([umadb.Event("Burned", line, [CONTRACT]) for line in some])

    threads = [Thread(target=append_share, args=(number,)) for number in range(CONNECTIONS)]
    of_server, of_client, begin = cpu_seconds_of(server), time.process_time(), time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - begin
    cpu_seconds = time.process_time() - of_client + cpu_seconds_of(server) - of_server
    if clients[0].head() != before + len(lines):
        raise RuntimeError("UmaDB has another number of events")
    return seconds, cpu_seconds


if __name__ == "__main__":
    tell(append(int(sys.argv[1]), int(sys.argv[2]), read_lines(Path(sys.argv[3]))))
