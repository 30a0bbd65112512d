"""Signatures of one checkpoint, gathered in several copies of its note, come together in one; nothing is verified.

Each witness cosigns by itself, and an export, a mirror and a ledger each know of some. What counts, a policy says.
"""

from tallystick.errors import NoteMalformedError
from tallystick.signing.note import Note


def merge_notes(note: bytes, other: bytes) -> bytes:
    """Return the note with the other's lines by keys that it has no line of, as far as a note has room.

    Where both have a line by one key, the first note's stands. A note of another text adds nothing.

    Raises:
        NoteMalformedError: one of them isn't a note.
    """
    first, second = Note.from_bytes(note), Note.from_bytes(other)
    if first.text != second.text:
        return note
    known = {(line.name, line.key_id) for line in first.signatures}
    for line in second.signatures:
        if (line.name, line.key_id) not in known:
            longer = note + line.to_line()
            try:
                Note.from_bytes(longer)
            except NoteMalformedError:
                break  # full
            note = longer
    return note
