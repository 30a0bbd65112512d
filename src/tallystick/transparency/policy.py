"""Which logs and witnesses count is said in one file, obtained out of band; a checkpoint is opened by it or not at all.

C2SP tlog-policy (draft). Lines end in a newline; items are separated by spaces and tabs; empty lines and lines that
begin with # are passed over:

    log <vkey> [<url>]
    witness <name> <vkey> [<url>]
    group <name> all|any|<k> <member>...     fulfilled by k of its members (any is 1)
    quorum <name>|none                       exactly once

Names are of witnesses and groups, defined on a line before and at most once a member of a group, so none counts
twice. They mean nothing outside the file and are octets, not text: no two encodings are alike. Keys of logs sign
notes, keys of witnesses cosign, and no log or witness is listed twice by its public key.

Opening a checkpoint: (1) a listed log named by the origin has signed it, (2) every line by a listed witness is a good
cosignature, (3) those witnesses fulfil the quorum. Their times are part of what is verified and otherwise unused.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from tallystick.errors import PolicyMalformedError, QuorumMissingError, SignatureMissingError
from tallystick.signing.algorithms import Use, names_of
from tallystick.signing.keys import VerifierKey
from tallystick.signing.note import Note, open_note
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.transparency.cosignature import verify_cosignature
from tallystick.transparency.encoding import decimal_from_text

POLICY_SIZE_MAX: Final = 65_535
NO_QUORUM: Final = "none"

_ALLOWED_OCTETS: Final = bytes([0x09, 0x0A, *range(0x20, 0x7F), *range(0x80, 0x100)])
_OCTETS: Final = "surrogateescape"  # names and urls needn't be UTF-8; this keeps each octet apart


@dataclass(frozen=True, slots=True)
class LogLine:
    """A log that is trusted to be asked: its key, whose name is its origin, and perhaps where it is."""

    vkey: VerifierKey
    url: str | None = None


@dataclass(frozen=True, slots=True)
class WitnessLine:
    """A witness: its name in the policy, its key, and perhaps where it is."""

    name: str
    vkey: VerifierKey
    url: str | None = None


@dataclass(frozen=True, slots=True)
class GroupLine:
    """A group that is fulfilled when `threshold` of its members are: witnesses that cosigned, or fulfilled groups."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QuorumLine:
    """The witness or group that must be fulfilled, or `none`."""

    name: str


PolicyLine = LogLine | WitnessLine | GroupLine | QuorumLine


