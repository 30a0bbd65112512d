"""An exception that nobody foresaw is one note's: the group goes on, and so does the writer.

Faults are planted in the decision, or in what changes the state, of one kind of command.
"""

import hashlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, cast

import pytest
from eventsourcing.persistence import OperationalError

from support.actors import Actor
from support.burning import FEN_A_LINE, LOG_KEY, NOW, RESERVED_FEN, Clock, burn_note, founding_notes
from support.postgres import fresh_database
from tallystick.audit import audit
from tallystick.errors import CanonicalJsonError, NotALedgerError, StoreFailedError
from tallystick.ledger import Admitted, Ledger, create_ledger
from tallystick.ledger.checking import check_notes
from tallystick.ledger.memory import MemoryLogRecorder
from tallystick.ledger.note_faults import LOGGER
from tallystick.ledger.opening import memory_ledger
from tallystick.ledger.verification import Verification
from tallystick.signing.keys import VerifierKey
from tallystick.transparency.policy import Policy
from tallystick.verifying import GOOD, UNTOLD, Batch, BatchResult, Pending, result_of
from tallystick.vouchers.admit import SignedCommand, read_note
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.reservations import ReservationRelease
from tallystick.vouchers.rules.rule import Event, Rule
from tallystick.vouchers.state import State

SECRET = "what a note says"
Plant = Callable[[pytest.MonkeyPatch, BaseException], None]


def release_note(ref: str) -> bytes:
    """The kind of command in which faults are planted; without one it is admitted, once."""
    return Actor("provider").note("reservation.release", NOW, ref=ref, reservation="holder/r1")


def fail_to_decide(patch: pytest.MonkeyPatch, error: BaseException) -> None:
    def failing(command: Rule, state: State, at: int) -> Any:
        raise error

    patch.setattr(ReservationRelease, "decide", failing)


def fail_to_begin_changing(patch: pytest.MonkeyPatch, error: BaseException) -> None:
    def failing(command: Rule, state: State, event: Event) -> Any:
        raise error

    patch.setattr(ReservationRelease, "evolve", failing)


def fail_half_changed(patch: pytest.MonkeyPatch, error: BaseException) -> None:
    change = ReservationRelease.evolve

    def failing(command: Rule, state: State, event: Event) -> Any:
        change(cast(ReservationRelease, command), state, event)
        raise error

    patch.setattr(ReservationRelease, "evolve", failing)


PLANTS = [fail_to_decide, fail_to_begin_changing, fail_half_changed]
ERRORS = [
    RuntimeError(SECRET),
    RecursionError(SECRET),
    CanonicalJsonError(SECRET),
    NotALedgerError(SECRET),
    OperationalError(SECRET),
    OSError(5, SECRET),
    StopIteration(SECRET),
    AssertionError(),
]


def is_refused(answer: Admitted | Refusal, note: bytes) -> bool:
    """Whether a note got the answer that is due to it, which names it by its digest."""
    return (
        isinstance(answer, Refusal)
        and answer.reason is Reason.DECISION_FAILED
        and hashlib.sha256(note).hexdigest() in answer.detail
    )


def indices(answers: Sequence[Admitted | Refusal]) -> list[int | None]:
    return [answer.index if isinstance(answer, Admitted) else None for answer in answers]


@pytest.mark.parametrize("plant", PLANTS)
def test_a_fault_is_answered_to_its_note_alone(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, plant: Plant
) -> None:
    bad = [release_note("bad-1"), release_note("bad-2")]
    notes = [burn_note("s-1"), bad[0], b"no note", burn_note("s-2"), bad[1], burn_note("s-3", lines=2)]
    with monkeypatch.context() as patch:
        plant(patch, RuntimeError(SECRET))
        answers = ledger.submit(notes)
    assert indices(answers) == [11, None, None, 12, None, 13]
    assert is_refused(answers[1], bad[0])
    assert is_refused(answers[4], bad[1])
    assert isinstance(answers[2], Refusal)
    assert answers[2].reason is Reason.NOTE_MALFORMED
    assert ledger.state.book["reserved", "holder/r1"] == RESERVED_FEN - 4 * FEN_A_LINE
    with memory_ledger(founding_notes()[0], LOG_KEY, clock=(clock := Clock())) as without:
        without.submit(founding_notes()[1:])
        clock.at = NOW
        without.submit([note for note in notes if note not in bad])
        assert (without.root, without.state.to_bytes()) == (ledger.root, ledger.state.to_bytes())
    records = [record.getMessage() for record in caplog.records if record.name == LOGGER]
    assert len(records) == 2
    for note, record in zip(bad, records, strict=True):
        assert hashlib.sha256(note).hexdigest() in record.splitlines()[0]
        assert "builtins.RuntimeError at test_one_note_alone.py:" in record.splitlines()[0]
        assert "Traceback (most recent call last):" in record
        assert SECRET not in record
        assert "bad-" not in record
    again = ledger.submit(bad)  # the fault is gone
    assert indices(again) == [14, None]
    assert isinstance(again[1], Refusal)
    assert again[1].reason is Reason.RESERVATION_CLOSED


