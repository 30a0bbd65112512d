"""GPU-time: statements, decided line by line, and reversals."""

from collections.abc import Iterator
from typing import Annotated, Final, Literal

from pydantic import Field

from tallystick.vouchers.book import Lot, Posting
from tallystick.vouchers.burns import Statement, pack_line
from tallystick.vouchers.fields import LINES_MAX
from tallystick.vouchers.outcomes import Burned, Reversed
from tallystick.vouchers.quantities import DAY_US, DocumentId, PartyId, Text
from tallystick.vouchers.redemptions import claim_on
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.burn_lines import BurnLine, StatementLines
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
    accreditation_of,
    own_party,
    voucher_accounts,
)
from tallystick.vouchers.state import State


class TimeBurn(Rule):
    """A statement: what one holder's jobs burned, line by line."""

    kind: Literal["time.burn/1"]
    holder: PartyId
    lines: Annotated[tuple[BurnLine, ...], Field(min_length=1, max_length=LINES_MAX)]

    event_kind = "time.burned/1"
    outcome = Burned
    roles = PROVIDER
    refusals = (
        Reason.ITEM_UNKNOWN,
        Reason.ITEM_NOT_GPU_TIME,
        Reason.HOLDER_UNKNOWN,
        Reason.RESERVATION_UNKNOWN,
        Reason.RESERVATION_IS_FOR_ANOTHER_PROVIDER,
        Reason.RESERVATION_IS_FOR_ANOTHER_HOLDER,
        Reason.RESERVATION_CLOSED,
        Reason.ITEM_NOT_QUALIFIED,
        Reason.INTERVAL_INVALID,
        Reason.JOB_TIME_IN_THE_FUTURE,
        Reason.JOB_TIME_TOO_LONG_AGO,
        Reason.PERIOD_SEALED,
        Reason.CORRECTION_UNFOUNDED,
        Reason.OUTSIDE_VOUCHER_VALIDITY,
        Reason.OUTSIDE_RESERVATION,
        Reason.PROVIDER_NOT_ACCREDITED,
        Reason.TARIFF_MISSING,
        Reason.JOB_TIME_ALREADY_BURNED,
        Reason.EXCEEDS_RESERVATION,
    )

    def signers(self, state: State, at: int) -> Signers:
        """One signature of the party; a `meter` key will do."""
        return own_party(self, state)

    def decide(self, state: State, at: int) -> Burned | Refusal:
        """Each line for itself, in order; a statement of refused lines alone stands too."""
        party = state.parties.get(self.holder)
        if party is None or party.role != "holder":
            return Refusal(Reason.HOLDER_UNKNOWN, self.holder)
        lines = StatementLines(state, self.party, self.holder, at)
        fees = []
        from_voucher = []
        refused = []
        for number, line in enumerate(self.lines):
            answer = lines.decide(line)
            if isinstance(answer, Reason):
                refused.append((number, answer))
                answer = (0, 0)
            fees.append(answer[0])
            from_voucher.append(answer[1])
        return Burned(tuple(fees), tuple(from_voucher), tuple(refused))

    def evolve(self, state: State, event: Event) -> Postings:
        """The accepted lines of a statement: one posting for each reservation and day, summed over its lines."""
        assert isinstance(event.outcome, Burned)
        utc_offset_us = state.utc_offset_us
        provider = self.party
        refused = {line for line, _ in event.outcome.refused}
        taken_fen: dict[str, dict[int, int]] = {}  # by reservation and day: a tuple a line would cost more
        places: dict[str, int] = {}  # of reservations in the statement
        jobs, packed = [], []
        last_end = 0
        for number, (line, amount_fen) in enumerate(zip(self.lines, event.outcome.from_voucher_fen, strict=True)):
            if number in refused:
                continue
            ends_at = line.ends_at
            last_end = max(last_end, ends_at)
            by_day = taken_fen.get(line.reservation)
            if by_day is None:
                by_day = taken_fen[line.reservation] = {}
            day = (ends_at + utc_offset_us) // DAY_US
            by_day[day] = by_day.get(day, 0) + amount_fen
            place = places.setdefault(line.reservation, len(places))
            jobs.append(line.job)
            packed.append(pack_line(number, place, line.starts_at, ends_at, amount_fen))
        statement = Statement(
            event.index,
            event.at,
            event.text_sha256,
            self.holder,
            last_end,
            tuple(places),
            " ".join(jobs),
            b"".join(packed),
            [],
        )
        state.remember(provider, self.ref, statement)
        return tuple(
            [
                Posting(
                    state.reservations[reservation].programme,
                    "reserved",
                    reservation,
                    "burned",
                    Lot(reservation, day).burned_id,
                    amount_fen,
                )
                for reservation, by_day in taken_fen.items()
                for day, amount_fen in by_day.items()
                if amount_fen
            ]
        )

    def touches(self, state: State, event: Event) -> Accounts:
        """The provider, the statement's holder, and the voucher and programme of each accepted line."""
        assert isinstance(event.outcome, Burned)
        refused = {line for line, _ in event.outcome.refused}
        accounts = {f"provider {self.party}", f"holder {self.holder}"}
        for reservation_id in {line.reservation for number, line in enumerate(self.lines) if number not in refused}:
            reservation = state.reservations[reservation_id]
            accounts |= {f"voucher {reservation.voucher}", f"programme {reservation.programme}"}
        return accounts

    def concerns(self, state: State, event: Event) -> Names:
        """The reservations of the accepted lines."""
        assert isinstance(event.outcome, Burned)
        refused = {number for number, _ in event.outcome.refused}
        for number, line in enumerate(self.lines):
            if number not in refused:
                yield f"reservation {line.reservation}"

    def follows(self) -> Names:
        """Nothing."""
        return ()

    def asks(self, event: Event, history: History) -> Names:
        """The holder, and of each line its prices, its reservation, and what it corrects."""
        yield f"party {self.holder}"
        yield f"tariffs {self.party}"
        yield from (f"item {name}" for name in sorted({line.item for line in self.lines}))
        for reservation in dict.fromkeys(line.reservation for line in self.lines):
            yield f"reservation {reservation}"
            yield from accreditation_of(history, reservation, self.party)
        for line in self.lines:
            if line.corrects is not None:
                yield from _reservation_of_line(history, event, line.corrects.statement, line.corrects.line)


