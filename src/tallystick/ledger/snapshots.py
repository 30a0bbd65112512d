"""A saved state makes opening fast, and counts only under the log's own signature; it may be deleted at any time.

Beside the log lie a header, which is a signed note of one signature, and the state's bytes right after it:

    tallystick saved state
    format 6
    origin tallystick.example/national
    size 1234
    root <base64 of the root of the log's tree at that size>
    state-sha256 <hex>
    <empty line>
    — <origin> <signature>

Reading: size limit, signature by the log's verifier key, header, SHA-256, and only then the state is parsed. Whatever
fails is passed over, and the entries are replayed; so do all who have no verifier key of the log that they trust.

The log's key signs checkpoints too. Neither can be taken for the other: a checkpoint's first line is the origin, which
is the name of the key that signs, and such a name has no blank; its second line is a decimal number (C2SP
tlog-checkpoint). A command is a JSON object, and a cosignature begins with `cosignature/`.

An older state of this log is harmless: what came after it is replayed. One of another history has another root.
"""

import hashlib
from collections.abc import Callable
from typing import Final

from tallystick.errors import MalformedError, VerificationError
from tallystick.ledger.beside import SNAPSHOT
from tallystick.ledger.library import PersistenceError
from tallystick.ledger.store import Beside
from tallystick.signing.keys import SigningKey, VerifierKey
from tallystick.signing.note import open_note, sign_text
from tallystick.transparency.spelling import base64_to_text, decimal_from_text
from tallystick.vouchers.state import State

FORMAT: Final = 6  # raised whenever State changes, so that an older snapshot is passed over
SIZE_MAX: Final = 2**30
"""PostgreSQL keeps no larger value; a state of a million live vouchers has a quarter of it."""

HEADER_SIZE_MAX: Final = 4_096
_HEADER_LINES: Final = 8
_SIZE_LINE: Final = 3


def write_snapshot(beside: Beside, state: State, root: bytes, log_key: SigningKey) -> None:
    """Keep a state and the root of the tree of its size; durable when it returns.

    Raises:
        LedgerBusyError: somebody writes beside the log now.
        OSError, PersistenceError: the older one is still there.
    """
    data = state.to_bytes()
    header = sign_text(_header(state.origin, state.size, root, data), log_key)
    with beside.alone():
        beside.write(SNAPSHOT, header + data)


def read_snapshot(beside: Beside, log_key: VerifierKey, size: int, root_at: Callable[[int], bytes]) -> State | None:
    """Return the saved state of this log, not beyond a size; None if there is none to be believed.

    Args:
        beside: what lies beside the log.
        log_key: the log's; from somewhere else than beside the log.
        size: of the log as it is now.
        root_at: the root of the tree at a size.
    """
    try:
        saved = beside.read(SNAPSHOT, SIZE_MAX) or b""
        if len(saved) > SIZE_MAX:
            return None
        *lines, data = saved.split(b"\n", _HEADER_LINES)
        note, _ = open_note(b"".join([line + b"\n" for line in lines]), [log_key], size_max=HEADER_SIZE_MAX)
        _, _, number = note.text.split(b"\n")[_SIZE_LINE].partition(b"size ")
        saved_size = decimal_from_text(number)
        if not 0 < saved_size <= size or note.text != _header(log_key.name, saved_size, root_at(saved_size), data):
            return None
        state = State.from_bytes(data)
    except (OSError, PersistenceError, MalformedError, VerificationError, ValueError, LookupError):
        # Nothing is lost with a snapshot: whatever is wrong with it, the entries are replayed.
        return None
    return state if (state.origin, state.size) == (log_key.name, saved_size) else None


def _header(origin: str, size: int, root: bytes, data: bytes) -> bytes:
    lines = (
        b"tallystick saved state",
        b"format %d" % FORMAT,
        b"origin %s" % origin.encode(),
        b"size %d" % size,
        b"root %s" % base64_to_text(root),
        b"state-sha256 %s" % hashlib.sha256(data).hexdigest().encode(),
    )
    return b"".join([line + b"\n" for line in lines])
