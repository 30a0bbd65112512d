"""What has ended leaves the state with a seal; docs/rules.md, "What has ended leaves".

Nothing that leaves can be asked for again: it is over, nothing lies in it, and no statement that is remembered names
it. Its last balances are in that seal or an earlier one. What stays is its id, which is never used again, and in the
book the sums that later checks need (book.py, `past_…`).
"""

from collections.abc import Container, Iterable, Iterator
from typing import Final

from tallystick.vouchers.accounts import contract_is_open
from tallystick.vouchers.book import CARRIED_OVER, Account, AnyAccount, Memorandum, lot_in
from tallystick.vouchers.state import State

_HOLDING: Final[tuple[Account, ...]] = ("available", "reserved", "burned", "claimed", "withheld")
_OF_LOTS: Final[dict[Memorandum, Memorandum]] = {"settled": "past_settled", "forfeited": "past_forfeited"}
_OF_RESERVATIONS: Final[tuple[Memorandum, ...]] = ("taken", "released", "forgotten")
_OF_CONTRACTS: Final[tuple[Memorandum, ...]] = ("charged", "absorbed", "forgotten_charged", "forgotten_absorbed")


def let_go(state: State, seal_index: int) -> None:
    """Drop what has ended, as a seal is recorded.

    Vouchers go with their reservations and lots, and a voucher with all that were transferred out of it; then
    applications and contracts that nothing in the state names; settled claims of programmes without a voucher, so that
    as long there are verdicts on them; demands and mandates that are over; verdicts that are over, or are on something
    that has left.
    """
    _let_go_of_vouchers(state, seal_index)
    _let_go_of_applications(state, seal_index)
    _let_go_of_contracts(state, seal_index)
    _let_go_of_claims(state, seal_index)
    _let_go_of_verdicts(state)


def _let_go_of_vouchers(state: State, seal_index: int) -> None:
    book = state.book
    leaving = _vouchers_at_rest(state)
    for account, past in _OF_LOTS.items():
        for lot_id in _ids_of(state, account, leaving):
            voucher_id, contract = lot_id.split(" ")
            programme = state.vouchers[voucher_id].programme
            book.note(past, f"{programme} {contract}", book.drop(account, lot_id))
    for name in [name for name, one in state.reservations.items() if one.voucher in leaving]:
        reservation = state.reservations.pop(name)
        book.note("past_promised", reservation.provider, book["taken", name])
        for account in _OF_RESERVATIONS:
            book.drop(account, name)
        state.left["reservation"][name] = seal_index
    for name in leaving:
        voucher = state.vouchers.pop(name)
        returned_fen, transferred_fen = book.drop("returned", name), book.drop("transferred", name)
        if voucher.parent is None:
            book.note("past_issued", voucher.programme, voucher.face_fen)
        book.note("past_returned", f"{voucher.programme} {voucher.status}", returned_fen)
        book.note("past_granted", voucher.granted_id, voucher.face_fen - returned_fen)
        book.note("past_held", voucher.holder, voucher.face_fen - transferred_fen - returned_fen)
        if voucher.application is not None:
            state.applications[voucher.application].past_issued_fen += voucher.face_fen
        state.touches.pop(f"voucher {name}", None)
        state.left["voucher"][name] = seal_index


def _vouchers_at_rest(state: State) -> list[str]:
    """Return the vouchers that have ended and hold nothing, they and all that came out of the same one."""
    remembered = {name for refs in state.statements.values() for one in refs.values() for name in one.reservations}
    busy = {name for name, one in state.vouchers.items() if not one.has_ended}
    busy |= {state.reservations[name].voucher for name in remembered}
    for account in _HOLDING:
        for account_id in state.book.balances[account]:
            voucher_id = state.voucher_of(account, account_id)
            assert voucher_id is not None
            busy.add(voucher_id)
    origins = _origins(state)
    stay = {origins[name] for name in busy}
    return [name for name in state.vouchers if origins[name] not in stay]


