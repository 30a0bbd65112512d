"""Who pays for a contract's lines is found out once, and anew where a reservation has ended or another entry came.

The tables decide every command with what is known of earlier ones, and without. Here is what they don't come to.
"""

import pytest

from support.scenario import Ledger, ledger_for, read_table
from tallystick.vouchers.admit import SignedCommand, admit, read_note
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.outcomes import Burned
from tallystick.vouchers.rules import paying

SIGNED = "acme sign K9 with guian 1,000.00 from 2026-01-05 to 2026-12-31 -> signed"
RESERVED = "acme reserve R8 of V1 24.00 under K9 until +1d -> reserved"


def after(*rows: str) -> Ledger:
    """The standard network after some rows, on 2026-02-01."""
    (story,) = read_table("\n".join(["clock 2026-02-01", *rows]))
    ledger = ledger_for(story)
    ledger.play(story)
    return ledger


def decided(ledger: Ledger, row: str) -> Burned:
    """What a statement comes to, which isn't recorded."""
    (story,) = read_table(f"clock 2026-02-01\n{row}")
    signed = read_note(ledger.note(story.rows[-1])[1], ledger.state.origin)
    assert isinstance(signed, SignedCommand)
    entry = admit(ledger.state, signed, ledger.at)
    assert isinstance(entry, Entry)
    assert isinstance(entry.event.outcome, Burned)
    return entry.event.outcome


def test_a_statement_that_is_not_recorded_leaves_a_reservation_open() -> None:
    """It emptied the reservation only for itself, whose last line found none."""
    ledger = after(SIGNED, RESERVED)
    row = "guian burn K9 {} 8x910b -12h..-11h | {} 8x910b -12h..-11h -> 24.00 | nothing_reserved"
    first = decided(ledger, row.format("a", "b"))
    assert [reason.value for _, reason in first.refused] == ["nothing_reserved"]
    assert first.paid == (("acme/R8", (2_400, 0)),)
    assert decided(ledger, row.format("c", "d")) == first


def test_what_is_known_is_dropped_by_any_entry_but_a_statement() -> None:
    ledger = after(SIGNED, RESERVED)
    decided(ledger, "guian burn K9 a 4x910b -12h..-11h -> 12.00")
    assert [*ledger.state.payers] == ["acme/K9"]
    ledger.play(next(read_table("clock 2026-02-01\nguian burn K9 a 4x910b -12h..-11h -> 12.00")))
    assert [*ledger.state.payers] == ["acme/K9"]
    ledger.play(next(read_table("clock 2026-02-01\nacme reserve R9 of V1 24.00 under K9 until +1d -> reserved")))
    assert [*ledger.state.payers] == []


def test_no_more_contracts_are_remembered_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paying, "CONTRACTS_KNOWN_MAX", 1)
    ledger = after(SIGNED, RESERVED)
    for contract in ("K9", "K2", "K9"):
        decided(ledger, f"guian burn {contract} a 4x910b -12h..-11h -> 12.00")
        assert [*ledger.state.payers] == [f"acme/{contract}"]


def test_of_items_that_are_none_nothing_is_kept() -> None:
    ledger = after(SIGNED, RESERVED)
    decided(ledger, "guian burn K9 a 8xnone-such -12h..-11h -> item_unknown")
    known = ledger.state.payers["acme/K9"]
    assert isinstance(known, paying.ContractPayers)
    assert known.items_known == set()
