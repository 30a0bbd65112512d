"""What would be decided, and nothing written: how a provider verifies a voucher before it runs a job."""

from collections.abc import Callable, Sequence

from tallystick.ledger.note_faults import admit_alone, evolve_alone, read_alone
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.refusals import Refusal
from tallystick.vouchers.state import State


def check_notes(load: Callable[[], State], notes: Sequence[bytes], at: int) -> list[Entry | Refusal]:
    """Return what `Ledger.submit` would decide on the notes, one after another, at a time (microseconds).

    Args:
        load: gives the state as a copy of the caller's own, which is taken along, so that each note sees what the ones
            before it did. A reference older than the state's memory is known to the writer alone.
        notes: signed notes.
        at: the log's time, unless the state's is later.
    """
    state = load()
    readings = [read_alone(note, state.origin) for note in notes]
    while True:
        answers: list[Entry | Refusal] = []
        for place, reading in enumerate(readings):
            if isinstance(reading, Refusal):
                answers.append(reading)
                continue
            answer = admit_alone(state, reading, max(at, state.at))
            refusal = evolve_alone(state, reading, answer) if isinstance(answer, Entry) else None
            if refusal is not None:  # the state is half changed: begin anew, without this note
                readings[place] = refusal
                state = load()
                break
            answers.append(answer)
        else:
            return answers
