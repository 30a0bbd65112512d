"""What goes wrong, and how often, follows from the seed alone.

Every seed has a temper of its own: some kinds of fault never happen in it, some seldom, some all the time. So no fault
hides behind another that always comes first (swarm testing).
"""

from collections.abc import Mapping
from random import Random
from typing import Final

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE

# At every call of the store, at every commit, at every answer, at every round of mischief: out of a thousand.
RATES: Final[dict[str, tuple[int, ...]]] = {
    "crash at a call": (0, 1, 4),
    "unreachable at a call": (0, 3, 15),
    "late at a call": (0, 5, 20),
    "meanwhile at a call": (0, 20, 70),
    "refused before the commit": (0, 20, 80),
    "lost before the commit": (0, 20, 80),
    "lost after the commit": (0, 20, 100),
    "lost during the commit": (0, 40, 150),
    "answered twice": (0, 20, 80),
    "crash before the commit": (0, 10, 40),
    "crash after the commit": (0, 10, 40),
    "crash during the commit": (0, 20, 60),
    "meanwhile after the commit": (0, 20, 80),
    "sidecar fails": (0, 50, 200),
    "crash before signing": (0, 5, 15),
    "crash before deciding": (0, 5, 15),
    "crash before the answer": (0, 10, 40),
    "views crash": (0, 60, 200),
    "lost answer": (50, 150, 300),
    "kill": (0, 30, 120),
    "close": (20, 60, 150),
    "pause": (0, 50, 150),
    "cut off": (0, 50, 120),
    "lease": (0, 60, 200),
    "usurp": (0, 80, 200),
    "fail over": (0, 60, 200),
    "fail over at a commit": (0, 200, 600),
    "clock": (0, 120, 250),
    "full": (0, 60, 140),
    "down": (0, 30, 70),
    "leap": (50, 150, 250),
    "snapshot": (30, 100, 200),
    "damage": (0, 10, 30),
}

NO_RATES: Final[Mapping[str, int]] = {}


class Crash(BaseException):  # not an Exception: nothing that recovers from errors may recover from its own end
    """The process that makes this call ends here."""


class Temper:
    """The chances of one seed, but for those that are given: a seed that looks for something lets more of it happen."""

    def __init__(self, seed: int, rates: Mapping[str, int] = NO_RATES) -> None:
        self.chance = Random(seed)
        self.rates = {name: self.chance.choice(rates) for name, rates in RATES.items()}
        self.rates |= rates
        self.is_calm = False
        self.hit: set[str] = set()
        self.due: set[str] = set()
        """What goes wrong at the next occasion, for the sake of what comes after."""

    def hits(self, name: str) -> bool:
        """Whether this goes wrong now; never in a calm."""
        if name in self.due:
            self.due.remove(name)
            return True
        if self.is_calm or not self.rates[name] or self.chance.randrange(1_000) >= self.rates[name]:
            return False
        self.hit.add(name)
        return True

    def one_in(self, number: int) -> bool:
        """True once in so many times."""
        return self.chance.randrange(number) == 0

    def between(self, low: int, high: int) -> int:
        """A number from low to high, both included."""
        return self.chance.randint(low, high)