@pytest.mark.parametrize("plant", PLANTS)
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_whatever_a_pure_function_raises_is_the_notes(
    monkeypatch: pytest.MonkeyPatch, plant: Plant, error: Exception
) -> None:
    with memory_ledger(founding_notes()[0], LOG_KEY, clock=(clock := Clock())) as ledger:
        ledger.submit(founding_notes()[1:])
        clock.at = NOW
        plant(monkeypatch, error)
        bad = release_note("bad")
        answers = ledger.submit([bad, burn_note("s-1")])
        assert is_refused(answers[0], bad)
        assert indices(answers) == [None, 11]


@pytest.mark.parametrize("plant", PLANTS)
def test_no_memory_is_the_machines_fault(ledger: Ledger, monkeypatch: pytest.MonkeyPatch, plant: Plant) -> None:
    """Nothing is kept, and no note is refused for it."""
    root, notes = ledger.root, [burn_note("s-1"), release_note("r-1")]
    with monkeypatch.context() as patch:
        plant(patch, MemoryError())
        with pytest.raises(StoreFailedError, match="no memory left"):
            ledger.submit(notes)
        assert ledger.root == root
    assert indices(ledger.submit(notes)) == [11, 12]


@pytest.mark.parametrize("plant", PLANTS)
@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(1)], ids=lambda error: type(error).__name__)
def test_who_ends_the_process_is_obeyed(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, plant: Plant, error: BaseException
) -> None:
    root, notes = ledger.root, [burn_note("s-1"), release_note("r-1")]
    with monkeypatch.context() as patch:
        plant(patch, error)
        with pytest.raises(type(error)):
            ledger.submit(notes)
        assert ledger.root == root
    assert indices(ledger.submit(notes)) == [11, 12]


@pytest.mark.parametrize("plant", PLANTS)
def test_callers_that_are_written_together_do_not_meet(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, plant: Plant
) -> None:
    plant(monkeypatch, RuntimeError(SECRET))
    bad = [release_note(f"bad-{number}") for number in range(3)]
    answers = together(ledger, [[burn_note("s-1")], bad, [burn_note("s-2"), burn_note("s-3")]])
    assert sorted([*indices(answers[0]), *indices(answers[2])], key=str) == [11, 12, 13]
    assert all(map(is_refused, answers[1], bad))


