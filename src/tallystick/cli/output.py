r"""What goes out is a table for people or one JSON value for programs, and text from the log can't steer a terminal.

A log holds names and reasons that strangers wrote: they are printed as plain text, never as markup, without control
characters. Standard output carries the answer alone; progress and complaints go to standard error.
What is said of a file that goes to standard output is said on standard error.
Text is written in the terminal's encoding, and what that lacks as `\uXXXX`; JSON and CSV are UTF-8 everywhere.
How wide a table may be, the terminal says, or else COLUMNS; in a file there is no width to fit into.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

import os
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from tallystick.cli import streams
from tallystick.forms.amounts import yuan
from tallystick.named_files import NamedFile
from tallystick.printing.text import gpu_hours, one_line
from tallystick.progress import Progress

if TYPE_CHECKING:
    from rich.console import Console

_NUMBERS = ("_fen", "_accepted", "_refused", "_reversed", "_paid", "_index", "gpu_milliseconds")
_COUNTS = frozenset(
    {"index", "line", "lines", "entries", "vouchers", "claims_open", "seconds", "gpu_milli", "quantity"}
    | {"passes", "asked", "quorum", "required", "window_days"}
)
_PROSE = frozenset({"name", "text", "reason", "detail", "missing", "moved, in yuan"})
_PARTS = {"over_fen": "of it over", "carried_over_fen": "of it carried over"}
"""Of the amount that stands before it: what is available, and what is burned or paid."""
PROGRAMME_HEADINGS = {"burned_fen": "unclaimed"}
"""What is burned of an envelope and not claimed yet; vouchers' burned amounts are claimed or not."""

_WIDTH_IN_FILES = 400  # what isn't a terminal has no width to fit into
_WIDTH_DIGITS_MAX = 6
_WIDTH_UNKNOWN = 80  # of a terminal that doesn't say
_DUMB = ("dumb", "unknown")


def width(stream: IO[str]) -> int | None:
    """Return how many cells a line of a table may have, or None for any number: COLUMNS says so, or the terminal."""
    from tallystick.printing.tables import WIDTH_MIN

    said = os.environ.get("COLUMNS", "")
    if said.isascii() and said.isdecimal() and len(said) <= _WIDTH_DIGITS_MAX and int(said):
        return max(WIDTH_MIN, int(said))
    if not stream.isatty():
        return None
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except OSError:
        columns = 0
    return max(WIDTH_MIN, columns or _WIDTH_UNKNOWN)


def is_watched(stream: IO[str]) -> bool:
    """Return whether a stream is a terminal on which something can be drawn over."""
    return stream.isatty() and os.environ.get("TERM", "") not in _DUMB


def console(*, wide: bool = False) -> "Console":
    """Return where the demo shows its tables: as wide as the terminal, or as wide as need be."""
    from rich.console import Console

    columns = None if wide else width(sys.stdout)
    return Console(
        file=sys.stdout, width=columns or _WIDTH_IN_FILES, markup=False, highlight=False, emoji=False, soft_wrap=False
    )


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], *, wide: bool = False) -> None:
    """Print a table.

    Args:
        title: what is in it, and in which units.
        columns: the headings; one that ends in a blank is of numbers, which are aligned to the right.
        rows: a value for each column.
        wide: as wide as need be, whatever the terminal.
    """
    from tallystick.printing import tables

    encoding = sys.stdout.encoding
    _write(_fitting(title, 0))
    drawn = tables.table(
        [tables.Column(one.strip(), one.endswith(" "), one.strip() in _PROSE) for one in columns],
        [[one_line(str(cell), encoding) for cell in row] for row in rows],
        None if wide else width(sys.stdout),
        "─" if one_line("─", encoding) == "─" else "-",
    )
    text(drawn)


def fields(title: str, pairs: Sequence[tuple[str, object]], numbers: Collection[str] = ()) -> None:
    """Print a title, if there is one, and names and values below it, one pair a line; numbers end below one another."""
    if title:
        _write(_fitting(title, 0))
    longest = max((len(name) for name, _ in pairs), default=0)
    digits = max((len(str(value)) for name, value in pairs if name in numbers), default=0)
    for name, value in pairs:
        first, *more = _fitting(str(value), longest + 4)
        first = first.rjust(digits) if name in numbers else first
        _write([f"  {name.ljust(longest)}  {first}", *[" " * (longest + 4) + rest for rest in more]])


def line(text: str) -> None:
    """Print one line; on a terminal it is folded at blanks, so that no number in it breaks."""
    # Elsewhere a program may look for the line, whatever COLUMNS says.
    _write(_fitting(text, 0) if sys.stdout.isatty() else [one_line(text, sys.stdout.encoding)])


def indented(text: str) -> None:
    """Print one line that keeps the blanks at its beginning and in it: columns below a sentence."""
    from tallystick.printing.text import escaped

    _write([escaped(text, sys.stdout.encoding or "utf-8")])


