"""Measures the engine against what it stands on, all in one run, and writes `build/bench.json`.

Rates are per second, medians of several rounds. What counts are the ratios: the machine's own speed cancels out.
`--quick` is for trying the script out, its figures mean nothing. docs/performance.md says what is compared with what,
and why.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from uuid import UUID

import journal
import network
import over_http
import pages
import plans
import usage_records
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from rich.console import Console
from rich.table import Table

from support.burning import LOG_KEY
from tallystick.audit import audit
from tallystick.transparency.policy import Policy

FLOORS = {
    "statement lines against the library's batched saves": 2.5,
    "single-line commands against two-thread verification": 0.60,
    "audit of single-line entries against two-thread verification": 0.70,
    **usage_records.FLOORS,
}
CEILINGS = {
    "a command over HTTP, 64 connections": 2.0,
    "a command over HTTP, 256 connections": 2.0,
    "a command over HTTP, batches of 256": 1.15,
    journal.RATIO: 1.0,
    journal.MEMORY: 200.0,
    pages.SLOWEST_P95: 50.0,
    pages.FIRST_PAGE: 150.0,
    pages.HEAVIEST_CHART: 100.0,
    "99 of 100 answers at half load, in full groups": 1.0,
    "an unchanged view, voucher": 0.05,
    **plans.CEILINGS,
}
LINES_EACH = 200


class Meter(Aggregate):
    """What the plain library saves: an event with a burn line's fields and what it came to, unsigned and undecided."""

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


class Meters(Application[UUID]):
    """The library's application on its own SQLite recorder."""


