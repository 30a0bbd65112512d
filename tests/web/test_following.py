"""Entries come to whoever follows, once each and in order, and only to who may read them."""

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from support.burning import NOW
from support.reading_app import add_entry, application, reading
from support.small_ledger import write_small_ledger
from tallystick.publishing import read_ledger
from tallystick.serving.bounds import Bounds
from tallystick.serving.server import running
from tallystick.web import following
from tallystick.web.reads import Reads
from tallystick.wire.entries import entry


def events_in(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    """The events of a stream: id and data."""
    id_ = ""
    for line in lines:
        name, _, value = line.partition(": ")
        if name == "id":
            id_ = value
        elif name == "data":
            yield id_, json.loads(value)


def test_events_are_entries_from_where_the_reader_was(tmp_path: Path) -> None:
    """By `from`, and by the last id that came, which a browser sends by itself; then the new ones as they come."""
    size = write_small_ledger(tmp_path)
    with reading(tmp_path) as service:
        with service.client.stream("GET", "/v1/events", params={"from": size - 2}) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            assert answer.headers["cache-control"] == "no-store"
            found = events_in(answer.iter_lines())
            assert [next(found)[0], next(found)[0]] == [str(size - 2), str(size - 1)]
            add_entry(tmp_path)
            id_, event = next(found)
        assert id_ == str(size)
        with read_ledger(tmp_path) as reader:
            assert event["data"] == entry(size, reader.entry(size))
            assert (event["source"], event["id"], event["type"]) == (reader.origin, str(size), "capacity.declared/1")
        assert (event["specversion"], event["subject"], event["time"]) == ("1.0", "guian", event["data"]["at"])
        headers = {"Last-Event-ID": str(size - 1)}
        with service.client.stream("GET", "/v1/events", headers=headers) as answer:
            assert next(events_in(answer.iter_lines())) == (id_, event)


def test_a_stream_that_has_nothing_to_tell_stays_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A comment comes now and then."""
    monkeypatch.setattr(following, "PING_SECONDS", 0.05)
    size = write_small_ledger(tmp_path)
    with reading(tmp_path) as service, service.client.stream("GET", "/v1/events") as answer:
        lines = [line for _, line in zip(range(5), answer.iter_lines(), strict=False)]
    assert lines == [f": {size} entries", "", ": ping", "", ": ping"]


def test_streams_end_with_the_service(tmp_path: Path) -> None:
    """The reader is told when to ask again."""
    write_small_ledger(tmp_path)
    with reading(tmp_path) as service, service.client.stream("GET", "/v1/events") as answer:
        lines = answer.iter_lines()
        next(lines)
        service.reads.drain()
        assert [line for line in lines if line] == ["retry: 2000"]


def test_there_are_not_too_many_streams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one reader; one that is closed counts no more."""
    monkeypatch.setattr(following, "STREAMS_OF_ONE_MAX", 1)
    write_small_ledger(tmp_path)
    with reading(tmp_path) as service:
        with service.client.stream("GET", "/v1/events"):
            answer = service.get("/v1/events")
            assert (answer.status_code, answer.json()["reason"]) == (429, "too_many_requests")
        closed = threading.Event()
        while service.reads.streams.total():
            closed.wait(0.01)
        with service.client.stream("GET", "/v1/events") as again:
            assert again.status_code == 200


@pytest.mark.parametrize("last", ["x", "-1", "9" * 20, "1.5"])
def test_a_last_id_that_is_none_is_told(tmp_path: Path, last: str) -> None:
    """It isn't passed over: events would be missing."""
    write_small_ledger(tmp_path)
    with reading(tmp_path) as service:
        assert service.get("/v1/events", last_event_id=last).status_code == 422


def test_a_reader_that_takes_nothing_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And its stream ends, having held one page at most."""
    pages: list[int] = []
    made = following._page

    def counted(*arguments: Any) -> tuple[bytes, int]:
        data, _ = made(*arguments)
        pages.append(len(data))
        return data * 64, arguments[1]  # there are always more

    monkeypatch.setattr(following, "_page", counted)
    write_small_ledger(tmp_path)
    reads = Reads.open(tmp_path)
    app = application(reads, tmp_path / "pending.db", "open", lambda: NOW)
    with running(app, bounds=Bounds(stuck_seconds=0.3)) as server:
        host = httpx2.URL(server.url)
        with socket.create_connection((host.host, host.port or 80)) as idle:
            idle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            idle.sendall(b"GET /v1/events?from=0 HTTP/1.1\r\nHost: here\r\n\r\n")
            opened = threading.Event()
            while not reads.streams.total():
                opened.wait(0.01)
            while reads.streams.total():
                opened.wait(0.05)
            taken = len(pages)
            opened.wait(0.2)
        assert len(pages) == taken
        assert httpx2.get(f"{server.url}/checkpoint").status_code == 200
