"""The time zone of the network whose log a source is: what times without an offset are meant in, and printed in.

How times are read and written: `tallystick.forms.times`.
"""

# ruff: noqa: PLC0415 - what a command needs is imported inside it, so that help comes at once

from typing import TYPE_CHECKING

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
    return reader.utc_offset_seconds()
