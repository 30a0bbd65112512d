"""On which days a statement's lines are booked, and what was used of which item: of all, and of each that paid for it.

A line that several programmes pay is used of each of them: so lines and GPU-time of programmes don't add up to those of
all; what each paid does.
"""

from collections.abc import Collection, Sequence
from typing import Literal, NamedTuple

from tallystick.vouchers.burns import BurnedLine
from tallystick.vouchers.outcomes import Burned
from tallystick.vouchers.quantities import DAY_US
from tallystick.vouchers.rules.burn_lines import is_booked_late
from tallystick.vouchers.rules.burning import TimeBurn
from tallystick.vouchers.rules.rule import Event
from tallystick.vouchers.rules.service_burning import ServiceBurn
from tallystick.vouchers.state import State

Payer = tuple[Literal["all", "programme", "voucher"], str]
"""Of whom something was used; `all` without an id."""
_ALL: Payer = ("all", "")


class Used(NamedTuple):
    """What was used of an item on a day (days since 1970): accepted lines that a payer paid something of.

    Attributes:
        payers: of whom: the same was used of each.
        amount_fen: what they paid; of `all`, what all programmes paid.
    """

    payers: tuple[Payer, ...]
    day: int
    item: str
    lines: int
    gpu_milliseconds: int
    amount_fen: int


def days_of_lines(command: TimeBurn | ServiceBurn, event: Event, utc_offset_us: int) -> list[int]:
    """Return on which day each line of a statement is booked, also the refused ones."""
    today = (event.at + utc_offset_us) // DAY_US
    if isinstance(command, ServiceBurn):
        return [today if command.is_booked_late else command.last_day]
    return [today if is_booked_late(line) else (line.ends_at + utc_offset_us) // DAY_US for _, line in command.lines()]


def used_by_statement(
    command: TimeBurn | ServiceBurn,
    outcome: Burned,
    state: State,
    days: Sequence[int],
    counted: Collection[int] | None = None,
) -> list[Used]:
    """Return what a statement's accepted lines used, by day, item and payer.

    Args:
        command: a statement.
        outcome: what it came to.
        state: just after it.
        days: on which each line is booked.
        counted: the numbers of the lines that count; None: all.
    """
    if len(days) == len(outcome.paid) == 1 and counted is None:
        return [_one_line(command, outcome, state, days[0])]
    columns: dict[Payer, list[int]] = {_ALL: [*range(len(outcome.paid))]}
    for column, (reservation, _) in enumerate(outcome.paid):
        for payer in _payers(reservation, state):
            columns.setdefault(payer, []).append(column)
    payers: dict[tuple[int, ...], list[Payer]] = {}  # often one programme pays all: counted once
    for payer, of_payer in columns.items():
        payers.setdefault(tuple(of_payer), []).append(payer)
    used: list[Used] = []
    for (day, item), lines in _places(command, outcome, days, counted).items():
        for some, of in payers.items():
            lines_fen = [sum([outcome.paid[column][1][number] for column in some]) for number, _ in lines]
            amount_fen = sum(lines_fen)
            gpu = [gpu for (_, gpu), fen in zip(lines, lines_fen, strict=True) if fen]
            if len(gpu) < len(lines) and _ALL in of:
                of.remove(_ALL)
                used.append(Used((_ALL,), day, item, len(lines), sum([gpu for _, gpu in lines]), amount_fen))
            if gpu and of:
                used.append(Used(tuple(of), day, item, len(gpu), sum(gpu), amount_fen))
    return used


def _one_line(command: TimeBurn | ServiceBurn, outcome: Burned, state: State, day: int) -> Used:
    """Return what the only line of a statement used that one reservation pays, which is what most of them are."""
    ((reservation, (amount_fen,)),) = outcome.paid
    payers = (_ALL, *_payers(reservation, state))
    if isinstance(command, ServiceBurn):
        return Used(payers, day, command.item, 1, 0, amount_fen)
    ((item, line),) = command.lines()
    return Used(payers, day, item, 1, line.gpu_milli * line.seconds, amount_fen)


def used_by_line(line: BurnedLine, state: State, day: int) -> list[Used]:
    """Return what an accepted line used, for what takes it back.

    Args:
        line: as the statement has it.
        state: in which the reservations are that paid it.
        day: on which it is booked.
    """
    paid_fen: dict[Payer, int] = {_ALL: line.paid_fen}
    for reservation, amount_fen in line.payments:
        for payer in _payers(reservation, state):
            paid_fen[payer] = paid_fen.get(payer, 0) + amount_fen
    gpu_milliseconds = line.gpu_milli_seconds
    return [Used((payer,), day, line.item, 1, gpu_milliseconds, fen) for payer, fen in paid_fen.items()]


def _payers(reservation: str, state: State) -> tuple[Payer, Payer]:
    held = state.reservations[reservation]
    return ("programme", held.programme), ("voucher", held.voucher)


def _places(
    command: TimeBurn | ServiceBurn, outcome: Burned, days: Sequence[int], counted: Collection[int] | None
) -> dict[tuple[int, str], list[tuple[int, int]]]:
    """Return the accepted lines by day and item: the number of each, and its GPU-time (milliseconds)."""
    if isinstance(command, ServiceBurn):
        return {} if outcome.refused else {(days[0], command.item): [(0, 0)]}
    refused = {number for number, _ in outcome.refused}
    places: dict[tuple[int, str], list[tuple[int, int]]] = {}
    for number, (item, line) in enumerate(command.lines()):
        if number not in refused and (counted is None or number in counted):
            places.setdefault((days[number], item), []).append((number, line.gpu_milli * line.seconds))
    return places
