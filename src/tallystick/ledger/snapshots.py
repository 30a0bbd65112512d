"""A saved state, bound to the tree that it came from: a cache that makes opening fast and may be deleted.

It is one line of canonical JSON (format, origin, size, root, SHA-256 of the rest), a newline, and the state's bytes,
kept beside the log. It is believed only if its root is the root of this very log at its size.
"""

import hashlib
from collections.abc import Callable
from typing import Any, Final

from eventsourcing.persistence import PersistenceError

from tallystick.errors import MalformedError
from tallystick.ledger.beside import SNAPSHOT
from tallystick.ledger.store import Beside
from tallystick.signing import canonical_json
from tallystick.vouchers.state import State

FORMAT: Final = 3  # raised whenever State changes, so that an older snapshot is passed over
SIZE_MAX: Final = 2**30
"""PostgreSQL keeps no larger value; a state of a million live vouchers has a quarter of it."""

HEADER_BYTES_READ: Final = 4_096


def write_snapshot(beside: Beside, state: State, root: bytes) -> None:
    """Keep a state and the root of the tree of its size; durable when it returns.

    Raises:
        LedgerBusyError: somebody writes beside the log now.
        OSError, eventsourcing.persistence.PersistenceError: the older one is still there.
    """
    data = state.to_bytes()
    line = canonical_json.encode(_header(state.origin, state.size, root, data))
    with beside.alone():
        beside.write(SNAPSHOT, line + b"\n" + data)


def saved_size(beside: Beside) -> int:
    """Return how many entries the saved state says that it is after; 0 if there is none."""
    try:
        header: Any = canonical_json.decode((beside.read(SNAPSHOT, HEADER_BYTES_READ) or b"").partition(b"\n")[0])
        return int(header["size"])
    except (OSError, PersistenceError, MalformedError, KeyError, TypeError):
        return 0


def read_snapshot(beside: Beside, origin: str, size: int, root_at: Callable[[int], bytes]) -> State | None:
    """Return the saved state of this log, not beyond a size; None if there is none to be believed.

    Args:
        beside: what lies beside the log.
        origin: the log's.
        size: of the log as it is now.
        root_at: the root of the tree at a size.
    """
    try:
        line, _, data = (beside.read(SNAPSHOT, SIZE_MAX) or b"").partition(b"\n")
        header: Any = canonical_json.decode(line)
        if not 0 < header["size"] <= size or header != _header(origin, header["size"], root_at(header["size"]), data):
            return None
        return State.from_bytes(data)
    except (OSError, PersistenceError, MalformedError, KeyError, TypeError):
        # Nothing is lost with a snapshot: whatever is wrong with it, the entries are replayed.
        return None


def _header(origin: str, size: int, root: bytes, data: bytes) -> dict[str, Any]:
    sha256 = hashlib.sha256(data).hexdigest()
    return {"format": FORMAT, "origin": origin, "root": root.hex(), "size": size, "state_sha256": sha256}
