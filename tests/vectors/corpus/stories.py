"""Stories that are told elsewhere, as the entries of a log: those of the frozen entries and of tests/rules/tables."""

from functools import cache
from pathlib import Path

from support.actors import Json
from support.scenario import TABLES, Ledger, Row, Story, ledger_for, read_sentences
from tallystick.signing import canonical_json
from tallystick.vouchers.quantities import format_instant
from vectors.corpus.folders import Entries

STORY = Path(__file__).resolve().parents[1] / "entries" / "story.table"
QINGYANG = Path(__file__).with_name("qingyang.txt")


@cache
def stories(table: Path) -> tuple[Story, ...]:
    """The stories of a file."""
    return tuple(read_sentences(table.read_text("utf-8")))


def story_in(table: str, beginning: str) -> Story:
    """The one story of a table whose title begins so."""
    (found,) = [one for one in stories(TABLES / f"{table}.txt") if one.title.startswith(beginning)]
    return found


def ledger_before(story: Story) -> Ledger:
    """What a story starts from; books are checked where the story is told, and not here."""
    ledger = ledger_for(story)
    ledger.checked = False
    return ledger


def play(ledger: Ledger, story: Story, row: Row) -> None:
    """Play one row of a story."""
    ledger.play(Story(story.title, (row,)))


def played(story: Story, *, entries_max: int | None = None, rows: slice = slice(None)) -> Ledger:
    """A story, or some of its rows, as far as it comes to so many entries."""
    ledger = ledger_before(story)
    for row in story.rows[rows]:
        if len(ledger.entries) == entries_max:
            break
        play(ledger, story, row)
    return ledger


def entries_of(ledger: Ledger) -> Entries:
    """The entries of a log in memory."""
    return [entry.to_bytes() for entry in ledger.entries]


def the_story(entries_max: int | None = None) -> Ledger:
    """The story of the frozen entries, as far as it comes to so many."""
    (story,) = stories(STORY)
    return played(story, entries_max=entries_max)


@cache
def the_entries() -> tuple[bytes, ...]:
    """The entries of that story."""
    return tuple(entries_of(the_story()))


def with_recorded(ledger: Ledger, kind: str, note: bytes) -> Entries:
    """The entries of a log, and a note as if it were the next, though it may be none; without an outcome."""
    header: Json = {"at": format_instant(ledger.at), "index": len(ledger.entries), "kind": kind, "outcome": {}}
    return [*entries_of(ledger), canonical_json.encode(header) + b"\n" + note]
