"""Questions are answered from views that have followed the log first: as of now, or as of an entry or a time.

An answer never comes from a stale file, and a question leaves nothing but `views.db`, which can be deleted at any time.
Where that file can't be written, or there is only an export, the answer is worked out in memory. Times leave here as
text, amounts as whole fen.
"""

# ruff: noqa: ANN401 - rows are JSON values of any shape
# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
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
        source: a ledger folder, a ledger's postgresql:// URL, an exported folder, or the URL of one.
        at: None for now; the index of the last entry that counts, or a time.
    """
    from tallystick.views import Views, followed_views

    place = reading.source_of(source)
    with ExitStack() as open_now:
        with output.progress("Following the log") as progress:
            made: AbstractContextManager[Views]
            if at is None:
                made = followed_views(place, progress)
            else:
                when = {"index": int(at)} if at.isdecimal() else {"at": reading.read_moment(at)}
                made = Views.as_of(place, **when, progress=progress)
            views = open_now.enter_context(made)
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
