"""For mutation testing (docs/mutants.md): quick files of tests run first, and a failure is reported as it was found.

mutmut asks of each mutant only whether any of many tests fails, names them in no particular order, and has measured
each before. So a mutant is caught in milliseconds where it would take seconds, and Hypothesis, which would go on to
look for the smallest example, stops at the first. A pytest plugin, loaded by `[tool.mutmut]` alone.
"""

import json
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import Phase, settings

MEASURED = Path("mutmut-stats.json")
"""Beside the tests that run: seconds by test, once mutmut has measured them."""


def pytest_configure() -> None:
    """Take what tests/conftest.py has chosen, and leave out the search for the smallest example."""
    settings.register_profile("mutants", settings(), phases=(Phase.explicit, Phase.generate))
    settings.load_profile("mutants")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files with the quickest tests first; within a file tests stay together, and so do their fixtures."""
    measured: dict[str, float] = {}
    if MEASURED.is_file():
        measured = json.loads(MEASURED.read_bytes())["duration_by_test"]
    seconds: dict[Path, float] = defaultdict(float)
    for item in items:
        seconds[item.path] += measured.get(item.nodeid, 0.0)
    items.sort(key=lambda item: (seconds[item.path], item.path))
