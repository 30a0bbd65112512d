"""Many commands out of a sheet: previewed, agreed to, signed once each, and sent until answered.

    (1) every row is read; all that is wrong is said by line and heading, and nothing is signed
    (2) what would be decided on all of them, one after another, is shown: of a short sheet of several kinds in full
    (3) once agreed to, every note lies in the outbox before the first is sent
    (4) they are sent in groups; receipts and answers are kept before the next group

Killed at any moment, the same command goes on where it was: sheet_lines.py says how a row is known again.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Final

from tallystick.cli import drafting, output, sheet_lines
from tallystick.cli.receipts_kept import keep_receipts
from tallystick.cli.sending import leave, waiting_in_words
from tallystick.cli.sheet_lines import Batch
from tallystick.cli.statuses import AS_ASKED, REFUSED

if TYPE_CHECKING:
    from tallystick.cli.sheet_lines import Line
    from tallystick.client.outbox import Outbox
    from tallystick.wire import JsonObject

OUTBOX: Final = "outbox"
"""In the profile's folder, and in it a folder for each party."""
GROUP: Final = 128
"""Notes sent at once: what a kill may leave unanswered, and unknown to the outbox."""
_PREVIEWED: Final = 10
"""Rows shown of those that would be accepted; of those that would be refused all are."""
_WHOLE: Final = 20
"""Commands of a sheet of several kinds that are shown in full; of more a line each, as of a sheet of one kind."""
_SUMMED: Final = ("face", "amount", "fee")


def run(batch: Batch) -> int:
    """Do all commands of a sheet, and return the exit status."""
    from tallystick.client.outbox import open_outbox

    rows = sheet_lines.rows_of(batch)
    with open_outbox(batch.profile.folder / OUTBOX / (batch.profile.party or "")) as outbox:
        lines = sheet_lines.lines_of(batch, outbox, rows)
        notes = sheet_lines.notes_of(batch, outbox, lines)
        answered = {line.name: answer for line in lines if (answer := _final(outbox, line, notes)) is not None}
        waiting = [line for line in lines if line.name not in answered]
        if not batch.as_json:
            _say_done(lines, answered)
        if not _agreed(batch, waiting, notes):
            return REFUSED if not batch.is_check else _status_of_check(batch, waiting, notes)
        outbox.add({line.name: notes[line.name] for line in waiting})
        _send(batch, outbox, waiting, notes, answered)
    return _report(batch, lines, waiting, answered)


def _final(outbox: "Outbox", line: "Line", notes: Mapping[str, bytes]) -> "JsonObject | None":
    """Return the answer that a row has for good: it is recorded, or left with those who are to sign it."""
    answer = outbox.answer(line.name)
    return answer if answer is not None and answer["accepted"] and outbox.note(line.name) == notes[line.name] else None


def _say_done(lines: "Sequence[Line]", answered: "Mapping[str, JsonObject]") -> None:
    """Say how many rows an earlier run brought to their end."""
    left = sum("waiting" in answer for answer in answered.values())
    if answered:
        recorded = f"{len(answered) - left:,} of {len(lines):,} rows are recorded already"
        output.line(f"{recorded}{f'; {left:,} were left for other signatures' if left else ''}")


def _agreed(batch: Batch, waiting: "Sequence[Line]", notes: Mapping[str, bytes]) -> bool:
    """Show what would be decided, and return whether it is agreed to."""
    if not waiting:
        return not batch.is_check
    if not batch.as_json and not batch.is_check:
        _preview(batch, waiting, notes, _decided(batch, waiting, notes))
    if batch.is_check:
        return False
    if drafting.confirm(f"Sign and send these {len(waiting):,} commands?", is_agreed=batch.is_agreed):
        return True
    output.notice("nothing was sent")
    return False


def _decided(batch: Batch, waiting: "Sequence[Line]", notes: Mapping[str, bytes]) -> "list[JsonObject | None]":
    """Return what would be decided on rows, one after another; None of those that wait for other signatures."""
    said = iter(batch.place.check([notes[line.name] for line in waiting if not line.is_left]))
    return [None if line.is_left else next(said) for line in waiting]


def _status_of_check(batch: Batch, waiting: "Sequence[Line]", notes: Mapping[str, bytes]) -> int:
    said = _decided(batch, waiting, notes)
    if batch.as_json:
        from tallystick.wire.answers import answers_to

        named = zip(waiting, said, strict=True)
        output.print_json(answers_to((f"line {line.line}", one) for line, one in named if one is not None))
    else:
        _preview(batch, waiting, notes, said)
    return AS_ASKED if all(one is None or one["accepted"] for one in said) else REFUSED


def _preview(
    batch: Batch, waiting: "Sequence[Line]", notes: Mapping[str, bytes], said: "Sequence[JsonObject | None]"
) -> None:
    """Show what would be decided: all that is said by a few commands, or a line each."""
    decisions = [_decision(one) for one in said]
    if batch.form is None and len(waiting) <= _WHOLE:
        for line, decision in zip(waiting, decisions, strict=True):
            output.line(f"line {line.line}, {decision}")
            drafting.show(line.fields, batch.place.zone, batch.place.name_of)
            if line.signed is not None:
                output.line(f"signed by {', '.join(sheet_lines.signers_of(line.signed))}")
        shown = 0
    else:
        shown = _preview_in_lines(batch, waiting, said, decisions)
    refused = sum(one is not None and not one["accepted"] for one in said)
    left = sum(line.is_left for line in waiting)
    more = f", of which {shown - _PREVIEWED:,} are not shown" if shown > _PREVIEWED else ""
    wait = f"; {left:,} would wait for other signatures" if left else ""
    recorded = len(waiting) - refused - left
    output.line(f"{recorded:,} would be recorded{more}; {refused:,} would be refused{wait}{_sums(waiting)}")


