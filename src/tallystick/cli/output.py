"""What goes out is a table for people or one JSON value for programs, and text from the log can't steer a terminal.

A log holds names and reasons that strangers wrote: they are printed as plain text, never as markup, without control
characters. Standard output carries the answer alone; progress and complaints go to standard error.
What is said of a file that goes to standard output is said on standard error.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tallystick.named_files import NamedFile

if TYPE_CHECKING:
    from rich.console import Console

Progress = Callable[[int, int], None]
"""Called with how much is done and how much there is."""

_NUMBERS = ("_fen", "_accepted", "_refused", "_reversed", "_index", "gpu_milliseconds")
_COUNTS = frozenset({"index", "line", "lines", "entries", "vouchers", "seconds", "gpu_milli"})
_WIDTH_IN_FILES = 400  # what isn't a terminal has no width to fit into


def one_line(text: str) -> str:
    """Return a text as one line without control characters or anything else that isn't printed."""
    joined = " ".join(str(text).split())
    if joined.isprintable():
        return joined
    return "".join(character if character.isprintable() else f"\\u{ord(character):04x}" for character in joined)


def yuan(fen: int) -> str:
    """Return an amount in fen as yuan: 123456 is `1,234.56`."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100:,}.{abs(fen) % 100:02d}"


def gpu_hours(gpu_milliseconds: int) -> str:
    """Return GPU-milliseconds as GPU-hours, truncated to three decimals."""
    thousandths = gpu_milliseconds // 3_600
    return f"{thousandths // 1_000:,}.{thousandths % 1_000:03d}"


def console(*, to_stderr: bool = False) -> "Console":
    """Return where tables go: as wide as the terminal, or as wide as need be in a file."""
    from rich.console import Console

    stream = sys.stderr if to_stderr else sys.stdout
    width = None if stream.isatty() else _WIDTH_IN_FILES
    return Console(file=stream, width=width, markup=False, highlight=False, emoji=False, soft_wrap=False)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table; a column whose heading ends in a blank holds numbers and is aligned to the right."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    line(title)
    drawn = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in columns:
        drawn.add_column(Text(heading.strip()), justify="right" if heading.endswith(" ") else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(one_line(str(cell))) for cell in row))
    where = console()
    with where.capture() as written:
        where.print(drawn)
    text("".join(f"{shown.rstrip()}\n" for shown in written.get().splitlines()))


def fields(title: str, pairs: Sequence[tuple[str, object]]) -> None:
    """Print a title, if there is one, and names and values below it, one pair a line."""
    if title:
        line(title)
    width = max((len(name) for name, _ in pairs), default=0)
    for name, value in pairs:
        sys.stdout.write(f"  {name.ljust(width)}  {one_line(str(value))}\n")


def line(text: str) -> None:
    """Print one line."""
    sys.stdout.write(f"{one_line(text)}\n")


def record(title: str, values: Mapping[str, Any]) -> None:
    """Print named values as people read them; lists of records among them become tables below."""
    tables = {name: value for name, value in values.items() if _is_table(value)}
    shown = {name: readable(name, value) for name, value in values.items() if name not in tables}
    singles = [(words(name), value) for name, value in shown.items() if value]
    fields(title, singles)
    for name, value in tables.items():
        rows(words(name), value)


def rows(title: str, records: Sequence[Mapping[str, Any]]) -> None:
    """Print records of one kind as a table, amounts in yuan and GPU-time in GPU-hours."""
    columns = list(dict.fromkeys(name for one in records for name in one))
    cells = [[readable(name, one.get(name)) for name in columns] for one in records]
    table(title, [_heading(name) for name in columns], cells)


def readable(name: str, value: object) -> str:
    """Return a value as people read it; what it is, its name says."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        in_unit = yuan if name.endswith("_fen") else gpu_hours if name.startswith("gpu_milliseconds") else str
        return in_unit(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {readable(name, inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(readable(name, inner) for inner in value)
    return str(value).replace(".000000Z", "Z")


def words(name: str) -> str:
    """Return a field's name in words; the unit is dropped where the value is shown in another."""
    return name.removesuffix("_fen").replace("gpu_milliseconds", "GPU-hours").replace("_", " ")


def _is_table(value: object) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(one, Mapping) for one in value)


def _heading(name: str) -> str:
    """Return a column's heading; a blank at its end says that numbers are below."""
    return words(name) + (" " if name.endswith(_NUMBERS) or name in _COUNTS else "")


def text(whole: str) -> None:
    """Print a text that was made by this program, as it is."""
    sys.stdout.write(whole)


def print_json(value: object) -> None:
    """Print one JSON value, indented, as ASCII."""
    sys.stdout.write(json.dumps(value, indent=2) + "\n")


def line_about(file: NamedFile, text: str) -> None:
    """Print one line about a file that was written; on standard error if the file itself went to standard output."""
    (sys.stderr if file.is_standard_output else sys.stdout).write(f"{one_line(text)}\n")


@contextmanager
def progress(what: str) -> Iterator[Progress | None]:
    """Show on a terminal how far long work is and when it will be done; elsewhere give None and show nothing."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich import progress as bars

    columns = (bars.TextColumn("{task.description}"), bars.BarColumn(), bars.MofNCompleteColumn())
    with bars.Progress(*columns, bars.TimeRemainingColumn(), console=console(to_stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
