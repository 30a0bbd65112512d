"""What a seal commits to, at any point of random ledgers: touches of all history, leaves in order, sums that meet.

The oracle (naive_ledger.py) makes every root anew from the rules alone. Here are the laws that hold between the leaves,
and the forms that a state may take on the way: with touches folded often or never, saved and taken up again, and in
another process.
"""

import hashlib
import os
import random
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

import orjson
import pytest

from properties.test_views_rebuild import random_entries
from support.actors import ORIGIN
from support.scenario import Story, ledger_for, read_table
from tallystick.signing import canonical_json
from tallystick.transparency.merkle import RightEdge, leaf_hash, root_of
from tallystick.transparency.proofs import inclusion_proof, verify_inclusion
from tallystick.vouchers import seals
from tallystick.vouchers.accounts import account_balances, account_leaves
from tallystick.vouchers.book import dated_lot_of
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.evolve import evolve
from tallystick.vouchers.outcomes import Sealed
from tallystick.vouchers.rules.rule import touched
from tallystick.vouchers.state import State

Json = dict[str, Any]
VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "entries"
SEALED = """== a ledger with seals
guian     burn      K1 a 8x910b -20h..-10h | b 8x910b -10h..-9h ref=st-1              -> 240.00 | 24.00
registry  seal      2026-01 to 2026-01-31                                             -> sealed 21 accounts
guian     reverse   st-1 line 0                                                       -> reversed 240.00 to reservation
guian     burn      K1 a 8x910b -20h..-12h corrects=st-1:0                            -> 192.00
guian     burn      K3 c 8x910b -2h..-1h                                              -> 24.00
clock     +1d
acme      transfer  T1 of V2 1.00 to cato                                             -> transferred
registry  seal      2026-02 to 2026-02-01                                             -> sealed 22 accounts
guian     claim     C1 of S1 up to 2026-02-01     -> claimed 216.00 under K1
acme      claim     C1 of S3 up to 2026-02-01       -> claimed 24.00 under K3
shanghai  settle    guian/C1 216.00~yuan~under~K1     -> settled
shanghai  revoke    T1                                                                -> revoked 1.00
clock     +1d
registry  seal      2026-02b to 2026-02-02                                            -> sealed 22 accounts
"""
# Prints the SHA-256 of the state's bytes after the entries in these files.
REPLAY = """
import hashlib, sys
from pathlib import Path
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.evolve import evolve
from tallystick.vouchers.state import State
state = State.empty(sys.argv[1])
for name in sys.argv[2:]:
    evolve(state, Entry.from_bytes(Path(name).read_bytes()).event)
print(hashlib.sha256(state.to_bytes()).hexdigest())
"""


@cache
def sealed_entries() -> tuple[Entry, ...]:
    """The story above."""
    (story,) = read_table(SEALED)
    ledger = ledger_for(Story("standard", ()))
    ledger.play(story)
    return tuple(ledger.entries)


def histories() -> list[tuple[Entry, ...]]:
    """That story, and some of a random walk."""
    return [sealed_entries(), *(tuple(random_entries(seed)[0]) for seed in range(3))]


HISTORIES = histories()
each_history = pytest.mark.parametrize("entries", HISTORIES, ids=["story", "walk 0", "walk 1", "walk 2"])


def places(entries: Sequence[Entry]) -> set[int]:
    """Sizes at which a seal is looked at: before each that there is, at both ends, and here and there."""
    found = {entry.event.index for entry in entries if isinstance(entry.event.outcome, Sealed)}
    return found | {0, 1, len(entries)} | set(random.Random(1).sample(range(len(entries)), 8))


def leaves_of(state: State) -> dict[str, Json]:
    """Every account's leaf, read."""
    return {account: orjson.loads(leaf) for account, leaf in account_leaves(state)}


