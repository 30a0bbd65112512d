"""usage burn: the plan is shown, agreed to, signed once into an outbox, and sent until it is answered.

    (1) what an earlier run signed and has no answer to is sent again, the same bytes
    (2) the plan is made against the log as it is then, previewed and shown
    (3) once agreed to, evidence is written, and every note lies in the outbox before the first is sent
    (4) they are sent in groups; receipts and answers are kept before the next group

So it can be given again at any time, whatever was lost: a plan has only what doesn't stand, a note that was sent is
sent again as it was, and what a lost outbox had sent stands in the log. docs/decisions/0129.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from tallystick.cli import drafting, output, parameters
from tallystick.cli.receipts_kept import keep_receipts
from tallystick.cli.statuses import AS_ASKED, REFUSED
from tallystick.cli.usage_inputs import Files, FormatName, MappingFile, SoFar
from tallystick.cli.usage_plan import SplitBy

if TYPE_CHECKING:
    from tallystick.cli.places import Place
    from tallystick.cli.usage_planning import PreviewedPlan, Signer
    from tallystick.client.outbox import Outbox
    from tallystick.profile import Profile
    from tallystick.signing.keys import SigningKey
    from tallystick.usage.statements import PlannedStatement
    from tallystick.wire import JsonObject

OUTBOX: Final = "usage-outbox"
"""In the profile's folder, and in it a folder for each party."""
EVIDENCE: Final = "evidence"
"""In the profile's folder: a file of JSON lines for each statement."""
GROUP: Final = 64
"""Statements sent at once."""


@dataclass(slots=True)
class _Burning:
    """What it is done with, and what came of it.

    Attributes:
        answers: to the notes that were sent, by reference.
    """

    profile: "Profile"
    open_place: "Callable[[], Place]"
    keys: "Callable[[], list[SigningKey]]"
    outbox: "Outbox"
    answers: "dict[str, JsonObject]" = field(default_factory=dict)


def add_commands(group: typer.Typer) -> None:
    """Add the command of this file."""
    group.command("burn")(burn)


def burn(
    files: Files,
    format_: FormatName,
    mapping: MappingFile,
    split: SplitBy = None,
    so_far: SoFar = False,
    no_evidence: Annotated[bool, typer.Option("--no-evidence", help="Leave the hashes of records out.")] = False,
    yes: parameters.Yes = False,
    profile: parameters.ProfileFile = None,
    source: parameters.ProfileSource = None,
    party: parameters.ProfileParty = None,
    sign_with: parameters.SignWith = None,
    passphrase_file: parameters.SignerPassphrase = None,
    passphrase_command: parameters.SignerPassphraseCommand = None,
    policy: parameters.ProfilePolicy = None,
    log_time: parameters.LogTime = None,
    as_json: parameters.AsJsonInFen = False,
) -> int:
    """Burn what isn't burned yet. It can be given again at any time: nothing is burned twice."""
    from tallystick.cli.place_opening import open_place
    from tallystick.cli.usage_inputs import read_usage_files
    from tallystick.cli.usage_planning import Signer, evidence_key_of, planned

    found = drafting.profile_of(profile, source, policy, passphrase_file, passphrase_command, party)
    keys = drafting.keys_of(found, sign_with or ())
    usage = read_usage_files(files, format_, mapping, so_far=so_far)
    with _burning(found, lambda: open_place(found, keys, log_time), keys) as burning:
        _send_unanswered(burning)
        evidence_key = None if no_evidence else evidence_key_of(found)
        with closing(burning.open_place()) as place:
            signer = Signer(found, place, keys, evidence_key)
            made = planned(usage, signer, None if split is None else split.value, is_previewed=True)
            if not as_json:
                _show(made)
            statements = _new(burning, made)
            if statements and not _agreed(made, is_agreed=yes):
                return REFUSED
            notes = _sign(burning, signer, statements)
        _send(burning, notes)
    return _report(burning, made, as_json=as_json)


@contextmanager
def _burning(
    profile: "Profile", open_place: "Callable[[], Place]", keys: "Callable[[], list[SigningKey]]"
) -> "Iterator[_Burning]":
    """Give the outbox of a party, which no other process has meanwhile."""
    from tallystick.client.outbox import open_outbox
    from tallystick.errors import LedgerBusyError, UsageError

    if profile.party is None:
        raise UsageError("which party burns this? give --party, or write a profile with `tallystick init`")
    folder = profile.folder / OUTBOX / profile.party
    try:
        with open_outbox(folder) as outbox:
            yield _Burning(profile, open_place, keys, outbox)
    except LedgerBusyError as error:
        raise LedgerBusyError(
            f"{error}; another `usage burn` of {profile.party} is at work: give it again then"
        ) from None


