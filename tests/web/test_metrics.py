"""What is counted is a closed list, and what is logged is JSON without anybody's words in it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.burning import NOW, burn_note
from support.serving import NOTE, Running, service_in_thread
from tallystick.serving.server import running
from tallystick.web import logs
from tallystick.web.metrics import Metrics

NAMES = {
    *("requests", "request_seconds", "connections_closed_unheard", "faults", "notes", "refusals", "group_notes"),
    *("group_seconds", "groups_failed", "info", "status", "draining", "fenced", "log_entries", "shown_entries"),
    *("views_lag_entries", "notes_under_way", "bytes_under_way", "disk_free_bytes"),
}


@pytest.fixture
def counted(folder: Path) -> Iterator[tuple[Running, Metrics]]:
    """A service, and what it counts."""
    with service_in_thread(folder, clock=lambda: NOW) as serving:
        assert serving.metrics is not None
        yield serving, serving.metrics


def samples(metrics: Metrics) -> dict[str, float]:
    """Every sample by its name and labels."""
    found = {}
    for family in metrics.registry.collect():
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}"] = sample.value
    return found


def test_the_names_are_a_closed_list(counted: tuple[Running, Metrics]) -> None:
    families = {family.name for family in counted[1].registry.collect() if not family.name.startswith("process_")}
    assert families == {f"tallystick_{name}" for name in NAMES}


def test_the_page_has_all_of_them() -> None:
    page = (Path(__file__).parents[2] / "docs" / "operator.md").read_text("utf-8")
    rows = page.split("| name, with `tallystick_` before it | |\n")[1].split("\n\n")[0]
    named = {
        name.split("{")[0] for row in rows.splitlines()[1:] for name in re.findall(r"`([^`]+)`", row.split("|")[1])
    }
    assert {name.removesuffix("_total") for name in named} == NAMES


def test_notes_and_requests_are_counted_by_what_came_of_them(counted: tuple[Running, Metrics]) -> None:
    serving, metrics = counted
    note = burn_note("s-1")
    for body in (note, note, b"nonsense"):
        serving.post(body)
    serving.http.get("/nowhere/at/all")
    serving.http.request("PROPFIND", "/v1/entries")
    found = samples(metrics)
    assert [found[f"tallystick_notes_total{{answer={answer}}}"] for answer in ("new", "again", "refused")] == [1, 1, 1]
    assert found["tallystick_refusals_total{reason=note_malformed}"] == 1
    assert found["tallystick_requests_total{method=POST,route=/v1/entries,status=201}"] == 1
    assert found["tallystick_requests_total{method=GET,route=none,status=404}"] == 1
    assert found["tallystick_requests_total{method=other,route=none,status=501}"] == 1
    assert (found["tallystick_log_entries{}"], found["tallystick_status{status=writing}"]) == (12, 1)
    assert not [name for name in found if "nowhere" in name or "PROPFIND" in name]


def test_they_are_asked_for_on_a_port_of_their_own(counted: tuple[Running, Metrics]) -> None:
    serving, metrics = counted
    with running(metrics) as admin:
        answer = serving.http.get(f"{admin.url}/metrics")
        assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, "text/plain")
        assert "tallystick_log_entries 11.0\n" in answer.text
        assert serving.http.get(f"{admin.url}/").status_code == 404
    assert serving.http.get("/metrics").status_code == 404


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    """Standard error, with the log's lines."""
    with logs.lines_on_stderr():
        yield capsys


def test_a_line_is_json_and_shows_nobodys_words(
    folder: Path, logged: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "what-a-stranger-sent"

    def failing(*_: object) -> None:
        raise RuntimeError(secret)

    with service_in_thread(folder, clock=lambda: NOW, log_requests=True) as serving:
        serving.http.get(f"/v1/search?q={secret}", headers={"Authorization": f"Bearer {secret}"})
        serving.http.post("/v1/entries", content=secret, headers=NOTE)
        monkeypatch.setattr("tallystick.web.health.why_not_ready", failing)
        assert serving.http.get("/readyz").json()["reason"] == "internal_fault"
    lines = [json.loads(line) for line in logged.readouterr().err.splitlines()]
    assert secret not in json.dumps(lines)
    events = [line["event"] for line in lines]
    assert {"writing", "listening", "answered", "fault", "draining", "stopped"} <= set(events)
    fault = next(line for line in lines if line["event"] == "fault")
    assert (fault["type"], fault["path"]) == ("builtins.RuntimeError", "/readyz")
    assert fault["places"][-1].endswith("failing")
    answered = [line for line in lines if line["event"] == "answered"]
    assert [line["path"] for line in answered] == ["/v1/search", "/v1/entries", "/readyz"]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", line["time"]) for line in lines)
