"""Each checkpoint of a log that the network's log recorded must be of a tree that the log begins with.

Whether it is, the log's own stored hashes prove: by a consistency proof from the recorded root to the root that its
audit came to, which holds whoever answers. So nothing is called a fork because bytes rotted (prior_checkpoints.py).
A checkpoint counts if one of the log's own keys signed it: anybody can make a key of any log's name.
"""

from collections.abc import Sequence, Set
from contextlib import closing
from itertools import islice
from typing import Final, NamedTuple

from tallystick.audit.evidence import Evidence
from tallystick.audit.evidence_source import open_evidence
from tallystick.audit.network_report import FindingsTogether, NotGiven, PlaceInLog, Recorded
from tallystick.audit.prior_checkpoints import PriorCheckpoint, PriorCheckpoints
from tallystick.audit.uses import Uses
from tallystick.findings import Finding, FindingCode, Findings
from tallystick.sources import Source
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.vouchers.quantities import format_instant

_AT_ONCE: Final = 64
"""So many are proved with one set of tiles, which are read once."""


class Member(NamedTuple):
    """A log whose checkpoints were recorded.

    Attributes:
        source: where it is.
        origin: its name.
        newest: what its audit came to; None if the policy didn't accept its newest checkpoint.
        vkeys: its keys, as policy and entries say.
    """

    source: Source
    origin: str
    newest: Checkpoint | None
    vkeys: Set[str]


def check_recorded(uses: Uses, network: str, member: Member, findings: FindingsTogether) -> Recorded:
    """Hold a log to all that the network's log recorded of it, and return how far that goes.

    Args:
        uses: what the network's log, the first of them, recorded.
        network: its origin.
        member: the log.
        findings: what doesn't hold goes there.

    Raises:
        SourceUnreadableError: a lock, a right, a full disk or an I/O error keeps it from being read.
        LedgerError: the server can't be reached, or stopped giving usable answers.
    """
    keys = sorted(member.vkeys)
    own = f"FROM recorded WHERE log = 0 AND origin = ? AND vkey IN ({', '.join('?' * len(keys))})"
    (count,) = next(uses.ask(f"SELECT count(*) {own}", (member.origin, *keys)))
    (named,) = next(uses.ask("SELECT count(*) FROM recorded WHERE log = 0 AND origin = ?", (member.origin,)))
    largest = next(
        uses.ask(f"SELECT size, entry, at {own} ORDER BY size DESC, entry DESC", (member.origin, *keys)), None
    )
    if member.newest is not None and count:
        question = f"SELECT size, root, min(entry) {own} GROUP BY size, root ORDER BY size"
        # What is odd in the evidence was found by its audit.
        with closing(open_evidence(member.source, Findings(), member.newest.size)) as evidence:
            rows = uses.ask(question, (member.origin, *keys))
            while told := [
                (entry, Checkpoint(member.origin, size, root)) for size, root, entry in islice(rows, _AT_ONCE)
            ]:
                _hold(network, member.newest, told, evidence, findings)
    size, entry, at = largest or (0, None, None)
    return Recorded(
        checkpoints=count,
        by_other_keys=named - count,
        index=entry,
        at=None if at is None else format_instant(at),
        size=size,
        entries_beyond=max(0, (0 if member.newest is None else member.newest.size) - size),
    )


def not_given(uses: Uses, origins: Sequence[str]) -> tuple[NotGiven, ...]:
    """Return the logs of which the network's log has checkpoints, and which aren't among these."""
    question = "SELECT origin, count(*) FROM recorded WHERE log = 0 GROUP BY origin ORDER BY origin"
    return tuple([NotGiven(log=log, checkpoints=count) for log, count in uses.ask(question) if log not in origins])


def _hold(
    network: str,
    newest: Checkpoint,
    told: Sequence[tuple[int, Checkpoint]],
    evidence: Evidence,
    findings: FindingsTogether,
) -> None:
    """Note which checkpoints don't hold; they are looked at one by one only if one of them doesn't."""
    if not _faults(network, newest, told, evidence):
        return
    for entry, checkpoint in told:
        for finding in _faults(network, newest, [(entry, checkpoint)], evidence):
            places = PlaceInLog(log=network, index=entry), PlaceInLog(log=newest.origin, index=None)
            findings.add(finding.code, places, finding.detail)


def _faults(
    network: str, newest: Checkpoint, told: Sequence[tuple[int, Checkpoint]], evidence: Evidence
) -> Sequence[Finding]:
    code = FindingCode.RECORDED_CHECKPOINT_CONTRADICTED
    priors = [PriorCheckpoint(f"entry {entry} of {network}", code, checkpoint) for entry, checkpoint in told]
    found = Findings()
    # None of these trees is rebuilt here: the stored hashes say whether the newest begins with them.
    PriorCheckpoints(priors, newest.size + 1).finish(newest.size, newest, False, evidence, found)
    return found.by_entry()
