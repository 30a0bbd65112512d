"""Views of the demo's year, which has a command of nearly every kind, are the same rows whatever makes them cheaper."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tallystick.publishing.growing_log import GrowingLog
from tallystick.views.schema import PROJECTIONS
from tallystick.views.served_views import ServedViews
from tallystick.vouchers.admit import SignedCommand, admit, read_note
from tallystick.vouchers.entry import Entry, Header, split_entry
from tallystick.vouchers.evolve import evolve
from tallystick.vouchers.state import State

YEAR = Path(__file__).resolve().parents[1] / "vectors" / "editions" / "1" / "demo-year"


@pytest.fixture(scope="module")
def log() -> Iterator[GrowingLog]:
    with GrowingLog(YEAR) as log:
        yield log


@pytest.fixture(scope="module")
def entries(log: GrowingLog) -> list[Entry]:
    """As a writer decides them, from nothing but their notes and times."""
    state, decided = State.empty(log.newest.origin), list[Entry]()
    for data in log.newest.entries():
        header, note = split_entry(data)
        signed = read_note(note, log.newest.origin)
        assert isinstance(signed, SignedCommand)
        entry = admit(state, signed, Header.from_bytes(header).at)
        assert isinstance(entry, Entry)
        assert entry.data == data
        evolve(state, entry.event)
        decided.append(entry)
    return decided


def followed(log: GrowingLog, path: Path, fresh: list[Entry]) -> list[str]:
    """All rows of views that followed in one go, and the state kept beside them, as text."""
    views = ServedViews(log, path)
    views.fresh.keep(fresh)
    assert views.follow() == log.newest.size
    assert views.fresh.taken == len(fresh)
    views.close()
    with closing(sqlite3.connect(path)) as connection:
        return [*connection.iterdump()]


@pytest.fixture(scope="module")
def from_log(log: GrowingLog, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What the log alone comes to."""
    lines = followed(log, tmp_path_factory.mktemp("year") / "views.db", [])
    assert any(line.startswith('INSERT INTO "saved_state"') for line in lines)
    return lines


def test_what_the_writer_hands_over_gives_the_same_rows(
    log: GrowingLog, entries: list[Entry], from_log: list[str], tmp_path: Path
) -> None:
    """And the same state beside them; none of its entries was read again."""
    assert followed(log, tmp_path / "views.db", entries) == from_log


def test_a_projection_takes_something_of_the_commands_that_it_says_alone(
    log: GrowingLog, entries: list[Entry], from_log: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same rows come of all commands: no projection has forgotten one that it needs."""
    said = {command for projection in PROJECTIONS for command in projection.commands or ()}
    assert said <= {type(entry.event.command) for entry in entries}
    assert len(said) > 15
    for projection in PROJECTIONS:
        monkeypatch.setattr(projection, "commands", None)
    assert followed(log, tmp_path / "views.db", entries) == from_log
