"""An admitted command as it is kept: one header line in canonical JSON, a newline, and the note exactly as signed.

    {"at":"2026-01-05T08:00:00.000000Z","index":7,"kind":"voucher.issued/1","outcome":{"valid_until":"…"}}
    {"face_fen":100000000,…}

    — shanghai-treasury/officer-1 …

These bytes are the leaf of the Merkle tree. An entry has at most 65,535 of them, which is what a tile bundle can carry.
"""

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple, Self

from tallystick.errors import CanonicalJsonError, EntryMalformedError, MalformedError
from tallystick.signing import canonical_json
from tallystick.signing.note import Note
from tallystick.vouchers.editions import check_edition
from tallystick.vouchers.quantities import format_instant, parse_instant
from tallystick.vouchers.rulebook import (
    RULEBOOK,
    believed_outcome,
    outcome_from_json,
    outcome_to_bytes,
    parse_command,
)
from tallystick.vouchers.rules.rule import Event

ENTRY_SIZE_MAX: Final = 65_535

_WRITTEN: Final = re.compile(
    rb'\{"at":"([0-9T:.Z-]{27})","index":([0-9]{1,16}),"kind":"([a-z_./0-9]+)","outcome":(\{.*\})\}\n'
    rb"(\{.*\}\n)\n((?:\xe2\x80\x94 [^\n]+\n)+)"
)
"""An entry as `Entry.of` writes it: no JSON and no signature line has a newline in it."""
_HEADER_FIELDS: Final = {"at": str, "index": int, "kind": str, "outcome": dict}


def split_entry(data: bytes) -> tuple[bytes, bytes]:
    """Return an entry's header line (without its newline) and its note.

    Raises:
        EntryMalformedError: there is no newline, or too much of everything.
    """
    if len(data) > ENTRY_SIZE_MAX:
        raise EntryMalformedError(f"an entry of {len(data)} bytes is over {ENTRY_SIZE_MAX}")
    header, newline, note = data.partition(b"\n")
    if not newline:
        raise EntryMalformedError("an entry is a header line and a note; there is no newline")
    return header, note


@dataclass(frozen=True, slots=True)
class Header:
    """What the log adds to a note: where and when (microseconds) it stands, what happened, what it came to (JSON)."""

    at: int
    index: int
    kind: str
    outcome: dict[str, Any]

    @classmethod
    def from_bytes(cls, line: bytes) -> Self:
        """Return the header that a line without its newline is.

        Raises:
            EntryMalformedError: it isn't one, or not in canonical form.
        """
        try:
            fields: Any = canonical_json.decode(line, size_max=ENTRY_SIZE_MAX)
        except CanonicalJsonError as error:
            raise EntryMalformedError(f"header: {error}") from None
        if not isinstance(fields, dict) or {name: type(value) for name, value in fields.items()} != _HEADER_FIELDS:
            raise EntryMalformedError("a header has at, index, kind and outcome, and nothing else")
        if fields["index"] < 0:
            raise EntryMalformedError("header: an index counts from 0")
        try:
            at = parse_instant(fields["at"])
        except ValueError as error:
            raise EntryMalformedError(f"header: at {error}") from None
        return cls(at, fields["index"], fields["kind"], fields["outcome"])

    def to_bytes(self) -> bytes:
        """Return the line, without its newline."""
        return canonical_json.encode(
            {"at": format_instant(self.at), "index": self.index, "kind": self.kind, "outcome": self.outcome}
        )


@lru_cache(1)
def _at_bytes(at: int) -> bytes:
    """Return an instant as it stands in a header; the entries of a group have the same."""
    return format_instant(at).encode()


class Entry(NamedTuple):
    """What was admitted, and the bytes that keep it."""

    event: Event
    data: bytes

    @classmethod
    def of(cls, event: Event, note: bytes) -> Self:
        """Return the entry of an event and the note that it came by; it may be too large to keep."""
        kind = event.kind
        # What Header.to_bytes gives, without the way through JSON values: this is done for every entry, twice.
        header = b'{"at":"%s","index":%d,"kind":"%s","outcome":%s}\n' % (
            _at_bytes(event.at),
            event.index,
            kind.encode(),
            outcome_to_bytes(kind, event.outcome),
        )
        return cls(event, header + note)

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Return the entry that these bytes are, believing what its header says: nothing is verified or decided.

        Raises:
            EntryMalformedError: header, note or command can't be read, or don't belong together.
            EditionUnknownError: it founds a network by rules that this version doesn't know, or adopts them.
        """
        try:
            line, note_bytes = split_entry(data)
            header = Header.from_bytes(line)
            note = Note.from_bytes(note_bytes)
            command = parse_command(note.text)
            if command.event_kind != header.kind:
                raise EntryMalformedError(f"a command {command.kind} does not make an event {header.kind}")
            outcome = outcome_from_json(header.kind, header.outcome)
        except (MalformedError, ValueError) as error:
            check_edition(data)
            raise EntryMalformedError(str(error).splitlines()[0]) from None
        text_sha256 = hashlib.sha256(note.text).hexdigest()
        return cls(Event(header.index, header.at, command, outcome, text_sha256, note.key_names), data)

    @classmethod
    def believed(cls, data: bytes) -> Self:
        """Return the same entry as `from_bytes`, in half the time, of a log that is believed to have been decided.

        What isn't canonical, or no note, isn't noticed here unless nothing can be read of it.

        Raises:
            EntryMalformedError, EditionUnknownError: as `from_bytes`.
        """
        found = _WRITTEN.fullmatch(data)
        if found is None:
            return cls.from_bytes(data)
        at, index, kind, outcome_bytes, text, lines = found.groups()
        try:
            command = RULEBOOK.commands.validate_json(text)
            if command.event_kind != kind.decode():
                return cls.from_bytes(data)
            outcome = believed_outcome(command.event_kind, outcome_bytes)
            names = tuple([line[4:].partition(b" ")[0].decode() for line in lines.splitlines()])
            sha256 = hashlib.sha256(text).hexdigest()
            return cls(Event(int(index), parse_instant(at.decode()), command, outcome, sha256, names), data)
        except ValueError:
            return cls.from_bytes(data)  # which says what is wrong

    def to_bytes(self) -> bytes:
        """Return the bytes: the leaf of the Merkle tree."""
        return self.data
