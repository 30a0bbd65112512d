"""The lines of a statement, decided one by one: what each costs, and which programmes pay how much of it.

docs/rules.md, "GPU-time", says how; the order of the checks is that of the reasons.
"""

from dataclasses import dataclass
from itertools import repeat
from typing import Annotated, Any, Final, NamedTuple

from pydantic import AfterValidator, Field, GetCoreSchemaHandler, GetPydanticSchema, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError, core_schema

from tallystick.vouchers.burns import BurnedLine, Intervals, JobTimes, overlaps, with_interval
from tallystick.vouchers.contracts import Contract, price_at
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
from tallystick.vouchers.rules.paying import ContractPayers, Paid, Service
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
        self.begins_at = state.start_of(contract.first_day)
        self.ends_at = state.start_of(contract.last_day + 1)
        self.tariffs = state.tariffs.get(contract.provider, {})
        self.job_times = state.job_times.get(contract.provider, {})
        self.new_job_times: dict[tuple[str, str], Intervals] = {}
        self.corrected: set[Corrected] = set()
        self.payers = ContractPayers(state, contract_id, at)

    def decide(self, item_id: str, line: BurnLine) -> Paid | Reason:
        """Return what a line comes to, and take note of it; or why it is refused."""
        item = self.state.items.get(item_id)
        if item is None:
            return Reason.ITEM_UNKNOWN
        if item.unit != "gpu_time":
            return Reason.ITEM_NOT_GPU_TIME
        options = line.options
        corrected = None
        contract_price = self.contract.price_fen(item_id, line.starts_at)
        if contract_price is None:
            return Reason.ITEM_NOT_IN_CONTRACT
        reason = self._check_time(line)
        if reason is not None:
            return reason
        if options is not None and options.corrects is not None:
            interval = line.starts_at, line.ends_at
            corrected = corrected_line(self.state, self.contract, options.corrects, interval, self.at)
            if corrected is None or options.corrects in self.corrected:
                return Reason.CORRECTION_UNFOUNDED
        if line.starts_at < self.begins_at or line.ends_at > self.ends_at:
            return Reason.OUTSIDE_CONTRACT
        tariff = price_at(self.tariffs.get(item_id, ()), line.starts_at)
        if tariff is None:
            return Reason.TARIFF_MISSING
        if self._is_burned(item_id, line):
            return Reason.JOB_TIME_ALREADY_BURNED
        gpu_milli_seconds = line.gpu_milli * line.seconds
        price = min(contract_price, tariff)
        service = Service(item_id, line.starts_at, line.ends_at, price)
        paid = self.payers.pay(service, fee_fen(gpu_milli_seconds, price), _takes_available(line))
        if isinstance(paid, Reason):
            return paid
        if corrected is not None and is_more(gpu_milli_seconds, paid, corrected):
            return Reason.EXCEEDS_CORRECTED_LINE
        self._take_note(item_id, line, paid)
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

    def _is_burned(self, item_id: str, line: BurnLine) -> bool:
        """Return whether some of the line's interval was burned for its job on its item."""
        new = self.new_job_times.get((item_id, line.job))
        return self.job_times.get(item_id, _NO_JOBS).is_burned(line.job, line.starts_at, line.ends_at) or (
            new is not None and overlaps(new, line.starts_at, line.ends_at)
        )

    def _take_note(self, item_id: str, line: BurnLine, paid: Paid) -> None:
        self.payers.take_note(paid)
        job = item_id, line.job
        self.new_job_times[job] = with_interval(self.new_job_times.get(job, b""), line.starts_at, line.ends_at)
        if line.options is not None and line.options.corrects is not None:
            self.corrected.add(line.options.corrects)


def corrected_line(
    state: State, contract: Contract, corrects: Corrected, interval: tuple[int, int], at: int
) -> BurnedLine | None:
    """Return the line taken back that a line of an interval stands for; None: it can't stand for that.

    It is of the same provider and holder, lies around it, and no other line stands for it.
    """
    statement = state.statement(contract.provider, corrects.statement, at)
    if (
        statement is None
        or corrects.line not in statement.reversed_lines
        or corrects.line in statement.corrected_lines
        or state.contracts[statement.contract].holder != contract.holder
    ):
        return None
    corrected = statement.line(corrects.line)
    if corrected is None or interval[0] < corrected.starts_at or interval[1] > corrected.ends_at:
        return None
    return corrected


def is_more(quantity: int, paid: Paid, corrected: BurnedLine) -> bool:
    """Return whether a correction takes more than the line that it stands for: GPU-time, fee, or payments."""
    return (
        quantity > corrected.gpu_milli_seconds
        or paid.fee_fen > corrected.fee_fen
        or sum([amount_fen for _, amount_fen in paid.payments]) > corrected.paid_fen
    )


def _takes_available(line: BurnLine) -> bool:
    return line.options is not None and line.options.pay_available is True


def is_booked_late(line: BurnLine) -> bool:
    """Return whether a line is booked on the day of its entry: a correction, or one that is reported late."""
    return line.options is not None and (line.options.corrects is not None or bool(line.options.prior_period))
