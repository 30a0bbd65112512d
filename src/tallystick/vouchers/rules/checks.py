"""What several rules refuse; each check returns the first reason against it, or nothing."""

from collections.abc import Container, Iterable
from typing import Literal

from tallystick.vouchers.holdings import Voucher
from tallystick.vouchers.quantities import INTEGER_MAX
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.state import Leaving, State


def check_new_id(new_id: str, party: str, *taken: Container[str]) -> Refusal | None:
    """Refuse an id outside the party's own namespace, or taken: by what is there, or by what has left."""
    if not new_id.startswith(f"{party}/"):
        return Refusal(Reason.ID_OUTSIDE_OWN_NAMESPACE, f"{new_id} must begin with {party}/")
    if any(new_id in ids for ids in taken):
        return Refusal(Reason.ID_ALREADY_USED, new_id)
    return None


def unknown(state: State, reason: Reason, kind: Leaving, name: str) -> Refusal:
    """Return the refusal of what isn't there; of what was there and has left, it says so."""
    index = state.left[kind].get(name)
    return Refusal(reason, name if index is None else f"{name} ended, and left the books with entry {index}", index)


def check_own_programme(state: State, programme: str, treasury: str) -> Refusal | None:
    """Refuse a programme that isn't there, or is another treasury's."""
    if programme not in state.programmes:
        return Refusal(Reason.PROGRAMME_UNKNOWN, programme)
    owner = state.programmes[programme].treasury
    return None if owner == treasury else Refusal(Reason.NOT_OWN_PROGRAMME, f"{programme} is of {owner}")


def check_provider(state: State, provider: str) -> Refusal | None:
    """Refuse who isn't a provider."""
    party = state.admitted(provider)
    return None if party and party.role == "provider" else Refusal(Reason.PROVIDER_UNKNOWN, provider)


def check_holder(state: State, holder: str) -> Refusal | None:
    """Refuse who isn't a holder."""
    party = state.admitted(holder)
    return None if party and party.role == "holder" else Refusal(Reason.HOLDER_UNKNOWN, holder)


def check_receiving_holder(state: State, holder: str) -> Refusal | None:
    """Refuse who isn't a holder, or is suspended."""
    refusal = check_holder(state, holder)
    if refusal:
        return refusal
    return Refusal(Reason.RECEIVER_SUSPENDED, holder) if state.parties[holder].suspended else None


def check_items(state: State, items: Iterable[str]) -> Refusal | None:
    """Refuse an item that isn't registered."""
    for item in items:
        if item not in state.items:
            return Refusal(Reason.ITEM_UNKNOWN, item)
    return None


def check_application(state: State, application: str) -> Refusal | None:
    """Refuse an application that isn't there, or was withdrawn."""
    there = state.applications.get(application)
    if there is None:
        return unknown(state, Reason.APPLICATION_UNKNOWN, "application", application)
    return Refusal(Reason.APPLICATION_WITHDRAWN, application) if there.withdrawn else None


def check_named(
    state: State, programme: str, holder: str, application: str | None, contract: str | None, at: int
) -> Refusal | None:
    """Refuse an issue without the application or contract that a gate is of, and one for another's application."""
    refusal = None if application is None else check_application(state, application)
    if refusal:
        return refusal
    gates = state.programmes[programme].rules_at(at).gates
    if application is None and any(gate.asks_for("application") for gate in gates):
        return Refusal(Reason.APPLICATION_MISSING, programme)
    if contract is None and any(gate.asks_for("contract") for gate in gates):
        return Refusal(Reason.CONTRACT_MISSING, programme)
    if application is None:
        return None
    there = state.applications[application]
    if (there.programme, there.holder) != (programme, holder) or there.contract not in (None, contract):
        under = "" if there.contract is None else f" under {there.contract}"
        detail = f"{application} is of {there.holder} for {there.programme}{under}"
        return Refusal(Reason.APPLICATION_DIFFERS, detail)
    return None


