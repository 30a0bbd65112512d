"""How long the pages of a ledger of a million lines take, and what a first one weighs, as `explore` shows it.

One voucher, contract, provider and holder have all the lines: the heaviest pages that there are. Each page
is asked for again and again over one connection by a reader that keeps nothing, so that each is made anew.
"""

import gzip
import http.client
import re
import subprocess
import sys
from statistics import quantiles
from time import perf_counter
from urllib.parse import urlsplit

import apart
from figures import PAGES
from places import Place
from rounds import Part

LINES = 1_000_000
ASKED = 20
"""Times that a page is asked for in a round."""


def measure(place: Place) -> dict[str, float]:
    """Pages of a million burned lines: p95 of each in milliseconds, and what a first page weighs."""
    ledger = place.ledger(place.count(LINES, least=20_000))
    place.once("views that have followed", lambda: apart.run("views", folder=str(ledger)))
    words = [sys.executable, "-m", "tallystick", "explore", str(ledger), "--port", "0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as explorer:
        try:
            assert explorer.stdout is not None
            return _of_pages(explorer.stdout.readline().strip(), place.count(ASKED, least=4))
        finally:
            explorer.terminate()


def _of_pages(url: str, asked: int) -> dict[str, float]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    p95s, weights, charts = {}, [], [0.0]
    for name, page in PAGES.items():
        weight, text = _get(connection, page)
        loaded = sorted(set(re.findall(r'(?:src|href)="(/static/[^"]+)"', text)))
        weights.append((weight + sum(_get(connection, one)[0] for one in loaded)) / 1000)
        charts += [len(chart) / 1000 for chart in re.findall(r"<svg.*?</svg>", text, re.S)]
        times = [_seconds(connection, page) * 1000 for _ in range(asked)]
        p95s[f"page_{name}_p95_ms"] = quantiles(times, n=20)[-1]
    connection.close()
    weighed = {"page_first_kb": max(weights), "page_chart_kb": max(charts)}
    return p95s | weighed | {"page_slowest_p95_ms": max(p95s.values())}


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


PART = Part("pages", measure)
