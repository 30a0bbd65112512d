"""Records before a line that ends a record which none of them left open: one of them isn't what it seems.

A user who breaks a job's name can let its first line look like a whole record, of any account, and the next ones too.
What is left of the real record then stands alone. Which record it belongs to can't be told, so all are in doubt that
lie as near as a text is long.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final

from tallystick.metering.reasons import SkipReason
from tallystick.metering.run import Run, Skipped
from tallystick.metering.runs import skipped
from tallystick.metering.slurm_cutting import ends_a_record
from tallystick.metering.slurm_layout import Layout
from tallystick.metering.slurm_records import Found, Lost

IN_DOUBT: Final = "a line after it ends a record that may have begun here; export without columns of free text"
_SHORTEST_RECORD: Final = 50  # characters: an id, a state, two times and a GPU

_Made = list[Run | Skipped] | Found


def without_doubtful(
    outcomes: Iterable[list[Run | Skipped] | Found | Lost], layout: Layout
) -> Iterator[list[Run | Skipped] | Found | Lost]:
    """Yield what becomes of lines, with the records taken away that are in doubt; the newest are held back meanwhile.

    Args:
        outcomes: as `cut_into_records` yields them.
        layout: of the heading; where no column but the last holds any text, nothing is held back.
    """
    if all(test is not None for test in layout.tests[:-1]):
        yield from outcomes
        return
    held: deque[_Made] = deque()
    count, kept_back = 0, layout.text_length_max // _SHORTEST_RECORD + 1
    for one in outcomes:
        if isinstance(one, Lost):
            if ends_a_record(layout, one.text.partition("\n")[0]):
                yield from _in_doubt(held, kept_back)
                held.clear()
                count = 0
            yield one
            continue
        held.append(one)
        count += _count(one)
        while count - _count(held[0]) >= kept_back:
            count -= _count(held[0])
            yield held.popleft()
    yield from held


def _count(one: _Made) -> int:
    return len(one) if isinstance(one, list) else 1


def _in_doubt(held: Iterable[_Made], most: int) -> Iterator[list[Run | Skipped] | Found | Lost]:
    """Yield what was held back: its last records as such that are in doubt."""
    alone: list[Run | Skipped | Found] = []
    for made in held:
        if isinstance(made, list):
            alone += made
        else:
            alone.append(made)
    for number, one in enumerate(alone):
        if number >= len(alone) - most:
            yield _doubtful(one)
        else:
            yield one if isinstance(one, Found) else [one]


def _doubtful(one: Run | Skipped | Found) -> list[Run | Skipped] | Lost:
    if isinstance(one, Found):
        return Lost(one.line, one.text, 1, IN_DOUBT)
    return [skipped(one, SkipReason.UNREADABLE, IN_DOUBT) if isinstance(one, Run) else one]
