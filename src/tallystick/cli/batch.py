"""Many commands out of a sheet: previewed, agreed to, signed once each, and sent until answered.

    (1) every row is read; all that is wrong is said by line and heading, and nothing is signed
    (2) what would be decided on all of them, one after another, is shown
    (3) once agreed to, every note lies in the outbox before the first is sent
    (4) they are sent in groups; receipts and answers are kept before the next group

Killed at any moment, the same command goes on where it was. A row without a `ref` gets one that is made of the file's
name and of what the row says, so that the same row is never signed twice; client/outbox.py.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tallystick.cli import drafting, output, streams
from tallystick.cli.receipts_kept import keep_receipts
from tallystick.cli.statuses import AS_ASKED, REFUSED
from tallystick.errors import UsageError

if TYPE_CHECKING:
    from tallystick.cli.drafting import Draft
    from tallystick.cli.places import Place
    from tallystick.client.outbox import Outbox
    from tallystick.forms.form import Form
    from tallystick.forms.sheets import Row, SheetFault
    from tallystick.profile import Profile
    from tallystick.signing.keys import SigningKey
    from tallystick.wire import JsonObject

OUTBOX: Final = "outbox"
"""In the profile's folder, and in it a folder for each party."""
SIZE_MAX: Final = 16_777_216
GROUP: Final = 128
"""Notes sent at once: what a kill may leave unanswered, and unknown to the outbox."""
_PREVIEWED: Final = 10
"""Rows shown of those that would be accepted; of those that would be refused all are."""
_SUMMED: Final = ("face", "amount", "fee")


@dataclass(frozen=True, slots=True)
class Batch:
    """What is to become of a sheet; `form` is None where each row says its kind."""

    form: "Form | None"
    file: Path
    encoding: str
    profile: "Profile"
    place: "Place"
    keys: "Callable[[], Sequence[SigningKey]]"
    is_agreed: bool
    is_check: bool
    as_json: bool


@dataclass(frozen=True, slots=True)
class _Line:
    """A row: its line, its document number, its command, and its note if it was signed before."""

    line: int
    ref: str
    draft: "Draft"


def run(batch: Batch) -> int:
    """Do all commands of a sheet, and return the exit status."""
    from tallystick.client.outbox import open_outbox

    rows = _rows(batch)
    with open_outbox(batch.profile.folder / OUTBOX / (batch.profile.party or "")) as outbox:
        at = batch.place.clock()
        lines = _drafted(batch, rows, at)
        notes = _notes(batch, outbox, lines)
        answered = {line.ref: answer for line in lines if (answer := _final(outbox, line, notes)) is not None}
        waiting = [line for line in lines if line.ref not in answered]
        if not _agreed(batch, lines, waiting, notes, len(answered)):
            return REFUSED if not batch.is_check else _status_of_check(batch, waiting, notes)
        outbox.add({line.ref: notes[line.ref] for line in waiting})
        _send(batch, outbox, waiting, notes, answered)
    return _report(batch, lines, answered)


def _rows(batch: Batch) -> "list[Row]":
    """Return the sheet's rows.

    Raises:
        UsageError: it is no sheet of the kind.
    """
    from tallystick.forms.sheets import read_sheet, text_of

    with batch.file.open("rb") as file:
        data = file.read(SIZE_MAX + 1)
    if len(data) > SIZE_MAX:
        raise UsageError(f"{batch.file} is larger than {SIZE_MAX:,} bytes: make several files of it")
    try:
        text = text_of(data, batch.encoding)
    except ValueError as error:
        raise UsageError(f"{batch.file}: {error}") from None
    rows, faults = read_sheet(batch.form, text)
    _complain_of(batch, faults)
    return rows


def _complain_of(batch: Batch, faults: "Sequence[SheetFault]") -> None:
    """Say what is wrong, each in a line; nothing if nothing is.

    Raises:
        UsageError: something is.
    """
    if not faults:
        return
    if len(faults) == 1:
        raise UsageError(f"{batch.file}, {faults[0]}; nothing was signed")
    for fault in faults:
        streams.say(f"tallystick: {batch.file}, {fault}")
    raise UsageError(f"{batch.file}: {len(faults)} things are wrong, and nothing was signed")


def _drafted(batch: Batch, rows: "Sequence[Row]", at: int) -> list[_Line]:
    """Return every row's command."""
    from tallystick.forms.sheets import SheetFault

    lines: list[_Line] = []
    faults: list[SheetFault] = []
    seen = Counter[str]()
    for row in rows:
        ref = row.ref or _ref_of(batch, row, seen)
        common = drafting.common_fields(batch.profile, batch.place, ref, at)
        try:
            draft, wrong = drafting.drafted(row.form, row.words, common, batch.place.zone)
        except OSError as error:
            faults.append(SheetFault(row.line, None, f"{error.filename}: {error.strerror}"))
            continue
        if draft is None:
            faults += [SheetFault(row.line, fault.option, fault.words) for fault in wrong]
        else:
            lines.append(_Line(row.line, ref, draft))
    _complain_of(batch, faults)
    return lines


def _ref_of(batch: Batch, row: "Row", seen: Counter[str]) -> str:
    """Return the document number of a row that says none: the same for the same row of the same file, ever again."""
    from tallystick.signing.algorithms import SHA256

    said = json.dumps([row.form.kind, batch.file.name, row.words], ensure_ascii=False, sort_keys=True)
    digest = SHA256.digest(said.encode()).hex()[:16]
    seen[digest] += 1
    return f"row-{digest}-{seen[digest]}"


