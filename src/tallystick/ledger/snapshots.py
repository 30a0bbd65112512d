"""A saved state, bound to the tree that it came from: a cache that makes opening fast and may be deleted.

The file is one line of canonical JSON (format, origin, size, root, SHA-256 of the rest), a newline, and the state's
bytes. It is believed only if its root is the root of this very log at its size. It is written aside and renamed, so
it is whole or not there.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tallystick.errors import MalformedError
from tallystick.signing import canonical_json
from tallystick.vouchers.state import State

FORMAT: Final = 2  # raised whenever State changes, so that an older snapshot is passed over
NAME: Final = "snapshot.json"


def write_snapshot(folder: Path, state: State, root: bytes) -> None:
    """Keep a state and the root of the tree of its size; durable when it returns."""
    data = state.to_bytes()
    line = canonical_json.encode(_header(state.origin, state.size, root, data))
    aside = folder / f".{NAME}.new"
    with aside.open("wb") as file:
        file.write(line + b"\n" + data)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(folder / NAME)


def read_snapshot(folder: Path, origin: str, size: int, root_at: Callable[[int], bytes]) -> State | None:
    """Return the saved state of this log, not beyond a size; None if there is none to be believed.

    Args:
        folder: the ledger's.
        origin: the log's.
        size: of the log as it is now.
        root_at: the root of the tree at a size.
    """
    try:
        line, _, data = (folder / NAME).read_bytes().partition(b"\n")
        header: Any = canonical_json.decode(line)
        if not 0 < header["size"] <= size or header != _header(origin, header["size"], root_at(header["size"]), data):
            return None
        return State.from_bytes(data)
    except (OSError, MalformedError, KeyError, TypeError):
        # Nothing is lost with a snapshot: whatever is wrong with it, the entries are replayed.
        return None


def _header(origin: str, size: int, root: bytes, data: bytes) -> dict[str, Any]:
    sha256 = hashlib.sha256(data).hexdigest()
    return {"format": FORMAT, "origin": origin, "root": root.hex(), "size": size, "state_sha256": sha256}
