"""The service writes, stands by, and goes on when its store is back; and ends without losing an answer."""

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from support.burning import LOG_KEY, NOW, burn_note
from support.serving import Running, service_in_thread
from tallystick.errors import NotALedgerError, StoreFailedError
from tallystick.ledger import open_ledger, stand_by
from tallystick.ledger.standing_by import StandBy
from tallystick.publishing import read_ledger
from tallystick.web import running
from tallystick.web.running import Status, Writing


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks after its store often."""
    monkeypatch.setattr(running, "SECONDS_BETWEEN_LOOKS", 0.01)
    monkeypatch.setattr(running, "SECONDS_BETWEEN_TRIES", 0.01)


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds, for half a minute at most."""
    for _ in range(3_000):
        if condition():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it never came to that")


def test_a_store_that_is_gone_is_said_and_one_that_is_back_is_written(folder: Path) -> None:
    with service_in_thread(folder, clock=lambda: NOW) as serving:
        assert serving.post(burn_note("s-1")).status_code == 201
        hidden = folder / "hidden"
        (folder / "ledger.db").rename(hidden)
        wait_until(lambda: serving.http.get("/readyz").status_code == 503)  # though no note came
        assert serving.http.get("/readyz").json()["status"] == "store_failed"
        refused = serving.post(burn_note("s-2"))
        assert (refused.status_code, refused.json()["reason"]) == (503, "store_failed")
        assert int(refused.headers["retry-after"]) > 0
        hidden.rename(folder / "ledger.db")
        wait_until(lambda: serving.http.get("/readyz").status_code == 200)
        assert serving.post(burn_note("s-3")).json()["index"] == 12


def test_a_service_takes_over_within_moments(folder: Path) -> None:
    ledger = open_ledger(folder, LOG_KEY, clock=lambda: NOW)
    with service_in_thread(folder, clock=lambda: NOW) as serving:
        assert serving.post(burn_note("s-1")).json()["reason"] == "not_writing"
        ledger.submit([burn_note("s-1")])
        ledger.close()
        wait_until(lambda: serving.http.get("/readyz").status_code == 200)
        assert serving.post(burn_note("s-2")).json()["index"] == 12


def test_what_it_can_not_follow_any_more_is_said_and_tried_again(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "tallystick.service")
    follow = partial(stand_by, folder, LOG_KEY, clock=lambda: NOW)
    trouble: list[Exception] = [NotALedgerError("the log has become shorter"), StoreFailedError("no route to host")]
    with open_ledger(folder, LOG_KEY, clock=lambda: NOW) as ledger:
        writing = Writing(lambda: Stumbling(follow(), trouble))  # type: ignore[arg-type,return-value]
        writing.start()
        wait_until(lambda: not trouble)
        ledger.close()
        wait_until(lambda: writing.is_writing)
    writing.stop()
    assert writing.status is Status.STOPPED
    said = [getattr(record, "detail", "") for record in caplog.records]
    assert "the log can't be followed: the log has become shorter" in said
    assert "the log can't be followed: no route to host" in said


class Stumbling:
    """Stands by, and raises what it is told on the way, after its first look."""

    def __init__(self, inner: StandBy, trouble: list[Exception]) -> None:
        self._inner, self._trouble, self._looks = inner, trouble, 0

    def wait(self, seconds: float) -> object:
        self._looks += 1
        if self._looks > 1 and self._trouble:
            raise self._trouble.pop(0)
        return self._inner.wait(seconds)

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)


def test_a_drain_answers_all_that_was_taken(folder: Path) -> None:
    """Many threads send notes one by one; what has no answer isn't in the log, and the rest is, once."""
    answered: dict[str, int] = {}
    with service_in_thread(folder, clock=lambda: NOW, tell_seconds=0.5) as serving:
        threads = [threading.Thread(target=send_until_refused, args=(serving, place, answered)) for place in range(8)]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(answered) > 40)
    for thread in threads:
        thread.join()
    with read_ledger(folder) as reader:
        refs = {reader.parsed_entry(index).event.command.ref: index for index in range(11, reader.size)}
    assert refs == answered


def send_until_refused(serving: Running, place: int, answered: dict[str, int]) -> None:
    """Send notes over a connection that is kept, until one is refused or the service is gone."""
    import httpx2

    with httpx2.Client(base_url=serving.url, timeout=30) as http:
        for number in range(100_000):
            ref = f"{place}-{number}"
            try:
                answer = http.post("/v1/entries", content=burn_note(ref))
            except httpx2.TransportError:  # it wasn't read, so it isn't in the log
                return
            if answer.status_code == 503:
                assert answer.json()["reason"] == "draining"
                assert answer.headers["connection"] == "close"
                return
            answered[ref] = answer.json()["index"]
