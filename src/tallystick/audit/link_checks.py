"""What a state refers to is there, and what it keeps twice agrees: else no sum over it would mean anything.

    key            of a party that has it in its list, under the label that is in it
    programme      of a treasury; no amount in its rules is below zero or too large
    account        of a thing that is there, and not below zero
    mandate        of a treasury, to an operator; what left by it is at most what it is for
    application    of a programme and a holder; what was issued for it is at most what it asks for
    attestation    by an attester, on something that is there
    voucher        of a programme, a holder and, if it was transferred, a voucher of the same programme
    reservation    of a voucher, with its programme and holder, and of a provider
    claim          of a programme, a claimant and lots that are there, up to a day that is over
    demand         of a programme and a payee, not below zero
    left           not there any more; it left with a seal
    statement      in the order of statements, once; its columns fit together; its reservations are of its provider

A rule relies on each of these. They show a changed saved state where no amount was changed.
"""

from collections.abc import Container, Iterator
from itertools import pairwise
from typing import Final

from tallystick.audit.statement_checks import broken_statements
from tallystick.vouchers.book import CARRIED_OVER, PROGRAMME_ACCOUNTS, AnyAccount, dated_lot_of
from tallystick.vouchers.quantities import INTEGER_MAX
from tallystick.vouchers.state import Leaving, State

_ROLES_OF_SUMS: Final[dict[AnyAccount, str]] = {
    "appropriated": "treasury",
    "held": "holder",
    "past_held": "holder",
    "promised": "provider",
    "past_promised": "provider",
}
_ENDS: Final = ("revoked", "expired")


def broken_links(state: State, believed: int) -> Iterator[str]:
    """Yield what in a state refers to nothing, or to something that doesn't agree: which, and how.

    Args:
        state: to look at.
        believed: as `broken_statements` takes it.
    """
    if state.size and state.network is None:
        yield f"the network isn't there after {state.size} entries"
    yield from _of_keys(state)
    of_programmes = list(_of_programmes(state))
    yield from of_programmes
    if of_programmes:
        return  # by whose rules the rest is, can't be told
    yield from _of_mandates(state)
    yield from _of_accounts(state)
    yield from _of_applications(state)
    yield from _of_attestations(state)
    yield from _of_vouchers(state)
    yield from _of_contracts(state)
    yield from _of_reservations(state)
    yield from _of_claims(state)
    yield from broken_statements(state, believed)
    yield from _of_what_left(state)


def _of_keys(state: State) -> Iterator[str]:
    for label, key in state.keys.items():
        party = state.parties.get(key.party)
        if party is None or party.keys.count(label) != 1:
            yield f"key {label}: {key.party} doesn't have it in its list once"
        if not key.vkey.startswith(f"{label}+"):
            yield f"key {label}: it is {key.vkey}"
    for label in sorted(state.keys.keys() ^ set(state.public_keys.values())):
        yield f"key {label}: it isn't there, or is not found by its public key"
    for name, party in state.parties.items():
        for label in sorted({*party.keys} - state.keys.keys()):
            yield f"party {name}: its key {label} isn't there"
        if party.officers is not None and not 0 <= party.officers.threshold_fen <= INTEGER_MAX:
            yield f"party {name}: the threshold of its officers is {party.officers.threshold_fen} fen"


def _of_programmes(state: State) -> Iterator[str]:
    for name, programme in state.programmes.items():
        if programme.treasury not in state.parties:
            yield f"programme {name}: its treasury {programme.treasury} isn't there"
        if not programme.versions:
            yield f"programme {name}: it has no rules"
        for version in programme.versions:
            cap = version.rules.cap
            limits_fen = (cap.floor_fen, cap.holder_fen, programme.envelope_fen)
            if min(limits_fen) < 0 or max(limits_fen) > INTEGER_MAX or cap.floor_fen > cap.holder_fen:
                yield f"programme {name}: its floor, cap and envelope are {', '.join(map(str, limits_fen))} fen"
            named = {attester for gate in version.rules.gates for attester in gate.attesters}
            for attester in sorted(named - state.parties.keys()):
                yield f"programme {name}: there is no attester {attester}, whom a gate of it names"


def _of_mandates(state: State) -> Iterator[str]:
    for name, mandate in state.mandates.items():
        treasury, operator = state.parties.get(mandate.treasury), state.parties.get(mandate.operator)
        if treasury is None or treasury.role != "treasury" or operator is None or operator.role != "operator":
            yield f"mandate {name}: its treasury or its operator isn't there"
        programme = None if mandate.programme is None else state.programmes.get(mandate.programme)
        if mandate.programme is not None and (programme is None or programme.treasury != mandate.treasury):
            yield f"mandate {name}: its programme {mandate.programme} isn't there, or of another treasury"
        used_fen = state.book["mandated", name]
        if not 0 <= used_fen <= mandate.total_fen <= INTEGER_MAX or not 0 <= mandate.each_fen <= INTEGER_MAX:
            yield (
                f"mandate {name}: it is for {mandate.total_fen} fen, {mandate.each_fen} fen of them at once, "
                f"and {used_fen} fen left its treasury by it"
            )


