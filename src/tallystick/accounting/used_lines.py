"""The lines of statements, as they were accepted or taken back: who used what, what it costs, and who paid."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from tallystick.vouchers.burns import BurnedLine, Statement
from tallystick.vouchers.outcomes import Burned
from tallystick.vouchers.quantities import DAY_US
from tallystick.vouchers.rules.burn_lines import Corrected, is_booked_late
from tallystick.vouchers.rules.burning import BurnReverse, TimeBurn
from tallystick.vouchers.rules.rule import Event
from tallystick.vouchers.rules.service_burning import ServiceBurn
from tallystick.vouchers.state import State

_SERVICE: Final = "="
"""Begins what stands for a service's job, and no job."""


class LinePayment(NamedTuple):
    """What a reservation paid of a line, or, less than nothing, got back."""

    reservation: str
    voucher: str
    programme: str
    amount_fen: int


class UsedLine(NamedTuple):
    """An accepted line of a statement, or one that is taken back: then its amounts are less than nothing.

    Attributes:
        statement: the index of its statement's entry, which is that of the entry itself unless it is taken back.
        statement_ref: the statement's document number.
        number: of the line in its statement, from 0.
        item: what was used.
        is_gpu_time: or else a service, which is counted, or invoiced: then its quantity is 0.
        job: what the provider calls it; empty of a service.
        starts_at, ends_at: its interval (microseconds).
        quantity: GPU-milliseconds, or units of what is counted.
        fee_fen: what it costs.
        absorbed_fen: of the contract's other support.
        payments: what programmes paid.
        day: on which it is booked.
        corrects: the line taken back that it stands for, if it is a correction.
        is_of_sealed_day: whether the day that it is about was sealed before: of a line that is taken back the day on
            which that is booked.
    """

    statement: int
    statement_ref: str
    number: int
    item: str
    is_gpu_time: bool
    job: str
    starts_at: int
    ends_at: int
    quantity: int
    fee_fen: int
    absorbed_fen: int
    payments: tuple[LinePayment, ...]
    day: int
    corrects: Corrected | None
    is_of_sealed_day: bool


class LinesOf(NamedTuple):
    """The lines of an entry, and the statement that they are of."""

    statement: Statement
    lines: tuple[UsedLine, ...]


def lines_of(event: Event, state: State, sealed_day: int | None) -> LinesOf | None:
    """Return the lines that an entry burned or took back; None of what is neither.

    Args:
        event: what was recorded.
        state: after it.
        sealed_day: the last day that was sealed before it, if any was.
    """
    command = event.command
    if isinstance(command, TimeBurn):
        assert isinstance(event.outcome, Burned)
        statement = state.statements[command.party][command.ref]
        return LinesOf(statement, tuple(_burned_lines(command, event.outcome, event, state, sealed_day)))
    if isinstance(command, ServiceBurn):
        statement = state.statements[command.party][command.ref]
        burned = [
            _used(one, statement, command.ref, state, sealed_day, 1, command.corrects) for one in statement.lines()
        ]
        return LinesOf(statement, tuple(burned))
    if isinstance(command, BurnReverse):
        statement = state.statements[command.party][command.statement]
        return LinesOf(statement, tuple(_taken_back(command, statement, state, sealed_day)))
    return None


def _burned_lines(
    command: TimeBurn, outcome: Burned, event: Event, state: State, sealed_day: int | None
) -> Iterator[UsedLine]:
    """Yield the lines of a statement that were accepted."""
    refused = {number for number, _ in outcome.refused}
    absorbed = dict(outcome.absorbed)
    paid = [
        (name, held.voucher, held.programme, fen) for name, fen in outcome.paid for held in [state.reservations[name]]
    ]
    utc_offset_us, ref, index = state.utc_offset_us, command.ref, event.index
    today = (event.at + utc_offset_us) // DAY_US
    number = -1
    for item, line in command.lines():
        number += 1
        if number in refused:
            continue
        job, gpu_milli, starts_at, ends_at, seconds, options = line
        used_day = (ends_at + utc_offset_us) // DAY_US
        yield UsedLine(
            index,
            ref,
            number,
            item,
            True,
            job,
            starts_at,
            ends_at,
            gpu_milli * seconds,
            outcome.fee_fen[number],
            absorbed.get(number, 0),
            tuple(
                [
                    LinePayment(name, voucher, programme, fen[number])
                    for name, voucher, programme, fen in paid
                    if fen[number]
                ]
            ),
            today if options is not None and is_booked_late(line) else used_day,
            None if options is None else options.corrects,
            sealed_day is not None and used_day <= sealed_day,
        )


def _taken_back(command: BurnReverse, statement: Statement, state: State, sealed_day: int | None) -> Iterator[UsedLine]:
    line = statement.line(command.line)
    if line is not None:
        yield _used(line, statement, command.statement, state, sealed_day, -1, None)


def _used(
    line: BurnedLine,
    statement: Statement,
    ref: str,
    state: State,
    sealed_day: int | None,
    sign: int,
    corrects: Corrected | None,
) -> UsedLine:
    utc_offset_us = state.utc_offset_us
    used_day = (line.ends_at + utc_offset_us) // DAY_US
    day = (statement.at + utc_offset_us) // DAY_US if line.is_booked_late else used_day
    is_gpu_time = not line.job.startswith(_SERVICE)
    reservations = state.reservations
    return UsedLine(
        statement.index,
        ref,
        line.number,
        line.item,
        is_gpu_time,
        line.job if is_gpu_time else "",
        line.starts_at,
        line.ends_at,
        sign * line.gpu_milli_seconds,
        sign * line.fee_fen,
        sign * line.absorbed_fen,
        tuple(
            [
                LinePayment(name, (held := reservations[name]).voucher, held.programme, sign * fen)
                for name, fen in line.payments
            ]
        ),
        day,
        corrects,
        sealed_day is not None and (used_day if sign > 0 else day) <= sealed_day,
    )