@dataclass(frozen=True, slots=True)
class Policy:
    """Whom to trust, as the lines of the file in their order; the other fields are the same by kind.

    Raises:
        PolicyMalformedError: lines that don't make a policy.
    """

    lines: tuple[PolicyLine, ...]
    logs: tuple[LogLine, ...] = field(init=False, repr=False, compare=False)
    witnesses: tuple[WitnessLine, ...] = field(init=False, repr=False, compare=False)
    groups: tuple[GroupLine, ...] = field(init=False, repr=False, compare=False)
    quorum: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        set_once = object.__setattr__
        set_once(self, "logs", tuple([line for line in self.lines if isinstance(line, LogLine)]))
        set_once(self, "witnesses", tuple([line for line in self.lines if isinstance(line, WitnessLine)]))
        set_once(self, "groups", tuple([line for line in self.lines if isinstance(line, GroupLine)]))
        set_once(self, "quorum", _only_quorum(self.lines))
        _check_names(self.lines)
        _check_keys("log", "notes", [line.vkey for line in self.logs])
        _check_keys("witness", "cosignatures", [line.vkey for line in self.witnesses])

    @classmethod
    def from_text(cls, text: bytes) -> Self:
        """Return the policy of a file's bytes.

        Raises:
            PolicyMalformedError: not a policy.
        """
        if len(text) > POLICY_SIZE_MAX:
            raise PolicyMalformedError(f"a policy of {len(text)} bytes is larger than {POLICY_SIZE_MAX}")
        if text.translate(None, _ALLOWED_OCTETS):
            raise PolicyMalformedError("a policy has no control characters but tabs and newlines")
        lines = text.split(b"\n")
        if lines.pop():
            raise PolicyMalformedError("the last line of a policy ends in a newline too")
        read = []
        for number, line in enumerate(lines, start=1):
            items = line.split()
            if items and not items[0].startswith(b"#"):
                try:
                    read.append(_read_line(*items))
                except ValueError as error:
                    raise PolicyMalformedError(f"line {number} of the policy: {error}") from None
        return cls(tuple(read))

    def to_text(self) -> bytes:
        """Return a file's bytes that read as this policy, without comments and stray blanks.

        Raises:
            PolicyMalformedError: a name or url that a line can't carry, or more than `POLICY_SIZE_MAX` bytes.
        """
        try:
            text = b"".join([_line_to_text(line) for line in self.lines])
        except UnicodeEncodeError:
            text = b""
        if not text or type(self).from_text(text) != self:  # what we write, we can read
            raise PolicyMalformedError("a name or an url in the policy is empty, or has blanks or stray surrogates")
        return text

    @classmethod
    def for_log(cls, vkey: VerifierKey | str) -> Self:
        """Return the policy that trusts one log and asks for no witness.

        Raises:
            KeyMalformedError: not a vkey.
            PolicyMalformedError: not an Ed25519 key.
        """
        key = VerifierKey.from_text(vkey) if isinstance(vkey, str) else vkey
        return cls((LogLine(key), QuorumLine(NO_QUORUM)))

    def without_witnesses(self, origin: str | None = None) -> "Policy":
        """Return the policy that trusts the same logs, or those of one origin, and asks for no witness."""
        logs = [line for line in self.logs if origin in (None, line.vkey.name)]
        return Policy((*logs, QuorumLine(NO_QUORUM)))

    def open_checkpoint(self, note: bytes) -> Checkpoint:
        """Return the checkpoint of a note that fulfils this policy.

        Raises:
            NoteMalformedError: not a note.
            SignatureInvalidError: a line by a listed log or witness that isn't its signature.
            SignatureMissingError: no signature by a listed log that the origin names.
            CheckpointMalformedError: the text isn't a checkpoint.
            QuorumMissingError: too few witnesses cosigned it.
        """
        # (1) the log has signed
        opened, signers = open_note(note, [line.vkey for line in self.logs])
        checkpoint = Checkpoint.from_text(opened.text)
        if all(signer.name != checkpoint.origin for signer in signers):
            raise SignatureMissingError(f"only keys of other logs signed this checkpoint of {checkpoint.origin!a}")
        # (2) and (3) so have enough witnesses
        cosigned = self._cosigned(opened)
        if self.quorum != NO_QUORUM and not self._fulfilled(cosigned):
            count = f"{len(cosigned)} of {len(self.witnesses)} witnesses"
            raise QuorumMissingError(f"the quorum {self.quorum!a} is missed: {count} cosigned")
        return checkpoint

    def _cosigned(self, opened: Note) -> set[str]:
        """Return the names of the witnesses that cosigned."""
        known = {(line.vkey.name, line.vkey.key_id): line for line in self.witnesses}
        cosigned = set()
        for signature in opened.signatures:
            witness = known.get((signature.name, signature.key_id))
            if witness is not None:
                verify_cosignature(opened.text, signature, witness.vkey)
                cosigned.add(witness.name)
        return cosigned

    def _fulfilled(self, cosigned: set[str]) -> bool:
        fulfilled = set(cosigned)
        for group in self.groups:  # members come before their group
            if sum(member in fulfilled for member in group.members) >= group.threshold:
                fulfilled.add(group.name)
        return self.quorum in fulfilled


def _only_quorum(lines: Iterable[PolicyLine]) -> str:
    names = [line.name for line in lines if isinstance(line, QuorumLine)]
    if len(names) != 1:
        raise PolicyMalformedError(f"a policy has exactly one quorum line, and this has {len(names)}")
    return names[0]


