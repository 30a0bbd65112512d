"""The edition of the rules by which a log is decided: entry 0 names it, in a way that every version can read.

What changes an answer is a new edition (docs/decisions/0042-rules-have-an-edition.md). So a version that doesn't know a
log's edition can't judge it, and says just that. What is read here is all that entry 0 keeps in every edition
(docs/formats.md, "Entry 0 in every edition"): nothing of it may ask for more.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, TypeGuard

from tallystick.errors import EditionUnknownError, KeyMalformedError, MalformedError, SignatureMissingError
from tallystick.signing import canonical_json
from tallystick.signing.keys import ED25519, VerifierKey
from tallystick.signing.note import NOTE_SIZE_MAX, Note, open_note

EDITIONS: Final = (1,)
"""Those that this version knows, ascending."""

_KIND: Final = "network.found/"


def must_be_known(edition: int) -> int:
    """Return an edition that this version knows; ValueError of another."""
    if edition not in EDITIONS:
        raise ValueError(f"this version knows editions up to {EDITIONS[-1]}, and not {edition}")
    return edition


def require_known(edition: int) -> None:
    """Refuse to go on with a log of an edition that this version doesn't know.

    Raises:
        EditionUnknownError: it doesn't.
    """
    if edition not in EDITIONS:
        raise EditionUnknownError(f"made by rules edition {edition}; this version knows editions up to {EDITIONS[-1]}")


@dataclass(frozen=True, slots=True)
class Founding:
    """What entry 0 says in every edition.

    Attributes:
        note: as it was signed.
        log: the origin of the log that it founds.
        edition: of the rules that decide the log, from 1 on.
        root_keys: vkeys, of which `root_quorum` sign it.
    """

    note: bytes
    log: str
    edition: int
    root_keys: tuple[str, ...]
    root_quorum: int

    @classmethod
    def from_entry(cls, data: bytes) -> "Founding | None":
        """Return what an entry says, if it founds a network in the form that every edition keeps; None if not.

        Nothing is verified.
        """
        note = data.partition(b"\n")[2]
        if not 0 < len(note) <= NOTE_SIZE_MAX:
            return None
        try:
            fields = canonical_json.decode(Note.from_bytes(note).text[:-1])
        except MalformedError:
            return None
        if not isinstance(fields, dict):
            return None
        kind, log, edition, keys, quorum = (
            fields.get(name) for name in ("kind", "log", "edition", "root_keys", "root_quorum")
        )
        if not (isinstance(kind, str) and kind.startswith(_KIND) and isinstance(log, str)):
            return None
        if not (_is_count(edition) and _is_count(quorum) and isinstance(keys, list)):
            return None
        texts = tuple([key for key in keys if isinstance(key, str)])
        return cls(note, log, edition, texts, quorum) if len(texts) == len(keys) else None

    @property
    def is_known(self) -> bool:
        """Whether this version knows the rules."""
        return self.edition in EDITIONS

    def require_known(self) -> None:
        """Refuse to go on if this version doesn't know the rules.

        Raises:
            EditionUnknownError: it doesn't.
        """
        require_known(self.edition)

    def verify(self) -> None:
        """Verify that `root_quorum` of the root keys signed it.

        Raises:
            KeyMalformedError: a root key isn't an Ed25519 vkey, or two have one label.
            SignatureInvalidError: a line by one of them isn't that key's.
            SignatureMissingError: fewer of them signed.
        """
        keys = {VerifierKey.from_text(text) for text in self.root_keys}
        if len({key.label for key in keys}) < len(keys) or any(key.algorithm != ED25519 for key in keys):
            raise KeyMalformedError("root keys are Ed25519 keys with labels of their own")
        _, signers = open_note(self.note, keys)
        if len({key.public_key for key in signers}) < self.root_quorum:
            raise SignatureMissingError(f"{len(signers)} of {self.root_quorum} root keys signed")


def check_edition(entry: bytes) -> None:
    """Refuse to read on if an entry founds a network by rules that this version doesn't know; believes what is written.

    Raises:
        EditionUnknownError: it does.
    """
    founding = Founding.from_entry(entry)
    if founding is not None:
        founding.require_known()


def check_first_edition(entries: Iterable[bytes]) -> None:
    """Refuse to read on as `check_edition` does; an entry that can't be read is left to whoever reads it next.

    Args:
        entries: entry 0, as a store yields it, or nothing.

    Raises:
        EditionUnknownError: it founds a network by rules that this version doesn't know.
    """
    with suppress(MalformedError):
        for entry in entries:
            check_edition(entry)


def _is_count(value: object) -> TypeGuard[int]:
    return type(value) is int and value >= 1
