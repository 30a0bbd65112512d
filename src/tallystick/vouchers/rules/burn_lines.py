"""The lines of a statement, decided one by one: what each costs, and which programmes pay how much of it.

docs/rules.md, "GPU-time", says how; the order of the checks is that of the reasons.
"""

from dataclasses import dataclass
from itertools import repeat
from typing import Annotated, Any, Final, NamedTuple

from pydantic import AfterValidator, Field, GetCoreSchemaHandler, GetPydanticSchema, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError, core_schema

from tallystick.vouchers.burns import BurnedLine, Intervals, JobTimes, overlaps, with_interval
from tallystick.vouchers.fields import CLOSED, LINES_MAX, must_be_true
from tallystick.vouchers.quantities import (
    NO_SUCH_TIME,
    SECOND_US,
    DocumentId,
    GpuMilli,
    ItemId,
    JobName,
    SecondsBurned,
    SecondText,
    Sha256Hex,
    ascending,
    fee_fen,
    format_second,
    parse_seconds,
)
from tallystick.vouchers.refusals import Reason
from tallystick.vouchers.rules.paying import ContractPayers, Paid
from tallystick.vouchers.state import State

_NO_JOBS: Final = JobTimes()


@dataclass(frozen=True)
class Corrected:
    """The reversed line that a line stands for: its statement's reference, and its number."""

    __pydantic_config__ = CLOSED

    statement: DocumentId
    line: Annotated[int, Field(ge=0, lt=LINES_MAX)]


@dataclass(frozen=True)
class LineOptions:
    """What a line says besides its five values, where that is wanted; at least one of them.

    Attributes:
        corrects: the reversed line that it stands for.
        pay_available: a programme whose reservations hold less than its part pays what they hold.
        prior_period: it is reported late, of a day that is sealed, and booked on the day of its entry.
    """

    __pydantic_config__ = CLOSED

    corrects: Corrected | None = None
    pay_available: Annotated[bool, AfterValidator(must_be_true)] | None = None
    prior_period: Annotated[bool, AfterValidator(must_be_true)] | None = None

    def __post_init__(self) -> None:
        """Refuse what says nothing, or contradicts itself."""
        if self.corrects is None and self.pay_available is None and self.prior_period is None:
            raise ValueError("must say something, or be left out")
        if self.corrects is not None and self.prior_period:
            raise ValueError("must say corrects or prior_period, not both")


class BurnLine(NamedTuple):
    """One job's GPU-time, a row of five values or six: a statement has hundreds of them."""

    job: str
    gpu_milli: int
    starts_at: int
    ends_at: int
    seconds: int
    options: LineOptions | None = None


