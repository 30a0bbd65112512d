"""Refused commands: for every kind and every reason that it can be refused for, a note that is, and the log before it.

They are taken from tests/rules/tables, whose every row is signed and decided, into a file for each table, of lines of
JSON:

    {"begins":"standard","story":…}            a log begins: with the entries of the log `standard`, or with none
    {"entry":…}                                the entry that comes next in it
    {"at":…,"note":…,"reason":…,"size":…}      a note that is refused at that time, after so many entries, and why

Of a line of a statement that is refused the reason stands in the entry's outcome.
"""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from support.scenario import RAW_NOTES, TABLES, Story
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.outcomes import Burned
from tallystick.vouchers.quantities import format_instant
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rulebook import RULEBOOK
from vectors.corpus.folders import Files, exported
from vectors.corpus.stories import entries_of, ledger_before, play, stories

STANDARD = "standard"
FOLDER = f"{STANDARD}/refused"
NOT_KEPT = {Reason.NOTE_TOO_LARGE}
"""Which reason needs no note: its size is enough."""

Line = dict[str, Any]
Pair = tuple[str, Reason]
"""A kind and a reason for which it is refused; of what no rule refuses, the kind is empty."""


def standard() -> Files:
    """the network from which most of the refused commands begin"""
    return exported(entries_of(ledger_before(Story(STANDARD, ()))))


def files() -> Files:
    """The lines of each table, by path."""
    wanted = _wanted()
    found = {}
    for table in _tables():
        lines = [line for story in stories(table) for line in _kept(story, wanted.get((table.stem, story.title), []))]
        if lines:
            text = "".join([json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n" for line in lines])
            found[f"{FOLDER}/{table.stem}.jsonl"] = text.encode()
    return found


def _tables() -> list[Path]:
    return [table for table in sorted(TABLES.glob("*.txt")) if table.stem != STANDARD]


def _wanted() -> dict[tuple[str, str], list[int]]:
    """By table and story, which of its lines to keep: of each pair the one that has least before it in its story."""
    least: dict[Pair, tuple[int, tuple[str, str], int]] = {}
    for table in _tables():
        for story in stories(table):
            size = 0
            for number, (line, pairs) in enumerate(told(story)):
                with_it = size + len(line.get("note", ""))
                for pair in pairs:
                    if pair not in least or with_it < least[pair][0]:
                        least[pair] = (with_it, (table.stem, story.title), number)
                size += len(line.get("entry", ""))
    wanted: dict[tuple[str, str], list[int]] = {}
    for _, where, number in least.values():
        wanted.setdefault(where, []).append(number)
    return wanted


def _kept(story: Story, wanted: list[int]) -> Iterator[Line]:
    """Yield these lines of a story, and the entries before them."""
    if wanted:
        yield {"begins": "" if story.from_nothing else STANDARD, "story": story.title.removesuffix(" [empty log]")}
    for number, (line, _) in enumerate(told(story)[: max(wanted, default=-1) + 1]):
        if "entry" in line or number in wanted:
            yield line


@cache
def told(story: Story) -> tuple[tuple[Line, frozenset[Pair]], ...]:
    """A story's entries and refused notes as lines, with what is refused in each."""
    return tuple(_told(story))


def _told(story: Story) -> Iterator[tuple[Line, frozenset[Pair]]]:
    ledger = ledger_before(story)
    for row in story.rows:
        before = ledger.answered
        play(ledger, story, row)
        answered = ledger.answered
        if answered is before:
            continue  # the clock, or what is found in the books
        if isinstance(answered, Entry):
            yield {"entry": answered.to_bytes().decode()}, refused_in(answered)
        elif isinstance(answered, Refusal) and answered.reason not in NOT_KEPT:
            note = RAW_NOTES[row.arguments] if row.verb == "send" else ledger.notes[row.actor]
            line = {"at": format_instant(ledger.at), "note": note.decode(), "reason": answered.reason.value}
            yield line | {"size": ledger.state.size}, frozenset({refused_for(note, answered.reason)})


def refused_in(entry: Entry) -> frozenset[Pair]:
    """For which reasons lines of an entry's statement are refused."""
    outcome = entry.event.outcome
    reasons = [reason for _, reason in outcome.refused] if isinstance(outcome, Burned) else []
    return frozenset((entry.event.command.kind, reason) for reason in reasons)


def refused_for(note: bytes, reason: Reason) -> Pair:
    """The kind of a refused note, if its rule declares this reason, and the reason."""
    kind = str(json.loads(note.partition(b"\n")[0])["kind"]) if note.startswith(b'{"') else ""
    rule = RULEBOOK.rules.get(kind)
    return (kind if rule and reason in rule.refusals else "", reason)
