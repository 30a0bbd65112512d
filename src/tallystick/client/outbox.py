"""Signed notes that are to be sent: each signed once and durable before it is sent, and sent until it is answered.

    <outbox>/notes/<digest of the reference>     a signed note
    <outbox>/answers.jsonl                       {"ref", "answer"}, one a line; the last of a reference counts

A note is found by its reference. Killed at any moment, the same batch goes on: what has no answer is sent again, the
same bytes, which the log answers with the entry that they already are. So nothing is recorded twice.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tallystick.durable_files import PRIVATE_MODE, DurableFiles, exclusive_lock, sync_folder
from tallystick.errors import UsageError
from tallystick.signing.algorithms import SHA256
from tallystick.wire import JsonObject

_ANSWERS: Final = "answers.jsonl"
_NOTES: Final = "notes"
_NAME_DIGITS: Final = 40
_NOTE_SIZE_MAX: Final = 65_536


class Outbox:
    """A folder of notes and answers, held by one process at a time."""

    def __init__(self, folder: Path) -> None:
        """Read what was answered.

        Args:
            folder: which is there.

        Raises:
            UsageError: the answers aren't ones.
            OSError: they can't be read.
        """
        self._folder = folder
        self._answers: dict[str, JsonObject] = {}
        self._end = 0
        self._read_answers()

    def note(self, ref: str) -> bytes | None:
        """Return the note of a reference, if one was signed."""
        try:
            with self._path(ref).open("rb") as file:
                return file.read(_NOTE_SIZE_MAX)
        except FileNotFoundError:
            return None

    def answer(self, ref: str) -> JsonObject | None:
        """Return the newest answer to the note of a reference, if there is one."""
        return self._answers.get(ref)

    def unanswered(self) -> dict[str, bytes]:
        """Return the notes that were signed and have no answer, by reference, in the order of references.

        Raises:
            UsageError: a file among them is no note.
            OSError: they can't be read.
        """
        answered = {_name(ref) for ref in self._answers}
        folder = self._folder / _NOTES
        found = {}
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.name in answered:
                continue
            note = path.read_bytes()
            try:
                ref = str(json.loads(note.partition(b"\n")[0])["ref"])
            except (ValueError, KeyError, TypeError):
                raise UsageError(f"{path} is no note: something else wrote there") from None
            found[ref] = note
        return dict(sorted(found.items()))

    def add(self, notes: Mapping[str, bytes]) -> None:
        """Keep notes by reference, durable when this returns: from then on they may be sent.

        A note that was refused may be replaced; any other is kept as it is.

        Raises:
            ValueError: a reference has another note already, which wasn't refused.
            OSError: no room, or no right to.
        """
        new = {}
        for ref, note in notes.items():
            there = self.note(ref)
            if there == note:
                continue
            if there is not None and not self.was_refused(ref):
                raise ValueError(f"{ref} has another note already")
            new[ref] = note
        if not new:
            return
        with DurableFiles(self._folder, PRIVATE_MODE) as files:
            for ref, note in new.items():
                files.write(f"{_NOTES}/{_name(ref)}", note)
            files.sync()
        for ref in new:
            self._answers.pop(ref, None)

    def was_refused(self, ref: str) -> bool:
        """Return whether the log refused the note of a reference, so that it isn't recorded."""
        answer = self._answers.get(ref)
        return answer is not None and not answer["accepted"]

    def keep(self, answers: Sequence[tuple[str, JsonObject]]) -> None:
        """Keep answers by reference, durable when this returns."""
        lines = "".join(f"{_line(ref, answer)}\n" for ref, answer in answers).encode()
        opened = os.open(self._folder / _ANSWERS, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_MODE)
        try:
            os.ftruncate(opened, self._end)  # a line that a kill cut off
            os.pwrite(opened, lines, self._end)
            os.fsync(opened)
        finally:
            os.close(opened)
        if self._end == 0:
            sync_folder(self._folder)
        self._end += len(lines)
        self._answers |= dict(answers)

    def _read_answers(self) -> None:
        path = self._folder / _ANSWERS
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return
        self._end = data.rfind(b"\n") + 1
        for number, line in enumerate(data[: self._end].splitlines(), 1):
            try:
                said: Any = json.loads(line)
                self._answers[said["ref"]] = said["answer"]
                _ = said["answer"]["accepted"]
            except (ValueError, KeyError, TypeError):
                raise UsageError(f"{path}, line {number}, is no answer: something else wrote there") from None

    def _path(self, ref: str) -> Path:
        return self._folder / _NOTES / _name(ref)


@contextmanager
def open_outbox(folder: Path) -> Iterator[Outbox]:
    """Give the outbox of a folder, which is made if it isn't there; no other process has it meanwhile.

    Raises:
        LedgerBusyError: another has it.
        UsageError: something else wrote there.
        OSError: it can't be made or read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with exclusive_lock(folder):
        yield Outbox(folder)


def _name(ref: str) -> str:
    """Return the file of a reference: one may hold a slash, and be longer than a file's name."""
    return SHA256.digest(ref.encode()).hex()[:_NAME_DIGITS]


def _line(ref: str, answer: JsonObject) -> str:
    return json.dumps({"ref": ref, "answer": answer}, ensure_ascii=False, separators=(",", ":"))
