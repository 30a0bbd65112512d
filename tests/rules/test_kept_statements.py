"""What the state keeps of a statement fits what was decided, and a saved state has nothing in it that says nothing."""

import copy
import struct
from dataclasses import replace

import pytest

from support.scenario import Ledger, ledger_for, read_table
from tallystick.vouchers.evolve import evolve
from tallystick.vouchers.job_times import JobTimes
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
        "guian burn K1 a 8x910b -12h..-11h | b 8x910b -3h..-2h | c 8x910b -8h..-7h | d 8x910b -2h..-1h seconds=3601"
        " | e 8xzx-81 -2h..-1h ref=st-1 -> 24.00 | 24.00 | 24.00 | interval_invalid | item_unknown",
        "guian burn K2 a 8x910b -2h..-1h ref=st-2 -> nothing_reserved",
    )
    kept = ledger.state.statements["guian"]
    assert [(group.item, group.jobs) for group in kept["st-1"].groups] == [("910b", "a b c")]
    assert kept["st-1"].groups[0].ends_at == parse_instant("2026-01-31T22:00:00.000000Z")
    assert (kept["st-2"].groups, kept["st-2"].reservations, kept["st-2"].payments) == ([], (), b"")


def test_a_statement_keeps_who_paid_what_of_which_line() -> None:
    """As its entry says, with what it absorbed and what was taken back."""
    ledger = after(
        "acme sign K9 with guian 1,000.00 from 2026-01-05 to 2026-12-31 other_support_fen=30.00 -> signed",
        "acme reserve R8 of V1 20.00 under K9 until +1d -> reserved",
        "acme reserve R9 of V1 50.00 under K9 until +1d -> reserved",
        "guian burn K9 a 8x910b -12h..-11h | b 8x910b -12h..-11h | c 8x910b -12h..-13h | d 4xh100 -12h..-11h ref=st-1"
        " -> 18.00 of R8, absorbed 30.00 | 2.00 of R8 + 22.00 of R9 | interval_invalid | 12.00 of R9",
        "guian reverse st-1 line 1 -> reversed 2.00 of R8 to voucher + 22.00 of R9 to reservation",
    )
    statement = ledger.state.statements["guian"]["st-1"]
    lines = {line.number: line for line in statement.lines()}
    assert {number: (line.item, line.job, line.fee_fen, line.absorbed_fen) for number, line in lines.items()} == {
        0: ("910b", "a", 4_800, 3_000),
        1: ("910b", "b", 4_800, 0),
        3: ("h100", "d", 6_000, 0),
    }
    assert {number: line.payments for number, line in lines.items()} == {
        0: (("acme/R8", 1_800),),
        1: (("acme/R8", 200), ("acme/R9", 2_200)),
        3: (("acme/R9", 1_200),),
    }
    assert statement.reversed_lines == {1}
    assert statement.taken_fen() == {"acme/R8": 1_800, "acme/R9": 1_200}
    assert statement.charged_and_absorbed_fen() == (10_800, 3_000)


def test_an_outcome_of_other_lines_is_not_believed() -> None:
    """One amount too few or too many is a damaged entry, and what it would come to is never kept."""
    ledger = after("guian burn K1 a 8x910b -12h..-11h | b 8x910b -3h..-2h -> 24.00 | 24.00")
    *before, last = ledger.entries
    assert isinstance(last.event.outcome, Burned)
    for amounts in ((2_400,), (2_400, 2_400, 2_400)):
        state = State.empty(ledger.state.origin)
        for entry in before:
            evolve(state, entry.event)
        balances = copy.deepcopy(state.book.balances)
        for changed in ({"paid": (("acme/R1", amounts),)}, {"fee_fen": amounts}):
            outcome = replace(last.event.outcome, **changed)
            with pytest.raises(ValueError, match="amounts of 2 lines"):
                evolve(state, replace(last.event, outcome=outcome))
            assert state.size == len(before)
            assert state.statements == {}
            assert state.book.balances == balances


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
    ledger = after("guian burn K1 a 8x910b -12h..-11h ref=st-1 -> 24.00")
    kept = replace(ledger.state.statements["guian"]["st-1"].groups[0], reversed_lines=[1], packed=b"")
    times = JobTimes([kept])
    for _ in range(2):
        with pytest.raises(struct.error):
            times.is_burned("a", kept.ends_at - 1, kept.ends_at)