def _of_accounts(state: State) -> Iterator[str]:
    for account, balances in state.book.balances.items():
        for account_id, amount_fen in balances.items():
            if (account == "envelope") != (amount_fen < 0):
                yield f"{account} {account_id}: it holds {amount_fen} fen"
            if not _is_known(state, account, account_id):
                yield f"{account} {account_id}: there is nothing of that id, and it holds {amount_fen} fen"
    for name in sorted(state.book.totals.keys() ^ state.programmes.keys()):
        yield f"programme {name}: it has a book and no rules, or rules and no book"
    for name, totals in state.book.totals.items():
        if totals.keys() != set(PROGRAMME_ACCOUNTS):
            yield f"programme {name}: it has totals of {', '.join(totals) or 'no account'}"


def _is_known(state: State, account: AnyAccount, account_id: str) -> bool:
    if account in ("envelope", "unissued"):
        return account_id in state.programmes
    if account == "past_returned":
        programme, _, end = account_id.partition(" ")
        return programme in state.programmes and end in _ENDS
    if account in ("past_settled", "past_forfeited"):
        programme, _, rest = account_id.partition(" ")
        payees = state.parties if account == "past_settled" else ()
        return programme in state.programmes and (rest == CARRIED_OVER or rest in state.contracts or rest in payees)
    if account == "past_issued":
        return account_id in state.programmes
    if account in ("granted", "past_granted"):
        treasury, _, rest = account_id.partition(" ")
        return treasury in state.parties and rest.rpartition(" ")[2] in state.parties
    if account in _ROLES_OF_SUMS:
        return account_id in state.parties and state.parties[account_id].role == _ROLES_OF_SUMS[account]
    if account in ("reserved", "taken", "released", "forgotten"):
        return account_id in state.reservations
    if account == "mandated":
        return account_id in state.mandates
    if account in ("charged", "absorbed", "forgotten_charged", "forgotten_absorbed"):
        return account_id in state.contracts
    if account == "claimed":
        claim_id, _, lot_id = account_id.partition(" ")
        return claim_id in state.claims and _is_lot(state, lot_id)
    if account == "burned":
        return _is_dated_lot(state, account_id)
    if account in ("withheld", "settled", "forfeited"):
        return _is_lot(state, account_id)
    if account in ("paid", "past_received"):
        programme, _, payee = account_id.partition(" ")
        return programme in state.programmes and (payee == CARRIED_OVER or payee in state.parties)
    if account in ("receivable", "received"):
        return account_id in state.demands
    return account_id in state.vouchers


def _is_dated_lot(state: State, burned_id: str) -> bool:
    try:
        dated = dated_lot_of(burned_id)
    except ValueError:
        return False
    return dated.burned_id == burned_id and _is_lot(state, dated.lot.id)


def _is_lot(state: State, lot_id: str) -> bool:
    voucher, _, contract = lot_id.partition(" ")
    return voucher in state.vouchers and (contract == CARRIED_OVER or contract in state.contracts)


def _of_applications(state: State) -> Iterator[str]:
    for name, application in state.applications.items():
        holder = state.parties.get(application.holder)
        if application.programme not in state.programmes or holder is None or holder.role != "holder":
            yield f"application {name}: its programme or its holder isn't there"
        if not 0 <= application.past_issued_fen <= application.issued_fen <= application.amount_fen <= INTEGER_MAX:
            yield (
                f"application {name}: it asks for {application.amount_fen} fen, "
                f"and {application.issued_fen} fen were issued for it"
            )


def _of_attestations(state: State) -> Iterator[str]:
    there = {f"application {name}" for name, one in state.applications.items() if not one.withdrawn}
    there |= {f"claim {name}" for name in state.claims} | {f"{one.role} {name}" for name, one in state.parties.items()}
    there |= {f"contract {name}" for name in state.contracts}
    attesters = {name for name, party in state.parties.items() if party.role == "attester"}
    for subject, by_topic in state.attestations.items():
        if subject not in there:
            yield f"{subject}: there are attestations on it, and it isn't there"
        contract = state.contracts.get(subject.removeprefix("contract "))
        sides = {contract.holder, contract.provider} if contract and subject.startswith("contract ") else set[str]()
        given = {name for by_attester in by_topic.values() for name in by_attester}
        for attester in sorted(given - attesters - sides):
            yield f"{subject}: there is no attester {attester}, who gave a verdict on it"


