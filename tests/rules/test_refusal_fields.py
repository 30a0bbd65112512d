"""What a program needs of a refusal is a field, and holds: in every row of the tables that is refused for it."""

from collections.abc import Iterator
from typing import NamedTuple

import pytest

from support.actors import ORIGIN
from support.scenario import TABLES, Ledger, ledger_for, read_sentences
from tallystick.vouchers.admit import SignedCommand, admit, read_note
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.quantities import parse_instant
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.recovery import RecoveryReceive
from tallystick.vouchers.rules.rule import Rule
from tallystick.vouchers.rules.settlement import PaymentFields, RedemptionSettle
from tallystick.vouchers.state import State

TOO_EARLY = {
    Reason.SIGNED_IN_THE_FUTURE,
    Reason.NOTHING_DUE,
    Reason.REKEY_UNDER_WAY,
    Reason.SEAL_GRACE_NOT_OVER,
    Reason.RESERVATION_NOT_OVER,
    Reason.CLAIM_PERIOD_NOT_OVER,
    Reason.SEAL_PERIOD_NOT_OVER,
}
LIMITS: dict[Reason, tuple[int, ...]] = {
    Reason.BELOW_HOLDER_FLOOR: (-1,),
    Reason.BELOW_CHARGED: (-1,),
    Reason.BELOW_COMMITTED: (-1,),
    Reason.OTHER_SUPPORT_LOWERED: (-1,),
    Reason.EXCEEDS_ENVELOPE: (1,),
    Reason.EXCEEDS_HOLDER_CAP: (1,),
    Reason.EXCEEDS_APPLICATION: (1,),
    Reason.EXCEEDS_MANDATE: (1,),
    Reason.USED_ABOVE_FACE: (1,),
    Reason.SUM_TOO_LARGE: (1,),
    Reason.EXCEEDS_AVAILABLE_BALANCE: (1,),
    Reason.EXCEEDS_WITHHELD: (1,),
    Reason.EXCEEDS_PAID: (1,),
    Reason.EXCEEDS_RECEIVABLE: (1,),
    Reason.PAYMENT_DIFFERS: (-1, 1),
    Reason.SETTLEMENT_DIFFERS_FROM_CLAIM: (-1, 1),
}
"""What is refused for the amount, and by how many fen the next amounts that are differ from the limit."""

AMOUNTS = {Reason.OTHER_SUPPORT_LOWERED: {"other_support_fen"}, Reason.USED_ABOVE_FACE: {"used_fen"}}
"""Which field a reason is about, where that isn't the amount of the command."""
OF_ROWS = {Reason.SETTLEMENT_DIFFERS_FROM_CLAIM, Reason.EXCEEDS_RECEIVABLE}
"""Reasons against one row or offset, after which the next may have the same."""
NO_AMOUNT = ("it is of ", "1600 fen are set off of 1599 fen")
"""Details of reasons in `LIMITS` against what no other amount would help."""
BEFORE_IT = {Reason.BELOW_HOLDER_FLOOR, Reason.EXCEEDS_MANDATE}
"""Reasons of an amount that may come before another."""


