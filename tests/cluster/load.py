"""Submitters that bring the same note again until somebody answers it, and keep every answer and receipt.

One more asks every writer for receipts all the time, also those who don't know yet that they were fenced; and one
reads the newest checkpoint from whichever server lets itself be read.
"""

import base64
import contextlib
import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster.writers import Line, WriterProcess, Writers
from support.burning import burn_note
from tallystick.errors import LedgerError
from tallystick.publishing import read_ledger

SECONDS_FOR_AN_ANSWER = 2.0
SECONDS_FOR_A_RECEIPT = 20.0
SECONDS_BETWEEN_NOTES = 0.03
SECONDS_BETWEEN_RECEIPTS = 0.1
SECONDS_BETWEEN_CHECKPOINTS = 0.2
SECONDS_BETWEEN_ROUNDS = 0.02


@dataclass(frozen=True, slots=True)
class Answer:
    """What a writer answered to a note, and so must hold for ever.

    Attributes:
        at: when it came (monotonic, s).
        writer: whose it is.
        attempts: how often the note was sent.
    """

    ref: str
    index: int
    entry: bytes
    receipt: bytes
    at: float
    writer: str
    attempts: int


class Load:
    """Some submitters, each with one note under way."""

    def __init__(self, writers: Writers, submitters: int, seed: int, sources: Sequence[str]) -> None:
        self._writers = writers
        self._sources = sources
        self._stopping = threading.Event()
        self._changed = threading.Condition()
        self.answers: list[Answer] = []
        self.notes: dict[str, bytes] = {}
        self.errors: list[BaseException] = []
        self.late: list[Late] = []
        self.receipts: list[bytes] = []
        self.checkpoints: list[bytes] = []
        self._threads = [
            threading.Thread(
                target=self._run, args=(f"{seed}-{number}", random.Random(f"{seed} {number}")), daemon=True
            )
            for number in range(submitters)
        ]
        for asking in (self._ask_for_receipts, self._read_checkpoints):
            self._threads.append(threading.Thread(target=asking, args=(random.Random(seed),), daemon=True))

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Begin no more notes."""
        self._stopping.set()

    def submit_fatally(self, writer: WriterProcess, die_at: int) -> bool:
        """Have a writer die at a step of a new note's submit; return whether it did. The note is brought anew then."""
        ref = f"fatal-{len(self.notes)}"
        note = self.notes[ref] = burn_note(ref)
        did_die = False
        try:
            with contextlib.closing(Line(writer.socket)) as line:
                line.submit(note, SECONDS_FOR_A_RECEIPT, die_at=die_at)
        except ConnectionError:
            did_die = True
        with contextlib.closing(Submitter(self._writers, self.late)) as submitter:
            self._keep(submitter.bring(ref, note))
        return did_die

    def all_answers(self) -> list[Answer]:
        """Return those too that came when nobody waited for them any more; the writers must be dead."""
        return self.answers + [answer for answer in map(Late.read, self.late) if answer is not None]

    def finish(self) -> None:
        """Let every note that was begun be answered."""
        self.stop()
        for thread in self._threads:
            thread.join(60.0)
            if thread.is_alive():
                raise TimeoutError("a note is never answered")

    def first_answer(self, after: float, not_by: str = "", seconds: float = 60.0) -> Answer:
        """Return the first answer after a moment, by another writer than the one named."""

        def found() -> list[Answer]:
            return [one for one in self.answers[-200:] if one.at > after and one.writer != not_by]

        with self._changed:
            if not self._changed.wait_for(lambda: found() or self.errors, seconds) or self.errors:
                raise TimeoutError(f"no answer within {seconds:.0f} s; {self.errors}")
            return found()[0]

    def _keep(self, answer: Answer) -> None:
        with self._changed:
            self.answers.append(answer)
            self._changed.notify_all()

    def _ask_for_receipts(self, chance: random.Random) -> None:
        lines: dict[Path, Line] = {}
        while not self._stopping.wait(SECONDS_BETWEEN_RECEIPTS):
            for writer in self._writers.living.copy() if self.answers else ():
                line = lines.pop(writer.socket, None)
                with contextlib.suppress(OSError):
                    line = line or Line(writer.socket)
                    answer = line.ask({"receipt_of": chance.choice(self.answers).index}, SECONDS_FOR_A_RECEIPT)
                    lines[writer.socket] = line
                    if "receipt" in answer:
                        self.receipts.append(base64.b64decode(answer["receipt"]))
                if line is not None and writer.socket not in lines:
                    line.close()
        for line in lines.values():
            line.close()

    def _read_checkpoints(self, chance: random.Random) -> None:
        while not self._stopping.wait(SECONDS_BETWEEN_CHECKPOINTS):
            with contextlib.suppress(LedgerError), read_ledger(chance.choice(self._sources)) as reader:
                self.checkpoints.append(reader.checkpoint_note())

    def _run(self, name: str, chance: random.Random) -> None:
        try:
            with contextlib.closing(Submitter(self._writers, self.late)) as submitter:
                number = 0
                while not self._stopping.wait(SECONDS_BETWEEN_NOTES * chance.random() * 2):
                    ref = f"{name}-{number}"
                    note = self.notes[ref] = burn_note(ref, chance.choice((1, 1, 1, 3)))
                    self._keep(submitter.bring(ref, note))
                    number += 1
        except BaseException as error:
            with self._changed:
                self.errors.append(error)
                self._changed.notify_all()
            raise


