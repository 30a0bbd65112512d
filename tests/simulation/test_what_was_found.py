"""What the simulator found in the package, each as small as it can be."""

from collections.abc import Iterator
from random import Random

import pytest

from simulation.connection import Connection, Record, quiet
from simulation.disk import Disk, Image
from support.actors import Actor
from support.burning import BEGIN, LOG_KEY, Clock, _line, burn_note, founding_notes
from tallystick.ledger import Admitted, Ledger
from tallystick.ledger.log_signing import LogSigner
from tallystick.ledger.opening import _ledger, memory_ledger
from tallystick.ledger.sidecar import COSIGNED
from tallystick.ledger.store import CheckpointRow
from tallystick.ledger.tail import load_tail
from tallystick.vouchers.quantities import DAY_US, SECOND_US, format_instant

TWO_HOURS_US = 7_200 * SECOND_US


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ledger(clock: Clock) -> Iterator[Ledger]:
    genesis, *rest = founding_notes()
    with memory_ledger(genesis, LOG_KEY, clock=clock) as ledger:
        assert all(isinstance(answer, Admitted) for answer in ledger.submit(rest))
        yield ledger


def entry_again(ledger: Ledger, note: bytes) -> int:
    """The index that a note is answered with which was recorded before."""
    answer = ledger.submit([note])[0]
    assert isinstance(answer, Admitted)
    assert not answer.is_new
    return answer.index


def test_a_note_gets_its_receipt_though_nothing_happened_since_it_was_forgotten(ledger: Ledger, clock: Clock) -> None:
    """References are dropped from memory when the next entry comes; until then they are only too old to count."""
    clock.at = BEGIN + 30 * DAY_US
    assert [entry_again(ledger, note) for note in founding_notes()] == list(range(11))


def test_a_statement_gets_its_receipt_though_nothing_happened_since(ledger: Ledger, clock: Clock) -> None:
    """Statements are remembered for longer than references are."""
    clock.at = BEGIN + TWO_HOURS_US
    groups = [{"item": "ascend-910b", "lines": [_line(BEGIN)]}]
    note = Actor("provider").note("time.burn", clock.at, ref="s-1", contract="holder/k1", groups=groups)
    assert isinstance(ledger.submit([note])[0], Admitted)
    clock.at = BEGIN + 3 * DAY_US
    assert entry_again(ledger, note) == 11


class _Raced(Connection):
    """Reads a log to which one group is committed in the midst of the reading."""

    def __init__(self, disk: Disk, writer: Ledger, *, is_cosigned: bool) -> None:
        super().__init__(disk, "reader", None)
        self._writer = writer
        self._is_cosigned = is_cosigned
        self._is_raced = False

    def newest_checkpoint(self) -> CheckpointRow | None:
        """Return the newest, and then it isn't any more."""
        row = super().newest_checkpoint()
        if not self._is_raced:
            self._is_raced = True
            assert isinstance(self._writer.submit([burn_note("meanwhile")])[0], Admitted)
            newest = self.disk.image.newest_checkpoint()
            if self._is_cosigned and newest is not None:
                self.disk.image.sidecar[COSIGNED] = newest.note
        return row


@pytest.mark.parametrize("is_cosigned", [False, True], ids=["committed to", "committed to and cosigned"])
def test_a_log_is_loaded_while_it_is_being_written(clock: Clock, is_cosigned: bool) -> None:
    """A writer in waiting has no lock: between two of its reads others commit, and witnesses cosign."""
    disk = Disk(Image(), Random(0), lambda _: None)
    with _ledger(Record(quiet(disk)), LogSigner(LOG_KEY), clock, 0, None) as writer:
        assert all(isinstance(answer, Admitted) for answer in writer.submit(founding_notes()))
        clock.at = BEGIN + 30 * DAY_US
        assert load_tail(_Raced(disk, writer, is_cosigned=is_cosigned), [LOG_KEY.verifier]).edge.size in (11, 12)
        assert load_tail(quiet(disk), [LOG_KEY.verifier]).edge.size == 12


def test_two_writers_of_one_entry_are_both_right(clock: Clock) -> None:
    """A writer was fenced unknowingly, and has the same note at the same microsecond as the one that came and went.

    Their entries and checkpoints are the same to the byte, so what was kept is what either of them would have kept.
    """
    disk = Disk(Image(), Random(0), lambda _: None)
    connection = Connection(disk, "first", None)
    with _ledger(Record(connection), LogSigner(LOG_KEY), clock, 0, None) as first:
        assert all(isinstance(answer, Admitted) for answer in first.submit(founding_notes()))
        begins = format_instant(BEGIN + DAY_US)
        tariff = {"item": "ascend-910b", "price_fen": 601, "valid_from": begins}
        note = Actor("provider").note("tariff.publish", BEGIN, ref="t-1", **tariff)
        assert connection.session is not None
        disk.end(connection.session)
        with _ledger(Record(Connection(disk, "second", None)), LogSigner(LOG_KEY), clock, 0, None) as second:
            answers = second.submit([note])
        answers += first.submit([note])
        assert [(answer.index, answer.entry) for answer in answers if isinstance(answer, Admitted)] == [
            (11, disk.image.entries[11])
        ] * 2
        assert disk.image.size() == 12
        assert entry_again(first, note) == 11
