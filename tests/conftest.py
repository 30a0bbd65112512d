"""What every test may rely on: reproducible Hypothesis runs, and a folder that others can walk into."""

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import is_hypothesis_test, settings

from support.schedules import schedule

# A shell without job control starts what runs in its background with Ctrl-C ignored, and programs that are started from
# here would inherit that: those that a test interrupts would go on for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Tables are as wide as need be where nothing says how wide; pytest-xdist exports a width to its workers.
os.environ.pop("COLUMNS", None)

# "ci" draws the same examples on every run; `--hypothesis-profile=search` looks for new ones, for long.
EXAMPLES = schedule(60, 300)
settings.register_profile("ci", derandomize=True, deadline=None, max_examples=EXAMPLES, print_blob=True, database=None)
settings.register_profile("search", deadline=None, max_examples=2_000, print_blob=True)
settings.load_profile("ci")


def pytest_report_header() -> str:
    """Say which libraries verify: CI runs with PyNaCl and without."""
    from tallystick.signing.ed25519 import verified_by

    return f"signatures verified by {verified_by()}"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark properties as `long`: they are tried with more examples then."""
    for item in items:
        if isinstance(item, pytest.Function) and is_hypothesis_test(item.obj):
            item.add_marker(pytest.mark.long)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that an ordinary user can walk into, which pytest's own isn't."""
    with tempfile.TemporaryDirectory(prefix="tallystick-") as name:
        Path(name).chmod(0o755)
        yield Path(name)
