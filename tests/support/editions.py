"""Logs by rules that this version doesn't know, as a later version would write them, and false ones."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from support.actors import ORIGIN, note_of
from support.small_ledger import NETWORK
from support.tampering import entries_of, forge
from tallystick.signing import canonical_json
from tallystick.signing.note import Note
from tallystick.vouchers.entry import split_entry

Founding = dict[str, Any]
NEVER_RECORDED = {"rules.adopted/1"}
"""The events that a version which knows one edition alone never records: there is nothing to adopt."""
SAID = "made by rules edition 2; this version knows editions up to 1"


def founded_otherwise(entry: bytes, change: Callable[[Founding], object], *signers: str) -> bytes:
    """Entry 0 of the small ledger with another command, signed by its root keys, or by others."""
    header, note = split_entry(entry)
    command: Any = canonical_json.decode(Note.from_bytes(note).text[:-1])
    change(command)
    return header + b"\n" + note_of(command, *(signers or NETWORK.key_names))


def adopting(index: int, at: str, edition: object = 2, *signers: str, **changes: object) -> bytes:
    """An entry of the small ledger that adopts an edition, signed by the root keys, or by others."""
    command: Founding = {
        "kind": "rules.adopt/1",
        "log": ORIGIN,
        "party": NETWORK.party,
        "ref": "adopts",
        "signed_at": at,
    }
    header: Founding = {"at": at, "index": index, "kind": "rules.adopted/1", "outcome": {}}
    note = note_of(command | {"edition": edition} | changes, *(signers or NETWORK.key_names))
    return canonical_json.encode(header) + b"\n" + note


def adopt_edition(ledger: Path, index: int, edition: object = 2, *signers: str, **changes: object) -> None:
    """Write the log anew, as one in which an entry adopts that edition; what follows is as it was."""
    entries = entries_of(ledger)
    at = split_entry(entries[index])[0][len('{"at":"') :][:27].decode()
    forge(ledger, [*entries[:index], adopting(index, at, edition, *signers, **changes), *entries[index + 1 :]])


def in_edition(number: object) -> Callable[[Founding], object]:
    """The change of the edition alone."""
    return lambda command: command.update(edition=number)


def forge_edition(ledger: Path, number: object = 2, *signers: str) -> None:
    """Write the whole log anew, as one of that edition."""
    entries = entries_of(ledger)
    forge(ledger, [founded_otherwise(entries[0], in_edition(number), *signers), *entries[1:]])