def _of_vouchers(state: State) -> Iterator[str]:
    for name, voucher in state.vouchers.items():
        parent = state.vouchers.get(voucher.parent or name)
        if voucher.programme not in state.programmes or parent is None or parent.programme != voucher.programme:
            yield f"voucher {name}: its programme or the voucher that it came out of isn't there"
        elif not 0 <= voucher.rules_version < len(state.programmes[voucher.programme].versions):
            yield f"voucher {name}: its programme has no rules of version {voucher.rules_version}"
        if voucher.holder not in state.parties:
            yield f"voucher {name}: its holder {voucher.holder} isn't there"
        if voucher.contract is not None and voucher.contract not in state.contracts:
            yield f"voucher {name}: its contract {voucher.contract} isn't there"


def _of_reservations(state: State) -> Iterator[str]:
    for name, reservation in state.reservations.items():
        held = state.vouchers.get(reservation.voucher)
        if held is None or (held.programme, held.holder) != (reservation.programme, reservation.holder):
            yield f"reservation {name}: it is of another programme or holder than its voucher"
        if reservation.id != name:
            yield f"reservation {name}: it says that it is {reservation.id}"
        contract = state.contracts.get(reservation.contract)
        if contract is None or (contract.provider, contract.holder) != (reservation.provider, reservation.holder):
            yield f"reservation {name}: it is of another provider or holder than its contract"
        elif (name in contract.reservations) == reservation.closed or reservation.programme not in contract.programmes:
            yield f"reservation {name}: its contract {reservation.contract} lists it, or its programme, otherwise"


def _of_contracts(state: State) -> Iterator[str]:
    for name, contract in state.contracts.items():
        for party in (contract.provider, contract.holder):
            if party not in state.parties:
                yield f"contract {name}: its side {party} isn't there"
        if state.documents.get(contract.document_hash) != name:
            yield f"contract {name}: its document is of another, or of none"
        if any(one not in state.programmes for one in contract.programmes):
            yield f"contract {name}: a programme that pays for it isn't there"
        elif all(state.programmes[one].versions for one in contract.programmes) and [*contract.programmes] != sorted(
            contract.programmes, key=lambda one: state.programmes[one].rules.rank
        ):
            yield f"contract {name}: its programmes aren't in the order of their ranks"
        if len({*contract.programmes}) != len(contract.programmes):
            yield f"contract {name}: it has a programme twice"
        of_it = [one for one in contract.reservations if one in state.reservations]
        if len({*of_it}) != len(contract.reservations) or any(
            state.reservations[one].contract != name for one in of_it
        ):
            yield f"contract {name}: its open reservations are {', '.join(contract.reservations)}"
        for item, prices in contract.prices.items():
            if not prices or any(one[0] >= other[0] for one, other in pairwise(prices)):
                yield f"contract {name}: its prices of {item} aren't in order"
    for document, name in state.documents.items():
        if name and name.partition(" ")[0] not in (state.parties if " " in name else state.contracts):
            yield f"document {document}: it is of {name}, which isn't there"


def _of_claims(state: State) -> Iterator[str]:
    for name, claim in state.claims.items():
        if not 0 < claim.index < state.size:
            yield f"claim {name}: it is of entry {claim.index}"
        if not 0 <= claim.last_day < state.day_of(state.at):
            yield f"claim {name}: its last day, {claim.last_day} days after 1970-01-01, is not over"
        if claim.programme not in state.programmes or claim.claimant not in state.parties:
            yield f"claim {name}: its programme or its claimant isn't there"
        for lot_id in claim.lots:
            if not _is_lot(state, lot_id):
                yield f"claim {name}: there is no lot {lot_id}"
    for name, demand in state.demands.items():
        if demand.programme not in state.programmes or demand.payee not in state.parties:
            yield f"demand {name}: its programme or its payee isn't there"
        if not 0 < demand.amount_fen <= INTEGER_MAX:
            yield f"demand {name}: it is of {demand.amount_fen} fen"


def _of_what_left(state: State) -> Iterator[str]:
    there: dict[Leaving, Container[str]] = {
        "application": state.applications,
        "claim": state.claims,
        "contract": state.contracts,
        "demand": state.demands,
        "mandate": state.mandates,
        "reservation": state.reservations,
        "voucher": state.vouchers,
    }
    seals = {seal.index for seal in state.seals.values()}
    for kind, left in state.left.items():
        for name, seal_index in left.items():
            if name in there[kind] or seal_index not in seals:
                yield f"{kind} {name}: it left with entry {seal_index}, which is no seal, or it is still there"