def _rows_schema(_source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
    """Return the schema of rows: JSON arrays of five values, or six. Times are read of all at once, which is faster."""
    five = [handler.generate_schema(one) for one in (JobName, GpuMilli, SecondText, SecondText, SecondsBurned)]
    options = handler.generate_schema(LineOptions)
    six = [*five, core_schema.with_default_schema(options, default=None)]
    row = core_schema.tuple_schema(six, strict=True, metadata={"pydantic_js_updates": {"minItems": len(five)}})
    rows = core_schema.list_schema(row, min_length=1, max_length=LINES_MAX, strict=True)
    row_written = core_schema.tuple_schema([*five, options], variadic_item_index=len(five))
    written = core_schema.plain_serializer_function_ser_schema(
        _written, return_schema=core_schema.list_schema(row_written)
    )
    return core_schema.no_info_after_validator_function(_lines, rows, serialization=written)


def _lines(rows: list[tuple[Any, ...]]) -> tuple[BurnLine, ...]:
    jobs, gpu_milli, starts, ends, seconds, options = zip(*rows, strict=True)
    try:
        columns = zip(jobs, gpu_milli, parse_seconds(starts), parse_seconds(ends), seconds, options, strict=True)
    except ValueError:
        raise _no_such_time(rows) from None
    return tuple(map(tuple.__new__, repeat(BurnLine), columns))


def _no_such_time(rows: list[tuple[Any, ...]]) -> ValidationError:
    """Return the fault with the places of times that there aren't."""
    faults = list[InitErrorDetails]()
    for number, row in enumerate(rows):
        for place in (2, 3):
            try:
                parse_seconds([row[place]])
            except ValueError:
                words = PydanticCustomError("value_error", "no such time", {"error": ValueError(NO_SUCH_TIME)})
                faults.append(InitErrorDetails(type=words, loc=(number, place), input=row[place]))
    return ValidationError.from_exception_data("lines", faults)


def _written(lines: tuple[BurnLine, ...]) -> list[tuple[Any, ...]]:
    return [
        (line.job, line.gpu_milli, format_second(line.starts_at), format_second(line.ends_at), line.seconds)
        + (() if line.options is None else (line.options,))
        for line in lines
    ]


Rows = Annotated[tuple[BurnLine, ...], GetPydanticSchema(_rows_schema)]


@dataclass(frozen=True)
class LineGroup:
    """The lines of one item; `evidence_root` is over the salted hashes of their records (RFC 6962)."""

    __pydantic_config__ = CLOSED

    item: ItemId
    lines: Rows
    evidence_root: Sha256Hex | None = None


def in_order(groups: tuple[LineGroup, ...]) -> tuple[LineGroup, ...]:
    """Return groups in ascending order of their items, with not too many lines in all; ValueError of others."""
    ascending(tuple([group.item for group in groups]))
    if sum([len(group.lines) for group in groups]) > LINES_MAX:
        raise ValueError(f"must have at most {LINES_MAX:,} lines in all")
    return groups


class StatementLines:
    """A statement being decided: what its lines so far took, on top of a state that stays as it is."""

    def __init__(self, state: State, contract_id: str, at: int) -> None:
        self.state = state
        self.contract = contract = state.contracts[contract_id]
        self.at = at
        self.oldest = at - state.burn_window_us
        self.sealed_until = 0 if state.sealed_day is None else state.start_of(state.sealed_day + 1)
        self.job_times = state.job_times.get(contract.provider, {})
        self.new_job_times: dict[tuple[str, str], Intervals] = {}
        self.corrected: set[tuple[str, int]] = set()
        self.payers = ContractPayers(state, contract_id)

    def decide(self, item_id: str, line: BurnLine) -> Paid | Reason:
        """Return what a line comes to, and take note of it; or why it is refused."""
        job, gpu_milli, starts_at, ends_at, seconds, options = line
        terms = self.payers.terms(item_id, starts_at, ends_at)
        if terms.reason_before_time is not None:
            return terms.reason_before_time
        reason = self._check_time(line)
        if reason is not None:
            return reason
        corrected = None
        if options is not None and options.corrects is not None:
            corrected = self._corrected(line, options.corrects)
            if corrected is None:
                return Reason.CORRECTION_UNFOUNDED
        if terms.reason_before_jobs is not None:
            return terms.reason_before_jobs
        new = self.new_job_times.get((item_id, job))
        if self.job_times.get(item_id, _NO_JOBS).is_burned(job, starts_at, ends_at) or (
            new is not None and overlaps(new, starts_at, ends_at)
        ):
            return Reason.JOB_TIME_ALREADY_BURNED
        gpu_milli_seconds = gpu_milli * seconds
        fee = fee_fen(gpu_milli_seconds, terms.price_fen)
        paid = self.payers.pay(terms, fee, takes_available=options is not None and options.pay_available is True)
        if isinstance(paid, Reason):
            return paid
        if corrected is not None and _is_more(gpu_milli_seconds, paid, corrected):
            return Reason.EXCEEDS_CORRECTED_LINE
        self.payers.take_note(paid)
        self.new_job_times[item_id, job] = with_interval(new or b"", starts_at, ends_at)
        if options is not None and options.corrects is not None:
            self.corrected.add((options.corrects.statement, options.corrects.line))
        return paid

    def _check_time(self, line: BurnLine) -> Reason | None:
        starts_at, ends_at, options = line.starts_at, line.ends_at, line.options
        if ends_at - starts_at < line.seconds * SECOND_US:
            return Reason.INTERVAL_INVALID
        if ends_at > self.at:
            return Reason.JOB_TIME_IN_THE_FUTURE
        if starts_at < self.oldest:
            return Reason.JOB_TIME_TOO_LONG_AGO
        if ends_at < self.sealed_until:
            if options is None or (options.corrects is None and not options.prior_period):
                return Reason.PERIOD_SEALED
        elif options is not None and options.prior_period:
            return Reason.PERIOD_NOT_SEALED
        return None

    def _corrected(self, line: BurnLine, corrects: Corrected) -> BurnedLine | None:
        """Return the line taken back that a line stands for: of the same holder, around it, and no other stands for."""
        ref, number = corrects.statement, corrects.line
        statement = self.state.statement(self.contract.provider, ref, self.at)
        if (
            statement is None
            or number not in statement.reversed_lines
            or number in statement.corrected_lines
            or (ref, number) in self.corrected
            or self.state.contracts[statement.contract].holder != self.contract.holder
        ):
            return None
        corrected = statement.line(number)
        if corrected is None or line.starts_at < corrected.starts_at or line.ends_at > corrected.ends_at:
            return None
        return corrected


def _is_more(gpu_milli_seconds: int, paid: Paid, corrected: BurnedLine) -> bool:
    """Return whether a correction takes more than the line that it stands for: GPU-time, fee, or payments."""
    return (
        gpu_milli_seconds > corrected.gpu_milli_seconds
        or paid.fee_fen > corrected.fee_fen
        or sum([amount_fen for _, amount_fen in paid.payments]) > corrected.paid_fen
    )


def is_booked_late(line: BurnLine) -> bool:
    """Return whether a line is booked on the day of its entry: a correction, or one that is reported late."""
    return line.options is not None and (line.options.corrects is not None or bool(line.options.prior_period))
