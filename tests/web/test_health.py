"""Is it well? Of the process, of what takes notes, of what is shown; and what the service says of itself."""

import dataclasses
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from support.actors import vkey_of
from support.burning import LOG_KEY, NOW, burn_note
from support.serving import Running, service_in_thread
from tallystick.ledger import open_ledger
from tallystick.web import health


class Usage(NamedTuple):
    """Of a disk, in bytes."""

    total: int
    used: int
    free: int


def test_a_service_that_is_well(serving: Running) -> None:
    assert serving.post(burn_note("s-1")).status_code == 201
    said = {path: serving.http.get(path) for path in ("/livez", "/readyz", "/health")}
    assert {answer.status_code for answer in said.values()} == {200}
    assert {answer.headers["cache-control"] for answer in said.values()} == {"no-store"}
    assert said["/readyz"].json() == {"status": "writing", "size": 12, "ok": True, "reasons": []}
    assert said["/health"].json() == {"origin": LOG_KEY.name, "size": 12, "ok": True, "reasons": []}


def test_who_asks_often_is_told_what_was_found_a_moment_ago(serving: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[object] = []

    def examined(service: object) -> tuple[dict[str, object], list[str]]:
        looks.append(service)
        return {}, []

    monkeypatch.setattr(health, "_examined", examined)
    monkeypatch.setattr(health, "EXAMINED_FOR_SECONDS", 3_600.0)
    assert [serving.http.get("/health").status_code for _ in range(3)] == [200] * 3
    assert len(looks) == 1


def test_a_load_balancer_may_ask_for_the_head_alone(serving: Running) -> None:
    for path in ("/livez", "/readyz", "/health", "/v1/info"):
        answer = serving.http.head(path)
        assert (answer.status_code, answer.content) == (200, b"")


def test_one_that_stands_by_takes_no_notes_and_is_well(folder: Path) -> None:
    with open_ledger(folder, LOG_KEY, clock=lambda: NOW), service_in_thread(folder, clock=lambda: NOW) as serving:
        ready = serving.http.get("/readyz")
        assert (ready.status_code, ready.json()["reasons"]) == (503, ["standing_by: another process writes the log"])
        assert serving.http.get("/livez").status_code == 200
        assert serving.http.get("/health").status_code == 200
        refused = serving.post(burn_note("s-1"))
        assert (refused.status_code, refused.json()["reason"], refused.json()["transient"]) == (
            503,
            "not_writing",
            True,
        )
        assert int(refused.headers["retry-after"]) > 0
        checked = [serving.post(burn_note("s-1"), "/v1/check").json()]
        checked += serving.post_batch([burn_note("s-1"), burn_note("s-2")], "/v1/check:batch")
        assert [(one["status"], one["index"]) for one in checked] == [(201, 11), (201, 11), (201, 12)]


def test_a_full_disk_is_said(serving: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 10**9, health.DISK_FREE_BYTES_MIN - 1))
    answer = serving.http.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["reasons"][0].startswith("disk: less than 67,108,864 bytes")


def test_a_checkpoint_that_the_logs_key_did_not_sign_is_said(serving: Running) -> None:
    assert serving.service is not None
    vkeys = (vkey_of(f"{LOG_KEY.name}:holder/officer-1"),)
    serving.service.settings = dataclasses.replace(serving.service.settings, vkeys=vkeys)
    answer = serving.http.get("/health")
    assert (answer.status_code, answer.json()["ok"]) == (503, False)
    assert "sign" in answer.json()["reasons"][0]


def test_what_the_service_says_of_itself(serving: Running) -> None:
    said = serving.http.get("/v1/info").json()
    assert (said["origin"], said["vkeys"], said["size"], said["reading"]) == (
        LOG_KEY.name,
        [LOG_KEY.verifier.to_text()],
        11,
        "open",
    )
    assert (said["edition"], said["parameters"]["burn_window_seconds"]) == (1, 92 * 86_400)
    assert said["limits"] == {
        "note_bytes": 65_535,
        "batch_notes": 512,
        "batch_bytes": 4_000_000,
        "notes_under_way": 4_096,
    }
