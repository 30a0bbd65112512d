"""An audit goes through entries in order: each is decided anew, the tree grows, and what was said of it is compared.

    evidence ─► (1) open the note, (2) read the command ─► (3) decide anew, (4) compare the bytes; books, totals
        │            └─ signatures ─► processes ─────────────┘
        ├─► (5) what the store files each entry under          filing.py
        ├─► (6) leaf hashes ─► tree ─► every stored hash       tree.py
        ├─► (7) every root that the log signed                 series.py, prior_checkpoints.py
        └─► the states that lie beside an export               stored_states.py

Entries go through in batches, a few of them in flight, so memory follows the state and not the length of the log.
Signatures are verified ahead, by keys that the log is known to have; what isn't known yet is verified when it is
decided. What begins a walk and what is only known at its end is for the audit (auditing.py).
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, takewhile
from typing import Final

from tallystick.audit.evidence import Evidence, StoredRun
from tallystick.audit.filing import check_filing
from tallystick.audit.prior_checkpoints import PriorCheckpoints
from tallystick.audit.replay import Described, Replay, read_entry
from tallystick.audit.series import CheckpointSeries, ListedCheckpoint
from tallystick.audit.stored_states import StoredStates
from tallystick.audit.tree import TreeRebuild
from tallystick.findings import FindingCode, Findings
from tallystick.progress import Progress
from tallystick.signing.keys import VerifierKey
from tallystick.signing.note import Signature
from tallystick.transparency.encoding import HASH_SIZE
from tallystick.transparency.merkle import ReadTile
from tallystick.verifying import GOOD, UNTOLD, Pending, SignatureJob, VerificationPool, is_good
from tallystick.vouchers.admit import SignedCommand
from tallystick.vouchers.refusals import Refusal
from tallystick.vouchers.saved_state import StateHeader

BATCH_BYTES_MAX: Final = 2**19

_GAP_MAX: Final = 2**16
"""Of a longer gap the stored hashes aren't even looked for."""


@dataclass(slots=True)
class _Batch:
    """A run of entries on its way.

    Attributes:
        run: as stored; an empty one at the end, if the last entries are missing.
        signed: what reading each came to; None where there are no bytes.
        owners: for each signature given away, the command that it is of, and public key and signature joined.
        checkpoints: those of the series up to the end of the run.
        pending: the leaf hashes and what is found of the signatures, when it is asked for.
    """

    run: StoredRun
    signed: list[SignedCommand | Refusal | None]
    owners: list[tuple[SignedCommand, bytes]]
    checkpoints: list[ListedCheckpoint]
    pending: Pending


@dataclass(slots=True)
class Held:
    """What a walk holds entries and tree against, as it comes by.

    Attributes:
        series: the checkpoints that the log's store numbers.
        priors: those that the log signed before.
        states: those that lie beside it.
    """

    series: CheckpointSeries
    priors: PriorCheckpoints
    states: StoredStates


