"""What HTTP costs: commands to a running service against the same in process, in CPU time of all its processes.

The load generator shares the cores, so that no rate but CPU time is compared: microseconds a command, of the service
and the processes that verify for it. The service is measured as it is started, until its views have followed all that
was recorded, and once more with views that don't follow, which shows what of it is HTTP. Half load is half the rate
that was reached with as many connections. A view that hasn't changed is asked for again with its ETag.
"""

import asyncio
import hashlib
import http.client
import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import quantiles
from typing import NamedTuple

import network
from figures import HTTP_VIEWS, HTTP_WAYS
from places import Place
from rounds import Part

from support.burning import LOG_KEY, NOW
from support.serving import ServingProcess, batch_of
from tallystick import keyfiles
from tallystick.views import Views
from tallystick.vouchers.quantities import format_instant

WITHOUT_VIEWS = """
import sys
from tallystick.cli import main
from tallystick.web.reads import Reads
Reads._follow_views = lambda self: None
sys.exit(main())
"""
TICKS = os.sysconf("SC_CLK_TCK")
PROCESSES = os.cpu_count() or 1
HEAD = "POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n"


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process and all that it started and that is there."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    children = Path(f"/proc/{pid}/task")
    own = (int(fields[11]) + int(fields[12])) / TICKS
    started = {int(child) for task in children.iterdir() for child in (task / "children").read_text().split()}
    return own + sum(map(cpu_seconds, started))


class Asked(NamedTuple):
    """Requests that were answered: how long each took, and all of them together (seconds)."""

    latencies: list[float]
    seconds: float


