"""Many notes in one body, as the service takes them: JSON lines, each a JSON string that is a note."""

from collections.abc import Sequence
from typing import Final

import orjson

from tallystick.errors import MalformedError

BATCH_NOTES_MAX: Final = 512
"""As many as the writer commits together."""


def to_lines(notes: Sequence[bytes]) -> bytes:
    """Return notes as a body; each must be UTF-8, as every note is that can be read."""
    return b"".join([orjson.dumps(note.decode(), option=orjson.OPT_APPEND_NEWLINE) for note in notes])


def from_lines(body: bytes) -> list[bytes]:
    """Return the notes of a body; the last line may go without its newline.

    Raises:
        MalformedError: there are too many, or a line isn't a JSON string.
    """
    lines = body.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    if len(lines) > BATCH_NOTES_MAX:
        raise MalformedError(f"a batch has {BATCH_NOTES_MAX} notes at most, a line each")
    notes = []
    for number, line in enumerate(lines, 1):
        try:
            note = orjson.loads(line)
        except ValueError:
            note = None
        if not isinstance(note, str):
            raise MalformedError(f"line {number} of the batch is not a JSON string, as each note is")
        notes.append(note.encode())
    return notes
