"""What a program needs of a refusal is a field, and holds: in every row of the tables that is refused for it."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from support.actors import ORIGIN
from support.scenario import TABLES, Ledger, ledger_for, read_table
from tallystick.vouchers.admit import SignedCommand, admit, read_note
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.quantities import parse_instant
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.state import State

TOO_EARLY = {
    Reason.SIGNED_IN_THE_FUTURE,
    Reason.SEAL_PERIOD_NOT_OVER,
}


class Refused(NamedTuple):
    """A command that was refused, and when."""

    state: State
    signed: SignedCommand
    at: int
    refusal: Refusal

    def reason_at(self, at: int) -> Reason | None:
        """The reason against it at another time."""
        answer = admit(self.state, self.signed, at)
        return answer.reason if isinstance(answer, Refusal) else None


def _refused(reasons: set[Reason]) -> Iterator[Refused]:
    """The commands of all tables' rows that are refused for these reasons."""
    found = []

    class Listening(Ledger):
        def submit(self, note: bytes) -> Entry | Refusal:
            answer = super().submit(note)
            if isinstance(answer, Refusal) and answer.reason in reasons:
                signed = read_note(note, ORIGIN)
                assert isinstance(signed, SignedCommand)
                found.append(Refused(State.from_bytes(self.state.to_bytes()), signed, self.at, answer))
            return answer

    for table in sorted(TABLES.glob("*.txt")):
        for story in read_table(table.read_text("utf-8")):
            if table.stem != "standard":
                ledger = ledger_for(story)
                ledger.__class__ = Listening
                ledger.play(story)
    yield from found


@pytest.fixture(scope="module")
def too_early() -> list[Refused]:
    """What came before its time."""
    return list(_refused(TOO_EARLY))


def test_what_comes_too_early_is_told_from_when_on_it_does_not(too_early: list[Refused]) -> None:
    """To the microsecond."""
    assert {one.refusal.reason for one in too_early} == TOO_EARLY
    for one in too_early:
        not_before = one.refusal.not_before
        assert not_before is not None, one.refusal
        assert not_before > one.at
        assert one.reason_at(not_before - 1) is one.refusal.reason
        assert one.reason_at(not_before) is not one.refusal.reason
        assert parse_instant(one.refusal.fields()["not_before"]) == not_before
