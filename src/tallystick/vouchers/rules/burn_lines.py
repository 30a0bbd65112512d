"""The lines of a statement, decided one by one: what each costs, and which programmes pay how much of it.

docs/rules.md, "GPU-time", says how; the order of the checks is that of the reasons.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, NamedTuple

from pydantic import AfterValidator, Field, GetCoreSchemaHandler, GetPydanticSchema, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError, core_schema

from tallystick.vouchers.burns import BurnedLine
from tallystick.vouchers.contracts import Contract
from tallystick.vouchers.fields import CLOSED, LINES_MAX, must_be_true
from tallystick.vouchers.job_times import JobTimes
from tallystick.vouchers.outcomes import Burned
from tallystick.vouchers.quantities import (
    BASIS_POINTS,
    EPOCH,
    GPU_MILLI_SECONDS_PER_GPU_HOUR,
    NO_SUCH_TIME,
    SECOND_US,
    DocumentId,
    GpuMilli,
    Hash,
    ItemId,
    JobName,
    SecondsBurned,
    SecondText,
    ascending,
    fee_fen,
    format_second,
    parse_seconds,
)
from tallystick.vouchers.refusals import Reason
from tallystick.vouchers.rules.paying import ContractPayers, Paid, Terms
from tallystick.vouchers.state import State

_NO_JOBS: Final = JobTimes()
_OF_NO_LINE: Final = Terms(latest=-1)


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
    lines: list[BurnLine] = []
    new, read = tuple.__new__, datetime.fromisoformat
    try:
        for job, gpu_milli, begins, ends, seconds, options in rows:
            since, until = read(begins) - EPOCH, read(ends) - EPOCH  # as parse_seconds, without a call for each
            starts_at = (since.days * 86_400 + since.seconds) * SECOND_US
            ends_at = (until.days * 86_400 + until.seconds) * SECOND_US
            lines.append(new(BurnLine, (job, gpu_milli, starts_at, ends_at, seconds, options)))
    except ValueError:
        raise _no_such_time(rows) from None
    return tuple(lines)


def _no_such_time(rows: list[tuple[Any, ...]]) -> ValidationError:
    """Return the fault with the places of times that there aren't."""
    faults: list[InitErrorDetails] = []
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
    evidence_root: Hash | None = None


def in_order(groups: tuple[LineGroup, ...]) -> tuple[LineGroup, ...]:
    """Return groups in ascending order of their items, with not too many lines in all; ValueError of others."""
    if len(groups) == 1:  # its own schema has bounded the lines
        return groups
    ascending(tuple([group.item for group in groups]))
    if sum([len(group.lines) for group in groups]) > LINES_MAX:
        raise ValueError(f"must have at most {LINES_MAX:,} lines in all")
    return groups


