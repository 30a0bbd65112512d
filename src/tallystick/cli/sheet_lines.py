"""The rows of a sheet become commands, each with one note: its own, or one that others signed before.

A row without a `ref` gets one that is made of the file's name and of what the row says, so that the same row is never
signed twice (client/outbox.py). A note of others is known again by its text; one that waits, by what the row calls it.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tallystick.cli import drafting, reading, streams
from tallystick.errors import UsageError

if TYPE_CHECKING:
    from tallystick.cli.places import Place
    from tallystick.client.outbox import Outbox
    from tallystick.forms.form import Form
    from tallystick.forms.sheets import NoteRow, Row, SheetFault
    from tallystick.profile import Profile
    from tallystick.signing.keys import SigningKey
    from tallystick.wire import JsonObject

SIZE_MAX: Final = 16_777_216
_DIGITS: Final = 16


@dataclass(frozen=True, slots=True)
class Batch:
    """What is to become of a sheet.

    Attributes:
        form: of its rows; None where each row says its kind.
        file, encoding: of the sheet.
        profile: of the party.
        place: where the commands go.
        keys: opens the keys that sign.
        is_agreed: whether nobody is asked.
        is_check: whether nothing is to be recorded.
        as_json: whether answers are for programs.
        is_left: whether every note is left for others to sign.
    """

    form: "Form | None"
    file: Path
    encoding: str
    profile: "Profile"
    place: "Place"
    keys: "Callable[[], Sequence[SigningKey]]"
    is_agreed: bool
    is_check: bool
    as_json: bool
    is_left: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A row as a command.

    Attributes:
        line: of the sheet, counted from 1.
        name: by which the outbox knows its note; of a command of ours its document number.
        fields: what the command says.
        text: the same, as it is signed.
        signed: the note that others signed, None of a command of ours.
        is_left: whether the note is left for others to sign.
    """

    line: int
    name: str
    fields: "JsonObject"
    text: bytes
    signed: bytes | None
    is_left: bool


def rows_of(batch: Batch) -> "list[Row | NoteRow]":
    """Return a sheet's rows.

    Raises:
        UsageError: it is no sheet of the kind.
        OSError: it can't be read.
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


def lines_of(batch: Batch, outbox: "Outbox", rows: "Sequence[Row | NoteRow]") -> list[Line]:
    """Return every row's command.

    Raises:
        UsageError: what a row says is wrong; nothing was signed.
        ServerError: a note that waits can't be asked for.
    """
    from tallystick.forms.sheets import NoteRow, SheetFault

    at = batch.place.clock()
    lines: list[Line] = []
    faults: list[SheetFault] = []
    seen = Counter[str]()
    for row in rows:
        try:
            if isinstance(row, NoteRow):
                lines.append(_note_line(batch, outbox, row))
                continue
            ref = row.ref or _ref_of(batch, row, seen)
            common = drafting.common_fields(batch.profile, batch.place, ref, at)
            draft, wrong = drafting.drafted(row.form, row.words, common, batch.place.zone)
        except OSError as error:
            faults.append(SheetFault(row.line, None, f"{error.filename}: {error.strerror}"))
            continue
        except ValueError as error:
            faults.append(SheetFault(row.line, None, str(error)))
            continue
        if draft is None:
            faults += [SheetFault(row.line, fault.option, fault.words) for fault in wrong]
        else:
            lines.append(Line(row.line, ref, draft.fields, draft.text, None, row.is_left or batch.is_left))
    _complain_of(batch, faults)
    return lines


def notes_of(batch: Batch, outbox: "Outbox", lines: Sequence[Line]) -> dict[str, bytes]:
    """Return every row's note: the one that was signed before, or a new one, which is nowhere yet.

    Raises:
        UsageError: a document number was signed with something else, and wasn't refused.
    """
    from tallystick.signing.note import add_signatures, sign_text

    keys = batch.keys()
    notes: dict[str, bytes] = {}
    for line in lines:
        there = outbox.note(line.name)
        if there is not None and not outbox.was_refused(line.name):
            if line.signed is None and _says(there) != {**line.fields, "signed_at": ""}:
                raise UsageError(
                    f"{batch.file}, line {line.line}: {line.name} was signed before with something else, and may be "
                    "recorded: give this row a ref of its own"
                )
            notes[line.name] = there
        elif line.signed is None:
            notes[line.name] = sign_text(line.text, *keys)
        else:
            before = signers_of(line.signed)
            new = [key for key in keys if key.verifier.label not in before]
            notes[line.name] = add_signatures(line.signed, *new) if new else line.signed
    return notes


def signers_of(note: bytes) -> list[str]:
    """Return the labels of the keys that signed a note."""
    from tallystick.signing.note import Note

    return [line.label for line in Note.from_bytes(note).signatures]


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


def _note_line(batch: Batch, outbox: "Outbox", row: "NoteRow") -> Line:
    """Return a note that others signed as a row's command.

    Raises:
        ValueError: it is none, or of another log.
        OSError: it can't be read.
        ServerError: a note that waits can't be asked for.
    """
    from tallystick.forms.words import command_in
    from tallystick.signing.algorithms import SHA256
    from tallystick.signing.note import Note

    name, note = f"{row.note}, which waits", None
    try:
        if row.is_waiting:
            note = None if outbox.was_refused(name) else outbox.note(name)
            note = note or batch.place.waiting(row.note)
        else:
            note = reading.read_file(row.note)
    except UsageError as error:
        raise ValueError(str(error)) from None
    fields = command_in(note)
    if fields is None:
        raise ValueError(f"{row.note} is no note of a command")
    if fields["log"] != batch.place.origin:
        raise ValueError(f"{row.note} is for the log {fields['log']}, and this one is {batch.place.origin}")
    text = Note.from_bytes(note).text
    if not row.is_waiting:
        name = f"note-{SHA256.digest(text).hex()[:_DIGITS]}"
    return Line(row.line, name, fields, text, note, row.is_left or batch.is_left)


def _ref_of(batch: Batch, row: "Row", seen: Counter[str]) -> str:
    """Return the document number of a row that says none: the same for the same row of the same file, ever again."""
    from tallystick.signing.algorithms import SHA256

    said = json.dumps([row.form.kind, batch.file.name, row.words], ensure_ascii=False, sort_keys=True)
    digest = SHA256.digest(said.encode()).hex()[:_DIGITS]
    seen[digest] += 1
    return f"row-{digest}-{seen[digest]}"


def _says(note: bytes) -> "JsonObject":
    """Return what a note's command says, whenever it was signed."""
    fields: JsonObject = json.loads(note.partition(b"\n")[0])
    return fields | {"signed_at": ""}
