"""`tallystick explore`: the pages of an export or a ledger on this machine, also of one that is damaged."""

import re
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from support.command_line import failed, start
from support.small_ledger import export_small_ledger, write_small_ledger
from tallystick.sources import DATABASE


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explore") / "ledger"
    write_small_ledger(folder)
    return folder


@contextmanager
def exploring(source: Path, cache: Path) -> Iterator[tuple[httpx2.Client, subprocess.Popen[str]]]:
    """The pages of a source, and the process that shows them."""
    process = start("explore", source, "--port", "0", env_more={"XDG_CACHE_HOME": str(cache)})
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with httpx2.Client(base_url=url, timeout=40) as client:
            yield client, process
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.communicate()


def test_an_export_is_explored_without_a_key_and_nothing_is_written_beside_it(ledger: Path, tmp_path: Path) -> None:
    export = tmp_path / "export"
    export_small_ledger(ledger, export)
    before = sorted(path.name for path in export.rglob("*"))
    with exploring(export, tmp_path / "cache") as (client, _):
        page = client.get("/programmes?as_of=50&lang=zh")
        assert page.status_code == 200, page.text
        assert '<html lang="zh-CN"' in page.text
        assert page.headers["tallystick-size"] == "51"
        assert client.post("/v1/entries", content=b"x").status_code == 405
    assert sorted(path.name for path in export.rglob("*")) == before
    assert [*(tmp_path / "cache").rglob("views-*.db")]


def test_a_damaged_ledger_has_pages_that_say_what_is_wrong(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    write_small_ledger(damaged)
    with sqlite3.connect(damaged / DATABASE) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f'DROP TRIGGER "{name}"')
        database.execute("UPDATE stored_events SET state = x'00' WHERE originator_version = 7")
    database.close()
    with exploring(damaged, tmp_path / "cache") as (client, process):
        page = client.get("/programmes")
        assert page.status_code == 500
        assert re.search(r"<main[\s\S]*can&#39;t be followed from entry", page.text), page.text
    assert process.stderr is not None


def test_a_source_that_is_none_is_refused_in_one_line(tmp_path: Path) -> None:
    assert "is not a ledger" in failed("explore", tmp_path, "--port", "0")
