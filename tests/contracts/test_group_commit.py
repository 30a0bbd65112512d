"""Many callers at once: each is answered once, in groups, whatever happens to the one that writes."""

import threading
from collections.abc import Callable, Sequence
from typing import cast

import pytest

from tallystick.ledger.group_commit import WORTH_VERIFYING_AHEAD, GroupCommit
from tallystick.ledger.pending import GROUP_NOTES_MAX, Group, PendingNote
from tallystick.ledger.verification import Verification
from tallystick.vouchers.refusals import Reason, Refusal


def group_of(notes: int, verification: Verification | None = None) -> Group:
    return Group([PendingNote(Refusal(Reason.NOTE_MALFORMED)) for _ in range(notes)], verification)


class Written:
    """A writer that keeps what it was given."""

    def __init__(self, before: Callable[[Sequence[Group]], None] = lambda _: None) -> None:
        self.lock = threading.RLock()
        self.transactions: list[list[Group]] = []
        self.verified: list[list[Group]] = []
        self._before = before
        self.commit = GroupCommit(self.lock, self.verify, self.write)

    def verify(self, groups: Sequence[Group]) -> None:
        self.verified.append(list(groups))
        for group in groups:
            group.verification = Verification()

    def write(self, groups: Sequence[Group]) -> None:
        self.transactions.append(list(groups))
        self._before(groups)

    def together(self, groups: Sequence[Group]) -> list[BaseException | None]:
        """Submit each in a thread of its own, all waiting before the first is written; return what was raised."""
        raised: list[BaseException | None] = [None] * len(groups)

        def submit(place: int) -> None:
            try:
                self.commit.submit(groups[place])
            except BaseException as error:
                raised[place] = error

        threads = [threading.Thread(target=submit, args=(place,)) for place in range(len(groups))]
        with self.lock:
            for number, thread in enumerate(threads, 1):
                thread.start()
                while self.commit.waiting < number:
                    thread.join(0.001)
        for thread in threads:
            thread.join()
        return raised


def test_one_caller_alone_is_written_by_itself() -> None:
    written = Written()
    group = group_of(1)
    written.commit.submit(group)
    assert group.done
    assert written.transactions == written.verified == [[group]]


def test_all_that_wait_are_one_transaction_in_the_order_of_arrival() -> None:
    written = Written()
    groups = [group_of(1) for _ in range(20)]
    assert written.together(groups) == [None] * 20
    assert written.transactions == [groups]


def test_a_transaction_has_its_measure_and_the_writing_is_handed_on() -> None:
    written = Written()
    groups = [group_of(GROUP_NOTES_MAX // 2) for _ in range(5)]
    assert written.together(groups) == [None] * 5
    assert written.transactions == [groups[:2], groups[2:4], groups[4:]]
    assert all(group.done for group in groups)


def test_few_notes_of_many_callers_are_verified_together_and_once() -> None:
    written = Written()
    groups = [group_of(1) for _ in range(WORTH_VERIFYING_AHEAD + 3)]
    written.together(groups)
    assert written.verified == [groups[:WORTH_VERIFYING_AHEAD], groups[WORTH_VERIFYING_AHEAD:]]


def test_what_is_being_verified_is_not_verified_again() -> None:
    written = Written()
    begun, other = group_of(30, Verification()), group_of(1)
    written.together([begun, other])
    assert written.verified == [[other]]


@pytest.mark.parametrize("interrupted", range(3))
def test_an_interrupt_of_the_caller_that_writes_leaves_none_waiting(interrupted: int) -> None:
    """It meets one transaction; those after it are written by the others."""

    def interrupt(groups: Sequence[Group]) -> None:
        if len(written.transactions) - 1 == interrupted:
            raise KeyboardInterrupt

    written = Written(interrupt)
    groups = [group_of(GROUP_NOTES_MAX) for _ in range(3)]
    raised = written.together(groups)
    assert [type(error) for error in raised].count(KeyboardInterrupt) == 1
    assert [group.error is not None for group in groups] == [number == interrupted for number in range(3)]
    assert all(group.done for group in groups)
    written.commit.submit(last := group_of(1))  # who comes later is served
    assert last.done
    assert last.error is None


def test_a_caller_interrupted_before_its_turn_takes_its_notes_back() -> None:
    """Woken to write, it is interrupted before it does: the next must not wait for it."""

    class Interrupted:
        """The lock, of a thread that meets Ctrl-C when it has got it."""

        def __init__(self, wake: threading.Lock) -> None:
            self._wake = wake
            self.release = wake.release

        def acquire(self) -> None:
            self._wake.acquire()
            raise KeyboardInterrupt

    written = Written()
    groups = [group_of(GROUP_NOTES_MAX) for _ in range(3)]
    groups[1].wake = cast(threading.Lock, Interrupted(groups[1].wake))
    raised = written.together(groups)
    assert [type(error) for error in raised] == [type(None), KeyboardInterrupt, type(None)]
    assert [group.done for group in groups] == [True, False, True]
    assert written.transactions == [[groups[0]], [groups[2]]]
    assert written.commit.waiting == 0
