"""An entry in full: its decision, who signed it, and the command word by word; or as it is kept.

{"index", "entry": "<its text>"}        a line of many
{"party", "ref", "index"}               where a party's reference was used
"""

from tallystick.errors import EntryMalformedError, ProofInvalidError
from tallystick.signing.note import Note
from tallystick.vouchers.entry import Entry, split_entry
from tallystick.wire import JsonObject
from tallystick.wire.answers import accepted


def entry(index: int, data: bytes) -> JsonObject:
    """Return what is said of an entry that was proved to be at an index.

    Raises:
        EntryMalformedError: the bytes are no entry.
        ProofInvalidError: the entry calls itself another.
    """
    event = Entry.from_bytes(data).event
    if event.index != index:
        raise ProofInvalidError(f"the entry calls itself {event.index}, and its place in the log is {index}")
    said = accepted(event)
    del said["accepted"]  # it is an entry; whether it was right to admit it is for an audit to say
    said["signed_by"] = [signature.label for signature in Note.from_bytes(split_entry(data)[1]).signatures]
    said["command"] = event.command.model_dump(mode="json", by_alias=True, exclude_none=True)
    return said


def shown(entry: JsonObject) -> JsonObject:
    """Return an entry (`wire.entries.entry`) as the one thing that was asked for."""
    return {"entry": entry}


def line(index: int, data: bytes) -> JsonObject:
    """Return an entry as it is kept; every entry is UTF-8.

    Raises:
        EntryMalformedError: it isn't.
    """
    try:
        return {"index": index, "entry": data.decode()}
    except UnicodeDecodeError:
        raise EntryMalformedError(f"entry {index} is not UTF-8") from None


def reference(party: str, ref: str, index: int) -> JsonObject:
    """Return where a party's reference was used."""
    return {"party": party, "ref": ref, "index": index}
