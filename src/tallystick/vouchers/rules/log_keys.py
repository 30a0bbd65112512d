"""The key that signs the log's checkpoints is changed: docs/decisions/0060-the-logs-key-is-changed-in-the-log.md."""

from typing import Final, Literal

from pydantic import ValidationInfo, field_validator

from tallystick.signing.keys import VerifierKey
from tallystick.vouchers.fields import LogVkey, Period
from tallystick.vouchers.log_keys import LogKeyChange
from tallystick.vouchers.outcomes import Nothing
from tallystick.vouchers.quantities import SECOND_US, format_instant
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.keys import is_known
from tallystick.vouchers.rules.rule import (
    EVERY_PARTY,
    LOG_KEYS,
    NETWORK,
    Accounts,
    Event,
    History,
    Names,
    Postings,
    Rule,
    Signers,
    quorum,
)
from tallystick.vouchers.state import State


class LogRekey(Rule):
    """The log's next key: from its entry on both sign every checkpoint, until the overlap is over."""

    kind: Literal["log.rekey/1"]
    old_vkey: LogVkey
    new_vkey: LogVkey
    overlap_seconds: Period

    event_kind = "log.rekeyed/1"
    outcome = Nothing
    about = (EVERY_PARTY,)
    roles = NETWORK
    refusals = (
        Reason.LOG_KEY_DIFFERS,
        Reason.KEY_ALREADY_KNOWN,
        Reason.REKEY_UNDER_WAY,
    )

    @field_validator("old_vkey", "new_vkey")
    @classmethod
    def _is_of_the_log(cls, vkey: str, others: ValidationInfo) -> str:
        if VerifierKey.from_text(vkey).name != others.data.get("log"):
            raise ValueError("must be a key of this log's name")
        return vkey

    def brings(self) -> tuple[str, ...]:
        """The new key."""
        return (self.new_vkey,)

    def signers(self, state: State, at: int) -> Signers:
        """The party's quorum, and the new key."""
        return quorum(self, state)

    def decide(self, state: State, at: int) -> Nothing | Refusal:
        """From the newest key to one that was never used, one change at a time."""
        before = state.log_keys[-1] if state.log_keys else None
        if before is not None and self.old_vkey != before.new_vkey:
            return Refusal(Reason.LOG_KEY_DIFFERS, f"it is {before.new_vkey}")
        new, old = VerifierKey.from_text(self.new_vkey), VerifierKey.from_text(self.old_vkey)
        if new.public_key == old.public_key or is_known(state, new):
            return Refusal(Reason.KEY_ALREADY_KNOWN, new.label, key=new.label)
        if before is not None and at < before.overlap_until:
            detail = f"entry {before.index} changed it, with an overlap until {format_instant(before.overlap_until)}"
            return Refusal(Reason.REKEY_UNDER_WAY, detail, not_before=before.overlap_until)
        return Nothing()

    def evolve(self, state: State, event: Event) -> Postings:
        """Both keys sign from here on."""
        overlap_until = event.at + self.overlap_seconds * SECOND_US
        state.log_keys.append(LogKeyChange(event.index, self.old_vkey, self.new_vkey, overlap_until))
        return ()

    def touches(self, state: State, event: Event) -> Accounts:
        """No account."""
        return set()

    def concerns(self, state: State, event: Event) -> Names:
        """The log's keys."""
        return [LOG_KEYS]

    def follows(self) -> Names:
        """The party, whose quorum signs."""
        return [f"party {self.party}"]

    def asks(self, event: Event, history: History) -> Names:
        """The changes before."""
        return [LOG_KEYS]


RULES: Final = (LogRekey,)
