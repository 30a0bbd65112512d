"""Whatever the log's key signed before must hold in the log as it is now, or this is not the log that signed it.

A prior checkpoint is from a receipt that was given, or from beside the log. The tree is rebuilt, and at the size of
the prior checkpoint its root must be the same. If it isn't, that alone doesn't say that the log was forked: bytes may
have rotted. What the log commits to now is its newest checkpoint, so it decides:

    the log is shorter than the prior one                             contradicted
    the rebuilt tree has the newest checkpoint's root                 what it says of the prior one is what the log
                                                                      says: contradicted
    it hasn't, or wasn't rebuilt from the beginning, and the stored   from the prior one: it holds, and the damage is
    hashes prove that the newest tree begins with a tree of that      found elsewhere
    size                                                              from another root: contradicted
    they prove neither                                                the stored hashes are damaged

So a log is never called forked because it rotted, and no prior checkpoint is passed over in silence.
A receipt's entry needs no look of its own, since its proof ties it to the checkpoint; it is compared to name it.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tallystick.audit.evidence import Evidence
from tallystick.audit.joining import tile_reader
from tallystick.errors import ProofInvalidError, TileMalformedError
from tallystick.findings import FindingCode, Findings
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.transparency.merkle import EMPTY_ROOT, ReadTile, RightEdge
from tallystick.transparency.proofs import consistency_proof, verify_consistency


@dataclass(frozen=True, slots=True)
class PriorCheckpoint:
    """What the log signed once.

    Attributes:
        name: which file says so.
        code: the finding if it doesn't hold.
        checkpoint: a tree that the log began with.
        index: of the entry that it is about, if it is about one.
        leaf: the hash of that entry (32 bytes).
    """

    name: str
    code: FindingCode
    checkpoint: Checkpoint
    index: int | None = None
    leaf: bytes | None = None


class PriorCheckpoints:
    """The prior checkpoints, held against a tree that grows from `start` leaves on."""

    def __init__(self, priors: Iterable[PriorCheckpoint], start: int) -> None:
        ordered = sorted(priors, key=lambda prior: prior.checkpoint.size)
        self._due = deque([prior for prior in ordered if prior.checkpoint.size >= start])
        self._doubtful = [prior for prior in ordered if prior.checkpoint.size < start]
        self._start = start
        with_entry = [(prior.index, prior) for prior in ordered if prior.index is not None]
        with_entry.sort(key=lambda pair: pair[0])
        self._indexes = [index for index, _ in with_entry]
        self._by_index = [prior for _, prior in with_entry]
        self._other_entry: set[PriorCheckpoint] = set()

    @property
    def is_borne_out(self) -> bool:
        """Whether all that was compared so far holds."""
        return not self._doubtful and not self._other_entry

    def next_size(self) -> int | None:
        """Return the size of the next prior checkpoint that is due."""
        return self._due[0].checkpoint.size if self._due else None

    def compare(self, root: bytes | None) -> None:
        """Compare the prior checkpoint that is due with the root at its size; None if that isn't known."""
        prior = self._due.popleft()
        if prior.checkpoint.root != root:
            self._doubtful.append(prior)

    def look_at(self, first: int, leaves: Sequence[bytes | None]) -> None:
        """Compare the entries that prior checkpoints are about with those that lie there, by their hashes."""
        place = bisect_left(self._indexes, first)
        while place < len(self._indexes) and (offset := self._indexes[place] - first) < len(leaves):
            prior = self._by_index[place]
            if leaves[offset] is not None and leaves[offset] != prior.leaf:
                self._other_entry.add(prior)
            place += 1

    def finish(
        self, size: int, newest: Checkpoint | None, is_rebuilt: bool, evidence: Evidence, findings: Findings
    ) -> None:
        """Note which prior checkpoints don't hold.

        Args:
            size: how many entries the log has.
            newest: its newest checkpoint, if there is one.
            is_rebuilt: whether the rebuilt tree is that checkpoint's, or, if there is none, could be rebuilt.
            evidence: where the stored hashes are.
            findings: what is wrong goes there.
        """
        for prior in self._due:
            if is_rebuilt and prior in self._other_entry:
                findings.add(prior.code, *self._forked(prior))
                continue
            gone = prior.index if prior.index is not None and prior.index >= size else None
            detail = f"{_had(prior)}, and now it has {size}: it was cut back, or is an older copy"
            findings.add(prior.code, gone, detail)
        read_tile = tile_reader(newest.size, evidence) if newest is not None else None
        for prior in self._doubtful:
            if is_rebuilt and prior.checkpoint.size >= self._start:
                findings.add(prior.code, *self._forked(prior))
            elif newest is not None and read_tile is not None:
                self._ask_hashes(prior, newest, read_tile, evidence, findings)

    def _ask_hashes(
        self, prior: PriorCheckpoint, newest: Checkpoint, read_tile: ReadTile, evidence: Evidence, findings: Findings
    ) -> None:
        """Find out from the stored hashes what the newest checkpoint says of a prior one."""
        told = prior.checkpoint
        if told.size == 0:
            if told.root != EMPTY_ROOT:
                findings.add(prior.code, *self._forked(prior))
            return
        try:
            proof = consistency_proof(told.size, newest.size, read_tile)
            if _is_proved(told.size, told.root, newest, proof):
                return
            root = RightEdge.from_tiles(told.size, read_tile).root()
            verify_consistency(told.size, newest.size, proof, root, newest.root)
        except (TileMalformedError, ProofInvalidError) as error:
            detail = f"{prior.name}: no way from its {told.size} to {newest.size} entries: {error}"
            findings.add(evidence.hash_code, None, detail)
        else:
            findings.add(prior.code, *self._forked(prior))

    def _forked(self, prior: PriorCheckpoint) -> tuple[int | None, str]:
        """Return the entry that is another one now, and what to say."""
        what = "the log was forked, or is an older copy that was written to"
        if prior in self._other_entry:
            return prior.index, f"{prior.name}: entry {prior.index} is another one now: {what}"
        return None, f"{_had(prior)} with root {prior.checkpoint.root.hex()}, now these have another: {what}"


def _had(prior: PriorCheckpoint) -> str:
    return f"{prior.name}: when the log signed it, it had {prior.checkpoint.size} entries"


def _is_proved(size: int, root: bytes, newest: Checkpoint, proof: Sequence[bytes]) -> bool:
    try:
        verify_consistency(size, newest.size, proof, root, newest.root)
    except ProofInvalidError:
        return False
    return True
