"""Several logs of one network are audited together: each by itself, and what only all of them show.

    network audit NETWORK_SOURCE SOURCE… --trust POLICY        the network's log first, then its members'

Status as of `tallystick audit`: 1 means that something was found in a log or in all together; 2 that the audit couldn't
be made, so nothing is said about any.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

import sys
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from tallystick.cli import output, parameters, reading
from tallystick.cli.statuses import AS_ASKED, REFUSED
from tallystick.errors import UsageError
from tallystick.named_files import Kind, NamedFile

if TYPE_CHECKING:
    from tallystick.audit.network_report import AuditedLog, NetworkReport, Recorded
    from tallystick.sources import Source
else:  # typer takes no union
    Source = type("folder or URL", (), {})

REPORT: Final = Kind("a report on several logs", lambda data: data.startswith(b'{\n  "verdict": "'))


def network_audit(
    network: Annotated[
        Source,
        typer.Argument(
            metavar="NETWORK_SOURCE", parser=reading.source_of, help="The log that records the others' checkpoints."
        ),
    ],
    members: Annotated[
        list[Source],
        typer.Argument(metavar="SOURCE...", parser=reading.source_of, help="The other logs, each as `audit` takes it."),
    ],
    trust: Annotated[
        list[Path],
        typer.Option(
            help="A trust policy, obtained out of band, that names one log or several. Repeatable: each log is "
            "believed by the policy that names it."
        ),
    ],
    report: Annotated[str | None, typer.Option(metavar="FILE", help="Also write the report (JSON) there.")] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, help="How many logs are audited at a time, each by a process of its own; 1: all by this one alone."
        ),
    ] = None,
    force: parameters.Force = False,
    as_json: parameters.AsJson = False,
) -> int:
    """Audit a network's log and its members' logs, each in full and then together; status 1 if anything is found.

    Together means: every checkpoint that the network's log recorded of another log must hold in it, and what may be
    used once (a document, a job's time, a payment reference, a cap) must be used once over all of them.
    """
    from tallystick.audit.network_audit import audit_network
    from tallystick.wire.json_text import escaped_json

    policies = [reading.read_policy(path) for path in trust]
    place = None if report is None else NamedFile(report, REPORT, force=force)
    to_stdout = place is not None and place.is_standard_output
    if to_stdout and as_json:
        raise UsageError("--json and a report on standard output exclude each other: give one")
    with output.progress("Auditing") as progress:
        found = audit_network(network, members, policies, workers=workers, progress=progress)
    if place is not None:
        place.write(found.to_bytes())
    if as_json:
        output.data(escaped_json(found.to_bytes().decode()).encode())
    else:
        with redirect_stdout(sys.stderr) if to_stdout else nullcontext():
            _print_report(found)
    return AS_ASKED if found.is_clean else REFUSED


def _print_report(report: "NetworkReport") -> None:
    """Print the verdict, each log with how far it is recorded, and each finding."""
    output.line(f"verdict: {report.verdict}")
    rows = [
        (log.origin, f"{log.report.entries:,}", log.report.verdict, *_recorded(log.recorded)) for log in report.logs
    ]
    headings = ["log", "entries ", "verdict", "recorded checkpoints ", "newest of entries ", "entries beyond "]
    output.table("the logs; the first is the network's, which records the others' checkpoints", headings, rows)
    for log in report.logs:
        _print_log(log, report.logs[0].origin)
    for missing in report.not_given:
        output.line(f"not audited: {missing.log}, of which {missing.checkpoints:,} checkpoints are recorded")
    for finding in report.findings:
        output.line(str(finding))


def _recorded(recorded: "Recorded | None") -> tuple[str, str, str]:
    if recorded is None:
        return "", "", ""
    return f"{recorded.checkpoints:,}", f"{recorded.size:,}", f"{recorded.entries_beyond:,}"


def _print_log(log: "AuditedLog", network: str) -> None:
    """Print what is to be known of one log, and what its own audit found."""
    recorded = log.recorded
    if recorded is not None and log.member_of not in (None, network):
        output.line(f"{log.origin}: it says that it is a member of {log.member_of}")
    if recorded is not None and recorded.at is not None:
        newest = output.readable("at", recorded.at)
        output.line(f"{log.origin}: its newest recorded checkpoint is entry {recorded.index}, of {newest}")
    elif recorded is not None:
        output.line(f"{log.origin}: no checkpoint of it is recorded, so nothing holds it to what it was before")
    if recorded is not None and recorded.by_other_keys:
        output.line(f"{log.origin}: {recorded.by_other_keys:,} recorded under its name by keys that aren't its own")
    for key in log.report.compromised_keys or ():
        output.line(f"{log.origin}: to be reviewed: {key.key}, compromised since {key.since}; see its own audit")
    for finding in log.report.findings:
        output.line(f"{log.origin}: {finding}")