def test_a_fault_in_the_commit_is_its_callers(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """No note can be named; but who was written along is written again, alone."""
    keep = ledger._record.keep

    def failing(origin: str, entries: Any, group: Any) -> None:
        if any(entry.event.command.ref == "bad" for entry in entries):
            raise TypeError(SECRET)
        keep(origin, entries, group)

    with monkeypatch.context() as patch:
        patch.setattr(ledger._record, "keep", failing)
        answers = together(ledger, [[burn_note("s-1")], [release_note("bad")], [burn_note("s-2")]])
        assert sorted([*indices(answers[0]), *indices(answers[2])], key=str) == [11, 12]
        assert isinstance(answers[1], StoreFailedError)
        assert SECRET not in str(answers[1])
    assert indices(ledger.submit([release_note("bad")])) == [13]


def together(ledger: Ledger, calls: Sequence[Sequence[bytes]]) -> list[Any]:
    """What each of some callers is answered, or what is raised, when all of them wait to be written."""
    answers: list[Any] = [None] * len(calls)

    def submit(place: int) -> None:
        try:
            answers[place] = ledger.submit(calls[place])
        except StoreFailedError as error:
            answers[place] = error

    threads = [threading.Thread(target=submit, args=(place,)) for place in range(len(calls))]
    with ledger._writer_lock:
        for thread in threads:
            thread.start()
        while ledger._group_commit.waiting < len(threads):
            threads[0].join(0.001)
    for thread in threads:
        thread.join()
    return answers


def test_a_fault_while_a_note_is_read(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, notes = release_note("bad"), [burn_note("s-1"), burn_note("s-2")]

    def failing(data: bytes, origin: str) -> SignedCommand | Refusal:
        if data == bad:
            raise KeyError(SECRET)
        return read_note(data, origin)

    with monkeypatch.context() as patch:
        patch.setattr("tallystick.ledger.note_faults.read_note", failing)
        answers = ledger.submit([notes[0], bad, notes[1]])
    assert is_refused(answers[1], bad)
    assert indices(answers) == [11, None, 12]
    assert indices(ledger.submit([bad])) == [13]


def test_a_fault_while_a_signature_is_verified(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ahead it costs nothing; where it is decided, it is the note's."""
    bad = release_note("bad")
    text = read_note(bad, ledger.origin)
    assert isinstance(text, SignedCommand)
    verify = VerifierKey.verify

    def failing(self: VerifierKey, signature: bytes, message: bytes) -> None:
        if message == text.note.text:
            raise ZeroDivisionError(SECRET)
        verify(self, signature, message)

    with monkeypatch.context() as patch:
        patch.setattr(VerifierKey, "verify", failing)
        job = (0, 0, len(text.note.text), Actor("provider").vkeys[0], text.note.signatures[0].blob)
        assert result_of(([text.note.text], 0, [job])) == (b"", bytes([UNTOLD]))
        if ledger._verifier._pool._workers == []:  # another process isn't patched, and finds the signature good
            answers = ledger.submit([burn_note("s-1"), bad, burn_note("s-2")])
            assert is_refused(answers[1], bad)
            assert indices(answers) == [11, None, 12]


def test_a_task_that_fails_leaves_the_others_their_verdicts(ledger: Ledger) -> None:
    commands = [read_note(burn_note(f"s-{number}"), ledger.origin) for number in range(2)]
    nothing: Batch = ((), 0, ())
    failed: Future[BatchResult] = Future()
    failed.set_exception(ZeroDivisionError(SECRET))
    done: Future[BatchResult] = Future()
    done.set_result((b"", bytes([GOOD])))
    owners = [(one, b"claim") for one in commands if isinstance(one, SignedCommand)]
    Verification([([owners[0]], Pending(nothing, failed)), ([owners[1]], Pending(nothing, done))]).finish()
    assert [one.verdicts for one, _ in owners] == [{}, {b"claim": True}]


@pytest.mark.parametrize("found", [[], [b"no entry"], [b'{"at":1}\nx']], ids=["gone", "no header", "another header"])
def test_a_damaged_entry_is_met_by_the_note_that_asks_for_it_alone(
    monkeypatch: pytest.MonkeyPatch, found: list[bytes]
) -> None:
    with memory_ledger(founding_notes()[0], LOG_KEY, clock=(clock := Clock())) as ledger:
        ledger.submit(founding_notes()[1:])
        clock.at = NOW
        note = burn_note("s-1")
        assert indices(ledger.submit([note])) == [11]
        with monkeypatch.context() as patch:
            patch.setattr(MemoryLogRecorder, "entries", lambda self, start, stop: iter(found))
            answers = ledger.submit([note, burn_note("s-2")])
        assert is_refused(answers[0], note)
        assert indices(answers) == [None, 12]
        assert indices(ledger.submit([note])) == [11]


def test_what_is_kept_beside_a_fault_audits_clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for source in (tmp_path / "ledger", fresh_database()):
        with create_ledger(source, founding_notes()[0], LOG_KEY, clock=(clock := Clock())) as ledger:
            ledger.submit(founding_notes()[1:])
            clock.at = NOW
            for plant in PLANTS:
                with monkeypatch.context() as patch:
                    plant(patch, RuntimeError(SECRET))
                    name = plant.__name__
                    answers = ledger.submit([burn_note(f"{name}-1"), release_note(name), burn_note(f"{name}-2")])
                    assert [isinstance(answer, Admitted) for answer in answers] == [True, False, True]
            assert indices(ledger.submit([release_note("good")])) == [17]
        report = audit(source, Policy.for_log(LOG_KEY.verifier), processes=0)
        assert report.is_clean
        assert report.checkpoint is not None
        assert report.checkpoint.size == 18


@pytest.mark.parametrize("plant", PLANTS)
def test_check_answers_as_submit_does(monkeypatch: pytest.MonkeyPatch, plant: Plant) -> None:
    with memory_ledger(founding_notes()[0], LOG_KEY, clock=(clock := Clock())) as ledger:
        ledger.submit(founding_notes()[1:])
        clock.at = NOW
        saved = ledger.state.to_bytes()
        plant(monkeypatch, RuntimeError(SECRET))
        notes = [burn_note("s-1"), release_note("bad"), release_note("worse"), burn_note("s-2"), b"no note"]
        checked = check_notes(lambda: State.from_bytes(saved), notes, NOW)
        submitted = ledger.submit(notes)
    assert [getattr(one, "data", one) for one in checked] == [getattr(one, "entry", one) for one in submitted]
    assert is_refused(submitted[1], notes[1])


def test_a_receipt_of_an_entry_that_is_gone_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with memory_ledger(founding_notes()[0], LOG_KEY, clock=Clock()) as ledger:
        monkeypatch.setattr(MemoryLogRecorder, "entries", lambda self, start, stop: iter(()))
        with pytest.raises(NotALedgerError, match="entry 0 is not in the store"):
            ledger.receipt(0)


def test_a_machine_that_gives_no_processes_still_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Verifying ahead only saves work."""

    def failing(*_: object, **__: object) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    with create_ledger(tmp_path, founding_notes()[0], LOG_KEY, clock=(clock := Clock()), verify_processes=2) as ledger:
        ledger.submit(founding_notes()[1:])
        clock.at = NOW
        monkeypatch.setattr("tallystick.verifying.pool._start", failing)
        answers = ledger.submit([burn_note(f"s-{number}") for number in range(20)])
        assert indices(answers) == list(range(11, 31))
