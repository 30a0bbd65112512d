"""What is checked of the sums that stand with a row: that they come to its answer, and are about what there was."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Self

from support import sums
from support.actors import Json
from tallystick.vouchers.entry import Entry
from tallystick.vouchers.outcomes import Burned, Claimed, Expired, Sealed
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.burning import TimeBurn
from tallystick.vouchers.state import State


def check_sums(
    arguments: str,
    due: str,
    texts: tuple[str, ...],
    command: Json,
    answered: Entry | Refusal,
    state: State,
    sealed: tuple[str, ...],
) -> None:
    """Insist that a row's sums come to the answer that is due, and are about what is in entry, state and detail."""
    for number, (text, answer) in enumerate(zip(texts, due.split(" | "), strict=True)):
        if not text:
            continue
        if command["kind"] == "time.burn/1":
            assert isinstance(answered, Entry)
            _check_line(text, answer, answered, number, state)
        elif command["kind"] == "service.burn/1":
            _check_service(text, answer, command, answered, state)
        elif isinstance(answered, Refusal):
            left, right = sums.compared(text)
            if answered.reason is Reason.SETTLEMENT_DIFFERS_FROM_CLAIM:
                assert left * 100 == _settled_fen(command, answered.detail.rpartition(" ")[2]), text
            else:
                assert re.search(rf"(^|[ =~]){re.escape(text.partition(' ')[0])}([ ~]|$)", arguments), text
            assert f" {int(right * 100)} fen" in f" {answered.detail}", f"{text}: {answered.detail}"
        elif isinstance(answered.event.outcome, Expired):
            left_fen = [amount_fen for _, _, amount_fen, _ in answered.event.outcome.rows]
            assert [sums.total(part) * 100 for part in text.split("; ")] == left_fen, text
        elif isinstance(answered.event.outcome, Claimed):
            assert sums.total(text) * 100 == answered.event.outcome.amount_fen, text
        elif isinstance(answered.event.outcome, Sealed):
            counted = Counter(name.partition(" ")[0] for name in sealed)
            said = {label.removesuffix("s").replace("ie", "y"): int(amount) for amount, label in sums.terms(text)}
            assert +Counter(said) == counted, text
        else:
            amount = re.search(r"[\d,]+(\.\d\d)?", answer)
            assert amount, text
            assert sums.total(text) == sums.number(amount[0]), text


def _settled_fen(command: Json, contract: str) -> int:
    """Return what a settlement says that is paid and withheld under a contract."""
    (row,) = [one for one in command["rows"] if one["contract"] == contract]
    return int(row["paid_fen"] + row.get("withheld_fen", 0))


@dataclass
class _Statement:
    """A statement that was just recorded or refused, and the state after it."""

    contract: str
    provider: str
    outcome: Burned
    state: State

    @classmethod
    def of(cls, contract: str, provider: str, answered: Entry | Refusal, state: State) -> Self:
        """Return it as it was answered; one that was refused took nothing."""
        outcome = answered.event.outcome if isinstance(answered, Entry) else Burned((), (0,), (), ())
        assert isinstance(outcome, Burned)
        return cls(contract, provider, outcome, state)

    def since(self, amounts_fen: Iterable[int], number: int) -> int:
        """What the lines from one on came to."""
        return sum([*amounts_fen][number:])

    def reservations(self, names: tuple[str, ...]) -> list[str]:
        """Those of the contract that are called so, or all from which the statement could take."""
        paid = {name for name, _ in self.outcome.paid}
        return [
            one
            for one, held in self.state.reservations.items()
            if held.contract == self.contract
            and (one.partition("/")[2] in names if names else (one in paid or not held.closed))
        ]

    def held_fen(self, names: tuple[str, ...], number: int) -> int:
        """What reservations held before a line."""
        paid = dict(self.outcome.paid)
        return sum(
            self.state.book["reserved", one] + self.since(paid.get(one, ()), number) for one in self.reservations(names)
        )

    def paid_fen(self, names: tuple[str, ...], number: int) -> int:
        """What reservations paid of a line."""
        paid = dict(self.outcome.paid)
        return sum(paid[one][number] for one in self.reservations(names) if one in paid)

    def truncate_fen(self, names: tuple[str, ...]) -> int:
        """In which steps the rules of the first of some reservations cut what they pay of an invoice."""
        voucher = self.state.vouchers[self.state.reservations[self.reservations(names)[0]].voucher]
        proration = self.state.rules_of(voucher).proration
        return 1 if proration is None else proration.truncate_fen

    def chargeable_fen(self, number: int) -> int:
        """What could be charged under the contract before a line."""
        contract = self.state.contracts[self.contract]
        charged_fen = self.state.book["charged", self.contract]
        return contract.amount_fen - charged_fen + self.since(self.outcome.fee_fen, number)

    def support_left_fen(self, number: int) -> int:
        """What was left of other support before a line."""
        absorbed_fen = sum(fen for line, fen in self.outcome.absorbed if line >= number)
        left_fen = self.state.contracts[self.contract].other_support_fen + absorbed_fen
        return left_fen - self.state.book["absorbed", self.contract]


