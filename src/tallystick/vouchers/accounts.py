"""Every account's balances and leaf, in order: what a seal commits to, and what a proof of a balance is made from."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from tallystick.vouchers.seals import Touches, leaf_of
from tallystick.vouchers.state import State

_UNTOUCHED: Final = Touches()

Balances = dict[str, int]


def account_leaves(state: State) -> Iterator[tuple[str, bytes]]:
    """Yield each account's name and leaf, in the order of their names' bytes (docs/rules.md, "Sealed books")."""
    balances = _balances(state)
    for account in sorted(balances):
        yield account, leaf_of(account, balances[account], state.touches.get(account, _UNTOUCHED))


def _balances(state: State) -> dict[str, Balances]:
    balances: dict[str, Balances] = {}
    for party_id, party in state.parties.items():
        if party.role in ("holder", "provider"):
            balances[f"{party.role} {party_id}"] = dict.fromkeys(_of_payees(), 0)
        if party.role == "holder":
            balances[f"holder {party_id}"] |= {"available_fen": 0, "burned_fen": 0, "reserved_fen": 0}
    _add_vouchers(state, balances)
    for programme_id, programme in state.programmes.items():
        book = {f"{account}_fen": amount_fen for account, amount_fen in programme.book.items()}
        balances[f"programme {programme_id}"] = {**book, "envelope_fen": programme.rules.envelope_fen}
        for claimant, days in programme.unclaimed_fen.items():
            balances[_payee(state, claimant)]["unclaimed_fen"] += sum(days.values())
    for claim in state.claims.values():
        if claim.status != "rejected":
            account = "paid_fen" if claim.status == "paid" else "claimed_fen"
            balances[_payee(state, claim.claimant)][account] += claim.amount_fen
    return balances


def _add_vouchers(state: State, balances: dict[str, Balances]) -> None:
    reserved_fen: defaultdict[str, int] = defaultdict(int)
    for reservation in state.reservations.values():
        reserved_fen[reservation.voucher] += reservation.remaining_fen
    for voucher_id, voucher in state.vouchers.items():
        of_voucher = {
            "available_fen": voucher.available_fen,
            "burned_fen": voucher.burned_fen,
            "reserved_fen": reserved_fen[voucher_id],
        }
        of_holder = balances[f"holder {voucher.holder}"]
        for name, amount_fen in of_voucher.items():
            of_holder[name] += amount_fen
        balances[f"voucher {voucher_id}"] = {**of_voucher, "face_fen": voucher.face_fen}


def _of_payees() -> tuple[str, ...]:
    return ("claimed_fen", "paid_fen", "unclaimed_fen")


def _payee(state: State, party: str) -> str:
    return f"{state.parties[party].role} {party}"
