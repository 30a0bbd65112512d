"""More can be claimed, or is past its cut-off, than one entry takes; and what one takes fits into it."""

from copy import deepcopy
from dataclasses import replace

import pytest

from support.actors import ORIGIN, Actor, Json
from support.scenario import Ledger, ledger_for, read_table
from tallystick.vouchers.admit import SignedCommand, admit, read_note
from tallystick.vouchers.book import Posting
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.evolve import evolve
from tallystick.vouchers.outcomes import Claimed, Expired
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.claiming import CONTRACTS_MAX, LOTS_MAX
from tallystick.vouchers.rules.endings import ROWS_MAX
from tallystick.vouchers.rules.settlement import OFFSETS_MAX

GUIAN, SHANGHAI = Actor("guian"), Actor("shanghai", ("officer-1", "officer-2"))
LONGEST_PARTY = "a" * 63


def contract_id(number: int) -> str:
    """The longest id of a contract, the lower the earlier."""
    return f"{LONGEST_PARTY}/{number:03}{'k' * 61}"


def voucher_id(number: int) -> str:
    """The longest id of a voucher, the lower the earlier."""
    return f"{LONGEST_PARTY}/{number:03}{'v' * 61}"


def record(ledger: Ledger, actor: Actor, kind: str, **fields: object) -> Entry | Refusal:
    """Decide a command, and take it in."""
    signed = read_note(actor.note(kind, ledger.at, **fields), ORIGIN)
    assert isinstance(signed, SignedCommand)
    answer = admit(ledger.state, signed, ledger.at)
    if isinstance(answer, Entry):
        evolve(ledger.state, answer.event)
    return answer


def with_lots(lots: list[int], fen: int = 1, rounding_fen: int = 1) -> Ledger:
    """A ledger in which something is unclaimed of so many vouchers under each of some contracts."""
    (start,) = read_table("== start\nclock 2026-02-02")
    ledger = ledger_for(start)
    ledger.play(start)
    state = ledger.state
    (version,) = state.programmes["shanghai/S1"].versions
    rules = replace(version.rules, rounding_fen=rounding_fen)
    state.programmes["shanghai/S1"].versions = [replace(version, rules=rules)]
    state.book.balances["unissued"]["shanghai/S1"] = sum(lots) * fen
    for number, vouchers in enumerate(lots):
        state.contracts[contract_id(number)] = deepcopy(state.contracts["acme/K1"])
        for voucher in range(vouchers):
            name = voucher_id(voucher)
            state.vouchers.setdefault(name, state.vouchers["shanghai/V1"])
            burned_id = f"{name} {contract_id(number)} 20484"
            state.post(Posting("shanghai/S1", "unissued", "shanghai/S1", "burned", burned_id, fen))
    return ledger


def claimed(ledger: Ledger, claim: str) -> Claimed:
    """What a claim takes."""
    entry = record(ledger, GUIAN, "redemption.claim", claim=claim, programme="shanghai/S1", last_day="2026-02-01")
    assert isinstance(entry, Entry)
    assert isinstance(entry.event.outcome, Claimed)
    return entry.event.outcome


def rows_of(numbers: range, fen: int) -> tuple[tuple[str, int], ...]:
    """What is claimed under each of some contracts."""
    return tuple((contract_id(number), fen) for number in numbers)


@pytest.mark.parametrize("more", [0, 1])
def test_a_claim_has_so_many_contracts_and_no_more(more: int) -> None:
    """The first in the order of their ids; another claim has the rest."""
    ledger = with_lots([1] * (CONTRACTS_MAX + more))
    assert claimed(ledger, "guian/C1") == Claimed(CONTRACTS_MAX, bool(more), rows_of(range(CONTRACTS_MAX), 1))
    if more:
        rest = rows_of(range(CONTRACTS_MAX, CONTRACTS_MAX + 1), 1)
        assert claimed(ledger, "guian/C2") == Claimed(1, False, rest)


def test_a_claim_has_whole_contracts_as_many_as_their_lots_allow() -> None:
    """A contract that doesn't fit is left out as a whole, and so is what comes after it."""
    ledger = with_lots([LOTS_MAX - 10, 10, 1])
    rows = ((contract_id(0), LOTS_MAX - 10), (contract_id(1), 10))
    assert claimed(ledger, "guian/C1") == Claimed(LOTS_MAX, True, rows)
    assert claimed(ledger, "guian/C2") == Claimed(1, False, ((contract_id(2), 1),))
    ledger = with_lots([LOTS_MAX - 10, 11, 1])
    assert claimed(ledger, "guian/C1") == Claimed(LOTS_MAX - 10, True, rows[:1])
    assert claimed(ledger, "guian/C2") == Claimed(12, False, ((contract_id(1), 11), (contract_id(2), 1)))


def test_of_a_first_contract_that_has_more_lots_a_claim_has_the_first() -> None:
    """In the order of vouchers."""
    ledger = with_lots([LOTS_MAX + 1, 1])
    assert claimed(ledger, "guian/C1") == Claimed(LOTS_MAX, True, ((contract_id(0), LOTS_MAX),))
    assert ledger.state.book.balances["burned"] == {
        f"{voucher_id(LOTS_MAX)} {contract_id(0)} 20484": 1,
        f"{voucher_id(0)} {contract_id(1)} 20484": 1,
    }
    assert claimed(ledger, "guian/C2") == Claimed(2, False, ((contract_id(0), 1), (contract_id(1), 1)))


