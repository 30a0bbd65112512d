"""One frozen example of every kind of event, remade byte for byte: formats don't change unseen."""

import hashlib
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import orjson
import pytest

from support.editions import NEVER_RECORDED
from tallystick.signing.keys import VerifierKey
from tallystick.signing.note import open_note
from tallystick.vouchers.entry import Entry, split_entry
from tallystick.vouchers.evolve import evolve
from tallystick.vouchers.outcomes import Sealed
from tallystick.vouchers.rulebook import EVENT_KINDS
from tallystick.vouchers.rules.vouchers import VoucherSuspend
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
LEAVES = {path.name: path.read_bytes() for path in sorted((HERE / "entries").glob("*.leaves"))}


def test_the_entries_are_made_as_they_were() -> None:
    """Same names, same bytes."""
    assert MAKER.entries() == FROZEN


def test_the_sums_are_those_of_the_files() -> None:
    """So a changed file is noticed even where the maker changed with it."""
    assert MAKER.SUMS.read_text("utf-8") == MAKER.sums(FROZEN)


def test_the_states_are_those_that_were_frozen() -> None:
    """Saved states are believed by their version: the same version and other states would be a state that is wrong."""
    before, now = MAKER.STATES.read_text("utf-8"), MAKER.states(FROZEN)
    assert not MAKER.is_other_meaning(before, now), MAKER.MEANING_CHANGED
    assert before == now, "the form of the state has changed: run tests/vectors/make_entries.py"