class Walk:
    """The way through the entries of an evidence, from one on to the end, or to a state that is as it should be.

    Attributes:
        replay: the state, as the rules give it.
        tree: of the entries so far.
        placed: after how many places it is.
        entries: how many entries were there.
    """

    def __init__(
        self,
        evidence: Evidence,
        findings: Findings,
        replay: Replay,
        held: Held,
        size: int | None = None,
        progress: Progress | None = None,
    ) -> None:
        """Stand before the first entry.

        Args:
            evidence: begins there.
            findings: what is wrong goes there.
            replay: decides.
            held: what is compared on the way.
            size: how many there are, if the checkpoint says so.
            progress: told after each batch.
        """
        self.replay = replay
        self.tree = TreeRebuild(evidence, findings)
        self.placed = self.entries = 0
        self._evidence = evidence
        self._findings = findings
        self._series, self._prior_checkpoints, self._states = held.series, held.priors, held.states
        self._size = size
        self._progress = progress
        self._keys: dict[tuple[str, bytes], tuple[str, bytes]] = {}

    def resume(self, size: int, read_tile: ReadTile) -> None:
        """Stand before the entry that comes after the first `size`, whose tiles were confirmed by their root."""
        self.tree.resume(size, read_tile)
        self.placed = self.entries = size

    def to_end(self, pool: VerificationPool) -> None:
        """Go through all entries that are there."""
        for _ in self._steps(pool):
            pass
        if self._size is not None and self.placed < self._size:
            self._finish(self._begin(StoredRun(self._size, [], None), pool))

    def to_next_state(self, pool: VerificationPool) -> StateHeader | None:
        """Go on until a state that lies there is the one that the entries come to, and return its header.

        None: there is none any more, or something else was found.
        """
        for arrived in self._steps(pool):
            if arrived is not None or self._states.next_size() is None or not self.is_sound:
                return arrived
        return None

    @property
    def is_sound(self) -> bool:
        """Whether nothing was found so far but states that lie, so that what comes next can be told without it."""
        is_held = self._findings.are_only(FindingCode.STATE_DIFFERS) and self._prior_checkpoints.is_borne_out
        return is_held and self.replay.is_running and self.tree.is_whole

    def _steps(self, pool: VerificationPool) -> Iterator[StateHeader | None]:
        """Go through the entries, and yield after each batch the header of a state that was due and is the same."""
        waiting: deque[_Batch] = deque()
        start = self.placed
        if start:  # the checkpoint of the old tree is where the series is taken up
            self._finish(self._begin(StoredRun(start, [], None), pool))
        runs = self._evidence.entries(self.replay.state.origin, self._size)
        for run in chain(_in_pieces(runs, self._states.due()), (None,)):
            if run is not None:
                waiting.append(self._begin(run, pool))
            # The first batch mostly brings the keys by which the others are verified ahead: it is finished first.
            while waiting and (run is None or len(waiting) >= pool.capacity or self.placed == 0):
                yield self._finish(waiting.popleft())

    def _begin(self, run: StoredRun, pool: VerificationPool) -> _Batch:
        """Read a run and give away its arithmetic: leaf hashes, and signatures by keys that are known."""
        checkpoints = self._series.up_to(run.first + len(run.data))
        readings: list[SignedCommand | Refusal | None] = []
        owners: list[tuple[SignedCommand, bytes]] = []
        blobs: list[bytes] = []
        jobs: list[SignatureJob] = []
        origin = self.replay.state.origin
        for data in run.data:
            if data is None:
                readings.append(None)
                continue
            signed = read_entry(data, origin)  # (1) and (2)
            readings.append(signed)
            if isinstance(signed, SignedCommand):
                note = signed.note
                start = len(data) - len(signed.data)
                for signature in note.signatures:
                    key = self._key(signature)
                    if key is not None:
                        vkey, public_key = key
                        jobs.append((len(blobs), start, start + len(note.text), vkey, signature.blob))
                        owners.append((signed, public_key + signature.blob))
            blobs.append(data)
        leaves = len(blobs)
        for listed in checkpoints:
            for vkey, blob in listed.signatures:  # each is looked at, whatever another comes to
                jobs.append((len(blobs), 0, len(listed.note.text), vkey, blob))
                blobs.append(listed.note.text)
        return _Batch(run, readings, owners, checkpoints, pool.submit((blobs, leaves, jobs)))

    def _key(self, signature: Signature) -> tuple[str, bytes] | None:
        """Return vkey text and public key of a signature line, if the log knows the key by now."""
        place = (signature.name, signature.key_id)
        known = self._keys.get(place)
        if known is None:
            key = self.replay.state.keys.get(signature.label)
            if key is not None:
                known = self._keys[place] = (key.vkey, VerifierKey.from_text(key.vkey).public_key)
        return known

    def _finish(self, batch: _Batch) -> StateHeader | None:
        """Decide a batch anew, grow the tree by it, and return the header of the state beside it that is the same."""
        joined, flags = batch.pending.result()
        verdicts = iter(flags)
        for (signed, claim), verdict in zip(batch.owners, verdicts, strict=False):
            if verdict != UNTOLD:
                signed.verdicts[claim] = verdict == GOOD
        for listed in batch.checkpoints:
            self._series.judge(listed, [is_good(next(verdicts), listed.note.text, *line) for line in listed.signatures])
        run = batch.run
        if run.first > self.placed:
            self._pass_gap(run.first)
        hashes = iter([joined[start : start + HASH_SIZE] for start in range(0, len(joined), HASH_SIZE)])
        replay = self.replay.replay
        described: list[Described] = []
        leaves: list[bytes | None] = []
        for index, (data, reading) in enumerate(zip(run.data, batch.signed, strict=True), run.first):
            if data is not None and reading is not None:
                described.append(replay(index, data, reading))  # (3) and (4)
                leaves.append(next(hashes))
            else:
                described.append(self.replay.unreadable(index))
                leaves.append(None)
        check_filing(run, described, self._evidence, self._findings)  # (5)
        self._prior_checkpoints.look_at(run.first, leaves)
        self._grow(leaves)  # (6)
        self.entries += len(run.data)
        if self._progress is not None:
            self._progress(self.placed, self.placed if self._size is None else self._size)
        return self._compare_state()

    def _compare_state(self) -> StateHeader | None:
        """Compare the state that lies there, if one is due and it is known what it must be."""
        due = self._states.next_size()
        if due is None or due > self.placed:
            return None
        if due == self.placed == self.replay.state.size and self.replay.is_running and self.tree.is_whole:
            return self._states.compare(self.replay.state, self.tree.root())
        self._states.pass_over(self.placed)
        return None

    def _pass_gap(self, stop: int) -> None:
        """Go on behind entries that aren't there."""
        self.replay.miss(self.placed, stop)
        self._grow([None] * min(stop - self.placed, _GAP_MAX))
        if self.placed < stop:
            self.tree.is_whole = False
            self.placed = stop

    def _grow(self, leaves: list[bytes | None]) -> None:
        """Grow the tree, from checkpoint to checkpoint, by leaf hashes; None for what can't be read."""
        start = 0
        while True:
            due = self._compare_roots()
            if start == len(leaves):
                return
            stop = len(leaves) if due is None else min(len(leaves), start + due - self.placed)
            if leaves[start] is None:
                stop = start + 1
                self.tree.extend_unread(1)
            else:
                known = [leaf for leaf in takewhile(_is_known, leaves[start:stop]) if leaf is not None]
                stop = start + len(known)
                self.tree.extend(known)
            self.placed += stop - start
            start = stop

    def _compare_roots(self) -> int | None:
        """Compare all that was said of trees up to this size, and return which size comes next."""
        sizes = []
        for told in (self._series, self._prior_checkpoints):
            while (size := told.next_size()) is not None and size <= self.placed:
                told.compare(self.tree.root() if self.tree.is_whole else None)  # (7)
            if size is not None:
                sizes.append(size)
        return min(sizes, default=None)


def _in_pieces(runs: Iterator[StoredRun], sizes: Iterable[int]) -> Iterator[StoredRun]:
    """Cut runs so that none is much larger than `BATCH_BYTES_MAX`, and that one ends at each of these sizes."""
    due = deque(sizes)
    for run in runs:
        start = 0
        size = 0
        for stop, data in enumerate(run.data, 1):
            size += len(data or b"")
            while due and due[0] < run.first + stop:
                due.popleft()
            is_due = bool(due) and due[0] == run.first + stop
            if is_due or size >= BATCH_BYTES_MAX or stop == len(run.data):
                yield StoredRun(run.first + start, run.data[start:stop], run.topics and run.topics[start:stop])
                start, size = stop, 0


def _is_known(leaf: bytes | None) -> bool:
    return leaf is not None
