"""The corpus's refused commands: each is refused where it says, for the reason that it says."""

import copy
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from support.actors import ORIGIN
from support.scenario import TABLES, reasons_in
from support.schedules import schedule
from support.sentences import VERBS
from tallystick.transparency.tiles import bundle_from_bytes
from tallystick.vouchers.admit import admit, read_note
from tallystick.vouchers.entry import Entry, split_entry
from tallystick.vouchers.evolve import evolve
from tallystick.vouchers.quantities import parse_instant
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rulebook import RULEBOOK
from tallystick.vouchers.state import State
from vectors import make_editions as maker
from vectors.corpus import refused
from vectors.corpus.stories import stories

FILES = sorted((maker.FOLDER / refused.FOLDER).glob("*.jsonl"))
OF_THE_WRITER = {Reason.DECISION_FAILED, Reason.LOG_KEY_MISSING}
"""Which reasons no rule gives: the writer does."""


def lines(path: Path) -> Iterator[refused.Line]:
    """Yield the lines of a file."""
    yield from map(json.loads, path.read_text("utf-8").splitlines())


def decided(state: State, note: bytes, at: str) -> Entry | Refusal:
    """Decide a note, and change nothing."""
    signed = read_note(note, ORIGIN)
    return signed if isinstance(signed, Refusal) else admit(state, signed, parse_instant(at))


@cache
def standard() -> State:
    """The state after the log from which most of them begin."""
    state = State.empty(ORIGIN)
    ((path, width),) = [
        (path, int(path.name)) for path in (maker.FOLDER / refused.STANDARD / "tile/entries/000.p").iterdir()
    ]
    for data in bundle_from_bytes(path.read_bytes(), width):
        evolve(state, Entry.from_bytes(data).event)
    return state


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_is_refused_for_its_reason(path: Path) -> None:
    """Entry by entry, each as it stands there, and the notes between them."""
    state = State.empty(ORIGIN)
    for line in lines(path):
        if "begins" in line:
            state = copy.deepcopy(standard()) if line["begins"] else State.empty(ORIGIN)
        elif "entry" in line:
            header, note = split_entry(line["entry"].encode())
            answer = decided(state, note, json.loads(header)["at"])
            assert isinstance(answer, Entry), line
            assert answer.to_bytes().decode() == line["entry"]
            evolve(state, answer.event)
        else:
            assert line["size"] == state.size
            answer = decided(state, line["note"].encode(), line["at"])
            assert isinstance(answer, Refusal), line
            assert answer.reason.value == line["reason"]


def given() -> set[refused.Pair]:
    """The kinds and reasons of all refused notes and lines."""
    pairs = set[refused.Pair]()
    for line in (line for path in FILES for line in lines(path)):
        if "entry" in line:
            pairs |= refused.refused_in(Entry.from_bytes(line["entry"].encode()))
        elif "note" in line:
            pairs.add(refused.refused_for(line["note"].encode(), Reason.from_code(line["reason"])))
    return pairs


def test_every_kind_is_refused_for_every_reason_that_it_can_be() -> None:
    """For which the tables have a row, and tests/rules/test_tables.py says that these are all."""
    rows = [
        row for table in TABLES.glob("*.txt") for story in stories(table) for row in story.rows if row.verb in VERBS
    ]
    tried = {(f"{VERBS[row.verb].kind}/1", reason) for row in rows for reason in reasons_in(row.answer)}
    declared = {(kind, reason) for kind, rule in RULEBOOK.rules.items() for reason in rule.refusals}
    there = given()
    assert {pair for pair in there if pair[0]} == tried & declared
    assert {kind for kind, _ in there} - {""} == {kind for kind, rule in RULEBOOK.rules.items() if rule.refusals}
    assert {reason for _, reason in there} == set(Reason) - OF_THE_WRITER - refused.NOT_KEPT


@pytest.mark.long
def test_they_are_made_as_they_were() -> None:
    """Each line is one of its table's story; and all are the same bytes, where there is time to play every table."""
    tables = schedule({"log_keys", "seals"}, {path.stem for path in FILES})
    for path in FILES:
        if path.stem not in tables:
            continue
        titles = {story.title.removesuffix(" [empty log]"): story for story in stories(TABLES / f"{path.stem}.txt")}
        made = list[refused.Line]()
        for line in lines(path):
            if "begins" in line:
                made = [told for told, _ in refused.told(titles[line["story"]])]
            else:
                assert line in made
    if schedule(False, True):
        assert refused.files() == {f"{refused.FOLDER}/{path.name}": path.read_bytes() for path in FILES}
