"""What a state refers to is there, and what it keeps twice agrees: else no sum over it would mean anything.

    key            of a party that has it in its list, under the label that is in it
    programme      of a treasury; no amount in its rules is below zero or too large
    account        of a thing that is there, and not below zero
    application    of a programme and a holder; what was issued for it is at most what it asks for
    attestation    by an attester, on something that is there
    voucher        of a programme, a holder and, if it was transferred, a voucher of the same programme
    reservation    of a voucher, with its programme and holder, and of a provider
    claim          in its programme's list of its claimant's claims, once, in the order of entries
    statement      in the order of statements, once; its columns fit together; its reservations are of its provider

A rule relies on each of these. They show a changed saved state where no amount was changed.
"""

import struct
from collections.abc import Iterator
from itertools import pairwise

from tallystick.vouchers.book import PROGRAMME_ACCOUNTS, AnyAccount, lot_of, reservation_of
from tallystick.vouchers.burns import Statement
from tallystick.vouchers.quantities import INTEGER_MAX
from tallystick.vouchers.redemptions import Claim
from tallystick.vouchers.state import State


def broken_links(state: State) -> Iterator[str]:
    """Yield what in a state refers to nothing, or to something that doesn't agree: which, and how."""
    if state.size and state.network is None:
        yield f"the network isn't there after {state.size} entries"
    yield from _of_keys(state)
    yield from _of_programmes(state)
    yield from _of_accounts(state)
    yield from _of_applications(state)
    yield from _of_attestations(state)
    yield from _of_vouchers(state)
    yield from _of_reservations(state)
    yield from _of_claims(state)
    yield from _of_statements(state)


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
        rules = programme.rules
        limits_fen = (rules.holder_floor_fen, rules.holder_cap_fen, rules.envelope_fen)
        if min(limits_fen) < 0 or max(limits_fen) > INTEGER_MAX or rules.holder_floor_fen > rules.holder_cap_fen:
            yield f"programme {name}: its floor, cap and envelope are {', '.join(map(str, limits_fen))} fen"
        for attester in sorted({one for gate in rules.gates for one in gate.attesters} - state.parties.keys()):
            yield f"programme {name}: there is no attester {attester}, whom a gate of it names"


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
    if account == "granted":
        programme, _, holder = account_id.partition(" ")
        return programme in state.programmes and holder in state.parties
    if account in ("released", "forgotten"):
        return account_id in state.reservations
    if account == "claimed":
        claim_id, _, burned_id = account_id.partition(" ")
        return claim_id in state.claims and _is_lot(state, burned_id)
    if account == "burned":
        return _is_lot(state, account_id)
    return account_id in (state.vouchers if reservation_of(account, account_id) is None else state.reservations)


def _is_lot(state: State, burned_id: str) -> bool:
    try:
        lot = lot_of(burned_id)
    except ValueError:
        return False
    return lot.burned_id == burned_id and lot.reservation in state.reservations


def _of_applications(state: State) -> Iterator[str]:
    for name, application in state.applications.items():
        holder = state.parties.get(application.holder)
        if application.programme not in state.programmes or holder is None or holder.role != "holder":
            yield f"application {name}: its programme or its holder isn't there"
        if not 0 <= application.issued_fen <= application.amount_fen <= INTEGER_MAX:
            yield (
                f"application {name}: it asks for {application.amount_fen} fen, "
                f"and {application.issued_fen} fen were issued for it"
            )


def _of_attestations(state: State) -> Iterator[str]:
    there = {f"application {name}" for name, one in state.applications.items() if not one.withdrawn}
    there |= {f"claim {name}" for name in state.claims} | {f"{one.role} {name}" for name, one in state.parties.items()}
    attesters = {name for name, party in state.parties.items() if party.role == "attester"}
    for subject, by_topic in state.attestations.items():
        if subject not in there:
            yield f"{subject}: there are attestations on it, and it isn't there"
        for attester in sorted({name for by_attester in by_topic.values() for name in by_attester} - attesters):
            yield f"{subject}: there is no attester {attester}, who gave a verdict on it"


def _of_vouchers(state: State) -> Iterator[str]:
    for name, voucher in state.vouchers.items():
        parent = state.vouchers.get(voucher.parent or name)
        if voucher.programme not in state.programmes or parent is None or parent.programme != voucher.programme:
            yield f"voucher {name}: its programme or the voucher that it came out of isn't there"
        if voucher.holder not in state.parties:
            yield f"voucher {name}: its holder {voucher.holder} isn't there"


