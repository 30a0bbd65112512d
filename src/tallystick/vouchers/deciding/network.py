"""The network, its parties and their keys."""

from collections.abc import Iterable
from typing import Final

from stdnum.cn import uscc as uscc_number

from tallystick.signing.keys import VerifierKey
from tallystick.vouchers.commands import (
    KEYS_MAX,
    KeyAdd,
    KeyRevoke,
    NetworkFound,
    PartyAdmit,
    PartyReinstate,
    PartySuspend,
)
from tallystick.vouchers.events import Nothing
from tallystick.vouchers.refusals import Reason, Refusal
from tallystick.vouchers.state import State

_ADMITS: Final = {"network": ("treasury", "provider", "auditor", "operator"), "treasury": ("holder",)}


def network_found(state: State, command: NetworkFound, at: int) -> Nothing | Refusal:
    """Entry 0."""
    return _check_keys(state, command.party, command.root_keys) or Nothing()


def party_admit(state: State, command: PartyAdmit, at: int) -> Nothing | Refusal:
    """A new party, by whom its role allows."""
    if command.admitted in state.parties:
        return Refusal(Reason.PARTY_ALREADY_ADMITTED, command.admitted)
    role = state.parties[command.party].role
    if command.role not in _ADMITS[role]:
        return Refusal(Reason.ROLE_MAY_NOT_ADMIT, f"a {role} does not admit a {command.role}")
    return (
        _check_uscc(state, command)
        or _check_keys(state, command.admitted, command.keys)
        or _check_quorum(command)
        or Nothing()
    )


def party_suspend(state: State, command: PartySuspend, at: int) -> Nothing | Refusal:
    """By its admitter alone."""
    refusal = _check_under(state, command.subject, command.party, or_itself=False)
    if refusal:
        return refusal
    if state.parties[command.subject].suspended:
        return Refusal(Reason.SUBJECT_SUSPENDED, command.subject)
    return Nothing()


def party_reinstate(state: State, command: PartyReinstate, at: int) -> Nothing | Refusal:
    """By its admitter alone."""
    refusal = _check_under(state, command.subject, command.party, or_itself=False)
    if refusal:
        return refusal
    if not state.parties[command.subject].suspended:
        return Refusal(Reason.SUBJECT_NOT_SUSPENDED, command.subject)
    return Nothing()


def key_add(state: State, command: KeyAdd, at: int) -> Nothing | Refusal:
    """By the party itself, or by its admitter."""
    return (
        _check_under(state, command.subject, command.party, or_itself=True)
        or _check_keys(state, command.subject, (command.vkey,))
        or _check_room(state, command.subject)
        or Nothing()
    )


def key_revoke(state: State, command: KeyRevoke, at: int) -> Nothing | Refusal:
    """By the party itself, which must stay able to sign, or by its admitter."""
    key = state.keys[command.key]  # the key named is known: that was asked with the signatures
    refusal = _check_under(state, command.subject, command.party, or_itself=True)
    if refusal:
        return refusal
    if key.party != command.subject:
        return Refusal(Reason.KEY_NOT_OF_PARTY, f"{command.key} is not of {command.subject}")
    if key.revoked_index is not None:
        return Refusal(Reason.KEY_ALREADY_REVOKED, f"{command.key}, by entry {key.revoked_index}")
    if command.subject == command.party and _live_keys(state, command.party) <= state.parties[command.party].quorum:
        return Refusal(Reason.WOULD_LEAVE_TOO_FEW_KEYS, command.subject)
    return Nothing()


def _check_under(state: State, subject: str, party: str, *, or_itself: bool) -> Refusal | None:
    """Refuse a subject that the party didn't admit (and isn't, where that is allowed)."""
    found = state.parties.get(subject)
    if found is None:
        return Refusal(Reason.SUBJECT_UNKNOWN, subject)
    if subject == party:
        return None if or_itself else Refusal(Reason.SUBJECT_NOT_UNDER_PARTY, f"{party} is itself")
    if found.admitter != party:
        return Refusal(Reason.SUBJECT_NOT_UNDER_PARTY, f"{subject} was admitted by {found.admitter}")
    return None


def _check_uscc(state: State, command: PartyAdmit) -> Refusal | None:
    if command.role == "holder":
        missing = (command.uscc is None) != (command.maker is True)
    else:
        missing = command.maker is True or (command.role == "provider" and command.uscc is None)
    if missing:
        return Refusal(Reason.USCC_MISSING, command.admitted)
    if command.uscc is None:
        return None
    # Stored in one spelling: python-stdnum would also take blanks and small letters, the schema doesn't.
    if not uscc_number.is_valid(command.uscc):
        return Refusal(Reason.USCC_INVALID, command.uscc)
    if command.uscc in state.usccs:
        return Refusal(Reason.USCC_ALREADY_ADMITTED, f"{command.uscc} is {state.usccs[command.uscc]}")
    return None


def _check_quorum(command: PartyAdmit) -> Refusal | None:
    """Refuse a party that would have fewer keys than must sign."""
    if command.quorum is not None and command.quorum > len(command.keys):
        return Refusal(
            Reason.WOULD_LEAVE_TOO_FEW_KEYS, f"{command.quorum} must sign, {command.admitted} has {len(command.keys)}"
        )
    return None


def _check_keys(state: State, party: str, vkeys: Iterable[str]) -> Refusal | None:
    """Refuse keys in another's name, then keys known already (or twice in the command)."""
    verifiers = [VerifierKey.from_text(vkey) for vkey in vkeys]
    for verifier in verifiers:
        if not verifier.name.startswith(f"{party}/"):
            return Refusal(Reason.KEY_NOT_OF_PARTY, f"{verifier.name} must begin with {party}/")
    seen: set[str] = set()
    for verifier in verifiers:
        public_key = verifier.public_key.hex()
        names = {public_key, verifier.label}
        if public_key in state.public_keys or verifier.label in state.keys or names & seen:
            return Refusal(Reason.KEY_ALREADY_KNOWN, verifier.label)
        seen |= names
    return None


def _check_room(state: State, party: str) -> Refusal | None:
    """Refuse one more key to a party that has as many as a command could bring at once."""
    count = _live_keys(state, party)
    return Refusal(Reason.TOO_MANY_KEYS, f"{party} has {count}") if count >= KEYS_MAX else None


def _live_keys(state: State, party: str) -> int:
    return sum(state.keys[label].revoked_index is None for label in state.parties[party].keys)
