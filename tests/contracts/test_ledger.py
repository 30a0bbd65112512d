"""One suite over every store: the same notes give the same indices, roots, answers, receipts and balances."""

import gc
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from support.actors import ORIGIN, Actor
from support.burning import BEGIN, FEN_A_LINE, LOG_KEY, NOW, RESERVED_FEN, Clock, burn_note, founding_notes
from tallystick.ledger import Admitted, Ledger
from tallystick.ledger.opening import memory_ledger
from tallystick.transparency.policy import Policy
from tallystick.transparency.proofs import consistency_proof, verify_consistency
from tallystick.transparency.receipt import Receipt, verify_receipt
from tallystick.vouchers.refusals import Reason, Refusal

POLICY = Policy.for_log(LOG_KEY.verifier)
Make = Callable[[Clock], Ledger]


def admitted(answer: Admitted | Refusal) -> Admitted:
    assert isinstance(answer, Admitted), answer
    return answer


def test_indices_are_gapless_and_every_receipt_verifies(ledger: Ledger) -> None:
    answers = ledger.submit([burn_note(f"s-{number}", lines=3) for number in range(300)])
    assert [admitted(answer).index for answer in answers] == list(range(11, 311))
    for answer in answers[::37]:
        receipt = Receipt.from_bytes(admitted(answer).receipt().to_bytes())
        assert verify_receipt(receipt, admitted(answer).entry, POLICY).size == 311


def test_one_by_one_and_all_at_once_give_the_same_log(make: Make, tmp_path: Path) -> None:
    notes = founding_notes() + [burn_note(f"s-{number}") for number in range(20)]
    with memory_ledger(notes[0], LOG_KEY, clock=(clock := Clock())) as one_by_one:
        for note in notes[1:11]:
            one_by_one.submit([note])
        clock.at = NOW
        for note in notes[11:]:
            one_by_one.submit([note])
        expected = everything(one_by_one)
    with make(clock := Clock()) as at_once:
        at_once.submit(notes[1:11])
        clock.at = NOW
        at_once.submit(notes[11:])
        assert everything(at_once) == expected


def everything(ledger: Ledger) -> tuple[bytes, bytes, list[bytes]]:
    """What must be the same to the byte wherever it is kept: the root, the state, every entry's receipt (and entry)."""
    receipts = [ledger.receipt(index).to_bytes() for index in range(ledger.state.size)]
    return ledger.root, ledger.state.to_bytes(), receipts


def test_the_same_note_gets_its_first_receipt_for_ever(ledger: Ledger) -> None:
    note = burn_note("s-1")
    first = admitted(ledger.submit([note])[0])
    ledger.submit([burn_note("s-2")])
    again = admitted(ledger.submit([note])[0])
    assert (again.index, again.entry, again.is_new) == (first.index, first.entry, False)
    assert ledger.state.size == 13


def test_the_same_note_twice_in_one_call_is_one_entry(ledger: Ledger) -> None:
    note = burn_note("s-1")
    first, second = map(admitted, ledger.submit([note, note]))
    assert (first.index, first.is_new, second.index, second.is_new) == (11, True, 11, False)
    assert first.entry == second.entry
    assert ledger.state.size == 12


def test_a_reference_is_refused_for_another_text_also_after_the_state_forgot_it(make: Make) -> None:
    with make(clock := Clock()) as ledger:
        ledger.submit(founding_notes()[1:])
        clock.at = NOW
        old = burn_note("s-1")
        index = admitted(ledger.submit([old])[0]).index
        clock.at = NOW + 40 * 86_400_000_000
        network = Actor("network")
        network.refs = 100
        fresh = network.note("item.register", clock.at, item="h800", unit="gpu_time", name="H800", origin="foreign")
        ledger.submit([fresh])
        assert "provider s-1" not in ledger.state.references
        assert admitted(ledger.submit([old])[0]).index == index
        other = Actor("provider").note(
            "tariff.publish",
            clock.at,
            ref="s-1",
            item="h800",
            price_fen=1,
            valid_from="2026-12-01T00:00:00.000000Z",
        )
        answer = ledger.submit([other])[0]
        assert isinstance(answer, Refusal)
        assert answer.reason is Reason.REF_REUSED_FOR_OTHER_CONTENT


