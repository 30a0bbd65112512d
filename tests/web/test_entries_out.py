"""Entries over HTTP: many, one, its receipt, and the entry that a reference became."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.reading_app import Running, add_entry, reading
from support.small_ledger import POLICY, write_small_ledger
from tallystick.publishing import read_ledger
from tallystick.transparency.receipt import Receipt, verify_receipt


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger."""
    folder = tmp_path_factory.mktemp("entries")
    write_small_ledger(folder, up_to=(213, 289))
    return folder


@pytest.fixture(scope="module")
def written(folder: Path) -> list[bytes]:
    """Its entries."""
    with read_ledger(folder) as reader:
        return list(reader.entries())


@pytest.fixture(scope="module")
def service(folder: Path) -> Iterator[Running]:
    """It, served."""
    with reading(folder) as running:
        yield running


def test_pages_of_entries_are_the_log(service: Running, written: list[bytes]) -> None:
    """Each page leads to the next, and the last to where new ones will be."""
    found, place = [], "/v1/entries?limit=100"
    for _ in range(3):
        answer = service.get(place)
        assert answer.headers["content-type"] == "application/jsonl"
        found += [json.loads(line) for line in answer.text.splitlines()]
        place = answer.links["next"]["url"]
    assert [line["entry"].encode() for line in found] == written
    assert [line["index"] for line in found] == list(range(289))
    assert "from=289" in place
    last = service.get(place)
    assert (last.status_code, last.content, last.headers["tallystick-size"]) == (204, b"", "289")


def test_a_full_page_never_changes_and_the_last_one_does(service: Running) -> None:
    """So says what may be kept."""
    assert "immutable" in service.get("/v1/entries?limit=100").headers["cache-control"]
    assert service.get("/v1/entries?from=250").headers["cache-control"] == "private, no-cache"
    tag = service.get("/v1/entries?from=250").headers["etag"]
    assert service.get("/v1/entries?from=250", if_none_match=tag).status_code == 304


@pytest.mark.parametrize("query", ["from=-1", "from=x", "limit=0", "limit=1001", "wait=31", "from=9223372036854775808"])
def test_parameters_out_of_bounds_are_refused(service: Running, query: str) -> None:
    """And nothing else happens."""
    assert service.get(f"/v1/entries?{query}").status_code == 422


def test_a_wait_for_entries_ends_when_there_are_some(tmp_path: Path) -> None:
    """The follower of a log asks with `wait`, again and again."""
    size = write_small_ledger(tmp_path)
    with reading(tmp_path) as service:
        answers = []
        asking = threading.Thread(target=lambda: answers.append(service.get(f"/v1/entries?from={size}&wait=30")))
        asking.start()
        add_entry(tmp_path)
        asking.join()
        assert [json.loads(line)["index"] for line in answers[0].text.splitlines()] == [size]


def test_an_entry_is_its_bytes(service: Running, written: list[bytes]) -> None:
    """It is known by its leaf hash, and never changes."""
    answer = service.get("/v1/entries/17")
    assert answer.content == written[17]
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert "immutable" in answer.headers["cache-control"]
    assert service.get("/v1/entries/17", if_none_match=answer.headers["etag"]).status_code == 304
    assert service.get("/v1/entries/289").json()["detail"] == "there is no entry 289"
    assert service.get("/v1/entries/289").status_code == 404


def test_a_receipt_verifies_offline(service: Running, written: list[bytes]) -> None:
    """Under the newest checkpoint, or under an older one that the log signed."""
    for query, size in (("", 289), ("?size=213", 213), ("?size=289", 289)):
        answer = service.get(f"/v1/entries/17/receipt{query}")
        assert answer.headers["content-type"].startswith("text/x.tlog-proof")
        receipt = Receipt.from_bytes(answer.content)
        assert receipt.entry == written[17]
        assert verify_receipt(receipt, written[17], POLICY).size == size
    assert "immutable" in service.get("/v1/entries/17/receipt?size=213").headers["cache-control"]
    assert service.get("/v1/entries/17/receipt").headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize("place", ["17/receipt?size=214", "250/receipt?size=213", "289/receipt", "17/receipt?size=290"])
def test_there_are_receipts_under_signed_checkpoints_alone(service: Running, place: str) -> None:
    """And of entries that these have."""
    assert service.get(f"/v1/entries/{place}").status_code == 404


def test_a_reference_leads_to_its_entry(service: Running, written: list[bytes]) -> None:
    """Also one with strokes."""
    command = json.loads(written[17].split(b"\n")[1])
    answer = service.get(f"/v1/refs/{command['party']}/{command['ref']}")
    assert answer.json() == {"party": command["party"], "ref": command["ref"], "index": 17}
    assert answer.headers["content-location"] == "/v1/entries/17"
    assert service.get("/v1/refs/guian/a/b/c").status_code == 404
