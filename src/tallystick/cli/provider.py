"""What a provider does, and whoever else brings notes: check them, submit them, look things up.

    check SOURCE NOTE...     what would be decided, line by line, and nothing written
    submit SOURCE NOTE...    decided, recorded, and answered with receipts
    show SOURCE voucher|holder|programme|provider ID

`check` is how a provider knows before it runs a job that it will be paid: the same function decides, on a copy of the
state. The answers to both commands have one shape; `docs/rules.md` lists the reasons.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

import os
from collections.abc import Sequence
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tallystick.cli import REFUSED, output, reading

if TYPE_CHECKING:
    from tallystick.vouchers.refusals import Refusal

MANY_NOTES = 256  # from here on it is worth starting processes that verify signatures

Answer = dict[str, Any]
"""What is said of a note: JSON values; `accepted`, and then what it is or why it is refused."""


class What(StrEnum):
    """What can be shown."""

    VOUCHER = "voucher"
    HOLDER = "holder"
    PROGRAMME = "programme"
    PROVIDER = "provider"


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command(short_help="Say what submit would decide; write nothing.")(check)
    app.command(short_help="Record notes, or say why not.")(submit)
    app.command(short_help="Show a voucher, holder, programme or provider.")(show)


def check(
    source: Annotated[str, typer.Argument(help="A ledger folder; it may be in use.")],
    notes: Annotated[list[str], typer.Argument(metavar="NOTE...", help="Signed notes, decided in order; - is stdin.")],
    at: Annotated[
        str | None, typer.Option(help="Decide as if it were then, for a job yet to run: 2026-01-05T08:00:00Z.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what `submit` would decide, line by line, and write nothing; status 1 if a note would be refused."""
    from tallystick.ledger.checking import check_notes
    from tallystick.ledger.opening import read_ledger
    from tallystick.vouchers.refusals import Refusal

    data = [reading.read_file(note) for note in notes]
    instant = reading.now() if at is None else reading.read_moment(at)
    with read_ledger(reading.folder_of(source)) as reader, output.progress("Reading the ledger") as progress:
        state = reader.state(progress=progress)
        decided = check_notes(state, data, instant)
    answers = [
        _refused(name, answer) if isinstance(answer, Refusal) else _accepted(name, answer.data)
        for name, answer in zip(notes, decided, strict=True)
    ]
    _report(answers, "would be", as_json=as_json)


