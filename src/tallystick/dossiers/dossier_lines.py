r"""A dossier is one file of JSON lines in canonical encoding: a head, then an entry a line in the log's order.

    {"account":"provider guian","checkpoint":"<note>","closing":SEALED,"entries":41,"format":"tallystick-dossier/1",
     "opening":SEALED}
    {"entry":"<header line>\n<note>","index":7,"path":["<hash>",…],"role":"dependency"}
    …

`SEALED` is an account's leaf in the tree of a seal: `{"index","leaf","path","position"}`, with the index of the seal's
entry. `opening` and `closing` are left out where there is none. A role is `subject` (it touches the account, and is
decided anew) or `dependency`. Hashes are base64, paths from the leaf upwards; `path` of an entry leads to the
checkpoint's root. Every line is canonical JSON and ends in a newline, so each can be read by itself.

Reading checks form and sizes. That any of it is true, `examining` finds out.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final, Literal, Self, cast

from tallystick.errors import CanonicalJsonError, MalformedError
from tallystick.signing import canonical_json
from tallystick.signing.canonical_json import JsonValue
from tallystick.transparency.encoding import base64_to_text, hash_from_text
from tallystick.transparency.receipt import PROOF_LENGTH_MAX
from tallystick.vouchers.entry import ENTRY_SIZE_MAX
from tallystick.vouchers.seals import AccountLeaf

FORMAT: Final = "tallystick-dossier/1"
LINE_SIZE_MAX: Final = 262_144
"""An entry of 65,535 bytes, every one of them escaped, and its path; a checkpoint and two leaves are less."""
ENTRIES_MAX: Final = 10_000_000
ROLES: Final = ("dependency", "subject")

Role = Literal["dependency", "subject"]
_Fields = dict[str, JsonValue]
_START: Final = b'{"account":"'


@dataclass(frozen=True, slots=True)
class SealedLeaf:
    """A leaf, its position in the seal's tree, and its path; `index` is that of the seal's entry."""

    index: int
    leaf: AccountLeaf
    position: int
    path: tuple[bytes, ...]

    @classmethod
    def from_json(cls, value: JsonValue) -> Self:
        """Return what JSON says.

        Raises:
            MalformedError: not such a leaf.
        """
        fields = _object(value, "a sealed leaf", "index", "leaf", "path", "position")
        leaf = AccountLeaf.from_bytes(_text(fields, "leaf").encode())
        return cls(_count(fields, "index"), leaf, _count(fields, "position"), _path(fields))

    def to_json(self) -> JsonValue:
        """Return it as JSON."""
        return {
            "index": self.index,
            "leaf": self.leaf.to_bytes().decode(),
            "path": _path_text(self.path),
            "position": self.position,
        }


@dataclass(frozen=True, slots=True)
class DossierHead:
    """Whose dossier it is, the signed checkpoint (a note), and the leaves that it lies between.

    Attributes:
        account: for example `provider guian`.
        checkpoint_note: under which all entries are proved.
        entries: how many follow, of both roles.
        opening: where the subject's entries begin; None for the beginning of the log.
        closing: up to where they are proved to be complete; None if nothing is.
    """

    account: str
    checkpoint_note: bytes
    entries: int
    opening: SealedLeaf | None = None
    closing: SealedLeaf | None = None

    def __post_init__(self) -> None:
        for sealed in (self.opening, self.closing):
            if sealed is not None and sealed.leaf.account != self.account:
                raise MalformedError(f"the dossier is of {self.account!a}, and a leaf of {sealed.leaf.account!a}")
        if self.opening is not None and self.closing is not None and self.opening.index >= self.closing.index:
            raise MalformedError("the closing seal comes after the opening one")
        if self.entries > ENTRIES_MAX:
            raise MalformedError(f"a dossier has at most {ENTRIES_MAX:,} entries")

    @classmethod
    def from_bytes(cls, line: bytes) -> Self:
        """Return the head of a line with its newline.

        Raises:
            MalformedError: not a head in its canonical encoding.
        """
        fields = _decode(line, "a dossier's head")
        optional = [name for name in ("closing", "opening") if name in fields]
        _object(fields, "a dossier's head", "account", "checkpoint", "entries", "format", *optional)
        if fields["format"] != FORMAT:
            raise MalformedError(f"not a dossier of format {FORMAT}")
        sealed = {name: SealedLeaf.from_json(fields[name]) for name in optional}
        return cls(_text(fields, "account"), _text(fields, "checkpoint").encode(), _count(fields, "entries"), **sealed)

    def to_bytes(self) -> bytes:
        """Return the line, with its newline."""
        fields: _Fields = {
            "account": self.account,
            "checkpoint": self.checkpoint_note.decode(),
            "entries": self.entries,
            "format": FORMAT,
        }
        if self.opening is not None:
            fields["opening"] = self.opening.to_json()
        if self.closing is not None:
            fields["closing"] = self.closing.to_json()
        return canonical_json.encode(fields) + b"\n"


@dataclass(frozen=True, slots=True)
class DossierEntry:
    """An entry's bytes, its index, its path to the checkpoint's root (hashes of 32 bytes), and its role."""

    index: int
    role: Role
    entry: bytes
    path: tuple[bytes, ...]

    @classmethod
    def from_bytes(cls, line: bytes) -> Self:
        """Return the entry of a line with its newline.

        Raises:
            MalformedError: not such a line in its canonical encoding.
        """
        fields = _object(_decode(line, "an entry"), "an entry", "entry", "index", "path", "role")
        if fields["role"] not in ROLES:
            raise MalformedError("an entry's role in a dossier is subject or dependency")
        entry = _text(fields, "entry").encode()
        if not 1 <= len(entry) <= ENTRY_SIZE_MAX:
            raise MalformedError(f"an entry has 1 to {ENTRY_SIZE_MAX} bytes, not {len(entry)}")
        return cls(_count(fields, "index"), cast("Role", fields["role"]), entry, _path(fields))

    def to_bytes(self) -> bytes:
        """Return the line, with its newline.

        Raises:
            UnicodeDecodeError: the entry isn't UTF-8, as none is that a ledger admitted.
        """
        fields: _Fields = {
            "entry": self.entry.decode(),
            "index": self.index,
            "path": _path_text(self.path),
            "role": self.role,
        }
        return canonical_json.encode(fields) + b"\n"


def is_dossier(data: bytes) -> bool:
    """Return whether bytes begin as a dossier does, so that it is worth reading as one."""
    return data.startswith(_START)


def read_lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield a file's lines, each with its newline, and none longer than `LINE_SIZE_MAX`.

    Raises:
        MalformedError: a longer one, or a last one that is cut off.
        OSError: it can't be read.
    """
    while line := file.readline(LINE_SIZE_MAX + 1):
        if len(line) > LINE_SIZE_MAX:
            raise MalformedError(f"a line of a dossier has at most {LINE_SIZE_MAX:,} bytes")
        if not line.endswith(b"\n"):
            raise MalformedError("the dossier is cut off: its last line has no end")
        yield line