class Refused(NamedTuple):
    """A command that was refused, and when."""

    state: State
    signed: SignedCommand
    at: int
    refusal: Refusal

    def reason_at(self, at: int) -> Reason | None:
        """The reason against it at another time; against a note that is signed then, if the first is too old."""
        answer: object = admit(self.state, self.signed, at)
        if isinstance(answer, Refusal) and answer.reason is Reason.SIGNED_TOO_LONG_AGO:
            answer = self.signed.command.decide(self.state, at)
        return answer.reason if isinstance(answer, Refusal) else None

    def refusal_for(self, amount_fen: int) -> Refusal | None:
        """What is said against the same command of another amount."""
        answer = self._of_amount(amount_fen).decide(self.state, self.at)
        return answer if isinstance(answer, Refusal) else None

    def _of_amount(self, amount_fen: int) -> Rule:
        command, reason = self.signed.command, self.refusal.reason
        if isinstance(command, RedemptionSettle):
            return self._of_row(command, amount_fen)
        if isinstance(command, RecoveryReceive):
            payment = command.payment.model_copy(update={"amount_fen": amount_fen})
            return command.model_copy(update={"payment": payment})
        names = AMOUNTS.get(reason, {"face_fen", "amount_fen", "envelope_fen"})
        (name,) = names & set(type(command).model_fields)
        return command.model_copy(update={name: amount_fen})

    def _of_row(self, command: RedemptionSettle, amount_fen: int) -> RedemptionSettle:
        """A settlement whose row, offset or payment that is at fault comes to another amount."""
        *_, subject = self.refusal.detail.split(" ")
        if self.refusal.reason is Reason.PAYMENT_DIFFERS:
            payment = command.payment or PaymentFields.model_construct(amount_fen=1, day=0, reference="a new transfer")
            return command.model_copy(update={"payment": payment.model_copy(update={"amount_fen": amount_fen})})
        if self.refusal.reason is Reason.EXCEEDS_RECEIVABLE:
            offsets = [
                one.model_copy(update={"amount_fen": amount_fen}) if one.demand == subject else one
                for one in command.offsets or ()
            ]
            return command.model_copy(update={"offsets": tuple(offsets)})
        if self.refusal.reason is Reason.EXCEEDS_MANDATE:
            (row,) = command.rows
            return command.model_copy(update={"rows": (row.model_copy(update={"paid_fen": amount_fen}),)})
        rows = [
            one.model_copy(update={"paid_fen": amount_fen - (one.withheld_fen or 0)})
            if one.contract == subject
            else one
            for one in command.rows
        ]
        return command.model_copy(update={"rows": tuple(rows)})


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
        for story in read_sentences(table.read_text("utf-8")):
            if table.stem != "standard":
                ledger = ledger_for(story)
                ledger.__class__, ledger.checked = Listening, False
                ledger.play(story)
    yield from found


@pytest.fixture(scope="module")
def given() -> list[Refused]:
    """What was refused for time or amount."""
    return list(_refused(TOO_EARLY | set(LIMITS)))


def test_an_amount_is_told_what_it_was_held_against(given: list[Refused]) -> None:
    """To the fen; where the envelope holds less than the floor, what is beyond it is below the floor as well.

    And what is beyond a claim may be beyond the mandate by which it is paid.
    """
    told = [one for one in given if one.refusal.limit_fen is not None]
    assert {one.refusal.reason for one in told} == set(LIMITS)
    of_amounts = {one.refusal for one in given if one.refusal.reason in LIMITS}
    assert {one for one in of_amounts if not one.detail.startswith(NO_AMOUNT)} == {one.refusal for one in told}
    for one in told:
        reason, limit_fen = one.refusal.reason, one.refusal.limit_fen
        assert limit_fen is not None
        within = one.refusal_for(limit_fen)
        assert within is None or within.reason is not reason or (reason in OF_ROWS and within != one.refusal)
        for more_fen in LIMITS[reason]:
            beyond = one.refusal_for(limit_fen + more_fen)
            assert beyond is not None
            assert beyond.reason in {reason, *BEFORE_IT}, one.refusal
        assert f"{limit_fen} fen" in one.refusal.detail
        assert one.refusal.fields()["limit_fen"] == limit_fen


def test_what_comes_too_early_is_told_from_when_on_it_does_not(given: list[Refused]) -> None:
    """To the microsecond."""
    too_early = [one for one in given if one.refusal.reason in TOO_EARLY]
    assert {one.refusal.reason for one in too_early} == TOO_EARLY
    for one in too_early:
        not_before = one.refusal.not_before
        if one.refusal == Refusal(Reason.NOTHING_DUE, "nothing is open"):
            assert not_before is None
            continue
        assert not_before is not None, one.refusal
        assert not_before > one.at
        assert one.reason_at(not_before - 1) is one.refusal.reason
        assert one.reason_at(not_before) is not one.refusal.reason
        assert parse_instant(one.refusal.fields()["not_before"]) == not_before