def prose(text: str) -> None:
    """Print a sentence, folded at blanks where lines have a width, as the titles of tables are."""
    _write(_fitting(text, 0))


def to_be_typed(text: str) -> None:
    """Print one line that will be copied into a shell: it is never folded."""
    _write([one_line(text, sys.stdout.encoding)])


def _write(lines: Iterable[str]) -> None:
    sys.stdout.writelines(f"{one}\n" for one in lines)


def _fitting(text: str, indent: int) -> list[str]:
    """Return a text in lines that fit beside an indent."""
    from tallystick.printing.tables import folded_at_blanks

    shown, columns = one_line(text, sys.stdout.encoding), width(sys.stdout)
    return [shown] if columns is None else folded_at_blanks(shown, columns - indent)


def record(
    title: str, values: Mapping[str, Any], *, headings: Mapping[str, str] | None = None, wide: bool = False
) -> None:
    """Print named values as people read them; lists of records among them become tables below."""
    tables = {name: value for name, value in values.items() if _is_table(value)}
    shown = {name: readable(name, value) for name, value in values.items() if name not in tables}
    called = headings or {}
    singles = [(called.get(name) or words(name), value) for name, value in shown.items() if value]
    fields(title, singles, [called.get(name) or words(name) for name in shown if is_number(name)])
    for name, value in tables.items():
        rows(words(name), value, wide=wide)


def rows(
    title: str,
    records: Sequence[Mapping[str, Any]],
    *,
    columns: Sequence[str] | None = None,
    headings: Mapping[str, str] | None = None,
    wide: bool = False,
) -> None:
    """Print records of one kind as a table, amounts in yuan and GPU-time in GPU-hours.

    Args:
        title: what they are.
        records: names and values.
        columns: the names, where there may be no records.
        headings: for names that are called something else on this page.
        wide: as wide as need be, whatever the terminal.
    """
    called = headings or {}
    columns = columns or list(dict.fromkeys(name for one in records for name in one))
    cells = [[readable(name, one.get(name)) for name in columns] for one in records]
    table(title, [_heading(name, called.get(name)) for name in columns], cells, wide=wide)


def readable(name: str, value: object) -> str:
    """Return a value as people read it; what it is, its name says."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        in_unit = yuan if name.endswith("_fen") else gpu_hours if "gpu_milliseconds" in name else str
        return in_unit(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {readable(name, inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(readable(name, inner) for inner in value)
    return str(value)


def words(name: str) -> str:
    """Return a field's name in words; the unit is dropped where the value is shown in another."""
    if name in _PARTS:
        return _PARTS[name]
    return name.removesuffix("_fen").replace("gpu_milliseconds", "GPU-hours").replace("_", " ")


def _is_table(value: object) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(one, Mapping) for one in value)


def _heading(name: str, called: str | None) -> str:
    """Return a column's heading; a blank at its end says that numbers are below."""
    return (called or words(name)) + (" " if is_number(name) else "")


def is_number(name: str) -> bool:
    """Return whether a field of this name holds an amount or a count."""
    return name.endswith(_NUMBERS) or name in _COUNTS


def text(whole: str) -> None:
    """Print a text that was made by this program, as it is."""
    sys.stdout.write(whole)


def data(whole: bytes) -> None:
    """Print bytes, whatever the terminal's encoding."""
    sys.stdout.flush()
    sys.stdout.buffer.write(whole)
    sys.stdout.buffer.flush()


def print_json(value: object, *, indent: int | None = 2) -> None:
    """Print one JSON value, indented, or in one line; as UTF-8."""
    from tallystick.wire.json_text import json_text

    data(f"{json_text(value, indent=indent)}\n".encode())


def print_csv(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    """Print rows as CSV, the heading also of none."""
    from tallystick.printing.csv_bytes import csv_bytes

    data(csv_bytes(columns, rows))


def notice(text: str) -> None:
    """Say something about the answer on standard error, in one line."""
    sys.stdout.flush()
    streams.say(f"tallystick: {text}")


def line_about(file: NamedFile, text: str) -> None:
    """Print one line about a file that was written; on standard error if the file itself went to standard output."""
    (sys.stderr if file.is_standard_output else sys.stdout).write(f"{one_line(text)}\n")


@contextmanager
def progress(what: str) -> Iterator[Progress | None]:
    """Show on a terminal how far long work is and when it will be done; elsewhere give None and show nothing."""
    if not is_watched(sys.stderr):
        yield None
        return
    from rich import progress as bars
    from rich.console import Console

    columns = (bars.TextColumn("{task.description}"), bars.BarColumn(), bars.MofNCompleteColumn())
    with bars.Progress(
        *columns,
        bars.TimeRemainingColumn(),
        console=Console(file=sys.stderr, markup=False, emoji=False),
        transient=True,
    ) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