def _decode(line: bytes, what: str) -> _Fields:
    if line[-1:] != b"\n":
        raise MalformedError(f"{what} is a line, and ends in a newline")
    try:
        value = canonical_json.decode(line[:-1], size_max=LINE_SIZE_MAX)
    except CanonicalJsonError as error:
        raise MalformedError(f"{what} in a dossier: {error}") from None
    if not isinstance(value, dict):
        raise MalformedError(f"{what} in a dossier is a JSON object")
    return value


def _object(value: JsonValue, what: str, *names: str) -> _Fields:
    if not isinstance(value, dict) or set(value) != set(names):
        raise MalformedError(f"{what} in a dossier has {', '.join(sorted(names))}, and nothing else")
    return value


def _text(fields: _Fields, name: str) -> str:
    value = fields[name]
    if not isinstance(value, str):
        raise MalformedError(f"in a dossier, {name} is text")
    return value


def _count(fields: _Fields, name: str) -> int:
    value = fields[name]
    if type(value) is not int or value < 0:
        raise MalformedError(f"in a dossier, {name} is a number from 0")
    return value


def _path(fields: _Fields) -> tuple[bytes, ...]:
    path = fields["path"]
    if not isinstance(path, list) or len(path) > PROOF_LENGTH_MAX:
        raise MalformedError(f"a path is a list of at most {PROOF_LENGTH_MAX} hashes")
    try:
        return tuple([hash_from_text(value.encode() if isinstance(value, str) else b"") for value in path])
    except ValueError as error:
        raise MalformedError(f"in a dossier's path, {error}") from None


def _path_text(path: tuple[bytes, ...]) -> list[JsonValue]:
    return [base64_to_text(value).decode() for value in path]
