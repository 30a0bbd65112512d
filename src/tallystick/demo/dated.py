"""Acts that have their day in the year, counted from the first."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

from tallystick.demo import cast
from tallystick.demo.founding import Network, Startup, voucher_id
from tallystick.demo.stage import Stage
from tallystick.demo.year import Year


class DatedActs(ABC):
    """Some acts of a founded network's year; a subclass says which."""

    def __init__(self, stage: Stage, year: Year, network: Network, seed: int) -> None:
        """Put each on its day."""
        self.stage = stage
        self.year = year
        self.network = network
        self.seed = seed
        self.startups = tuple(network.startups.values())
        self._by_day = self.acts()

    @abstractmethod
    def acts(self) -> Mapping[int, Callable[[], None]]:
        """Return what happens, by its day."""

    def play(self, day: int) -> None:
        """Play what the day brings."""
        act = self._by_day.get(day - self.year.first_day)
        if act is not None:
            act()

    def day(self, number: int) -> int:
        """Return a day by its number in the year, the first being 0."""
        return self.year.first_day + number

    def voucher_under(self, startup: Startup, terms: cast.Terms) -> str | None:
        """Return the voucher that a start-up was issued under a programme of its city, if it was."""
        voucher = voucher_id(startup, startup.city, terms)
        return voucher if voucher in startup.vouchers else None
