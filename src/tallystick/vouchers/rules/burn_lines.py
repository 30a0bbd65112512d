"""The lines of a statement, decided one by one."""

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field

from tallystick.vouchers.burns import Intervals, JobTimes, overlaps, with_interval
from tallystick.vouchers.fields import CLOSED, LINES_MAX
from tallystick.vouchers.holdings import Reservation
from tallystick.vouchers.quantities import (
    SECOND_US,
    DocumentId,
    GpuMilli,
    Instant,
    ItemId,
    OwnedId,
    SecondsBurned,
    Sha256Hex,
    fee_fen,
    share_fen,
    start_of_day,
)
from tallystick.vouchers.refusals import Reason
from tallystick.vouchers.state import State

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
    item: ItemId
    gpu_milli: GpuMilli
    starts_at: Annotated[Instant, Field(alias="from")]
    ends_at: Annotated[Instant, Field(alias="to")]
    seconds: SecondsBurned
    evidence_sha256: Sha256Hex | None = None
    if_short: Literal["drain"] | None = None
    corrects: Corrected | None = None


class _Purse:
    """A reservation as one statement sees it: what speaks against it, its terms, what the lines so far left of it."""

    __slots__ = ("programme", "qualified", "reason", "remaining_fen", "rounding_fen", "share_bp", "until", "valid_from")

    def __init__(self, state: State, reservation: Reservation, provider: str, holder: str) -> None:
        self.programme = state.programmes[reservation.programme]
        self.qualified = self.programme.rules.items
        self.rounding_fen = self.programme.rules.rounding_fen
        self.share_bp = {origin: self.programme.share_bp(origin) for origin in ("domestic", "foreign")}
        self.valid_from = state.vouchers[reservation.voucher].valid_from
        self.until = reservation.until
        self.remaining_fen = state.book["reserved", reservation.id]
        self.reason: Reason | None = None
        if reservation.provider != provider:
            self.reason = Reason.RESERVATION_IS_FOR_ANOTHER_PROVIDER
        elif reservation.holder != holder:
            self.reason = Reason.RESERVATION_IS_FOR_ANOTHER_HOLDER
        elif reservation.closed:
            self.reason = Reason.RESERVATION_CLOSED


class StatementLines:
    """A statement being decided: what its lines so far took, on top of a state that stays as it is."""

    def __init__(self, state: State, provider: str, holder: str, at: int) -> None:
        self.state = state
        self.provider = provider
        self.holder = holder
        self.at = at
        self.oldest = at - state.burn_window_us
        self.sealed_until = _sealed_until(state)
        self.tariffs = state.tariffs.get(provider, {})
        self.job_times = state.job_times.get(provider, _NO_JOBS)
        self.new_job_times: dict[str, Intervals] = {}
        self.purses: dict[str, _Purse] = {}

    def decide(self, line: BurnLine) -> tuple[int, int] | Reason:
        """Return fee and voucher's part in fen, and take note of them; or why the line is refused."""
        item = self.state.items.get(line.item)
        if item is None:
            return Reason.ITEM_UNKNOWN
        if item.unit != "gpu_time":
            return Reason.ITEM_NOT_GPU_TIME
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
        from_voucher = share_fen(fee, purse.share_bp[item.origin or "foreign"], purse.rounding_fen)
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
        if purse.qualified and line.item not in purse.qualified:
            return Reason.ITEM_NOT_QUALIFIED
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
        for valid_from, price in reversed(self.tariffs.get(line.item, ())):
            if valid_from <= line.starts_at:
                return price
        return None


def _sealed_until(state: State) -> int:
    """Return the instant at which the days that aren't sealed begin."""
    if state.sealed_day is None:
        return 0
    assert state.network is not None
    return start_of_day(state.sealed_day + 1, state.network.parameters.utc_offset_seconds)
