"""What would be decided, and nothing written: how a provider verifies a voucher before it runs a job."""

from collections.abc import Iterable

from tallystick.vouchers.admit import admit, read_note
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.evolve import evolve
from tallystick.vouchers.refusals import Refusal
from tallystick.vouchers.state import State


def check_notes(state: State, notes: Iterable[bytes], at: int) -> list[Entry | Refusal]:
    """Return what `Ledger.submit` would decide on the notes, one after another, at a time (microseconds).

    The given state is taken along, so that each note sees what the ones before it did; it is the caller's own copy. A
    reference older than the state's memory is known to the writer alone.
    """
    answers: list[Entry | Refusal] = []
    for note in notes:
        signed = read_note(note, state.origin)
        answer = signed if isinstance(signed, Refusal) else admit(state, signed, max(at, state.at))
        if isinstance(answer, Entry):
            evolve(state, answer.event)
        answers.append(answer)
    return answers
