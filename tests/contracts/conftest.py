"""A small founded network, in every store."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.burning import LOG_KEY, NOW, Clock, founding_notes
from support.postgres import fresh_database
from tallystick.ledger import Admitted, Ledger, create_ledger
from tallystick.ledger.opening import memory_ledger

Make = Callable[[Clock], Ledger]


@pytest.fixture(params=["memory", "sqlite", "sqlite with processes", "postgresql"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    def make_ledger(clock: Clock) -> Ledger:
        genesis = founding_notes()[0]
        if request.param == "memory":
            return memory_ledger(genesis, LOG_KEY, clock=clock)
        if request.param == "postgresql":
            return create_ledger(fresh_database(), genesis, LOG_KEY, clock=clock)
        processes = 2 if "processes" in request.param else 0
        return create_ledger(tmp_path, genesis, LOG_KEY, clock=clock, verify_processes=processes)

    return make_ledger


@pytest.fixture
def ledger(make: Make) -> Iterator[Ledger]:
    clock = Clock()
    with make(clock) as ledger:
        assert all(isinstance(answer, Admitted) for answer in ledger.submit(founding_notes()[1:]))
        clock.at = NOW
        yield ledger
