"""Accounts' balances and leaves, in order: what a seal commits to, and what a proof of a balance is made from.

A seal has the accounts that are open, and those that were touched since the seal before. So one that has ended is in
the first seal after its last entry, and in no later one: that seal goes on proving what it ended with.
"""

from collections.abc import Iterator
from typing import Final

from tallystick.vouchers.book import CARRIED_OVER, AnyAccount, lot_in
from tallystick.vouchers.contracts import Contract
from tallystick.vouchers.seals import AccountLeaf, Touches
from tallystick.vouchers.state import State

_UNTOUCHED: Final = Touches()
_OF_PAYEES: Final = ("unclaimed_fen", "withheld_fen", "claimed_fen", "paid_fen", "receivable_fen")
_OWED: Final[dict[AnyAccount, str]] = {"burned": "unclaimed_fen", "withheld": "withheld_fen", "claimed": "claimed_fen"}
_LOTS: Final[dict[AnyAccount, str]] = _OWED | {"settled": "settled_fen", "forfeited": "forfeited_fen"}
_PAST_LOTS: Final[dict[AnyAccount, str]] = {"past_settled": "settled_fen", "past_forfeited": "forfeited_fen"}

Balances = dict[str, int]


def account_leaves(state: State) -> Iterator[tuple[str, bytes]]:
    """Yield name and leaf of each account of the next seal, in the order of their names' bytes.

    docs/rules.md, "Sealed books".
    """
    balances = account_balances(state)
    since = next(reversed(state.seals.values())).index if state.seals else -1
    for account in sorted(balances):
        touches = state.touches.get(account, _UNTOUCHED)
        if touches.last > since or is_open(state, account, balances[account]):
            yield account, AccountLeaf.of(account, balances[account], touches).to_bytes()


def is_open(state: State, account: str, balances: Balances) -> bool:
    """Return whether every seal has an account, touched or not: parties and programmes, and what hasn't ended."""
    kind, _, name = account.partition(" ")
    if kind == "voucher":
        return not state.vouchers[name].has_ended or balances["reserved_fen"] > 0
    if kind == "contract":
        return contract_is_open(state, state.contracts[name]) or any(balances[one] for one in _OWED.values())
    return True


def contract_is_open(state: State, contract: Contract) -> bool:
    """Return whether something may still be burned under a contract, or taken back, whatever is owed."""
    return contract.last_day >= state.day_of(state.at - state.burn_window_us)


def account_balances(state: State) -> dict[str, Balances]:
    """Return the balances (fen) of every account in the state, by its name."""
    balances: dict[str, Balances] = {}
    for party_id, party in state.parties.items():
        if party.role in ("holder", "provider"):
            balances[f"{party.role} {party_id}"] = dict.fromkeys(_OF_PAYEES, 0)
        if party.role == "holder":
            used_fen = state.book["past_held", party_id]
            balances[f"holder {party_id}"] |= {"available_fen": 0, "burned_fen": used_fen, "reserved_fen": 0}
    for programme_id, programme in state.programmes.items():
        totals = {f"{account}_fen": amount_fen for account, amount_fen in state.book.totals[programme_id].items()}
        balances[f"programme {programme_id}"] = {**totals, "envelope_fen": programme.envelope_fen}
        treasury = balances.setdefault(f"treasury {programme.treasury}", dict.fromkeys(("envelope_fen", *totals), 0))
        for name, amount_fen in balances[f"programme {programme_id}"].items():
            treasury[name] += amount_fen
    for voucher_id, voucher in state.vouchers.items():
        balances[f"voucher {voucher_id}"] = {
            "available_fen": 0,
            "burned_fen": 0,
            "reserved_fen": 0,
            "face_fen": voucher.face_fen,
            "returned_fen": state.book["returned", voucher_id],
            "transferred_fen": state.book["transferred", voucher_id],
        }
    for contract_id, contract in state.contracts.items():
        balances[f"contract {contract_id}"] = dict.fromkeys(_LOTS.values(), 0) | {
            "absorbed_fen": state.book["absorbed", contract_id],
            "amount_fen": contract.amount_fen,
            "charged_fen": state.book["charged", contract_id],
            "other_support_fen": contract.other_support_fen,
        }
    _add_book(state, balances)
    return balances


def _add_book(state: State, balances: dict[str, Balances]) -> None:
    """Add what lies in vouchers, reservations and lots to their vouchers, holders, contracts and payees."""
    for account in ("available", "reserved", *_LOTS):
        name = "burned_fen" if account in _LOTS else f"{account}_fen"
        for account_id, amount_fen in state.book.balances[account].items():
            voucher_id = state.voucher_of(account, account_id)
            assert voucher_id is not None
            voucher = state.vouchers[voucher_id]
            balances[f"voucher {voucher_id}"][name] += amount_fen
            balances[f"holder {voucher.holder}"][name] += amount_fen
            contract = lot_in(account, account_id).contract if account in _LOTS else CARRIED_OVER
            if contract == CARRIED_OVER:
                continue  # whom that was paid to, no entry says
            balances[f"contract {contract}"][_LOTS[account]] += amount_fen
            payee = state.claimant(voucher.programme, contract)
            if account in _OWED and payee is not None:  # else the first to claim of both sides of the contract
                balances[f"{state.parties[payee].role} {payee}"][_OWED[account]] += amount_fen
    for past, name in _PAST_LOTS.items():
        for account_id, amount_fen in state.book.balances[past].items():
            contract = account_id.partition(" ")[2]
            if contract in state.contracts:  # else of those that have left, or from before the log
                balances[f"contract {contract}"][name] += amount_fen
    for account_id, amount_fen in state.book.balances["paid"].items():
        payee = account_id.rpartition(" ")[2]
        if payee != CARRIED_OVER:
            balances[f"{state.parties[payee].role} {payee}"]["paid_fen"] += amount_fen
    for demand_id, amount_fen in state.book.balances["receivable"].items():
        payee = state.demands[demand_id].payee
        balances[f"{state.parties[payee].role} {payee}"]["receivable_fen"] += amount_fen