class BurnReverse(Rule):
    """A provider takes one line of one of its statements back."""

    kind: Literal["burn.reverse/1"]
    statement: DocumentId
    line: Annotated[int, Field(ge=0, lt=LINES_MAX)]
    reason: Text

    event_kind = "burn.reversed/1"
    outcome = Reversed
    roles = PROVIDER
    refusals = (
        Reason.STATEMENT_UNKNOWN,
        Reason.LINE_UNKNOWN,
        Reason.LINE_ALREADY_REVERSED,
        Reason.LINE_ALREADY_CLAIMED,
    )

    def signers(self, state: State, at: int) -> Signers:
        """One signature of the party; a `meter` key will do."""
        return own_party(self, state)

    def decide(self, state: State, at: int) -> Reversed | Refusal:
        """A line not yet claimed; its money goes back as near to its reservation as may be."""
        statement = state.statement(self.party, self.statement, at)
        if statement is None:
            return Refusal(Reason.STATEMENT_UNKNOWN, self.statement)
        line = statement.line(self.line)
        if line is None:
            return Refusal(Reason.LINE_UNKNOWN, f"{self.line} of {self.statement}")
        if self.line in statement.reversed_lines:
            return Refusal(Reason.LINE_ALREADY_REVERSED, f"{self.line} of {self.statement}")
        reservation = state.reservations[line.reservation]
        programme = state.programmes[reservation.programme]
        claimant = programme.claimant(self.party, statement.holder)
        day = state.day_of(line.ends_at)
        claims = (state.claims[claim_id] for claim_id in programme.claims.get(claimant, ()))
        if claim_on(claims, day, statement.index) is not None:
            return Refusal(Reason.LINE_ALREADY_CLAIMED, f"{self.line} of {self.statement}")
        amount_fen = line.from_voucher_fen
        if not reservation.closed:
            return Reversed(amount_fen, "reservation")
        return Reversed(amount_fen, "programme" if state.vouchers[reservation.voucher].has_ended else "voucher")

    def evolve(self, state: State, event: Event) -> Postings:
        """One line is taken back: its money, and its job's time."""
        assert isinstance(event.outcome, Reversed)
        statement = state.statements[self.party][self.statement]
        line = statement.line(self.line)
        assert line is not None
        reservation = state.reservations[line.reservation]
        statement.reversed_lines.append(self.line)
        state.job_times[self.party].reverse(statement, line)
        lot = Lot(reservation.id, state.day_of(line.ends_at))
        return put_back("burned", lot.burned_id, reservation, event.outcome.returned_fen, event.outcome.to)

    def touches(self, state: State, event: Event) -> Accounts:
        """The voucher, its holder, its programme and the reservation's provider."""
        line = state.statements[self.party][self.statement].line(self.line)
        assert line is not None
        reservation = state.reservations[line.reservation]
        return voucher_accounts(state, reservation.voucher) | {f"provider {self.party}"}

    def concerns(self, state: State, event: Event) -> Names:
        """The line's reservation."""
        line = state.statements[self.party][self.statement].line(self.line)
        assert line is not None
        return [f"reservation {line.reservation}"]

    def follows(self) -> Names:
        """Nothing."""
        return ()

    def asks(self, event: Event, history: History) -> Names:
        """The line's reservation, and the claims that it may be in."""
        for name in _reservation_of_line(history, event, self.statement, self.line):
            yield name
            programme = history.programme_of(name.partition(" ")[2])
            statement = history.statement(self.party, self.statement, event.index)
            if statement is not None:
                assert isinstance(statement.command, TimeBurn)
                # Whichever of the two it pays: a line that is claimed isn't reversed.
                yield f"claims {programme} {self.party}"
                yield f"claims {programme} {statement.command.holder}"


def _reservation_of_line(history: History, asking: Event, ref: str, number: int) -> Iterator[str]:
    """Yield the reservation of an accepted line of an earlier statement of the same provider."""
    earlier = history.statement(asking.command.party, ref, asking.index)
    if earlier is None:
        return
    assert isinstance(earlier.command, TimeBurn)
    assert isinstance(earlier.outcome, Burned)
    if number < len(earlier.command.lines) and number not in dict(earlier.outcome.refused):
        yield f"reservation {earlier.command.lines[number].reservation}"


RULES: Final = (TimeBurn, BurnReverse)
