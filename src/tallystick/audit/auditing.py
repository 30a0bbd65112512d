"""An audit reads everything once, recomputes everything, and believes only the trust policy that it was given.

    evidence ─► the newest checkpoint, which all is held to     newest.py
        ├─► (1) … (7): each entry, the tree, what was said      walk.py
        └─► (8) rows that belong nowhere                        the evidence's own

Whatever is wrong becomes a finding: an audit ends in a report, or in an error that says there is nothing to audit.

It can't see by itself that a whole tail of the log was cut off together with its checkpoints, or all of it written
anew: for that, give it receipts that the log gave before (receipts.py, prior_checkpoints.py), or go on from an earlier
report (earlier.py, joining.py). An audit that goes on from a report reads only what is new, and believes that report
and its state for the rest.
"""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

from tallystick.audit.chain import Export, Notice, prove, take_up
from tallystick.audit.earlier import Earlier, ReportPlace, write_report
from tallystick.audit.edition import require_known_adoption, require_known_edition
from tallystick.audit.evidence import Evidence
from tallystick.audit.evidence_source import open_evidence
from tallystick.audit.joining import join
from tallystick.audit.newest import name_of_log, open_newest
from tallystick.audit.prior_checkpoints import PriorCheckpoint, PriorCheckpoints
from tallystick.audit.receipts import read_receipts
from tallystick.audit.replay import Observer, Replay
from tallystick.audit.report import CheckedCheckpoint, Report, Totals
from tallystick.audit.review import with_compromised_keys
from tallystick.audit.segments import SegmentWorkers
from tallystick.audit.series import CheckpointSeries
from tallystick.audit.stored_states import StoredStates
from tallystick.audit.tile_evidence import TileEvidence
from tallystick.audit.walk import Held, Walk
from tallystick.cycle_collection import paused_collection
from tallystick.errors import UsageError
from tallystick.findings import FindingCode, Findings
from tallystick.progress import Progress
from tallystick.sources import AnySource, Source, StaticFolder, StaticUrl, parse_source
from tallystick.transparency.encoding import base64_to_text
from tallystick.transparency.policy import Policy
from tallystick.verifying import VerificationPool, default_processes
from tallystick.vouchers.editions import require_known
from tallystick.vouchers.state import State

WORTH_PROCESSES: Final = 512
"""Below this many entries, starting processes takes longer than they save."""

