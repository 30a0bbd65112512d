"""One network is founded for all tests, and each has a copy of it."""

from pathlib import Path

import pytest

from support.clusters import Cluster


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """A network that nobody changes."""
    return Cluster(tmp_path_factory.mktemp("founded"))


@pytest.fixture
def cluster(founded: Cluster, tmp_path: Path) -> Cluster:
    """A copy of it in the test's folder."""
    return Cluster(tmp_path, founded)
