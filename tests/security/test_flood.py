"""A flood of bad signatures doesn't stop good commands: the flood goes on until the last good one was admitted.

Threads submit batches of notes that only a verification tells from good ones, or that are signed by nobody known, over
and over. Meanwhile one submitter brings its commands one by one, each after the answer to the one before. No time is
measured: that the good ones come through while the flood runs is the whole claim; docs/performance.md has figures.
"""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.actors import Actor, note_of, vkey_of
from support.burning import LOG_KEY, NOW, Clock, burn_note, founding_notes
from tallystick.audit import audit
from tallystick.ledger import Admitted, Ledger, create_ledger
from tallystick.signing.keys import VerifierKey
from tallystick.signing.note import Note, Signature
from tallystick.transparency.policy import Policy
from tallystick.vouchers.refusals import Reason, Refusal

FLOODERS = 3
GOOD = 50
BATCH = 120
NEW = vkey_of("provider/meter-9")


def spoiled(note: bytes) -> bytes:
    """The note with one bit of its signature turned over: the key is known, and it didn't sign this."""
    opened = Note.from_bytes(note)
    (line,) = opened.signatures
    return Note(opened.text, (line._replace(blob=bytes([line.blob[0] ^ 1]) + line.blob[1:]),)).to_bytes()


def by_nobody(note: bytes) -> bytes:
    """The note signed, in form, by as many keys as fit, none of which the log knows."""
    opened = Note.from_bytes(note)
    lines = [Signature(f"nobody-{number}/k", b"\0\0\0\1", bytes(64)) for number in range(64)]
    return Note(opened.text, tuple(lines)).to_bytes()


def by_nobody_last(note: bytes) -> bytes:
    """A known key's bad line first, and then many of nobody's."""
    opened = Note.from_bytes(spoiled(note))
    lines = [Signature(f"nobody-{number}/k", b"\0\0\0\1", bytes(64)) for number in range(63)]
    return Note(opened.text, (*opened.signatures, *lines)).to_bytes()


FLOODS = {
    "bad signatures by a known key": (spoiled, {Reason.SIGNATURE_INVALID}),
    "signatures by nobody": (by_nobody, {Reason.KEY_UNKNOWN}),
    "both in one note": (by_nobody_last, {Reason.KEY_UNKNOWN}),
}


@pytest.fixture(params=[0, 2], ids=["verified by the writer", "verified in processes"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    clock = Clock()
    genesis, *rest = founding_notes()
    with create_ledger(tmp_path, genesis, LOG_KEY, clock=clock, verify_processes=request.param) as ledger:
        ledger.submit(rest)
        clock.at = NOW
        yield ledger


class Flood:
    """Threads that submit bad notes without end; `turns` counts what was answered, by thread."""

    def __init__(self, ledger: Ledger, batches: list[list[bytes]]) -> None:
        self.turns = [0] * len(batches)
        self.reasons: set[Reason | None] = set()
        self.errors: list[BaseException] = []
        self.is_on = threading.Barrier(len(batches) + 1)
        self._over = threading.Event()
        self._ledger = ledger
        self._threads = [
            threading.Thread(target=self._run, args=(number, batch)) for number, batch in enumerate(batches)
        ]

    def _run(self, number: int, batch: list[bytes]) -> None:
        try:
            while not self._over.is_set():
                answers = self._ledger.submit(batch)
                self.reasons |= {answer.reason if isinstance(answer, Refusal) else None for answer in answers}
                self.turns[number] += 1
                if self.turns[number] == 1:
                    self.is_on.wait()
        except BaseException as error:  # a thread's errors are the test's
            self.errors.append(error)
            self.is_on.abort()

    def __enter__(self) -> "Flood":
        for thread in self._threads:
            thread.start()
        self.is_on.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()


@pytest.mark.parametrize("flood_of", FLOODS)
def test_good_commands_come_through_a_flood_of_bad_ones(ledger: Ledger, tmp_path: Path, flood_of: str) -> None:
    hurt, reasons = FLOODS[flood_of]
    batches = [[hurt(burn_note(f"bad-{one}-{number}")) for number in range(BATCH)] for one in range(FLOODERS)]
    size = ledger.state.size
    indices = []
    with Flood(ledger, batches) as flood:
        for number in range(GOOD):
            (answer,) = ledger.submit([burn_note(f"good-{number}")])
            assert isinstance(answer, Admitted), answer
            assert answer.is_new
            indices.append(answer.index)
        assert all(thread.is_alive() for thread in flood._threads)  # it never stopped
    assert flood.errors == []
    assert flood.reasons == reasons
    assert indices == [*range(size, size + GOOD)]
    assert ledger.state.size == size + GOOD
    report = audit(tmp_path, Policy.for_log(LOG_KEY.verifier), processes=1)
    assert (report.verdict, report.entries) == ("clean", size + GOOD)


def test_a_bad_note_costs_no_more_than_its_first_bad_line(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """A note of many lines must not buy as many verifications."""
    verified: list[bytes] = []
    _watch(monkeypatch, verified.append)
    signers = [f"{party}/officer-1" for party in ("provider", "network", "treasury", "holder")]
    opened = Note.from_bytes(
        note_of(
            Actor("provider").command("key.add", NOW, ref="bad", subject="provider", purpose="sign", vkey=NEW), *signers
        )
    )
    bad = Note(opened.text, tuple(line._replace(blob=bytes(64)) for line in opened.signatures)).to_bytes()
    (answer,) = ledger.submit([bad])
    assert isinstance(answer, Refusal)
    assert answer.reason is Reason.SIGNATURE_INVALID
    assert len(verified) == 1


def test_nobody_waits_for_the_verification_of_a_strangers_note(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signatures are the one dear thing that a stranger can have us look at: that is done out of the writer's way."""
    held: list[bool] = []
    _watch(monkeypatch, lambda _: held.append(ledger._writer_lock._is_owned()))  # type: ignore[attr-defined]
    (answer,) = ledger.submit([spoiled(burn_note("bad"))])
    assert isinstance(answer, Refusal)
    assert answer.reason is Reason.SIGNATURE_INVALID
    assert held == [False]


def _watch(monkeypatch: pytest.MonkeyPatch, see: Callable[[bytes], None]) -> None:
    """Have every verification in this process seen."""
    verify = VerifierKey.verify

    def seen(self: VerifierKey, signature: bytes, message: bytes) -> None:
        see(signature)
        verify(self, signature, message)

    monkeypatch.setattr(VerifierKey, "verify", seen)
