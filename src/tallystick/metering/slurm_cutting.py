"""Where lines of `sacct -P` can be cut into records, if names and comments hold separators and line breaks.

All ways are followed at once. A line that can begin a record isn't taken for the end of the last column's text, if it
can be explained otherwise. Where two ways are left, their records aren't taken: who chose a name could choose who pays.
"""

from typing import Final, NamedTuple

from tallystick.metering.slurm_layout import USED, Layout, Used

_WAYS_FOLLOWED: Final = 2
"""Ways that are followed through one place: that there are two is all that need be known."""


class Cut(NamedTuple):
    """A record that was cut out of lines.

    Attributes:
        first: its first line, from 0 in what was cut.
        used: its columns that are read.
    """

    first: int
    used: Used


Way = tuple[int, int]
"""How many lines that can begin a record it takes for text of a last column, and the number of what it read."""


class Cutter:
    """Follows the ways in which lines can be cut, line by line."""

    def __init__(self, layout: Layout) -> None:
        self._tests = layout.tests
        self._separator = layout.separator
        self._last = len(layout.columns) - 1
        self._is_read = [position in layout.positions for position in range(len(layout.columns))]
        self._positions = layout.positions
        self._nodes: list[tuple[int, int, str]] = [(-1, -1, "")]
        self._numbers: dict[tuple[int, int, str], int] = {}
        self._places: dict[int, list[Way]] = {}
        self._lines = 0

    @property
    def is_alive(self) -> bool:
        """Whether the lines may be the beginning of records."""
        return bool(self._places)

    @property
    def is_done(self) -> bool:
        """Whether the lines can be cut into whole records."""
        return self._last in self._places

    @property
    def is_open(self) -> bool:
        """Whether the lines are explained better, or only, if a record goes on."""
        explained = min((ways[0][0] for place, ways in self._places.items() if place == self._last), default=None)
        return any(
            explained is None or ways[0][0] < explained for place, ways in self._places.items() if place != self._last
        )

    def feed(self, line: str) -> None:
        """Take a line."""
        for number, token in enumerate(line.split(self._separator)):
            self._places = self._after(token, begins_line=number == 0)
            if not self._places:
                break
        self._lines += 1

    def begin_within_text(self) -> None:
        """Take it that a record is open, in a text of any column but the last."""
        self._places = {at: [(0, 0)] for at, test in enumerate(self._tests[:-1]) if test is None}
        self._lines = 1

    def settle(self) -> None:
        """Take it that the lines so far are whole records, but for what may still belong to the last column's text."""
        self._places = {place: ways for place, ways in self._places.items() if place == self._last}

    def _after(self, token: str, *, begins_line: bool) -> dict[int, list[Way]]:
        places: dict[int, list[Way]] = {}
        if begins_line and self._lines == 0:
            self._enter(places, 0, token, [(0, 0)])
            return places
        for place, ways in self._places.items():
            if self._tests[place] is None:
                is_odd = begins_line and place == self._last and self._begins_record(token)
                _add(places, place, [(odd + 1, node) for odd, node in ways] if is_odd else ways)
            if begins_line and place == self._last:
                self._enter(places, 0, token, ways)
            elif not begins_line and place < self._last:
                self._enter(places, place + 1, token, ways)
        return places

    def _enter(self, places: dict[int, list[Way]], place: int, token: str, ways: list[Way]) -> None:
        """Have ways go on with a token as the beginning of a column."""
        test = self._tests[place]
        if test is not None and test(token) is None:
            return
        if place == 0:
            ways = [(odd, self._node(node, -1, str(self._lines))) for odd, node in ways]
        if self._is_read[place]:
            ways = [(odd, self._node(node, place, token)) for odd, node in ways]
        _add(places, place, ways)

    def _begins_record(self, token: str) -> bool:
        test = self._tests[0]
        return test is not None and test(token) is not None

    def _node(self, before: int, place: int, text: str) -> int:
        key = (before, place, text)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._nodes)
            self._nodes.append(key)
        return number

    @property
    def whole(self) -> list[Way]:
        """The ways in which the lines so far can be cut into whole records, for `cuts_of`, now or later."""
        return self._places.get(self._last, [])

    def ways(self) -> list[list[Cut]]:
        """Return the ways in which the lines can be cut into whole records: none, one, or two of more."""
        return self.cuts_of(self.whole)

    def cuts_of(self, ways: list[Way]) -> list[list[Cut]]:
        """Return the records of each way."""
        return [self._cuts(node) for _, node in ways]

    def _cuts(self, node: int) -> list[Cut]:
        cuts: list[Cut] = []
        values: dict[int, str] = {}
        while node:
            before, place, text = self._nodes[node]
            if place < 0:
                cuts.append(Cut(int(text), Used(*(values.get(position, "") for position in self._positions))))
                values = {}
            else:
                values[place] = text
            node = before
        return cuts[::-1]


def ends_a_record(layout: Layout, line: str) -> bool:
    """Whether a line can end a record that was open before it, and is none by itself."""
    within, alone = Cutter(layout), Cutter(layout)
    within.begin_within_text()
    within.feed(line)
    alone.feed(line)
    return within.is_done and not alone.is_done


def _add(places: dict[int, list[Way]], place: int, ways: list[Way]) -> None:
    """Keep the ways to a place that take the fewest odd lines, at most `_WAYS_FOLLOWED` different ones."""
    known = places.get(place)
    if known is None:
        places[place] = list(ways)
        return
    if ways[0][0] < known[0][0]:
        places[place] = list(ways)
    elif ways[0][0] == known[0][0]:
        known.extend([way for way in ways if way not in known][: _WAYS_FOLLOWED - len(known)])


assert len(USED) == len(Used._fields)
