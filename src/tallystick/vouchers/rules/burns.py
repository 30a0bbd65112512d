"""GPU-time: statements, decided line by line, and reversals."""

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field

from tallystick.vouchers.burns import Intervals, JobTimes, Statement, overlaps, pack_line, with_interval
from tallystick.vouchers.fields import CLOSED, LINES_MAX
from tallystick.vouchers.holdings import Reservation
from tallystick.vouchers.outcomes import Burned, Reversed
from tallystick.vouchers.quantities import (
    DAY_US,
    SECOND_US,
    AcceleratorId,
    DocumentId,
    GpuMilli,
    Instant,
    OwnedId,
    PartyId,
    SecondsBurned,
    Sha256Hex,
    Text,
    day_of,
    fee_fen,
    share_fen,
    start_of_day,
)
from tallystick.vouchers.redemptions import claim_on
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.rules.reservations import put_back
from tallystick.vouchers.rules.rule import (
    PROVIDER,
    Accounts,
    Event,
    Postings,
    Rule,
    Signers,
    own_party,
    voucher_accounts,
)
from tallystick.vouchers.state import Posting, State

_NO_JOBS: Final = JobTimes()


@dataclass(frozen=True)
class Corrected:
    """The reversed line that a line stands in for: its statement's reference, and its number."""

    __pydantic_config__ = CLOSED

    statement: DocumentId
    line: Annotated[int, Field(ge=0, lt=LINES_MAX)]


@dataclass(frozen=True)
class BurnLine:
    """One job's GPU-time against one reservation; a plain dataclass, because a statement has hundreds of them."""

    __pydantic_config__ = CLOSED

    reservation: OwnedId
    job: DocumentId
    accelerator: AcceleratorId
    gpu_milli: GpuMilli
    starts_at: Annotated[Instant, Field(alias="from")]
    ends_at: Annotated[Instant, Field(alias="to")]
    seconds: SecondsBurned
    evidence_sha256: Sha256Hex | None = None
    if_short: Literal["drain"] | None = None
    corrects: Corrected | None = None


class TimeBurn(Rule):
    """A statement: what one holder's jobs burned, line by line."""

    kind: Literal["time.burn/1"]
    holder: PartyId
    lines: Annotated[tuple[BurnLine, ...], Field(min_length=1, max_length=LINES_MAX)]

    event_kind = "time.burned/1"
    outcome = Burned
    roles = PROVIDER

    def signers(self, state: State) -> Signers:
        """One signature of the party, of the network its quorum."""
        return own_party(self, state)

    def decide(self, state: State, at: int) -> Burned | Refusal:
        """Each line for itself, in order; a statement of refused lines alone stands too."""
        party = state.parties.get(self.holder)
        if party is None or party.role != "holder":
            return Refusal(Reason.HOLDER_UNKNOWN, self.holder)
        statement = _Statement(state, self, at)
        fees = []
        from_voucher = []
        refused = []
        for number, line in enumerate(self.lines):
            answer = statement.decide_line(line)
            if isinstance(answer, Reason):
                refused.append((number, answer))
                answer = (0, 0)
            fees.append(answer[0])
            from_voucher.append(answer[1])
        return Burned(tuple(fees), tuple(from_voucher), tuple(refused))

    def evolve(self, state: State, event: Event) -> Postings:
        """The accepted lines of a statement: one posting for each reservation, summed over its lines."""
        assert isinstance(event.outcome, Burned)
        assert state.network is not None
        utc_offset_us = state.network.parameters.utc_offset_seconds * SECOND_US
        provider = self.party
        refused = {line for line, _ in event.outcome.refused}
        taken_fen: dict[str, dict[int, int]] = {}  # by reservation and day
        places: dict[str, int] = {}  # of reservations in the statement
        jobs, packed = [], []
        last_end = 0
        for number, (line, amount_fen) in enumerate(zip(self.lines, event.outcome.from_voucher_fen, strict=True)):
            if number in refused:
                continue
            by_day = taken_fen.get(line.reservation)
            if by_day is None:
                by_day = taken_fen[line.reservation] = {}
            ends_at = line.ends_at
            last_end = max(last_end, ends_at)
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
        burns = [_burn(state, reservation, by_day) for reservation, by_day in taken_fen.items()]
        return tuple([posting for posting in burns if posting is not None])

    def touches(self, state: State, event: Event) -> Accounts:
        """Provider and holder, and of the accepted lines the vouchers and programmes."""
        assert isinstance(event.outcome, Burned)
        refused = {line for line, _ in event.outcome.refused}
        accounts = {f"provider {self.party}", f"holder {self.holder}"}
        for reservation_id in {line.reservation for number, line in enumerate(self.lines) if number not in refused}:
            reservation = state.reservations[reservation_id]
            accounts |= {f"voucher {reservation.voucher}", f"programme {reservation.programme}"}
        return accounts