@each_history
@pytest.mark.parametrize("pending_max", [1, 3, 512])
def test_the_running_hash_is_over_every_entry_that_touched(entries: Sequence[Entry], pending_max: int) -> None:
    """Counted anew from the whole history; how often touches are folded on the way doesn't show."""
    state, touching, checked = State.empty(ORIGIN), defaultdict[str, list[int]](list), places(entries)
    with patch.object(seals, "PENDING_MAX", pending_max):
        for size, entry in enumerate([*entries, None]):
            if size in checked:
                for account, leaf in leaves_of(state).items():
                    running = bytes(32)
                    for index in touching[account]:
                        running = hashlib.sha256(running + index.to_bytes(8, "big")).digest()
                    assert (leaf["entries"], leaf["running_hash"]) == (
                        len(touching[account]),
                        f"sha256:{running.hex()}",
                    )
            if entry is not None:
                evolve(state, entry.event)
                for account in touched(state, entry.event):
                    touching[account].append(size)
    assert max(len(touches.pending) for touches in state.touches.values()) < pending_max


@each_history
def test_every_account_was_touched_and_nothing_else_is_an_account(entries: Sequence[Entry]) -> None:
    """An account begins with the entry that makes it."""
    state = State.empty(ORIGIN)
    for entry in entries:
        before = {account for account, _ in account_leaves(state)}
        evolve(state, entry.event)
        new = {account for account, _ in account_leaves(state)} - before
        assert new <= touched(state, entry.event)
    assert set(state.touches) == account_balances(state).keys()


@each_history
def test_leaves_are_in_order_and_canonical(entries: Sequence[Entry]) -> None:
    """By the bytes of the accounts' names, each once; a leaf is its own only encoding and names its account."""
    checked, state = places(entries), State.empty(ORIGIN)
    for size, entry in enumerate([*entries, None]):
        if size in checked:
            leaves = [*account_leaves(state)]
            assert all(one.encode() < other.encode() for (one, _), (other, _) in pairwise(leaves))
            for account, leaf in leaves:
                read = canonical_json.decode(leaf)
                assert isinstance(read, dict)
                assert canonical_json.encode(read) == leaf
                assert list(read) == ["account", "balances", "entries", "running_hash"]
                assert read["account"] == account
        if entry is not None:
            evolve(state, entry.event)


@each_history
def test_the_leaves_add_up(entries: Sequence[Entry]) -> None:
    """Vouchers to their holders and programmes, payees to programmes, programmes to their envelopes."""
    checked, state = places(entries), State.empty(ORIGIN)
    for size, entry in enumerate([*entries, None]):
        if size in checked:
            check_sums(state)
        if entry is not None:
            evolve(state, entry.event, is_part=True)  # else what has left isn't there to be added up


BURNED = ("burned_fen", "withheld_fen", "claimed_fen", "paid_fen", "receivable_fen")
"""Where what was burned under a programme is, if it hasn't gone back."""


def gone(state: State, programme: str) -> Iterator[int]:
    """What went back to a programme of what was burned: received, set off, disallowed, or past its cut-off."""
    for account_id, amount_fen in state.book.balances["received"].items():
        if state.demands[account_id].programme == programme:
            yield amount_fen
    for account_id, amount_fen in state.book.balances["forfeited"].items():
        if state.vouchers[account_id.partition(" ")[0]].programme == programme:
            yield amount_fen


def check_sums(state: State) -> None:
    """Each sum by two ways."""
    balances: dict[str, Counter[str]] = {
        account: Counter(amounts) for account, amounts in account_balances(state).items()
    }
    assert all(amount_fen >= 0 for book in balances.values() for amount_fen in book.values())
    by_holder, by_programme = defaultdict[str, Counter[str]](Counter), defaultdict[str, Counter[str]](Counter)
    for name, voucher in state.vouchers.items():
        book = balances[f"voucher {name}"]
        assert book["face_fen"] == voucher.face_fen
        assert book.total() == 2 * voucher.face_fen
        for sums in (by_holder[voucher.holder], by_programme[voucher.programme]):
            sums.update({account: book[account] for account in ("available_fen", "reserved_fen", "burned_fen")})
    of_programmes, of_payees = Counter[str](), Counter[str]()
    for name in state.programmes:
        book = balances[f"programme {name}"]
        assert book.total() == 2 * book["envelope_fen"]
        assert book["available_fen"] == by_programme[name]["available_fen"]
        assert book["reserved_fen"] == by_programme[name]["reserved_fen"]
        assert sum(book[one] for one in BURNED) + sum(gone(state, name)) == by_programme[name]["burned_fen"]
        of_programmes.update({account: book[account] for account in BURNED})
    for name, party in state.parties.items():
        if party.role in ("holder", "provider"):
            book = balances[f"{party.role} {name}"]
            of_payees.update({account: book[account] for account in ("unclaimed_fen", *BURNED[1:])})
            for account in ("available_fen", "reserved_fen", "burned_fen"):
                assert book[account] == by_holder[name][account]
    of_payees["paid_fen"] += sum(one.carried_over_fen or 0 for one in state.vouchers.values())  # to whom, no entry says
    of_payees["burned_fen"] = of_payees.pop("unclaimed_fen", 0) + sum(either_may_claim(state))
    assert +of_payees == +of_programmes