def test_refusals_stand_between_what_is_admitted_and_leave_no_trace(ledger: Ledger) -> None:
    before = ledger.root
    answers = ledger.submit([b"", burn_note("s-1"), b"no note\n"])
    assert [isinstance(answer, Admitted) for answer in answers] == [False, True, False]
    assert ledger.state.size == 12
    assert ledger.submit([b""])[0] == answers[0]
    assert ledger.root != before


def test_nothing_submitted_is_nothing_done(ledger: Ledger) -> None:
    before = ledger.root
    assert ledger.submit([]) == []
    assert ledger.root == before


def test_a_bad_signature_is_refused_with_or_without_processes(ledger: Ledger) -> None:
    notes = [burn_note(f"s-{number}") for number in range(20)]
    spoiled = notes[7][:-20] + (b"A" if notes[7][-20:-19] != b"A" else b"B") + notes[7][-19:]
    answers = ledger.submit([*notes[:7], spoiled, *notes[8:]])
    refused = [answer for answer in answers if isinstance(answer, Refusal)]
    assert [answer.reason for answer in refused] == [Reason.SIGNATURE_INVALID]
    assert isinstance(answers[7], Refusal)


def test_many_submitters_at_once_lose_and_double_nothing(ledger: Ledger) -> None:
    answers: dict[int, list[Admitted | Refusal]] = {}

    def submit(number: int) -> None:
        notes = [burn_note(f"s-{number}-{turn}") for turn in range(10)]
        answers[number] = [ledger.submit([note])[0] for note in notes]

    threads = [threading.Thread(target=submit, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    indices = [admitted(answer).index for group in answers.values() for answer in group]
    assert sorted(indices) == list(range(11, 91))
    assert ledger.state.book["reserved", "holder/r1"] == RESERVED_FEN - 80 * FEN_A_LINE
    for group in answers.values():
        last = admitted(group[-1])
        verify_receipt(last.receipt(), last.entry, POLICY)


def test_an_old_checkpoint_is_consistent_with_the_new(ledger: Ledger) -> None:
    old_root, old_size = ledger.root, ledger.state.size
    ledger.submit([burn_note(f"s-{number}") for number in range(600)])
    proof = consistency_proof(old_size, ledger.state.size, ledger.read_tile)
    verify_consistency(old_size, ledger.state.size, proof, old_root, ledger.root)


def test_the_clock_may_run_backwards_but_the_log_does_not(make: Make) -> None:
    with make(clock := Clock(BEGIN + 5)) as ledger:
        clock.at = BEGIN
        ledger.submit(founding_notes()[1:2])
        assert ledger.state.at == BEGIN + 5


def test_a_receipt_beyond_the_log_is_an_index_error(ledger: Ledger) -> None:
    with pytest.raises(IndexError):
        ledger.receipt(11)
    assert ledger.receipt(10).index == 10


def test_a_note_for_another_log_is_refused(ledger: Ledger) -> None:
    """Nothing else is wrong with it: the same statement under this log's origin is admitted."""
    other = "tallystick.example/other"
    size = ledger.state.size
    refused, accepted = ledger.submit([burn_note("s-1", log=other), burn_note("s-1")])
    assert refused == Refusal(Reason.COMMAND_FOR_ANOTHER_LOG, f"it is for {other}, this is {ORIGIN}")
    assert admitted(accepted).index == size
    assert ledger.state.size == size + 1


def test_a_clock_that_jumps_within_a_group_makes_no_reference_new(make: Make) -> None:
    """All of a commit has one time: else a reference could be forgotten before it is kept."""
    with make(clock := Clock()) as ledger:
        ledger.submit(founding_notes()[1:])
        note = burn_note("s-1")
        times = iter([NOW, *([NOW + 400 * 86_400_000_000] * 100)])
        ledger._clock = lambda: next(times)
        answers = [admitted(answer) for answer in ledger.submit([note, *[burn_note(f"t-{n}") for n in range(9)], note])]
        assert [answer.is_new for answer in answers] == [True] * 10 + [False]
        assert clock.at == BEGIN


def test_the_search_for_cycles_goes_on_after_a_submit(ledger: Ledger) -> None:
    """It is paused for the process, so a failure or several threads must not leave it so."""
    assert gc.isenabled()
    ledger.submit([burn_note("s-1")])
    assert gc.isenabled()
    ledger.close()
    with pytest.raises(ValueError, match="closed"):
        ledger.submit([burn_note("s-2")])
    assert gc.isenabled()
