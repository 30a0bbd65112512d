"""GPU-time: statements, decided line by line, and reversals."""

from collections import Counter
from collections.abc import Iterator
from operator import itemgetter
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field

from tallystick.vouchers.book import DatedLot, Posting
from tallystick.vouchers.burns import BurnedLine, Group, Statement, pack_lines
from tallystick.vouchers.fields import ITEMS_MAX, LINES_MAX, must_be_true
from tallystick.vouchers.outcomes import Burned, Reversed
from tallystick.vouchers.quantities import DAY_US, DocumentId, OwnedId, Text
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.burn_lines import (
    BurnLine,
    Corrected,
    LineGroup,
    StatementLines,
    in_order,
    is_booked_late,
)
from tallystick.vouchers.rules.checks import check_own_contract
from tallystick.vouchers.rules.reservations import put_back
from tallystick.vouchers.rules.rule import (
    PROVIDER,
    Accounts,
    Event,
    History,
    Names,
    Postings,
    Rule,
    Signers,
    accreditations_of,
    own_party,
    voucher_accounts,
)
from tallystick.vouchers.rules.statements import (
    corrected_contracts,
    record,
    statement_accounts,
    statement_contract,
)
from tallystick.vouchers.state import State


class TimeBurn(Rule):
    """A statement: what jobs burned under one contract, item by item and line by line."""

    kind: Literal["time.burn/1"]
    contract: OwnedId
    groups: Annotated[tuple[LineGroup, ...], Field(min_length=1, max_length=ITEMS_MAX), AfterValidator(in_order)]
    all_or_nothing: Annotated[bool, AfterValidator(must_be_true)] | None = None

    event_kind = "time.burned/1"
    outcome = Burned
    about = ("contract",)
    roles = PROVIDER
    refusals = (
        Reason.CONTRACT_UNKNOWN,
        Reason.NOT_OWN_CONTRACT,
        Reason.ITEM_UNKNOWN,
        Reason.ITEM_NOT_GPU_TIME,
        Reason.BASIS_DIFFERS,
        Reason.ITEM_NOT_IN_CONTRACT,
        Reason.INTERVAL_INVALID,
        Reason.JOB_TIME_IN_THE_FUTURE,
        Reason.JOB_TIME_TOO_LONG_AGO,
        Reason.PERIOD_SEALED,
        Reason.PERIOD_NOT_SEALED,
        Reason.CORRECTION_UNFOUNDED,
        Reason.OUTSIDE_CONTRACT,
        Reason.TARIFF_MISSING,
        Reason.JOB_TIME_ALREADY_BURNED,
        Reason.EXCEEDS_CONTRACT,
        Reason.NOTHING_RESERVED,
        Reason.PROVIDER_NOT_ACCREDITED,
        Reason.PRICE_ABOVE_LIMIT,
        Reason.OUTSIDE_VOUCHER_VALIDITY,
        Reason.OUTSIDE_RESERVATION,
        Reason.ITEM_NOT_COVERED,
        Reason.EXCEEDS_RESERVATION,
        Reason.EXCEEDS_CORRECTED_LINE,
    )

    def lines(self) -> Iterator[tuple[str, BurnLine]]:
        """Yield every line with its item, in the order in which they are counted."""
        for group in self.groups:
            for line in group.lines:
                yield group.item, line

    def signers(self, state: State, at: int) -> Signers:
        """One signature of the party; a `meter` key will do."""
        return own_party(self, state)

    def decide(self, state: State, at: int) -> Burned | Refusal:
        """Each line for itself, in order; a statement of refused lines alone stands too."""
        refusal = check_own_contract(state, self.contract, self.party)
        if refusal:
            return refusal
        if state.contracts[self.contract].basis != "metered":
            return Refusal(Reason.BASIS_DIFFERS, f"{self.contract} is invoiced")
        lines = StatementLines(state, self.contract, at)
        for group in self.groups:
            lines.decide_group(group.item, group.lines)
        if self.all_or_nothing and lines.refused:
            number, reason = lines.refused[0]
            return Refusal(reason, f"line {number}")
        return lines.burned()

    def evolve(self, state: State, event: Event) -> Postings:
        """The accepted lines: one posting for each reservation and day, summed over its lines."""
        assert isinstance(event.outcome, Burned)
        outcome = event.outcome
        self._check_outcome(outcome)
        refused: set[int] = set()
        if outcome.refused:
            refused.update([number for number, _ in outcome.refused])
        days: list[int] = []
        groups: list[Group] = []
        corrected: list[Corrected] = []
        utc_offset_us = state.utc_offset_us
        for group in self.groups:
            first, lines = len(days), group.lines
            jobs, gpu_milli, starts, ends, seconds, options = zip(*lines, strict=True)
            late = [False] * len(lines)
            days += [(ends_at + utc_offset_us) // DAY_US for ends_at in ends]
            if any(options):
                late = [is_booked_late(line) for line in lines]
                today = state.day_of(event.at)
                days[first:] = [today if one else day for one, day in zip(late, days[first:], strict=True)]
                corrected = self._corrected(refused)
            columns: tuple[Any, ...] = range(first, len(days)), late, starts, ends, gpu_milli, seconds
            columns += outcome.fee_fen[first : len(days)], jobs
            if refused:
                columns = tuple(zip(*[row for row in zip(*columns, strict=True) if row[0] not in refused], strict=True))
            if columns:
                *packed, jobs = columns
                groups.append(Group(event.index, group.item, max(columns[3]), " ".join(jobs), pack_lines(*packed), []))
        return record(state, event, self.contract, groups, days, corrected)

    def _check_outcome(self, outcome: Burned) -> None:
        """Refuse amounts of other lines, before anything is changed by them.

        Raises:
            ValueError: a damaged entry.
        """
        count = 0
        for group in self.groups:
            count += len(group.lines)
        for amounts in (outcome.fee_fen, *map(itemgetter(1), outcome.paid)):
            if len(amounts) != count:
                raise ValueError(f"the outcome has not the amounts of {count} lines")

    def _corrected(self, refused: set[int]) -> list[Corrected]:
        """Return the lines that its accepted lines stand for."""
        return [
            line.options.corrects
            for number, (_, line) in enumerate(self.lines())
            if line.options is not None and line.options.corrects is not None and number not in refused
        ]

    def touches(self, state: State, event: Event) -> Accounts:
        """The contract, its provider and holder, and the voucher and programme of each reservation that paid."""
        return statement_accounts(state, event, self.contract)

    def concerns(self, state: State, event: Event) -> Names:
        """The contract, and those whose lines its own correct: no other line may correct them."""
        assert isinstance(event.outcome, Burned)
        refused = {number for number, _ in event.outcome.refused}
        yield f"life {self.contract}"
        yield from corrected_contracts(state, self.party, self._corrected(refused))

    def follows(self) -> Names:
        """The contract."""
        return [f"life {self.contract}"]

    def asks(self, event: Event, history: History) -> Names:
        """The provider's prices and accreditations, the items, and the contract of what a line corrects."""
        yield f"tariffs {self.party}"
        yield from (f"item {group.item}" for group in self.groups)
        yield from accreditations_of(history, self.contract)
        for _, line in self.lines():
            if line.options is not None and line.options.corrects is not None:
                yield from statement_contract(history, event, line.options.corrects.statement)


class BurnReverse(Rule):
    """A provider takes one line of one of its statements back."""

    kind: Literal["burn.reverse/1"]
    statement: DocumentId
    line: Annotated[int, Field(ge=0, lt=LINES_MAX)]
    reason: Text

    event_kind = "burn.reversed/1"
    outcome = Reversed
    about = ("statement",)
    roles = PROVIDER
    refusals = (
        Reason.STATEMENT_UNKNOWN,
        Reason.LINE_UNKNOWN,
        Reason.LINE_ALREADY_REVERSED,
        Reason.LINE_ALREADY_CLAIMED,
        Reason.LATER_LINE_TOOK_MONEY,
    )

    def signers(self, state: State, at: int) -> Signers:
        """One signature of the party; a `meter` key will do."""
        return own_party(self, state)

    def decide(self, state: State, at: int) -> Reversed | Refusal:
        """A line not yet claimed; its money goes back as near to its reservations as may be."""
        statement = state.statement(self.party, self.statement, at)
        if statement is None:
            return Refusal(Reason.STATEMENT_UNKNOWN, self.statement)
        line = statement.line(self.line)
        if line is None:
            return Refusal(Reason.LINE_UNKNOWN, f"{self.line} of {self.statement}")
        if self.line in statement.reversed_lines:
            return Refusal(Reason.LINE_ALREADY_REVERSED, f"{self.line} of {self.statement}")
        if self._missing_fen(state, statement, line):
            return Refusal(Reason.LINE_ALREADY_CLAIMED, f"{self.line} of {self.statement}")
        if line.absorbed_fen and self._later_line_took_money(state, statement):
            return Refusal(Reason.LATER_LINE_TOOK_MONEY, f"after line {self.line} of {self.statement}")
        return Reversed(tuple([(name, fen, _back_to(state, name)) for name, fen in line.payments]))

    def _missing_fen(self, state: State, statement: Statement, line: BurnedLine) -> int:
        """Return how much of what a line took is neither unclaimed on its day nor withheld: so it is claimed."""
        taken_fen: Counter[DatedLot] = Counter()
        for name, amount_fen in line.payments:
            taken_fen[self._lot(state, statement, line, name)] += amount_fen
        book = state.book
        return sum(
            max(0, amount_fen - book["burned", lot.burned_id] - book["withheld", lot.lot.id])
            for lot, amount_fen in taken_fen.items()
        )

    def _lot(self, state: State, statement: Statement, line: BurnedLine, reservation: str) -> DatedLot:
        """Return the lot that a reservation's payment for a line lies in."""
        day = _booked_day(state, statement, line)
        return DatedLot(state.reservations[reservation].voucher, statement.contract, day)

    def _later_line_took_money(self, state: State, statement: Statement) -> bool:
        """Return whether a line of the contract that came later, and stands, took money."""
        here = statement.index, self.line
        return any(
            (other.index, line.number) > here and line.payments and line.number not in other.reversed_lines
            for other in state.statements[self.party].values()
            if other.contract == statement.contract and other.index >= statement.index
            for line in other.lines()
        )

    def evolve(self, state: State, event: Event) -> Postings:
        """One line is taken back: its money, what it absorbed, and its job's time."""
        assert isinstance(event.outcome, Reversed)
        statement = state.statements[self.party][self.statement]
        line, group = statement.line(self.line), statement.group_of(self.line)
        assert line is not None
        assert group is not None
        group.reversed_lines.append(self.line)
        state.job_times[self.party][group.item].reverse(group, line)
        state.book.note("charged", statement.contract, -line.fee_fen)
        state.book.note("absorbed", statement.contract, -line.absorbed_fen)
        postings: list[Posting] = []
        burned_fen: dict[str, int] = {}
        for name, amount_fen, to in event.outcome.returned:
            reservation = state.reservations[name]
            lot = self._lot(state, statement, line, name)
            state.book.note("taken", name, -amount_fen)
            if to != "reservation":
                state.book.note("released", name, amount_fen)
                state.book.note("promised", reservation.provider, -amount_fen)
            if to == "programme":
                state.return_unused(reservation.voucher, amount_fen)
            left_fen = burned_fen.setdefault(lot.burned_id, state.book["burned", lot.burned_id])
            unclaimed_fen = min(amount_fen, left_fen)
            burned_fen[lot.burned_id] -= unclaimed_fen
            postings += put_back("burned", lot.burned_id, reservation, unclaimed_fen, to)
            postings += put_back("withheld", lot.lot.id, reservation, amount_fen - unclaimed_fen, to)
        return tuple(postings)

    def touches(self, state: State, event: Event) -> Accounts:
        """The contract, its provider and holder, and the voucher and programme of each reservation that had paid."""
        assert isinstance(event.outcome, Reversed)
        contract_id = state.statements[self.party][self.statement].contract
        contract = state.contracts[contract_id]
        accounts = {f"contract {contract_id}", f"provider {contract.provider}", f"holder {contract.holder}"}
        for name, _, _ in event.outcome.returned:
            accounts |= voucher_accounts(state, state.reservations[name].voucher)
        return accounts

    def concerns(self, state: State, event: Event) -> Names:
        """The contract of the statement."""
        return [f"life {state.statements[self.party][self.statement].contract}"]

    def follows(self) -> Names:
        """Nothing."""
        return ()

    def asks(self, event: Event, history: History) -> Names:
        """The statement's contract, with all that was claimed under it."""
        return statement_contract(history, event, self.statement)


def _booked_day(state: State, statement: Statement, line: BurnedLine) -> int:
    """Return the day on which a line is booked: that of its end, or of its entry."""
    return state.day_of(statement.at if line.is_booked_late else line.ends_at)


def _back_to(state: State, reservation_id: str) -> Literal["reservation", "voucher", "programme"]:
    """Return where what a reservation paid goes back to."""
    reservation = state.reservations[reservation_id]
    if not reservation.closed:
        return "reservation"
    return "programme" if state.vouchers[reservation.voucher].has_ended else "voucher"


RULES: Final = (TimeBurn, BurnReverse)
