"""Attacks on dual control: one officer's stolen key, and all keys of a provider, of holders and of an operator.

The stories are rows in dual_control.txt. support/dual_control.py looks at every entry, by the book alone: what fewer
than two signed stays within the threshold, and gives nothing up. The audit counts beside it.
"""

from pathlib import Path
from typing import Final

import pytest

from support.dual_control import Watch, totals_of
from support.scenario import Ledger, Story, ledger_for, read_sentences
from tallystick.audit.officer_checks import OwnOfficerSums
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.refusals import Refusal
from tallystick.vouchers.state import State

STORIES: Final = tuple(read_sentences(Path(__file__).with_suffix(".txt").with_stem("dual_control").read_text("utf-8")))
PAID, CLAIMED = STORIES[:2]


class Watched(Ledger):
    """A log whose every entry is looked at, and counted by the audit."""

    watch: Watch
    sums: OwnOfficerSums

    def submit(self, note: bytes) -> Entry | Refusal:
        """Decide a note, and look at what moved."""
        before = totals_of(self.state)
        answer = super().submit(note)
        if isinstance(answer, Entry):
            self.watch.look(answer, before, self.state)
            assert [*self.sums.count(self.state, answer.event)] == []
            assert [*self.sums.differences(self.state)] == []
        return answer


def play(*stories: Story) -> Watched:
    """Play stories one after the other in the standard network, every entry of them watched."""
    ledger = ledger_for(stories[0])
    ledger.__class__ = Watched
    assert isinstance(ledger, Watched)
    ledger.watch, ledger.sums = Watch(), OwnOfficerSums(State.empty(ledger.state.origin))
    for entry in ledger.entries:  # of the standard network: two officers of each treasury made it
        ledger.watch.look(entry, totals_of(ledger.state), ledger.state)
    for story in stories:
        ledger.play(story)
    return ledger


@pytest.mark.parametrize("story", STORIES[2:], ids=[story.title for story in STORIES[2:]])
def test_one_officer_moves_no_more_than_the_threshold(story: Story) -> None:
    """Whatever it signs, in whatever order and pieces: beyond that every row needs the second officer."""
    before = {"[paid]": (PAID,), "[claimed]": (PAID, CLAIMED)}.get(story.title.rpartition(" ")[2], ())
    play(*before, story)
