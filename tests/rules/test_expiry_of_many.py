"""More is due than one entry books: it says so, and the next goes on where it stopped."""

from typing import Any

from support.actors import ORIGIN, Actor
from support.row_checks import Recount, check_books
from support.scenario import Ledger, ledger_for, read_table
from tallystick.audit.book_checks import faults
from tallystick.vouchers.admit import SignedCommand, admit, read_note
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.evolve import evolve
from tallystick.vouchers.outcomes import Expired, ExpiredRow
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.endings import ROWS_MAX

PARTS = ROWS_MAX + 1


def record(ledger: Ledger, actor: Actor, kind: str, **fields: Any) -> Entry | Refusal:
    """Decide a command once, and take it in."""
    signed = read_note(actor.note(kind, ledger.at, **fields), ORIGIN)
    assert isinstance(signed, SignedCommand)
    answer = admit(ledger.state, signed, ledger.at)
    if isinstance(answer, Entry):
        evolve(ledger.state, answer.event)
        ledger.entries.append(answer)
    return answer


def booked(ledger: Ledger, actor: Actor) -> Expired:
    """What time has ended, as one entry books it."""
    answer = record(ledger, actor, "book.expire")
    assert isinstance(answer, Entry)
    assert isinstance(answer.event.outcome, Expired)
    return answer.event.outcome


def test_what_is_due_beyond_an_entry_is_left_to_the_next() -> None:
    """In the order of due times and ids over both; reservations of one programme are due before what a treasury has."""
    (start,) = read_table("== start\nguizhou issue G9 to cato 100.00 under G1 -> issued")
    ledger = ledger_for(start)
    ledger.play(start)
    acme, registry, shanghai = Actor("acme"), Actor("registry"), Actor("shanghai", ("officer-1", "officer-2"))
    names = [f"acme/t{number:03}" for number in range(PARTS)]
    for name in reversed(names):
        made = record(ledger, acme, "voucher.transfer", voucher="shanghai/V2", into=name, to="bolt", amount_fen=2)
        assert isinstance(made, Entry)
    (later,) = read_table("clock 2026-04-05T08:00")
    ledger.play(later)
    held: list[ExpiredRow] = [
        ("reservation", "acme/R1", 400_000, "voucher"),
        ("reservation", "acme/R3", 400_000, "voucher"),
        ("reservation", "bolt/RB", 400_000, "voucher"),
    ]
    parts: list[ExpiredRow] = [("voucher", name, 2, "programme") for name in names]
    others: list[ExpiredRow] = [
        ("voucher", "shanghai/B1", 1_000_000, "programme"),
        ("voucher", "shanghai/V1", 1_000_000, "programme"),
        ("voucher", "shanghai/V2", 1_000_000 - 2 * PARTS, "programme"),
        ("voucher", "shanghai/V3", 1_000_000, "programme"),
    ]
    due = [*held, *parts, *others]
    assert booked(ledger, shanghai) == Expired(True, tuple(due[:ROWS_MAX]))
    assert booked(ledger, registry) == Expired(False, tuple(due[ROWS_MAX:]))
    refusal = record(ledger, registry, "book.expire")
    assert isinstance(refusal, Refusal)
    assert refusal.reason is Reason.NOTHING_DUE
    recount = Recount()
    recount.take(ledger.entries, ledger.state)
    check_books(ledger.state, recount)
    assert [*faults(ledger.state)] == []


def test_as_many_as_an_entry_books_are_all() -> None:
    """Nothing more is due, also where something of another treasury is: `more` is told of what the party may book."""
    (start,) = read_table("== start\nguizhou issue G9 to cato 100.00 under G1 -> issued")
    ledger = ledger_for(start)
    ledger.play(start)
    acme, shanghai = Actor("acme"), Actor("shanghai", ("officer-1", "officer-2"))
    for number in range(ROWS_MAX - 7):
        fields = {"voucher": "shanghai/V2", "into": f"acme/t{number}", "to": "bolt", "amount_fen": 2}
        assert isinstance(record(ledger, acme, "voucher.transfer", **fields), Entry)
    (later,) = read_table("clock 2026-05-10")
    ledger.play(later)
    outcome = booked(ledger, shanghai)
    assert (outcome.more, len(outcome.rows)) == (False, ROWS_MAX)
    assert booked(ledger, Actor("registry")).rows == (("voucher", "guizhou/G9", 10_000, "programme"),)
