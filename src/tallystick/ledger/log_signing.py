"""The keys that a writer signs checkpoints with: the log's, and its next one while they change.

Which of them sign follows from the entries (vouchers/log_keys.py). A change is recorded only by a writer that has the
next key, or its own next commit would lack a signature; decision 0060 (docs/decisions).
"""

from tallystick.errors import KeyTokenError, StoreFailedError, UsageError
from tallystick.signing.keys import SigningKey, VerifierKey
from tallystick.transparency.checkpoint import Checkpoint, sign_checkpoint
from tallystick.vouchers.quantities import INSTANT_MAX, format_instant
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.log_keys import LogRekey
from tallystick.vouchers.rules.rule import Rule
from tallystick.vouchers.state import State


class LogSigner:
    """The log's key, and from before a change of it until its overlap is over the next one."""

    def __init__(self, log_key: SigningKey, next_log_key: SigningKey | None = None) -> None:
        """Take the keys that a writer was given.

        Raises:
            UsageError: their names are not one log's, or they are the same key.
        """
        if next_log_key is not None and next_log_key.name != log_key.name:
            raise UsageError(f"the next log key is of {next_log_key.name}, and the log's key of {log_key.name}")
        if next_log_key is not None and next_log_key.verifier == log_key.verifier:
            raise UsageError(
                f"the next log key is the log's key, {log_key.verifier.label}: leave it out, or give another"
            )
        self.origin = log_key.name
        self._log_key = log_key
        self._keys = [log_key, *([next_log_key] if next_log_key is not None else [])]

    @property
    def verifiers(self) -> list[VerifierKey]:
        """The public halves of all that were given."""
        return [key.verifier for key in self._keys]

    def keys_for(self, state: State, at: int) -> list[SigningKey]:
        """Return the keys that sign a checkpoint over a state's entries and those to come, the newest last.

        Args:
            state: of the log as it is.
            at: the log's time of the newest entry that the checkpoint covers (microseconds).

        Raises:
            UsageError: one of them wasn't given.
        """
        if not state.log_keys:
            return [self._log_key]
        change = state.log_keys[-1]
        vkeys = change.vkeys_at(at)
        given = {key.verifier.to_text(): key for key in self._keys}
        missing = [vkey for vkey in vkeys if vkey not in given]
        if missing:
            until = f"both keys sign until the log's time is {format_instant(change.overlap_until)}"
            why = until if len(vkeys) > 1 else "it signs alone now"
            raise UsageError(
                f"entry {change.index} changed the log's key, and {' and '.join(missing)} wasn't given ({why}): "
                "give it with --log-key or --next-log-key, or name it in ledger.toml"
            )
        return [given[vkey] for vkey in vkeys]

    def newest_key(self, state: State) -> SigningKey:
        """Return the newest key of the log, which signs what is kept beside it.

        Raises:
            UsageError: it wasn't given.
        """
        return self.keys_for(state, INSTANT_MAX)[-1]

    def sign(self, checkpoint: Checkpoint, state: State) -> bytes:
        """Return the checkpoint of a state's entries, signed by the keys whose turn it is.

        Raises:
            UsageError: one of them wasn't given.
            StoreFailedError: one of them is in a token, which didn't sign.
        """
        try:
            return sign_checkpoint(checkpoint, *self.keys_for(state, state.at))
        except KeyTokenError as error:
            raise StoreFailedError(f"the log's key didn't sign, and nothing was kept: {error}; submit again") from None

    def refuse(self, command: Rule, state: State) -> Refusal | None:
        """Refuse a change of the log's key that this writer couldn't follow."""
        if not isinstance(command, LogRekey):
            return None
        if not state.log_keys and command.old_vkey != self._log_key.verifier.to_text():
            return Refusal(Reason.LOG_KEY_DIFFERS, f"it is {self._log_key.verifier.to_text()}")
        if command.new_vkey not in [verifier.to_text() for verifier in self.verifiers]:
            return Refusal(Reason.LOG_KEY_MISSING, command.new_vkey)
        return None
