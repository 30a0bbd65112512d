"""A state can be saved and taken up again: same bytes, same state, same decisions."""

import hashlib
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.actors import note_of
from support.scenario import Ledger, Row, Story, ledger_for, read_table
from tallystick.errors import MalformedError
from tallystick.vouchers import state_pieces
from tallystick.vouchers.evolve import evolve
from tallystick.vouchers.state import State
from tallystick.vouchers.state_pieces import pieces_of, sha256_of

MORE = """== after the standard network
shanghai  open      D1 1,000.00 rank=2 shares=20~%~of~all cap.group=d1 opens_at=2026-01-05 -> opened
shanghai  accredit  guian under D1 valid_from=2026-01-05                           -> accredited
shanghai  issue     VD to acme 1,000.00 under D1 contract=K1 valid_from=2026-01-05 -> issued
acme      reserve   RD of VD 1,000.00 under K1 until +9d                           -> reserved
acme      amend-contract  K1 other_support_fen=1.00                                -> amended
acme      apply     A1 100.00 under S1                                             -> filed
guian     burn      K1 a 8x910b -10h..-9h | b 8x910b -10h..-9h | c 8x910b -10h..-9h ref=st-1 -> \
24.00 of R1 + 9.60 of RD, absorbed 1.00 | 24.00 of R1 + 9.60 of RD | 24.00 of R1 + 9.60 of RD
guian     reverse   st-1 line 2             -> reversed 24.00 of R1 to reservation + 9.60 of RD to reservation
clock     +2d
guian     claim     C1 of S1 up to 2026-01-31   -> claimed 48.00 under K1
shanghai  settle    C1 47.00~yuan~under~K1~and~1.00~yuan~withheld                  -> settled
shanghai  demand    D1 of guian 2.00 under S1                                      -> demanded
bolt      revoke-key  bolt/officer-2 of bolt                                       -> revoked
shanghai  suspend   bolt                                                           -> suspended
shanghai  delist    guian under S1 until +9d                                       -> delisted
acme      transfer  T1 of V2 1.00 to cato                                          -> transferred
shanghai  suspend-voucher  V2                                                      -> suspended
registry  seal      2026-01 to 2026-01-30                                          -> sealed 24 accounts
guian     price     910b 5.00                                                      -> published
guian     declare   512×910b from 2026-03-01                                       -> declared
shanghai  give-mandate  M1 to registry 500.00 each 1,000.00 in all                 -> given
network   rekey     tallystick.example/national to next overlap_seconds=0          -> rekeyed
registry  record    world.example:100                                              -> recorded
acme      apply     A2 1,000.00 under S1 holder_class=university                   -> filed
district  attest    pass to application A2 on credit                               -> given
shanghai  issue     V9 to acme 100.00 under S1 by=shanghai/officer-1               -> issued
"""
NEXT = """== what comes next
guian     reverse   st-1 line 2                                                    -> line_already_reversed
guian     reverse   st-1 line 1                                                    -> line_already_claimed
guian     reverse   st-1 line 3                                                    -> line_unknown
guian     burn      K1 b 8x910b -58h..-57h                                         -> job_time_already_burned
guian     burn      K1 c 8x910b -58h..-57h corrects=st-1:2                         -> 24.00 of R1 + 9.60 of RD
guian     burn      K1 d 8x910b -58h..-57h corrects=st-1:2                         -> correction_unfounded
guian     burn      K1 d 8x910b -99h..-98h                                         -> period_sealed
guian     burn      K1 d 8x910b -99h..-98h prior                                   -> 24.00 of R1 + 9.60 of RD
registry  seal      2026-01b to 2026-01-30                                         -> seal_not_later
acme      reserve   R9 of V2 1.00 under K2 until +1d                               -> voucher_suspended
acme      amend-contract  K1 amount_fen=191.99                                     -> below_charged
acme      amend-contract  K1 other_support_fen=0.99                                -> other_support_lowered
acme      sign      K9 with guian 1.00 from 2026-02-03 to 2026-02-03 document_hash=acme/K1 -> document_already_used
bolt      release   RB                                                             -> party_suspended
shanghai  receive   2.00 of D1                                                     -> received
clock     +50d
guian     burn      K3 z 8x910b -48h..-47h                                         -> outside_reservation
shanghai  revoke    V1                                                             -> revoked 6,000.00
"""


def grown() -> Ledger:
    """A ledger in which every part of the state has something."""
    ledger = ledger_for(Story("standard", ()))
    (story,) = read_table(MORE)
    ledger.play(story)
    return ledger


LEDGER = grown()


def test_every_part_of_the_state_is_filled() -> None:
    """So that the round trips below are about all of it."""
    saved = json.loads(LEDGER.state.to_bytes())
    assert [name for name, value in saved.items() if not value] == []


def test_a_state_is_written_and_read_the_same() -> None:
    """Both directions."""
    data = LEDGER.state.to_bytes()
    assert State.from_bytes(data) == LEDGER.state
    assert State.from_bytes(data).to_bytes() == data


