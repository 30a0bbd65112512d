"""What else can be explored: a log of one entry, an export, one whose bytes were changed; and what is not there."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from browser.conftest import audited, explored
from browser.examples import PATHS
from browser.sight import PHONES, Counted, Eyes, window
from support.burning import BEGIN, LOG_KEY, Clock, founding_notes
from support.command_line import done
from support.tampering import entries_of, put_entry
from tallystick.ledger import create_ledger

INDEX = 2_000
"""Of the entry that is changed."""
WITHOUT_IDS = [path for path in PATHS if "{" not in path]


@pytest.fixture(scope="module")
def of_one_entry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger that was only founded."""
    folder = tmp_path_factory.mktemp("founded") / "ledger"
    with create_ledger(folder, founding_notes()[0], LOG_KEY, clock=Clock(BEGIN)):
        return folder


@contextmanager
def seen(chromium: Browser, counted: Counted, source: Path, *options: object) -> Iterator[Eyes]:
    with explored(source, *options) as url, window(chromium, url, counted) as eyes:
        yield eyes


def test_a_log_of_one_entry_has_every_page(chromium: Browser, counted: Counted, of_one_entry: Path) -> None:
    with seen(chromium, counted, of_one_entry) as eyes:
        for path in WITHOUT_IDS:
            eyes.look_at(path)
            assert [eyes.width_beyond(size) for size in PHONES] == [None, None], path


def test_an_export_has_every_page(chromium: Browser, counted: Counted, demo: Path, tmp_path: Path) -> None:
    done("export", demo, tmp_path / "export")
    with seen(chromium, counted, tmp_path / "export") as eyes:
        for path in WITHOUT_IDS:
            eyes.visit(path)


def test_a_log_whose_bytes_were_changed_says_so(
    chromium: Browser, counted: Counted, demo: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(demo, tmp_path / "ledger", ignore=shutil.ignore_patterns("views*")))
    put_entry(folder, INDEX, entries_of(folder)[INDEX][:200])
    report = audited(folder, tmp_path / "report.json", 1)
    with seen(chromium, counted, folder, "--report", report) as eyes:
        for path in ("/findings", "/patterns", "/log", "/checkpoints", f"/entries/{INDEX}"):
            eyes.look_at(path)
            assert [eyes.width_beyond(size) for size in PHONES] == [None, None], path
        eyes.visit("/findings?lang=en")
        found = len(json.loads(report.read_bytes())["findings"])
        assert f"{found} things are wrong" in eyes.page.locator("main").inner_text()
        eyes.look_at("/programmes", status=500)


def test_what_is_not_there_is_a_page_too(chromium: Browser, counted: Counted, of_one_entry: Path) -> None:
    with seen(chromium, counted, of_one_entry) as eyes:
        for path in ("/vouchers/network/none", "/programmes?as_of=1000", "/holders/none"):
            eyes.look_at(path, status=404)
        eyes.look_at("/programmes?as_of=never", status=422)
