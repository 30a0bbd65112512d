"""Write the frozen entries anew, into tests/vectors/entries: `python tests/vectors/make_entries.py`.

Run it when a format changes on purpose (which a published format doesn't), and read the difference; and when the form
of the state changes, for what is frozen of the states.
"""

import hashlib
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "entries"
if __name__ == "__main__":  # as a test it is pytest that knows where to find these
    sys.path[:0] = [str(FOLDER.parents[1]), str(FOLDER.parents[2] / "src")]

from support.actors import ORIGIN  # noqa: E402
from support.scenario import Ledger, read_sentences  # noqa: E402
from tallystick.vouchers.accounts import account_leaves  # noqa: E402
from tallystick.vouchers.entry import Entry  # noqa: E402
from tallystick.vouchers.evolve import evolve  # noqa: E402
from tallystick.vouchers.outcomes import Sealed  # noqa: E402
from tallystick.vouchers.saved_state import SCHEMA_SHA256  # noqa: E402
from tallystick.vouchers.state import State  # noqa: E402

STORY = FOLDER / "story.table"
SUMS = FOLDER / "SHA256SUMS"
STATES = FOLDER / "STATES"
MEANING_CHANGED = (
    "the same entries come to another state, which has the same form: states saved before would be taken for right. "
    "Raise MEANING in src/tallystick/vouchers/saved_state.py, then run this again"
)


def entries() -> dict[str, bytes]:
    """The entries of the story by file name, in order."""
    (story,) = read_sentences(STORY.read_text("utf-8"))
    ledger = Ledger()
    ledger.play(story)
    return {_name(entry.event.index, entry.event.kind): entry.to_bytes() for entry in ledger.entries}


def leaves(files: dict[str, bytes]) -> dict[str, bytes]:
    """The leaves under each seal, one a line; they stand beside it, as `042-book.sealed.leaves`."""
    found = {}
    state = State.empty(ORIGIN)
    for name, data in files.items():
        event = Entry.from_bytes(data).event
        if isinstance(event.outcome, Sealed):
            lines = [leaf + b"\n" for _, leaf in account_leaves(state)]
            found[name.replace(".txt", ".leaves")] = b"".join(lines)
        evolve(state, event)
    return found


def states(files: dict[str, bytes]) -> str:
    """What the entries come to: SHA-256 of the entries, the version of saved states, SHA-256 of all states."""
    state = State.empty(ORIGIN)
    digest = hashlib.sha256()
    for data in files.values():
        evolve(state, Entry.from_bytes(data).event)
        digest.update(state.to_bytes())
    entries_sha256 = hashlib.sha256(sums(files).encode()).hexdigest()
    return f"entries {entries_sha256}\nversion {SCHEMA_SHA256}\nstates {digest.hexdigest()}\n"


def is_other_meaning(before: str, now: str) -> bool:
    """Whether only the states differ: not the entries, and not the version that says by whom they can be read."""
    return before != now and before.splitlines()[:2] == now.splitlines()[:2]


def note_of(entry: bytes) -> bytes:
    """What follows the header line: the note, byte for byte."""
    return entry.partition(b"\n")[2]


def sums(files: dict[str, bytes]) -> str:
    """SHA-256 of each entry and, as `<name>#note`, of the note in it."""
    lines = []
    for name, data in files.items():
        lines.append(f"{hashlib.sha256(data).hexdigest()}  {name}\n")
        lines.append(f"{hashlib.sha256(note_of(data)).hexdigest()}  {name}#note\n")
    return "".join(lines)


def _name(index: int, kind: str) -> str:
    return f"{index:03}-{kind.removesuffix('/1')}.txt"


def write() -> None:
    """Replace what is there."""
    files = entries()
    if STATES.exists() and is_other_meaning(STATES.read_text("utf-8"), states(files)):
        sys.exit(MEANING_CHANGED)
    for old in (*FOLDER.glob("*.txt"), *FOLDER.glob("*.leaves")):
        old.unlink()
    for name, data in (files | leaves(files)).items():
        (FOLDER / name).write_bytes(data)
    SUMS.write_text(sums(files), "utf-8")
    STATES.write_text(states(files), "utf-8")


if __name__ == "__main__":
    write()