def submit(
    source: Annotated[str, typer.Argument(help="A ledger folder.")],
    notes: Annotated[list[str], typer.Argument(metavar="NOTE...", help="Signed notes, decided in order; - is stdin.")],
    receipts: Annotated[Path | None, typer.Option(help="Write <index>.tlog-proof there for each entry.")] = None,
    at: Annotated[
        str | None,
        typer.Option(help="The log's time instead of this machine's, for rehearsals only: it can never go back again."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Record notes, or say why not; submitting again is harmless. Status 1 if a note was refused."""
    from tallystick.ledger.opening import open_ledger
    from tallystick.ledger.settings import load_settings
    from tallystick.vouchers.refusals import Refusal

    folder = reading.folder_of(source)
    settings = load_settings(folder)
    data = [reading.read_file(note) for note in notes]
    clock = reading.clock(at)
    log_key = reading.load_key(settings.log_key, settings.log_key_passphrase_file)
    if receipts is not None:
        receipts.mkdir(parents=True, exist_ok=True)
    processes = (os.cpu_count() or 1) if len(data) >= MANY_NOTES else 0
    answers: list[Answer] = []
    with open_ledger(folder, log_key, clock=clock, verify_processes=processes) as ledger:
        for name, answer in zip(notes, ledger.submit(data), strict=True):
            if isinstance(answer, Refusal):
                answers.append(_refused(name, answer))
                continue
            answers.append(_accepted(name, answer.entry) | {"is_new": answer.is_new})
            if receipts is not None:
                path = receipts / f"{answer.index}.tlog-proof"
                output.write_whole(path, answer.receipt().to_bytes())
                answers[-1]["receipt"] = str(path)
    _report(answers, "was", as_json=as_json)


def show(
    source: Annotated[str, typer.Argument(help="A ledger folder.")],
    what: Annotated[What, typer.Argument(help="What to show.")],
    id_: Annotated[str, typer.Argument(metavar="ID", help="Its id, for example acme-ai/v-1 or guian-cluster.")],
    at: Annotated[str | None, typer.Option(help="As of an entry's index, or a time like 2026-01-05T08:00:00Z.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON; amounts in fen.")] = False,
) -> None:
    """Show a voucher and its history, a holder, a programme's book, or a provider's statement."""
    from tallystick.cli.views import open_views, with_times_as_text

    with open_views(source, at) as views:
        found = with_times_as_text(asdict(getattr(views, what.value)(id_)))
    if as_json:
        output.print_json({what.value: found})
    else:
        output.record(f"{what.value} {id_}", found.pop("balance") | found)


def _refused(name: str, refusal: "Refusal") -> Answer:
    reason = refusal.reason
    return {
        "note": name,
        "accepted": False,
        "reason": reason.value,
        "detail": refusal.detail or reason.meaning,
        "later": reason.later,
    }


def _accepted(name: str, data: bytes) -> Answer:
    """Say what an entry is; of a statement, each line."""
    from tallystick.vouchers.entry import Entry
    from tallystick.vouchers.events import Burned, outcome_to_json

    event = Entry.from_bytes(data).event
    answer: Answer = {
        "note": name,
        "accepted": True,
        "index": event.index,
        "at": output.moment(event.at),
        "kind": event.kind,
    }
    if not isinstance(event.outcome, Burned):
        return answer | {"outcome": outcome_to_json(event.kind, event.outcome)}
    refused = dict(event.outcome.refused)
    lines = []
    for number, line in enumerate(event.command.lines):  # type: ignore[attr-defined]
        said: dict[str, Any] = {"line": number, "job": line.job, "reservation": line.reservation}
        if number in refused:
            reason = refused[number]
            said |= {"accepted": False, "reason": reason.value, "detail": reason.meaning, "later": reason.later}
        else:
            fees = {
                "fee_fen": event.outcome.fee_fen[number],
                "from_voucher_fen": event.outcome.from_voucher_fen[number],
            }
            said |= {"accepted": True} | fees
        lines.append(said)
    return answer | {"lines": lines}


def _report(answers: Sequence[Answer], tense: str, *, as_json: bool) -> None:
    """Print the answers and end with the status for them."""
    if as_json:
        output.print_json({"notes": answers})
    else:
        for answer in answers:
            _print(answer, tense)
    if not all(answer["accepted"] for answer in answers):
        raise typer.Exit(REFUSED)


def _print(answer: Answer, tense: str) -> None:
    """Print a note's answer in one line, and a table of a statement's lines."""
    if not answer["accepted"]:
        again = "; the same may be accepted later" if answer["later"] else ""
        output.line(f"{answer['note']}: refused: {answer['reason']}: {answer['detail']}{again}")
        return
    again = "" if answer.get("is_new", True) else " (recorded before)"
    output.line(f"{answer['note']}: {answer['index']} {answer['kind']}{_outcome(answer)}{again}")
    rows = [
        (
            line["line"],
            line["job"],
            line["reservation"],
            output.yuan(line["fee_fen"]) if line["accepted"] else "",
            output.yuan(line["from_voucher_fen"]) if line["accepted"] else "",
            "burned" if line["accepted"] else f"refused: {line['reason']}",
        )
        for line in answer.get("lines", ())
    ]
    if rows:
        heading = f"What {tense} decided of each line, in yuan"
        output.table(heading, ("line ", "job", "reservation", "fee ", "from voucher ", "decision"), rows)


def _outcome(answer: Answer) -> str:
    """Return the words for what a command came to."""
    words = [
        f"{name.removesuffix('_fen').replace('_', ' ')} {output.yuan(value) if name.endswith('_fen') else value}"
        for name, value in answer.get("outcome", {}).items()
    ]
    return ": " + ", ".join(words) if words else ""
