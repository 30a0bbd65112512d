"""An entry has at most 65,535 bytes, because a tile bundle writes its length in 16 bits."""

from support.actors import ORIGIN, Actor
from support.scenario import Ledger, Story, ledger_for
from tallystick.vouchers.admit import SignedCommand, admit, read_note
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.quantities import format_instant
from tallystick.vouchers.refusals import Reason, Refusal

HOUR_US = 3_600_000_000
LINES = 300


def decided(ledger: Ledger, filling: int) -> Entry | Refusal:
    """A statement of refused lines, with so many bytes more in the names of its jobs."""
    lines = [
        {
            "reservation": "acme/R9",
            "job": "j" + "x" * min(127, max(0, filling - 127 * number)),
            "item": "910b",
            "gpu_milli": 1_000,
            "from": format_instant(ledger.at - HOUR_US),
            "to": format_instant(ledger.at),
            "seconds": 1,
        }
        for number in range(LINES)
    ]
    note = Actor("guian").note("time.burn", ledger.at, holder="acme", lines=lines, ref="st-1")
    signed = read_note(note, ORIGIN)
    assert isinstance(signed, SignedCommand)
    return admit(ledger.state, signed, ledger.at)


def test_the_last_byte_that_fits_and_the_first_that_does_not() -> None:
    """Notes that are small enough may still make entries that aren't."""
    ledger = ledger_for(Story("standard", ()))
    small = decided(ledger, 0)
    assert isinstance(small, Entry)
    room = 65_535 - len(small.to_bytes())
    full, too_full = decided(ledger, room), decided(ledger, room + 1)
    assert isinstance(full, Entry)
    assert len(full.to_bytes()) == 65_535
    assert isinstance(too_full, Refusal)
    assert too_full.reason is Reason.ENTRY_TOO_LARGE