def _of_reservations(state: State) -> Iterator[str]:
    for name, reservation in state.reservations.items():
        held = state.vouchers.get(reservation.voucher)
        if held is None or (held.programme, held.holder) != (reservation.programme, reservation.holder):
            yield f"reservation {name}: it is of another programme or holder than its voucher"
        if reservation.id != name:
            yield f"reservation {name}: it says that it is {reservation.id}"
        if reservation.provider not in state.parties:
            yield f"reservation {name}: its provider {reservation.provider} isn't there"


def _of_claims(state: State) -> Iterator[str]:
    listed: set[str] = set()
    for programme, there in state.programmes.items():
        for claimant, ids in there.claims.items():
            known = [state.claims[name] for name in ids if name in state.claims]
            if len(known) != len(ids) or any(one.index >= other.index for one, other in pairwise(known)):
                yield f"programme {programme}: the claims of {claimant} are {', '.join(ids)}, not all there or in order"
            for name in ids:
                claim = state.claims.get(name)
                if claim and (claim.programme, claim.claimant) != (programme, claimant):
                    yield f"claim {name}: it is of {claim.programme} and {claim.claimant}, listed with {programme}"
            listed.update(ids)
    for name, claim in state.claims.items():
        if name not in listed:
            yield f"claim {name}: its programme doesn't list it"
        yield from _of_claim(state, name, claim)


def _of_claim(state: State, name: str, claim: Claim) -> Iterator[str]:
    if not 0 < claim.index < state.size or claim.first_day > claim.last_day:
        yield f"claim {name}: it is of entry {claim.index}, for days {claim.first_day} to {claim.last_day}"
    rejected = claim.rejected_index
    if (claim.status == "rejected") != (rejected is not None):
        yield f"claim {name}: it is {claim.status}, and {'no' if rejected is None else 'an'} entry rejected it"
    if rejected is not None and not claim.index < rejected < state.size:
        yield f"claim {name}: it is of entry {claim.index}, and entry {rejected} rejected it"
    for burned_id in claim.lots:
        if not _is_lot(state, burned_id):
            yield f"claim {name}: its lot {burned_id} is of no reservation"


def _of_statements(state: State) -> Iterator[str]:
    there = {(provider, ref): one for provider, refs in state.statements.items() for ref, one in refs.items()}
    order = [key for key in state.statement_order if key in there]
    for provider, ref in there.keys() ^ set(state.statement_order):
        yield f"statement {ref} of {provider}: it isn't there, or not in the order of statements"
    for one, other in pairwise(order):
        if (there[one].index, there[one].at) >= (there[other].index, there[other].at):
            yield f"statement {other[1]} of {other[0]}: it comes after {one[1]} of {one[0]}, whose entry is later"
    for (provider, ref), statement in there.items():
        if not 0 < statement.index < state.size or statement.at > state.at:
            yield f"statement {ref} of {provider}: it is of entry {statement.index}, which is not there yet"
        try:
            faults = list(_of_statement(state, provider, statement))
        except (struct.error, IndexError, ValueError):
            yield f"statement {ref} of {provider}: its lines can't be read"
            continue
        for fault in faults:
            yield f"statement {ref} of {provider}: {fault}"


def _of_statement(state: State, provider: str, statement: Statement) -> Iterator[str]:
    for name in statement.reservations:
        reservation = state.reservations.get(name)
        if reservation is None:
            yield f"it is of reservation {name}, which isn't there"
        elif (reservation.provider, reservation.holder) != (provider, statement.holder):
            yield f"it is of reservation {name}, which is of {reservation.provider} and {reservation.holder}"
    lines = list(statement.lines())
    numbers = {line.number for line in lines}
    if len(numbers) != len(lines) or len({*statement.reservations}) != len(statement.reservations):
        yield "it has a line or a reservation twice"
    if {line.reservation for line in lines} != {*statement.reservations}:
        yield "it has a reservation and no line of it"
    if any(line.from_voucher_fen < 0 or line.starts_at >= line.ends_at for line in lines):
        yield "a line takes less than nothing, or ends before it starts"
    if statement.ends_at != max([line.ends_at for line in lines], default=0):
        yield "the last of its lines ended at another time than it says"
    reversed_lines = statement.reversed_lines
    if len(reversed_lines) != len({*reversed_lines} & numbers):
        yield f"lines {reversed_lines} were taken back, one of them twice or not there"
