"""An entry has at most 65,535 bytes, because a tile bundle writes its length in 16 bits."""

from support.actors import ORIGIN, Actor
from support.scenario import Ledger, Story, ledger_for
from tallystick.vouchers.admit import SignedCommand, admit, read_note
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.quantities import format_second
from tallystick.vouchers.refusals import Reason, Refusal

HOUR_US = 3_600_000_000
LINES = 500


def decided(ledger: Ledger, filling: int) -> Entry | Refusal:
    """A statement of refused lines, with so many bytes more in the names of its jobs."""
    times = format_second(ledger.at - HOUR_US), format_second(ledger.at)
    lines = [["j" + "x" * min(127, max(0, filling - 127 * number)), 1_000, *times, 1] for number in range(LINES)]
    groups = [{"item": "zx-81", "lines": lines}]
    note = Actor("guian").note("time.burn", ledger.at, contract="acme/K1", groups=groups, ref="st-1")
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
