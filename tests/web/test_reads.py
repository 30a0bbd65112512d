"""What follows the log goes on whatever it meets, and questions are told what there is."""

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from support.reading_app import add_entry, reading
from support.small_ledger import write_small_ledger
from tallystick.errors import StoreFailedError
from tallystick.publishing.growing_log import GrowingLog
from tallystick.views.served_views import ServedViews


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that a follower does."""
    waiting = threading.Event()
    for _ in range(1_000):
        if condition():
            return
        waiting.wait(0.02)
    raise AssertionError("it never came")


def test_a_follower_goes_on_after_whatever_it_meets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong is told as long as it is; then the new entries are there."""
    size = write_small_ledger(tmp_path)
    with reading(tmp_path) as service:
        until(lambda: not service.reads.views_lag)
        with monkeypatch.context() as patch:
            for kind, name in ((GrowingLog, "refresh"), (ServedViews, "follow")):
                error = StoreFailedError("the disk is gone") if name == "refresh" else RuntimeError("a fault")

                def fail(*_: object, error: Exception = error) -> None:
                    raise error

                patch.setattr(kind, name, fail)
            add_entry(tmp_path)
            until(lambda: "the disk is gone" in (service.reads.trouble or ""))
            assert service.get("/checkpoint").headers["etag"] == f'"{size}"'
            assert service.get("/v1/parties/guian").status_code == 200
        until(lambda: service.reads.newest.size == service.reads.views.size == size + 1)
        until(lambda: service.reads.trouble is None)


def test_rows_that_others_changed_are_made_again_while_a_question_waits(tmp_path: Path) -> None:
    """Its answer is right, and nobody is told anything else."""
    write_small_ledger(tmp_path)
    with reading(tmp_path) as service:
        until(lambda: not service.reads.views_lag)
        with closing(sqlite3.connect(tmp_path / "views.db")) as connection, connection:
            connection.execute("UPDATE parties SET name = 'Somebody else' WHERE party = 'guian'")
        answer = service.get("/v1/parties/guian")
        assert (answer.status_code, answer.json()["party"]["balance"]["name"]) == (200, "guian")


def test_a_reference_with_a_zero_byte_is_none(tmp_path: Path) -> None:
    """Whatever the store would say of it."""
    write_small_ledger(tmp_path)
    with reading(tmp_path) as service:
        for place in ("/v1/refs/guian/a%00b", "/v1/refs/a%00b/1", "/v1/parties/a%00b", "/v1/vouchers/a%00/b"):
            assert service.get(place).status_code == 404
        assert service.get("/v1/search?q=a%00b").json()["hits"] == []
