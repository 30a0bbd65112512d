"""Every account's balances and leaf, in order: what a seal commits to, and what a proof of a balance is made from."""

from collections.abc import Iterator
from typing import Final

from tallystick.vouchers.book import CARRIED_OVER, AnyAccount, lot_in
from tallystick.vouchers.seals import AccountLeaf, Touches
from tallystick.vouchers.state import State

_UNTOUCHED: Final = Touches()
_OF_PAYEES: Final = ("unclaimed_fen", "withheld_fen", "claimed_fen", "paid_fen", "receivable_fen")
_OWED: Final[dict[AnyAccount, str]] = {"burned": "unclaimed_fen", "withheld": "withheld_fen", "claimed": "claimed_fen"}
_USED: Final[tuple[AnyAccount, ...]] = (*_OWED, "settled")

Balances = dict[str, int]


def account_leaves(state: State) -> Iterator[tuple[str, bytes]]:
    """Yield each account's name and leaf, in the order of their names' bytes (docs/rules.md, "Sealed books")."""
    balances = _balances(state)
    for account in sorted(balances):
        touches = state.touches.get(account, _UNTOUCHED)
        yield account, AccountLeaf.of(account, balances[account], touches).to_bytes()


def _balances(state: State) -> dict[str, Balances]:
    balances: dict[str, Balances] = {}
    for party_id, party in state.parties.items():
        if party.role in ("holder", "provider"):
            balances[f"{party.role} {party_id}"] = dict.fromkeys(_OF_PAYEES, 0)
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
    """Add what lies in vouchers, reservations and lots to their vouchers, holders and payees."""
    for account in ("available", "reserved", *_USED):
        name = "burned_fen" if account in _USED else f"{account}_fen"
        for account_id, amount_fen in state.book.balances[account].items():
            voucher_id = state.voucher_of(account, account_id)
            assert voucher_id is not None
            balances[f"voucher {voucher_id}"][name] += amount_fen
            balances[f"holder {state.vouchers[voucher_id].holder}"][name] += amount_fen
            if account in _OWED:
                contract = lot_in(account, account_id).contract
                payee = state.claimant(state.vouchers[voucher_id].programme, contract)
                if payee is not None:  # else the first to claim of both sides of the contract
                    balances[f"{state.parties[payee].role} {payee}"][_OWED[account]] += amount_fen
    for account_id, amount_fen in state.book.balances["paid"].items():
        payee = account_id.rpartition(" ")[2]
        if payee != CARRIED_OVER:  # whom that was paid to, no entry says
            balances[f"{state.parties[payee].role} {payee}"]["paid_fen"] += amount_fen
    for demand_id, amount_fen in state.book.balances["receivable"].items():
        payee = state.demands[demand_id].payee
        balances[f"{state.parties[payee].role} {payee}"]["receivable_fen"] += amount_fen
