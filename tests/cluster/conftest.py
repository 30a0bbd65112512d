"""The cluster's tests run by `make test-cluster`, or when this folder is named; a plain `pytest` leaves them out."""

from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("cluster")
    group.addoption("--seed", type=int, default=1, help="decides the order of faults, and the load")
    group.addoption("--schedule", default="", help="faults to run instead: 'kill-primary, pause-primary 8, …'")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    named = [Path(argument.partition("::")[0]).resolve() for argument in config.args]
    return None if any(HERE in (path, *path.parents) for path in named) else True
