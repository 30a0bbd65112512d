"""A table is as wide as the terminal at most: a number or an id never breaks over lines, and nothing is left out.

    1. side by side, if that fits
    2. headings in several lines, and prose (names, reasons) folded
    3. one record under another: its id, its texts, and its numbers in columns

Widths are those of a terminal's cells: a Chinese character has two.
"""

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Final, NamedTuple

from rich.cells import cell_len, chop_cells

WIDTH_MIN: Final = 40
"""A terminal that is narrower is taken for one of this width: amounts have up to some 30 digits and commas."""

_GAP: Final = "  "
_PROSE_MIN: Final = 20


class Column(NamedTuple):
    """A column: numbers are aligned to the right, prose may be folded at blanks, anything else stays whole."""

    heading: str
    is_number: bool = False
    is_prose: bool = False


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None, rule: str = "─") -> str:
    """Return rows as a table, or as records, with a final newline.

    Args:
        columns: what is in the rows.
        rows: a text for each column, each of one line.
        width: how many cells a line may have, or None for any.
        rule: what the line below the headings is drawn with.
    """
    widths = _widths(columns, rows, width)
    if widths is None:
        assert width is not None
        grid = _grid(columns, rows, width)
        return "".join(_record(columns, row, grid, width) for row in rows)
    headings = [folded(column.heading, size) for column, size in zip(columns, widths, strict=True)]
    lines = [*_lines(columns, headings, widths), rule * (sum(widths) + len(_GAP) * (len(widths) - 1))]
    for row in rows:
        cells = [folded(text, size) for text, size in zip(row, widths, strict=True)]
        lines += _lines(columns, cells, widths)
    return "".join(f"{line}\n" for line in lines)


def folded(text: str, width: int) -> list[str]:
    """Return a text in lines of at most so many cells, broken at blanks, and within a word only where it is longer."""
    lines: list[str] = []
    for line in folded_at_blanks(text, width):
        lines += chop_cells(line, width) or [""]
    return lines


def folded_at_blanks(text: str, width: int) -> list[str]:
    """Return a text in lines broken at blanks, of at most so many cells or of one word: a key or a hash stays whole."""
    lines = [""]
    for word in text.split(" "):
        whole = f"{lines[-1]} {word}" if lines[-1] else word
        if not lines[-1] or cell_len(whole) <= width:
            lines[-1] = whole
        else:
            lines.append(word)
    return lines


def _widths(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None) -> list[int] | None:
    """Return the columns' widths, or None if even folded they don't fit."""
    bodies = [max((cell_len(row[place]) for row in rows), default=0) for place in range(len(columns))]
    whole = [max(body, cell_len(column.heading)) for column, body in zip(columns, bodies, strict=True)]
    gaps = len(_GAP) * (len(columns) - 1)
    if width is None or sum(whole) + gaps <= width:
        return whole
    widths = [max(body, _longest_word(column.heading)) for column, body in zip(columns, bodies, strict=True)]
    # The widest prose gives way first, down to a measure that can still be read.
    prose = [place for place, column in enumerate(columns) if column.is_prose]
    while prose and (excess := sum(widths) + gaps - width) > 0:
        widest = max(prose, key=lambda place: widths[place])
        least = max(_PROSE_MIN, _longest_word(columns[widest].heading))
        if widths[widest] <= least:
            break
        others = [widths[place] for place in prose if place != widest]
        widths[widest] = max(least, widths[widest] - excess, min(widths[widest] - 1, max(others, default=0)))
    return widths if sum(widths) + gaps <= width else None


def _lines(columns: Sequence[Column], cells: Sequence[Sequence[str]], widths: Sequence[int]) -> Iterable[str]:
    for parts in zip_longest(*cells, fillvalue=""):
        padded = [
            _padded(part, size, right=column.is_number)
            for part, size, column in zip(parts, widths, columns, strict=True)
        ]
        yield _GAP.join(padded).rstrip()


class _Grid(NamedTuple):
    """How numbers stand in a record: so many to a line, with so much room for a name and for a number."""

    across: int
    name: int
    number: int


def _grid(columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int) -> _Grid:
    places = [place for place, column in enumerate(columns) if column.is_number]
    name = max((cell_len(columns[place].heading) for place in places), default=0)
    number = max((cell_len(row[place]) for row in rows for place in places), default=0)
    across = (width - 2 + len(_GAP)) // (name + 1 + number + len(_GAP))
    return _Grid(max(1, across), name, number)


def _record(columns: Sequence[Column], row: Sequence[str], grid: _Grid, width: int) -> str:
    """Return one record: the first column as its head, then texts, then numbers in columns."""
    first = columns[0]
    head = f"{first.heading} {row[0]}" if first.is_number else row[0]
    texts = [f"{column.heading} {text}" for column, text in _rest(columns, row) if not column.is_number and text]
    numbers = [
        f"{_padded(column.heading, grid.name)} {_padded(text, grid.number, right=True)}"
        for column, text in _rest(columns, row)
        if column.is_number and text
    ]
    lines = folded(head, width)
    lines += [f"  {line}" for line in _flowed(texts, width - 2)]
    for start in range(0, len(numbers), grid.across):
        lines.append("  " + _GAP.join(numbers[start : start + grid.across]).rstrip())
    return "".join(f"{line}\n" for line in lines)


def _rest(columns: Sequence[Column], row: Sequence[str]) -> list[tuple[Column, str]]:
    return list(zip(columns, row, strict=True))[1:]


def _flowed(pieces: Iterable[str], width: int) -> list[str]:
    """Return pieces one after another, as many to a line as fit; one that is longer than a line is folded."""
    lines: list[str] = []
    for piece in pieces:
        if lines and cell_len(lines[-1]) + cell_len(piece) + 2 <= width:
            lines[-1] += f", {piece}"
        else:
            lines += folded(piece, width)
    return lines


def _longest_word(heading: str) -> int:
    return max(map(cell_len, heading.split(" ")))


def _padded(text: str, width: int, *, right: bool = False) -> str:
    blanks = " " * (width - cell_len(text))
    return blanks + text if right else text + blanks
