"""The worked examples of the rules, each a log; all but one are stories of tests/rules/tables."""

from collections.abc import Callable
from typing import NamedTuple

from support.scenario import Story
from vectors.corpus.folders import Files, exported
from vectors.corpus.stories import QINGYANG, entries_of, played, stories, story_in


class Example(NamedTuple):
    """A worked example.

    Attributes:
        name: of its folder.
        story: finds where it is told.
        rows: which of them; what tries more than the example says is left out.
    """

    name: str
    story: Callable[[], Story]
    rows: slice = slice(None)

    @property
    def what(self) -> str:
        """What it shows: the story's title."""
        return self.story().title.removesuffix(" [empty log]")

    def files(self) -> Files:
        """Its log."""
        return exported(entries_of(played(self.story(), rows=self.rows)))


def _in(table: str, beginning: str) -> Callable[[], Story]:
    return lambda: story_in(table, beginning)


EXAMPLES = (
    Example("example-1-nanning", _in("services", "a settled fee of 200,000 yuan")),
    Example("example-2-qingyang", lambda: stories(QINGYANG)[0]),
    Example("example-3-hangzhou", _in("who_pays", "30 % of domestic items, 20 % of others")),
    Example("example-4-city-first", _in("who_pays", "city 30 % up to 50 %"), slice(-1)),
    Example("example-4-third-first", _in("who_pays", "the third first")),
    Example("example-4-other-support", _in("who_pays", "other support is spent first")),
    Example("example-5-young-firm", _in("gates", "a young firm's share is 60 %")),
    Example("example-6-100-jobs", _in("redemptions", "to whole yuan, once for the claim"), slice(16)),
    Example("example-6-101-jobs", _in("redemptions", "the rest of 101 jobs")),
    Example("example-6-two-contracts", _in("redemptions", "one claim over several contracts"), slice(15)),
    Example("example-7-ended-early", _in("contracts", "ended early: what is reserved goes back")),
    Example("example-8-recovery", _in("recovery", "an envelope of 100,000 yuan"), slice(-2)),
    Example("example-9-two-accelerators", _in("who_pays", "one job on two kinds of accelerator")),
)
"""In their order; some are told in several stories."""
