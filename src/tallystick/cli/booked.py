"""A log as it is booked, for commands that make books of it: opened once, as of now, of an entry or of a time."""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from tallystick.cli import output, over_http

if TYPE_CHECKING:
    from tallystick.accounting import BookedEntry
    from tallystick.publishing import Reader
    from tallystick.sources import Source


@dataclass
class Booked:
    """A log that is read for its books.

    Attributes:
        reader: of the log.
        size: how many of its entries count.
    """

    reader: "Reader"
    size: int

    @cached_property
    def zone(self) -> int:
        """The network's offset in seconds."""
        return self.reader.utc_offset_seconds()

    @property
    def as_of(self) -> str:
        """What the answer is of, in words: how many entries, and the time of the last."""
        from tallystick.forms.times import local, zone_name
        from tallystick.vouchers.entry import Header, split_entry

        last = ""
        if self.size:
            at = Header.from_bytes(split_entry(self.reader.entry(self.size - 1))[0]).at
            last = f" (the last of {local(at, self.zone)})"
        return f"after {self.size:,} entries{last}, in yuan, times in {zone_name(self.zone)}"

    @contextmanager
    def entries(self) -> "Iterator[Iterator[BookedEntry]]":
        """Give what its entries book, with progress shown."""
        from tallystick.accounting import booked_entries
        from tallystick.cycle_collection import paused_collection

        with output.progress("Reading the log") as progress, paused_collection():
            yield booked_entries(self.reader, self.size, progress)


@contextmanager
def open_booked(source: "Source", login: over_http.Login, as_of: str | None) -> Iterator[Booked]:
    """Give a log that is read for its books, to be closed after use.

    Args:
        source: where the log is.
        login: who reads, where it is a service.
        as_of: None for now; the index of the last entry that counts, or a time, of a day its end.

    Raises:
        UsageError: neither an index nor a time, or a login where there is none.
        NotFoundError: there is no such entry.
        NotALedgerError: there is no log that can be read.
    """
    from tallystick.errors import NotFoundError
    from tallystick.forms.times import read_index_or_moment
    from tallystick.publishing.reader import read_ledger

    when = None if as_of is None else read_index_or_moment(as_of)
    with read_ledger(over_http.logged_in(source, login)) as reader:
        size = reader.size
        if isinstance(when, int):
            if when >= reader.size:
                raise NotFoundError(f"there is no entry {when}: the log has {reader.size}, counted from 0")
            size = when + 1
        elif when is not None:
            from tallystick.views.follow import size_at

            size = size_at(reader, when.last_instant(reader.utc_offset_seconds))
        yield Booked(reader, size)
