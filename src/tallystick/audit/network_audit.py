"""Several logs of one network are audited each by itself, and then together.

    (1) each log    its newest checkpoint names it; the policy that names it is what its audit believes (auditing.py)
    (2) together    every checkpoint that the network's log recorded of another (recorded_checkpoints.py)
    (3)             what may be used once, over all of them (used_twice.py)

The network's log is audited first: so what it recorded can't be of a larger tree than the others have by then, while
writers are at work. What a log used is written down as its audit replays it (uses.py), and no entry is read twice. The
others may be audited several at a time, each by a process of its own (log_processes.py); the report is the same.
"""

from collections.abc import Sequence
from contextlib import closing
from typing import Final, NamedTuple

from tallystick.audit.evidence_source import open_evidence
from tallystick.audit.log_processes import audit_apart
from tallystick.audit.network_report import AuditedLog, FindingsTogether, NetworkReport
from tallystick.audit.newest import name_of_log
from tallystick.audit.one_of_several import LogOrder, LogOutcome, audit_one
from tallystick.audit.recorded_checkpoints import Member, check_recorded, not_given
from tallystick.audit.used_twice import compare
from tallystick.audit.uses import Uses
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
    """A log to be audited, and its name and size as its newest checkpoint says them, which nobody believes."""

    order: LogOrder
    origin: str
    size: int


def audit_network(
    network: AnySource,
    members: Sequence[AnySource],
    policies: Sequence[Policy],
    *,
    workers: int | None = None,
    progress: Progress | None = None,
) -> NetworkReport:
    """Audit a network's log and the logs that are its members, each by itself and all together.

    Args:
        network: the log that recorded the others' checkpoints.
        members: the others, at least one.
        policies: whose checkpoints count, at least one: each log is opened by the one that names it, or, if none
            does, by the first.
        workers: how many logs are audited at a time, each by a process of its own; 1: all by this one alone; None: by
            this one, with processes beside it that verify signatures, as many as there are processors.
        progress: told now and then how far it is, over all logs; of those in other processes, when one is done.

    Raises:
        UsageError: there is no such folder; two are of one log; two policies name one log; or no other log is given.
        NotALedgerError, EditionUnknownError, SourceUnreadableError, LedgerError, ModuleNotFoundError: as of an audit.
    """
    asked = _look_at(network, members, policies)
    with closing(Uses()) as uses:
        outcomes = _audit_each(asked, uses, workers, progress)
        findings = FindingsTogether()
        origins = [one.origin for one in asked]
        logs: list[AuditedLog] = []
        for one, outcome in zip(asked, outcomes, strict=True):
            recorded = check_recorded(uses, origins[0], _member(one, outcome), findings) if logs else None
            said = outcome.member_of
            logs.append(AuditedLog(origin=one.origin, member_of=said, recorded=recorded, report=outcome.report))
        compare(uses, origins, findings)
        found = findings.in_order()
        is_clean = not found and all(outcome.report.is_clean for outcome in outcomes)
        return NetworkReport(
            verdict="clean" if is_clean else "findings",
            logs=tuple(logs),
            findings=found,
            not_given=not_given(uses, origins),
        )


def _audit_each(
    asked: Sequence[_Asked], uses: Uses, workers: int | None, progress: Progress | None
) -> list[LogOutcome]:
    """Audit each log by itself, the network's first, and write down what they used."""
    total = sum(one.size for one in asked)
    here = asked if workers is None or workers == 1 else asked[:1]
    outcomes: list[LogOutcome] = []
    done = 0
    for one in here:
        outcomes.append(audit_one(one.order, uses, workers, _part_of(progress, done, total)))
        done += one.size
    sizes = {one.order.place: one.size for one in asked}

    def is_done(order: LogOrder) -> None:
        nonlocal done
        done += sizes[order.place]
        if progress is not None:
            progress(done, total)

    others = [one.order for one in asked[len(here) :]]
    return outcomes + audit_apart(others, uses, workers or 1, is_done) if others else outcomes


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
        for one in asked:
            if shown is not None and one.origin == shown.origin:
                raise UsageError(f"{one.order.source} and {source} are both of the log {one.origin}: give one of them")
        order = LogOrder(len(asked), source, policy)
        asked.append(_Asked(order, name_of_log([shown], policy), 0 if shown is None else shown.size))
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


def _part_of(progress: Progress | None, done: int, total: int) -> Progress | None:
    return None if progress is None else lambda of_this, _: progress(done + of_this, total)


def _member(asked: _Asked, outcome: LogOutcome) -> Member:
    """Return a log, and its keys: of the policy, and those that its entries changed them for."""
    shown = outcome.report.checkpoint
    newest = None if shown is None else Checkpoint(shown.origin, shown.size, shown.root_bytes)
    trusted = {line.vkey.to_text() for line in asked.order.policy.logs if line.vkey.name == asked.origin}
    return Member(asked.order.source, asked.origin, newest, trusted | outcome.vkeys)
