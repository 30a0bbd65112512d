"""Events of GPU-time: statements and reversals."""

from tallystick.vouchers.burns import Statement, without
from tallystick.vouchers.commands import BurnReverse, TimeBurn
from tallystick.vouchers.events import Burned, Event, Reversed
from tallystick.vouchers.evolving.vouchers import put_back
from tallystick.vouchers.quantities import day_of
from tallystick.vouchers.state import Posting, State


def time_burned(state: State, command: TimeBurn, event: Event) -> tuple[Posting, ...]:
    """The accepted lines of a statement: one posting for each reservation, summed over its lines."""
    assert isinstance(event.outcome, Burned)
    assert state.network is not None
    utc_offset_seconds = state.network.founding.utc_offset_seconds
    provider = command.party
    statement = Statement(event.index, event.at, command.holder)
    job_times = state.job_times.setdefault(provider, {})
    refused = {line for line, _ in event.outcome.refused}
    by_reservation: dict[str, int] = {}
    for number, (line, amount_fen) in enumerate(zip(command.lines, event.outcome.from_voucher_fen, strict=True)):
        if number in refused:
            continue
        reservation = state.reservations[line.reservation]
        reservation.remaining_fen -= amount_fen
        by_reservation[reservation.id] = by_reservation.get(reservation.id, 0) + amount_fen
        burned = job_times.get(line.job)
        job_times[line.job] = (
            (line.starts_at, line.ends_at) if burned is None else (*burned, line.starts_at, line.ends_at)
        )
        if amount_fen:
            programme = state.programmes[reservation.programme]
            days = programme.unclaimed_fen.setdefault(programme.claimant(provider, command.holder), {})
            day = day_of(line.ends_at, utc_offset_seconds)
            days[day] = days.get(day, 0) + amount_fen
        statement.lines.append(number)
        statement.reservations.append(reservation.id)
        statement.jobs.append(line.job)
        statement.starts_at.append(line.starts_at)
        statement.ends_at.append(line.ends_at)
        statement.from_voucher_fen.append(amount_fen)
    state.statements.setdefault(provider, {})[command.ref] = statement
    state.statement_order.append((provider, command.ref))
    return tuple(
        _burn(state, provider, command.holder, reservation_id, amount_fen)
        for reservation_id, amount_fen in by_reservation.items()
        if amount_fen
    )


def burn_reversed(state: State, command: BurnReverse, event: Event) -> tuple[Posting, ...]:
    """One line is taken back: its money, and its job's time."""
    assert isinstance(event.outcome, Reversed)
    assert state.network is not None
    statement = state.statements[command.party][command.statement]
    place = statement.lines.index(command.line)
    reservation = state.reservations[statement.reservations[place]]
    statement.reversed_lines.append(command.line)
    job_times = state.job_times[command.party]
    job = statement.jobs[place]
    rest = without(job_times[job], statement.starts_at[place], statement.ends_at[place])
    if rest:
        job_times[job] = rest
    else:
        del job_times[job]
    programme = state.programmes[reservation.programme]
    claimant = programme.claimant(command.party, statement.holder)
    amount_fen = event.outcome.returned_fen
    if amount_fen:
        day = day_of(statement.ends_at[place], state.network.founding.utc_offset_seconds)
        days = programme.unclaimed_fen[claimant]
        days[day] -= amount_fen
        if not days[day]:
            del days[day]
    return put_back(state, "burned", claimant, reservation, amount_fen, event.outcome.to)


def _burn(state: State, provider: str, holder: str, reservation_id: str, amount_fen: int) -> Posting:
    programme = state.reservations[reservation_id].programme
    claimant = state.programmes[programme].claimant(provider, holder)
    return state.post(Posting(programme, "reserved", reservation_id, "burned", claimant, amount_fen))
