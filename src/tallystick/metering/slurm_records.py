"""Lines of `sacct -P` become records: each line that is one by itself, and what the others can be cut into.

Lines that aren't records are gathered until one is, and cut together (`slurm_cutting.py`). A record over several lines
whose last line is a record by itself, of something else, can be read in two ways too: neither is taken.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from tallystick.metering.run import Run, Skipped
from tallystick.metering.slurm_cutting import Cut, Cutter, Way
from tallystick.metering.slurm_layout import Layout, Used
from tallystick.metering.slurm_plain import PlainRecords

RECORD_LINES_MAX: Final = 1_024
"""Lines that are tried as one record."""
RECORD_LENGTH_MAX: Final = 1024 * 1024
"""Characters of them."""
TWO_WAYS: Final = "its text fits the columns in two ways, which say different things"
NO_WAY: Final = "its text doesn't fit the heading's columns"

Values = tuple[str, ...]
Batch = tuple[int, list[str]]
"""Lines that follow one another, and the number of the first, from 1."""


class Found(NamedTuple):
    """A record, and where it stands: its line, from 1, and its text."""

    used: Used
    line: int
    text: str


class Lost(NamedTuple):
    """Lines that can't be read: how many records they are, as far as that can be told, and what is wrong."""

    line: int
    text: str
    records: int
    why: str


class _Held(NamedTuple):
    line: int
    text: str
    whole: Used | None


def cut_into_records(
    batches: Iterable[Batch], layout: Layout, is_record: Callable[[Values], bool], plain: PlainRecords
) -> Iterator[list[Run | Skipped] | Found | Lost]:
    """Yield the records of the lines after the heading, and lists of what becomes of those that are plain.

    Args:
        batches: the lines, some at a time.
        layout: of the heading.
        is_record: whether the values of columns, one for each of a line, have the forms of a record.
        plain: makes at once what becomes of most records.
    """
    block = _Block(layout)
    lines = _Lines(layout, is_record)
    for first, texts in batches:
        if block.is_at_a_beginning and (made := _made(texts, first, lines, plain)) is not None:
            yield from block.flush()
            plainly, found = made
            yield plainly
            yield from found
            # if the last column is free, what follows the last line may belong to it
            begins = len(texts) - layout.ends_free
        else:
            begins = 0
        for number, text in enumerate(texts[begins:], first + begins):
            yield from block.take(number, text, lines.whole(text))
    yield from block.flush()


def _made(
    texts: list[str], first: int, lines: "_Lines", plain: PlainRecords
) -> tuple[list[Run | Skipped], list[Found]] | None:
    """Return what becomes of lines, if all of them are records by themselves; the last isn't made if it may go on."""
    made = plain.made_of(texts, first)
    if made is None:
        return None
    others = [lines.whole(texts[at]) for at in made.others]
    if not all(others):
        return None
    found = [Found(used, first + at, texts[at]) for at, used in zip(made.others, others, strict=True) if used]
    if not lines.ends_free:
        return made.plain, found
    last = first + len(texts) - 1
    return [one for one in made.plain if one.line != last], [one for one in found if one.line != last]


class _Lines:
    """Tells lines that are records by themselves."""

    def __init__(self, layout: Layout, is_record: Callable[[Values], bool]) -> None:
        self._layout = layout
        self._is_record = is_record
        self.ends_free = layout.ends_free

    def whole(self, text: str) -> Used | None:
        """Return what a line's columns say, None if it is no record by itself."""
        fields = text.split(self._layout.separator)
        if len(fields) != len(self._layout.columns) or text == self._layout.heading:
            return None
        values = self._layout.used([*fields, ""])
        return Used._make(values) if self._is_record(values) else None


