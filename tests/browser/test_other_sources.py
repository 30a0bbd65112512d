"""What else can be explored: a log of one entry, and an export; and what is not there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from browser.conftest import explored
from browser.examples import PATHS
from browser.sight import PHONES, Counted, Eyes, window
from support.burning import BEGIN, LOG_KEY, Clock, founding_notes
from support.command_line import done
from tallystick.ledger import create_ledger

WITHOUT_IDS = [path for path in PATHS if "{" not in path]


@pytest.fixture(scope="module")
def of_one_entry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger that was only founded."""
    folder = tmp_path_factory.mktemp("founded") / "ledger"
    with create_ledger(folder, founding_notes()[0], LOG_KEY, clock=Clock(BEGIN)):
        return folder


@contextmanager
def seen(chromium: Browser, counted: Counted, source: Path) -> Iterator[Eyes]:
    with explored(source) as url, window(chromium, url, counted) as eyes:
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


def test_what_is_not_there_is_a_page_too(chromium: Browser, counted: Counted, of_one_entry: Path) -> None:
    with seen(chromium, counted, of_one_entry) as eyes:
        for path in ("/vouchers/network/none", "/programmes?as_of=1000", "/holders/none"):
            eyes.look_at(path, status=404)
        eyes.look_at("/programmes?as_of=never", status=422)