def _notes(batch: Batch, outbox: "Outbox", lines: Sequence[_Line]) -> dict[str, bytes]:
    """Return every row's note: the one that was signed before, or a new one, which is nowhere yet.

    Raises:
        UsageError: a document number was signed with something else, and wasn't refused.
    """
    from tallystick.signing.note import sign_text

    keys = batch.keys()
    notes: dict[str, bytes] = {}
    for line in lines:
        there = outbox.note(line.ref)
        if there is not None and not outbox.was_refused(line.ref):
            if _says(there) != {**line.draft.fields, "signed_at": ""}:
                raise UsageError(
                    f"{batch.file}, line {line.line}: {line.ref} was signed before with something else, and may be "
                    "recorded: give this row a ref of its own"
                )
            notes[line.ref] = there
        else:
            notes[line.ref] = sign_text(line.draft.text, *keys)
    return notes


def _says(note: bytes) -> "JsonObject":
    """Return what a note's command says, whenever it was signed."""
    fields: JsonObject = json.loads(note.partition(b"\n")[0])
    return fields | {"signed_at": ""}


def _final(outbox: "Outbox", line: _Line, notes: Mapping[str, bytes]) -> "JsonObject | None":
    """Return the answer that a row has for good: it is recorded."""
    answer = outbox.answer(line.ref)
    return answer if answer is not None and answer["accepted"] and outbox.note(line.ref) == notes[line.ref] else None


def _agreed(
    batch: Batch, lines: Sequence[_Line], waiting: Sequence[_Line], notes: Mapping[str, bytes], done: int
) -> bool:
    """Show what would be decided, and return whether it is agreed to."""
    if done and not batch.as_json:
        output.line(f"{done:,} of {len(lines):,} rows are recorded already")
    if not waiting:
        return not batch.is_check
    if not batch.as_json and not (batch.is_check):
        _preview(batch, waiting, batch.place.check([notes[line.ref] for line in waiting]))
    if batch.is_check:
        return False
    if drafting.confirm(f"Sign and send these {len(waiting):,} commands?", is_agreed=batch.is_agreed):
        return True
    output.notice("nothing was sent")
    return False


def _status_of_check(batch: Batch, waiting: Sequence[_Line], notes: Mapping[str, bytes]) -> int:
    said = batch.place.check([notes[line.ref] for line in waiting])
    if batch.as_json:
        from tallystick.wire.answers import answers_to

        output.print_json(answers_to((f"line {line.line}", one) for line, one in zip(waiting, said, strict=True)))
    else:
        _preview(batch, waiting, said)
    return AS_ASKED if all(one["accepted"] for one in said) else REFUSED


def _preview(batch: Batch, waiting: Sequence[_Line], said: "Sequence[JsonObject]") -> None:
    """Show the rows that would be refused, and the first of the others."""
    from tallystick.forms.words import in_words

    shown = 0
    table = []
    for line, one in zip(waiting, said, strict=True):
        if one["accepted"]:
            shown += 1
            if shown > _PREVIEWED:
                continue
        decision = "would be recorded" if one["accepted"] else f"would be refused: {one['reason']}: {one['detail']}"
        sentence = in_words(line.draft.fields, batch.place.zone, batch.place.name_of).sentence
        table.append((line.line, sentence, decision))
    output.table(f"{batch.file}, what would be decided", ("line ", "command", "decision"), table)
    refused = sum(not one["accepted"] for one in said)
    more = f", of which {shown - _PREVIEWED:,} are not shown" if shown > _PREVIEWED else ""
    output.line(f"{shown:,} would be recorded{more}; {refused:,} would be refused{_sums(waiting)}")


def _sums(lines: Sequence[_Line]) -> str:
    from tallystick.forms.amounts import yuan

    said = [
        f"{name} in all {yuan(sum(int(line.draft.fields.get(f'{name}_fen', 0)) for line in lines))} yuan"
        for name in _SUMMED
        if any(f"{name}_fen" in line.draft.fields for line in lines)
    ]
    return "".join(f"; {one}" for one in said)


def _send(
    batch: Batch,
    outbox: "Outbox",
    waiting: Sequence[_Line],
    notes: Mapping[str, bytes],
    answered: "dict[str, JsonObject]",
) -> None:
    """Send what waits, group by group; what was answered is kept before the next group is sent."""
    with output.progress("Sending") as progress:
        for start in range(0, len(waiting), GROUP):
            group = waiting[start : start + GROUP]
            answers = batch.place.submit([notes[line.ref] for line in group])
            paths = keep_receipts(batch.profile.folder, answers)
            said = [
                (line.ref, dict(answer.said) | ({"receipt": path} if path else {}))
                for line, answer, path in zip(group, answers, paths, strict=True)
            ]
            outbox.keep(said)
            answered |= dict(said)
            if progress is not None:
                progress(start + len(group), len(waiting))


def _report(batch: Batch, lines: Sequence[_Line], answered: "Mapping[str, JsonObject]") -> int:
    """Print what became of every row, and return the status for it."""
    from tallystick.wire.answers import answers_to

    refused = [line for line in lines if not answered[line.ref]["accepted"]]
    if batch.as_json:
        output.print_json(answers_to((f"line {line.line}", answered[line.ref]) for line in lines))
        return REFUSED if refused else AS_ASKED
    for line in refused:
        answer = answered[line.ref]
        output.line(f"line {line.line}: refused: {answer['reason']}: {answer['detail']}")
    output.line(f"{len(lines) - len(refused):,} of {len(lines):,} rows are recorded; {len(refused):,} were refused")
    return REFUSED if refused else AS_ASKED
