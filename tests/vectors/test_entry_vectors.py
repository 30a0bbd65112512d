"""One frozen example of every kind of event, remade byte for byte: formats don't change unseen."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from tallystick.signing.keys import VerifierKey
from tallystick.signing.note import open_note
from tallystick.vouchers.entry import Entry, split_entry
from tallystick.vouchers.events import EVENT_KINDS
from tallystick.vouchers.evolve import evolve
from tallystick.vouchers.state import State

HERE = Path(__file__).resolve().parent


def _maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_entries", HERE / "make_entries.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MAKER = _maker()
FROZEN = {path.name: path.read_bytes() for path in sorted((HERE / "entries").glob("*.txt"))}


def test_the_entries_are_made_as_they_were() -> None:
    """Same names, same bytes."""
    assert MAKER.entries() == FROZEN


def test_the_sums_are_those_of_the_files() -> None:
    """So a changed file is noticed even where the maker changed with it."""
    assert MAKER.SUMS.read_text("utf-8") == MAKER.sums(FROZEN)


def test_every_kind_is_there() -> None:
    """No event without a vector."""
    assert {Entry.from_bytes(data).event.kind for data in FROZEN.values()} == set(EVENT_KINDS.values())


@pytest.mark.parametrize("name", FROZEN)
def test_an_entry_is_read_and_written_the_same(name: str) -> None:
    """Both directions: what was read makes the same bytes again, from its parts."""
    data = FROZEN[name]
    entry = Entry.from_bytes(data)
    _, note = split_entry(data)
    assert f"{entry.event.index:02}-{entry.event.kind.removesuffix('/1')}.txt" == name
    assert Entry.of(entry.event, note) == entry
    assert entry.to_bytes() == data


def test_the_signatures_fit_the_keys_in_the_log() -> None:
    """By the keys that the entries themselves brought, in order."""
    state = State.empty("tallystick.example/national")
    for name, data in FROZEN.items():
        entry = Entry.from_bytes(data)
        evolve(state, entry.event)
        keys = [VerifierKey.from_text(key.vkey) for key in state.keys.values()]
        note, signers = open_note(split_entry(data)[1], keys)
        assert len(signers) == len(note.signatures), name
    assert state.size == len(FROZEN)