class StatementLines:
    """A statement being decided: what its lines so far took, on top of a state that stays as it is.

    Attributes:
        fees_fen: by line, 0 where refused.
        absorbed: of other support, line and fen.
        refused: line and reason.
    """

    def __init__(self, state: State, contract_id: str, at: int) -> None:
        self.state = state
        self.contract = contract = state.contracts[contract_id]
        self.at = at
        self.oldest = at - state.burn_window_us
        self.sealed_until = 0 if state.sealed_day is None else state.start_of(state.sealed_day + 1)
        self.corrected: set[Corrected] = set()
        self.payers = ContractPayers.known(state, contract_id, "gpu_time", Reason.ITEM_NOT_GPU_TIME)
        self.fees_fen: list[int] = []
        self.absorbed: list[tuple[int, int]] = []
        self.refused: list[tuple[int, Reason]] = []
        self.payments: dict[str, list[tuple[int, int]]] = {}  # by reservation, line and fen
        self.job_times = state.job_times.get(contract.provider, {})

    def decide_group(self, item_id: str, lines: tuple[BurnLine, ...]) -> None:
        """Decide the lines of one item, each for itself, in order; their numbers follow those before."""
        jobs = _ItemJobs(self.job_times.get(item_id, _NO_JOBS))
        fees_fen = self.fees_fen
        place = 0
        while (place := self._accept_plain(item_id, jobs, lines, place)) < len(lines):
            answer = self._decide(item_id, jobs, lines[place])
            place += 1
            if isinstance(answer, Reason):
                self.refused.append((len(fees_fen), answer))
                fees_fen.append(0)
            else:
                fees_fen.append(answer)

    def burned(self) -> Burned:
        """Return what the statement comes to."""
        count = len(self.fees_fen)
        paid = []
        for name, lines in self.payments.items():
            amounts_fen = [0] * count
            for number, amount_fen in lines:
                amounts_fen[number] = amount_fen
            paid.append((name, tuple(amounts_fen)))
        return Burned(tuple(self.absorbed), tuple(self.fees_fen), tuple(paid), tuple(self.refused))

    def _accept_plain(self, item_id: str, jobs: "_ItemJobs", lines: tuple[BurnLine, ...], first: int) -> int:
        """Accept lines from a place on that are in order and that one reservation alone pays; return where they end.

        Nearly all lines are such, and nothing else can be asked of them. The next is decided check after check.
        """
        payers, fees_fen, new = self.payers, self.fees_fen, jobs.new
        if payers.other_support_fen:
            return first
        terms, taken = _OF_NO_LINE, None
        for place in range(first, len(lines)):
            job, gpu_milli, starts_at, ends_at, seconds, options = lines[place]
            if not terms.earliest <= starts_at < terms.before or not terms.after < ends_at <= terms.latest:
                terms, taken = payers.terms(item_id, starts_at, ends_at), None
                if terms.only is None:
                    return place
                purse, rate_bp = terms.only
            fee = gpu_milli * seconds * terms.price_fen // GPU_MILLI_SECONDS_PER_GPU_HOUR  # fee_fen, without a call
            pay_fen = fee * rate_bp // BASIS_POINTS  # share_fen
            if (
                options is not None
                or ends_at - starts_at < seconds * SECOND_US
                or ends_at > self.at
                or starts_at < self.oldest
                or ends_at < self.sealed_until
                or fee > payers.chargeable_fen
                or pay_fen >= purse.left_fen
                or job in new
                or jobs.before.has(job, starts_at)
            ):
                return place
            if pay_fen:
                if taken is None:
                    taken = self.payments.setdefault(purse.id, [])
                taken.append((len(fees_fen), pay_fen))
            payers.chargeable_fen -= fee
            purse.left_fen -= pay_fen
            fees_fen.append(fee)
            new[job] = [(starts_at, ends_at)]
        return len(lines)

    def _decide(self, item_id: str, jobs: "_ItemJobs", line: BurnLine) -> int | Reason:
        """Return a line's fee, and take note of what it takes; or why it is refused."""
        job, gpu_milli, starts_at, ends_at, seconds, options = line
        terms = self.payers.terms(item_id, starts_at, ends_at)
        if terms.reason_before_time is not None:
            return terms.reason_before_time
        reason = self._check_time(line)
        if reason is not None:
            return reason
        corrected = None
        if options is not None and options.corrects is not None:
            corrected = corrected_line(self.state, self.contract, options.corrects, (starts_at, ends_at), self.at)
            if corrected is None or options.corrects in self.corrected:
                return Reason.CORRECTION_UNFOUNDED
        if terms.reason_before_jobs is not None:
            return terms.reason_before_jobs
        if jobs.are_burned(job, starts_at, ends_at):
            return Reason.JOB_TIME_ALREADY_BURNED
        gpu_milli_seconds = gpu_milli * seconds
        fee = fee_fen(gpu_milli_seconds, terms.price_fen)
        paid = self.payers.pay(terms, fee, takes_available=options is not None and options.pay_available is True)
        if isinstance(paid, Reason):
            return paid
        if corrected is not None and is_more(gpu_milli_seconds, fee, paid, corrected):
            return Reason.EXCEEDS_CORRECTED_LINE
        self._take_note(fee, paid)
        jobs.burn(job, starts_at, ends_at)
        if options is not None and options.corrects is not None:
            self.corrected.add(options.corrects)
        return fee

    def _take_note(self, fee: int, paid: Paid) -> None:
        self.payers.take_note(fee, paid)
        absorbed_fen, payments = paid
        number = len(self.fees_fen)
        if absorbed_fen:
            self.absorbed.append((number, absorbed_fen))
        for purse, amount_fen in payments:
            taken = self.payments.get(purse.id)
            if taken is None:
                taken = self.payments[purse.id] = []
            taken.append((number, amount_fen))

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


class _ItemJobs:
    """The time of one item's jobs: what was burned of it before the statement, and by its lines so far."""

    __slots__ = ("before", "new")

    def __init__(self, before: JobTimes) -> None:
        self.before = before
        self.new: dict[str, list[tuple[int, int]]] = {}

    def are_burned(self, job: str, starts_at: int, ends_at: int) -> bool:
        """Return whether some of the interval was burned for the job."""
        for burned_from, burned_to in self.new.get(job, ()):
            if starts_at < burned_to and burned_from < ends_at:
                return True
        return self.before.is_burned(job, starts_at, ends_at)

    def burn(self, job: str, starts_at: int, ends_at: int) -> None:
        """Take note of an interval."""
        self.new.setdefault(job, []).append((starts_at, ends_at))


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
    if corrected is None or interval[0] < corrected.starts_at:
        return None
    ends_at = -(-corrected.ends_at // SECOND_US) * SECOND_US  # of a service a microsecond after what is kept
    return corrected if interval[1] <= ends_at else None


def is_more(quantity: int, fee: int, paid: Paid, corrected: BurnedLine) -> bool:
    """Return whether a correction takes more than the line that it stands for: GPU-time, fee, or payments."""
    return (
        quantity > corrected.gpu_milli_seconds
        or fee > corrected.fee_fen
        or sum([amount_fen for _, amount_fen in paid[1]]) > corrected.paid_fen
    )


def is_booked_late(line: BurnLine) -> bool:
    """Return whether a line is booked on the day of its entry: a correction, or one that is reported late."""
    return line.options is not None and (line.options.corrects is not None or bool(line.options.prior_period))
