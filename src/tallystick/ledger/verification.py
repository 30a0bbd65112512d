"""Signatures are verified ahead of the decision and outside the writer's lock: bad ones hold up no other note.

Many at once are verified in processes beside the writer (`verifying`), so that both cores are at work; few, or where
there are no processes, by the submitter's own thread. What is found here only saves `admit` the work: it verifies
itself what nobody did before.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from tallystick.signing.keys import VerifierKey
from tallystick.verifying import GOOD, UNTOLD, Batch, Pending, SignatureJob, VerificationPool
from tallystick.vouchers.admit import SignedCommand
from tallystick.vouchers.state import State

NOTES_PER_TASK: Final = 64
WORTH_A_PROCESS: Final = 8

Owner = tuple[SignedCommand, bytes]
"""A command, and what one of its signatures is filed under: public key and signature joined."""


@dataclass(slots=True)
class Verification:
    """Signatures of some commands, being verified: by task, whose they are, and what is found."""

    tasks: list[tuple[list[Owner], Pending]] = field(default_factory=list)

    def finish(self) -> None:
        """Wait, and write down in each command what was found; what a task that failed owed, `admit` finds out.

        Called again, it does nothing: several groups may share it.
        """
        tasks, self.tasks = self.tasks, []
        for owners, pending in tasks:
            with suppress(Exception):  # there is no memory, or it is unforeseen
                _, verdicts = pending.result()
                for (command, claim), verdict in zip(owners, verdicts, strict=True):
                    if verdict != UNTOLD:
                        command.verdicts[claim] = verdict == GOOD


class Verifier:
    """What is signed in the commands of a writer, verified in its processes."""

    def __init__(self, processes: int) -> None:
        """Take the number of processes; 0 for none."""
        self.has_processes: Final = processes > 0
        self._pool = VerificationPool(processes)

    def start(self, commands: Sequence[SignedCommand], state: State) -> Verification:
        """Begin to verify what is signed by keys that the state knows; it may be read from another thread.

        What is under a reference that the state remembers is answered without its signatures, so they aren't looked at.
        """
        verification = Verification()
        for first in range(0, len(commands), NOTES_PER_TASK):
            owners, batch = _signatures_by_known_keys(commands[first : first + NOTES_PER_TASK], state)
            is_few = len(commands) < WORTH_A_PROCESS
            verification.tasks.append((owners, Pending(batch) if is_few else self._pool.submit(batch)))
        return verification

    def close(self) -> None:
        """End the processes."""
        self._pool.close()


def _signatures_by_known_keys(commands: Sequence[SignedCommand], state: State) -> tuple[list[Owner], Batch]:
    owners: list[Owner] = []
    jobs: list[SignatureJob] = []
    texts = [command.note.text for command in commands]
    for place, command in enumerate(commands):
        with suppress(Exception):  # unforeseen: `admit` meets it again, and answers this note
            if f"{command.command.party} {command.command.ref}" in state.references:
                continue
            for signature in command.note.signatures:
                key = state.keys.get(signature.label)
                if key is not None:
                    claim = VerifierKey.from_text(key.vkey).public_key + signature.blob
                    jobs.append((place, 0, len(texts[place]), key.vkey, signature.blob))
                    owners.append((command, claim))
    return owners, (texts, 0, jobs)
