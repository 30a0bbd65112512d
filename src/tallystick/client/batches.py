"""Many notes in few requests: groups as the writer takes them, a note a line, an answer a line in the same order."""

import json
from collections.abc import Iterator, Sequence
from typing import Final

from tallystick.client.problems import read_json, refused_here
from tallystick.errors import AnswerMalformedError, MalformedError, ProblemError
from tallystick.signing.note import NOTE_SIZE_MAX, Note
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.wire import JsonObject

NOTES_MAX: Final = 512
BODY_SIZE_MAX: Final = 4_000_000
BATCH_SIZE_MAX: Final = 33_554_432
"""Bytes: an answer has each entry, in JSON, and of a statement its lines."""

JSON_LINES: Final = {"Content-Type": "application/jsonl"}

Group = list[tuple[int, bytes]]
"""Places of notes among those given, and the line of each."""


def refused_unsent(note: bytes) -> ProblemError | None:
    """Return why a note isn't worth sending: no log would take it, and its bytes alone say so."""
    if len(note) > NOTE_SIZE_MAX:
        return refused_here(Refusal(Reason.NOTE_TOO_LARGE, f"{len(note):,} bytes"))
    try:
        Note.from_bytes(note)
    except MalformedError as error:
        return refused_here(Refusal(Reason.NOTE_MALFORMED, str(error)))
    return None


def in_groups(notes: Sequence[tuple[int, bytes]]) -> Iterator[Group]:
    """Yield notes in their order, in groups of at most `NOTES_MAX` notes and `BODY_SIZE_MAX` bytes."""
    group: Group = []
    size = 0
    for place, note in notes:
        line = json.dumps(note.decode(), ensure_ascii=False).encode() + b"\n"
        if group and (len(group) == NOTES_MAX or size + len(line) > BODY_SIZE_MAX):
            yield group
            group, size = [], 0
        group.append((place, line))
        size += len(line)
    if group:
        yield group


def read_answers(where: str, body: bytes, count: int) -> list[JsonObject]:
    """Return the objects that were answered, one for each note.

    Raises:
        AnswerMalformedError: another number of lines, or not such objects.
    """
    lines = body.removesuffix(b"\n").split(b"\n")
    if len(lines) != count:
        raise AnswerMalformedError(f"{where} answers {len(lines)} lines to {count} notes")
    answers = [read_json(line) for line in lines]
    if not all(isinstance(answer, dict) for answer in answers):
        raise AnswerMalformedError(f"{where} answers a line that is no JSON object")
    return answers