def _send_unanswered(burning: _Burning) -> None:
    """Send what an earlier run signed and didn't see answered, so that the log has it before it is asked."""
    waiting = burning.outbox.unanswered()
    if not waiting:
        return
    output.notice(f"statements of an earlier run without an answer, sent again as they are: {len(waiting):,}")
    _send(burning, waiting)
    refused = [ref for ref in waiting if not burning.answers[ref]["accepted"]]
    for ref in refused:  # too old, for example; what they had is planned anew
        output.notice(f"{ref} is refused now: {burning.answers.pop(ref)['reason']}; its lines are planned anew")


def _new(burning: _Burning, made: "PreviewedPlan") -> "list[PlannedStatement]":
    """Return the statements to sign: a service may show less than it has answered, and those are on their way."""
    assert made.preview is not None
    outbox = burning.outbox
    return [
        statement
        for statement in made.preview.statements
        if (answer := outbox.answer(statement.ref)) is None or not answer["accepted"]
    ]


def _show(made: "PreviewedPlan") -> None:
    from tallystick.cli.usage_shown import show_plan

    show_plan(made)


def _agreed(made: "PreviewedPlan", *, is_agreed: bool) -> bool:
    assert made.preview is not None
    lines = sum(len(statement.lines) for statement in made.preview.statements)
    question = f"Sign and send these {lines:,} lines?"
    if drafting.confirm(question, is_agreed=is_agreed):
        return True
    output.notice("nothing was signed")
    return False


def _sign(burning: _Burning, signer: "Signer", statements: "list[PlannedStatement]") -> dict[str, bytes]:
    """Sign statements, keep their evidence and then the notes, and return these by reference."""
    from tallystick.durable_files import DurableFiles
    from tallystick.usage.evidence import evidence_lines

    notes = dict(zip([one.ref for one in statements], signer.signed(statements), strict=True))
    if signer.evidence_key is not None and statements:
        folder = burning.profile.folder / EVIDENCE
        folder.mkdir(mode=0o700, exist_ok=True)
        with DurableFiles(folder, 0o600) as files:
            for one in statements:
                name = f"{Path(one.ref).name}.jsonl"
                files.write(name, evidence_lines(one.ref, one.lines, signer.evidence_key))
            files.sync()
    burning.outbox.add(notes)
    return notes


def _send(burning: _Burning, notes: Mapping[str, bytes]) -> None:
    """Send notes, group by group; what was answered is kept before the next group is sent."""
    refs = [*notes]
    if not refs:
        return
    with closing(burning.open_place()) as place, output.progress("Sending") as progress:
        for start in range(0, len(refs), GROUP):
            group = refs[start : start + GROUP]
            answers = place.submit([notes[ref] for ref in group])
            paths = keep_receipts(burning.profile.folder, answers)
            said = [
                (ref, _shortened(answer.said) | ({"receipt": path} if path else {}))
                for ref, answer, path in zip(group, answers, paths, strict=True)
            ]
            burning.outbox.keep(said)
            burning.answers |= dict(said)
            if progress is not None:
                progress(start + len(group), len(refs))


def _shortened(said: "JsonObject") -> "JsonObject":
    """Return an answer without the lines that were accepted, which are many."""
    lines = said.get("lines")
    if not isinstance(lines, list):
        return dict(said)
    short = {name: value for name, value in said.items() if name != "lines"}
    return short | {"lines": len(lines), "lines_refused": [line for line in lines if not line["accepted"]]}


def _report(burning: _Burning, made: "PreviewedPlan", *, as_json: bool) -> int:
    """Print what became of every statement, and return the status for it."""
    from tallystick.cli.usage_shown import plan_said
    from tallystick.wire.usage import sent

    answers = burning.answers
    refused = {ref: answer for ref, answer in answers.items() if not answer["accepted"]}
    lines_refused = sum(len(answer.get("lines_refused", ())) for answer in answers.values())
    if as_json:
        output.print_json(sent(plan_said(made), answers))
    else:
        for ref, answer in refused.items():
            output.line(f"{ref}: refused: {answer['reason']}: {answer['detail']}")
        more = f"; of their lines refused: {lines_refused:,}" if lines_refused else ""
        recorded = f"statements recorded: {len(answers) - len(refused):,}, refused: {len(refused):,}{more}"
        output.line(recorded if answers else "nothing was to be sent")
    return REFUSED if refused or lines_refused or made.is_open else AS_ASKED
