"""A saved state makes opening fast, and counts only under the log's own signature; it may be deleted at any time.

Beside the log lie a header (vouchers/saved_state.py), signed by the log's key as a note with one signature, and the
state's bytes right after it.

Reading: size limit, signature by the log's verifier key, header, SHA-256, and only then the state is parsed. What fails
is passed over, and the entries are replayed; so do all who have no verifier key of the log that they trust.

The log's key signs checkpoints too. Neither can be taken for the other: a checkpoint's first line is the origin, which
is the name of the key that signs, and such a name has no blank; its second line is a decimal number (C2SP
tlog-checkpoint). A command is a JSON object, and a cosignature begins with `cosignature/`.

An older state of this log is harmless: what came after it is replayed. One of another history has another root.
"""

from collections.abc import Callable, Sequence
from typing import Final

from tallystick.errors import MalformedError, VerificationError
from tallystick.ledger.library import PersistenceError
from tallystick.ledger.sidecar import SNAPSHOT
from tallystick.ledger.store import Sidecar
from tallystick.signing.keys import SigningKey, VerifierKey
from tallystick.signing.note import open_note, sign_text
from tallystick.vouchers.saved_state import HEADER_LINES, HEADER_SIZE_MAX, StateHeader
from tallystick.vouchers.state import State

SIZE_MAX: Final = 2**30
"""PostgreSQL keeps no larger value; a state of a million live vouchers has a quarter of it."""

_LINES: Final = HEADER_LINES + 2  # an empty one and the signature


def write_snapshot(sidecar: Sidecar, state: State, root: bytes, log_key: SigningKey) -> None:
    """Keep a state and the root of the tree of its size; durable when it returns.

    Raises:
        LedgerBusyError: another process writes beside the log now.
        OSError, PersistenceError: the older one is still there.
    """
    data = state.to_bytes()
    header = sign_text(StateHeader.of(state, root, data).to_text(), log_key)
    with sidecar.exclusive_lock():
        sidecar.write(SNAPSHOT, header + data)


def read_snapshot(
    sidecar: Sidecar, log_keys: Sequence[VerifierKey], size: int, root_at: Callable[[int], bytes]
) -> State | None:
    """Return the saved state of this log, not beyond a size; None if there is none to be believed.

    Args:
        sidecar: what lies beside the log.
        log_keys: the log's; from somewhere else than beside the log.
        size: of the log as it is now.
        root_at: the root of the tree at a size.
    """
    try:
        saved = sidecar.read(SNAPSHOT, SIZE_MAX) or b""
        if len(saved) > SIZE_MAX:
            return None
        *lines, data = saved.split(b"\n", _LINES)
        note, _ = open_note(b"".join([line + b"\n" for line in lines]), log_keys, size_max=HEADER_SIZE_MAX)
        header = StateHeader.from_text(note.text)
        if header.origin != log_keys[0].name or not 0 < header.size <= size or header.root != root_at(header.size):
            return None
        return header.state(data)
    except (OSError, PersistenceError, MalformedError, VerificationError, ValueError, LookupError):
        # Nothing is lost with a snapshot: whatever is wrong with it, the entries are replayed.
        return None