@pytest.mark.parametrize("at_once", [1, 2, 256])
def test_pieces_are_together_what_is_written_at_once(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several providers, of which one has nothing any more; and no piece has more statements than it may."""
    monkeypatch.setattr(state_pieces, "STATEMENTS_A_PIECE", at_once)
    state = LEDGER.state
    (provider,) = state.statements
    statements = state.statements[provider]
    some = {f'st-"{number}"': next(iter(statements.values())) for number in range(5)}
    for filled in ({}, state.statements, {"gone": {}, **state.statements, 'odd "name"': some}):
        whole = replace(state, statements=filled)
        pieces = [*pieces_of(whole)]
        assert b"".join(pieces) == whole.to_bytes()
        assert sha256_of(whole) == hashlib.sha256(whole.to_bytes()).hexdigest()
        assert max(piece.count(b'"text_sha256"') for piece in pieces[1:-1]) <= at_once
    assert b"".join(pieces_of(State.empty("log.example/none"))) == State.empty("log.example/none").to_bytes()


def test_the_empty_state_too() -> None:
    """Before entry 0."""
    empty = State.empty("tallystick.example/national")
    assert State.from_bytes(empty.to_bytes()) == empty


@settings(max_examples=25)
@given(st.integers(0, len(LEDGER.entries)))
def test_a_state_taken_up_anywhere_goes_on_the_same(size: int) -> None:
    """Saved after `size` entries, read again, and grown to the end: the same bytes."""
    state = State.empty(LEDGER.state.origin)
    for entry in LEDGER.entries[:size]:
        evolve(state, entry.event)
    state = State.from_bytes(state.to_bytes())
    for entry in LEDGER.entries[size:]:
        evolve(state, entry.event)
    assert state == LEDGER.state
    assert state.to_bytes() == LEDGER.state.to_bytes()


def test_a_state_that_was_read_decides_the_same() -> None:
    """Every row of what comes next has the same answer."""
    (story,) = read_table(NEXT)
    kept, read = grown(), grown()
    read.state = State.from_bytes(read.state.to_bytes())
    kept.play(story)
    read.play(story)
    assert read.state.to_bytes() == kept.state.to_bytes()


def test_what_is_too_old_is_forgotten() -> None:
    """Memory follows the activity within the windows, not the length of the log."""
    (story,) = read_table(NEXT)
    ledger = grown()
    ledger.play(story)
    assert {ref for _, ref in ledger.state.statement_order} == {
        ref for refs in ledger.state.statements.values() for ref in refs
    }
    assert len(ledger.state.statement_order) == 1
    assert len(ledger.state.references) == len(ledger.state.reference_order) == 2
    job_times = [jobs for items in ledger.state.job_times.values() for jobs in items.values()]
    assert not [job for job in "abcdz" for jobs in job_times if job in jobs]


def test_an_event_out_of_order_is_refused() -> None:
    """Neither again nor too early."""
    state = State.empty(LEDGER.state.origin)
    with pytest.raises(ValueError, match="event 1 after 0 entries"):
        evolve(state, LEDGER.entries[1].event)
    evolve(state, LEDGER.entries[0].event)
    with pytest.raises(ValueError, match="event 0 after 1 entries"):
        evolve(state, LEDGER.entries[0].event)


@pytest.mark.parametrize("odd", [b"", b"{}", b"[]", b"null", LEDGER.state.to_bytes()[:-1], b"\xff"])
def test_bytes_that_are_no_state_are_refused(odd: bytes) -> None:
    """With the one error."""
    with pytest.raises(MalformedError):
        State.from_bytes(odd)


def row_of(text: str) -> Row:
    """The one row of a table."""
    ((row,),) = [story.rows for story in read_table(text)]
    return row


@pytest.mark.parametrize("opens_at", ["0001-01-01T00:00:00.000000Z", "0999-12-31T23:59:59.999999Z"])
def test_a_programme_of_long_ago_is_refused_or_saved_and_read(opens_at: str) -> None:
    """A snapshot that can't be read would stop the ledger."""
    ledger = ledger_for(Story("standard", ()))
    command, _ = ledger.note(row_of("shanghai  open  S9 1.00  -> opened"))
    ledger.submit(note_of(command | {"opens_at": opens_at}, "shanghai/officer-1"))
    assert State.from_bytes(ledger.state.to_bytes()) == ledger.state


@pytest.mark.parametrize(
    "rows",
    [
        [
            "shanghai  open  S9 1,000.00 closes_at=9999-12-31T23:59 validity_days=3660  -> opened",
            "shanghai  issue  V9 to acme 100.00 under S9 valid_from=9999-12-31  -> issued",
        ],
        [
            "shanghai  open  S9 1,000.00 closes_at=9999-12-31T23:59 validity_days=1  -> opened",
            "shanghai  accredit  guian under S9  -> accredited",
            "shanghai  issue  V9 to acme 100.00 under S9 valid_from=9999-12-30  -> issued",
            "acme  sign  K9 with guian 1.00 from 2026-02-01 to 9999-12-31  -> signed",
            "acme  reserve  R9 of V9 1.00 under K9 until 9999-12-31  -> reserved",
            "acme  release  R9  -> reservation_not_over",
        ],
    ],
    ids=["a voucher's end", "a reservation's grace"],
)
def test_what_ends_after_the_last_year_is_answered(rows: list[str]) -> None:
    """A time that can't be written is no reason to break down: whatever the answers, the state stays good."""
    ledger = ledger_for(Story("standard", ()))
    answers = [ledger.answer(row_of(row)) for row in rows]
    assert all(answers)
    assert State.from_bytes(ledger.state.to_bytes()) == ledger.state
