"""How long the pages of a ledger of a million lines take, and what a first one weighs, as `explore` shows it.

One voucher, contract, provider and holder have all the lines: the heaviest pages that there are. Each page
is asked for again and again over one connection by a reader that keeps nothing, so that each is made anew.
"""

import gzip
import http.client
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from urllib.parse import urlsplit

import network

LINES_EACH = 200
LINES = 1_000_000
ASKED = 40
PAGES = (
    "/",
    "/treasuries/treasury",
    "/programmes/treasury/2026",
    "/vouchers/treasury/v1",
    "/contracts/holder/k1",
    "/providers/provider",
    "/holders/holder",
    "/vouchers",
    "/entries",
    "/entries/50",
    "/log",
)
SLOWEST_P95 = "milliseconds of the slowest page's p95, of a million lines"
FIRST_PAGE = "kilobytes of a first page with all that it loads, compressed"
HEAVIEST_CHART = "kilobytes of the heaviest chart"


def measure(folder: Callable[[], AbstractContextManager[Path]], scale: float) -> dict[str, dict[str, float]]:
    """Pages of a million burned lines: milliseconds each, at the median and p95; kilobytes of page and charts."""
    statements = max(1, int(LINES * scale) // LINES_EACH)
    with folder() as where:
        with network.founded_ledger(where / "ledger", verify_processes=1) as ledger:
            for first in range(0, statements, 50):
                ledger.submit(network.statements(min(50, statements - first), LINES_EACH))
        words = [sys.executable, "-m", "tallystick", "explore", str(where / "ledger"), "--port", "0"]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as explorer:
            try:
                assert explorer.stdout is not None
                return _of_pages(explorer.stdout.readline().strip())
            finally:
                explorer.terminate()


def _of_pages(url: str) -> dict[str, dict[str, float]]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    figures: dict[str, dict[str, float]] = {}
    for page in PAGES:
        weight, text = _get(connection, page)
        loaded = re.findall(r'(?:src|href)="(/static/[^"]+)"', text)
        charts = [len(chart) / 1000 for chart in re.findall(r"<svg.*?</svg>", text, re.S)]
        times = sorted(_seconds(connection, page) * 1000 for _ in range(ASKED))
        figures[page] = {
            "median_ms": median(times),
            "p95_ms": quantiles(times, n=20)[-1],
            "kilobytes": (weight + sum(_get(connection, one)[0] for one in sorted(set(loaded)))) / 1000,
            "chart_kilobytes": max(charts, default=0.0),
        }
    connection.close()
    return figures


def _seconds(connection: http.client.HTTPConnection, page: str) -> float:
    begin = perf_counter()
    _get(connection, page)
    return perf_counter() - begin


def _get(connection: http.client.HTTPConnection, path: str) -> tuple[int, str]:
    """Return how many bytes an answer is, as it is sent, and its text."""
    connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
    answer = connection.getresponse()
    data = answer.read()
    if answer.status != http.client.OK:
        raise RuntimeError(f"{path} is answered by {answer.status}")
    return len(data), (gzip.decompress(data) if answer.getheader("Content-Encoding") == "gzip" else data).decode()


def compared(figures: dict[str, dict[str, float]]) -> dict[str, float]:
    """Return what is judged."""
    return {
        SLOWEST_P95: max(of_page["p95_ms"] for of_page in figures.values()),
        FIRST_PAGE: max(of_page["kilobytes"] for of_page in figures.values()),
        HEAVIEST_CHART: max(of_page["chart_kilobytes"] for of_page in figures.values()),
    }
