"""What isn't a note, or no batch of notes, is a problem by its name; nothing is recorded, and the service goes on."""

import json
from collections.abc import Iterator

import pytest

from support.burning import LOG_KEY, NOW, Clock, burn_note, founding_notes
from support.serving import NOTE, Running, batch_of, service_in_thread
from tallystick.ledger import create_ledger

FOUR_MB = 4_000_000
USUAL = ("application/octet-stream", "application/x-www-form-urlencoded")


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service that records nothing of what is tried with it."""
    folder = tmp_path_factory.mktemp("unchanged") / "ledger"
    genesis, *rest = founding_notes()
    with create_ledger(folder, genesis, LOG_KEY, clock=Clock()) as ledger:
        ledger.submit(rest)
    with service_in_thread(folder, clock=lambda: NOW) as running:
        yield running
        assert running.http.get("/readyz").json() == {"status": "writing", "size": 11, "ok": True, "reasons": []}


def test_the_types_that_a_note_comes_as(serving: Running) -> None:
    """`curl --data-binary` says the last of these, and a script often nothing."""
    for number, kind in enumerate((None, "text/plain", "text/plain; charset=UTF-8", *USUAL)):
        headers = {} if kind is None else {"Content-Type": kind}
        answer = serving.http.post("/v1/entries", content=burn_note(f"s-{number}"), headers=headers)
        assert answer.status_code == 201, kind
    for kind in ("application/json", "multipart/form-data; boundary=x", "text/html", "text/plain; charset=utf-16"):
        answer = serving.http.post("/v1/entries", content=burn_note("s-9"), headers={"Content-Type": kind})
        assert (answer.status_code, answer.json()["reason"]) == (415, "unsupported_media_type"), kind
    packed = serving.post(burn_note("s-9"), **{"Content-Encoding": "gzip"})
    assert (packed.status_code, packed.json()["reason"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("path", ["/v1/entries", "/v1/check"])
@pytest.mark.parametrize(
    ("note", "status", "reason"),
    [
        (b"", 400, "note_malformed"),
        (b"\0\xff\xfe", 400, "note_malformed"),
        (b"{}\n\n\xe2\x80\x94 a b\n", 400, "note_malformed"),
        (b"x" * 65_536, 413, "note_too_large"),
        (b"x" * 65_537, 413, "body_too_large"),
    ],
)
def test_what_is_no_note(unchanged: Running, path: str, note: bytes, status: int, reason: str) -> None:
    answer = unchanged.post(note, path)
    said = answer.json()
    assert said["reason"] == reason
    if path == "/v1/entries" or reason == "body_too_large":
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    else:  # that it would be refused is what was asked for
        assert (answer.status_code, said["status"], said["accepted"]) == (200, status, False)


@pytest.mark.parametrize("path", ["/v1/entries:batch", "/v1/check:batch"])
@pytest.mark.parametrize(
    ("body", "status", "reason", "words"),
    [
        (b"nonsense", 400, "bad_request", "line 1 "),
        (b'"a"\n\n"b"\n', 400, "bad_request", "line 2 "),
        (b'"a"\n{"note": "a"}\n', 400, "bad_request", "line 2 "),
        (b'["a"]\n', 400, "bad_request", "line 1 "),
        (b'"a" "b"\n', 400, "bad_request", "line 1 "),
        (b'"\xff"\n', 400, "bad_request", "line 1 "),
        (b'"\\ud800"\n', 400, "bad_request", "line 1 "),
        (b"1" * 5_000 + b"\n", 400, "bad_request", "line 1 "),
        (b"[" * 100_000 + b"\n", 400, "bad_request", "line 1 "),
        (b'"a"\n' * 513, 413, "body_too_large", "512 notes"),
        (b'"' + b"a" * FOUR_MB + b'"\n', 413, "body_too_large", ""),
    ],
)
def test_what_is_no_batch(unchanged: Running, path: str, body: bytes, status: int, reason: str, words: str) -> None:
    answer = unchanged.http.post(path, content=body, headers={"Content-Type": "application/jsonl"})
    said = answer.json()
    assert (answer.status_code, said["reason"]) == (status, reason)
    assert words in said["detail"]


def test_a_batch_is_as_large_as_it_may_be(serving: Running) -> None:
    assert serving.post_batch([]) == []
    said = serving.post_batch([b"a"] * 512)
    assert [one["reason"] for one in said] == ["note_malformed"] * 512
    filling = [b"x" * 65_000] * 61
    body = batch_of(filling)
    assert len(body) < FOUR_MB
    body += json.dumps("x" * (FOUR_MB - len(body) - 3)).encode() + b"\n"
    assert len(body) == FOUR_MB
    answer = serving.http.post("/v1/entries:batch", content=body, headers=NOTE)
    assert (answer.status_code, answer.text.count("\n")) == (200, 62)
    assert serving.post(burn_note("s-1")).json()["index"] == 11


def test_one_note_of_a_batch_hurts_no_other(serving: Running) -> None:
    good = [burn_note(f"s-{number}") for number in range(3)]
    bad = [b"", b"x" * 70_000, good[0].replace(b"provider", b"holder"), good[0][:-10]]
    said = serving.post_batch([good[0], *bad, good[1], good[1], good[2]])
    assert [one.get("index") for one in said if one["accepted"]] == [11, 12, 12, 13]
    assert [one["reason"] for one in said if not one["accepted"]] == [
        "note_malformed",
        "note_too_large",
        "role_may_not",
        "note_malformed",
    ]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/v1/entries", "/v1/entries:batch", "/v1/check", "/v1/check:batch"])
def test_another_method_is_said(unchanged: Running, method: str, path: str) -> None:
    answer = unchanged.http.request(method, path, content=b"x" if method in ("PUT", "PATCH") else None)
    assert (answer.status_code, answer.json()["reason"]) == (405, "method_not_allowed")
    assert "POST" in answer.headers["allow"]
