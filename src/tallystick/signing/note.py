"""A note is read in its canonical encoding only, and its text counts once a signature by a known key is verified.

The format is C2SP signed-note (v1.0.0):

    <text, ending in a newline>
    <empty line>
    — <key name> <base64(4 bytes of key id || signature)>      once for each signature

Signed is the text with its last newline, without the empty line. The text may have empty lines itself: the last one
separates. Reading: size, UTF-8, no control character but the newline, then the lines. `open_note` then verifies: lines
by keys that weren't given are passed over (a witness may have added them), a bad line by a known key spoils the note,
and so does the lack of any known line.

Stricter than the specification: two lines by one key are refused, and so are base64 with stray padding bits, and more
than `SIGNATURES_MAX` lines. A note that was read gives exactly its bytes again.

Which algorithms sign notes is in algorithms.py. Cosignatures sign another message: they are carried, and verified
elsewhere.
"""

import binascii
from collections.abc import Iterable
from typing import Final, NamedTuple

from tallystick.errors import KeyMalformedError, NoteMalformedError, SignatureMissingError
from tallystick.signing.keys import KEY_ID_SIZE, SigningKey, VerifierKey, check_key_name

NOTE_SIZE_MAX: Final = 65_535
SIGNATURES_MAX: Final = 64  # the specification asks for 16 or more; a checkpoint may carry 32 witnesses

_PREFIX: Final = "— ".encode()
_CONTROLS: Final = bytes(set(range(0x20)) - {0x0A})


class Signature(NamedTuple):
    """One signature line: the key's name and its id (4 bytes); `blob` is what follows the id."""

    name: str
    key_id: bytes
    blob: bytes

    @classmethod
    def from_line(cls, line: bytes) -> "Signature":
        """Return the signature of a line with its newline.

        Raises:
            NoteMalformedError: not a signature line in its canonical encoding.
        """
        if line[-1:] != b"\n":
            raise NoteMalformedError("a signature line ends in a newline")
        return _read_line(line[:-1])

    def to_line(self) -> bytes:
        """Return the line with its newline."""
        encoded = binascii.b2a_base64(self.key_id + self.blob)  # with a newline
        return b"%s%s %s" % (_PREFIX, self.name.encode(), encoded)

    @property
    def label(self) -> str:
        """What a person calls the key: `<name>+<key id in 8 hex digits>`."""
        return f"{self.name}+{self.key_id.hex()}"


class Note(NamedTuple):
    """A signed text as it was read: nothing in it is verified yet."""

    text: bytes
    signatures: tuple[Signature, ...]

    @property
    def key_names(self) -> tuple[str, ...]:
        """The names of the keys of its lines, in order."""
        return tuple([signature.name for signature in self.signatures])

    @classmethod
    def from_bytes(cls, data: bytes, *, size_max: int = NOTE_SIZE_MAX) -> "Note":
        """Return the note of these bytes, unverified.

        Raises:
            NoteMalformedError: larger than `size_max` bytes, or not a note in its canonical encoding.
        """
        if len(data) > size_max:
            raise NoteMalformedError(f"a note of {len(data)} bytes is larger than {size_max}")
        try:
            data.decode()
        except UnicodeDecodeError:
            raise NoteMalformedError("a note is UTF-8, and this is not") from None
        if len(data.translate(None, _CONTROLS)) != len(data):
            raise NoteMalformedError("a note has no control characters but newlines")
        end = data.rfind(b"\n\n") + 1
        if end == 0:
            raise NoteMalformedError("a note is a text, an empty line and signature lines")
        if data[-1:] != b"\n":
            raise NoteMalformedError("a note ends in a newline")
        lines = data[end + 1 : -1].split(b"\n")
        if len(lines) > SIGNATURES_MAX:
            raise NoteMalformedError(f"a note has at most {SIGNATURES_MAX} signatures")
        signatures = tuple(map(_read_line, lines))
        if len(lines) > 1:
            _refuse_repetition(signatures)
        return cls(data[:end], signatures)

    def to_bytes(self) -> bytes:
        """Return the whole note."""
        return b"%s\n%s" % (self.text, b"".join([signature.to_line() for signature in self.signatures]))


