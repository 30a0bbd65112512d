"""What an auditor does, and whoever holds a receipt: audit a log, verify a receipt, get one.

    audit SOURCE --trust POLICY        replays everything and names what is wrong; trusts the policy and nothing else
    verify FILE.tlog-proof --trust POLICY    proves offline that one entry is in the log
    receipt SOURCE INDEX -o FILE       gets such a proof

Status 1 means that something was found; 2 that the audit couldn't be made, so nothing is said about the log.
"""

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tallystick.cli import REFUSED, output, reading
from tallystick.errors import ProofInvalidError, UsageError

if TYPE_CHECKING:
    from tallystick.audit.report import Report


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(audit)
    app.command()(verify)
    app.command()(receipt)


def audit(
    source: Annotated[str, typer.Argument(help="A ledger folder or an exported folder.")],
    trust: Annotated[Path, typer.Option(help="The trust policy, which you were given by hand.")],
    report: Annotated[Path | None, typer.Option(help="Also write the report (JSON) there.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Replay the whole log and confirm every number, or name the first entry that is wrong; status 1 if there are findings."""
    from tallystick.audit import audit as run_audit  # noqa: PLC0415

    policy = reading.read_policy(trust)
    with output.progress("Auditing") as progress:
        found = run_audit(reading.folder_of(source), policy, progress=progress)
    if report is not None:
        output.write_whole(report, found.to_bytes())
    if as_json:
        output.print_json(found.to_json())
    else:
        _print_report(found, source)
    if found.verdict != "clean":
        raise typer.Exit(REFUSED)


def verify(
    file: Annotated[str, typer.Argument(metavar="FILE.tlog-proof", help="A receipt; - is stdin.")],
    trust: Annotated[Path, typer.Option(help="The trust policy, which you were given by hand.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Prove that the entry in a receipt is in the log, with no ledger and no network."""
    from tallystick.signing.note import Note  # noqa: PLC0415
    from tallystick.transparency.receipt import Receipt, verify_receipt  # noqa: PLC0415
    from tallystick.vouchers.entry import Entry  # noqa: PLC0415
    from tallystick.vouchers.events import outcome_to_json  # noqa: PLC0415

    policy = reading.read_policy(trust)
    proof = Receipt.from_bytes(reading.read_file(file))
    if proof.entry is None:
        raise UsageError(f"{file} carries no entry, so there is nothing that it could prove; ask for a receipt with one")
    checkpoint = verify_receipt(proof, proof.entry, policy)
    # Only now are the bytes worth reading: they are what the log signed for.
    entry = Entry.from_bytes(proof.entry)
    event = entry.event
    if event.index != proof.index:
        raise ProofInvalidError(f"the entry says that it is entry {event.index}, and its place in the log is {proof.index}")
    said: dict[str, Any] = {
        "index": event.index,
        "at": output.moment(event.at),
        "kind": event.kind,
        "party": event.command.party,
        "ref": event.command.ref,
        "signed_by": [signature.label for signature in Note.from_bytes(proof.entry.split(b"\n", 1)[1]).signatures],
        "command": event.command.model_dump(mode="json", by_alias=True, exclude_none=True),
        "outcome": outcome_to_json(event.kind, event.outcome),
    }
    tree = {
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "root": base64.b64encode(checkpoint.root).decode(),
    }
    if as_json:
        output.print_json({"proven": True, "checkpoint": tree, "entry": said})
        return
    output.line(f"proven: entry {event.index} of {checkpoint.origin}, in its tree of {checkpoint.size:,} entries")
    output.fields("", [("root", tree["root"]), *((name, said[name]) for name in ("at", "kind", "party", "ref"))])
    output.fields("", [("signed by", label) for label in said["signed_by"]])
    output.record("command", {key: value for key, value in said["command"].items() if key not in _SAID_BEFORE})
    if said["outcome"]:
        output.record("outcome", said["outcome"])


_SAID_BEFORE = frozenset({"kind", "log", "party", "ref"})


def receipt(
    source: Annotated[str, typer.Argument(help="A ledger folder; it may be in use.")],
    index: Annotated[int, typer.Argument(help="The entry's index, counted from 0.")],
    file: Annotated[Path, typer.Option("--out", "-o", help="Where the receipt goes, by custom <index>.tlog-proof.")],
) -> None:
    """Write the proof that an entry is in the log; it carries the entry and stays good for ever."""
    from tallystick.ledger.opening import read_ledger  # noqa: PLC0415

    with read_ledger(reading.folder_of(source)) as reader:
        data = reader.receipt(index).to_bytes()
    output.write_whole(file, data)
    output.line(f"{file}: entry {index}, {len(data):,} bytes")