def _check_names(lines: Iterable[PolicyLine]) -> None:
    """Refuse names that are used before they are defined, defined twice, or members twice."""
    defined = {NO_QUORUM}
    grouped = {NO_QUORUM}
    for line in lines:
        if isinstance(line, GroupLine):
            if not 1 <= line.threshold <= len(line.members):
                raise PolicyMalformedError(
                    f"group {line.name!a} asks for {line.threshold} of {len(line.members)} members"
                )
            for member in line.members:
                if member not in defined or member in grouped:
                    raise PolicyMalformedError(
                        f"member {member!a} of group {line.name!a} is not defined before, or a member already"
                    )
                grouped.add(member)
        if isinstance(line, GroupLine | WitnessLine):
            if line.name in defined:
                raise PolicyMalformedError(f"the name {line.name!a} is taken")
            defined.add(line.name)
        if isinstance(line, QuorumLine) and line.name not in defined:
            raise PolicyMalformedError(f"the quorum {line.name!a} is not defined before")


def _check_keys(role: str, use: Use, keys: Iterable[VerifierKey]) -> None:
    seen: set[bytes] = set()
    labels: set[str] = set()
    for key in keys:
        if key.kind.use != use:
            raise PolicyMalformedError(f"{key.label} is of {key.kind.name}, and a {role} needs {names_of(use)}")
        # Two keys can be made to share name and id, and a line of one would then be held against the other.
        if key.public_key in seen or key.label in labels:
            raise PolicyMalformedError(f"the {role} {key.label} is listed twice")
        seen.add(key.public_key)
        labels.add(key.label)


def _read_line(keyword: bytes, *items: bytes) -> PolicyLine:
    read = _READERS.get(keyword)
    if read is None:
        raise PolicyMalformedError(f"{_name(keyword)!a} is not log, witness, group or quorum")
    return read(*[_name(item) for item in items])


def _read_log(*items: str) -> LogLine:
    if not 1 <= len(items) <= 2:
        raise PolicyMalformedError("a log line is `log <vkey> [<url>]`")
    return LogLine(VerifierKey.from_text(items[0]), *items[1:])


def _read_witness(*items: str) -> WitnessLine:
    if not 2 <= len(items) <= 3:
        raise PolicyMalformedError("a witness line is `witness <name> <vkey> [<url>]`")
    return WitnessLine(items[0], VerifierKey.from_text(items[1]), *items[2:])


def _read_group(*items: str) -> GroupLine:
    if len(items) < 3:
        raise PolicyMalformedError("a group line is `group <name> all|any|<k> <member>...`")
    name, threshold, *members = items
    if threshold in ("all", "any"):
        return GroupLine(name, len(members) if threshold == "all" else 1, tuple(members))
    return GroupLine(name, decimal_from_text(threshold.encode(errors=_OCTETS)), tuple(members))


def _read_quorum(*items: str) -> QuorumLine:
    if len(items) != 1:
        raise PolicyMalformedError("a quorum line is `quorum <name>` or `quorum none`")
    return QuorumLine(items[0])


_READERS: Final[Mapping[bytes, Callable[..., PolicyLine]]] = {
    b"log": _read_log,
    b"witness": _read_witness,
    b"group": _read_group,
    b"quorum": _read_quorum,
}


def _line_to_text(line: PolicyLine) -> bytes:
    match line:
        case LogLine(vkey, url):
            items = ["log", vkey.to_text(), *([url] if url is not None else [])]
        case WitnessLine(name, vkey, url):
            items = ["witness", name, vkey.to_text(), *([url] if url is not None else [])]
        case GroupLine(name, threshold, members):
            items = ["group", name, str(threshold), *members]
        case QuorumLine(name):
            items = ["quorum", name]
    return " ".join(items).encode(errors=_OCTETS) + b"\n"


def _name(item: bytes) -> str:
    return item.decode(errors=_OCTETS)