def test_a_change_of_meaning_is_told_from_one_of_form(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that does something else makes other states of the same version; a field more is another version."""
    before = MAKER.states(FROZEN)
    with monkeypatch.context() as patch:
        patch.setattr(MAKER, "SCHEMA_SHA256", "0" * 64)
        assert not MAKER.is_other_meaning(before, MAKER.states(FROZEN))

    def suspends_nothing(*_: object) -> tuple[()]:
        return ()

    monkeypatch.setattr(VoucherSuspend, "evolve", suspends_nothing)
    assert MAKER.is_other_meaning(before, MAKER.states(FROZEN))


def test_every_kind_is_there() -> None:
    """No event without a vector."""
    assert {Entry.from_bytes(data).event.kind for data in FROZEN.values()} == set(EVENT_KINDS.values()) - NEVER_RECORDED


def test_where_they_come_from_is_said_of_each() -> None:
    """Without a gap, and with the kinds that are there."""
    page = (HERE / "PROVENANCE_entries.md").read_text("utf-8")
    rows = re.findall(r"^\| (\d{3})–(\d{3}) \| [^|]+ \| ([^|]+) \|$", page, re.MULTILINE)
    names = [*FROZEN]
    said = [index for first, last, _ in rows for index in range(int(first), int(last) + 1)]
    assert said == [*range(len(names))]
    for first, last, kinds in rows:
        there = {name[4:].removesuffix(".txt") for name in names[int(first) : int(last) + 1]}
        assert kinds == ", ".join(f"`{kind}`" for kind in sorted(there))


@pytest.mark.parametrize("name", FROZEN)
def test_an_entry_is_read_and_written_the_same(name: str) -> None:
    """Both directions: what was read makes the same bytes again, from its parts."""
    data = FROZEN[name]
    entry = Entry.from_bytes(data)
    _, note = split_entry(data)
    assert f"{entry.event.index:03}-{entry.event.kind.removesuffix('/1')}.txt" == name
    assert Entry.of(entry.event, note) == entry
    assert entry.to_bytes() == data


def test_the_signatures_fit_the_keys_in_the_log() -> None:
    """By the keys that the entries themselves brought, in order."""
    state = State.empty("tallystick.example/national")
    for name, data in FROZEN.items():
        entry = Entry.from_bytes(data)
        evolve(state, entry.event)
        vkeys = [key.vkey for key in state.keys.values()] + [change.new_vkey for change in state.log_keys]
        keys = [VerifierKey.from_text(vkey) for vkey in vkeys]
        note, signers = open_note(split_entry(data)[1], keys)
        assert len(signers) == len(note.signatures), name
    assert state.size == len(FROZEN)


def test_the_leaves_are_made_as_they_were() -> None:
    """Under each seal."""
    assert MAKER.leaves(FROZEN) == LEAVES
    assert len(LEAVES) == 5


@pytest.mark.parametrize("name", LEAVES)
def test_a_seal_is_the_root_of_its_leaves(name: str) -> None:
    """By RFC 6962 in ten lines and nothing of the package's tree."""
    leaves = LEAVES[name].splitlines()
    sealed = Entry.from_bytes(FROZEN[name.replace(".leaves", ".txt")]).event.outcome
    assert sealed == Sealed(len(leaves), f"sha256:{_root(leaves).hex()}")


def _root(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    left = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\x01" + _root(leaves[:left]) + _root(leaves[left:])).digest()


ACME = [3, 7, 8, *range(18, 32), 36, 37, 40, 44, 45, 46]
ACME_LATER = [58, 59, 63, 64, 66, 67, 68, *range(77, 82), 84, 85, *range(87, 95), *range(96, 100), 104, 106, 108]
GUIAN = [2, 12, 13, 16, 17, 18, 19, *range(27, 36), 37, 38, 43, 45, 46]
GUIAN_LATER = [48, 49, 50, 52, 53, 55, 56, 60, 61, 69, 70, 71, 74, *range(83, 95), *range(96, 105), 108]
K1 = [18, *range(29, 37), 46]
SHANGHAI = [14, 15, 16, 17, *range(20, 31), *range(32, 41), 43, 44, 45, 46]
SHANGHAI_LATER = [48, *range(50, 54), 57, 58, 59, *range(63, 69), 73, 74, *range(77, 82), 83, *range(87, 95)]


@pytest.mark.parametrize(
    ("seal", "account", "indices"),
    [
        # the story's entries by their numbers, picked out by hand with the table of docs/rules.md
        (42, "voucher acme/V3", [23, 40]),
        (42, "voucher shanghai/V1", [20, 23, 27, 29, 30, 40]),
        (42, "voucher shanghai/V4", [22, 28, 29, 30, 37, 40]),
        (42, "contract guian/K2", [19]),
        (47, "voucher shanghai/V5", [44, 45, 46]),
        (47, "holder acme", ACME),
        (47, "holder bolt", [4, 5, 6, 23, 40]),
        (47, "provider guian", GUIAN),
        (47, "contract acme/K1", K1),
        (47, "treasury shanghai", SHANGHAI),
        (47, "programme shanghai/S2", [15, 17, 22, 28, 29, 30, 36, 37, 39, 40]),
        (109, "voucher registry/V9", [77, 90, 91, 97, 98, 99, 104, 108]),
        (109, "voucher shanghai/V8", [68, 87, 88, 89, 92, 93, 94, 96, 108]),
        (109, "voucher shanghai/V11", [106]),
        (109, "holder acme", [*ACME, *range(48, 54), *ACME_LATER]),
        (109, "provider guian", [*GUIAN, *GUIAN_LATER]),
        (109, "programme shanghai/S8", [65, 66, 67, 68, 83, 87, 88, 89, 92, 93, 94, 96, 108]),
        (109, "programme shanghai/S9", [73, 74, 77, 78, 79, 80, 81, 90, 91, *range(97, 105), 108]),
        (109, "programme shanghai/S10", [105, 106, 107]),
        (133, "contract acme/K1", [*K1, 48, 49, 50, 53, 126, 127, 130, 131, 132]),
        (133, "contract acme/K3", [84, 92, 93, 94, 96, 132]),
        (133, "contract acme/K5", [112, 114, 116, 117]),
        (133, "holder acme", [*ACME, *range(48, 54), *ACME_LATER, *range(112, 118), 130, 131, 132]),
        (133, "programme shanghai/S2", [15, 17, 22, 28, 29, 30, 36, 37, 39, 40, 131, 132]),
        (133, "provider guian", [*GUIAN, *GUIAN_LATER, 112, 114, 116, 117, *range(120, 131), 132]),
        (133, "provider wuhu", [118, 119]),
        (133, "treasury shanghai", [*SHANGHAI, *SHANGHAI_LATER, *range(96, 109), 111, 113, 115, *range(124, 133)]),
        (133, "voucher shanghai/V4", [22, 28, 29, 30, 37, 40, 132]),
    ],
)
def test_the_running_hash_is_over_the_entries_that_touched(seal: int, account: str, indices: list[int]) -> None:
    """Each makes it SHA-256(it || index in 8 bytes), from 32 zero bytes on."""
    running = bytes(32)
    for index in indices:
        running = hashlib.sha256(running + index.to_bytes(8, "big")).digest()
    lines = LEAVES[f"{seal:03}-book.sealed.leaves"].splitlines()
    leaves = {leaf["account"]: leaf for leaf in map(orjson.loads, lines)}
    assert (leaves[account]["entries"], leaves[account]["running_hash"]) == (len(indices), f"sha256:{running.hex()}")
