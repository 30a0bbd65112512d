"""The edition of the rules by which a log is decided: entry 0 names it, and an adoption the next one.

What changes an answer is a new edition (docs/decisions/0042-rules-have-an-edition.md). So a version that doesn't know a
log's edition can't judge it, or not beyond its adoption, and says just that. What is read here is all that entry 0 and
an adoption keep in every edition (docs/formats.md, "What every edition keeps"): nothing of it may ask for more.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeGuard

from tallystick.errors import EditionUnknownError, KeyMalformedError, MalformedError, SignatureMissingError
from tallystick.signing import canonical_json
from tallystick.signing.algorithms import SIGNER
from tallystick.signing.canonical_json import JsonValue
from tallystick.signing.keys import VerifierKey
from tallystick.signing.note import NOTE_SIZE_MAX, Note, open_note
from tallystick.vouchers.state import State

EDITIONS: Final = (1,)
"""Those that this version knows, ascending."""

_FOUNDING: Final = "network.found/"
_ADOPTION: Final = "rules.adopt/"


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
        raise EditionUnknownError(f"made by rules edition {edition}; {_known()}")


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
        said = _said(data, _FOUNDING)
        if said is None:
            return None
        keys, quorum = said.fields.get("root_keys"), said.fields.get("root_quorum")
        if not (_is_count(quorum) and isinstance(keys, list)):
            return None
        texts = tuple([key for key in keys if isinstance(key, str)])
        return cls(said.note, said.log, said.edition, texts, quorum) if len(texts) == len(keys) else None

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
            KeyMalformedError: a root key isn't a vkey of what every edition knows, or two have one label.
            SignatureInvalidError: a line by one of them isn't that key's.
            SignatureMissingError: fewer of them signed.
        """
        keys = {VerifierKey.from_text(text) for text in self.root_keys}
        if len({key.label for key in keys}) < len(keys) or any(key.kind != SIGNER for key in keys):
            raise KeyMalformedError(f"root keys are {SIGNER.name} keys with labels of their own")
        _verify_quorum(self.note, keys, self.root_quorum)


@dataclass(frozen=True, slots=True)
class Adoption:
    """What the adoption of an edition says in every edition.

    Attributes:
        index: of its entry.
        note: as it was signed.
        log: the origin of the log that it is for.
        edition: of the rules that decide the log from the next entry on, from 1 on.
    """

    index: int
    note: bytes
    log: str
    edition: int

    @classmethod
    def from_entry(cls, data: bytes) -> "Adoption | None":
        """Return what an entry says, if it adopts an edition in the form that every edition keeps; None if not.

        Nothing is verified.
        """
        said = _said(data, _ADOPTION)
        if said is None:
            return None
        try:
            header = canonical_json.decode(data.partition(b"\n")[0])
        except MalformedError:
            return None
        index = header.get("index") if isinstance(header, dict) else None
        return cls(index, said.note, said.log, said.edition) if _is_count(index) else None

    @property
    def is_known(self) -> bool:
        """Whether this version knows the rules."""
        return self.edition in EDITIONS

    def verify(self, state: State) -> None:
        """Verify that the network's quorum signed it, for its log.

        Args:
            state: before its entry.

        Raises:
            SignatureInvalidError: a line by one of the network's keys isn't that key's.
            SignatureMissingError: fewer of them signed, it is for another log, or there is no network.
        """
        network = state.parties.get(state.network.party) if state.network else None
        if network is None or self.log != state.origin:
            raise SignatureMissingError("it isn't for this log")
        own = [state.keys[label] for label in network.keys]
        keys = {VerifierKey.from_text(key.vkey) for key in own if key.is_active and key.purpose == "sign"}
        _verify_quorum(self.note, keys, network.quorum)

    def require_known(self) -> None:
        """Refuse to go on if this version doesn't know the rules.

        Raises:
            EditionUnknownError: it doesn't.
        """
        if not self.is_known:
            since = f"edition {self.edition} from entry {self.index + 1} on"
            raise EditionUnknownError(f"made by rules {since}; {_known()}")


def _verify_quorum(note: bytes, keys: set[VerifierKey], quorum: int) -> None:
    _, signers = open_note(note, keys)
    if len({key.public_key for key in signers}) < quorum:
        raise SignatureMissingError(f"{len(signers)} of {quorum} root keys signed")


def check_edition(entry: bytes) -> None:
    """Refuse to read on from an entry that names rules which this version doesn't know; believes what is written.

    Raises:
        EditionUnknownError: it founds a network by such rules, or adopts them.
    """
    said = Founding.from_entry(entry) or Adoption.from_entry(entry)
    if said is not None:
        said.require_known()


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


class _Said(NamedTuple):
    """A command that names an edition, as every edition keeps it."""

    note: bytes
    fields: dict[str, JsonValue]
    log: str
    edition: int


def _said(data: bytes, kind_begins: str) -> _Said | None:
    """Return what an entry says, if its command's kind begins so and it names a log and an edition."""
    note = data.partition(b"\n")[2]
    if not 0 < len(note) <= NOTE_SIZE_MAX:
        return None
    try:
        fields = canonical_json.decode(Note.from_bytes(note).text[:-1])
    except MalformedError:
        return None
    if not isinstance(fields, dict):
        return None
    kind, log, edition = (fields.get(name) for name in ("kind", "log", "edition"))
    if not (isinstance(kind, str) and kind.startswith(kind_begins) and isinstance(log, str) and _is_count(edition)):
        return None
    return _Said(note, fields, log, edition)


def _known() -> str:
    return f"this version knows editions up to {EDITIONS[-1]}"


def _is_count(value: object) -> TypeGuard[int]:
    return type(value) is int and value >= 1
