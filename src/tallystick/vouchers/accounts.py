"""Every account's balances and leaf, in order: what a seal commits to, and what a proof of a balance is made from."""

from collections.abc import Iterator
from typing import Final

from tallystick.vouchers.book import CARRIED_OVER, USED, lot_in
from tallystick.vouchers.seals import AccountLeaf, Touches
from tallystick.vouchers.state import State

_UNTOUCHED: Final = Touches()
_OF_PAYEES: Final = {"burned": "unclaimed_fen", "claimed": "claimed_fen", "paid": "paid_fen"}

Balances = dict[str, int]


def account_leaves(state: State) -> Iterator[tuple[str, bytes]]:
    """Yield each account's name and leaf, in the order of their names' bytes (docs/rules.md, "Sealed books")."""
    balances = account_balances(state)
    for account in sorted(balances):
        touches = state.touches.get(account, _UNTOUCHED)
        yield account, AccountLeaf.of(account, balances[account], touches).to_bytes()


def account_balances(state: State) -> dict[str, Balances]:
    """Return each account's balances (docs/rules.md, "Sealed books")."""
    balances: dict[str, Balances] = {}
    for party_id, party in state.parties.items():
        if party.role in ("holder", "provider"):
            balances[f"{party.role} {party_id}"] = dict.fromkeys(_OF_PAYEES.values(), 0)
        if party.role == "holder":
            balances[f"holder {party_id}"] |= {"available_fen": 0, "burned_fen": 0, "reserved_fen": 0}
    for programme_id, programme in state.programmes.items():
        totals = {f"{account}_fen": amount_fen for account, amount_fen in state.book.totals[programme_id].items()}
        balances[f"programme {programme_id}"] = {**totals, "envelope_fen": programme.envelope_fen}
    for voucher_id, voucher in state.vouchers.items():
        of_voucher = {"available_fen": 0, "burned_fen": 0, "reserved_fen": 0, "face_fen": voucher.face_fen}
        balances[f"voucher {voucher_id}"] = of_voucher
    _add_book(state, balances)
    return balances


def _add_book(state: State, balances: dict[str, Balances]) -> None:
    """Add what lies in vouchers and reservations to their vouchers, holders and payees."""
    for account in ("available", "reserved", *USED):
        name = "burned_fen" if account in USED else f"{account}_fen"
        for account_id, amount_fen in state.book.balances[account].items():
            voucher_id = state.voucher_of(account, account_id)
            assert voucher_id is not None
            balances[f"voucher {voucher_id}"][name] += amount_fen
            balances[f"holder {state.vouchers[voucher_id].holder}"][name] += amount_fen
            if account in USED:
                contract = lot_in(account, account_id).contract
                if contract == CARRIED_OVER:
                    continue  # whom it was paid to, no entry says
                payee = state.claimant(state.vouchers[voucher_id].programme, contract)
                if payee is not None:  # else the first to claim of both sides of the contract
                    balances[f"{state.parties[payee].role} {payee}"][_OF_PAYEES[account]] += amount_fen
