"""Every rule in rows: the tables are played, and together they name every reason and every command."""

import re

import pytest

from support.scenario import REASONS, TABLES, VERBS, Ledger, Row, Story, ledger_for, read_table, reasons_in
from tallystick.vouchers.evolve import evolve
from tallystick.vouchers.refusals import Reason
from tallystick.vouchers.rulebook import EVENT_KINDS
from tallystick.vouchers.state import State

STANDARD = next(read_table((TABLES / "standard.txt").read_text("utf-8")))
STORIES = {
    f"{table.stem}: {story.title}": story
    for table in sorted(TABLES.glob("*.txt"))
    if table.stem != "standard"
    for story in read_table(table.read_text("utf-8"))
}
ROWS = [row for story in (STANDARD, *STORIES.values()) for row in story.rows if row.answer]


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_story(story: Story) -> None:
    """Each row gets its answer and the books add up after it; the entries alone give the same state again."""
    ledger = ledger_for(story)
    ledger.play(story)
    again = State.empty(ledger.state.origin)
    for entry in ledger.entries:
        evolve(again, entry.event)
    assert again == ledger.state
    assert again.to_bytes() == ledger.state.to_bytes()
    assert State.from_bytes(again.to_bytes()) == again


def test_every_reason_has_a_row() -> None:
    """The list of reasons is closed on both sides, but for a fault, which no rule gives (tests/contracts has it)."""
    assert {reason for row in ROWS for reason in reasons_in(row.answer)} == set(Reason) - {Reason.DECISION_FAILED}


def test_every_command_is_accepted_in_a_row() -> None:
    """What may be asked for, is given somewhere."""
    accepted = {row.verb for row in ROWS if row.verb in VERBS and not reasons_in(row.answer)}
    assert {f"{VERBS[verb][0]}/1" for verb in accepted} == set(EVENT_KINDS)


@pytest.mark.parametrize("row", [row for row in ROWS if row.later_reason], ids=str)
def test_the_earlier_reason_is_the_answer(row: Row) -> None:
    """Rows with two reasons name them in the order of the list (that the first is the answer, the story proves)."""
    order = list(Reason)
    (first,) = reasons_in(row.answer)
    assert order.index(first) < order.index(REASONS[row.later_reason])


def test_answers_are_words_of_the_rules() -> None:
    """No row waits for an answer that can't come."""
    words = {kind.partition(".")[2].removesuffix("/1") for kind in EVENT_KINDS.values()} | {one.value for one in Reason}
    for row in ROWS:
        for part in row.answer.split(" | "):
            assert re.fullmatch(r"[\d,]+\.\d\d", part) or part.split()[0] in words, row


def test_a_wrong_answer_is_noticed() -> None:
    """The tables can fail."""
    (story,) = read_table("== a row that is wrong\nacme  release  R1  -> reservation_closed")
    with pytest.raises(AssertionError, match="but it was reservation_not_over"):
        ledger_for(story).play(story)


def test_a_row_without_an_answer_is_no_row() -> None:
    """Nothing is done unasked."""
    with pytest.raises(ValueError, match="line 2"):
        list(read_table("== a story\nacme  release  R1"))


def test_a_story_may_start_from_nothing() -> None:
    """An empty log has no entry."""
    assert ledger_for(Story("first [empty log]", ())) == Ledger()
