"""What must hold after every step, checked against everything that was ever seen, with hashing of its own.

the log             only grows; every entry, hash, checkpoint and reference is there, and nothing else
the tree            every signed checkpoint ever seen has the root that the entries of its size hash to
conservation        every programme's book adds up to its envelope and is the model's, to the fen
snapshot and tail   loaded as a writer loads it, the state is the one replayed from entry 0
writers, standbys   what they hold in memory is what the log says, once they believe it
given receipts      every receipt given still verifies, and its checkpoint is consistent with the newest
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from properties.naive_ledger import NaiveLedger
from properties.test_against_naive_ledger import Pair
from simulation.connection import Connection, quiet
from simulation.disk import Disk
from simulation.judge import BrokenError, require
from simulation.notes import LOG_KEY
from tallystick.errors import TallystickError
from tallystick.ledger.sidecar import SNAPSHOT
from tallystick.ledger.store import tile_reader
from tallystick.ledger.submit import Ledger
from tallystick.ledger.tail import Tail, load_tail
from tallystick.transparency.checkpoint import Checkpoint, open_checkpoint
from tallystick.transparency.policy import Policy
from tallystick.transparency.proofs import consistency_proof, verify_consistency
from tallystick.transparency.receipt import Receipt, verify_receipt
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.evolve import evolve

POLICY = Policy.for_log(LOG_KEY.verifier)
WIDTH = 256
RECEIPTS_LOOKED_AT = 1
SIZES_BETWEEN_LOADINGS = 6


@dataclass(frozen=True, slots=True)
class GivenReceipt:
    """A receipt that somebody has, and the checkpoint in it."""

    data: bytes
    entry: bytes
    checkpoint: Checkpoint


class Roots:
    """The root of a growing tree at every size, by RFC 6962 and nothing of the package's."""

    def __init__(self) -> None:
        self.leaves: list[bytes] = []
        self._perfect: list[tuple[int, bytes]] = []  # (leaves, root) of the perfect subtrees, the largest first
        self._roots = [hashlib.sha256().digest()]

    def grow(self, entry: bytes) -> None:
        """Grow by one leaf."""
        leaf = hashlib.sha256(b"\x00" + entry).digest()
        self.leaves.append(leaf)
        count, node = 1, leaf
        while self._perfect and self._perfect[-1][0] == count:
            node = hashlib.sha256(b"\x01" + self._perfect.pop()[1] + node).digest()
            count *= 2
        self._perfect.append((count, node))
        root = node
        for _, left in reversed(self._perfect[:-1]):
            root = hashlib.sha256(b"\x01" + left + root).digest()
        self._roots.append(root)

    def at(self, size: int) -> bytes:
        """The root at a size."""
        return self._roots[size]

    def over(self, start: int, stop: int) -> bytes:
        """The root over as many neighbouring leaves as a power of two."""
        row = self.leaves[start:stop]
        while len(row) > 1:
            row = [hashlib.sha256(b"\x01" + row[n] + row[n + 1]).digest() for n in range(0, len(row), 2)]
        return row[0]


