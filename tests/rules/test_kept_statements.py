"""What the state keeps of a statement fits what was decided, and a saved state has nothing in it that says nothing."""

import struct
from dataclasses import replace

import pytest

from support.scenario import Ledger, ledger_for, read_table
from tallystick.vouchers.burns import JobTimes
from tallystick.vouchers.evolve import evolve
from tallystick.vouchers.outcomes import Burned
from tallystick.vouchers.quantities import parse_instant
from tallystick.vouchers.state import State


def after(*rows: str) -> Ledger:
    """The standard network after some rows, on 2026-02-01."""
    (story,) = read_table("\n".join(["clock 2026-02-01", *rows]))
    ledger = ledger_for(story)
    ledger.play(story)
    return ledger


def test_a_statement_ends_with_the_latest_of_its_accepted_lines() -> None:
    """Wherever it stands; with none, it never lasted."""
    ledger = after(
        "guian burn acme R1 a 8x910b -12h..-11h | R1 b 8x910b -3h..-2h | R1 c 8x910b -8h..-7h | R9 d 8x910b -2h..-1h"
        " ref=st-1 -> 24.00 | 24.00 | 24.00 | reservation_unknown",
        "guian burn acme R9 a 8x910b -2h..-1h ref=st-2 -> reservation_unknown",
    )
    kept = ledger.state.statements["guian"]
    assert kept["st-1"].ends_at == parse_instant("2026-01-31T22:00:00.000000Z")
    assert (kept["st-2"].ends_at, kept["st-2"].jobs, kept["st-2"].reservations) == (0, "", ())


def test_an_outcome_of_other_lines_is_not_believed() -> None:
    """One amount too few or too many is a damaged entry, and what it would come to is never kept."""
    ledger = after("guian burn acme R1 a 8x910b -12h..-11h | R1 b 8x910b -3h..-2h -> 24.00 | 24.00")
    *before, last = ledger.entries
    assert isinstance(last.event.outcome, Burned)
    for amounts in ((2_400,), (2_400, 2_400, 2_400)):
        state = State.empty(ledger.state.origin)
        for entry in before:
            evolve(state, entry.event)
        outcome = replace(last.event.outcome, from_voucher_fen=amounts)
        with pytest.raises(ValueError, match="zip"):
            evolve(state, replace(last.event, outcome=outcome))
        assert state.size == len(before)
        assert state.statements == {}


def test_a_saved_state_leaves_out_what_is_none() -> None:
    """A voucher without a parent, a key that wasn't revoked: the field is missing, and reads as None."""
    state = after().state
    assert any(voucher.parent is None for voucher in state.vouchers.values())
    assert all(key.revoked_index is None for key in state.keys.values())
    data = state.to_bytes()
    assert b"null" not in data
    assert State.from_bytes(data) == state


def test_a_statement_that_can_not_be_read_frees_no_time() -> None:
    """A decision that fails at it changes nothing: the next one at the same job fails as well."""
    ledger = after("guian burn acme R1 a 8x910b -12h..-11h ref=st-1 -> 24.00")
    kept = replace(ledger.state.statements["guian"]["st-1"], reversed_lines=[1], packed=b"")
    times = JobTimes([kept])
    for _ in range(2):
        with pytest.raises(struct.error):
            times.is_burned("a", kept.ends_at - 1, kept.ends_at)
