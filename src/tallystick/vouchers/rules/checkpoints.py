"""What another log has signed is kept: so a network of logs holds each of them to what it said."""

from typing import Annotated, Final, Literal

from pydantic import StringConstraints

from tallystick.errors import MalformedError, VerificationError
from tallystick.signing.keys import VerifierKey
from tallystick.signing.note import Note
from tallystick.transparency.checkpoint import Checkpoint, open_checkpoint
from tallystick.vouchers.fields import LogVkey
from tallystick.vouchers.outcomes import Nothing
from tallystick.vouchers.parties import RecordedCheckpoint
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.rule import (
    EVERY_PARTY,
    OPERATOR,
    Accounts,
    Event,
    History,
    Names,
    Postings,
    Rule,
    Signers,
    own_party,
)
from tallystick.vouchers.state import State


class CheckpointRecord(Rule):
    """A checkpoint that another log has signed, as an operator was given it."""

    kind: Literal["checkpoint.record/1"]
    checkpoint: Annotated[str, StringConstraints(min_length=1, max_length=16_384)]
    log_vkey: LogVkey

    event_kind = "checkpoint.recorded/1"
    outcome = Nothing
    about = (EVERY_PARTY,)
    roles = OPERATOR
    refusals = (
        Reason.CHECKPOINT_INVALID,
        Reason.CHECKPOINT_SMALLER,
        Reason.CHECKPOINT_CONTRADICTED,
    )

    def signers(self, state: State, at: int) -> Signers:
        """One signature of the party, of the network its quorum."""
        return own_party(self, state)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """Signed by the key that is named, of another log, and no smaller than the newest of that log by that key."""
        checkpoint = self._opened()
        if isinstance(checkpoint, Refusal):
            return checkpoint
        if checkpoint.origin == self.log:
            return Refusal(Reason.CHECKPOINT_INVALID, "it is of this log")
        before = state.other_logs.get(self._log())
        if before is not None and checkpoint.size < before.size:
            return Refusal(Reason.CHECKPOINT_SMALLER, f"entry {before.index} has one of {before.size} entries")
        if before is not None and checkpoint.size == before.size and checkpoint.root.hex() != before.root:
            return Refusal(Reason.CHECKPOINT_CONTRADICTED, f"entry {before.index} has another root of that size")
        return Nothing()

    def _log(self) -> str:
        """Return whose checkpoint it is: a key of a log's name is anybody's, and another's shuts none of it out."""
        return VerifierKey.from_text(self.log_vkey).label

    def _opened(self) -> Checkpoint | Refusal:
        """Return what the note says, if the key that is named has signed it, and is called as it is."""
        try:
            return open_checkpoint(self.checkpoint.encode(), VerifierKey.from_text(self.log_vkey))
        except (MalformedError, VerificationError) as error:
            return Refusal(Reason.CHECKPOINT_INVALID, str(error))

    def evolve(self, state: State, event: Event) -> Postings:
        """It is the newest of its log by this key."""
        checkpoint = Checkpoint.from_text(Note.from_bytes(self.checkpoint.encode()).text)  # opened when it was decided
        state.other_logs[self._log()] = RecordedCheckpoint(event.index, checkpoint.size, checkpoint.root.hex())
        return ()

    def touches(self, state: State, event: Event) -> Accounts:
        """No account."""
        return set()

    def concerns(self, state: State, event: Event) -> Names:
        """The other log's checkpoints."""
        return [f"checkpoints {VerifierKey.from_text(self.log_vkey).name}"]

    def follows(self) -> Names:
        """Nothing."""
        return ()

    def asks(self, event: Event, history: History) -> Names:
        """The other log's checkpoints before."""
        return [f"checkpoints {VerifierKey.from_text(self.log_vkey).name}"]


RULES: Final = (CheckpointRecord,)
