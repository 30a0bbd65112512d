"""The same text again has the original entry for its answer, for ever; another text of the same reference is refused.

    within the window   the state remembers the reference, and `admit` says so
    before it           the store's index does (decision 0005)

An entry that can't be read is answered to the one note that asks for it (note_faults.py).
"""

import hashlib
from collections.abc import Sequence

from tallystick.ledger.note_faults import STORE_ERRORS, decision_failed
from tallystick.ledger.pending import Admitted, NoteAnswer, ProvesEntries
from tallystick.ledger.store import LogStore
from tallystick.ledger.tail import Tail
from tallystick.vouchers.admit import SignedCommand
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.state import State


def find_forgotten(
    store: LogStore, state: State, readings: Sequence[SignedCommand | Refusal], at: int
) -> dict[tuple[str, str], int]:
    """Return the entries of references that the state may have forgotten; the store's index has all of them.

    Raises:
        PersistenceError: the store can't be read.
    """
    if state.remembers_all_references(at):
        return {}
    commands = [reading.command for reading in readings if isinstance(reading, SignedCommand)]
    return store.find_references([(command.party, command.ref) for command in commands])


def recorded_lately(
    ledger: ProvesEntries, store: LogStore, tail: Tail, signed: SignedCommand, at: int, entries: Sequence[Entry]
) -> NoteAnswer:
    """Return the entry that a reference in the state's memory belongs to.

    Args:
        ledger: where the receipt comes from.
        store: the log's.
        tail: where the log stands, its state after the new entries.
        signed: the command that came again.
        at: the log's time (microseconds).
        entries: those that this very transaction adds.

    Raises:
        LedgerError, PersistenceError, OSError: the store can't be read.
    """
    reference = tail.state.reference(signed.command.party, signed.command.ref, at)
    assert reference is not None
    if reference.index < tail.edge.size:
        return recorded_before(ledger, store, signed, reference.index)
    entry = entries[reference.index - tail.edge.size]
    return Admitted(reference.index, entry.data, False, ledger, entry.event)


def recorded_before(ledger: ProvesEntries, store: LogStore, signed: SignedCommand, index: int) -> NoteAnswer:
    """Return the original entry if the text is the same, and a refusal of another text.

    Raises:
        LedgerError, PersistenceError, OSError: the store can't be read.
    """
    try:
        data = next(store.entries(index, index + 1))
        recorded = Entry.from_bytes(data).event
    except STORE_ERRORS:
        raise
    except Exception as error:  # it isn't there, or can't be read: no other note depends on it
        return decision_failed(signed.data, error)
    if recorded.text_sha256 == hashlib.sha256(signed.note.text).hexdigest():
        return Admitted(index, data, False, ledger, recorded)
    detail = f"{signed.command.ref} is entry {index}"
    return Refusal(Reason.REF_REUSED_FOR_OTHER_CONTENT, detail, index=index)
