"""A small demo, a server that shows it, and one Chromium; and the line that a run ends with.

All of it is marked `system`: `make test-browser` installs what it needs and runs it, and nothing else does.
"""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, sync_playwright

from browser.examples import Examples
from browser.sight import AXE, LOOKS, Counted, Eyes, Look, window
from support.command_line import run, start
from tallystick.publishing import read_ledger

CHROMIUM: Final = os.environ.get("CHROMIUM", "/usr/bin/chromium")
JOBS: Final = 300
"""Enough for one of everything that the demo has."""
_COUNTED: Final = Counted()

Windows = Callable[..., AbstractContextManager[Eyes]]
"""Given a look, and options of a browser's context, it opens a window."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave these tests out wherever nobody has asked for what needs other programs."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.system)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand on what one of several processes has counted."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["counted"] = _COUNTED.as_lists()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take what one of several processes has counted; one that died has nothing to say."""
    _COUNTED.add(getattr(node, "workeroutput", {}).get("counted", {}))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Say what was looked at, and what was found."""
    if _COUNTED.pages and not hasattr(config, "workerinput"):
        print(_COUNTED.line())


@pytest.fixture(scope="session")
def counted() -> Iterator[Counted]:
    """What is found in the windows of all tests; a test that finds something fails by itself, too."""
    assert AXE.is_file(), "tests/browser/install build/browser has not been run"
    yield _COUNTED
    assert not _COUNTED.findings, "\n".join(_COUNTED.findings)


@pytest.fixture(autouse=True)
def nothing_found(counted: Counted) -> Iterator[None]:
    """Let the test fail in which something was found."""
    before = len(counted.findings)
    yield
    found = counted.findings
    assert len(found) == before, "\n".join(found)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's, without a screen."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A year of the network in short, with five frauds: its ledger, keys and trust policy. It is only read."""
    folder = tmp_path_factory.mktemp("demo") / "ledger"
    played = start("demo", folder, "--limit", str(JOBS), "--dishonest")
    said, complaint = played.communicate(timeout=300)
    assert played.returncode == 0, said[-500:] + complaint
    return folder


@pytest.fixture(scope="session")
def size(demo: Path) -> int:
    """How many entries the demo has."""
    with read_ledger(demo) as reader:
        return reader.size


@contextmanager
def explored(source: Path, *options: object) -> Iterator[str]:
    """Show a log by `tallystick explore` until the block ends; its URL is given."""
    process = start("explore", source, "--port", "0", *options)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        if not url.startswith("http://"):
            process.kill()
            raise AssertionError(process.communicate())
        yield url
    finally:
        process.terminate()
        try:
            process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise


@pytest.fixture(scope="session")
def explorer(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an explorer of the demo, with what an audit found."""
    report = tmp_path_factory.mktemp("report") / "report.json"
    with explored(demo, "--report", audited(demo, report, 0)) as url:
        yield url


def audited(ledger: Path, report: Path, status: int) -> Path:
    """Audit a ledger, which comes to this status, and return the report."""
    ran = run("audit", ledger, "--trust", ledger / "trust.policy", "--patterns", "--report", report)
    assert ran.status == status, ran
    return report


@pytest.fixture(scope="session")
def examples(explorer: str) -> Iterator[Examples]:
    """An address for every page."""
    found = Examples(explorer)
    yield found
    found.close()


@pytest.fixture(scope="session")
def open_window(chromium: Browser, explorer: str, counted: Counted) -> Windows:
    """Return a window on the explorer of the demo."""
    return partial(window, chromium, explorer, counted)


@pytest.fixture(scope="session")
def eyes(open_window: Windows) -> Iterator[dict[Look, Eyes]]:
    """A window for each language and theme, for pages that are only looked at, one after another."""
    with ExitStack() as stack:
        yield {look: stack.enter_context(open_window(look)) for look in LOOKS}
