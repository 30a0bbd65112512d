"""Signatures are verified ahead of the decision and outside the writer's lock: a stranger's bad ones hold up nobody.

Many at once are verified in processes beside the writer, so that both cores are at work; few, or where there are no
processes, by the submitter's own thread.

Threads would do if the writer slept: `cryptography` lets go of the interpreter lock while it verifies. But the writer
decides all the time, and a thread that comes back from a verification then waits for the lock far longer than the
verification took (docs/decisions has the figures). What is found here only saves `admit` the work: it verifies itself
what nobody did before.
"""

import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Final

from tallystick.errors import SignatureInvalidError
from tallystick.signing.keys import VerifierKey
from tallystick.vouchers.admit import SignedCommand
from tallystick.vouchers.state import State

NOTES_PER_TASK: Final = 64
WORTH_A_PROCESS: Final = 8

Signed = tuple[bytes, list[tuple[str, bytes]]]
"""A text, and its signatures by known keys, as (vkey text, 64 bytes)."""

Owner = tuple[SignedCommand, list[bytes]]
"""A command, and what its signatures are filed under: public key and signature joined."""


@dataclass(slots=True)
class Verification:
    """Signatures of some commands, being verified: by task, whose they are, and what is found."""

    tasks: list[tuple[list[Owner], Future[list[list[bool]]]]] = field(default_factory=list)

    def finish(self) -> None:
        """Wait, and write down in each command what was found; what a task that failed owed, `admit` finds out."""
        for owners, answer in self.tasks:
            with suppress(Exception):  # its process died, has no memory, or met what nobody foresaw
                for owner, found in zip(owners, answer.result(), strict=True):
                    _write_down(owner, found)


class Verifier:
    """A pool of processes, started when there is first enough to verify."""

    def __init__(self, processes: int) -> None:
        """Take the number of processes; 0 for none."""
        self._processes = processes
        self._pool: ProcessPoolExecutor | None = None
        self._lock = threading.Lock()

    def start(self, commands: Sequence[SignedCommand], state: State) -> Verification:
        """Begin to verify what is signed by keys that the state knows; it may be read from another thread."""
        verification = Verification()
        if self._processes == 0 or len(commands) < WORTH_A_PROCESS:
            for owner, task in _signatures_by_known_keys(commands, state):
                _write_down(owner, verify_all([task])[0])
            return verification
        owned = list(_signatures_by_known_keys(commands, state))
        self._submit(
            [owned[first : first + NOTES_PER_TASK] for first in range(0, len(owned), NOTES_PER_TASK)], verification
        )
        return verification

    def _submit(self, tasks: list[list[tuple[Owner, Signed]]], verification: Verification) -> None:
        with self._lock:  # two submitters must not start two pools
            if self._pool is None:
                self._pool = ProcessPoolExecutor(
                    self._processes, mp_context=get_context("forkserver"), initializer=_leave_interrupts_to_the_writer
                )
            pool = self._pool
        try:
            for task in tasks:
                answer = pool.submit(verify_all, [signed for _, signed in task])
                verification.tasks.append(([owner for owner, _ in task], answer))
        except Exception:
            # One of its processes was killed, and the pool with it, or the machine gives none: the next submission gets
            # a new one, and what isn't found out here is found out by `admit`.
            with self._lock:
                if self._pool is pool:
                    self._pool = None
            pool.shutdown(wait=False)

    def close(self) -> None:
        """End the processes."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


def _signatures_by_known_keys(commands: Sequence[SignedCommand], state: State) -> Iterator[tuple[Owner, Signed]]:
    for command in commands:
        lines, claims = [], []
        with suppress(Exception):  # nobody foresaw it: `admit` meets it again, and answers this note
            for signature in command.note.signatures:
                key = state.keys.get(signature.label)
                if key is not None:
                    claims.append(VerifierKey.from_text(key.vkey).public_key + signature.blob)
                    lines.append((key.vkey, signature.blob))
        yield (command, claims), (command.note.text, lines)


def _write_down(owner: Owner, found: list[bool]) -> None:
    command, claims = owner
    command.verdicts.update(zip(claims, found, strict=False))


def _leave_interrupts_to_the_writer() -> None:
    # Ctrl-C reaches every process of the terminal; the pool's end when the writer lets go of them.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def verify_all(tasks: Sequence[Signed]) -> list[list[bool]]:
    """Return, for each text, whether its signatures are good, up to the first that isn't, or that can't be told.

    That one is enough to refuse the note: who sends many bad lines doesn't have them all looked at.
    """
    return [_verify(text, lines) for text, lines in tasks]


def _verify(text: bytes, lines: Sequence[tuple[str, bytes]]) -> list[bool]:
    verdicts: list[bool] = []
    for vkey, signature in lines:
        try:
            VerifierKey.from_text(vkey).verify(signature, text)
        except SignatureInvalidError:
            return [*verdicts, False]
        except Exception:  # nobody foresaw it: `admit` meets it again, and answers this note
            return verdicts
        verdicts.append(True)
    return verdicts
