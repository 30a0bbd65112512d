"""What goes out is either a table for people or one JSON value for programs, and text from the log can't steer a terminal.

A log holds names and reasons that strangers wrote: they are printed as plain text, never as markup, without control
characters. Standard output carries the answer alone; progress and complaints go to standard error.
A file is written beside its place and renamed, so that it is whole or not there.
"""

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

Progress = Callable[[int, int], None]
"""Called with how much is done and how much there is."""

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


def moment(instant: int) -> str:
    """Return an instant in microseconds as a person reads it: without the microseconds where there are none."""
    from tallystick.vouchers.quantities import format_instant  # noqa: PLC0415 - pydantic is slow to import

    return format_instant(instant).replace(".000000Z", "Z")


def console(*, to_stderr: bool = False) -> "Console":
    """Return where tables go: as wide as the terminal, or as wide as need be in a file."""
    from rich.console import Console  # noqa: PLC0415 - slow to import, and help doesn't need it

    stream = sys.stderr if to_stderr else sys.stdout
    width = None if stream.isatty() else _WIDTH_IN_FILES
    return Console(file=stream, width=width, markup=False, highlight=False, emoji=False, soft_wrap=False)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table; a column whose heading ends in a blank holds numbers and is aligned to the right."""
    from rich import box  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    drawn = Table(title=Text(title), title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in columns:
        drawn.add_column(Text(heading.strip()), justify="right" if heading.endswith(" ") else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(one_line(str(cell))) for cell in row))
    console().print(drawn)


def fields(title: str, pairs: Sequence[tuple[str, object]]) -> None:
    """Print names and values, one pair a line."""
    if title:
        line(title)
    width = max((len(name) for name, _ in pairs), default=0)
    for name, value in pairs:
        line(f"  {name.ljust(width)}  {value}")


def line(text: str) -> None:
    """Print one line."""
    sys.stdout.write(one_line(text) if not text.startswith(" ") else "  " + one_line_keeping_blanks(text[2:]))
    sys.stdout.write("\n")


def one_line_keeping_blanks(text: str) -> str:
    """Return a text without control characters, its blanks kept."""
    return "".join(character if character.isprintable() else f"\\u{ord(character):04x}" for character in text)


def print_json(value: Any) -> None:
    """Print one JSON value, indented, as ASCII."""
    sys.stdout.write(json.dumps(value, indent=2) + "\n")


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all; one of that name is replaced.

    Raises:
        OSError: no folder, no room or no right to.
    """
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


@contextmanager
def progress(what: str) -> Iterator[Progress | None]:
    """Show on a terminal how far long work is and when it will be done; elsewhere give None and show nothing."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich import progress as bars  # noqa: PLC0415

    columns = (bars.TextColumn("{task.description}"), bars.BarColumn(), bars.MofNCompleteColumn())
    with bars.Progress(*columns, bars.TimeRemainingColumn(), console=console(to_stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
