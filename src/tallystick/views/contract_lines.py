"""A contract's lines, one by one: what each was of, what it came to, and what became of it.

Lines are many, so they aren't kept: they are read from the log, where the contract's statements are.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tallystick.views.claim_lines import REVERSED_LINES, said_of_lines, statements_in
from tallystick.views.library import SQLiteCursor
from tallystick.views.line_usage import days_of_lines
from tallystick.vouchers.outcomes import Burned
from tallystick.vouchers.quantities import format_day
from tallystick.vouchers.rules.burning import TimeBurn
from tallystick.vouchers.rules.rule import Event
from tallystick.vouchers.rules.service_burning import ServiceBurn


@dataclass(frozen=True, slots=True)
class ContractLine:
    """A line that was stated under a contract; of a service, the one that it is.

    Attributes:
        index, ref: of its statement.
        line: its number there, over all its groups, from 0.
        day: on which it is booked.
        job: None of a service.
        starts_at, ends_at: of a service the beginning of its first day, and the end of its last.
        gpu_milliseconds: 0 of a service.
        quantity: of a counted service; else None.
        fee_fen, absorbed_fen, from_voucher_fen: what it costs, what of other support it absorbed, and what all
            programmes pay of it; 0 of a refused one.
        refused: why it was refused; None of an accepted one.
        reversed: whether it was taken back.
    """

    index: int
    ref: str
    line: int
    day: str
    item: str
    job: str | None
    starts_at: str
    ends_at: str
    gpu_milliseconds: int
    quantity: int | None
    fee_fen: int
    absorbed_fen: int
    from_voucher_fen: int
    refused: str | None
    reversed: bool


def reversed_lines(c: SQLiteCursor, statements: Iterable[int]) -> set[tuple[int, int]]:
    """Return the lines of some statements (their entries) that were taken back: entry and number."""
    return {(index, row.line) for index in statements for row in REVERSED_LINES.rows(c, entry_index=index)}


def lines_of_contract(
    entries: Iterable[bytes], taken_back: set[tuple[int, int]], last_day: str | None
) -> Iterator[ContractLine]:
    """Yield a contract's lines in the order of the log.

    Args:
        entries: entry 0, and the contract's statements.
        taken_back: the lines that were, by entry and number.
        last_day: the last day of which lines count; None: all do.
    """
    for event, utc_offset_us in statements_in(entries):
        for line in lines_of_statement(event, taken_back, utc_offset_us):
            if last_day is None or line.day <= last_day:
                yield line


def lines_of_statement(event: Event, taken_back: set[tuple[int, int]], utc_offset_us: int) -> Iterator[ContractLine]:
    """Yield a statement's lines.

    Args:
        event: the statement's.
        taken_back: the lines that were, by entry and number.
        utc_offset_us: the network's (microseconds).
    """
    command, outcome = event.command, event.outcome
    assert isinstance(command, TimeBurn | ServiceBurn)
    assert isinstance(outcome, Burned)
    days = days_of_lines(command, event, utc_offset_us)
    absorbed_fen, refused, paid_fen = dict(outcome.absorbed), dict(outcome.refused), outcome.paid_fen()
    for number, said in enumerate(said_of_lines(command, utc_offset_us)):
        yield ContractLine(
            index=event.index,
            ref=command.ref,
            line=number,
            day=format_day(days[number]),
            **said,
            fee_fen=outcome.fee_fen[number],
            absorbed_fen=absorbed_fen.get(number, 0),
            from_voucher_fen=paid_fen[number],
            refused=refused[number].value if number in refused else None,
            reversed=(event.index, number) in taken_back,
        )