async def ask(port: int, path: str, bodies: Sequence[bytes], connections: int, rate: float | None = None) -> Asked:
    """Send bodies over connections that are kept, each when the one before is answered, or at a rate a second."""
    latencies: list[float] = []
    loop = asyncio.get_running_loop()
    begin = loop.time()

    async def send_share(place: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in range(place, len(bodies), connections):
            due = loop.time()
            if rate is not None:
                due = begin + number / rate
                await asyncio.sleep(max(0.0, due - loop.time()))
            writer.write(HEAD.format(path=path, length=len(bodies[number])).encode() + bodies[number])
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
            await reader.readexactly(length)
            latencies.append(loop.time() - due)
            assert head.split(b" ", 2)[1] in (b"200", b"201"), head
        writer.close()

    await asyncio.gather(*[send_share(place) for place in range(connections)])
    return Asked(latencies, loop.time() - begin)


@contextmanager
def served(where: Path, *program: str) -> Iterator[ServingProcess]:
    """Serve a founded ledger, by another program of Python's than the real one if given."""
    network.founded_ledger(where / "ledger").close()
    key = where / "log.pem"
    keyfiles.create(key, LOG_KEY.name, None, unencrypted=True, seed=hashlib.sha256(LOG_KEY.name.encode()).digest())
    options = ("--log-key", key, "--log-time", format_instant(NOW), "--processes", PROCESSES, "--reading", "open")
    with ServingProcess(where / "ledger", *options, program=program) as service:
        yield service


class InProcess(NamedTuple):
    """A command without HTTP: CPU time (microseconds) to decide and keep it, and to have it in the views."""

    cpu_us: float
    views_cpu_us: float


def measure_in_process(where: Path, count: int) -> InProcess:
    """Return what a command costs that this process submits in batches of 256, and the views follow afterwards."""
    with network.founded_ledger(where, verify_processes=PROCESSES) as ledger, Views.open(where) as views:
        ledger.submit(network.statements(64, 1))  # the pool is up
        views.follow()
        notes = network.statements(count, 1)
        before = cpu_seconds(os.getpid())
        for first in range(0, count, 256):
            ledger.submit(notes[first : first + 256])
        between = cpu_seconds(os.getpid())
        views.follow()
        after = cpu_seconds(os.getpid())
        return InProcess((between - before) / count * 1e6, (after - between) / count * 1e6)


class Way(NamedTuple):
    """How many connections, and how many commands in each request."""

    connections: int
    at_once: int


class Served(NamedTuple):
    """A command over HTTP: its CPU time (microseconds), and commands a second."""

    cpu_us: float
    rate: float


def get(service: ServingProcess, path: str, times: int, tag: str = "") -> http.client.HTTPResponse:
    """Ask for something some times, over one connection, and return the last answer."""
    with closing(http.client.HTTPConnection("127.0.0.1", int(service.url.rpartition(":")[2]), timeout=60)) as client:
        for _ in range(times):
            client.request("GET", path, headers={"If-None-Match": tag} if tag else {})
            answer = client.getresponse()
            answer.read()
    return answer


def wait_for_views(service: ServingProcess) -> None:
    """Wait until the views have followed all that was recorded."""
    size = get(service, "/v1/info", 1).headers["tallystick-size"]
    while get(service, f"/v1/recorded?limit=1&min_size={size}", 1).status != http.HTTPStatus.OK:
        pass


def measure_served(service: ServingProcess, count: int, way: "Way", *, follows: bool = True) -> Served:
    """Return what a command costs over HTTP, and to have it in the views, if these follow."""
    connections, at_once = way
    port = int(service.url.rpartition(":")[2])
    notes = network.statements(count, 1)
    path, bodies = "/v1/entries", notes
    if at_once > 1:
        path, bodies = "/v1/entries:batch", [batch_of(notes[n : n + at_once]) for n in range(0, count, at_once)]
    before = cpu_seconds(service.process.pid)
    asked = asyncio.run(ask(port, path, bodies, connections))
    if follows:
        wait_for_views(service)
    cpu = cpu_seconds(service.process.pid) - before
    return Served(cpu / count * 1e6, count / asked.seconds)


def measure_latency(service: ServingProcess, rate: float, connections: int, count: int) -> tuple[float, float]:
    """Return the median and the 99th percentile of answers (milliseconds) at a rate a second."""
    port = int(service.url.rpartition(":")[2])
    asked = asyncio.run(ask(port, "/v1/entries", network.statements(count, 1), connections, rate))
    cuts = quantiles(asked.latencies, n=100)
    return cuts[49] * 1e3, cuts[98] * 1e3


def measure_view(service: ServingProcess, path: str, times: int) -> tuple[float, float]:
    """Return what a view costs that is worked out anew, and what it costs to say that it hasn't changed (CPU us)."""
    tag = get(service, path, 3).headers["etag"]
    costs = []
    for known, how_often in (("", times), (tag, 10 * times)):
        before = cpu_seconds(service.process.pid)
        answer = get(service, path, how_often, known)
        assert answer.status == (http.HTTPStatus.NOT_MODIFIED if known else http.HTTPStatus.OK)
        costs.append((cpu_seconds(service.process.pid) - before) / how_often * 1e6)
    return costs[0], costs[1]


WAYS = dict(zip(HTTP_WAYS, (Way(64, 1), Way(256, 1), Way(4, 256)), strict=True))
VIEWS = dict(zip(HTTP_VIEWS, ("/v1/vouchers/treasury/v1", "/v1/balances?by=programme"), strict=True))
"""A voucher with all that was ever paid of it, a line a command that was recorded; and the smallest view there is."""
GROUP_NOTES = 512


def measure(place: Place) -> dict[str, float]:
    """Commands over HTTP against the same in process, by CPU time; and how long answers take at half load."""
    count = place.count(2_000, least=256)
    with place.folder() as where:
        in_process = measure_in_process(where, count)
    figures = {
        "http_in_process_cpu_us": in_process.cpu_us,
        "http_views_cpu_us": in_process.views_cpu_us,
        "http_full_group_ms": GROUP_NOTES * in_process.cpu_us / 1e3,
    }
    with place.folder() as where, served(where) as service:
        figures |= measure_ways(service, count)
        for name, path in VIEWS.items():
            anew, unchanged = measure_view(service, path, place.count(20, least=4))
            figures |= {f"http_view_{name}_cpu_us": anew, f"http_view_{name}_unchanged_cpu_us": unchanged}
        middle, p99 = measure_latency(service, figures["http_64_connections_rate"] / 2, 64, count)
        figures |= {"http_half_load_median_ms": middle, "http_half_load_p99_ms": p99}
    with place.folder() as where, served(where, "-c", WITHOUT_VIEWS) as service:
        return figures | measure_ways(service, count, follows=False)


def measure_ways(service: ServingProcess, count: int, *, follows: bool = True) -> dict[str, float]:
    """Measure each way once, after the service is warm."""
    measure_served(service, 256, Way(16, 1), follows=follows)
    figures: dict[str, float] = {}
    for name, way in WAYS.items():
        one = measure_served(service, count, way, follows=follows)
        key = f"http_{name}" if follows else f"http_{name}_without_views"
        figures |= {f"{key}_cpu_us": one.cpu_us, f"{key}_rate": one.rate}
    return figures


PART = Part("http", measure)