def seconds_of(work: Callable[[], object]) -> float:
    """Return how long some work took."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


@contextmanager
def folder() -> Iterator[Path]:
    """Give a new folder on the disk that the project is on, so that fsync is real."""
    Path("build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir="build") as name:
        yield Path(name)


def measure_verification(scale: float) -> dict[str, float]:
    """Raw Ed25519 verifications by `cryptography`, in one thread and in two."""
    text = b"x" * 420
    signature = LOG_KEY.sign(text)
    count = int(6_000 * scale)

    def verify_many(how_many: int) -> None:
        for _ in range(how_many):
            LOG_KEY.verifier.verify(signature, text)

    def in_two_threads() -> None:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(verify_many, [count, count]))

    verify_many(100)
    one = median(count / seconds_of(lambda: verify_many(count)) for _ in range(3))
    two = median(2 * count / seconds_of(in_two_threads) for _ in range(3))
    return {"verifications_one_thread": one, "verifications_two_threads": two}


def measure_library(scale: float) -> dict[str, float]:
    """Unsigned events saved by plain eventsourcing on SQLite: a transaction each, and many in one."""
    one_by_one, batched = int(1_500 * scale), int(20_000 * scale)
    with folder() as where:
        application = Meters(
            env={"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(where / "plain.db")}
        )
        meter = Meter()

        def save_each() -> None:
            for number in range(one_by_one):
                burn(meter, number)
                application.save(meter)

        def save_batches() -> None:
            for first in range(0, batched, 1_000):
                for number in range(first, first + 1_000):
                    burn(meter, number)
                application.save(meter)

        figures = {
            "library_saves_one_by_one": one_by_one / seconds_of(save_each),
            "library_saves_batched": median(batched / seconds_of(save_batches) for _ in range(3)),
        }
        application.close()
    return figures


def measure_statements(scale: float) -> dict[str, float]:
    """Burn lines in signed statements, decided and durable, in one process and one thread."""
    rates = []
    for _ in range(3):
        notes = network.statements(int(400 * scale), LINES_EACH)
        with folder() as where, network.founded_ledger(where) as ledger:
            rates.append(len(notes) * LINES_EACH / seconds_of(lambda: ledger.submit(notes)))  # noqa: B023
            assert ledger.state.size == network.FOUNDING_ENTRIES + len(notes)
    return {"statement_lines": median(rates)}


def measure_single_lines(scale: float) -> dict[str, float]:
    """Single-line signed commands by submitters at once: 4 that hand in what they have, 64 that send one by one."""
    processes = os.cpu_count() or 1
    figures = {}
    for name, submitters, at_once in (("batches", 4, 256), ("one_by_one", 64, 1)):
        rates = []
        for _ in range(3):
            notes = network.statements(int(12_000 * scale), 1)
            with folder() as where, network.founded_ledger(where, verify_processes=processes) as ledger:
                ledger.submit(network.statements(64, 1))  # the pool is up

                def submit_share(number: int) -> None:
                    share = notes[number::submitters]  # noqa: B023
                    for first in range(0, len(share), at_once):  # noqa: B023
                        ledger.submit(share[first : first + at_once])  # noqa: B023

                threads = [threading.Thread(target=submit_share, args=(number,)) for number in range(submitters)]

                def run() -> None:
                    for thread in threads:  # noqa: B023
                        thread.start()
                    for thread in threads:  # noqa: B023
                        thread.join()

                rates.append(len(notes) / seconds_of(run))
                assert ledger.state.size == network.FOUNDING_ENTRIES + 64 + len(notes)
        figures[f"single_line_commands_in_{name}"] = median(rates)
    return figures


def measure_audits(scale: float) -> dict[str, float]:
    """Entries of one line, and lines in statements, audited from the ledger folder on all cores."""
    policy = Policy.for_log(LOG_KEY.verifier)
    figures = {}
    for name, entries, lines_each in (("single_line_entries", 24_000, 1), ("statement_lines", 1_500, LINES_EACH)):
        with folder() as where:
            with network.founded_ledger(where, verify_processes=2) as ledger:
                ledger.submit(network.statements(int(entries * scale), lines_each))

            def run() -> None:
                report = audit(where, policy)
                assert report.verdict == "clean", report.findings[:3]

            figures[f"audit_{name}"] = median(int(entries * scale) * lines_each / seconds_of(run) for _ in range(3))
    return figures


def compared(rates: dict[str, float]) -> dict[str, float]:
    """Return the ratios that count."""
    two_threads = rates["verifications_two_threads"]
    single = max(rates["single_line_commands_in_batches"], rates["single_line_commands_in_one_by_one"])
    return {
        "statement lines against the library's batched saves": rates["statement_lines"]
        / rates["library_saves_batched"],
        "single-line commands against two-thread verification": single / two_threads,
        "audit of single-line entries against two-thread verification": rates["audit_single_line_entries"]
        / two_threads,
        "audit of statement lines against two-thread verification": rates["audit_statement_lines"] / two_threads,
    }


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few seconds, for trying it out")
    scale = 0.1 if parser.parse_args().quick else 1.0
    console = Console()
    rates: dict[str, float] = {}
    for measure in (measure_verification, measure_library, measure_statements, measure_single_lines, measure_audits):
        console.print(f"[dim]{(measure.__doc__ or '').strip()}[/]")
        rates |= measure(scale)
    ratios = compared(rates)
    console.print(f"[dim]{(over_http.measure.__doc__ or '').strip()}[/]")
    http = over_http.measure(folder, scale)
    ratios |= over_http.compared(http)
    console.print(f"[dim]{(journal.measure.__doc__ or '').strip()}[/]")
    books = journal.measure(folder, scale)
    ratios |= journal.compared(books)
    if journal.RATIO not in ratios:
        console.print("hledger isn't installed here: a journal isn't compared with its check")

    console.print(f"[dim]{(pages.measure.__doc__ or '').strip()}[/]")
    shown = pages.measure(folder, scale)
    ratios |= pages.compared(shown)
    console.print(f"[dim]{(usage_records.measure.__doc__ or '').strip()}[/]")
    with folder() as where:
        usage = usage_records.measure(where, scale)
    ratios |= usage_records.compared(usage)
    console.print(f"[dim]{(plans.measure.__doc__ or '').strip()}[/]")
    of_plan = plans.measure(folder, int(plans.LINES * scale))
    ratios |= plans.compared(of_plan)
    table = Table("measured", "a second")
    for name, rate in rates.items():
        table.add_row(name.replace("_", " "), f"{rate:,.0f}")
    console.print(table)
    table = Table("ratio", "measured", "at least", "at most")
    for name, ratio in ratios.items():
        bounds = [f"{bound[name]:.2f}" if name in bound else "" for bound in (FLOORS, CEILINGS)]
        table.add_row(name, f"{ratio:.3f}" if ratio < 0.1 else f"{ratio:.2f}", *bounds)
    console.print(table)
    table = Table("over HTTP", "measured")
    for name, figure in http.items():
        table.add_row(name.replace("_", " "), f"{figure:,.0f}")
    console.print(table)
    table = Table("page", *[name.replace("_", " ") for name in next(iter(shown.values()))])
    for page, figures_of_page in shown.items():
        table.add_row(page, *[f"{figure:,.1f}" for figure in figures_of_page.values()])
    console.print(table)
    machine = {"cores": os.cpu_count(), "python": sys.version.split()[0], "system": platform.platform()}
    figures = {"machine": machine, "scale": scale, "rates_per_second": rates, "http": http, "ratios": ratios}
    figures |= {"journal": books, "pages": shown}
    figures |= {"usage_seconds": usage, "plan": of_plan}
    figures |= {"floors": FLOORS, "ceilings": CEILINGS}
    Path("build/bench.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    console.print("written to build/bench.json")


if __name__ == "__main__":
    main()