def either_may_claim(state: State) -> Iterator[int]:
    """What is burned under contracts of which either side may claim, and none did."""
    for burned_id, amount_fen in state.book.balances["burned"].items():
        lot = dated_lot_of(burned_id)
        if state.claimant(state.vouchers[lot.voucher].programme, lot.contract) is None:
            yield amount_fen


@each_history
def test_every_leaf_is_proved_under_the_root(entries: Sequence[Entry]) -> None:
    """The root of each seal there is; and at other places the one that a seal would have."""
    checked, state = places(entries), State.empty(ORIGIN)
    for size, entry in enumerate([*entries, None]):
        if size in checked:
            hashes = [leaf_hash(leaf) for _, leaf in account_leaves(state)]
            root = root_of(hashes)
            if entry is not None and isinstance(entry.event.outcome, Sealed):
                assert entry.event.outcome == Sealed(len(hashes), f"sha256:{root.hex()}")
            nodes = {(node.level, node.position): node.hash for node in RightEdge().extend(hashes)}

            def read_tile(level: int, n: int, width: int, nodes: dict[tuple[int, int], bytes] = nodes) -> bytes:
                return b"".join(nodes[level, n * 256 + place] for place in range(width))

            for position, leaf in enumerate(hashes):
                proof = inclusion_proof(position, len(hashes), read_tile)
                verify_inclusion(position, len(hashes), leaf, proof, root)
        if entry is not None:
            evolve(state, entry.event)


@each_history
def test_a_state_with_seals_is_saved_and_goes_on_the_same(entries: Sequence[Entry]) -> None:
    """Taken up from its bytes at each of these places: the same bytes in the end."""
    checked, kept, read = places(entries), State.empty(ORIGIN), State.empty(ORIGIN)
    for size, entry in enumerate(entries):
        if size in checked:
            data = read.to_bytes()
            read = State.from_bytes(data)
            assert read.to_bytes() == data
            assert [*account_leaves(read)] == [*account_leaves(kept)]
        evolve(kept, entry.event)
        evolve(read, entry.event)
    assert read == kept
    assert read.to_bytes() == kept.to_bytes()


def test_the_story_has_seals_in_its_state() -> None:
    """With what they sealed."""
    state = State.empty(ORIGIN)
    for entry in sealed_entries():
        evolve(state, entry.event)
    assert [(name, seal.accounts) for name, seal in State.from_bytes(state.to_bytes()).seals.items()] == [
        ("registry/2026-01", 21),
        ("registry/2026-02", 22),
        ("registry/2026-02b", 22),
    ]


def test_equal_histories_give_equal_bytes_in_every_process() -> None:
    """The order in which a set gives its members hangs on the process's hash seed, and must not get into a state."""
    names = [str(path) for path in sorted(VECTORS.glob("*.txt"))]
    assert [Path(name).name[:3] for name in names] == [f"{number:03}" for number in range(len(names))]
    assert len(names) > 100
    seen = set()
    for hash_seed in range(4):
        run = subprocess.run(
            [sys.executable, "-c", REPLAY, ORIGIN, *names],
            env=os.environ | {"PYTHONHASHSEED": str(hash_seed), "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        )
        seen.add(run.stdout)
    state = State.empty(ORIGIN)
    for name in names:
        evolve(state, Entry.from_bytes(Path(name).read_bytes()).event)
    assert seen == {hashlib.sha256(state.to_bytes()).hexdigest() + "\n"}
