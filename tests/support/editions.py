"""Logs by rules that this version doesn't know, as a later version would write them, and false ones."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from support.actors import note_of
from support.small_ledger import NETWORK
from support.tampering import entries_of, forge
from tallystick.signing import canonical_json
from tallystick.signing.note import Note
from tallystick.vouchers.entry import split_entry

Founding = dict[str, Any]
SAID = "made by rules edition 2; this version knows editions up to 1"


def founded_otherwise(entry: bytes, change: Callable[[Founding], object], *signers: str) -> bytes:
    """Entry 0 of the small ledger with another command, signed by its root keys, or by others."""
    header, note = split_entry(entry)
    command: Any = canonical_json.decode(Note.from_bytes(note).text[:-1])
    change(command)
    return header + b"\n" + note_of(command, *(signers or NETWORK.key_names))


def in_edition(number: object) -> Callable[[Founding], object]:
    """The change of the edition alone."""
    return lambda command: command.update(edition=number)


def forge_edition(ledger: Path, number: object = 2, *signers: str) -> None:
    """Write the whole log anew, as one of that edition."""
    entries = entries_of(ledger)
    forge(ledger, [founded_otherwise(entries[0], in_edition(number), *signers), *entries[1:]])