class Watch:
    """Everything that was seen so far, and the checks."""

    def __init__(self, disk: Disk, model: NaiveLedger, chance: Random) -> None:
        self._disk = disk
        self._store: Connection = quiet(disk)
        self._chance = chance
        self._model = model
        self.given_receipts: list[GivenReceipt] = []
        self._begin()

    def _begin(self) -> None:
        self._pair = Pair()
        self._pair.oracle = self._model
        self._entries: list[bytes] = []
        self._checkpoints: list[bytes] = []
        self._roots = Roots()
        self._loaded_snapshot: bytes | None = None
        self._loaded_size = 0

    def forget(self, size: int) -> None:
        """A failover lost what is beyond a size: none of it was promised, the rest is as it was, and is seen anew."""
        known = self._entries[:size]
        kept = [self._disk.image.entries.get(index) for index in range(len(known))]
        require(kept == known, "a failover lost more than what was not sure")
        broken = [given for given in self.given_receipts if given.checkpoint.size > size]
        require(not broken, f"a receipt was given, and its checkpoint is lost: {size} entries are left")
        if size < len(self._entries):
            self._begin()

    def check(self) -> None:
        """Check all of it, as far as it changed."""
        new = self._check_entries()
        self._check_checkpoints()
        if new:
            self._check_counts()
            self._pair.check_balances()
            self._check_conservation()
        self._check_loading()
        self._check_given_receipts(RECEIPTS_LOOKED_AT)

    # -- the log ------------------------------------------------------------------------------------------------------

    def _check_entries(self) -> int:
        """Nothing that was there has changed; take in what is new, and return how many."""
        image, size = self._disk.image, self._disk.image.size()
        kept = [image.entries.get(index) for index in range(len(self._entries))]
        require(kept == self._entries, "an entry that was there is gone, or another")
        new = size - len(self._entries)
        for index in range(len(self._entries), size):
            data = image.entries[index]
            require(data is not None, f"entry {index} is missing")
            self._entries.append(data)
            self._roots.grow(data)
            require(image.tree.get((0, index)) == self._roots.leaves[index], f"the leaf hash of entry {index} is wrong")
            if (index + 1) % WIDTH == 0:
                position = index // WIDTH
                root = self._roots.over(position * WIDTH, index + 1)
                require(image.tree.get((1, position)) == root, f"the hash of tile {position} is wrong or missing")
            entry = Entry.from_bytes(data)
            evolve(self._pair.state, entry.event)
            self._pair.entries.append(entry)
            key = entry.event.command.party, entry.event.command.ref
            require(image.references.get(key) == index, f"the reference of entry {index} is not kept")
        return new

    def _check_counts(self) -> None:
        """There is nothing that belongs to no entry."""
        image, size = self._disk.image, len(self._entries)
        require(len(image.entries) == size, "there are entries beyond the log")
        require(len(image.tree) == size + size // WIDTH, "there are hashes beyond the tree")
        require(len(image.references) == size, "there are references to no entry")
        newest = image.newest_checkpoint()
        require(newest is not None and newest.size == size, "the newest checkpoint is not of the whole log")

    def _check_checkpoints(self) -> None:
        """No checkpoint without its tiles; old checkpoints stay, and are consistent with new ones."""
        rows = list(self._disk.image.checkpoints.values())
        require([row.note for row in rows[: len(self._checkpoints)]] == self._checkpoints, "a checkpoint has changed")
        for row in rows[len(self._checkpoints) :]:
            require(row.number == len(self._checkpoints), f"checkpoint {row.number} leaves a gap")
            checkpoint = self.check_seen(row.note)
            require(checkpoint.size == row.size, f"checkpoint {row.number} is of another size than its row says")
            require(not self._checkpoints or row.size > rows[row.number - 1].size, "a checkpoint adds nothing")
            self._checkpoints.append(row.note)
            if row.number:
                self._check_consistency(rows[self._chance.randrange(row.number)].size, row.size)

    def check_seen(self, note: bytes) -> Checkpoint:
        """A signed checkpoint that anybody has seen is of this log's one history."""
        checkpoint = open_checkpoint(note, LOG_KEY.verifier)
        self._check_history(checkpoint)
        return checkpoint

    def _check_history(self, checkpoint: Checkpoint) -> None:
        require(checkpoint.size <= len(self._entries), f"a checkpoint counts {checkpoint.size}, beyond the log")
        root = self._roots.at(checkpoint.size)
        require(checkpoint.root == root, f"the checkpoint of {checkpoint.size} entries is of another history")

    def _check_consistency(self, old_size: int, new_size: int) -> None:
        proof = consistency_proof(old_size, new_size, tile_reader(self._store))
        verify_consistency(old_size, new_size, proof, self._roots.at(old_size), self._roots.at(new_size))

    # -- the state ----------------------------------------------------------------------------------------------------

    def _check_conservation(self) -> None:
        """Every envelope is whole, and nothing in it is negative."""
        state = self._pair.state
        for name, programme in state.programmes.items():
            totals = state.book.totals[name]
            whole = sum(totals.values()) == programme.envelope_fen
            require(whole and min(totals.values()) >= 0, f"the book of {name} is {totals}")

    def _check_loading(self) -> None:
        """What a writer would load, snapshot and all, is what a replay from entry 0 comes to."""
        size, snapshot = self._disk.image.size(), self._disk.image.sidecar.get(SNAPSHOT)
        if snapshot is self._loaded_snapshot and size < self._loaded_size + SIZES_BETWEEN_LOADINGS:
            return
        self._loaded_size, self._loaded_snapshot = size, snapshot
        try:
            self.check_tail(load_tail(self._store, [LOG_KEY.verifier]), "who opens it now")
        except TallystickError as error:
            raise BrokenError(f"the log can't be opened: {error}") from error

    def check_tail(self, tail: Tail, who: str) -> None:
        """Somebody's memory of the log, as of its newest entry, is right."""
        require(tail.state.to_bytes() == self._pair.state.to_bytes(), f"{who} has another state than a full replay")
        require(tail.edge.root() == self._roots.at(len(self._entries)), f"{who} has another tree")
        require(tail.checkpoint == self._disk.image.newest_checkpoint(), f"{who} has another newest checkpoint")

    def check_writer(self, ledger: Ledger, who: str) -> None:
        """The writer that has the lock has the log in mind, unless it knows that it must look again."""
        if ledger._tail_is_good and not ledger._is_fenced:
            self.check_tail(ledger._tail, who)

    def check_books(self) -> None:
        """A seal made now would say the same by the package and by the model."""
        self._pair.check_books()

    # -- given receipts -----------------------------------------------------------------------------------------------

    def give_receipt(self, receipt: Receipt, entry: bytes) -> None:
        """A receipt was given: it verifies as it is, and is kept to be verified later."""
        data = receipt.to_bytes()
        checkpoint = verify_receipt(Receipt.from_bytes(data), entry, POLICY)
        self.given_receipts.append(GivenReceipt(data, entry, checkpoint))

    def _check_given_receipts(self, number: int | None) -> None:
        """Verify some receipts again, or all, and that the log still goes on from their checkpoints."""
        if number is None:
            chosen: Sequence[GivenReceipt] = self.given_receipts
        else:
            chosen = [self._chance.choice(self.given_receipts) for _ in range(min(number, len(self.given_receipts)))]
        for given in chosen:
            receipt = Receipt.from_bytes(given.data)
            checkpoint = verify_receipt(receipt, given.entry, POLICY)
            require(self._entries[receipt.index] == given.entry, f"entry {receipt.index} isn't what a receipt says")
            self._check_history(checkpoint)
            self._check_consistency(checkpoint.size, len(self._entries))

    def check_everything(self) -> None:
        """At the end: all of it, and every receipt that was given."""
        self._loaded_size = -SIZES_BETWEEN_LOADINGS
        self.check()
        self._check_given_receipts(None)
        self._pair.check_replay()
        self.check_books()
