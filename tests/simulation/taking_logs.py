"""Where commands go: a log that only decides, and the real writer.

`DecidedLog` is what the writer does between reading a note and keeping its entry, and nothing else. Its notes are of
the right form and length, and no key ever signed them: signing and verifying them would be most of ten years.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from support.actors import ORIGIN, Json, key_of, label_of, note_of, text_of
from tallystick.ledger import Ledger, create_ledger
from tallystick.ledger.pending import Admitted
from tallystick.signing.note import Note, Signature
from tallystick.vouchers.admit import SignedCommand, admit
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.evolve import evolve
from tallystick.vouchers.refusals import Refusal
from tallystick.vouchers.rulebook import parse_command
from tallystick.vouchers.state import State


class Log(Protocol):
    """Takes commands, one after another."""

    @property
    def state(self) -> State:
        """The state after the newest entry."""

    def take(self, command: Json, keys: Sequence[str], at: int) -> Any:
        """Decide a command that keys of these names (`<party>/<label>`) sign, and return its outcome or refusal."""


class DecidedLog:
    """A log in memory: `admit` and `evolve`, and the entries that nobody has fetched yet."""

    def __init__(self, origin: str) -> None:
        self.state = State.empty(origin)
        self.entries: list[Entry] = []
        self._keys: dict[str, tuple[Signature, bytes]] = {}

    def take(self, command: Json, keys: Sequence[str], at: int) -> Any:
        lines = [self._line_of(key) for key in keys]
        text = text_of(command)
        note = Note(text, tuple([line for line, _ in lines]))
        signed = SignedCommand(note.to_bytes(), note, parse_command(text), {known: True for _, known in lines})
        entry = admit(self.state, signed, at)
        if isinstance(entry, Refusal):
            return entry
        evolve(self.state, entry.event)
        self.entries.append(entry)
        return entry.event.outcome

    def _line_of(self, name: str) -> tuple[Signature, bytes]:
        """Return a key's signature line, and what says that it is good."""
        if name not in self._keys:
            label, verifier = label_of(name), key_of(name).verifier
            blob = hashlib.sha512(label.encode()).digest()
            line = Signature(name, bytes.fromhex(label.rpartition("+")[2]), blob)
            self._keys[name] = line, verifier.public_key + blob
        return self._keys[name]


class WrittenLog:
    """The package's own writer over a new ledger folder, with real signatures, one command a transaction."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._now = 0
        self._ledger: Ledger | None = None

    @property
    def state(self) -> State:
        assert self._ledger is not None
        return self._ledger.state

    def take(self, command: Json, keys: Sequence[str], at: int) -> Any:
        self._now = at
        note = note_of(command, *keys)
        if self._ledger is None:
            self._ledger = create_ledger(self._folder, note, key_of(ORIGIN), clock=lambda: self._now)
            return None
        answer = self._ledger.submit([note])[0]
        return Entry.from_bytes(answer.entry).event.outcome if isinstance(answer, Admitted) else answer

    def close(self) -> None:
        """Let go of it."""
        if self._ledger is not None:
            self._ledger.close()
