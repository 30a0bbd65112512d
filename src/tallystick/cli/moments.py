"""The time zone of the network whose log a source is: what times without an offset are meant in, and printed in.

How times are read and written: `tallystick.forms.times`.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

from typing import TYPE_CHECKING

from tallystick.errors import MalformedError, NotALedgerError

if TYPE_CHECKING:
    from tallystick.publishing import Reader
    from tallystick.sources import AnySource


def zone_of(source: "AnySource") -> int:
    """Return the offset in seconds of the network whose log a source is.

    Raises:
        NotALedgerError: its founding can't be read.
    """
    from tallystick.publishing.reader import read_ledger

    with read_ledger(source) as reader:
        return zone_in(reader)


def zone_in(reader: "Reader") -> int:
    """Return the offset in seconds of the network whose log is open.

    Raises:
        NotALedgerError: its founding can't be read.
    """
    from tallystick.vouchers.entry import Entry
    from tallystick.vouchers.rules.network import NetworkFound

    try:
        founding = Entry.from_bytes(next(reader.entries(0, 1))).event.command
    except (MalformedError, StopIteration) as error:
        raise NotALedgerError(f"entry 0 can't be read ({error}); `tallystick audit` says more") from None
    if not isinstance(founding, NetworkFound):
        raise NotALedgerError("entry 0 founds no network; `tallystick audit` says more")
    return founding.utc_offset_seconds
