"""An audit reads everything once, recomputes everything, and believes only the trust policy that it was given.

    evidence ─► read_entry (1)(2) ─► decide anew (3)(4) ─► evolve, books ─► totals
        │            └─ signatures ─► processes ─┘
        ├─► leaf hashes ─► tree ─► every stored hash, every checkpoint's root
        └─► topics, references, checkpoints, and rows that belong nowhere

Entries go through in batches, a few of them in flight, so memory follows the state and not the length of the log. Signatures are verified
ahead, by keys that the log is known to have; what isn't known yet is verified when it is decided. Whatever is wrong becomes a finding:
an audit ends in a report, or in an error that says there is nothing to audit.

It can't see that a whole tail of the log was cut off together with its checkpoints: for that, keep an earlier checkpoint or receipt.
"""

import gc
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tallystick.audit.evidence import Evidence, StoredEntry
from tallystick.audit.findings import FindingCode, Findings
from tallystick.audit.replay import Described, ReadEntry, Replay, read_entry
from tallystick.audit.report import CheckedCheckpoint, Report, finding_row
from tallystick.audit.series import CheckpointSeries, ListedCheckpoint
from tallystick.audit.sources import open_evidence
from tallystick.audit.tree import TreeRebuild
from tallystick.audit.verifier_process import SignatureJob
from tallystick.audit.verifying import Verifiers, default_processes
from tallystick.errors import MalformedError, QuorumMissingError, VerificationError
from tallystick.signing.note import Note
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.transparency.policy import Policy
from tallystick.transparency.spelling import SIZE_MAX, base64_to_text
from tallystick.vouchers.admit import SignedCommand

Progress = Callable[[int, int], None]
"""Called with how many entries are done and how many there are."""

BATCH_ENTRIES_MAX: Final = 512
BATCH_BYTES_MAX: Final = 2**19
WORTH_PROCESSES: Final = 1_024
"""Below this many entries, starting processes takes longer than they save."""


@dataclass(slots=True)
class _Batch:
    """Consecutive entries on their way: those whose bytes are missing keep their place."""

    first: int
    entries: list[ReadEntry | StoredEntry]
    checkpoints: list[ListedCheckpoint]
    owners: list[tuple[SignedCommand, bytes]]


def audit(
    source: Path, policy: Policy, *, processes: int | None = None, progress: Progress | None = None
) -> Report:
    """Audit a ledger folder or an exported folder.

    Args:
        source: the folder.
        policy: whose checkpoints count.
        processes: how many verify signatures beside this one; 0 or 1 for none, None for as many as there are processors.
        progress: told now and then how far it is.

    Raises:
        UsageError: there is no such folder.
        NotALedgerError: there is nothing to audit in it.
    """
    findings = Findings()
    with closing(open_evidence(source, findings)) as evidence, _no_cycle_collection():
        return _Audit(evidence, policy, findings, progress).run(default_processes() if processes is None else processes)


class _Audit:
    """One audit, from the newest checkpoint to the report."""

    def __init__(self, evidence: Evidence, policy: Policy, findings: Findings, progress: Progress | None) -> None:
        self._evidence = evidence
        self._findings = findings
        self._progress = progress
        note = evidence.newest_checkpoint()
        self._checkpoint = _open_newest(note, policy, findings)
        # One that isn't to be trusted still tells what to look for: a report on a damaged log should name more than that.
        shown = self._checkpoint or _read_newest(note)
        self._origin = shown.origin if shown else policy.logs[0].vkey.name if policy.logs else ""
        self._size = shown.size if shown else SIZE_MAX
        self._root = shown.root if shown else None
        self._replay = Replay(self._origin, findings)
        self._tree = TreeRebuild(evidence, findings)
        keys = [line.vkey for line in policy.logs if line.vkey.name == self._origin]
        self._series = CheckpointSeries(evidence.checkpoints(), self._origin, keys, findings)
        self._entries = 0

    def run(self, processes: int) -> Report:
        """Go through everything, and report."""
        wanted = processes if processes > 1 and self._size >= WORTH_PROCESSES else 0
        batches = _batches(self._evidence.entries(self._origin, self._size))
        waiting: deque[_Batch] = deque()
        with Verifiers(wanted) as verifiers:
            for number, batch in enumerate(batches):
                waiting.append(self._begin(batch, verifiers))
                # The first batch mostly brings the keys by which those after it are verified ahead: it is finished first.
                while len(waiting) >= verifiers.capacity or number == 0 and waiting:
                    self._finish(waiting.popleft(), verifiers)
            while waiting:
                self._finish(waiting.popleft(), verifiers)
        return self._report()

    def _begin(self, stored: list[StoredEntry], verifiers: Verifiers) -> _Batch:
        """Read a batch and give away its arithmetic: leaf hashes, and signatures by keys that are known."""
        keys = self._replay.state.keys
        batch = _Batch(stored[0].index, [], self._series.up_to(stored[-1].index + 1), [])
        blobs: list[bytes] = []
        jobs: list[SignatureJob] = []
        for one in stored:
            if one.data is None:
                batch.entries.append(one)
                continue
            entry = read_entry(one, one.data, self._origin)
            batch.entries.append(entry)
            if isinstance(entry.signed, SignedCommand):
                note = entry.signed.note
                start = len(one.data) - len(entry.signed.data)
                for signature in note.signatures:
                    key = keys.get(signature.label)
                    if key is not None:
                        jobs.append((len(blobs), start, start + len(note.text), key.vkey, signature.blob))
                        batch.owners.append((entry.signed, key.public_key))
            blobs.append(one.data)
        leaves = len(blobs)
        for listed in batch.checkpoints:
            jobs += [(len(blobs), 0, len(listed.text), vkey, blob) for vkey, blob in listed.signatures]
            blobs.append(listed.text)
        verifiers.ask((blobs, leaves, jobs))
        return batch

    def _finish(self, batch: _Batch, verifiers: Verifiers) -> None:
        """Decide a batch anew, and grow the tree by it."""
        joined, flags = verifiers.take()
        verdicts = iter(map(bool, flags))
        for (signed, public_key), verdict in zip(batch.owners, verdicts, strict=False):
            signed.verdicts[public_key] = verdict
        for listed in batch.checkpoints:
            self._series.judge(listed, [next(verdicts) for _ in listed.signatures])
        self._skip_to(batch.first)
        described = []
        hashes: list[bytes] = []
        for entry in batch.entries:
            if isinstance(entry, ReadEntry):
                start = 32 * (self._tree.size - batch.first + len(hashes))
