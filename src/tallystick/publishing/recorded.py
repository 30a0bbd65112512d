"""Notes that a log has already are told from new ones by its index of references, however long ago they were recorded.

The state forgets references that are too old to be signed again; the writer asks the store about them, and so must
whoever says what the writer would answer.
"""

import hashlib
from collections.abc import Sequence

from tallystick.ledger.note_faults import read_alone
from tallystick.publishing.reader import Reader
from tallystick.vouchers.admit import SignedCommand
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.refusals import Reason, Refusal


def find_recorded(reader: Reader, notes: Sequence[bytes]) -> dict[int, Entry | Refusal]:
    """Return what `Ledger.submit` answers to those of some notes whose references were used before, by their places.

    That is the entry that the note is, or the refusal of another text under a reference that was used.

    Raises:
        NotALedgerError: such an entry can't be read.
    """
    readings = [read_alone(note, reader.origin) for note in notes]
    commands = {place: reading for place, reading in enumerate(readings) if isinstance(reading, SignedCommand)}
    keys = [(signed.command.party, signed.command.ref) for signed in commands.values()]
    found = reader.find_references(list(dict.fromkeys(keys)))
    answers: dict[int, Entry | Refusal] = {}
    for (place, signed), key in zip(commands.items(), keys, strict=True):
        if key in found:
            entry = reader.parsed_entry(found[key])
            is_same = entry.event.text_sha256 == hashlib.sha256(signed.note.text).hexdigest()
            detail = f"{signed.command.ref} is entry {found[key]}"
            other = Refusal(Reason.REF_REUSED_FOR_OTHER_CONTENT, detail, index=found[key])
            answers[place] = entry if is_same else other
    return answers
