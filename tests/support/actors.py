"""Parties for tests: the same name always has the same key, so a failing test fails the same way everywhere.

`key_of("shanghai-treasury/officer-1")` is the Ed25519 key whose seed is the SHA-256 of that name: fine for tests, and
never for anything else. An `Actor` is a party that fills in what every command has and signs it.
"""

import functools
import hashlib
from dataclasses import dataclass, field
from typing import Any

from tallystick.signing import canonical_json
from tallystick.signing.keys import SigningKey
from tallystick.signing.note import Note, Signature, sign_text
from tallystick.transparency.checkpoint import Checkpoint
from tallystick.vouchers.quantities import format_instant

Json = dict[str, Any]
ORIGIN = "tallystick.example/national"
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@functools.cache
def key_of(name: str) -> SigningKey:
    """The key of this name (`<party>/<label>`), always the same; `a/b:c/d` is the name a/b on the key pair of c/d."""
    name, _, other = name.partition(":")
    return SigningKey.from_seed(name, hashlib.sha256((other or name).encode()).digest())


def vkey_of(name: str) -> str:
    """The vkey text of the key of this name."""
    return key_of(name).verifier.to_text()


def label_of(name: str) -> str:
    """The key of this name as the log calls it: `<name>+<key id, 8 hex digits>`."""
    return key_of(name).verifier.label


def uscc_of(name: str) -> str:
    """A unified social credit code that is formally right (GB 32100-2015), always the same for a name."""
    number = int.from_bytes(hashlib.sha256(name.encode()).digest())
    code = "91310000" + "".join(USCC_ALPHABET[number // 31**place % 31] for place in range(9))
    total = sum(USCC_ALPHABET.index(character) * 3**place for place, character in enumerate(code))
    return code + USCC_ALPHABET[-total % 31]


def text_of(command: Json) -> bytes:
    """The text that is signed: canonical JSON and a newline. Nothing is checked, so it also spells wrong commands."""
    return canonical_json.encode(command) + b"\n"


def note_of(command: Json, *key_names: str, spoiled: tuple[str, ...] = ()) -> bytes:
    """The command signed by the keys of these names; the signatures of the `spoiled` ones are somebody else's."""
    data = sign_text(text_of(command), *[key_of(name) for name in (*key_names, *spoiled)])
    if not spoiled:
        return data
    note, labels = Note.from_bytes(data), {label_of(name) for name in spoiled}
    lines = [_spoil(one) if f"{one.name}+{one.key_id.hex()}" in labels else one for one in note.signatures]
    return Note(note.text, tuple(lines)).to_bytes()


def profile_of(party: str) -> str:
    """A hash that commits to what identifies a party."""
    return f"sha256:{hashlib.sha256(f'the profile of {party}, and a nonce'.encode()).hexdigest()}"


def brought_by(command: Json) -> list[str]:
    """The names of the keys that a command brings: these sign it too."""
    fields = {"party.admit/1": ("keys", "meter_keys", "read_keys"), "key.add/1": ("vkey",), "key.rotate/1": ("vkey",)}
    found = [command.get(name, []) for name in fields.get(command["kind"], ())]
    vkeys = [vkey for value in found for vkey in ([value] if isinstance(value, str) else value)]
    return [vkey.partition("+")[0] for vkey in vkeys]


def _spoil(signature: Signature) -> Signature:
    """The same line with one bit of the signature turned over (its first four bytes may be the key id)."""
    blob = signature.blob[:-1] + bytes([signature.blob[-1] ^ 1])
    return Signature(signature.name, signature.key_id, blob)


@dataclass
class Actor:
    """A party that signs with its keys, and numbers its commands `1`, `2`, … where no `ref` is given."""

    party: str
    labels: tuple[str, ...] = ("officer-1",)
    log: str = ORIGIN
    refs: int = field(default=0, init=False)

    @property
    def key_names(self) -> tuple[str, ...]:
        """`<party>/<label>` of its keys."""
        return tuple(f"{self.party}/{label}" for label in self.labels)

    @property
    def vkeys(self) -> list[str]:
        """The vkey texts of its keys, as a command lists them."""
        return [vkey_of(name) for name in self.key_names]

    def command(self, kind: str, at: int, **fields: Any) -> Json:
        """A command as JSON, signed at `at` (µs): `kind` without its version, the fields as in docs/rules.md."""
        if "ref" not in fields:
            self.refs += 1
        head = {"kind": f"{kind}/1", "log": self.log, "party": self.party, "ref": str(self.refs)}
        return head | {"signed_at": format_instant(at)} | fields

    def note(self, kind: str, at: int, *cosigners: str, **fields: Any) -> bytes:
        """That command signed by all of its own keys and those of the cosigners named (`<party>/<label>`)."""
        command = self.command(kind, at, **fields)
        return note_of(command, *dict.fromkeys((*self.key_names, *cosigners, *brought_by(command))))


def checkpoint_of(origin: str, size: int, root: str = "", *, signed_by: str = "") -> str:
    """A log's checkpoint, whose root is the SHA-256 of a text, signed by the key of the origin's name or of another."""
    checkpoint = Checkpoint(origin, size, hashlib.sha256(root.encode()).digest())
    return sign_text(checkpoint.to_text(), key_of(signed_by or origin)).decode()
