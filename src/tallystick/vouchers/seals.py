"""What a seal is made of: which entries touched an account, and the account's leaf.

Touches are folded into a running hash, so that an account costs the state the same however long its history is; they
wait in a list until a seal asks, because hashing one at a time would be the dearest thing that an entry does.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Final

from tallystick.signing import canonical_json
from tallystick.vouchers.quantities import json_sum

PENDING_MAX: Final = 512
NO_TOUCHES: Final = bytes(32).hex()


@dataclass(slots=True)
class Touches:
    """The entries that touched an account: how many the running hash (hex) is over, and the indices that wait."""

    folded: int = 0
    running_sha256: str = NO_TOUCHES
    pending: list[int] = field(default_factory=list)

    def add(self, index: int) -> None:
        """Note that an entry touched it."""
        self.pending.append(index)
        if len(self.pending) >= PENDING_MAX:
            self.fold()

    def fold(self) -> None:
        """Take what waits into the running hash."""
        self.running_sha256 = run_on(self.running_sha256, self.pending)
        self.folded += len(self.pending)
        self.pending = []


def run_on(running_sha256: str, indices: list[int]) -> str:
    """Return the running hash (hex) after more entries: each makes it SHA-256(it || index as 8 bytes, big-endian)."""
    running = bytes.fromhex(running_sha256)
    for index in indices:
        running = hashlib.sha256(running + index.to_bytes(8, "big")).digest()
    return running.hex()


@dataclass(slots=True)
class Seal:
    """A sealed period: its entry, its last day, and what it sealed: root (hex) over so many accounts."""

    index: int
    last_day: int
    accounts: int
    root: str


def leaf_of(account: str, balances: dict[str, int], touches: Touches) -> bytes:
    """Return the leaf of an account: canonical JSON; docs/rules.md, "Sealed books"."""
    running_sha256 = run_on(touches.running_sha256, touches.pending)
    return canonical_json.encode(
        {
            "account": account,
            "balances": {name: json_sum(amount_fen) for name, amount_fen in balances.items()},
            "entries": touches.folded + len(touches.pending),
            "running_sha256": running_sha256,
        }
    )
