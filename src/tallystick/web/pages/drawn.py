"""Charts in a reader's language: what `web/charts` draws, with amounts, shares and days as the page writes them."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from tallystick.web.charts import (
    Bar,
    Chart,
    Event,
    Layer,
    Mark,
    Pace,
    Part,
    Told,
    ageing,
    bars,
    burn_down,
    life,
    share_bar,
)
from tallystick.web.pages.amounts import Amounts
from tallystick.web.pages.envelopes import basis_points
from tallystick.web.pages.words import Words

_A_PER_CENT: Final = 100
_A_TENTH: Final = 10


class Drawn:
    """Draws for a page."""

    def __init__(self, words: Words) -> None:
        """Take the language; no chart says a time of day, so no zone is needed."""
        self._amounts: Final = Amounts(words, lambda: None)

    def shares(self, title: str, description: str, parts: Sequence[Part]) -> Chart:
        """Draw the parts of a whole as one bar."""
        return share_bar(Told(title, description), parts, amount=self._amounts.yuan_short, share=self.share)

    def bars(self, title: str, description: str, rows: Sequence[Bar]) -> Chart:
        """Draw a bar for each row."""
        return bars(Told(title, description), rows, amount=self._amounts.yuan_short)

    def gpu_bars(self, title: str, description: str, rows: Sequence[Bar]) -> Chart:
        """Draw a bar for each row, of GPU-milliseconds."""
        return bars(Told(title, description), rows, amount=self._amounts.gpu_time)

    def ages(self, title: str, description: str, classes: Sequence[Part]) -> Chart:
        """Draw what is owed by how long ago it was claimed."""
        return ageing(Told(title, description), classes, amount=self._amounts.yuan_short)

    def burn_down(
        self,
        title: str,
        description: str,
        layers: Sequence[Layer],
        *,
        since: date,
        until: date,
        upto: date,
        pace: Pace | None = None,
        marks: Sequence[Mark] = (),
    ) -> Chart:
        """Draw what is left, day by day."""
        told = Told(title, description)
        return burn_down(
            told,
            layers,
            since=since,
            until=until,
            amount=self._amounts.yuan_short,
            day=self.day,
            upto=upto,
            pace=pace,
            marks=marks,
        )

    def life(
        self, title: str, description: str, events: Sequence[Event], *, since: date, until: date, today: Mark
    ) -> Chart:
        """Draw when what happened, a lane for each kind of event."""
        told = Told(title, description)
        return life(told, events, since=since, until=until, day=self.day, count=self._amounts.count, today=today)

    def share(self, part: int, whole: int) -> str:
        """Write a share: to a tenth of a per cent, below one to a hundredth."""
        share = basis_points(part, whole)
        return self._amounts.share(share if share < _A_PER_CENT else share // _A_TENTH * _A_TENTH)

    def day(self, day: date) -> str:
        """Write a day."""
        return self._amounts.day(day.isoformat())
