"""Logs that are pushed, and mirrors on loopback that they are pushed to."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from support.stored_tree import StoredTree
from support.witnesses import CLOCK_S, LOG_KEY, ORIGIN
from tallystick import keyfiles
from tallystick.mirror.mirror import KEY, Mirror, create_mirror, open_mirror
from tallystick.mirror.packages import AddEntries, Interval, Package, intervals
from tallystick.mirror.server import mirror_server
from tallystick.serving.bounds import Bounds
from tallystick.serving.server import Place, in_thread
from tallystick.signing.keys import SigningKey
from tallystick.transparency.checkpoint import Checkpoint, sign_checkpoint
from tallystick.transparency.merkle import EMPTY_ROOT, RightEdge, leaf_hash
from tallystick.transparency.policy import LogLine, Policy, QuorumLine, WitnessLine
from tallystick.transparency.proofs import consistency_proof, subtree_proof
from tallystick.witness.asking import OldTree, SignedCheckpoint
from tallystick.witness.request import AddCheckpoint

MIRROR_NAME = "mirror.example/m1"


class EntryLog:
    """A log with entries; those from `forked_at` on are others than those of its namesakes."""

    def __init__(self, size: int, *, forked_at: int | None = None) -> None:
        marks = [b"x" if forked_at is not None and index >= forked_at else b"" for index in range(size)]
        self.all = [b"entry %d%s" % (index, mark) for index, mark in enumerate(marks)]
        self.tree = StoredTree()
        self.roots = [EMPTY_ROOT]
        for entry in self.all:
            self.tree.extend([leaf_hash(entry)])
            self.roots.append(self.tree.edge.root())

    def entries(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """Yield entries, as a reader does."""
        yield from self.all[start:stop]

    def read_tile(self, level: int, n: int, width: int) -> bytes:
        """Return a tile, as a reader does."""
        return self.tree.read_tile(level, n, width)

    def note(self, size: int) -> bytes:
        """Return the signed checkpoint of a size."""
        return sign_checkpoint(Checkpoint(ORIGIN, size, self.roots[size]), LOG_KEY)

    def signed(self, size: int) -> SignedCheckpoint:
        """Return the same as a log has it."""
        return SignedCheckpoint(Checkpoint(ORIGIN, size, self.roots[size]), self.note(size))

    def prove(self, size: int) -> "Prover":
        """Return what proves that the tree of a size grew."""
        return Prover(self, size)

    def pending(self, old_size: int, size: int) -> bytes:
        """Return the body that makes a checkpoint pending."""
        proof = tuple(consistency_proof(old_size, size, self.read_tile)) if 0 < old_size < size else ()
        return AddCheckpoint(old_size, proof, self.note(size)).to_bytes()

    def package(self, interval: Interval, size: int) -> Package:
        """Return a package with its proof."""
        proof = subtree_proof(interval.aligned, interval.stop, size, self.read_tile)
        return Package(tuple(self.all[interval.first : interval.stop]), tuple(proof))

    def upload(self, start: int, end: int, *, packages: int | None = None, ticket: bytes = b"") -> bytes:
        """Return the body that uploads entries, or the first few packages of them."""
        parts = [self.package(interval, end).to_bytes() for interval in list(intervals(start, end))[:packages]]
        return AddEntries(ORIGIN, start, end, ticket).to_bytes() + b"".join(parts)


class Prover:
    """Proves growth to one size."""

    def __init__(self, log: EntryLog, size: int) -> None:
        self._log = log
        self._size = size

    def __call__(self, old_size: int) -> OldTree:
        edge = RightEdge.from_tiles(old_size, self._log.read_tile)
        return OldTree(edge.root(), tuple(consistency_proof(old_size, self._size, self._log.read_tile)))


def make_mirror(folder: Path) -> SigningKey:
    """Make a mirror that knows the log, and return its key."""
    create_mirror(folder, MIRROR_NAME, [LOG_KEY.verifier], None, unencrypted=True)
    return keyfiles.load(folder / KEY, None)


def reopened(folder: Path, at_posix_s: int = CLOCK_S) -> Mirror:
    """Open the mirror of a folder, as a process would that has just started."""
    return open_mirror(folder, keyfiles.load(folder / KEY, None), lambda: at_posix_s)


def policy_with(mirror: SigningKey) -> Policy:
    """Return a trust policy that names the log and the mirror."""
    return Policy((LogLine(LOG_KEY.verifier), WitnessLine("m1", mirror.verifier), QuorumLine("m1")))


@contextlib.contextmanager
def serving(mirror: Mirror, log: list[str] | None = None, *, bounds: Bounds | None = None) -> Iterator[str]:
    """Serve a mirror on loopback until the block ends, and give its URL."""
    lines: list[str] = [] if log is None else log
    with in_thread(mirror_server(mirror, Place(), lines.append, bounds=bounds)) as server:
        yield server.url