class _Block:
    """Lines that may belong together: of which the first may be a record by itself, and the others aren't."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._clear()

    def _clear(self) -> None:
        self.held: list[_Held] = []
        self._headings: list[_Held] = []  # that followed what is held
        self._cutter: Cutter | None = None
        self._length = 0
        self._is_in_doubt = False  # whether the last lines are records by themselves, or text of one that was open

    @property
    def is_at_a_beginning(self) -> bool:
        """Whether no line waits for others, but one for a line that isn't a record."""
        return self._cutter is None

    def take(self, number: int, text: str, whole: Used | None) -> Iterator[Found | Lost]:
        """Take a line; yield what is decided by it."""
        if text == self._layout.heading and not self._is_open:
            self._headings.append(_Held(number, text, None))
        elif whole is not None:
            yield from self._take_whole(_Held(number, text, whole))
        elif text.count(self._layout.separator) >= len(self._layout.columns) and (ways := self._ways_of(text)):
            yield from self._take_cuttable(_Held(number, text, ways[0][0].used), ways)
        elif text or self._cutter is not None:
            if self._cutter is not None:  # what looked like the heading of another export was text
                for heading in self._headings:
                    yield from self._take_more(heading)
            self._headings = []
            yield from self._take_more(_Held(number, text, None))

    @property
    def _is_open(self) -> bool:
        return self._is_in_doubt or (self._cutter is not None and self._cutter.is_open)

    def _take_whole(self, held: _Held) -> Iterator[Found | Lost]:
        if self._is_open:
            yield from self._take_more(held)
        else:
            yield from self.flush()
            yield from self._begin(held)

    def _take_cuttable(self, held: _Held, ways: list[list[Cut]]) -> Iterator[Found | Lost]:
        """Take a line with separators in a text, that is a record by itself, in one way or two."""
        if self._is_open:
            yield from self._take_more(held)
            return
        yield from self.flush()
        if self._layout.ends_free:
            self._cutter = Cutter(self._layout)
            self._cutter.feed(held.text)
            self._cutter.settle()
            self.held.append(held)
        else:
            yield from self._decided([held], ways)

    def _begin(self, held: _Held) -> Iterator[Found | Lost]:
        """Begin with a line that is a record by itself; if the last column is free, the next line may go on with it."""
        if self._layout.ends_free:
            self.held = [held]
        elif held.whole is not None:
            yield Found(held.whole, held.line, held.text)

    def _take_more(self, held: _Held) -> Iterator[Found | Lost]:
        cutter = self._cutter
        if cutter is None:
            cutter = self._cutter = Cutter(self._layout)
            for one in self.held:  # one at most, which is a record by itself
                cutter.feed(one.text)
                cutter.settle()
        before = cutter.whole
        cutter.feed(held.text)
        if not cutter.is_alive:
            yield from self._end(cutter.cuts_of(before))
            if held.whole is not None:
                yield from self._begin(held)
            else:
                yield from self._begin_broken(held)
            return
        self.held.append(held)
        self._length += len(held.text)
        self._is_in_doubt = self._leaves_doubt(cutter, held, before)
        most = self._layout.text_length_max if self._is_in_doubt else RECORD_LENGTH_MAX
        if len(self.held) >= RECORD_LINES_MAX or self._length >= most:
            yield from self._end([] if not self._is_in_doubt else cutter.ways())

    def _leaves_doubt(self, cutter: Cutter, held: _Held, before: list[Way]) -> bool:
        """Whether it isn't known that a line ends what was open: it may be a record, and so may the next."""
        if held.whole is None:
            return self._is_in_doubt and (cutter.is_open or all(way in before for way in cutter.whole))
        is_same = self._layout.tests[0] is None and all(way[-1].used == held.whole for way in cutter.ways())
        return not is_same

    def _begin_broken(self, held: _Held) -> Iterator[Found | Lost]:
        if not held.text:
            return
        cutter = Cutter(self._layout)
        cutter.feed(held.text)
        if cutter.is_alive:
            self._cutter, self.held = cutter, [held]
        else:
            yield Lost(held.line, held.text, 1, NO_WAY)

    def flush(self) -> Iterator[Found | Lost]:
        """Yield what the lines come to that were taken."""
        if self._cutter is None and len(self.held) == 1 and self.held[0].whole is not None:
            held = self.held[0]
            self._clear()
            yield Found(held.whole or Used._make(()), held.line, held.text)
        else:
            yield from self._end(self._cutter.ways() if self._cutter is not None else [])

    def _end(self, ways: list[list[Cut]]) -> Iterator[Found | Lost]:
        held, is_in_doubt = self.held, self._is_in_doubt
        self._clear()
        if held and is_in_doubt:
            begins = int(self._layout.ends_free and held[0].whole is not None)
            if begins:
                yield Found(held[0].whole or Used._make(()), held[0].line, held[0].text)
            yield _lost(held[begins:], TWO_WAYS)
        elif held:
            yield from self._decided(held, ways)

    def _decided(self, held: list[_Held], ways: list[list[Cut]]) -> Iterator[Found | Lost]:
        """Yield the records that all ways have, and that the others are lost."""
        if not ways:
            yield _lost(held, NO_WAY)
            return
        same = _common(ways)
        cuts = ways[0]
        for number, cut in enumerate(cuts[:same]):
            until = cuts[number + 1].first if number + 1 < len(cuts) else len(held)
            last = held[until - 1]
            text = "\n".join(one.text for one in held[cut.first : until])
            if until - cut.first > 1 and last.whole is not None and last.whole != cut.used:
                yield Lost(held[cut.first].line, text, 2, TWO_WAYS)
            else:
                yield Found(cut.used, held[cut.first].line, text)
        if same < len(cuts):
            first = held[cuts[same].first]
            yield Lost(first.line, first.text, max(len(way) for way in ways) - same, TWO_WAYS)

    def _ways_of(self, text: str) -> list[list[Cut]]:
        cutter = Cutter(self._layout)
        cutter.feed(text)
        return cutter.ways()


def _lost(held: list[_Held], why: str) -> Lost:
    return Lost(held[0].line, held[0].text, 1 + sum(one.whole is not None for one in held[1:]), why)


def _common(ways: list[list[Cut]]) -> int:
    """Return how many records ways have in common, from the first on."""
    if len(ways) == 1:
        return len(ways[0])
    same = 0
    for first, second in zip(*ways, strict=False):
        if first != second:
            break
        same += 1
    return same


def job_shown(text: str) -> str:
    """Return what of a record that can't be read may be its job, for a person to find it."""
    found = re.match(r"[0-9][0-9A-Za-z_+.\[\],%-]{0,60}", text)
    return found[0] if found else ""
