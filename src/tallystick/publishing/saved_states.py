"""States at intervals lie beside an export, so that audits can run on many processors or machines at once.

    states/<size>    after `every`, 2 × `every`, ... entries, unsigned: nobody has to trust them (audit/segments.py)
    states/index     which there are, written after them

They are come to by replaying the entries, which are believed as they are read, from the newest state on that lies in
the folder and fits the log; the first export with states replays the log from its beginning. An older version's are
replaced. Written before the checkpoint, like tiles: killed before, the folder has some states more, which are right.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tallystick.cycle_collection import paused_collection
from tallystick.durable_files import DurableFiles
from tallystick.errors import MalformedError, NotAFileError, UsageError
from tallystick.progress import Progress
from tallystick.publishing.reader import Reader
from tallystick.static.files import FolderFiles
from tallystick.static.states import INDEX, SIZE_MAX, STATES, STATES_MAX, index_to_bytes, size_named, state_path
from tallystick.vouchers.saved_state import StateHeader, split_saved
from tallystick.vouchers.state import State


class StatesDue(NamedTuple):
    """The states that an export lacks: where to begin, and the sizes that come after.

    Attributes:
        there: sizes of the states that lie in the folder.
        state: the newest of them that fits, or the state before entry 0.
        sizes: those to be written, ascending.
    """

    there: Sequence[int]
    state: State
    sizes: range


def states_due(reader: Reader, folder: Path, every: int) -> StatesDue | None:
    """Return which states are to be written; None if there is none.

    Args:
        reader: of the log.
        folder: of the export.
        every: entries from one to the next.

    Raises:
        UsageError: they would be more than may lie there.
        OSError: those that lie there can't be read.
    """
    files = FolderFiles(folder)
    there = sorted([size for size in map(size_named, files.names(STATES)) if size is not None])
    state = _newest(reader, files, there)
    sizes = range(state.size - state.size % every + every, reader.size + 1, every)
    if len({*there, *sizes}) > STATES_MAX:
        raise UsageError(
            f"{reader.size:,} entries with a state every {every:,} would be more than {STATES_MAX:,} states: "
            "give a larger number"
        )
    return StatesDue(there, state, sizes) if sizes else None


def write_states(reader: Reader, due: StatesDue, files: DurableFiles, progress: Progress | None = None) -> None:
    """Write the states that are due, and the list of all.

    Raises:
        NotALedgerError: an entry can't be replayed.
        EditionUnknownError: the log was made by rules that this version doesn't know.
        OSError: a file can't be written.
    """
    state = due.state
    with paused_collection():
        for size in due.sizes:
            state = reader.state(size, progress, state)
            data = state.to_bytes()
            header = StateHeader.of(state, reader.edge(size).root(), data).to_text()
            files.write(state_path(size), header + b"\n" + data)
    files.write(INDEX, index_to_bytes({*due.there, *due.sizes}))


def _newest(reader: Reader, files: FolderFiles, there: Sequence[int]) -> State:
    """Return the newest state that lies there, is of this version, and of this log at its size; else the first."""
    for state in _readable(files, [size for size in reversed(there) if size <= reader.size], reader):
        return state
    return State.empty(reader.origin)


def _readable(files: FolderFiles, sizes: Sequence[int], reader: Reader) -> Iterator[State]:
    for size in sizes:
        try:
            saved = files.read(state_path(size), SIZE_MAX) or b""
            text, start = split_saved(saved)
            header = StateHeader.from_text(text)
            if (header.origin, header.size, header.root) == (reader.origin, size, reader.edge(size).root()):
                yield header.state(saved[start:])
        except (NotAFileError, MalformedError):
            continue  # an audit names it; what comes after a sound one is written anew