def check_asked_for(state: State, application: str | None, amount_fen: int) -> Refusal | None:
    """Refuse more than an application still asks for."""
    if application is None:
        return None
    left_fen = state.applications[application].amount_fen - state.applications[application].issued_fen
    if amount_fen > left_fen:
        detail = f"{application} asks for {left_fen} fen more"
        return Refusal(Reason.EXCEEDS_APPLICATION, detail, limit_fen=left_fen)
    return None


def check_own_voucher(state: State, voucher_id: str, holder: str) -> Refusal | None:
    """Refuse a voucher that isn't there, or is another holder's."""
    voucher = state.vouchers.get(voucher_id)
    if voucher is None:
        return unknown(state, Reason.VOUCHER_UNKNOWN, "voucher", voucher_id)
    return None if voucher.holder == holder else Refusal(Reason.NOT_OWN_VOUCHER, f"{voucher_id} is of {voucher.holder}")


def check_good(voucher: Voucher, voucher_id: str, at: int) -> Refusal | None:
    """Refuse a voucher that is suspended, has ended, or is no longer valid."""
    if voucher.status == "suspended":
        return Refusal(Reason.VOUCHER_SUSPENDED, voucher_id)
    return Refusal(Reason.VOUCHER_ENDED, voucher_id) if voucher.is_spent_time(at) else None


def check_cap(state: State, programme_id: str, holder: str, amount_fen: int, at: int) -> Refusal | None:
    """Refuse more than a holder may still be granted, under all programmes of the treasury, year and cap group."""
    programme = state.programmes[programme_id]
    granted_fen = state.book["granted", programme.granted_id(holder, at)]
    room_fen = max(0, programme.rules_at(at).cap.holder_fen - granted_fen)  # another programme's cap may be higher
    if amount_fen > room_fen:
        return Refusal(Reason.EXCEEDS_HOLDER_CAP, f"{holder} has room for {room_fen} fen", limit_fen=room_fen)
    return None


def check_holders_contract(state: State, contract_id: str, holder: str) -> Refusal | None:
    """Refuse a contract that isn't there, or isn't this holder's."""
    contract = state.contracts.get(contract_id)
    if contract is None:
        return unknown(state, Reason.CONTRACT_UNKNOWN, "contract", contract_id)
    if contract.holder == holder:
        return None
    return Refusal(Reason.NOT_OWN_CONTRACT, f"{contract_id} is of {contract.holder}")


def check_own_contract(state: State, contract_id: str, party: str) -> Refusal | None:
    """Refuse a contract that isn't there, or isn't of this party."""
    contract = state.contracts.get(contract_id)
    if contract is None:
        return unknown(state, Reason.CONTRACT_UNKNOWN, "contract", contract_id)
    if party in (contract.holder, contract.provider):
        return None
    return Refusal(Reason.NOT_OWN_CONTRACT, f"{contract_id} is of {contract.holder} and {contract.provider}")


def check_sum(
    state: State, account: Literal["appropriated", "held", "promised"], party: str, amount_fen: int, before_fen: int = 0
) -> Refusal | None:
    """Refuse what would take a party's sum over all programmes beyond what every reader of JSON takes exactly.

    The amount takes the place of another, `before_fen`, that is in the sum already.
    """
    room_fen = INTEGER_MAX - state.book[account, party] + before_fen
    if amount_fen > room_fen:
        return Refusal(Reason.SUM_TOO_LARGE, f"{party} has room for {room_fen} fen", limit_fen=room_fen)
    return None


def check_available(state: State, voucher_id: str, amount_fen: int) -> Refusal | None:
    """Refuse more than is available of a voucher."""
    available_fen = state.book["available", voucher_id]
    if amount_fen > available_fen:
        detail = f"{available_fen} fen are available"
        return Refusal(Reason.EXCEEDS_AVAILABLE_BALANCE, detail, limit_fen=available_fen)
    return None