class BurnReverse(Rule):
    """A provider takes one line of one of its statements back."""

    kind: Literal["burn.reverse/1"]
    statement: DocumentId
    line: Annotated[int, Field(ge=0, lt=LINES_MAX)]
    reason: Text

    event_kind = "burn.reversed/1"
    outcome = Reversed
    roles = PROVIDER

    def signers(self, state: State) -> Signers:
        """One signature of the party, of the network its quorum."""
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
        assert state.network is not None
        day = day_of(line.ends_at, state.network.parameters.utc_offset_seconds)
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
        assert state.network is not None
        statement = state.statements[self.party][self.statement]
        line = statement.line(self.line)
        assert line is not None
        reservation = state.reservations[line.reservation]
        statement.reversed_lines.append(self.line)
        state.job_times[self.party].reverse(statement, line)
        programme = state.programmes[reservation.programme]
        claimant = programme.claimant(self.party, statement.holder)
        amount_fen = event.outcome.returned_fen
        if amount_fen:
            state.vouchers[reservation.voucher].burned_fen -= amount_fen
            day = day_of(line.ends_at, state.network.parameters.utc_offset_seconds)
            days = programme.unclaimed_fen[claimant]
            days[day] -= amount_fen
            if not days[day]:
                del days[day]
        return put_back(state, "burned", claimant, reservation, amount_fen, event.outcome.to)

    def touches(self, state: State, event: Event) -> Accounts:
        """The voucher, its holder, its programme and the provider."""
        line = state.statements[self.party][self.statement].line(self.line)
        assert line is not None
        reservation = state.reservations[line.reservation]
        return voucher_accounts(state, reservation.voucher) | {f"provider {self.party}"}


class _Purse:
    """A reservation as one statement sees it: what speaks against it, its terms, what the lines so far left of it."""

    __slots__ = ("programme", "qualified", "reason", "remaining_fen", "rounding_fen", "share_bp", "until", "valid_from")

    def __init__(self, state: State, reservation: Reservation, provider: str, holder: str) -> None:
        self.programme = state.programmes[reservation.programme]
        self.qualified = self.programme.rules.accelerators
        self.rounding_fen = self.programme.rules.rounding_fen
        self.share_bp = {origin: self.programme.share_bp(origin) for origin in ("domestic", "foreign")}
        self.valid_from = state.vouchers[reservation.voucher].valid_from
        self.until = reservation.until
        self.remaining_fen = reservation.remaining_fen
        self.reason: Reason | None = None
        if reservation.provider != provider:
            self.reason = Reason.RESERVATION_IS_FOR_ANOTHER_PROVIDER
        elif reservation.holder != holder:
            self.reason = Reason.RESERVATION_IS_FOR_ANOTHER_HOLDER
        elif reservation.closed:
            self.reason = Reason.RESERVATION_CLOSED


