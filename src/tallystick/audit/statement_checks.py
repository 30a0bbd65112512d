"""What a state remembers of statements fits together, line by line, and what they took is summed by lot and day.

Every audit asks this of each line that is remembered, also one that goes on from a report: so what most statements are
is told by columns, and line by line only what another is.
"""

import struct
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from operator import le, lt

from tallystick.vouchers.book import DatedLot
from tallystick.vouchers.burns import Statement
from tallystick.vouchers.state import State


def broken_statements(state: State, believed: int) -> Iterator[str]:
    """Yield what is wrong with the statements that a state remembers: which, and how.

    Args:
        state: to look at.
        believed: of how many entries the lines were looked at before, and nothing can be wrong with those that no
            later entry changed.
    """
    there = {(provider, ref): one for provider, refs in state.statements.items() for ref, one in refs.items()}
    order = [key for key in state.statement_order if key in there]
    for provider, ref in there.keys() ^ set(state.statement_order):
        yield f"statement {ref} of {provider}: it isn't there, or not in the order of statements"
    for one, other in pairwise(order):
        if (there[one].index, there[one].at) >= (there[other].index, there[other].at):
            yield f"statement {other[1]} of {other[0]}: it comes after {one[1]} of {one[0]}, whose entry is later"
    for (provider, ref), statement in there.items():
        if not 0 < statement.index < state.size or statement.at > state.at:
            yield f"statement {ref} of {provider}: it is of entry {statement.index}, which is not there yet"
        try:
            faults = list(_of_statement(state, provider, statement, believed))
        except (struct.error, IndexError, ValueError):
            yield f"statement {ref} of {provider}: its lines can't be read"
            continue
        for fault in faults:
            yield f"statement {ref} of {provider}: {fault}"


def _of_statement(state: State, provider: str, statement: Statement, believed: int) -> Iterator[str]:
    contract = state.contracts.get(statement.contract)
    if contract is None or contract.provider != provider:
        yield f"it is under contract {statement.contract}, which isn't there, or of another provider"
    for name in statement.reservations:
        reservation = state.reservations.get(name)
        if reservation is None or reservation.contract != statement.contract:
            yield f"reservation {name} paid, which isn't there, or of another contract"
    was_changed = statement.corrected_lines or any(group.reversed_lines for group in statement.groups)
    if (statement.index >= believed or was_changed) and not _is_plain(statement):
        yield from _of_lines(statement)


def _is_plain(statement: Statement) -> bool:
    """Return whether nothing is wrong with lines of which each was paid once, in order: nearly all statements are such.

    Told by columns, since it is asked for each line that is remembered. False says nothing yet.
    """
    if statement.absorbed or statement.corrected_lines:
        return False
    numbers: list[int] = []
    fees_fen: list[int] = []
    for group in statement.groups:
        lines = group.columns()
        if (
            group.reversed_lines
            or group.index != statement.index
            or len(group.jobs.split()) != len(lines.numbers)
            or group.ends_at != max(lines.ends_at, default=0)
            or not all(map(lt, lines.starts_at, lines.ends_at))
        ):
            return False
        numbers += lines.numbers
        fees_fen += lines.fees_fen
    paid = statement.paid()
    return (
        list(paid.numbers) == numbers
        and len({*numbers}) == len(numbers)
        and {*paid.places} == {*range(len(statement.reservations))}
        and len({*statement.reservations}) == len(statement.reservations)
        and min(paid.amounts_fen, default=1) > 0
        and all(map(le, paid.amounts_fen, fees_fen))
    )


def _of_lines(statement: Statement) -> Iterator[str]:
    """Look at each line of a statement."""
    lines = list(statement.lines())
    numbers = {line.number for line in lines}
    paying = [reservation for line in lines for reservation, _ in line.payments]
    if len({(line.number, reservation) for line in lines for reservation, _ in line.payments}) != len(paying):
        yield "a reservation paid a line of it twice"
    if len(numbers) != len(lines) or len({*statement.reservations}) != len(statement.reservations):
        yield "it has a line or a reservation twice"
    if {*paying} != {*statement.reservations} or len(paying) != len(statement.paid().numbers):
        yield "a reservation paid no line of it, or a line that isn't there"
    if any(line.fee_fen < 0 or line.absorbed_fen < 0 or line.starts_at >= line.ends_at for line in lines):
        yield "a line costs or absorbs less than nothing, or ends before it starts"
    if any(amount_fen <= 0 for line in lines for _, amount_fen in line.payments):
        yield "a reservation paid nothing, or less"
    if any(line.paid_fen + line.absorbed_fen > line.fee_fen for line in lines):
        yield "more was paid of a line than its fee"
    for group in statement.groups:
        of_group = [line for line in lines if line.item == group.item]
        if group.index != statement.index or group.ends_at != max([line.ends_at for line in of_group], default=0):
            yield f"its lines of {group.item} are of another entry, or the last of them ended at another time"
        if len(group.reversed_lines) != len({*group.reversed_lines} & {line.number for line in of_group}):
            yield f"lines {group.reversed_lines} were taken back, one of them twice or not there"
    if (
        not {*statement.corrected_lines} <= statement.reversed_lines
        or not {one for one, _ in statement.absorbed} <= numbers
    ):
        yield "a line is corrected that wasn't taken back, or one absorbed that isn't there"
    if len({*statement.corrected_lines}) != len(statement.corrected_lines):
        yield "a line is corrected twice"


def taken_by_day(state: State) -> Counter[DatedLot]:
    """Return what lines of statements remembered took and weren't taken back, by lot and the day of booking."""
    took_fen: Counter[DatedLot] = Counter()
    for statements in state.statements.values():
        for statement in statements.values():
            for reservation, day, amount_fen in _taken_of(state, statement):
                voucher = state.reservations[reservation].voucher
                took_fen[DatedLot(voucher, statement.contract, day)] += amount_fen
    return took_fen


def _taken_of(state: State, statement: Statement) -> Iterator[tuple[str, int, int]]:
    """Yield of a statement what which reservation paid on which day; of one that is all of one day, no line by line."""
    ends = [group.ends() for group in statement.groups]
    days = {state.day_of(end) for one in ends if one is not None for end in one}
    if len(days) == 1 and None not in ends:
        (day,) = days
        yield from ((reservation, day, amount_fen) for reservation, amount_fen in statement.taken_fen().items())
        return
    reversed_lines = statement.reversed_lines
    for line in statement.lines():
        if line.number not in reversed_lines:
            day = state.day_of(statement.at if line.is_booked_late else line.ends_at)
            yield from ((reservation, day, amount_fen) for reservation, amount_fen in line.payments)
