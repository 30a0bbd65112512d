"""Which keys sign a log's checkpoints, as its entries say; decision 0060 (docs/decisions)."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class LogKeyChange:
    """A change of the key that signs the log's checkpoints.

    Attributes:
        index: of the entry that announced it.
        old_vkey: the key before.
        new_vkey: the key after.
        overlap_until: both sign until the log's time is this (microseconds).
        over_index: the first entry of that time or later, if there is one.
    """

    index: int
    old_vkey: str
    new_vkey: str
    overlap_until: int
    over_index: int | None = None

    def vkeys_at(self, at: int) -> tuple[str, ...]:
        """Return the vkeys of all keys that sign, at a time from that of the change's entry on (microseconds)."""
        return (self.new_vkey,) if at >= self.overlap_until else (self.old_vkey, self.new_vkey)


def signing_vkeys(changes: Sequence[LogKeyChange], size: int) -> tuple[str, ...]:
    """Return the vkeys of all keys that sign the checkpoint of the first `size` entries; none, if no entry names any.

    Args:
        changes: in order.
        size: at most as many entries as the changes were read from.
    """
    for change in reversed(changes):
        if change.index < size:
            is_over = change.over_index is not None and change.over_index < size
            return (change.new_vkey,) if is_over else (change.old_vkey, change.new_vkey)
    return (changes[0].old_vkey,) if changes else ()