def test_contracts_that_come_to_too_little_stand_in_no_others_way() -> None:
    """As many as a claim has may come to less than it is rounded to: the first make room for those that follow."""
    before = CONTRACTS_MAX - 1
    ledger = with_lots([1] * CONTRACTS_MAX + [103 - before], rounding_fen=100)
    rows = (*rows_of(range(1, CONTRACTS_MAX), 1), (contract_id(CONTRACTS_MAX), 100 - before))
    assert claimed(ledger, "guian/C1") == Claimed(100, False, rows)


def test_nor_do_they_where_the_next_has_too_many_lots_to_go_with_them() -> None:
    """It is claimed with as many of those before it as fit."""
    ledger = with_lots([1] * 20 + [LOTS_MAX - 5, 7], rounding_fen=100)
    rows = (*rows_of(range(15, 20), 1), (contract_id(20), LOTS_MAX - 5))
    assert claimed(ledger, "guian/C1") == Claimed(LOTS_MAX, True, rows)
    ledger = with_lots([1] * 20 + [LOTS_MAX + 1], rounding_fen=100)
    assert claimed(ledger, "guian/C1") == Claimed(LOTS_MAX, True, rows_of(range(20, 21), LOTS_MAX))
    ledger = with_lots([1] * 99, rounding_fen=100)
    refusal = record(
        ledger, GUIAN, "redemption.claim", claim="guian/C1", programme="shanghai/S1", last_day="2026-02-01"
    )
    assert isinstance(refusal, Refusal)
    assert refusal.reason is Reason.NOTHING_TO_CLAIM


LOT_FEN = 10**13
CLAIM = "guian/" + "c" * 64


def settlement(ledger: Ledger, reason: str) -> Entry | Refusal:
    """Pay and withhold something of every contract of a claim, with as many offsets as there may be."""
    demands = [f"shanghai/{number:02}{'d' * 62}" for number in range(OFFSETS_MAX)]
    rows = [
        {"contract": contract_id(number), "paid_fen": LOT_FEN - 1, "withheld_fen": 1, "reason": reason}
        for number in range(CONTRACTS_MAX)
    ]
    fields: Json = {
        "claim": CLAIM,
        "rows": rows,
        "offsets": [{"demand": demand, "amount_fen": LOT_FEN // 2} for demand in demands],
        "payment": {
            "amount_fen": CONTRACTS_MAX * (LOT_FEN - 1) - OFFSETS_MAX * LOT_FEN // 2,
            "day": "2026-02-01",
            "reference": reason,
        },
    }
    for demand in demands:
        asked: Json = {"demand": demand, "programme": "shanghai/S1", "payee": "guian", "amount_fen": LOT_FEN}
        made = record(ledger, SHANGHAI, "recovery.demand", **asked, reason="error", evidence_hash=f"sha256:{'0' * 64}")
        assert isinstance(made, Entry)
    return record(ledger, SHANGHAI, "redemption.settle", **fields)


def test_a_settlement_that_withholds_of_every_contract_fits_into_an_entry() -> None:
    """With the longest ids and reasons: each character has four bytes."""
    ledger = with_lots([1] * CONTRACTS_MAX, LOT_FEN)
    ledger.state.book.note("paid", "shanghai/S1 guian", OFFSETS_MAX * LOT_FEN)
    assert claimed(ledger, CLAIM).amount_fen == CONTRACTS_MAX * LOT_FEN
    answer = settlement(ledger, "𠀀" * 200)
    assert isinstance(answer, Entry)
    assert len(answer.to_bytes()) < 60_000  # sixteen signatures fit as well


def test_more_lots_are_past_their_cut_off_than_an_entry_books() -> None:
    """The next goes on with the same voucher, where it stopped; rows of the longest ids fit."""
    ledger = with_lots([2] * ROWS_MAX, LOT_FEN)
    (later,) = read_table("clock 2026-08-18T08:00")
    ledger.play(later)
    held = ["acme/R1", "acme/R3", "bolt/RB", "shanghai/B1", "shanghai/V1", "shanghai/V2", "shanghai/V3"]
    lots = [f"{voucher_id(voucher)} {contract_id(number)}" for voucher in range(2) for number in range(ROWS_MAX)]
    due = [*held, *lots]
    while due:
        entry = record(ledger, Actor("registry"), "book.expire", ref=f"order-{len(due)}")
        assert isinstance(entry, Entry)
        assert len(entry.to_bytes()) < 60_000
        outcome = entry.event.outcome
        assert isinstance(outcome, Expired)
        assert [name for _, name, _, _ in outcome.rows] == due[:ROWS_MAX]
        due = due[ROWS_MAX:]
        assert outcome.more == bool(due)
    assert ledger.state.book["unissued", "shanghai/S1"] == 2 * ROWS_MAX * LOT_FEN + 2_000_000
