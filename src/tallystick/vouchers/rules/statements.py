"""What every statement does to the state, of lines or of one service: charged, paid, remembered."""

from operator import itemgetter

from tallystick.vouchers.book import DatedLot, Posting
from tallystick.vouchers.burns import Group, Statement, pack_payments
from tallystick.vouchers.outcomes import Burned
from tallystick.vouchers.rules.burn_lines import Corrected
from tallystick.vouchers.rules.reservations import close
from tallystick.vouchers.rules.rule import Accounts, Event, History, Names, Postings
from tallystick.vouchers.state import State


def record(
    state: State, event: Event, contract: str, groups: list[Group], days: list[int], corrected: list[Corrected]
) -> Postings:
    """Take a statement into the state, and return what it moves: one posting for each reservation and day.

    Args:
        state: before it.
        event: with its outcome.
        contract: under which it is.
        groups: its accepted lines.
        days: on which each line is booked, also the refused ones.
        corrected: the lines that its accepted lines stand for.
    """
    assert isinstance(event.outcome, Burned)
    outcome, provider = event.outcome, event.command.party
    state.book.note("charged", contract, sum(outcome.fee_fen))
    if outcome.absorbed:
        state.book.note("absorbed", contract, sum([amount_fen for _, amount_fen in outcome.absorbed]))
    for one in corrected:
        earlier = state.statements.get(provider, {}).get(one.statement)
        if earlier is not None:  # else in a part of a log, which nothing asks for it
            earlier.corrected_lines.append(one.line)
    statement = Statement(
        event.index,
        event.at,
        event.text_sha256,
        contract,
        groups,
        tuple(map(itemgetter(0), outcome.paid)),
        pack_payments(map(itemgetter(1), outcome.paid)),
        list(outcome.absorbed),
        [],
    )
    state.remember(provider, event.command.ref, statement)
    return _postings(state, outcome, contract, days)


def _postings(state: State, outcome: Burned, contract: str, days: list[int]) -> Postings:
    """Return what each reservation paid, by day; one of which nothing is left closes itself."""
    postings: list[Posting] = []
    for reservation_id, lines in outcome.paid:
        reservation = state.reservations[reservation_id]
        total_fen = sum(lines)
        if days.count(days[0]) == len(days) == len(lines):
            taken_fen = {days[0]: total_fen}
        else:
            taken_fen = {}
            for day, amount_fen in zip(days, lines, strict=True):
                taken_fen[day] = taken_fen.get(day, 0) + amount_fen
        if total_fen == state.book["reserved", reservation_id]:
            close(state, reservation)
        for day, amount_fen in taken_fen.items():
            if amount_fen:
                burned_id = DatedLot(reservation.voucher, contract, day).burned_id
                programme = reservation.programme
                postings.append(Posting(programme, "reserved", reservation_id, "burned", burned_id, amount_fen))
    return tuple(postings)


def statement_accounts(state: State, event: Event, contract_id: str) -> Accounts:
    """Return the accounts of a contract, its two sides, and voucher and programme of each reservation that paid."""
    assert isinstance(event.outcome, Burned)
    contract = state.contracts[contract_id]
    accounts = {f"contract {contract_id}", f"provider {contract.provider}", f"holder {contract.holder}"}
    for reservation_id, _ in event.outcome.paid:
        reservation = state.reservations[reservation_id]
        accounts |= {f"voucher {reservation.voucher}", f"programme {reservation.programme}"}
    return accounts


def corrected_contracts(state: State, provider: str, corrected: list[Corrected]) -> Names:
    """Yield the contracts of the statements whose lines are corrected: no other line may correct these."""
    for one in corrected:
        earlier = state.statements[provider].get(one.statement)
        if earlier is not None:  # else in a part of a log
            yield f"life {earlier.contract}"


def statement_contract(history: History, asking: Event, ref: str) -> Names:
    """Return the contract of an earlier statement of the same provider, if there is one."""
    contract = history.contract_of_statement(asking.command.party, ref, asking.index)
    return [] if contract is None else [f"life {contract}"]