def _decision(said: "JsonObject | None") -> str:
    if said is None:
        return "would wait for other signatures"
    return "would be recorded" if said["accepted"] else f"would be refused: {said['reason']}: {said['detail']}"


def _preview_in_lines(
    batch: Batch, waiting: "Sequence[Line]", said: "Sequence[JsonObject | None]", decisions: Sequence[str]
) -> int:
    """Show the rows that would be refused, and the first of the others; return how many others there are."""
    from tallystick.forms.words import in_words

    shown = 0
    table = []
    for line, one, decision in zip(waiting, said, decisions, strict=True):
        if one is None or one["accepted"]:
            shown += 1
            if shown > _PREVIEWED:
                continue
        sentence = in_words(line.fields, batch.place.zone, batch.place.name_of).sentence
        table.append((line.line, sentence, decision))
    output.table(f"{batch.file}, what would be decided", ("line ", "command", "decision"), table)
    return shown


def _sums(lines: "Sequence[Line]") -> str:
    """Return what commands of one kind come to; amounts of several kinds have no sum that means anything."""
    from tallystick.forms.amounts import yuan

    if len({line.fields["kind"] for line in lines}) > 1:
        return ""
    said = [
        f"{name} in all {yuan(sum(int(line.fields.get(f'{name}_fen', 0)) for line in lines))} yuan"
        for name in _SUMMED
        if any(f"{name}_fen" in line.fields for line in lines)
    ]
    return "".join(f"; {one}" for one in said)


def _send(
    batch: Batch,
    outbox: "Outbox",
    waiting: "Sequence[Line]",
    notes: Mapping[str, bytes],
    answered: "dict[str, JsonObject]",
) -> None:
    """Send what waits, group by group; what was answered is kept before the next group is sent."""
    with output.progress("Sending") as progress:
        sent = 0
        for group in _groups(waiting):
            said = _left(batch, group[0], notes) if group[0].is_left else _submitted(batch, group, notes)
            outbox.keep(said)
            answered |= dict(said)
            sent += len(group)
            if progress is not None:
                progress(sent, len(waiting))


def _groups(waiting: "Sequence[Line]") -> "Iterator[Sequence[Line]]":
    """Yield the rows that are sent at once, in order; one that is left for others to sign by itself."""
    for is_left, rows in groupby(waiting, key=lambda line: line.is_left):
        run_ = [*rows]
        step = 1 if is_left else GROUP
        yield from (run_[start : start + step] for start in range(0, len(run_), step))


def _submitted(batch: Batch, group: "Sequence[Line]", notes: Mapping[str, bytes]) -> "list[tuple[str, JsonObject]]":
    answers = batch.place.submit([notes[line.name] for line in group])
    paths = keep_receipts(batch.profile.folder, answers)
    return [
        (line.name, dict(answer.said) | ({"receipt": path} if path else {}))
        for line, answer, path in zip(group, answers, paths, strict=True)
    ]


def _left(batch: Batch, line: "Line", notes: Mapping[str, bytes]) -> "list[tuple[str, JsonObject]]":
    """Leave a row's note for others to sign; what can't be left is refused, as it would be by the log."""
    from tallystick.errors import ProblemError
    from tallystick.vouchers.refusals import Reason
    from tallystick.wire.answers import refused_by

    try:
        waiting = leave(notes[line.name], str(line.fields["ref"]), batch.profile, batch.place)
    except ProblemError as error:
        if not isinstance(error.reason, Reason):
            raise
        if error.reason is Reason.ALREADY_RECORDED:  # left before, of which a kill cut the answer off, and signed since
            return [(line.name, {"accepted": True, "index": error.fields["index"]})]
        return [(line.name, refused_by(error))]
    return [(line.name, {"accepted": True, "waiting": waiting})]


def _report(batch: Batch, lines: "Sequence[Line]", sent: "Sequence[Line]", answered: "Mapping[str, JsonObject]") -> int:
    """Print what became of every row, and return the status for it."""
    from tallystick.wire.answers import answers_to

    refused = [line for line in lines if not answered[line.name]["accepted"]]
    left = [line for line in lines if "waiting" in answered[line.name]]
    if batch.as_json:
        output.print_json(answers_to((f"line {line.line}", answered[line.name]) for line in lines))
        return REFUSED if refused else AS_ASKED
    for line in sent if batch.form is None and len(sent) <= _WHOLE else refused:
        output.line(f"line {line.line}: {_became(batch, answered[line.name])}")
    recorded = len(lines) - len(refused) - len(left)
    wait = f"; {len(left):,} wait for other signatures" if left else ""
    output.line(f"{recorded:,} of {len(lines):,} rows are recorded; {len(refused):,} were refused{wait}")
    return REFUSED if refused else AS_ASKED


def _became(batch: Batch, answer: "JsonObject") -> str:
    from tallystick.cli import answers

    if not answer["accepted"]:
        return f"refused: {answer['reason']}: {answer['detail']}"
    if "waiting" not in answer:
        return f"recorded as entry {answer['index']}{answers.words_of(answer, lambda: batch.place.zone)}"
    return waiting_in_words(answer["waiting"])
