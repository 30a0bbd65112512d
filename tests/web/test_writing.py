"""Notes over HTTP: recorded once, answered by reason, alone and in batches."""

import json
from pathlib import Path

import pytest

from support.burning import NOW, burn_note
from support.serving import Running, service_in_thread
from tallystick.transparency.receipt import Receipt
from tallystick.web import reads
from tallystick.web.served_log import ServedLog


def test_a_note_is_recorded_once(serving: Running) -> None:
    note = burn_note("s-1")
    first, again = serving.post(note), serving.post(note)
    assert (first.status_code, first.headers["location"], first.headers["tallystick-size"]) == (
        201,
        "/v1/entries/11",
        "12",
    )
    assert (again.status_code, again.headers["location"]) == (200, "/v1/entries/11")
    assert first.json() | {"is_new": False} == again.json()
    assert (first.json()["accepted"], first.json()["index"], first.json()["is_new"]) == (True, 11, True)


def test_the_receipt_is_given_if_it_is_asked_for(serving: Running) -> None:
    answer = serving.post(burn_note("s-1"), Accept="text/x.tlog-proof")
    assert (answer.status_code, answer.headers["content-type"]) == (201, "text/x.tlog-proof; charset=utf-8")
    assert Receipt.from_bytes(answer.content).index == 11


def test_what_is_refused_is_a_problem(serving: Running) -> None:
    answer = serving.post(b"nonsense")
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    said = answer.json()
    assert (said["type"], said["reason"], said["status"]) == ("/problems/note_malformed", "note_malformed", 400)
    note = burn_note("s-1")
    assert serving.post(note).status_code == 201
    other = serving.post(burn_note("s-1")).json()
    assert (other["status"], other["reason"]) == (422, "ref_reused_for_other_content")
    assert "11" not in str(other)  # it is decided before a signature is looked at, so anybody could guess


def test_a_batch_is_answered_line_by_line(serving: Running) -> None:
    notes = [burn_note("s-1"), b"nonsense", burn_note("s-2")]
    body = b"".join(json.dumps(note.decode()).encode() + b"\n" for note in [*notes, notes[0]])
    answer = serving.post(body, "/v1/entries:batch")
    said = [json.loads(line) for line in answer.text.splitlines()]
    assert [(one["status"], one.get("index"), one.get("is_new")) for one in said] == [
        (201, 11, True),
        (400, None, None),
        (201, 12, True),
        (200, 11, False),
    ]
    with_entries = serving.post(body, "/v1/entries:batch?include=entry")
    said = [json.loads(line) for line in with_entries.text.splitlines()]
    assert ["entry" in one for one in said] == [True, False, True, True]


def test_what_was_recorded_a_moment_ago_is_known_to_a_check(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it is shown: in PostgreSQL an answer doesn't wait for that."""
    monkeypatch.setattr(ServedLog, "_look", lambda _: None)
    monkeypatch.setattr(reads, "LOG_LOOKED_AT_SECONDS", 3_600.0)
    note = burn_note("s-1")
    with service_in_thread(folder, clock=lambda: NOW) as serving:
        assert serving.post(note).status_code == 201
        checked = serving.post_batch([note, burn_note("s-2")], "/v1/check:batch")
        checked.append(serving.post(note, "/v1/check").json())
        assert [(one["status"], one["index"]) for one in checked] == [(200, 11), (201, 12), (200, 11)]


def test_a_check_writes_nothing(serving: Running) -> None:
    note = burn_note("s-1")
    for _ in range(2):
        said = serving.post(note, "/v1/check").json()
        assert (said["status"], said["index"], said["is_new"]) == (201, 11, True)
    assert serving.post(note).status_code == 201
    said = serving.post(note, "/v1/check").json()
    assert (said["status"], said["index"], said["is_new"]) == (200, 11, False)
    batch = b"".join(json.dumps(one.decode()).encode() + b"\n" for one in (burn_note("s-2"), note, burn_note("s-3")))
    said = [json.loads(line) for line in serving.post(batch, "/v1/check:batch").text.splitlines()]
    assert [(one["status"], one["index"]) for one in said] == [(201, 12), (200, 11), (201, 13)]


def test_the_views_take_what_was_recorded_from_the_writer(serving: Running) -> None:
    """They have it in the answer after, and read nothing of it again."""
    assert serving.service is not None
    fresh = serving.service.reads.views.fresh
    serving.post_batch([burn_note("s-1"), burn_note("s-1"), burn_note("s-2")])
    recorded = serving.http.get("/v1/recorded?limit=2").json()["recorded"]
    assert ([one["ref"] for one in recorded], fresh.taken, fresh._entries) == (["s-2", "s-1"], 2, {})
