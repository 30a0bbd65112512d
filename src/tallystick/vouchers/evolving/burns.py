"""Events of GPU-time: statements and reversals."""

from tallystick.vouchers.burns import Statement, pack_line
from tallystick.vouchers.commands import BurnReverse, TimeBurn
from tallystick.vouchers.events import Burned, Event, Reversed
from tallystick.vouchers.evolving.vouchers import put_back
from tallystick.vouchers.quantities import DAY_US, SECOND_US, day_of
from tallystick.vouchers.state import Posting, State


def time_burned(state: State, command: TimeBurn, event: Event) -> tuple[Posting, ...]:
    """The accepted lines of a statement: one posting for each reservation, summed over its lines."""
    assert isinstance(event.outcome, Burned)
    assert state.network is not None
    utc_offset_us = state.network.founding.utc_offset_seconds * SECOND_US
    provider = command.party
    refused = {line for line, _ in event.outcome.refused}
    taken_fen: dict[str, dict[int, int]] = {}  # by reservation and day
    places: dict[str, int] = {}  # of reservations in the statement
    jobs, packed = [], []
    last_end = 0
    for number, (line, amount_fen) in enumerate(zip(command.lines, event.outcome.from_voucher_fen, strict=True)):
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
        command.holder,
        last_end,
        tuple(places),
        " ".join(jobs),
        b"".join(packed),
        [],
    )
    state.remember(provider, command.ref, statement)
    burns = [_burn(state, reservation, by_day) for reservation, by_day in taken_fen.items()]
    return tuple([posting for posting in burns if posting is not None])


def burn_reversed(state: State, command: BurnReverse, event: Event) -> tuple[Posting, ...]:
    """One line is taken back: its money, and its job's time."""
    assert isinstance(event.outcome, Reversed)
    assert state.network is not None
    statement = state.statements[command.party][command.statement]
    line = statement.line(command.line)
    assert line is not None
    reservation = state.reservations[line.reservation]
    statement.reversed_lines.append(command.line)
    state.job_times[command.party].reverse(statement, line)
    programme = state.programmes[reservation.programme]
    claimant = programme.claimant(command.party, statement.holder)
    amount_fen = event.outcome.returned_fen
    if amount_fen:
        state.vouchers[reservation.voucher].burned_fen -= amount_fen
        day = day_of(line.ends_at, state.network.founding.utc_offset_seconds)
        days = programme.unclaimed_fen[claimant]
        days[day] -= amount_fen
        if not days[day]:
            del days[day]
    return put_back(state, "burned", claimant, reservation, amount_fen, event.outcome.to)


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
