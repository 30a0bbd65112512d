"""One note can't hurt another: an unforeseen exception is answered to the note that it is due to, and logged.

    while a note is read or decided    it is refused with `decision_failed`; the state is as it was
    while the state is changed         the same, and the state is half changed: the caller begins anew without the note
    while a transaction is committed   no note can be named: its callers are told that the store failed
    no memory, disk or connection      is the machine's fault and no note's: the store failed

The log names a note by its SHA-256, and an exception by its type and its places in the code. The words of an exception
may quote the note, so they are left out. The first line of a record says which note, what and where; the traceback
follows.
"""

import hashlib
import logging
import traceback
from pathlib import Path
from typing import Final

from tallystick.errors import LedgerError, StoreFailedError
from tallystick.ledger.library import PersistenceError
from tallystick.vouchers.admit import SignedCommand, admit, read_note
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.evolve import evolve
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.state import State

LOGGER: Final = "tallystick.ledger"
STORE_ERRORS: Final = (LedgerError, PersistenceError, OSError, MemoryError)
"""What a store may raise that says nothing about the note that it was asked for."""

_log: Final = logging.getLogger(LOGGER)


def read_alone(note: bytes, origin: str) -> SignedCommand | Refusal:
    """Do what `read_note` does; whatever goes wrong is this note's.

    Raises:
        MemoryError: the machine has none left.
    """
    try:
        return read_note(note, origin)
    except MemoryError:
        raise
    except Exception as error:
        return decision_failed(note, error)


def admit_alone(state: State, signed: SignedCommand, at: int) -> Entry | Refusal:
    """Do what `admit` does; whatever goes wrong is this note's, and the state is as it was.

    Raises:
        MemoryError: the machine has none left.
    """
    try:
        return admit(state, signed, at)
    except MemoryError:
        raise
    except Exception as error:
        return decision_failed(signed.data, error)


def evolve_alone(state: State, signed: SignedCommand, entry: Entry) -> Refusal | None:
    """Do what `evolve` does. A refusal of the note says that the state is half changed, and of no more use.

    Raises:
        MemoryError: the machine has none left; the state is of no more use.
    """
    try:
        evolve(state, entry.event)
    except MemoryError:
        raise
    except Exception as error:
        return decision_failed(signed.data, error)
    return None


def decision_failed(note: bytes, error: Exception) -> Refusal:
    """Log an unforeseen exception that one note led to, and return the answer to that note.

    Args:
        note: its bytes.
        error: what was raised while it was read, decided or applied.
    """
    sha256 = hashlib.sha256(note).hexdigest()
    _log.error("the note with SHA-256 %s could not be decided: %s", sha256, _described(error))
    detail = f"nothing was recorded; report the fault that was logged for the note with SHA-256 {sha256}"
    return Refusal(Reason.DECISION_FAILED, detail)


def commit_failed(error: Exception) -> StoreFailedError:
    """Log an unforeseen exception of a transaction, and return what its callers are told."""
    _log.error("a transaction could not be committed: %s", _described(error))
    return StoreFailedError(
        f"the writer met an unforeseen {type(error).__name__}, which was logged; report it, and submit again to find "
        "out what was kept"
    )


def out_of_memory() -> StoreFailedError:
    """Return what callers are told when the machine has no memory left."""
    return StoreFailedError("the machine has no memory left; make room, and submit again to find out what was kept")


def _described(error: Exception) -> str:
    """Return an exception's type and innermost place on one line, and its traceback, without its own words."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno} in {frames[-1].name}" if frames else ""
    kind = f"{type(error).__module__}.{type(error).__qualname__}"
    steps = "".join(traceback.format_list(frames))
    return f"{kind}{place}\nTraceback (most recent call last):\n{steps}{kind}"
