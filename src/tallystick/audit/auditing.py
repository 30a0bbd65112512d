"""An audit reads everything once, recomputes everything, and believes only the trust policy that it was given.

    evidence ─► (1) open the note, (2) read the command ─► (3) decide anew, (4) compare the bytes; books, totals
        │            └─ signatures ─► processes ─────────────┘
        ├─► (5) what the store files each entry under          filing.py
        ├─► (6) leaf hashes ─► tree ─► every stored hash       tree.py
        ├─► (7) every root that the log signed                 series.py, prior_checkpoints.py
        └─► (8) rows that belong nowhere                       the evidence's own

Entries go through in batches, a few of them in flight, so memory follows the state and not the length of the log.
Signatures are verified ahead, by keys that the log is known to have; what isn't known yet is verified when it is
decided. Whatever is wrong becomes a finding: an audit ends in a report, or in an error that says there is nothing to
audit.

It can't see by itself that a whole tail of the log was cut off together with its checkpoints, or all of it written
anew: for that, give it receipts that the log gave before (receipts.py, prior_checkpoints.py), or go on from an earlier
report (earlier.py, joining.py). An audit that goes on from a report reads only what is new, and believes that report
and its state for the rest.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Final

from tallystick.audit.earlier import Earlier, ReportPlace, write_report
from tallystick.audit.edition import require_known_adoption, require_known_edition
from tallystick.audit.evidence import Evidence, StoredRun
from tallystick.audit.evidence_source import open_evidence
from tallystick.audit.filing import check_filing
from tallystick.audit.joining import join
from tallystick.audit.newest import name_of_log, open_newest
from tallystick.audit.prior_checkpoints import PriorCheckpoint, PriorCheckpoints
from tallystick.audit.receipts import read_receipts
from tallystick.audit.replay import Described, Observer, Replay, read_entry
from tallystick.audit.report import CheckedCheckpoint, Report, Totals
from tallystick.audit.review import with_compromised_keys
from tallystick.audit.series import CheckpointSeries, ListedCheckpoint
from tallystick.audit.tree import TreeRebuild
from tallystick.cycle_collection import paused_collection
from tallystick.errors import UsageError
from tallystick.findings import FindingCode, Findings
from tallystick.progress import Progress
from tallystick.signing.keys import VerifierKey
from tallystick.signing.note import Signature
from tallystick.sources import AnySource, parse_source
from tallystick.transparency.encoding import HASH_SIZE, base64_to_text
from tallystick.transparency.policy import Policy
from tallystick.verifying import GOOD, UNTOLD, Pending, SignatureJob, VerificationPool, default_processes, is_good
from tallystick.vouchers.admit import SignedCommand
from tallystick.vouchers.editions import require_known
from tallystick.vouchers.refusals import Refusal
from tallystick.vouchers.state import State

BATCH_BYTES_MAX: Final = 2**19
WORTH_PROCESSES: Final = 512
"""Below this many entries, starting processes takes longer than they save."""

_SIZE_UNKNOWN: Final = 2**63 - 1
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


def audit(
    source: AnySource,
    policy: Policy,
    *,
    since: Path | None = None,
    receipts: Sequence[Path] = (),
    report_file: Path | ReportPlace | None = None,
    processes: int | None = None,
    progress: Progress | None = None,
    observer: Observer | None = None,
) -> Report:
    """Audit a ledger in a folder or a PostgreSQL database, an exported folder, or the URL of one.

    Args:
        source: one that was told already, a folder, or a URL.
        policy: whose checkpoints count.
        since: the report of an earlier, clean audit of the same log, its saved state beside it: only what is new is
            read, and the log is proved to go on from the tree that was audited.
        receipts: files that the log gave before, or folders of such `*.tlog-proof` files: what they prove must hold.
        report_file: where to write the report; if it is clean, the state is saved beside it for a later audit.
        processes: how many verify signatures beside this one; 0 or 1: none; None: as many as there are processors.
        progress: told now and then how far it is.
        observer: shown each event that is replayed; what it says is in the report beside the verdict.

    Raises:
        UsageError: there is no such folder, or it is no URL of a database or an exported log; there is no going on
            from `since`; or one of the receipts isn't one, or isn't this log's.
        NotALedgerError: there is nothing to audit in it.
        EditionUnknownError: the log was made by rules that this version doesn't know.
        SourceUnreadableError: a lock, a right, a full disk or an I/O error keeps it from being read.
        LedgerError: the server can't be reached, or stopped giving usable answers.
        ModuleNotFoundError: it is a database's URL, and psycopg isn't installed.
        OSError: the report can't be written.
    """
    findings = Findings()
    earlier = Earlier.read(since) if since is not None else None
    start = earlier.checkpoint.size if earlier is not None else 0
    # Before the evidence: a log that is being written has, by then, all that the receipts are of.
    given = read_receipts(receipts, policy)
    with closing(open_evidence(parsed := parse_source(source), findings, start)) as evidence, paused_collection():
        one = _Audit(evidence, policy, findings, progress, earlier, given, observer)
        report = one.run(default_processes() if processes is None else processes)
        state = one.take_state()
        report = with_compromised_keys(report, parsed, state, earlier)
        if observer is not None:
            report = report.model_copy(update={"patterns": observer.to_json()})
        if report_file is not None:
            report = write_report(report_file, report, state)
        del one  # before cycles are looked for again: what isn't there needs no search
        return report


class _Audit:
    """One audit, from the newest checkpoint to the report."""

    def __init__(
        self,
        evidence: Evidence,
        policy: Policy,
        findings: Findings,
        progress: Progress | None,
        earlier: Earlier | None,
        receipts: list[PriorCheckpoint],
        observer: Observer | None = None,
    ) -> None:
        self._evidence = evidence
        self._findings = findings
        self._progress = progress
        self._newest, self._checkpoint, shown, cosigned = open_newest(evidence, policy, findings)
        self._shown = shown
        before = [*([earlier.checkpoint] if earlier is not None else []), *[one.checkpoint for one in receipts]]
        self._origin = name_of_log([self._checkpoint, *before, shown], policy)
        self._size_known = shown is not None
        self._size = shown.size if shown else _SIZE_UNKNOWN
        self._root = shown.root if shown else None
        self._replay = Replay(self._origin, findings, observer)
        self._tree = TreeRebuild(evidence, findings)
        keys = [line.vkey for line in policy.logs if line.vkey.name == self._origin]
        self._earlier = earlier
        self._start = earlier.checkpoint.size if earlier is not None else 0
        self._receipts = receipts
        self._told = [*receipts, *([cosigned] if cosigned is not None else [])]
        self._prior_checkpoints = PriorCheckpoints(self._told, self._start)
        self._series = CheckpointSeries(
            evidence.checkpoints(),
            self._origin,
            self._size,
            keys,
            findings,
            self._replay.signing_vkeys,
            first_number=evidence.first_checkpoint(),
            first_size=max(1, self._start),
        )
        self._keys: dict[tuple[str, bytes], tuple[str, bytes]] = {}
        self._placed = 0
        self._entries = 0

    def run(self, processes: int) -> Report:
        """Go through everything, or through all that is new, and report."""
        self._refuse_strange_receipts()
        if self._earlier is None:
            require_known_edition(self._checkpoint, self._told, self._evidence)
        elif not self._resume(self._earlier):
            return self._say(self._earlier.totals)
        wanted = processes if processes > 1 and self._size - self._start >= WORTH_PROCESSES else 0
        waiting: deque[_Batch] = deque()
        with VerificationPool(wanted) as pool:
            if self._start:  # the checkpoint of the old tree is where the series is taken up
                self._finish(self._begin(StoredRun(self._start, [], None), pool))
            for run in _in_pieces(self._evidence.entries(self._origin, self._size if self._size_known else None)):
                waiting.append(self._begin(run, pool))
                # The first batch mostly brings the keys by which the others are verified ahead: it is finished first.
                while waiting and (len(waiting) >= pool.capacity or self._placed == 0):
                    self._finish(waiting.popleft())
            while waiting:
                self._finish(waiting.popleft())
            if self._size_known and self._placed < self._size:
                self._finish(self._begin(StoredRun(self._size, [], None), pool))
        return self._report()

    def take_state(self) -> State:
        """Return what the replay came to, after which there is no more replay."""
        state = self._replay.state
        state.job_times.clear()  # not saved, and as much memory as saving takes
        return state

    def _resume(self, earlier: Earlier) -> bool:
        """Take up an earlier audit where it ended, if the log goes on from there."""
        if self._shown is None:
            return False
        if self._origin != earlier.checkpoint.origin:
            raise UsageError(
                f"{earlier.path} is of the log {earlier.checkpoint.origin}, and {self._evidence.name} is of "
                f"{self._origin}: give a report of the same log, or none"
            )
        if self._shown.origin != self._origin:
            return False
        read_tile = join(earlier.checkpoint, self._shown, self._evidence, self._findings)
        if read_tile is None:
            return False
        self._tree.resume(self._start, read_tile)
        state = earlier.state()
        if state.network is not None:
            require_known(state.network.edition)  # entry 0 was read by the earlier audit
        self._replay.resume(state, earlier.totals)
        self._placed = self._entries = self._start
        return True

    def _refuse_strange_receipts(self) -> None:
        for receipt in self._receipts:
            if receipt.checkpoint.origin != self._origin:
                raise UsageError(
                    f"{receipt.name} is a receipt of the log {receipt.checkpoint.origin}, and {self._evidence.name} is "
                    f"of {self._origin}: leave it out"
                )

    def _begin(self, run: StoredRun, pool: VerificationPool) -> _Batch:
        """Read a run and give away its arithmetic: leaf hashes, and signatures by keys that are known."""
        checkpoints = self._series.up_to(run.first + len(run.data))
        readings: list[SignedCommand | Refusal | None] = []
        owners: list[tuple[SignedCommand, bytes]] = []
        blobs: list[bytes] = []
        jobs: list[SignatureJob] = []
        for data in run.data:
            if data is None:
                readings.append(None)
                continue
            signed = read_entry(data, self._origin)  # (1) and (2)
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
            key = self._replay.state.keys.get(signature.label)
            if key is not None:
                known = self._keys[place] = (key.vkey, VerifierKey.from_text(key.vkey).public_key)
        return known

    def _finish(self, batch: _Batch) -> None:
        """Decide a batch anew, and grow the tree by it."""
        joined, flags = batch.pending.result()
        verdicts = iter(flags)
        for (signed, claim), verdict in zip(batch.owners, verdicts, strict=False):
            if verdict != UNTOLD:
                signed.verdicts[claim] = verdict == GOOD
        for listed in batch.checkpoints:
            self._series.judge(listed, [is_good(next(verdicts), listed.note.text, *line) for line in listed.signatures])
        run = batch.run
        if run.first > self._placed:
            self._pass_gap(run.first)
        hashes = iter([joined[start : start + HASH_SIZE] for start in range(0, len(joined), HASH_SIZE)])
        replay = self._replay.replay
        described: list[Described] = []
        leaves: list[bytes | None] = []
        for index, (data, reading) in enumerate(zip(run.data, batch.signed, strict=True), run.first):
            if data is not None and reading is not None:
                described.append(replay(index, data, reading))  # (3) and (4)
                leaves.append(next(hashes))
            else:
                described.append(self._replay.unreadable(index))
                leaves.append(None)
        check_filing(run, described, self._evidence, self._findings)  # (5)
        self._prior_checkpoints.look_at(run.first, leaves)
        self._grow(leaves)  # (6)
        self._entries += len(run.data)
        if self._progress is not None:
            self._progress(self._placed, self._size if self._size_known else self._placed)

    def _pass_gap(self, stop: int) -> None:
        """Go on behind entries that aren't there."""
        self._replay.miss(self._placed, stop)
        self._grow([None] * min(stop - self._placed, _GAP_MAX))
        if self._placed < stop:
            self._tree.is_whole = False
            self._placed = stop

    def _grow(self, leaves: list[bytes | None]) -> None:
        """Grow the tree, from checkpoint to checkpoint, by leaf hashes; None for what can't be read."""
        start = 0
        while True:
            due = self._compare_roots()
            if start == len(leaves):
                return
            stop = len(leaves) if due is None else min(len(leaves), start + due - self._placed)
            if leaves[start] is None:
                stop = start + 1
                self._tree.extend_unread(1)
            else:
                known = [leaf for leaf in takewhile(_is_known, leaves[start:stop]) if leaf is not None]
                stop = start + len(known)
                self._tree.extend(known)
            self._placed += stop - start
            start = stop

    def _compare_roots(self) -> int | None:
        """Compare all that was said of trees up to this size, and return which size comes next."""
        sizes = []
        for told in (self._series, self._prior_checkpoints):
            while (size := told.next_size()) is not None and size <= self._placed:
                told.compare(self._tree.root() if self._tree.is_whole else None)  # (7)
            if size is not None:
                sizes.append(size)
        return min(sizes, default=None)

    def _report(self) -> Report:
        """Finish what is only known at the end."""
        if self._placed == 0:
            self._findings.add(FindingCode.LOG_EMPTY, None, "")
        self._tree.finish()
        is_rebuilt = self._tree.is_whole
        root = self._tree.root() if is_rebuilt and self._placed == self._size else self._root
        if root is not None and self._root is not None and root != self._root:  # (7)
            is_rebuilt = False
            detail = f"the newest checkpoint says {self._root.hex()}, rebuilt {root.hex()}"
            self._findings.add(FindingCode.ROOT_DIFFERS, None, detail)
        self._series.finish(self._newest)  # not as it lies there by now: the log may have grown
        size = self._size if self._size_known else self._placed
        self._prior_checkpoints.finish(size, self._shown, is_rebuilt, self._evidence, self._findings)
        self._evidence.report_unexpected_rows(self._origin, size)  # (8)
        totals = self._replay.finish()
        require_known_adoption(self._replay.adoption, self._findings)
        return self._say(totals)

    def _say(self, totals: Totals) -> Report:
        """Return the report."""
        found = self._findings.by_entry()
        shown = None
        if self._checkpoint is not None:
            root_text = base64_to_text(self._checkpoint.root).decode()
            shown = CheckedCheckpoint(origin=self._checkpoint.origin, size=self._checkpoint.size, root=root_text)
        return Report(
            verdict="findings" if found else "clean",
            checkpoint=shown,
            entries=self._entries,
            findings=found,
            totals=totals,
            receipts=len(self._receipts) or None,
            since=self._earlier.shown if self._earlier is not None else None,
        )


def _in_pieces(runs: Iterator[StoredRun]) -> Iterator[StoredRun]:
    """Cut runs so that none is much larger than `BATCH_BYTES_MAX`."""
    for run in runs:
        start = 0
        size = 0
        for stop, data in enumerate(run.data, 1):
            size += len(data or b"")
            if size >= BATCH_BYTES_MAX or stop == len(run.data):
                yield StoredRun(run.first + start, run.data[start:stop], run.topics and run.topics[start:stop])
                start, size = stop, 0


def _is_known(leaf: bytes | None) -> bool:
    return leaf is not None
