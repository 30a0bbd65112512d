"""A saved state says what it is of and by which version; only that version reads it.

    tallystick saved state
    schema-sha256 <hex>      the version: SCHEMA_SHA256
    origin tallystick.example/national
    size 1234
    root <hex of the root of the log's tree at that size>
    state-sha256 <hex>
    <empty line>
    <signature lines>        a writer's has one, by the log's key; an auditor's has none
    <the state's bytes>

The version isn't given by hand: it is the SHA-256 of the state's form (schemas.py), of `MEANING` and of the lines here.
A field that is added, renamed, moved or of another type makes another version, and what another version saved is passed
over: the entries say it all. tests/vectors/test_saved_state.py notices a change of meaning that leaves the form as it
is, and asks for a higher `MEANING`.

What a saved state is worth is decided elsewhere: the writer asks for the log's signature (ledger/snapshots.py), the
auditor for the SHA-256 in its own report (audit/earlier.py).
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Final, Self

from tallystick.errors import MalformedError
from tallystick.signing import canonical_json
from tallystick.vouchers.schemas import schema_of
from tallystick.vouchers.state import State

MEANING: Final = 2
"""Goes up when what `evolve` makes of the same entries changes and no field does."""
SUBJECT: Final = b"tallystick saved state"
HEADER_SIZE_MAX: Final = 4_096
"""Bytes of all that comes before the state's, signature lines too."""
_SIGNATURE: Final = "— ".encode()
_NAMES: Final = (b"schema-sha256", b"origin", b"size", b"root", b"state-sha256")
HEADER_LINES: Final = 1 + len(_NAMES)
"""Of the header's text; after it come an empty line and the signature lines."""


def version_of(root: type, meaning: int) -> str:
    """Return the version (hex) of saved values of a type: SHA-256 of its form, the meaning and the header's names.

    Raises:
        TypeError: the form of a field isn't known.
    """
    header = b" ".join([SUBJECT, *_NAMES]).decode()
    schema = schema_of(root).decode()
    return hashlib.sha256(canonical_json.encode([header, meaning, schema])).hexdigest()


SCHEMA_SHA256: Final = version_of(State, MEANING)
_OF_A_VERSION: Final = re.compile(rb"%s\n%s ([0-9a-f]{64})\n" % (SUBJECT, _NAMES[0]))


@dataclass(frozen=True, slots=True)
class StateHeader:
    """What a saved state is of.

    Attributes:
        origin: the log's.
        size: how many entries made it.
        root: of the log's tree at that size.
        state_sha256: of the state's bytes (hex).
    """

    origin: str
    size: int
    root: bytes
    state_sha256: str

    @classmethod
    def of(cls, state: State, root: bytes, data: bytes) -> Self:
        """Return the header of a state whose bytes are these."""
        return cls(state.origin, state.size, root, hashlib.sha256(data).hexdigest())

    @classmethod
    def from_text(cls, text: bytes) -> Self:
        """Return what a header says, a signed note's text.

        Raises:
            MalformedError: it is none, or of another version.
        """
        try:
            names, values = zip(*[line.split(b" ", 1) for line in text.split(b"\n")[1:HEADER_LINES]], strict=True)
            schema, origin, size, root, state_sha256 = [value.decode() for value in values]
            header = cls(origin, int(size), bytes.fromhex(root), state_sha256)
        except ValueError:
            raise MalformedError("no header of a saved state") from None
        if names == _NAMES and schema != SCHEMA_SHA256:
            raise MalformedError("saved by another version")
        if header.to_text() != text:
            raise MalformedError("no header of a saved state in its canonical encoding")
        return header

    def to_text(self) -> bytes:
        """Return the text to sign, or to write as it is."""
        values = (SCHEMA_SHA256, self.origin, str(self.size), self.root.hex(), self.state_sha256)
        lines = [name + b" " + value.encode() for name, value in zip(_NAMES, values, strict=True)]
        return b"".join([line + b"\n" for line in (SUBJECT, *lines)])

    def state(self, data: bytes) -> State:
        """Return the state whose bytes these are.

        Raises:
            MalformedError: they are not those that were saved, or not of this log and size.
        """
        if hashlib.sha256(data).hexdigest() != self.state_sha256:
            raise MalformedError("not the state of its header")
        return self.believed(data)

    def believed(self, data: bytes) -> State:
        """Return the state whose bytes these are, known to be those that were saved with this header.

        Raises:
            MalformedError: not of this log and size.
        """
        state = State.from_bytes(data)
        if (state.origin, state.size) != (self.origin, self.size):
            raise MalformedError("a state of another log or size than its header's")
        return state


def split_saved(saved: bytes) -> tuple[bytes, int]:
    """Return the text of a saved state's header, and where the state's bytes begin; signature lines say nothing here.

    Raises:
        MalformedError: they don't begin with a header's lines.
    """
    end = saved.find(b"\n\n", 0, HEADER_SIZE_MAX)
    start = end + 2
    while end >= 0 and saved.startswith(_SIGNATURE, start):
        end = saved.find(b"\n", start, HEADER_SIZE_MAX)
        start = end + 1
    if end < 0:
        raise MalformedError("no header of a saved state")
    return saved[: saved.find(b"\n\n") + 1], start


def is_of_another_version(text: bytes) -> bool:
    """Return whether a header says that another version saved the state, so that its bytes say nothing to this one."""
    found = _OF_A_VERSION.match(text)
    return found is not None and found[1].decode() != SCHEMA_SHA256