_SIZE_UNKNOWN: Final = 2**63 - 1


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
    segments: SegmentWorkers | None = None,
    notice: Notice | None = None,
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
        segments: where the segments between an export's saved states are audited at the same time; the report is the
            same. Not together with `since` or `observer`.
        notice: told why the rest is audited in one piece, if that isn't done in segments.

    Raises:
        UsageError: there is no such folder, or it is no URL of a database or an exported log; there is no going on
            from `since`; or one of the receipts isn't one, or isn't this log's; or there are no segments in it.
        NotALedgerError: there is nothing to audit in it.
        EditionUnknownError: the log was made by rules that this version doesn't know.
        SourceUnreadableError: a lock, a right, a full disk or an I/O error keeps it from being read.
        LedgerError: the server can't be reached, or stopped giving usable answers.
        ModuleNotFoundError: it is a database's URL, and psycopg isn't installed.
        OSError: the report can't be written.
    """
    findings = Findings()
    parsed = parse_source(source)
    passed = None if segments is None else _segmented(parsed, segments, notice, since, observer)
    earlier = Earlier.read(since) if since is not None else None
    start = earlier.checkpoint.size if earlier is not None else 0
    # Before the evidence: a log that is being written has, by then, all that the receipts are of.
    given = read_receipts(receipts, policy)
    with closing(open_evidence(parsed, findings, start)) as evidence, paused_collection():
        one = _Audit(evidence, policy, findings, progress, earlier, given, observer)
        report = one.run(default_processes() if processes is None else processes, passed)
        state = one.take_state()
        report = with_compromised_keys(report, parsed, state, earlier)
        if observer is not None:
            report = report.model_copy(update={"patterns": observer.to_json()})
        if report_file is not None:
            report = write_report(report_file, report, state)
        del one  # before cycles are looked for again: what isn't there needs no search
        return report


class _Passed(NamedTuple):
    """What is audited in segments, where, and who is told why not all of it."""

    source: StaticFolder | StaticUrl
    workers: SegmentWorkers
    notice: Notice


def _segmented(
    source: Source, workers: SegmentWorkers, notice: Notice | None, since: Path | None, observer: Observer | None
) -> _Passed:
    """Return what is audited in segments.

    Raises:
        UsageError: it has none, or something else is asked for that must see all entries one after another.
    """
    if not isinstance(source, StaticFolder | StaticUrl):
        raise UsageError(f"{source} is no export, and only exports have segments: audit it without them")
    if since is not None or observer is not None:
        raise UsageError("segments go with neither an earlier report nor patterns: give one of them")
    return _Passed(source, workers, notice or (lambda _: None))


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
        self._observer = observer
        self._newest, self._checkpoint, shown, cosigned = open_newest(evidence, policy, findings)
        self._shown = shown
        before = [*([earlier.checkpoint] if earlier is not None else []), *[one.checkpoint for one in receipts]]
        self._origin = name_of_log([self._checkpoint, *before, shown], policy)
        self._size_known = shown is not None
        self._size = shown.size if shown else _SIZE_UNKNOWN
        self._root = shown.root if shown else None
        self._keys = [line.vkey for line in policy.logs if line.vkey.name == self._origin]
        self._earlier = earlier
        self._start = earlier.checkpoint.size if earlier is not None else 0
        self._receipts = receipts
        self._told = [*receipts, *([cosigned] if cosigned is not None else [])]
        self._stand_at(self._start, self._told)

    def _stand_at(self, start: int, told: Sequence[PriorCheckpoint]) -> None:
        """Make ready to go through the entries from one on, and to hold the log to what it said before."""
        self._start = start
        self._prior_checkpoints = PriorCheckpoints(told, start)
        self._replay = Replay(self._origin, self._findings, self._observer)
        self._series = CheckpointSeries(
            self._evidence.checkpoints(),
            self._origin,
            self._size,
            self._keys,
            self._findings,
            self._replay.signing_vkeys,
            first_number=self._evidence.first_checkpoint(),
            first_size=max(1, start),
        )
        self._states = StoredStates(self._evidence, self._findings, start, self._size)
        held = Held(self._series, self._prior_checkpoints, self._states)
        size = self._size if self._size_known else None
        self._walk = Walk(self._evidence, self._findings, self._replay, held, size, self._progress)

    def run(self, processes: int, passed: "_Passed | None" = None) -> Report:
        """Go through everything, or through all that is new or isn't proven by segments, and report."""
        self._refuse_strange_receipts()
        if self._earlier is None:
            require_known_edition(self._checkpoint, self._told, self._evidence)
            if passed is not None:
                self._pass_segments(passed)
        elif not self._resume(self._earlier):
            return self._say(self._earlier.totals)
        wanted = processes if processes > 1 and self._size - self._start >= WORTH_PROCESSES else 0
        with VerificationPool(wanted) as pool:
            self._walk.to_end(pool)
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
        self._walk.resume(self._start, read_tile)
        state = earlier.state()
        if state.network is not None:
            require_known(state.network.edition)  # entry 0 was read by the earlier audit
        self._replay.resume(state, earlier.totals, believed=self._start)
        return True

    def _pass_segments(self, passed: "_Passed") -> None:
        """Have segments audited elsewhere, and stand where the chain of them ends."""
        if not self._size_known:
            return
        if self._states.are_of_another_version():
            passed.notice("another version wrote the saved states, so the log is audited in one piece")
            return
        export = Export(passed.source, self._origin, self._size, self._states.due(), self._told)
        found = take_up(export, prove(export, passed.workers, self._progress, passed.notice))
        if found is None:
            return
        place, begin = found
        start = place.header.size
        for finding in place.findings:
            self._findings.take(finding)
        assert isinstance(self._evidence, TileEvidence)
        self._evidence.skip_to(start)
        # What was said of smaller trees was compared, and held.
        self._stand_at(start, [prior for prior in self._told if prior.checkpoint.size >= start])
        self._walk.resume(start, begin.read_tile)
        self._replay.resume(begin.state, place.sums)

    def _refuse_strange_receipts(self) -> None:
        for receipt in self._receipts:
            if receipt.checkpoint.origin != self._origin:
                raise UsageError(
                    f"{receipt.name} is a receipt of the log {receipt.checkpoint.origin}, and {self._evidence.name} is "
                    f"of {self._origin}: leave it out"
                )

    def _report(self) -> Report:
        """Finish what is only known at the end."""
        if self._walk.placed == 0:
            self._findings.add(FindingCode.LOG_EMPTY, None, "")
        self._walk.tree.finish()
        is_rebuilt = self._walk.tree.is_whole
        root = self._walk.tree.root() if is_rebuilt and self._walk.placed == self._size else self._root
        if root is not None and self._root is not None and root != self._root:  # (7)
            is_rebuilt = False
            detail = f"the newest checkpoint says {self._root.hex()}, rebuilt {root.hex()}"
            self._findings.add(FindingCode.ROOT_DIFFERS, None, detail)
        self._series.finish(self._newest)  # not as it lies there by now: the log may have grown
        size = self._size if self._size_known else self._walk.placed
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
            entries=self._walk.entries,
            findings=found,
            totals=totals,
            receipts=len(self._receipts) or None,
            since=self._earlier.shown if self._earlier is not None else None,
        )