@dataclass(frozen=True, slots=True)
class Late:
    """A writer that may answer after all: it was given up too early, yet its answer is a promise like any other."""

    ref: str
    writer: str
    line: Line

    def read(self) -> Answer | None:
        """Return its answer, if there ever was one."""
        with contextlib.closing(self.line), contextlib.suppress(OSError):
            answer = self.line.read(0.0)
            if "index" in answer:
                return _answer(self.ref, answer, self.writer, 1)
        return None


class Submitter:
    """Brings notes to whoever writes."""

    def __init__(self, writers: Writers, late: list[Late]) -> None:
        self._writers = writers
        self._late = late
        self._lines: dict[Path, Line] = {}
        self._last: WriterProcess | None = None

    def bring(self, ref: str, note: bytes) -> Answer:
        """Submit a note, to one writer after another, until it is answered."""
        attempts = 0
        while True:
            for writer in self._in_turn():
                attempts += 1
                answer = self._ask(writer, ref, note)
                if "refused" in answer:
                    raise AssertionError(f"{ref} was refused: {answer['refused']}")
                if "index" in answer:
                    self._last = writer
                    return _answer(ref, answer, writer.name, attempts)
            time.sleep(SECONDS_BETWEEN_ROUNDS)

    def close(self) -> None:
        """Hang up everywhere."""
        for line in self._lines.values():
            line.close()

    def _in_turn(self) -> list[WriterProcess]:
        """Whoever answered last is asked first; who doesn't say that it writes may yet do so."""
        return sorted(
            self._writers.living.copy(), key=lambda writer: (writer is not self._last, writer.says != "writing")
        )

    def _ask(self, writer: WriterProcess, ref: str, note: bytes) -> dict[str, Any]:
        line = self._lines.pop(writer.socket, None)
        try:
            line = line or Line(writer.socket)
            answer = line.submit(note, SECONDS_FOR_AN_ANSWER)
        except TimeoutError:
            if line is not None:
                self._late.append(Late(ref, writer.name, line))
            return {}
        except OSError:
            if line is not None:
                line.close()
            return {}
        self._lines[writer.socket] = line
        return answer


def _answer(ref: str, answer: dict[str, Any], writer: str, attempts: int) -> Answer:
    entry, receipt = (base64.b64decode(answer[part]) for part in ("entry", "receipt"))
    return Answer(ref, answer["index"], entry, receipt, time.monotonic(), writer, attempts)
