"""A ledger in a folder with a provider that may burn, and its service; and one of two cities, for who may read what."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.burning import LOG_KEY, NOW, Clock, founding_notes
from support.reading_app import Clock as AskedClock
from support.reading_app import Running as Asked
from support.reading_app import clock_after, reading
from support.serving import Running, service_in_thread
from support.two_cities import write_two_cities
from tallystick.ledger import create_ledger


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The ledger's folder: entries 0 to 10."""
    genesis, *rest = founding_notes()
    with create_ledger(tmp_path / "ledger", genesis, LOG_KEY, clock=Clock()) as ledger:
        ledger.submit(rest)
    return tmp_path / "ledger"


@pytest.fixture
def serving(folder: Path) -> Iterator[Running]:
    """Its service, at the time at which burn notes are signed."""
    with service_in_thread(folder, clock=lambda: NOW) as running:
        yield running


@pytest.fixture(scope="package")
def two_cities(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger folder; it is only read."""
    folder = tmp_path_factory.mktemp("two-cities") / "ledger"
    write_two_cities(folder)
    return folder


@pytest.fixture(scope="module")
def shared(two_cities: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Asked, AskedClock]]:
    """A service of a ledger of two cities that doesn't grow."""
    folder = Path(shutil.copytree(two_cities, tmp_path_factory.mktemp("shared") / "ledger"))
    clock = clock_after(folder)
    with reading(folder, who="own", clock=clock) as running:
        yield running, clock


@pytest.fixture
def city_folder(two_cities: Path, tmp_path: Path) -> Path:
    """A ledger of its own, which grows: a test that asks for it has its own service."""
    return Path(shutil.copytree(two_cities, tmp_path / "ledger"))


@pytest.fixture
def clock(request: pytest.FixtureRequest) -> AskedClock:
    """What the service goes by."""
    if "city_folder" in request.fixturenames:
        return clock_after(request.getfixturevalue("city_folder"))
    clock: AskedClock = request.getfixturevalue("shared")[1]
    clock.now = clock.start
    return clock


@pytest.fixture
def service(request: pytest.FixtureRequest, clock: AskedClock) -> Iterator[Asked]:
    """A service that nobody has logged in to."""
    if "city_folder" in request.fixturenames:
        with reading(request.getfixturevalue("city_folder"), who="own", clock=clock) as running:
            yield running
    else:
        running, _ = request.getfixturevalue("shared")
        running.forget()
        yield running
