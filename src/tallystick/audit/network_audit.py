"""Several logs of one network are audited each by itself, and then together.

    (1) each log    its newest checkpoint names it; the policy that names it is what its audit believes (auditing.py)
    (2) together    every checkpoint that the network's log recorded of another (recorded_checkpoints.py)
    (3)             what may be used once, over all of them (used_twice.py)

The network's log is audited first: so what it recorded can't be of a larger tree than the others have by then, while
writers are at work. What a log used is written down as its audit replays it (uses.py), and no entry is read twice.
"""

from collections.abc import Sequence
from contextlib import closing
from typing import Final, NamedTuple

from tallystick.audit.auditing import audit
from tallystick.audit.evidence_source import open_evidence
from tallystick.audit.network_report import AuditedLog, FindingsTogether, NetworkReport
from tallystick.audit.newest import name_of_log
from tallystick.audit.recorded_checkpoints import Member, check_recorded, not_given
from tallystick.audit.report import Report
from tallystick.audit.used_twice import compare
from tallystick.audit.uses import LogUses, Uses
from tallystick.errors import MalformedError, UsageError
from tallystick.findings import Findings
from tallystick.progress import Progress
from tallystick.signing.note import Note
from tallystick.sources import AnySource, Source, parse_source
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.transparency.policy import Policy

_NOT_ENTRY_0: Final = 1
"""Evidence that begins behind entry 0 isn't read through when it is opened."""


class _Asked(NamedTuple):
    """A log to be audited: where it is, as its newest checkpoint says its name and size, and what its audit believes.

    None of this is believed: it says which policy is the one for it.
    """

    source: Source
    origin: str
    size: int
    policy: Policy


def audit_network(
    network: AnySource,
    members: Sequence[AnySource],
    policies: Sequence[Policy],
    *,
    processes: int | None = None,
    progress: Progress | None = None,
) -> NetworkReport:
    """Audit a network's log and the logs that are its members, each by itself and all together.

    Args:
        network: the log that recorded the others' checkpoints.
        members: the others, at least one.
        policies: whose checkpoints count, at least one: each log is opened by the one that names it, or, if none
            does, by the first.
        processes: how many verify signatures beside this one; 0 or 1: none; None: as many as there are processors.
        progress: told now and then how far it is, over all logs.

    Raises:
        UsageError: there is no such folder; two are of one log; two policies name one log; or no other log is given.
        NotALedgerError, EditionUnknownError, SourceUnreadableError, LedgerError, ModuleNotFoundError: as of an audit.
    """
    asked = _look_at(network, members, policies)
    with closing(Uses()) as uses:
        reports: list[Report] = []
        seen: list[LogUses] = []
        for place, one in enumerate(asked):
            seen.append(LogUses(uses, place))
            done, total = sum(log.size for log in asked[:place]), sum(log.size for log in asked)
            reports.append(_audit_one(one, seen[-1], processes, _part_of(progress, done, total)))
        findings = FindingsTogether()
        origins = [one.origin for one in asked]
        logs = [AuditedLog(origin=origins[0], member_of=seen[0].member_of, recorded=None, report=reports[0])]
        for one, uses_of, report in list(zip(asked, seen, reports, strict=True))[1:]:
            recorded = check_recorded(uses, origins[0], _member(one, uses_of, report), findings)
            logs.append(AuditedLog(origin=one.origin, member_of=uses_of.member_of, recorded=recorded, report=report))
        compare(uses, origins, findings)
        found = findings.in_order()
        is_clean = not found and all(report.is_clean for report in reports)
        return NetworkReport(
            verdict="clean" if is_clean else "findings",
            logs=tuple(logs),
            findings=found,
            not_given=not_given(uses, origins),
        )


def _look_at(network: AnySource, members: Sequence[AnySource], policies: Sequence[Policy]) -> list[_Asked]:
    """Return the logs, by what their newest checkpoints say.

    Raises:
        UsageError: they aren't several logs.
    """
    if not members:
        raise UsageError("one log alone is audited by `tallystick audit`: give the network's log and others")
    asked: list[_Asked] = []
    for source in map(parse_source, (network, *members)):
        shown = _shown(source)
        policy = _policy_for(shown, policies)
        same = [one for one in asked if shown is not None and one.origin == shown.origin]
        if same:
            raise UsageError(f"{same[0].source} and {source} are both of the log {same[0].origin}: give one of them")
        asked.append(_Asked(source, name_of_log([shown], policy), 0 if shown is None else shown.size, policy))
    return asked


def _shown(source: Source) -> Checkpoint | None:
    """Return a log's newest checkpoint as it lies there, if it can be read at all; its audit says what is wrong."""
    with closing(open_evidence(source, Findings(), _NOT_ENTRY_0)) as evidence:
        note = evidence.newest_checkpoint()
    try:
        return Checkpoint.from_text(Note.from_bytes(note or b"").text)
    except MalformedError:
        return None


def _policy_for(shown: Checkpoint | None, policies: Sequence[Policy]) -> Policy:
    """Return the policy that names a log.

    Raises:
        UsageError: two do.
    """
    origin = None if shown is None else shown.origin
    naming = [one for one in policies if origin in {line.vkey.name for line in one.logs}]
    if len(naming) > 1:
        raise UsageError(f"{len(naming)} policies name the log {origin}: give the one that is for it alone")
    return (naming or policies)[0]


def _audit_one(asked: _Asked, uses: LogUses, processes: int | None, progress: Progress | None) -> Report:
    """Audit one log, and return its report as it is without an observer."""
    report = audit(asked.source, asked.policy, processes=processes, progress=progress, observer=uses)
    return report.model_copy(update={"patterns": None})


def _part_of(progress: Progress | None, done: int, total: int) -> Progress | None:
    return None if progress is None else lambda of_this, _: progress(done + of_this, total)


def _member(asked: _Asked, uses: LogUses, report: Report) -> Member:
    """Return a log, and its keys: of the policy, and those that its entries changed them for."""
    shown = report.checkpoint
    newest = None if shown is None else Checkpoint(shown.origin, shown.size, shown.root_bytes)
    trusted = {line.vkey.to_text() for line in asked.policy.logs if line.vkey.name == asked.origin}
    return Member(asked.source, asked.origin, newest, trusted | uses.vkeys)