class _Statement:
    """A statement being decided: what its lines so far took, on top of a state that stays as it is."""

    def __init__(self, state: State, command: TimeBurn, at: int) -> None:
        self.state = state
        self.provider = command.party
        self.holder = command.holder
        self.at = at
        self.oldest = at - state.burn_window_us
        self.sealed_until = _sealed_until(state)
        self.tariffs = state.tariffs.get(command.party, {})
        self.job_times = state.job_times.get(command.party, _NO_JOBS)
        self.new_job_times: dict[str, Intervals] = {}
        self.purses: dict[str, _Purse] = {}

    def decide_line(self, line: BurnLine) -> tuple[int, int] | Reason:
        """Return fee and voucher's part in fen, and take note of them; or why the line is refused."""
        accelerator = self.state.accelerators.get(line.accelerator)
        if accelerator is None:
            return Reason.ACCELERATOR_UNKNOWN
        purse = self.purses.get(line.reservation) or self._open_purse(line.reservation)
        if purse is None:
            return Reason.RESERVATION_UNKNOWN
        reason = purse.reason or self._check_time(line, purse)
        if reason is not None:
            return reason
        price = self._price(line)
        if price is None:
            return Reason.TARIFF_MISSING
        starts_at, ends_at = line.starts_at, line.ends_at
        new = self.new_job_times.get(line.job, b"")
        if self.job_times.is_burned(line.job, starts_at, ends_at) or (new and overlaps(new, starts_at, ends_at)):
            return Reason.JOB_TIME_ALREADY_BURNED
        fee = fee_fen(line.gpu_milli * line.seconds, price, purse.rounding_fen)
        from_voucher = share_fen(fee, purse.share_bp[accelerator.origin], purse.rounding_fen)
        if from_voucher > purse.remaining_fen:
            if line.if_short != "drain" or purse.remaining_fen == 0:
                return Reason.EXCEEDS_RESERVATION
            from_voucher = purse.remaining_fen
        purse.remaining_fen -= from_voucher
        self.new_job_times[line.job] = with_interval(new, starts_at, ends_at)
        return fee, from_voucher

    def _open_purse(self, reservation_id: str) -> _Purse | None:
        reservation = self.state.reservations.get(reservation_id)
        if reservation is None:
            return None
        purse = self.purses[reservation_id] = _Purse(self.state, reservation, self.provider, self.holder)
        return purse

    def _check_time(self, line: BurnLine, purse: _Purse) -> Reason | None:
        starts_at, ends_at = line.starts_at, line.ends_at
        if purse.qualified and line.accelerator not in purse.qualified:
            return Reason.ACCELERATOR_NOT_QUALIFIED
        if ends_at - starts_at < line.seconds * SECOND_US:
            return Reason.INTERVAL_INVALID
        if ends_at > self.at:
            return Reason.JOB_TIME_IN_THE_FUTURE
        if starts_at < self.oldest:
            return Reason.JOB_TIME_TOO_LONG_AGO
        if ends_at < self.sealed_until and line.corrects is None:
            return Reason.PERIOD_SEALED
        if line.corrects is not None and not self._is_founded(line, line.corrects):
            return Reason.CORRECTION_UNFOUNDED
        if starts_at < purse.valid_from:
            return Reason.OUTSIDE_VOUCHER_VALIDITY
        if ends_at > purse.until:
            return Reason.OUTSIDE_RESERVATION
        if not purse.programme.is_accredited(self.provider, starts_at, ends_at):
            return Reason.PROVIDER_NOT_ACCREDITED
        return None

    def _is_founded(self, line: BurnLine, corrected: Corrected) -> bool:
        """Return whether a line stands in for a reversed one of the same job, and within its interval."""
        statement = self.state.statement(self.provider, corrected.statement, self.at)
        if statement is None or corrected.line not in statement.reversed_lines:
            return False
        reversed_line = statement.line(corrected.line)
        return (
            reversed_line is not None
            and reversed_line.job == line.job
            and reversed_line.starts_at <= line.starts_at
            and line.ends_at <= reversed_line.ends_at
        )

    def _price(self, line: BurnLine) -> int | None:
        """Return the newest price that is valid at the line's beginning."""
        for valid_from, price in reversed(self.tariffs.get(line.accelerator, ())):
            if valid_from <= line.starts_at:
                return price
        return None


def _sealed_until(state: State) -> int:
    """Return the instant at which the days that aren't sealed begin."""
    if state.sealed_day is None:
        return 0
    assert state.network is not None
    return start_of_day(state.sealed_day + 1, state.network.parameters.utc_offset_seconds)


def _burn(state: State, reservation_id: str, by_day: dict[int, int]) -> Posting | None:
    """Take the amounts of some days, in fen, from a reservation; they are to be claimed."""
    amount_fen = sum(by_day.values())
    if amount_fen == 0:
        return None
    reservation = state.reservations[reservation_id]
    reservation.remaining_fen -= amount_fen
    state.vouchers[reservation.voucher].burned_fen += amount_fen
    programme = state.programmes[reservation.programme]
    claimant = programme.claimant(reservation.provider, reservation.holder)
    unclaimed_fen = programme.unclaimed_fen.setdefault(claimant, {})
    for day, of_day_fen in by_day.items():
        if of_day_fen:
            unclaimed_fen[day] = unclaimed_fen.get(day, 0) + of_day_fen
    return state.post(Posting(reservation.programme, "reserved", reservation_id, "burned", claimant, amount_fen))


RULES: Final = (TimeBurn, BurnReverse)
