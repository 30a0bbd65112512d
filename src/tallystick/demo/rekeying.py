"""The log's key is changed by the network, each step on its day.

day
160  the network names the new key: from here on both sign each checkpoint
190  thirty days are over, and the writer is given the new key alone
"""

from collections.abc import Callable, Mapping
from typing import Final

from tallystick.demo import cast
from tallystick.demo.dated import DatedActs
from tallystick.transparency.policy import LogLine, Policy

OVERLAP_DAYS: Final = 30
POLICY: Final = "trust.policy"


class Rekeying(DatedActs):
    """A new key of the log takes the place of the first."""

    def acts(self) -> Mapping[int, Callable[[], None]]:
        """Each on its day."""
        return {160: self._change, 160 + OVERLAP_DAYS: self._retire_the_first}

    def _change(self) -> None:
        """Who verifies is given the new key out of band, as the first was: here the trust policy has it from now on."""
        keys = self.stage.keys
        old, new = keys.log_key, keys.create_next_log_key(cast.ORIGIN)
        self.stage.reopen_with(old, new)
        fields = {
            "old_vkey": old.verifier.to_text(),
            "new_vkey": new.verifier.to_text(),
            "overlap_seconds": OVERLAP_DAYS * 86_400,
        }
        signers = (*keys.keys_of(cast.NETWORK), new)
        self.stage.submit(self.stage.note(cast.NETWORK, "log.rekey", fields, keys=signers))
        path = self.stage.folder / POLICY
        policy = Policy.from_text(path.read_bytes())
        path.write_bytes(Policy((*policy.lines, LogLine(new.verifier))).to_text())

    def _retire_the_first(self) -> None:
        keys = self.stage.keys
        self.stage.reopen_with(keys.next_log_key)
        keys.retire_first_log_key()
        self.stage.write_settings(keys.log_key_file)