def _origins(state: State) -> dict[str, str]:
    """Return by voucher which one was issued that it came out of by transfers; a part comes after its parent."""
    origins: dict[str, str] = {}
    for name, voucher in state.vouchers.items():
        origins[name] = name if voucher.parent is None else origins[voucher.parent]
    return origins


def _ids_of(state: State, account: AnyAccount, vouchers: Iterable[str]) -> list[str]:
    """Return the ids in an account of lots that are of some vouchers."""
    wanted = {*vouchers}
    return [name for name in state.book.balances[account] if lot_in(account, name).voucher in wanted]


def _let_go_of_applications(state: State, seal_index: int) -> None:
    named = {voucher.application for voucher in state.vouchers.values()}
    for name, application in [*state.applications.items()]:
        is_over = application.withdrawn or state.programmes[application.programme].closes_at <= state.at
        if is_over and name not in named:
            del state.applications[name]
            state.left["application"][name] = seal_index


def _let_go_of_contracts(state: State, seal_index: int) -> None:
    stay = {contract for contract in _named_contracts(state) if contract is not None}
    for account in ("burned", "claimed", "withheld"):
        stay |= {lot_in(account, account_id).contract for account_id in state.book.balances[account]}
    for name, contract in [*state.contracts.items()]:
        if name in stay or contract_is_open(state, contract):
            continue
        for programme in contract.programmes:
            settled_fen = state.book.drop("past_settled", f"{programme} {name}")
            state.book.note("past_settled", f"{programme} {state.claimant(programme, name)}", settled_fen)
            forfeited_fen = state.book.drop("past_forfeited", f"{programme} {name}")
            state.book.note("past_forfeited", f"{programme} {CARRIED_OVER}", forfeited_fen)
        for account in _OF_CONTRACTS:
            state.book.drop(account, name)
        del state.contracts[name]
        state.documents[contract.document_hash] = ""  # it is never used again, and this costs less than the id
        state.touches.pop(f"contract {name}", None)
        state.left["contract"][name] = seal_index


def _named_contracts(state: State) -> Iterator[str | None]:
    for voucher in state.vouchers.values():
        yield voucher.contract
    for application in state.applications.values():
        yield application.contract
    for reservation in state.reservations.values():
        yield reservation.contract
    for statements in state.statements.values():
        for statement in statements.values():
            yield statement.contract


def _let_go_of_claims(state: State, seal_index: int) -> None:
    programmes = {voucher.programme for voucher in state.vouchers.values()}
    over = [name for name, one in state.claims.items() if one.status == "settled" and one.programme not in programmes]
    for name in over:
        del state.claims[name]
        state.left["claim"][name] = seal_index
    for name in [name for name in state.demands if not state.book["receivable", name]]:
        demand = state.demands.pop(name)
        state.book.note("past_received", f"{demand.programme} {demand.payee}", state.book.drop("received", name))
        state.left["demand"][name] = seal_index
    for name in [name for name, one in state.mandates.items() if one.ended or one.until <= state.at]:
        del state.mandates[name]
        state.book.drop("mandated", name)
        state.left["mandate"][name] = seal_index


def _let_go_of_verdicts(state: State) -> None:
    there: dict[str, Container[str]] = {
        "application": state.applications,
        "claim": state.claims,
        "contract": state.contracts,
    }
    for subject, by_topic in [*state.attestations.items()]:
        subject_type, _, subject_id = subject.partition(" ")
        if subject_id not in there.get(subject_type, state.parties):
            del state.attestations[subject]
            continue
        for topic, by_attester in [*by_topic.items()]:
            for attester in [name for name, one in by_attester.items() if one.valid_until <= state.at]:
                del by_attester[attester]
            if not by_attester:
                del by_topic[topic]
        if not by_topic:
            del state.attestations[subject]
