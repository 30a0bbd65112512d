"""Questions are answered from views that have followed the log first: as of now, or as of an entry or a time.

An answer never comes from a stale file, and a question leaves nothing but `views.db`, which can be deleted at any time.
Where that file can't be written, or there is only an export, the answer is worked out in memory. Times leave here as
text, amounts as whole fen.
"""

# ruff: noqa: ANN401 - rows are JSON values of any shape
# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tallystick.cli import output, reading

if TYPE_CHECKING:
    from tallystick.views import Views

_INSTANTS = frozenset({"at", "until", "valid_from", "valid_until"})
_DAYS = frozenset({"first_day", "last_day"})


@contextmanager
def open_views(source: str, at: str | None) -> "Iterator[Views]":
    """Give the views of a ledger, to be closed after use.

    Args:
        source: a ledger folder, an exported folder, or the URL of one.
        at: None for now; the index of the last entry that counts, or a time.
    """
    from tallystick.ledger.reader import read_ledger
    from tallystick.ledger.sqlite import DATABASE
    from tallystick.views import Views

    folder = reading.source_of(source)
    with output.progress("Following the log") as progress:
        if at is not None:
            when = {"index": int(at)} if at.isdecimal() else {"at": reading.read_moment(at)}
            views = Views.as_of(folder, **when, progress=progress)
        elif isinstance(folder, Path) and (folder / DATABASE).exists() and os.access(folder, os.W_OK):
            views = Views.open(folder)
            views.follow(progress)
        else:
            with read_ledger(folder) as reader:
                newest = reader.size - 1
            views = Views.as_of(folder, index=newest, progress=progress)
    with views:
        yield views


def with_times_as_text(value: Any) -> Any:
    """Return a row of the views, or rows within rows, with times and days as text."""
    if isinstance(value, Mapping):
        return {name: _as_text(name, inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [with_times_as_text(inner) for inner in value]
    return value


def _as_text(name: str, value: Any) -> Any:
    from tallystick.vouchers.quantities import format_day, format_instant

    if isinstance(value, int) and name in _INSTANTS:
        return format_instant(value)
    if isinstance(value, int) and name in _DAYS:
        return format_day(value)
    return with_times_as_text(value)