def _check_line(text: str, answer: str, entry: Entry, number: int, state: State) -> None:
    """Insist that the sum of a statement's line has its factors, and comes to its fee, its payments and its answer."""
    command = entry.event.command
    assert isinstance(command, TimeBurn)
    statement = _Statement.of(command.contract, command.party, entry, state)
    _, line = [*command.lines()][number]
    said = sums.line(text)
    assert said.cards * 1_000 == line.gpu_milli, text
    assert said.seconds == line.seconds, text
    corrects = None if line.options is None else line.options.corrects
    corrected = None if corrects is None else (corrects.statement, corrects.line)
    _check_payments(said, answer, statement, number, corrected, text)


def _check_service(text: str, answer: str, command: Json, answered: Entry | Refusal, state: State) -> None:
    """Insist on the same of what is counted or invoiced."""
    statement = _Statement.of(command["contract"], command["party"], answered, state)
    said = sums.line(text)
    assert (said.cards, said.quantity) == (Fraction(0), Fraction(command.get("quantity", 0))), text
    corrects = command.get("corrects")
    corrected = None if corrects is None else (corrects["statement"], corrects["line"])
    _check_payments(said, answer, statement, 0, corrected, text)


def _check_payments(
    said: sums.LineSum, answer: str, statement: _Statement, number: int, corrected: tuple[str, int] | None, text: str
) -> None:
    """Insist that a sum comes to what was charged, absorbed and paid, or is more than there was."""
    outcome = statement.outcome
    _check_held(said, statement, number, text)
    if said.exceeded:
        _check_exceeded(said, answer, statement, number, corrected, text)
        return
    assert said.fee is not None
    assert said.fee * 100 == outcome.fee_fen[number], text
    assert said.absorbed.paid * 100 == dict(outcome.absorbed).get(number, 0), text
    for part in said.parts:
        if part.names or len(said.parts) == 1:
            assert part.paid * 100 == statement.paid_fen(part.names, number), text
        else:
            assert part.paid == 0, f"{text} doesn't say who pays"
        for steps in part.steps:
            assert steps * 100 == statement.truncate_fen(part.names), text
    paid_fen = sum(amounts_fen[number] for _, amounts_fen in outcome.paid)
    assert sum((part.paid for part in said.parts), Fraction(0)) * 100 == paid_fen, text


def _check_held(said: sums.LineSum, statement: _Statement, number: int, text: str) -> None:
    """Insist that what a sum says is left, was left before the line."""
    if said.absorbed.held is not None:
        assert said.absorbed.held * 100 == statement.support_left_fen(number), text
    for part in said.parts:
        if part.held is not None:
            assert part.held * 100 == statement.held_fen(part.names, number), text


def _check_exceeded(
    said: sums.LineSum, answer: str, statement: _Statement, number: int, corrected: tuple[str, int] | None, text: str
) -> None:
    """Insist that what a sum says is too much, is more than there was."""
    if answer == "exceeds_contract":
        assert said.exceeded == "fee", text
        assert said.most * 100 == statement.chargeable_fen(number), text
        return
    if answer == "exceeds_reservation":
        assert said.exceeded == "payment", text
        assert said.most * 100 == statement.held_fen(said.parts[-1].names, number), text
        return
    assert answer == "exceeds_corrected_line", text
    assert corrected is not None
    ref, place = corrected
    line = statement.state.statements[statement.provider][ref].line(place)
    assert line is not None
    bounds = {
        "GPU-time": Fraction(line.gpu_milli_seconds, 1_000),
        "quantity": Fraction(line.gpu_milli_seconds),
        "fee": Fraction(line.fee_fen, 100),
        "payment": Fraction(line.paid_fen, 100),
    }
    assert said.exceeded is not None
    assert said.most == bounds[said.exceeded], text