def open_note(
    data: bytes, keys: Iterable[VerifierKey], *, size_max: int = NOTE_SIZE_MAX
) -> tuple[Note, tuple[VerifierKey, ...]]:
    """Return a verified note and the given keys that signed it, in the order of its lines.

    Args:
        data: the note.
        keys: those whose signatures count.
        size_max: bytes.

    Raises:
        NoteMalformedError: not a note in its canonical encoding.
        SignatureInvalidError: a line by a given key that isn't that key's signature.
        SignatureMissingError: no line by any given key.
        ValueError: given keys that don't sign notes, or two that share a name and an id.
    """
    known: dict[tuple[str, bytes], VerifierKey] = {}
    for key in keys:
        if key.kind.use != "notes" or known.setdefault((key.name, key.key_id), key) != key:
            raise ValueError(f"{key.label} is no key for notes, or another key has its name and id")
    note = Note.from_bytes(data, size_max=size_max)
    signers = []
    for signature in note.signatures:
        signer = known.get((signature.name, signature.key_id))
        if signer is not None:
            signer.verify(signature.blob, note.text)
            signers.append(signer)
    if not signers:
        raise SignatureMissingError(f"no signature by {_any_of(known.values())}")
    return note, tuple(signers)


def sign_text(text: bytes, *signers: SigningKey) -> bytes:
    r"""Return a whole note: the text, which ends in a newline, signed by each key in turn.

    Raises:
        NoteMalformedError: a text that can't be a note's, a key given twice, or a note larger than `NOTE_SIZE_MAX`.
        ValueError: no key, or one that doesn't sign notes.
    """
    if text[-1:] != b"\n":
        raise NoteMalformedError("a note's text ends in a newline")
    return _with_signatures(text, text + b"\n", signers)


def add_signatures(data: bytes, *signers: SigningKey) -> bytes:
    """Return the note with more signatures of the same text; those already there are kept, unverified.

    Raises:
        NoteMalformedError: not a note, or a key that signed it already, or the result is larger than `NOTE_SIZE_MAX`.
        ValueError: no key, or one that doesn't sign notes.
    """
    return _with_signatures(Note.from_bytes(data).text, data, signers)


def _with_signatures(text: bytes, unfinished: bytes, signers: tuple[SigningKey, ...]) -> bytes:
    if not signers:
        raise ValueError("no key to sign with")
    lines = []
    for signer in signers:
        key = signer.verifier
        if key.kind.use != "notes":
            raise ValueError(f"{key.label} is no key for notes")
        lines.append(Signature(key.name, key.key_id, signer.sign(text)).to_line())
    data = unfinished + b"".join(lines)
    Note.from_bytes(data)  # what we write, we can read
    return data


def _read_line(line: bytes) -> Signature:
    if line[:4] != _PREFIX:
        raise NoteMalformedError("a signature line begins with an em dash (U+2014) and a space")
    name_bytes, _, encoded = line[4:].partition(b" ")
    try:
        name = name_bytes.decode()
        check_key_name(name)
    except (UnicodeDecodeError, KeyMalformedError):
        raise NoteMalformedError("a signature line has no fit key name") from None
    try:
        decoded = binascii.a2b_base64(encoded)
    except binascii.Error:
        decoded = b""
    # a2b_base64 skips what isn't base64 and ignores padding bits: one signature would have many encodings.
    if len(decoded) <= KEY_ID_SIZE or binascii.b2a_base64(decoded, newline=False) != encoded:
        raise NoteMalformedError(f"the signature line of {name!a} is not base64 of a key id and a signature")
    return Signature(name, decoded[:KEY_ID_SIZE], decoded[KEY_ID_SIZE:])


def _refuse_repetition(signatures: tuple[Signature, ...]) -> None:
    seen = set()
    for signature in signatures:
        if (signature.name, signature.key_id) in seen:
            raise NoteMalformedError(f"two signature lines by {signature.label}")
        seen.add((signature.name, signature.key_id))


def _any_of(keys: Iterable[VerifierKey]) -> str:
    labels = [key.label for key in keys]
    if not labels:
        return "a known key"
    return f"any of {', '.join(labels[:3])}" + (f" and {len(labels) - 3} more" if len(labels) > 3 else "")
